"""What a command does first: it opens the standard streams, Ctrl-C becomes one line.

This file loads next to nothing, so that little happens before it.  Importing the
library does none of it.
"""

import os
import sys

# Not ``signal``: that loads ``enum``, which takes longer than all that comes before,
# and a Ctrl-C in it is a traceback.
from _signal import SIGINT, default_int_handler, getsignal, signal

STREAMS = (("stdin", "r"), ("stdout", "w"), ("stderr", "w"))  # in the order of their descriptors: 0, 1, 2


def start(prog):
    """Prepare this process for the command ``prog``; this lasts until it ends."""
    leave_on_interrupt(prog)
    open_streams()
    sys.excepthook = show_traceback
    let_the_first_process_speak()


def let_the_first_process_speak():
    """Silence the others, where a launcher has started several."""
    import atexit  # not before Ctrl-C is one line

    from rnnlm.compute.launcher import HeldBack, launched

    if launched()[0] > 0:
        sys.stdout, sys.stderr = open(os.devnull, "w", encoding="utf-8"), HeldBack()  # noqa: SIM115
        atexit.register(sys.stderr.wait)


def leave_on_interrupt(prog):
    """Let Ctrl-C end the process with one line and exit code 130.

    It is for the time when nothing needs to be put in order: while modules are loaded,
    where some would swallow a KeyboardInterrupt and others show a traceback.  A command
    that works on something replaces this handler.  An ignored Ctrl-C stays ignored.
    """

    def leave(_signum, _frame):
        try:
            os.write(2, f"{prog}: interrupted\n".encode("ascii", "backslashreplace"))
        finally:  # whether anybody can read it or not
            os._exit(128 + SIGINT)

    if getsignal(SIGINT) is default_int_handler:
        try:  # noqa: SIM105 -- contextlib would have to be loaded first
            signal(SIGINT, leave)
        except ValueError:  # not the main thread
            pass


def open_streams():
    """Replace standard streams that are closed, as after ``2>&-``, by the null device.

    Otherwise the next file that is opened gets the free descriptor, and messages are
    written into it.
    """
    for descriptor, (name, mode) in enumerate(STREAMS):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest free number, which is this one
        if getattr(sys, name) is None:
            nowhere = open(os.devnull, mode, encoding="utf-8", errors="backslashreplace")  # noqa: SIM115
            setattr(sys, name, nowhere)


def show_traceback(*error):
    """Show a traceback, for --debug, without what moves a terminal's cursor.

    The message may name a file with such characters.
    """
    from traceback import format_exception

    from rnnlm.cli.screen import note

    for line in "".join(format_exception(*error)).rstrip("\n").split("\n"):
        note(line)
