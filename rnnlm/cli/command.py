"""What all commands share: one line for an error, exit codes, signals, notes on standard error."""

import os
import signal
import sys
from contextlib import contextmanager

from rnnlm.errors import RnnlmError


def run(command, parser, argv=None):
    """Parse ``argv``, run ``command(options)`` and return the exit code.

    0 done, 1 an error the user can mend (one line on standard error, a traceback with --debug),
    2 usage (from argparse), 128 + signal after an interrupt.
    """
    options = parser.parse_args(argv)
    try:
        return command(options) or 0
    except RnnlmError as error:
        if options.debug:
            raise
        note(f"{parser.prog}: error: {error}")
        return 1
    except KeyboardInterrupt:
        note(f"{parser.prog}: interrupted")
        return 128 + signal.SIGINT
    except BrokenPipeError:  # the reader of our output left, as head does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


def add_debug(parser):
    """The option every command has."""
    parser.add_argument("--debug", action="store_true", help="show the traceback of an error")


def note(line):
    """One line for the person at the screen, on standard error."""
    print(line, file=sys.stderr, flush=True)


class StopRequest:
    """Whether a signal asked to stop: ``signum`` is None or the signal's number."""

    signum = None

    def __call__(self):
        return self.signum is not None


@contextmanager
def stop_on_signal(message):
    """A block in which the first SIGINT or SIGTERM is only noted, with ``message``; the second one interrupts.

    Yields a StopRequest to poll.  The handlers are those from before afterwards.
    """
    request = StopRequest()

    def handle(signum, _frame):
        if request():
            raise KeyboardInterrupt
        request.signum = signum
        note(f"\n{message}")

    before = {signum: signal.signal(signum, handle) for signum in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield request
    finally:
        for signum, handler in before.items():
            signal.signal(signum, handler)
