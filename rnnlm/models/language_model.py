"""The language model: embedding, recurrent layers, a score for every word, softmax with loss."""

from contextlib import contextmanager
from functools import partial

import numpy as np

from rnnlm.initializers import scaled_normal, time_scales, uniform
from rnnlm.layers import TimeDropout, TimeEmbedding, TimeOutput, TimeRNN
from rnnlm.layers.fast import FastEmbedding, FastOutput, FastRNN
from rnnlm.models.packing import pack, unpack
from rnnlm.workers import SERIAL

MOST_LAYERS = 500  # so that no model file can keep its reader busy for long; the deepest in use have a dozen


class LanguageModel:
    """p(next word | all words before) by a recurrent network (Mikolov et al., 2010).

    ids (N, T) -> TimeEmbedding -> [TimeDropout -> TimeRNN] x layers -> TimeDropout -> TimeOutput

    TimeOutput is TimeAffine and TimeSoftmaxWithLoss.  By default the layers are those of rnnlm.layers.fast, which
    compute the same; plain=True takes the ones to read.  workers: the threads that share the work of the fast ones.
    vocab_size V, wordvec_size D, hidden_size H: sizes; dropout, input_dropout: share of values left out in
    training, of the recurrent layers' outputs and of the word vectors;
    rng: a numpy.random.Generator for the first weights, and the parent of dropout's own generator; None leaves
    all weights at zero, for those that will be loaded.
    ``params`` and ``grads`` list the arrays of all layers; ``named_params`` gives them readable names;
    ``packed_params`` and ``packed_grads`` are the same memory in as few arrays as possible.
    """

    def __init__(self, vocab_size, wordvec_size=100, hidden_size=100, layers=1, dropout=0.0, input_dropout=0.0,
                 *, rng, dtype=np.float32, plain=False, workers=SERIAL):
        V, D, H = vocab_size, wordvec_size, hidden_size
        self.architecture = {"cell": "rnn", "vocab_size": V, "wordvec_size": D, "hidden_size": H,
                             "layers": layers, "dropout": dropout, "input_dropout": input_dropout}
        (self.dropout_rng,) = (rng or np.random.default_rng()).spawn(1)
        embedding, recurrent, output = _first_values(V, D, H, layers, rng)
        self.embedding = (TimeEmbedding if plain else FastEmbedding)(embedding.astype(dtype, copy=False))
        self.recurrent = []
        for arrays in recurrent:
            arrays = [array.astype(dtype, copy=False) for array in arrays]
            self.recurrent.append(TimeRNN(*arrays, stateful=True) if plain
                                  else FastRNN(*arrays, stateful=True, workers=workers))
        arrays = np.asfortranarray(output, dtype), np.zeros(V, dtype)  # the weights of a word lie together
        self.output = TimeOutput(*arrays) if plain else FastOutput(*arrays, workers=workers)
        self.dropouts = [TimeDropout(ratio, rng=self.dropout_rng) for ratio in [input_dropout] + [dropout] * layers]

        self.layers = [self.embedding]  # up to the last hidden states
        for drop, recurrent in zip(self.dropouts, self.recurrent, strict=False):
            self.layers += [drop, recurrent]
        self.layers.append(self.dropouts[-1])
        self.packed_params, self.packed_grads = pack([*self.layers, self.output])
        self.params = [p for layer in [*self.layers, self.output] for p in layer.params]
        self.grads = [g for layer in [*self.layers, self.output] for g in layer.grads]
        self.names = list(self.param_shapes(V, D, H, layers))

    @staticmethod
    def param_shapes(vocab_size, wordvec_size, hidden_size, layers):
        """Names and shapes of the parameters of such a model, in the order of ``params``."""
        V, D, H = vocab_size, wordvec_size, hidden_size
        shapes = {"embedding/W": (V, D)}
        for i in range(1, layers + 1):
            shapes |= {f"rnn{i}/Wx": (D if i == 1 else H, H), f"rnn{i}/Wh": (H, H), f"rnn{i}/b": (H,)}
        return shapes | {"affine/W": (H, V), "affine/b": (V,)}

    def named_params(self):
        """The parameters by name: embedding/W, rnn1/Wx, rnn1/Wh, rnn1/b, ..., affine/W, affine/b."""
        return dict(zip(self.names, self.params, strict=True))

    def by_name(self, packed):
        """The parts of arrays that lie like ``packed_params`` (an optimizer's slot), by their parameter's name."""
        return dict(zip(self.names, unpack([*self.layers, self.output], packed), strict=True))

    def states(self, xs):  # ids (N, T) -> (N, T, H)
        """The hidden states that the output layer reads; carries the state on."""
        for layer in self.layers:
            xs = layer.forward(xs)
        return xs

    def predict(self, xs):  # ids (N, T) -> (N, T, V)
        """Scores (logits) of every word as the next one, at every step; carries the state on.

        The array is filled anew by the next call: copy what is to be kept.
        """
        return self.output.scores(self.states(xs))

    def log_probs(self, xs, ts):  # ids (N, T), ids (N, T) -> (N, T)
        """ln p of every target, given all before it; carries the state on."""
        return self.output.log_probs(self.states(xs), ts)

    def forward(self, xs, ts):  # ids (N, T), ids (N, T) -> float
        """Mean loss of the window in nats per token; carries the state on."""
        return self.output.forward(self.states(xs), ts)

    def backward(self):
        """Fill ``grads`` with the gradients of the last forward's loss."""
        self.output.backward(meanwhile=self._back_through_layers)

    def _back_through_layers(self, dout):
        for layer in reversed(self.layers):
            dout = layer.backward(dout)

    def reset_state(self):
        """Forget what was read: the next window starts from zeros."""
        for layer in self.recurrent:
            layer.reset_state()

    def get_state(self):
        """The states of all recurrent layers, a list of tuples of arrays (or None)."""
        return [tuple(getattr(layer, name) for name in layer.state_names) for layer in self.recurrent]

    def set_state(self, states):
        """Go on from what get_state returned."""
        for layer, state in zip(self.recurrent, states, strict=True):
            layer.set_state(*state)

    def named_state(self, N):
        """The states of N streams by name: rnn1/h (N, H), rnn2/h, ...; zeros from now on where nothing was read yet."""
        arrays = {}
        for i, layer in enumerate(self.recurrent, 1):
            H, dtype = layer.params[1].shape[0], layer.params[1].dtype
            state = [np.zeros((N, H), dtype) if array is None else array
                     for array in (getattr(layer, name) for name in layer.state_names)]
            layer.set_state(*state)
            arrays |= {f"rnn{i}/{name}": array for name, array in zip(layer.state_names, state, strict=True)}
        return arrays

    @contextmanager
    def fresh_state(self):
        """A block in which the model reads from zeros and without dropout; afterwards its state is as before."""
        states, trains = self.get_state(), [drop.train for drop in self.dropouts]
        self.reset_state()
        for drop in self.dropouts:
            drop.train = False
        try:
            yield
        finally:
            self.set_state(states)
            for drop, train in zip(self.dropouts, trains, strict=True):
                drop.train = train


def _first_values(V, D, H, layers, rng):
    """The embedding, (Wx, Wh, b) of each recurrent layer and the output weights, float32, before training."""
    if rng is None:  # memory that is not touched before it is filled; the output weights lie as the model wants them
        zeros = partial(np.zeros, dtype=np.float32)
        recurrent = [(zeros((inputs, H)), zeros((H, H)), zeros(H)) for inputs in [D] + [H] * (layers - 1)]
        return zeros((V, D)), recurrent, zeros((V, H)).T
    embedding, recurrent = uniform((V, D), rng), []
    for inputs in [D] + [H] * (layers - 1):
        Wh, a = time_scales(H, rng)
        # A slow unit adds up many inputs: a smaller share of each keeps the size of the sum.
        recurrent.append((scaled_normal((inputs, H), rng) * np.sqrt(1 - a**2), Wh, np.zeros(H)))
    return embedding, recurrent, scaled_normal((H, V), rng)
