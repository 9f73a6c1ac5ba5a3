"""The language model: embedding, recurrent layers, a score for every word, the loss."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from rnnlm.compute import arguments, draws
from rnnlm.compute.default_workers import computing, workers_or_default
from rnnlm.compute.device import HOST
from rnnlm.compute.one_process import ALONE
from rnnlm.compute.row_gradient import RowGradient
from rnnlm.compute.threads import call
from rnnlm.layers.base import require_ids
from rnnlm.models.architecture import Architecture, float_type
from rnnlm.models.copies import CanBeCopied
from rnnlm.models.freezing import frozen_parameters, what_trains
from rnnlm.models.halves import GoesBackInHalves
from rnnlm.models.moving import CanMove
from rnnlm.models.parameters import Packing
from rnnlm.models.predicting import Predicts
from rnnlm.models.regularisation import Regularisation
from rnnlm.models.start import Start, fill, fill_frequencies
from rnnlm.models.states import CarriesStates
from rnnlm.models.switches import HasDropout
from rnnlm.models.wiring import wire

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from typing import Any

    from numpy.typing import ArrayLike, DTypeLike

    from rnnlm.compute.threads import Workers

# The loss says whether a number is not finite.  BLAS may report what it pads with.
QUIET = np.errstate(over="ignore", invalid="ignore")


class LanguageModel(Predicts, CarriesStates, HasDropout, CanBeCopied, CanMove, GoesBackInHalves):
    """p(next word | all words before) by a recurrent network (Mikolov et al., 2010).

    ids (N, T) -> TimeEmbedding -> [TimeDropout -> TimeRNN] x layers
               -> TimeDropout -> TimeOutput or TimeAdaptiveOutput

    TimeOutput is TimeAffine and TimeSoftmaxWithLoss: with h_t (H,) the last layer's
    state, p(w | words up to t) = softmax(h_t W + b)_w, W (H, V) and b (V,).

    A copy (copy.deepcopy, pickle, joblib) trains and scores as the model does.  It has
    the weights, the states and the generator, but its gradients start at zeros.  An
    attribute of your own that refers to the model's arrays is not tied to those of the
    copy: set it again there.

    Parameters
    ----------
    vocab_size : V, the number of words.
    wordvec_size : D, the size of the word vectors.
    hidden_size : H, the size of the state of a recurrent layer.
    layers : the number of recurrent layers.
    cell : a name of CELLS, such as "rnn" or "lstm".
    activation : "tanh" or "relu", for a cell without gates.
    tied : whether the output weights are the embedding (Press & Wolf, 2017; Inan et
        al., 2017).
    projection : whether a TimeAffine from H to D comes before the output; a tied model
        has one unless H = D.
    softmax : "full" or "adaptive" (TimeAdaptiveOutput), which is faster where there are
        many words.
    cutoffs : of an adaptive softmax, ids in ascending order: where its clusters begin.
    regularisation : Regularisation; None: none.
    start : Start, how the first weights are made; None: Start().
    rng : numpy.random.Generator for the first weights and, through a child, for
        dropout; None: all weights are zeros.
    dtype : numpy.float32, or numpy.float64 for comparisons.
    plain : take the layers to read; by default they are those of rnnlm.layers.fast,
        which compute the same.
    workers : the Workers that share the work of the fast layers.  None: during each
        call all cores share it, as in the command, and BLAS has one thread.  Between
        two calls BLAS is as it was.
    frozen : parameters that training leaves as they are: names of parameters, such as
        "rnn1/Wh", or of parts of the model, such as "embedding" and "affine".  Their
        ``grads`` mean nothing.

    Attributes
    ----------
    params, grads : lists of the arrays of all layers.
    packing : the same memory in as few arrays as possible.
    architecture : the Architecture.  ``model.architecture["cell"]`` and
        ``dict(model.architecture)`` give its values.
    vocabulary_fingerprint : that of the Vocabulary whose ids the model reads; None: not
        known.
    processes : the Processes that train it together, or share what is scored; set it in
        all of them.
    """

    frozen: Collection[str] = frozenset()  # of a model that was pickled before parameters could be frozen
    processes = ALONE

    def __init__(self, vocab_size: int, wordvec_size: int = 100, hidden_size: int = 100, layers: int = 1, *,
                 cell: str = "rnn", activation: str = "tanh", tied: bool = False, projection: bool = False,
                 softmax: str = "full", cutoffs: Sequence[int] = (), regularisation: Regularisation | None = None,
                 start: Start | None = None, rng: np.random.Generator | None, dtype: DTypeLike = np.float32,
                 plain: bool = False, workers: Workers | None = None, frozen: Collection[str] = ()) -> None:
        self.architecture = Architecture(cell, vocab_size, wordvec_size, hidden_size, layers, activation, tied,
                                         projection, softmax, cutoffs)
        self.frozen = frozen_parameters(self.architecture, frozen)
        self.regularisation = Regularisation() if regularisation is None else regularisation
        start = Start() if start is None else start
        arguments.kind("regularisation", self.regularisation, Regularisation, "a Regularisation")
        arguments.kind("start", start, Start, "a Start")
        self.plain, self.workers = plain, workers_or_default(workers)
        self.vocabulary_fingerprint = None
        self.scheme = draws.SCHEME
        if rng is not None:
            arguments.generator("rng", rng)
        (self.dropout_rng,) = (rng or np.random.default_rng()).spawn(1)
        self._build(float_type(dtype))
        if rng is not None:
            self.workers.compute(fill, self.architecture, self.packing.param, start, rng)

    @staticmethod
    def param_shapes(*architecture: Any, **options: Any) -> dict[str, tuple[int, ...]]:
        """Names and shapes of an Architecture's parameters, in order."""
        return Architecture(*architecture, **options).shapes()

    def _build(self, dtype, weights=None, grads=()):
        """The memory (these weights and gradients, or zeros), and the layers on it."""
        rows = () if self.plain or self.architecture.tied else ("embedding/W",)  # a window touches few of its rows
        self.packing = Packing(self.architecture.parameters(), dtype, rows, weights, self.frozen, grads)
        self.params, self.grads = list(self.packing.param.values()), list(self.packing.grad.values())
        wiring = wire(self.architecture, self.regularisation, self.packing, rng=self.dropout_rng, plain=self.plain,
                      workers=self.workers, device=self.device)
        vars(self).update(vars(wiring))
        self.built = [*self.layers, self.output]
        self.lowest, self.trains_output = what_trains(self.layers, self.output, self.packing)
        self.switches = [layer for layer in (*self.layers, *(layer.weight_drop for layer in self.recurrent))
                         if hasattr(layer, "train")]
        self.whole_ratios = [layer.ratio for layer in self.switches]
        self.random_scheme = self.scheme
        self.set_columns(self.columns)

    def rows_read(self, xs: ArrayLike) -> list[np.ndarray | None]:  # ids (N, T)
        """Which rows of each array of ``packing.params`` a window reads.

        Returns
        -------
        list : the ids of the rows, or None: all.
        """
        if type(self).states is not LanguageModel.states or type(self).forward is not LanguageModel.forward:
            return [None] * len(self.packing.params)  # a subclass may read others
        xs = arguments.ids_of_windows("xs", xs)
        require_ids(xs, self.architecture["vocab_size"])
        vectors = self.packing.grad["embedding/W"]
        return [xs if grad is vectors and isinstance(grad, RowGradient) else None for grad in self.packing.grads]

    def named_params(self) -> dict[str, np.ndarray]:
        """The parameters by name: embedding/W, rnn1/Wx, rnn1/Wh, rnn1/b, ..."""
        return dict(self.packing.param)

    @property
    def leaky_weights(self) -> set[str]:
        """The names of weights on whose diagonal each unit keeps its own state."""
        return self.architecture.leaky_weights

    def start_at_frequencies(self, counts: ArrayLike) -> None:
        """Set the output biases to the logarithms of the words' frequencies.

        A model that knows nothing yet then already predicts each word as often as it
        occurs.  With an adaptive softmax that holds for the frequent words and for each
        cluster as a whole: its words have no biases.

        Parameters
        ----------
        counts : (V,), how often each word occurs in the training text; each count is
            taken as one more.
        """
        fill_frequencies(self.packing.param["affine/b"], counts, self.architecture)

    @computing
    def states(self, xs: ArrayLike) -> np.ndarray:  # ids (N, T) -> (N, T, H)
        """The hidden states that the output layer reads; carries the state on.

        They are an array of the model's device.
        """
        if type(xs) is not np.ndarray or xs.dtype.kind != "i" or not xs.size:  # nearly never: a call costs more
            xs = arguments.ids_of_windows("xs", xs)
        for layer in self.layers:
            xs = layer.forward(xs)
        return xs

    @computing
    @QUIET
    def forward(self, xs: ArrayLike, ts: ArrayLike) -> float:  # ids (N, T), ids (N, T)
        """Mean loss of the window in nats per token; carries the state on.

        On a GPU it is a scalar array there: ``float`` of it waits for the GPU.
        """
        ts = arguments.targets_of_windows(xs, ts)
        return self.output.forward(self.states(xs), ts)

    @computing
    @QUIET
    def backward(self) -> None:
        """Fill ``grads`` with the gradients of the last forward's loss.

        The layers wait for the gradient of the output's states; nothing waits for those
        of its weights.  So the other threads compute the latter while this one goes
        back through the layers.  Only where the layers are so large that they use all
        threads, the output's weights come first.
        """
        dout = self.output.backward_states(self.share)
        if not self.trains_output:
            self._backward_layers(dout)
        elif self.device is not HOST or any(layer.uses_all_threads(len(dout)) for layer in self.recurrent):
            self.output.backward_weights()
            self._backward_layers(dout)
        else:
            self.workers.each(call, self.output.weight_work(), meanwhile=partial(self._backward_layers, dout))
        self.add_shared()

    def _backward_layers(self, dout):
        """From the output's inputs down to the lowest layer that is trained."""
        for layer in reversed(self.layers[self.lowest :]):
            dout = layer.backward(dout)
