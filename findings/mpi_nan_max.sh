#!/usr/bin/env bash
# Finding: after Allreduce with MAX the ranks can disagree on whether there was a NaN.
#
# A good guess: NaN wins, as in np.maximum, or NaN is ignored, as in np.fmax. Either way all ranks get one result.
# What happens: the result depends on which rank had the NaN, and on the number of values.
#   With one value, one rank receives the NaN and the other receives a number.
#   With four values both agree, but the NaN of rank 0 is lost and that of rank 1 is kept.
#   The lower-case allreduce agrees on all ranks, but keeps the NaN of rank 0 and loses that of rank 1.
# Version: mpi4py 4.1.2 with mpich 5.0.2. MIN behaves in the same way.
# Output seen (what rank 0 and rank 1 receive):
#   mpi4py 4.1.2
#   Allreduce MAX of 1 value,  NaN on rank 0: [1.0, nan]
#   Allreduce MAX of 1 value,  NaN on rank 1: [nan, 0.0]
#   Allreduce MAX of 4 values, NaN on rank 0: [1.0, 1.0]
#   Allreduce MAX of 4 values, NaN on rank 1: [nan, nan]
#   allreduce MAX,             NaN on rank 0: [nan, nan]
#   allreduce MAX,             NaN on rank 1: [0.0, 0.0]
# Who is hurt: training that reduces a loss or a gradient norm with MAX and then stops, skips or rescales on NaN.
#   One rank leaves the loop and the others wait for it in the next collective.
# What to do: reduce a flag, not the value: SUM or LOR of "my value is not finite".
#   SUM carries a NaN from every rank to every rank.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check mpi4py==4.1.2 mpich==5.0.2 numpy==2.4.6
cd "$folder"
cat > ranks.py <<'PYTHON'
import math
import sys

import mpi4py
import numpy as np
from mpi4py import MPI

comm = MPI.COMM_WORLD


def value(bad):
    return math.nan if comm.rank == bad else float(comm.rank)


def buffered(count, bad, op=MPI.MAX):
    total = np.empty(count)
    comm.Allreduce(np.full(count, value(bad)), total, op=op)
    return comm.allgather(float(total[0]))


single = [buffered(1, bad) for bad in (0, 1)]
several = [buffered(4, bad) for bad in (0, 1)]
pickled = [comm.allgather(comm.allreduce(value(bad), op=MPI.MAX)) for bad in (0, 1)]
summed = [buffered(1, bad, MPI.SUM) for bad in (0, 1)]

if comm.rank == 0:
    print("mpi4py", mpi4py.__version__)
    for label, results in (
        ("Allreduce MAX of 1 value, ", single),
        ("Allreduce MAX of 4 values,", several),
        ("allreduce MAX,            ", pickled),
    ):
        for bad in (0, 1):
            print(label, f"NaN on rank {bad}:", results[bad])
    disagree = [math.isnan(a) != math.isnan(b) for a, b in single]
    seen = [all(map(math.isnan, result)) for result in several]
    if disagree != [True, True]:
        sys.exit("changed: the ranks agree on one value")
    if seen != [False, True]:
        sys.exit("changed: the place of the NaN no longer matters for several values")
    if [math.isnan(a) for a, _ in pickled] != [True, False]:
        sys.exit("changed: the place of the NaN no longer matters for allreduce")
    if not all(math.isnan(x) for result in summed for x in result):
        sys.exit("changed: SUM loses a NaN, so the remedy is wrong")
PYTHON
"$folder/venv/bin/mpiexec" -n 2 "$folder/venv/bin/python" -m mpi4py ranks.py
