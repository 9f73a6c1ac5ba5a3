#!/usr/bin/env bash
# Finding: MPI collectives on NumPy arrays pair values by memory order, not by index.
#
# A good guess: Allreduce of two arrays of the same shape and dtype adds them element by element,
#   or refuses when their layouts differ, as it refuses a strided array.
# What happens: a C-ordered and a Fortran-ordered array are added in memory order.
#   The sum is wrong on every rank, and nothing is reported. Bcast scrambles in the same way.
# Version: mpi4py 4.1.2 with mpich 5.0.2, NumPy 2.4.6.
# Output seen:
#   mpi4py 4.1.2
#   Allreduce of [[0, 1, 2], [3, 4, 5]] on both ranks: [[0, 4, 3], [7, 6, 10]]
#   Bcast of      [[0, 1, 2], [3, 4, 5]] to rank 1:     [[0, 2, 4], [1, 3, 5]]
#   np.zeros_like(W.T) and np.load of a saved W.T are Fortran-ordered: True True
# Who is hurt: data-parallel training in which one rank loads its arrays from a file and the others make them,
#   or in which a buffer comes from zeros_like(W.T).
# What to do: reduce one flat buffer that you allocate yourself, or check flags.c_contiguous before each call.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check mpi4py==4.1.2 mpich==5.0.2 numpy==2.4.6
cd "$folder"
cat > ranks.py <<'PYTHON'
import sys

import mpi4py
import numpy as np
from mpi4py import MPI

comm = MPI.COMM_WORLD
first = np.arange(6, dtype=np.float32).reshape(2, 3)
mine = first if comm.rank == 0 else np.asfortranarray(first)

total = np.empty((2, 3), np.float32)
comm.Allreduce(mine, total)

received = first if comm.rank == 0 else np.zeros((3, 2), np.float32).T
comm.Bcast(received, root=0)

if comm.rank == 1:
    np.save("saved.npy", first.T)
    likely = np.zeros_like(first.T).flags.c_contiguous, np.load("saved.npy").flags.c_contiguous
    print("mpi4py", mpi4py.__version__)
    print("Allreduce of [[0, 1, 2], [3, 4, 5]] on both ranks:", total.astype(int).tolist())
    print("Bcast of      [[0, 1, 2], [3, 4, 5]] to rank 1:    ", received.astype(int).tolist())
    print("np.zeros_like(W.T) and np.load of a saved W.T are Fortran-ordered:", *(not c for c in likely))
    if np.array_equal(total, 2 * first):
        sys.exit("changed: Allreduce now adds by index")
    if np.array_equal(received, first):
        sys.exit("changed: Bcast now copies by index")
    if any(likely):
        sys.exit("changed: such arrays are C-ordered now")
PYTHON
"$folder/venv/bin/mpiexec" -n 2 "$folder/venv/bin/python" -m mpi4py ranks.py
