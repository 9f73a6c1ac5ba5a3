#!/usr/bin/env bash
# Finding: numpy.add.at with a Python number is fifty and more times slower than with the same number of the array's type.
#
# A good guess: a Python number takes the array's type, as in array[ids] += 1, so 1 and numpy.float64(1) cost the same.
# What happens: the results are equal, but only a number whose type is the array's own goes the fast way. For an array
#   of int64 the Python int happens to have that type; for int32, float32 and float64 it has not.
# Version: numpy 2.4.6.
# Output seen:
#   numpy 2.4.6
#   int32    1: 99.9 ms    numpy.int32(1): 1.1 ms
#   int64    1: 1.1 ms    numpy.int64(1): 1.1 ms
#   float32  1: 119.9 ms    numpy.float32(1): 1.7 ms
#   float64  1: 99.7 ms    numpy.float64(1): 1.2 ms
# Who is hurt: who counts with it, such as words by id in a long text.
# What to do: numpy.add.at(array, ids, array.dtype.type(1)), or numpy.bincount.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check numpy==2.4.6
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import sys
import time

import numpy as np

ids = np.random.default_rng(0).integers(0, 1000, 1_000_000)


def counted(kind, one):
    """Counts of the ids, and the fewest milliseconds of three turns."""
    times = []
    for _ in range(3):
        array = np.zeros(1000, kind)
        start = time.perf_counter()
        np.add.at(array, ids, one)
        times.append(1000 * (time.perf_counter() - start))
    return array, min(times)


print(f"numpy {np.__version__}")
ratios = {}
for kind in (np.int32, np.int64, np.float32, np.float64):
    (slow, of_slow), (fast, of_fast) = counted(kind, 1), counted(kind, kind(1))
    name = kind.__name__
    print(f"{name:8} 1: {of_slow:.1f} ms    numpy.{name}(1): {of_fast:.1f} ms")
    if not np.array_equal(slow, fast):
        sys.exit("changed: the results differ")
    ratios[name] = of_slow / of_fast
if any(ratios[name] < 4 for name in ("int32", "float32", "float64")):
    sys.exit("changed: a Python number is nearly as fast")
PYTHON
