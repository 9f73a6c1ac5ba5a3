"""What a launcher of several processes, such as mpiexec, tells each of them.

This file loads next to nothing: commands ask it before anything else.
"""

import io
import os
import sys
import time

LAUNCHERS = (  # where they leave the number of a process, and how many there are
    ("PMI_RANK", "PMI_SIZE"),  # MPICH, Intel MPI, Slurm
    ("OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE"),  # Open MPI
    ("MV2_COMM_WORLD_RANK", "MV2_COMM_WORLD_SIZE"),  # MVAPICH
    ("PMIX_RANK", "SLURM_STEP_NUM_TASKS"),
)
ON_HOST = ("MPI_LOCALNRANKS", "OMPI_COMM_WORLD_LOCAL_SIZE", "MV2_COMM_WORLD_LOCAL_SIZE")  # how many are on this one
FIRST_SPEAKS = 1.0  # seconds that the others wait before they say what ended them


def launched() -> tuple[int, int]:
    """The number of this process, from 0, and how many there are; (0, 1) if alone."""
    for rank, size in LAUNCHERS:
        numbers = os.environ.get(rank, ""), os.environ.get(size, "")
        if all(number.isdecimal() for number in numbers) and int(numbers[1]) > 1:
            return int(numbers[0]), int(numbers[1])
    return 0, 1


def on_one_host() -> bool:
    """Whether the launcher says that all processes are on this host."""
    return str(launched()[1]) in map(os.environ.get, ON_HOST)


class HeldBack(io.StringIO):
    """What a process but the first says: it is shown where it tells why all end."""

    def wait(self) -> None:
        """Let the first process speak, where both end before MPI has begun.

        Open MPI ends all processes when one of them ends with an error.
        """
        if self.getvalue() and "mpi4py.MPI" not in sys.modules:
            time.sleep(FIRST_SPEAKS)

    def show(self, rank: int) -> None:
        """Write it on the real standard error, with the number of the process."""
        if sys.__stderr__ is not None:
            sys.__stderr__.writelines(f"process {rank}: {line}\n" for line in self.getvalue().splitlines())
            sys.__stderr__.flush()
