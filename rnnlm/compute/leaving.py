"""How a process that ends before the others ends all of them."""

from __future__ import annotations

import os
import signal
import sys
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from rnnlm.compute.launcher import FIRST_SPEAKS, HeldBack

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

FIRST_DRAWS = 5.0  # seconds that they wait where it may have the same error: a run's picture is drawn before it speaks
HEARD = 0.2  # seconds until a launcher has read what was said: MPICH's drops what it has not read when a process aborts


def ended_by_error(agreed: Any) -> bool:
    """Whether an exception that nobody has caught ends this Python.

    Parameters
    ----------
    agreed : the exceptions by which all processes end.
    """
    error = getattr(sys, "last_value", None)
    return error is not None and not isinstance(error, agreed)


def end_all(rank: int, abort: Callable[[int], object], patience: float = FIRST_SPEAKS) -> None:
    """Say what this process has to say, and end all, whoever can read it.

    Parameters
    ----------
    rank : the number of this process.  The first one speaks at once: the others may end
        for the same reason, which it says itself.
    abort : function of an exit code that ends all processes.
    patience : seconds that the others wait for the first one.
    """
    try:
        if rank:
            time.sleep(patience)
        if isinstance(sys.stderr, HeldBack):
            with suppress(OSError, ValueError):
                sys.stderr.show(rank)
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError, ValueError, AttributeError):  # a full disk, or no stream at all
                stream.flush()
        time.sleep(HEARD)
    finally:
        abort(1)


def end_before_mpi(rank: int, message: str) -> None:
    """Say why this process cannot take part, and end it by a signal.

    The others may have begun MPI and wait for this one, for ever.  A launcher ends them
    where a process is killed; MPICH's does not where one ends with an exit code.
    """
    with suppress(OSError, ValueError, AttributeError):
        sys.__stderr__.write(f"process {rank}: {message}\n")
        sys.__stderr__.flush()
    time.sleep(HEARD)
    os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))  # Windows has the second, as good as the first
