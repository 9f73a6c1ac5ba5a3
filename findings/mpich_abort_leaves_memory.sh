#!/usr/bin/env bash
# Finding: each MPICH job that is aborted leaves 2 MB in /dev/shm, for good.
#
# A good guess: when a job is over its memory is free, however it ended; the launcher cleans up after an abort.
# What happens: the file of the memory in which processes exchange messages is removed in MPI_Finalize alone.
#   MPI_Abort, an uncaught exception under "python -m mpi4py", and a killed process leave it.
#   The memory of a window (Win.Allocate_shared) is not left: that file is removed as soon as all have opened it.
# Version: mpi4py 4.1.2 with mpich 5.0.2, Linux.
# Output seen:
#   mpi4py 4.1.2
#   a job that ends:        0 bytes left in /dev/shm
#   a job that is aborted:  2118784 bytes left in /dev/shm
# Who is hurt: who runs many short jobs on one machine, such as tests of what happens after errors: /dev/shm is memory,
#   in a container often 64 MB of it. When it is full, later jobs fail for no reason that they can see.
# What to do: remove the files /dev/shm/mpich_shm_* of your own user when no job runs.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check mpi4py==4.1.2 mpich==5.0.2
cd "$folder"
cat > job.py <<'PYTHON'
import sys

from mpi4py import MPI

comm = MPI.COMM_WORLD
comm.Barrier()
if sys.argv[1] == "aborted" and comm.rank == 1:
    comm.Abort(1)
comm.Barrier()
PYTHON
"$folder/venv/bin/python" -c "import mpi4py; print('mpi4py', mpi4py.__version__)"
bytes() { find /dev/shm -maxdepth 1 -name 'mpich_shm_*' -newer "$folder/job.py" -printf '%s\n' | awk '{ s += $1 } END { print s + 0 }'; }
"$folder/venv/bin/mpiexec" -n 2 "$folder/venv/bin/python" job.py ended
ended=$(bytes)
"$folder/venv/bin/mpiexec" -n 2 "$folder/venv/bin/python" job.py aborted > /dev/null 2>&1 || true
sleep 1
aborted=$(bytes)
echo "a job that ends:        $ended bytes left in /dev/shm"
echo "a job that is aborted:  $aborted bytes left in /dev/shm"
find /dev/shm -maxdepth 1 -name 'mpich_shm_*' -newer "$folder/job.py" -user "$(id -u)" -delete
[ "$ended" = 0 ] || { echo "changed: a job that ends leaves memory, too"; exit 1; }
[ "$aborted" -gt 1000000 ] || { echo "changed: an aborted job leaves no memory"; exit 1; }
