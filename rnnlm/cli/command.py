"""What all commands share: one line for an error, exit codes."""

import signal

from rnnlm.cli.screen import let_go, note, silence
from rnnlm.cli.signals import Stopped, StoppedBetweenSteps, stop
from rnnlm.errors import RnnlmError, one_line
from rnnlm.files.whole import reason
from rnnlm.runs.stopping import signal_handlers

LONGEST_ERROR = 3000  # characters; a path that exists may have 4,096, and its end says more than its middle


def run(command, parser, argv=None):
    """Parse ``argv``, run ``command(options)`` and return the exit code.

    0 done, 1 an error (one line on standard error, a traceback with --debug), 2 wrong
    usage, 128 + signal after an interrupt.  SystemExit leaves it after --help and wrong
    usage.
    """
    debug = False
    try:
        options = parser.parse_args(argv)
        debug = options.debug
        with signal_handlers({signal.SIGINT: signal.default_int_handler, signal.SIGTERM: stop}):
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
    finally:
        let_go()


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
