"""The device that runs kernels on a CPU."""

from pathlib import Path

import numpy as np
from emulator import Emulator, needs_compiler

from rnnlm.compute.kernel import Kernel

SOURCE = Path(__file__).with_name("emulator_test.cu")


@needs_compiler
def test_warps_and_blocks_add_up():
    numbers, sums = np.arange(300, dtype=np.float32), np.zeros(3, np.float32)
    Emulator().launch(Kernel("sums", SOURCE, None), 3, 128, [numbers, sums, 300])
    np.testing.assert_array_equal(sums, [numbers[:128].sum(), numbers[128:256].sum(), numbers[256:].sum()])


@needs_compiler
def test_blocks_wait_for_each_other_and_have_their_own_shared_memory():
    numbers, arrived = np.arange(6 * 40, dtype=np.int32), np.zeros(1, np.uint32)
    Emulator().launch(Kernel("rotated", SOURCE, None, cooperative=True), 6, 40, [numbers, arrived, 2.0], shared=160)
    expected = 2 * np.roll(np.arange(240).reshape(6, 40)[:, ::-1], 1, axis=0)
    np.testing.assert_array_equal(numbers.reshape(6, 40), expected)
