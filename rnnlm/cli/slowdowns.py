"""Notes about what slows a run down and its user can change: cores, memory, builds."""

import os
import sys
from pathlib import Path

from rnnlm.cli.screen import note
from rnnlm.compute.load import Load, slow_down
from rnnlm.compute.processes import processes
from rnnlm.errors import counted

LOOK_EVERY = 5.0     # seconds
SWAPPED_PAGES = 500  # read back from disk between two looks, some 2 MB; less is a hiccup
SWAPPED_MB = 10      # of this process on disk; without them the pages that were read are those of a mapped text


def threads_of(options):
    """How many threads to compute on: as asked for, or one for each core.

    What will slow them down is noted.
    """
    threads = options.threads or processes().cores()
    note_slowdowns(threads)
    return threads


def note_slowdowns(threads):
    """Note all that will slow down a computation on so many threads."""
    for line in at_start(threads):
        note(f"note: {line}")


def at_start(threads):
    """What can be seen before a run begins, a line each."""
    cores = processes().cores()
    if threads > cores:
        yield (f"--threads {threads} is more than the {counted(cores, 'core')} available: threads that wait for a core "
               f"hold up the others; give --threads {cores}")
    if hasattr(sys, "gettotalrefcount"):
        yield "this is a debug build of Python, several times slower than a release"
    if not _has_fast_blas():
        yield ("NumPy has no BLAS library that is known to be fast, so matrix products take many times longer: "
               "install one with pip install --force-reinstall numpy")


def _has_fast_blas():
    from threadpoolctl import threadpool_info

    # Apple's Accelerate is fast, but threadpoolctl does not know it.
    return sys.platform == "darwin" or any(library["user_api"] == "blas" for library in threadpool_info())


class Watch:
    """To be asked during a run: ``lines()`` yields what is new since the last time."""

    def __init__(self, threads):
        self.threads = threads
        self.said = set()
        self.load, self.faults = Load(), _faults()

    def lines(self):
        """What is new, a line each and each once; at most every few seconds.

        Looking costs a little.
        """
        if self.load.seconds < LOOK_EVERY:
            return
        others, cores = self.load.others(), os.cpu_count()
        before, self.faults = self.faults, _faults()
        if "cores" not in self.said and slow_down(others, self.threads):
            self.said.add("cores")
            fewer = max(1, round(cores - others))
            what = "a core" if self.threads - fewer == 1 else "cores"
            advice = f", or leave them {what} with --threads {fewer}" if fewer < self.threads else ""
            yield (f"other programs keep {others:.1f} of {counted(cores, 'core')} busy and slow this run down: "
                   f"stop them{advice}")
        if "memory" not in self.said and self.faults - before > SWAPPED_PAGES and _swapped_mb() > SWAPPED_MB:
            self.said.add("memory")
            yield ("memory is short and parts of this run are read back from disk: stop other programs, or choose a "
                   "smaller --batch-size, --time-size, --hidden-size or --max-vocab")


def _faults():
    """Pages of this process that had to be read from disk."""
    try:
        import resource
    except ImportError:  # Windows
        return 0
    return resource.getrusage(resource.RUSAGE_SELF).ru_majflt


def _swapped_mb():
    """How much of this process's memory is on disk, in MB; inf if it is not known."""
    try:
        status = Path("/proc/self/status").read_text(encoding="utf-8")
        return int(status.split("VmSwap:")[1].split()[0]) / 1024
    except (OSError, ValueError, IndexError):
        return float("inf")
