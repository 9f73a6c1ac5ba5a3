"""A recurrent layer over whole sequences that makes its own weights.

It is TimeRNN for those who have data, but no weight arrays.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rnnlm.classifier.initializers import XavierInitializer
from rnnlm.classifier.named_weights import NamedWeights, index_of
from rnnlm.compute import arguments
from rnnlm.compute.functions import activation_by_name
from rnnlm.errors import ArgumentError
from rnnlm.layers.rnn import TimeRNN

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Protocol, Self

    from numpy.typing import ArrayLike

    FirstWeights = Callable[[tuple[int, ...], np.random.Generator], ArrayLike]

    class Updates(Protocol):
        """An optimizer: ``update`` changes the weights in place."""

        def update(self, params: list[np.ndarray], grads: list[np.ndarray]) -> Any: ...


class SimpleRNN(NamedWeights):
    """h_t = f(x_t Wx + h_{t-1} Wh + b), t = 1 ... n_sequences, any h_0 (Elman, 1990).

    The arithmetic is TimeRNN's.  The weights are made when the number of features is
    known.  They can be set by name, rnn.Wx, rnn.Wh, rnn.b = w_x, w_h, b, and read, and
    so can their gradients dWx, dWh, db be read.

    Parameters
    ----------
    n_nodes : H, the width of the state.
    initializer : (shape, rng) -> array for Wx (n_features, H) and Wh (H, H); None:
        XavierInitializer().  b starts at zeros.
    optimizer : what ``update`` steps with, such as SGD(0.1).
    activation : f: "tanh", "relu", "sigmoid" or "identity".
    return_sequences : whether ``forward`` returns all states or the last one.
    rng : numpy.random.Generator for the first weights; None: others each time.

    Attributes
    ----------
    params : [Wx, Wh, b].
    grads : their gradients, in the same order.
    dh0 : (N, H), the gradient of h_0, after ``backward``.
    """

    options, first_options = ("optimizer", "return_sequences"), ("n_nodes", "initializer", "activation", "rng")
    inner = ("layer", "shape", "dh0")

    def __new__(cls, *args: Any, **options: Any) -> Self:
        """ArgumentError with a remedy, if weights are given instead of n_nodes."""
        weights = [value for value in args[:3] if isinstance(value, np.ndarray | list | tuple)]
        weights += [value for name, value in options.items() if index_of(name) is not None]
        if weights and cls.__init__ is SimpleRNN.__init__:
            raise ArgumentError(f"SimpleRNN takes the number of nodes, not weights: write rnn = SimpleRNN("
                                f"{np.atleast_1d(weights[0]).shape[-1]}), with the other options as they are, then "
                                "rnn.Wx, rnn.Wh, rnn.b = w_x, w_h, b")
        return super().__new__(cls)

    def __init__(self, n_nodes: int, initializer: FirstWeights | None = None, optimizer: Updates | None = None,
                 activation: str = "tanh", *, return_sequences: bool = False,
                 rng: np.random.Generator | None = None) -> None:
        activation_by_name(activation)  # what is wrong is named here, not at the first forward
        if optimizer is not None and (isinstance(optimizer, type) or not hasattr(optimizer, "update")):
            raise arguments.wrong("optimizer", "None or one such as SGD(0.1)", optimizer)
        self.layer = self.shape = None
        self.given = {}
        self.n_nodes, self.optimizer = arguments.whole("n_nodes", n_nodes), optimizer
        self.initializer = arguments.initializer("initializer", initializer) or XavierInitializer()
        self.activation, self.return_sequences = activation, return_sequences
        self.rng = np.random.default_rng() if rng is None else arguments.generator("rng", rng)

    __new__.__wrapped__ = __init__  # whose arguments help() shows

    def build(self, n_features: int) -> None:
        """Make the weights for inputs of so many features."""
        *shapes, shape_b = TimeRNN.param_shapes(n_features, self.n_nodes).values()
        weights = [np.array(self.initializer(shape, self.rng), np.float64) for shape in shapes]
        self.layer = TimeRNN(*weights, np.zeros(shape_b), stateful=True, activation=self.activation)
        self._take_given()

    @property
    def params(self) -> list[np.ndarray]:
        """[Wx, Wh, b]: empty before the first forward."""
        return self.layer.params if self.layer else []

    @property
    def grads(self) -> list[np.ndarray]:
        """The gradients of ``params``, in the same order."""
        return self.layer.grads if self.layer else []

    def forward(self, X: ArrayLike, h0: ArrayLike | None = None) -> np.ndarray:
        """All states (batch_size, n_sequences, n_nodes), or the last one of each.

        X: (batch_size, n_sequences, n_features).  h0: (batch_size, n_nodes); None:
        zeros.
        """
        X = arguments.floats("X", X)
        if X.ndim != 3 or 0 in X.shape:
            raise ArgumentError("X must have shape (batch_size, n_sequences, n_features), none of them 0, "
                                f"got {X.shape}")
        if self.layer is None:
            self.build(X.shape[2])
        if X.shape[2] != len(self.params[0]):
            raise ArgumentError(f"X must have the {len(self.params[0])} features the layer was built for, "
                                f"got {X.shape[2]}")
        if h0 is not None:
            h0 = arguments.floats("h0", h0)
            if h0.shape != (len(X), self.n_nodes):
                raise ArgumentError(f"h0 must have shape (batch_size, n_nodes), {(len(X), self.n_nodes)}, "
                                    f"got {h0.shape}")
        self.layer.set_state(h0)
        hs = self.layer.forward(X)
        self.shape = hs.shape
        return hs if self.return_sequences else hs[:, -1]

    def backward(self, dA: ArrayLike) -> np.ndarray:
        """The gradient of X from dA, that of what ``forward`` returned.

        Fills ``grads`` and ``dh0``.
        """
        if self.shape is None:
            raise ArgumentError("backward needs the values of the last forward: call forward first")
        N, T, H = self.shape
        expected = (N, T, H) if self.return_sequences else (N, H)
        dA = arguments.floats("the gradient", dA)
        if dA.shape != expected:
            raise ArgumentError(f"the gradient must have the shape of what forward returned, {expected}, "
                                f"got {dA.shape}")
        if not self.return_sequences:  # the loss reads the last state alone: the others come by the recurrence
            dhs = np.zeros((N, T, H))
            dhs[:, -1] = dA
            dA = dhs
        dX = self.layer.backward(dA)
        self.dh0 = self.layer.dh
        return dX

    def update(self) -> None:
        """One step of the optimizer, with the gradients that ``backward`` left."""
        if self.optimizer is None:
            raise ArgumentError("update needs an optimizer: give one, as in SimpleRNN(n_nodes, optimizer=SGD(0.1))")
        if self.layer is None:
            raise ArgumentError("update needs gradients: call forward and backward first")
        self.optimizer.update(self.params, self.grads)
