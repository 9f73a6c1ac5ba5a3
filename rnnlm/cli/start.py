"""What a command does first as a process: it opens the standard streams and makes Ctrl-C one line.

This file loads next to nothing, so that little happens before it.  Importing the library does none of it.
"""

import os
import signal
import sys
from contextlib import suppress

STREAMS = (("stdin", "r"), ("stdout", "w"), ("stderr", "w"))  # in the order of their descriptors: 0, 1, 2


def start(prog):
    """Make this process ready for the command called ``prog``; what stays so until the process ends."""
    open_streams()
    leave_on_interrupt(prog)
    sys.excepthook = show_traceback


def open_streams():
    """Put the null device in the place of every standard stream that is closed, as after ``2>&-``.

    Otherwise the next file that is opened gets the free descriptor, and messages are written into it.
    """
    for descriptor, (name, mode) in enumerate(STREAMS):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest free number, which is this one
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8", errors="backslashreplace"))  # noqa: SIM115


def leave_on_interrupt(prog):
    """Let Ctrl-C end the process with one line and exit code 130, where nothing needs to be put in order.

    That is while modules are loaded: a KeyboardInterrupt there is swallowed by some and shown with a traceback
    by others.  A command that works on something replaces this handler.  An ignored Ctrl-C stays ignored.
    """

    def leave(_signum, _frame):
        with suppress(OSError):
            os.write(2, f"{prog}: interrupted\n".encode("ascii", "backslashreplace"))
        os._exit(128 + signal.SIGINT)

    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        with suppress(ValueError):  # not the main thread
            signal.signal(signal.SIGINT, leave)


def show_traceback(*error):
    """A traceback, as --debug wants it, without what moves a terminal's cursor: the message may name a strange file."""
    from traceback import format_exception

    from rnnlm.cli.screen import note

    for line in "".join(format_exception(*error)).rstrip("\n").split("\n"):
        note(line)
