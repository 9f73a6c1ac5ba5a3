"""The language model: embedding, recurrent layers, a score for every word, softmax with loss."""

from contextlib import contextmanager

import numpy as np

from rnnlm.compute import arguments
from rnnlm.compute.threads import computing, workers_or_default
from rnnlm.errors import ArgumentError
from rnnlm.layers import (
    TimeActivationPenalty,
    TimeAffine,
    TimeDropout,
    TimeEmbedding,
    TimeOutput,
    TimeSlownessPenalty,
    TimeWordDropout,
    WeightDrop,
)
from rnnlm.layers.fast import FastAffine, FastEmbedding, FastOutput
from rnnlm.models.architecture import CELLS, UNGATED, checked, float_type, param_shapes
from rnnlm.models.initializers import log_frequencies
from rnnlm.models.parameters import Packing, Place
from rnnlm.models.regularisation import Regularisation
from rnnlm.models.start import Start, first_values
from rnnlm.models.tied import TiedWeight

MADE = ("embedding", "layers", "recurrent", "projection", "output", "tied", "packing", "params", "grads", "switches",
        "whole_ratios", "built", "busy")  # attributes that follow from the others and from the weights


class LanguageModel:
    """p(next word | all words before) by a recurrent network (Mikolov et al., 2010).

    ids (N, T) -> TimeEmbedding -> [TimeDropout -> TimeRNN] x layers -> TimeDropout -> TimeOutput

    TimeOutput is TimeAffine and TimeSoftmaxWithLoss.  By default the layers are those of rnnlm.layers.fast, which
    compute the same; plain=True takes the ones to read.

    workers: the Workers that share the work of the fast layers.  None: during each call
    all cores share it, as in the command, and BLAS has one thread.  Between two calls BLAS
    is as it was.

    vocab_size V, wordvec_size D, hidden_size H, layers: sizes; cell: a name of CELLS ("rnn", "mrnn", "lstm",
    "gru", "gru-textbook"); activation of the first two: "tanh" or "relu"; tied: the output weights are the
    embedding (Press & Wolf, 2017; Inan et al., 2017); projection: a TimeAffine from H to D before the output, which
    tied asks for unless H = D.
    regularisation: a Regularisation; start: a Start.
    rng: a numpy.random.Generator for the first weights and, by a child, dropout; None leaves all weights at zero.

    ``params`` and ``grads`` list the arrays of all layers; ``named_params`` gives them readable names; ``packing``
    has the same memory in as few arrays as possible.

    A copy (copy.deepcopy, pickle, joblib) trains and scores as the model does: it has the weights, the states and the
    generator, but its gradients start at zeros.  ``vocabulary_fingerprint``: that of the Vocabulary whose ids the
    model reads, where it is known.
    """

    param_shapes = staticmethod(param_shapes)

    def __init__(self, vocab_size, wordvec_size=100, hidden_size=100, layers=1, *, cell="rnn", activation="tanh",
                 tied=False, projection=False, regularisation=None, start=None, rng, dtype=np.float32, plain=False,
                 workers=None):
        self.architecture = checked({
            "cell": cell, "vocab_size": vocab_size, "wordvec_size": wordvec_size, "hidden_size": hidden_size,
            "layers": layers, "activation": activation, "tied": tied, "projection": projection})
        self.regularisation = Regularisation() if regularisation is None else regularisation
        start = Start() if start is None else start
        arguments.kind("regularisation", self.regularisation, Regularisation, "a Regularisation")
        arguments.kind("start", start, Start, "a Start")
        self.plain, self.workers = plain, workers_or_default(workers)
        self.vocabulary_fingerprint = None
        if rng is not None:
            arguments.generator("rng", rng)
        (self.dropout_rng,) = (rng or np.random.default_rng()).spawn(1)
        with self.workers.computing():
            values = first_values(self.architecture, CELLS[cell].plain, start, rng)
        self._assemble(values, float_type(dtype))

    def _assemble(self, values, dtype):
        """Make the layers from the first values of their parameters, and all that follows from them."""
        self._build(*values, dtype, self.plain, {} if self.plain else {"workers": self.workers})
        self.packing = Packing(self._places())
        if self.tied:
            self.tied.share(self.embedding, self.output)
        self.params = [place.param for place in self.packing.places]
        self.grads = [place.grad for place in self.packing.places]
        self.switches = [layer for layer in (*self.layers, *(layer.weight_drop for layer in self.recurrent))
                         if hasattr(layer, "train")]
        self.whole_ratios = [layer.ratio for layer in self.switches]
        self.built = [*self.layers, self.output]

    def __getstate__(self):
        """What a copy is made from: each weight once, neither gradients nor work buffers."""
        if [*self.layers, self.output] != self.built:
            raise ArgumentError("a model whose layers were replaced cannot be copied: create a new one, and copy the "
                                "arrays of its params")
        state = {name: value for name, value in vars(self).items() if name not in MADE}
        return state | {"weights": self.packing.params, "states": self.get_state(),
                        "switched": [(layer.train, layer.ratio) for layer in self.switches]}

    def __setstate__(self, state):
        weights, states, switched = (state.pop(name) for name in ("weights", "states", "switched"))
        vars(self).update(state)
        values = first_values(self.architecture, CELLS[self.architecture["cell"]].plain, Start(), None)
        self._assemble(values, weights[0].dtype)
        for param, value in zip(self.packing.params, weights, strict=True):
            param[...] = value
        self.set_state(states)
        for layer, (train, ratio) in zip(self.switches, switched, strict=True):
            layer.train, layer.ratio = train, ratio

    def _build(self, embedding, recurrent, output, projection, dtype, plain, workers):
        """Make the layers and wire them: ``layers`` are those up to the inputs of ``output``."""
        a, r, rng = self.architecture, self.regularisation, self.dropout_rng

        def cast(*arrays):
            return [array.astype(dtype, copy=False) for array in arrays]

        def dropout(ratio):
            return TimeDropout(ratio, rng=rng, per_window=r.per_window)

        self.embedding = (TimeEmbedding if plain else FastEmbedding)(*cast(embedding))
        self.layers = [self.embedding]
        if r.word_dropout:
            self.layers = [TimeWordDropout(self.embedding, r.word_dropout, rng=rng)]
        options = {"activation": a["activation"]} if a["cell"] in UNGATED else {}
        self.recurrent = []
        for arrays in recurrent:
            drop = WeightDrop(r.weight_drop, rng=rng) if r.weight_drop else None
            layer = CELLS[a["cell"]][not plain](*cast(*arrays), stateful=True, weight_drop=drop, **options, **workers)
            self.layers += [dropout(r.dropout if self.recurrent else r.input_dropout), layer]
            self.recurrent.append(layer)
        if r.slowness_penalty:
            self.layers.append(TimeSlownessPenalty(r.slowness_penalty))
        self.layers.append(dropout(r.dropout if r.output_dropout is None else r.output_dropout))
        if r.activation_penalty:
            self.layers.append(TimeActivationPenalty(r.activation_penalty))
        self.projection = None
        if a["projection"]:
            b = np.zeros(a["wordvec_size"], dtype)
            self.projection = (TimeAffine if plain else FastAffine)(*cast(projection), b, **workers)
            self.layers.append(self.projection)
        # The weights of a word lie together, and where they are tied they are a word's vector.
        W = self.embedding.params[0].T if output is None else np.asfortranarray(output, dtype)
        self.output = (TimeOutput if plain else FastOutput)(W, np.zeros(a["vocab_size"], dtype), **workers)

    def _places(self):
        """A Place for each parameter, in the order of ``params``; groups: "words", "matrices" and "biases"."""
        self.tied = TiedWeight(self.embedding) if self.architecture["tied"] else None
        places = [Place("embedding/W", self.tied or self.embedding, 0, "words")]
        for i, layer in enumerate(self.recurrent, 1):
            for k, name in enumerate(layer.param_names):
                places.append(Place(f"{self._prefix}{i}/{name}", layer, k,
                                    "matrices" if name.startswith("W") else "biases"))
        if self.projection:
            places += [Place("projection/W", self.projection, 0, "matrices"),
                       Place("projection/b", self.projection, 1, "biases")]
        if not self.tied:
            places.append(Place("affine/W", self.output, 0, "words"))
        return [*places, Place("affine/b", self.output, 1, "biases")]

    @property
    def _prefix(self):
        """What the names of the recurrent layers' arrays begin with."""
        return CELLS[self.architecture["cell"]].prefix

    def named_params(self):
        """The parameters by name: embedding/W, rnn1/Wx, rnn1/Wh, rnn1/b, ..., affine/W, affine/b."""
        return {place.name: place.param for place in self.packing.places}

    @property
    def leaky_weights(self):
        """The names of the weights whose diagonal is each unit's hold on its own state: Wh of a cell without gates."""
        cell, layers = self.architecture["cell"], self.architecture["layers"]
        return {f"{CELLS[cell].prefix}{i}/Wh" for i in range(1, layers + 1)} if cell in UNGATED else set()

    def start_at_frequencies(self, counts):  # (V,)
        """Let the output biases be ln of each word's share of the training text, from its ``counts`` there.

        Each count is taken as one more.  A model that knows nothing yet then already
        predicts each word as often as it occurs.
        """
        V = self.architecture["vocab_size"]
        counts = arguments.floats("counts", counts)
        if counts.shape != (V,) or not (np.isfinite(counts) & (counts >= 0)).all():
            raise arguments.wrong("counts", f"numbers of at least 0, of shape ({V},)", counts,
                                  "numpy.bincount(ids, minlength=vocab_size) gives them")
        self.output.params[1][...] = log_frequencies(counts)

    @computing
    def states(self, xs):  # ids (N, T) -> (N, T, H)
        """The hidden states that the output layer reads; carries the state on."""
        if type(xs) is not np.ndarray or xs.dtype.kind != "i" or not xs.size:  # nearly never: a call costs more
            xs = arguments.ids_of_windows("xs", xs)
        for layer in self.layers:
            xs = layer.forward(xs)
        return xs

    @computing
    def predict(self, xs):  # ids (N, T) -> (N, T, V)
        """Scores (logits) of every word as the next one, at every step; carries the state on.

        The array is filled anew by the next call: copy what is to be kept.
        """
        return self.output.scores(self.states(xs))

    def predict_last(self, xs):  # ids (N, T) -> (N, V)
        """What ``predict`` gives for the last step alone, for less than all of them take; carries the state on."""
        if getattr(self.predict, "__func__", None) is not LanguageModel.predict:  # a subclass has scores of its own
            return self.predict(xs)[:, -1]
        with self.workers.computing_on_blas():
            return self.output.scores(self.states(xs)[:, -1:])[:, 0]

    @computing
    def log_probs(self, xs, ts):  # ids (N, T), ids (N, T) -> (N, T)
        """ln p of every target, given all before it; carries the state on."""
        return self.output.log_probs(self.states(xs), arguments.targets_of_windows(xs, ts))

    @computing
    def forward(self, xs, ts):  # ids (N, T), ids (N, T) -> float
        """Mean loss of the window in nats per token; carries the state on."""
        ts = arguments.targets_of_windows(xs, ts)
        self.busy = any(layer.shares_streams(len(xs)) for layer in self.recurrent)
        return self.output.forward(self.states(xs), ts)

    @computing
    def backward(self):
        """Fill ``grads`` with the gradients of the last forward's loss."""
        if self.busy:  # large layers want all threads; the others go back in one, beside the output's gradients
            self._back_through_layers(self.output.backward())
        else:
            self.output.backward(meanwhile=self._back_through_layers)
        if self.tied:
            self.tied.add(self.embedding)

    def _back_through_layers(self, dout):
        for layer in reversed(self.layers):
            dout = layer.backward(dout)

    def set_progress(self, progress):
        """Let dropout be as it is when this share of the training, from 0 to 1, is done (see dropout_start)."""
        if not (isinstance(progress, float) and 0 <= progress <= 1):
            arguments.number("progress", progress, "from 0 to 1", lambda x: 0 <= x <= 1)
        start = self.regularisation.dropout_start
        for layer, ratio in zip(self.switches, self.whole_ratios, strict=True):
            layer.ratio = ratio * (start + (1 - start) * progress)

    def set_training(self, training):
        """Switch all dropout on (a new model, and any that a Trainer takes) or off (one from load_model)."""
        for layer in self.switches:
            layer.train = training

    def reset_state(self):
        """Forget what was read: the next window starts from zeros."""
        for layer in self.recurrent:
            layer.reset_state()

    def get_state(self):
        """The states of all recurrent layers, a list of tuples of arrays (or None)."""
        return [tuple(getattr(layer, name) for name in layer.state_names) for layer in self.recurrent]

    def set_state(self, states):
        """Go on from what get_state returned."""
        arguments.one_for_each("states", states, len(self.recurrent), "recurrent layers")
        for layer, state in zip(self.recurrent, states, strict=True):
            layer.set_state(*state)

    def named_state(self, N):
        """The states of N streams by name: rnn1/h (N, H), rnn2/h, ...; zeros from now on where nothing was read yet."""
        arrays = {}
        for i, layer in enumerate(self.recurrent, 1):
            state = [np.zeros((N, layer.hidden_size), layer.params[1].dtype) if array is None else array
                     for array in (getattr(layer, name) for name in layer.state_names)]
            layer.set_state(*state)
            arrays |= {f"{self._prefix}{i}/{name}": array
                       for name, array in zip(layer.state_names, state, strict=True)}
        return arrays

    def snapshot(self):
        """What training needs to go on, beside arrays: the state of dropout's generator."""
        return self.dropout_rng.bit_generator.state

    def restore(self, values):
        """Go on from a snapshot."""
        self.dropout_rng.bit_generator.state = values

    @contextmanager
    def fresh_state(self):
        """A block in which the model reads from zeros and without dropout; afterwards its state is as before."""
        states, trains = self.get_state(), [layer.train for layer in self.switches]
        self.reset_state()
        self.set_training(False)
        try:
            yield
        finally:
            self.set_state(states)
            for layer, train in zip(self.switches, trains, strict=True):
                layer.train = train
