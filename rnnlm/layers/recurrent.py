"""What the recurrent layers over a window share.

These are their parameters, the state that they carry on, and the gradients of their
inputs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rnnlm.errors import ArgumentError
from rnnlm.layers.base import Layer

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np

    from rnnlm.layers.weight_drop import WeightDrop


class TimeRecurrent(Layer):
    """A cell run over T steps; subclasses write ``forward`` and ``backward``.

    The columns of the weights are blocks of H, one for each gate or other sum.  A cell
    has k ``input_blocks`` and j ``state_blocks``.

    Parameters
    ----------
    Wx : (D, kH), the weights of the inputs.
    Wh : (H, jH), the weights of the previous state.
    b : (kH,), the biases.
    stateful : keep the state from one window to the next.  The gradient is always cut
        at the window's edge: truncated backpropagation through time (Williams & Peng,
        1990).
    more : the arrays of ``param_names`` after the first three, such as bh (H,), a bias
        inside the recurrence.
    weight_drop : WeightDrop, used by this layer alone; None: no weight is dropped.
    grads : list of arrays, the memory of the gradients; None: new arrays.

    Attributes
    ----------
    h : (N, H), the last state, after ``forward``; so is each of ``state_names``.
    dh : (N, H), after ``backward``: the gradient of the state that came into the
        window, which is cut off.  So is that of each state.
    """

    param_names = ("Wx", "Wh", "b")
    input_blocks = state_blocks = 1
    state_names: tuple[str, ...] = ("h",)  # what set_state takes and a checkpoint holds

    def __init__(self, Wx: np.ndarray, Wh: np.ndarray, b: np.ndarray, stateful: bool = False, *,
                 more: Sequence[np.ndarray] = (), weight_drop: WeightDrop | None = None,
                 grads: list[np.ndarray] | None = None) -> None:
        super().__init__(Wx, Wh, b, *more, grads=grads)
        self._require_shapes()
        self.stateful, self.weight_drop = stateful, weight_drop
        self.reset_state()
        for name in self.state_names:
            setattr(self, "d" + name, None)

    @classmethod
    def param_shapes(cls, D: int, H: int) -> dict[str, tuple[int, ...]]:
        """The shape of each parameter, for inputs of D and states of H numbers."""
        k, j = cls.input_blocks, cls.state_blocks
        shapes = {"Wx": (D, k * H), "Wh": (H, j * H), "b": (k * H,), "bh": (H,)}
        return {name: shapes[name] for name in cls.param_names}

    def _require_shapes(self):
        """ArgumentError unless ``params`` fit together."""
        Wx, Wh = self.params[:2]
        found = [param.shape for param in self.params]
        if Wx.ndim != 2 or Wh.ndim != 2 or found != list(self.param_shapes(len(Wx), len(Wh)).values()):
            x, h = (f"{k}H" if k > 1 else "H" for k in (self.input_blocks, self.state_blocks))
            forms = {"Wx": f"Wx (D, {x})", "Wh": f"Wh (H, {h})", "b": f"b ({x},)", "bh": "bh (H,)"}
            raise ArgumentError(f"{type(self).__name__} takes {listed([forms[name] for name in self.param_names])}, "
                                f"got the shapes {listed(map(str, found))}")

    @property
    def hidden_size(self) -> int:
        """H, the width of the state."""
        return self.params[1].shape[0]

    def uses_all_threads(self, N: int) -> bool:
        """Whether all threads share N streams, so that none is left for other work."""
        return False

    def set_state(self, *state: np.ndarray | None) -> None:
        """Start the next window from given states.

        Parameters
        ----------
        state : (N, H) for each of ``state_names``; None: zeros.
        """
        for name, array in zip(self.state_names, state, strict=True):
            setattr(self, name, array)

    def reset_state(self) -> None:
        """Start the next window from zeros."""
        self.set_state(*[None] * len(self.state_names))

    def check_state(self, N: int) -> None:
        """ArgumentError unless the state is that of N streams.

        NumPy would spread a state of one row over the whole batch, and nobody would
        notice.
        """
        shape = N, self.hidden_size
        for array in (getattr(self, name) for name in self.state_names):
            if array is not None and array.shape != shape:
                raise ArgumentError(f"state must have shape {shape}, got {array.shape}: call reset_state first")

    def _first_state(self, N):
        """What the window starts from: an array (N, H), or 0, for each state name."""
        if not self.stateful:
            return [0] * len(self.state_names)
        state = [getattr(self, name) for name in self.state_names]
        shape = N, len(self.params[1])
        for array in state:
            if array is not None and array.shape != shape:
                self.check_state(N)
        return [0 if array is None else array for array in state]

    def _recurrent_weights(self):
        """Wh as this window uses it: with weight drop, what is left of it."""
        Wh = self.params[1]
        return Wh if self.weight_drop is None else self.weight_drop.forward(Wh)

    def _through_weight_drop(self):
        """Turn the gradient in dWh, of the Wh that was used, into that of Wh itself."""
        if self.weight_drop is not None:
            self.weight_drop.backward(self.grads[1])

    def _through_inputs(self, xs, das):  # (N, T, D), (T, N, kH) -> (N, T, D)
        """Fill dWx and db from those of a_t = x_t Wx + b + ...; return the inputs'."""
        Wx, (dWx, _, db) = self.params[0], self.grads[:3]
        T, N, width = das.shape
        rows = das.reshape(T * N, width)  # each weight was used in every step: its gradients add up
        dWx[...] = xs.swapaxes(0, 1).reshape(T * N, -1).T @ rows
        db[...] = rows.sum(axis=0)
        return (rows @ Wx.T).reshape(T, N, -1).swapaxes(0, 1)


def listed(names):
    """The names as a text: a, b and c."""
    *first, last = names
    return f"{', '.join(first)} and {last}"
