"""What the recurrent layers over a window share: parameters, the state that goes on, the gradients of the inputs."""

from rnnlm.errors import ArgumentError
from rnnlm.layers.base import Layer


class TimeRecurrent(Layer):
    """A cell run over a window of T steps; subclasses write ``forward`` and ``backward``.

    ``params`` are the arrays of ``param_names``: Wx (D, kH), Wh (H, jH), b (kH,) and, where a
    cell has it, bh (H,), a bias inside the recurrence.  Blocks of H columns, one a gate or other
    sum, stand side by side, k of them ``input_blocks`` and j ``state_blocks``.

    After ``forward``, each of ``state_names`` (``h``) is an attribute: the last state (N, H).
    After ``backward``, so is its gradient (``dh``), that of the state that came into the window:
    what is cut off.

    Parameters
    ----------
    stateful : bool
        Keep the state from one window to the next.  The gradient is always cut at the window's
        edge: truncated backpropagation through time (Williams & Peng, 1990).
    more : sequence of arrays
        Those of ``param_names`` after the first three.
    weight_drop : WeightDrop
        One of this layer's own, or None.
    grads : list of arrays, optional
        The memory of the gradients.
    """

    param_names = ("Wx", "Wh", "b")
    input_blocks = state_blocks = 1
    state_names = ("h",)  # what set_state takes and a checkpoint holds

    def __init__(self, Wx, Wh, b, stateful=False, *, more=(), weight_drop=None, grads=None):
        super().__init__(Wx, Wh, b, *more, grads=grads)
        self._require_shapes()
        self.stateful, self.weight_drop = stateful, weight_drop
        self.reset_state()
        for name in self.state_names:
            setattr(self, "d" + name, None)

    @classmethod
    def param_shapes(cls, D, H):
        """The shape of each of ``param_names`` for inputs of D and states of H numbers."""
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
    def hidden_size(self):
        """H, the width of the state."""
        return self.params[1].shape[0]

    def uses_all_threads(self, N):
        """Whether the layer shares N streams out to all threads, which then leaves none for other work."""
        return False

    def set_state(self, *state):
        """Start the next window from these arrays (N, H), one for each of ``state_names``; None is zeros."""
        for name, array in zip(self.state_names, state, strict=True):
            setattr(self, name, array)

    def reset_state(self):
        """Start the next window from zeros."""
        self.set_state(*[None] * len(self.state_names))

    def check_state(self, N):
        """ArgumentError unless the state is that of N streams: one row would be spread over the batch unseen."""
        shape = N, self.hidden_size
        for array in (getattr(self, name) for name in self.state_names):
            if array is not None and array.shape != shape:
                raise ArgumentError(f"state must have shape {shape}, got {array.shape}: call reset_state first")

    def _first_state(self, N):
        """What the window starts from, one for each of ``state_names``: an array (N, H), or 0."""
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
        """Turn the gradient of the Wh that was used, which backward has left in dWh, into that of Wh itself."""
        if self.weight_drop is not None:
            self.weight_drop.backward(self.grads[1])

    def _through_inputs(self, xs, das):  # (N, T, D), (T, N, kH) -> (N, T, D)
        """Fill dWx and db from the gradients of a_t = x_t Wx + b + ...; return the inputs'."""
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
