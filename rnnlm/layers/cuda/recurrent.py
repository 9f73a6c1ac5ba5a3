"""What the recurrent layers for a GPU share: products of all steps, one kernel."""

from functools import cache
from pathlib import Path

import numpy as np

from rnnlm.compute.kernel import Kernel
from rnnlm.layers.cuda.geometry import launches
from rnnlm.layers.cuda.products import column_sums, multiply
from rnnlm.layers.cuda.rows import batch_view, time_rows

SOURCE = Path(__file__).with_name("recurrent.cu")


@cache
def kernel(name, twin, streams, columns, held):
    """The kernel for a Division with these numbers."""
    options = f"-DSTREAMS={streams}", f"-DCOLUMNS={columns}", f"-DHELD={held}"
    return Kernel(name, SOURCE, twin, cooperative=True, options=options)


class CudaRecurrent:
    """The first base of a layer for a GPU, before the plain one.

    Subclasses launch the kernels.  Where the weights do not fit on the chip, the plain
    layer's loop runs, on arrays of the device.

    Parameters
    ----------
    device : the Device that has the arrays.
    args, options : those of the plain layer.
    """

    def __init__(self, *args, device, **options):
        super().__init__(*args, **options)
        self.device = device
        self.divisions = None  # how forward and backward are divided; None: they are the plain layer's

    def forward(self, xs):  # (N, T, D) -> (N, T, H)
        """All hidden states of the window."""
        N, T, _ = self.window(xs, len(self.params[0]))
        sizes = N, self.hidden_size, self.state_blocks
        divisions = [launches(*sizes, backward, self.device.processors, self.device.shared_bytes)
                     for backward in (False, True)]
        self.divisions = None if None in divisions else divisions
        return super().forward(xs) if self.divisions is None else self._read(xs, N, T)

    def backward(self, dhs):  # (N, T, H) -> (N, T, D)
        """Gradients of the inputs, from those of all the states."""
        if self.divisions is None:
            return super().backward(dhs)
        N, T, H = self.window(dhs, self.hidden_size, "H")
        return self._read_back(time_rows(self.device, dhs), N, T, H)

    def _begin(self, xs, N, T):
        """What forward starts from.

        Returns
        -------
        rows : (T * N, D), the inputs, time-major.
        Wh : as this window uses it.
        As : (T, N, kH), x_t Wx of all steps.
        first : (N, H) for each of ``state_names``; where it is zero, any array.
        carried : which of them count, a bit for each.
        states : (T + 1, N, H) for each of ``state_names``, to fill.
        last : (N, H) for each of ``state_names``, to fill.
        """
        Wh, rows = self._recurrent_weights(), time_rows(self.device, xs)
        Wx, _, b = self.params
        As = self.buffer("As", (T * N, len(b)), b.dtype)
        multiply(self.device, rows, Wx, As)
        given = [None if isinstance(array, int) else self.xp.ascontiguousarray(array, dtype=Wh.dtype)
                 for array in self._first_state(N)]
        carried = sum(1 << number for number, array in enumerate(given) if array is not None)
        states = [self.buffer(name + "s", (T + 1, N, len(Wh)), Wh.dtype) for name in self.state_names]
        first = [states[0] if array is None else array for array in given]
        last = [self.xp.empty((N, len(Wh)), Wh.dtype) for _ in self.state_names]
        return rows, Wh, As.reshape(T, N, len(b)), first, carried, states, last

    def _launch(self, name, twin, arguments, N, T, *options):
        """Launch a kernel, with the arguments that all of them have."""
        backward = name.endswith("backward")
        (count, part), H = self.divisions[backward], self.hidden_size
        width = H * (self.state_blocks if backward else 1)
        exchanged = self.buffer("exchanged", (2 * N * (width + 31),), self.params[1].dtype)
        one = kernel(name, twin, part.streams, part.columns, part.held)
        for first in range(0, N, count):
            self.device.launch(one, part.groups * part.blocks, part.threads,
                               [*arguments, exchanged, self._counters(), *options, T, N, first, min(count, N - first),
                                H, part.groups, part.units, part.column_warps], part.shared)

    def _counters(self):
        """Where blocks count each other: zeros, which every kernel leaves as zeros."""
        if "counters" not in self._buffers:
            self._buffers["counters"] = self.xp.zeros(64 * self.device.processors, np.int32)
        return self._buffers["counters"]

    def _gradients(self, rows, hs, das):
        """Fill ``grads``; return the gradients of the inputs (N, T, D).

        Parameters
        ----------
        rows : (T * N, D), the inputs.
        hs : (T + 1, N, H), the states.
        das : (T, N, kH), the gradients of x_t Wx + b + h_{t-1} Wh.
        """
        Wx, (dWx, dWh, db) = self.params[0], self.grads
        T, N, width = das.shape
        das, drows = das.reshape(T * N, width), self.xp.empty(rows.shape, rows.dtype)
        multiply(self.device, rows.T, das, dWx)  # each weight was used in every step: its gradients add up
        multiply(self.device, hs[:-1].reshape(T * N, len(dWh)).T, das, dWh)
        column_sums(self.device, das, db)
        multiply(self.device, das, Wx.T, drows)
        self._through_weight_drop()
        return batch_view(drows, N, T)
