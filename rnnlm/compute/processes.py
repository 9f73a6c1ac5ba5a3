"""Processes: several of them train one model, or score one text, through MPI.

``mpiexec -n 4 rnnlm train ...`` starts four processes that run the same program.  Each
calls the methods of its Processes at the same points; the first one writes and prints.
One process alone has a Processes, too, in which all of this costs nothing.

This is the only file that names mpi4py, which is loaded when a launcher has started
several processes.
"""

from __future__ import annotations

from functools import cache

from rnnlm.compute.launcher import launched, on_one_host
from rnnlm.compute.leaving import end_before_mpi
from rnnlm.compute.mpi_processes import MPIProcesses
from rnnlm.compute.one_process import ALONE, Processes
from rnnlm.errors import RnnlmError, one_line


@cache
def processes() -> Processes:
    """The Processes that this one was started with.

    RnnlmError if there are several, but mpi4py or its library is not installed, or
    another library than the launcher's.
    """
    rank, size = launched()
    if size == 1:
        return ALONE
    try:
        return _by_mpi(size)
    except RnnlmError as error:
        if not on_one_host():  # on another one all may be well
            end_before_mpi(rank, str(error))
        raise


def _by_mpi(size):
    try:
        from mpi4py import MPI
    except (ImportError, RuntimeError) as error:
        raise RnnlmError(f"the launcher started {size} processes, which need mpi4py and an MPI library "
                         f"({one_line(str(error))}): pip install 'numpy-rnnlm[mpi]'") from None
    return MPIProcesses(MPI, size)
