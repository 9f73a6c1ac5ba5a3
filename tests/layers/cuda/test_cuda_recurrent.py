"""The recurrences for a GPU: kernels against their twins, layers against plain ones."""

import copy

import numpy as np
import pytest
from emulator import Emulator, needs_compiler
from recurrent_layers import SameMask, random_arrays, states

from rnnlm.layers.cuda import CudaLSTM, CudaRNN, geometry, recurrent
from rnnlm.layers.lstm import TimeLSTM
from rnnlm.layers.rnn import TimeRNN

LAYERS = {"tanh": (CudaRNN, TimeRNN), "lstm": (CudaLSTM, TimeLSTM)}
EMULATED = Emulator()  # up to 6 blocks


def pair(cell, D, H, device, dtype=np.float64, drop=0, **options):
    """A layer for a GPU and the plain one, with the same numbers."""
    arrays = random_arrays(cell, D, H, np.random.default_rng(H), dtype)
    drops = [SameMask(drop, rng=np.random.default_rng(0)) if drop else None for _ in range(2)]
    cuda, plain = LAYERS[cell]
    return (cuda(*arrays, stateful=True, device=device, weight_drop=drops[0], **options),
            plain(*copy.deepcopy(arrays), stateful=True, weight_drop=drops[1], **options))


def compare(layer, plain, N, T, D, windows=2, **tolerance):
    """Both read the same windows: states, gradients and what goes on agree."""
    rng, H, dtype = np.random.default_rng(N), plain.hidden_size, plain.params[0].dtype
    for _ in range(windows):
        xs = rng.normal(size=(N, T, D)).astype(dtype)
        dhs = rng.normal(size=(N, T, H)).astype(dtype)
        np.testing.assert_allclose(layer.forward(xs), plain.forward(xs), **tolerance)
        np.testing.assert_allclose(layer.backward(dhs), plain.backward(dhs), **tolerance)
        for one, other in zip([*states(layer), *states(layer, "d"), *layer.grads],
                              [*states(plain), *states(plain, "d"), *plain.grads], strict=True):
            np.testing.assert_allclose(one, other, **tolerance)


def divide_by(monkeypatch, groups, tile, units, column_warps, parts):
    """Let layers be divided like this, forward and backward, whatever their sizes."""
    def division(N, H, gates, backward, processors):
        columns, inputs = (1, gates * H) if backward else (gates, H)
        warps = max(column_warps, -(-units * columns // (4 * geometry.thread_columns(tile, columns))))
        width = -(-inputs // 32) * 32
        return geometry.Division(groups, tile, units, -(-H // units), warps, parts,
                                 4 * units * columns * (width + 4 + parts * tile), 0)

    monkeypatch.setattr(recurrent, "division", division)


@needs_compiler
@pytest.mark.parametrize("cell", LAYERS)
@pytest.mark.parametrize(("N", "H", "division"), [
    (1, 1, (1, 1, 1, 1, 1)),    # one of everything
    (5, 7, (1, 5, 4, 1, 2)),    # two blocks, the second with fewer units; more threads than units
    (5, 12, (2, 4, 4, 1, 1)),   # two groups of three blocks, of 3 and 2 streams
    (7, 9, (3, 4, 5, 1, 2)),    # three groups, the last with 1 stream
    (4, 33, (3, 2, 17, 2, 3)),  # the last group has none; inputs end after a warp's first step
    (8, 6, (1, 8, 2, 2, 1)),    # more warps than columns; three blocks
], ids=lambda x: "-".join(map(str, x)) if isinstance(x, tuple) else str(x))
def test_kernels_compute_what_their_twins_do(monkeypatch, cell, N, H, division):
    divide_by(monkeypatch, *division)
    layer, plain = pair(cell, 3, H, EMULATED, np.float32)
    compare(layer, plain, N, 3, 3, rtol=2e-5, atol=2e-5)
    assert not layer._counters().any()  # ready for the next launch
