"""Random bits for dropout, made on the device: those that the host would draw.

A mask for every weight and state of a window is megabytes, which the host draws and
sends in milliseconds.  The device jumps to any place of the host's sequence, so its
threads draw it in microseconds; the host's generator only jumps over what they drew.
"""

from pathlib import Path

import numpy as np

from rnnlm.compute import draws
from rnnlm.compute.draws import SCHEME, jump, words_for
from rnnlm.compute.kernel import Kernel

EACH = 8  # words that a thread draws
THREADS = 128
HALF = (1 << 64) - 1


def _pcg64(generator, words, count, each):
    state = [int(high) << 64 | int(low) for high, low in generator.reshape(2, 2)]
    drawn = np.random.PCG64()
    drawn.state = drawn.state | {"state": dict(zip(("state", "inc"), state, strict=True))}
    words[:count] = drawn.random_raw(count)


PCG64 = Kernel("pcg64", Path(__file__).with_name("draws.cu"), _pcg64)


def bits_on(device, rng, N, count, columns, scheme):
    """16 random bits for each of ``count`` numbers of N columns, on a device.

    Returns
    -------
    array : (N, stride) uint16, of which the first ``count`` of each row are meant;
        those of ``column_bits``.

    Parameters
    ----------
    device : the Device.
    rng : numpy.random.Generator, which goes on as if it had drawn them.
    columns, scheme : see ``column_bits``.
    """
    if scheme != SCHEME or type(rng.bit_generator).__name__ != "PCG64":
        return device.put(np.ascontiguousarray(draws.column_bits(rng, (N, count), columns, scheme), np.uint16))
    size = words_for(count)
    words = draws.for_columns(rng, N, size, columns, lambda: _drawn(device, rng, N * size))
    return words.view(np.uint16).reshape(N, -1)


def _drawn(device, rng, size):
    """The next words (size,) uint64 of PCG64, on the device."""
    words = device.xp.empty(size, np.uint64)
    state = rng.bit_generator.state["state"]
    generator = np.array([half for name in ("state", "inc") for half in (state[name] >> 64, state[name] & HALF)],
                         np.uint64)
    blocks = -(-size // (EACH * THREADS))
    device.launch(PCG64, blocks, THREADS, (device.put(generator), words, size, EACH))
    jump(rng.bit_generator, size)
    return words
