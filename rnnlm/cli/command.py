"""What all commands share: one line for an error, exit codes, signals, bars for files."""

import os
import signal
import sys
import threading
from contextlib import contextmanager

from rnnlm.cli import slowdowns
from rnnlm.cli.screen import is_terminal, note, silence
from rnnlm.compute.threads import available_cores
from rnnlm.errors import RnnlmError, one_line
from rnnlm.files.cache import cache_folder
from rnnlm.files.whole import reason

LONGEST_NAME = 25  # characters of a file's name beside a bar
LONGEST_ERROR = 3000  # characters; a path that exists may have 4,096, and its end says more than its middle


class Stopped(BaseException):
    """A signal ends the command at once; not an Exception, so that nothing on the way catches it."""

    def __init__(self, signum):
        self.signum = signum


class StoppedBetweenSteps(Stopped):
    """A signal was seen where the command can be left with all in order."""


def run(command, parser, argv=None):
    """Parse ``argv``, run ``command(options)`` and return the exit code.

    0 done, 1 an error (one line on standard error, a traceback with --debug), 2 usage (from argparse),
    128 + signal after an interrupt.  SystemExit leaves it after --help and wrong usage.
    """
    debug = False
    try:
        options = parser.parse_args(argv)
        debug = options.debug
        with _handlers({signal.SIGINT: signal.default_int_handler, signal.SIGTERM: _stop}):
            return command(options) or 0
    except KeyboardInterrupt:
        note(f"{parser.prog}: interrupted")
        return 128 + signal.SIGINT
    except Stopped as stopped:
        note(f"{parser.prog}: stopped{'' if isinstance(stopped, StoppedBetweenSteps) else ' immediately'}")
        return 128 + stopped.signum
    except BrokenPipeError:  # the reader of our output left, as head does
        silence()
        return 1
    except Exception as error:
        if debug:
            raise
        note(f"{parser.prog}: error: {_in_one_line(error)}")
        return 1


def _in_one_line(error):
    if isinstance(error, RnnlmError | OSError):
        named = "" if getattr(error, "filename", None) is None else f"{error.filename}: "
        return _bounded(one_line(str(error) if isinstance(error, RnnlmError) else named + reason(error)))
    if isinstance(error, MemoryError):
        what = f" ({one_line(str(error))})" if str(error) else ""
        return f"not enough memory{what}: choose smaller sizes"
    text = " ".join(str(error).split())
    return f"unexpected {type(error).__name__}: {text} (--debug shows where; please report it)"


def _bounded(line):
    if len(line) <= LONGEST_ERROR:
        return line
    return f"{line[:LONGEST_ERROR // 2]} ... {line[-LONGEST_ERROR // 2:]}"


def _stop(signum, _frame):
    raise Stopped(signum)


@contextmanager
def _handlers(handlers):
    """A block with these signal handlers (none outside the main thread); those from before come back afterwards."""
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


def threads_of(options):
    """How many threads to compute on: as many as asked for, or as there are cores. What will slow them down is said."""
    threads = options.threads or available_cores()
    for line in slowdowns.at_start(threads):
        note(f"note: {line}")
    return threads


def file_bar(verb):
    """A function (name, size) that opens a bar for a file and returns the callback that moves it by so many bytes."""

    def open_bar(name, size):
        bar = _bar(f"{verb} {name}", size)

        def on_bytes(count):
            bar.update(count)
            if bar.n >= size:
                bar.close()

        return on_bytes

    return open_bar


@contextmanager
def scoring_bar(path, tokens):
    """A block with a bar for a text that is scored; yields what moves it by so many tokens."""
    if not is_terminal(sys.stderr):  # then tqdm need not even be imported
        yield lambda _: None
        return
    name = os.path.basename(path)
    with _bar(f"scoring {name if len(name) <= LONGEST_NAME else name[:LONGEST_NAME] + '...'}", tokens) as bar:
        yield bar.update


def _bar(description, total):
    from tqdm import tqdm

    return tqdm(total=total, desc=one_line(description), disable=not is_terminal(sys.stderr), leave=False,
                dynamic_ncols=True, bar_format="{desc}: {percentage:3.0f}%|{bar}| {remaining} left")


def encoding_bar(name, size):
    """The bar for a long text, after a line that says what happens to it."""
    note(f"note: {name} is long and is encoded into {cache_folder() / 'encoded'}; later runs read it from there")
    return file_bar("encoding")(name, size)


class StopRequest:
    """Whether a signal asked to stop: ``signum`` is None or the signal's number."""

    signum = None

    def check(self, *_):
        """To be called between two steps of the work: raises StoppedBetweenSteps once a signal has come."""
        if self.signum is not None:
            raise StoppedBetweenSteps(self.signum)


@contextmanager
def stop_on_signal(message):
    """A block in which the first SIGINT, SIGTERM or SIGHUP is only noted, with ``message``; the second one ends it.

    Yields a StopRequest to poll.  The handlers are those from before afterwards.
    """
    request = StopRequest()

    def handle(signum, _frame):
        if request.signum is not None:
            if signum == getattr(signal, "SIGHUP", None):  # a shell and the system both send it when a terminal closes
                return
            raise Stopped(signum)
        request.signum = signum
        note("")  # the bar keeps its line
        note(f"{message}; press Ctrl-C again to quit immediately")

    hang_up = {signal.SIGHUP: handle} if hasattr(signal, "SIGHUP") else {}  # the terminal was closed
    with _handlers({signal.SIGINT: handle, signal.SIGTERM: handle, **hang_up}):
        yield request
