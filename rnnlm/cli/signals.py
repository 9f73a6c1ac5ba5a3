"""Signals: a command ends at once, or between two steps of its work."""

import signal
from contextlib import contextmanager

from rnnlm.cli.screen import note
from rnnlm.errors import DivergenceError
from rnnlm.runs.stopping import Stop, signal_handlers


class Stopped(BaseException):
    """A signal ends the command at once.

    Not an Exception, so that no code on the way catches it.
    """

    def __init__(self, signum):
        self.signum = signum


class StoppedBetweenSteps(Stopped, Stop):
    """A signal was seen where the command can be left with all in order."""


def stop(signum, _frame):
    """The handler of a signal that ends the command at once."""
    raise Stopped(signum)


@contextmanager
def stop_on_signal(message):
    """A block in which the first signal is only noted, with ``message``.

    The signals are SIGINT, SIGTERM and SIGHUP; the second one ends the block.  Yields a
    function to call between two steps of the work, with any arguments: it raises
    StoppedBetweenSteps once a signal has come.  Afterwards the handlers are those from
    before.
    """
    signums = []

    def handle(signum, _frame):
        if signums:
            if signum == getattr(signal, "SIGHUP", None):  # a shell and the system both send it when a terminal closes
                return
            raise Stopped(signum)
        signums.append(signum)
        note("")  # the bar keeps its line
        note(f"{message}; press Ctrl-C again to quit immediately")

    def check(*_):
        if signums:
            raise StoppedBetweenSteps(signums[0])

    hang_up = {signal.SIGHUP: handle} if hasattr(signal, "SIGHUP") else {}  # the terminal was closed
    with signal_handlers({signal.SIGINT: handle, signal.SIGTERM: handle, **hang_up}):
        yield check


@contextmanager
def computing_until_signal(message):
    """``stop_on_signal`` around work whose result nobody waits for after a signal.

    So one that comes after the last check counts, too, and a divergence that is found
    after it is no news.
    """
    with stop_on_signal(message) as check:
        try:
            yield check
        except DivergenceError:
            check()
            raise
        check()
