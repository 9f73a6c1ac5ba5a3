"""Stopping a run between two of its steps, where a checkpoint loses nothing."""

import signal
import threading
from contextlib import contextmanager

from rnnlm.compute.one_process import STOP


class Stop(BaseException):
    """Raised by a run's ``check`` between two steps: it saves a checkpoint and ends.

    Not an Exception, so that no code on the way takes it for an error.
    """


class Interrupted(KeyboardInterrupt, Stop):
    """A KeyboardInterrupt that waited for the end of a step."""


def agreed_check(check, processes):
    """The check of several processes: all raise Stop after the same step.

    check : the check of this one, called with any arguments.
    """

    def agreed(*_):
        stop = None
        try:
            check()
        except Stop as own:
            stop = own
        if processes.agreed(STOP, stop is not None):
            raise stop or Stop

    return agreed


@contextmanager
def signal_handlers(handlers):
    """A block with these signal handlers; those from before come back afterwards.

    Outside the main thread there are none.
    """
    if threading.current_thread() is not threading.main_thread():
        handlers = {}
    before = {}
    for signum, handler in handlers.items():  # an ignored signal stays so, as after nohup or &
        if signal.getsignal(signum) not in (signal.SIG_IGN, None):
            before[signum] = signal.signal(signum, handler)
    try:
        yield
    finally:
        for signum, handler in before.items():
            signal.signal(signum, handler)


@contextmanager
def holding_interrupts():
    """A block in which the first Ctrl-C waits for a step to end; a second does not.

    Yields a function to call between two steps, with any arguments.  It raises
    Interrupted when a Ctrl-C has come.  One that came after the last such call is a
    KeyboardInterrupt when the block ends, so that a loop around it ends, too.  Where
    Ctrl-C has another handler, that stays.
    """
    interrupts = []

    def handle(*_):
        interrupts.append(True)
        if len(interrupts) > 1:
            raise KeyboardInterrupt

    def check(*_):
        if interrupts:
            raise Interrupted

    usual = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    with signal_handlers({signal.SIGINT: handle} if usual else {}):
        yield check
    if interrupts:
        raise KeyboardInterrupt
