"""Which folder a run works in: the one --output names, or one under runs/; locked while the run lives."""

import os
import re
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from rnnlm.cli.run_folder import CHECKPOINTS, CONFIG, NAMES, RunFolder
from rnnlm.cli.screen import note
from rnnlm.errors import RnnlmError, one_line, quoted
from rnnlm.files import locked, reason, remedy, sweep


@contextmanager
def run_folder(options):
    """A block with the RunFolder that --output names, or one under runs/: locked and known to be writable.

    RnnlmError if it cannot be the run's.  If the block ends before the run has begun, what was made is removed.
    """
    _check_flags(options)
    try:
        path, made = _prepared(options)
    except OSError as error:
        raise _not_prepared(options.output or "runs", error) from error
    folder = RunFolder(path)
    with ExitStack() as stack:
        stack.callback(folder.remove_unless_begun, made)
        try:
            stack.enter_context(locked(path))
            sweep(path, NAMES)
        except OSError as error:
            raise _not_prepared(path, error) from error
        if options.output and not (options.overwrite or options.resume) and _holds_a_run(path):
            raise RnnlmError(f"{path} holds a run already: choose another --output, go on with it by --resume, "
                             "or replace it with --overwrite")
        yield folder


def _not_prepared(path, error):
    return RnnlmError(f"the output folder {path} could not be prepared: {reason(error)}; {remedy(error)}")


def _check_flags(options):
    if options.overwrite and options.resume:
        raise RnnlmError("--resume goes on with a run and --overwrite replaces it: give one of them")
    if options.output and Path(options.output).exists() and not Path(options.output).is_dir():
        raise RnnlmError(f"--output must be a folder, {options.output} is a file: choose another name")


def _holds_a_run(path):
    return any((path / name).exists() for name in NAMES)


def _prepared(options):
    """The folder of --output, or one under runs/ that is called like the corpus; and which folders were made for it."""
    name = Path(os.path.realpath(options.corpus)).stem  # resolve() trips over a loop of links
    if options.output or options.overwrite or options.resume:
        path = Path(options.output) if options.output else Path("runs") / name
        if options.resume and not options.output:
            path = _newest_run(path)
        return path, _make(path, exist_ok=True)
    number = 1
    while True:  # to make the folder is to claim it: two runs never share one
        path = Path("runs") / (name if number == 1 else f"{name}-{number}")
        try:
            made = _make(path, exist_ok=False)
        except FileExistsError:
            number += 1
            continue
        if number > 1:
            note(f"note: runs/{name} is taken, this run goes to {path} (--overwrite replaces it, --resume goes on)")
        return path, made


def _make(path, exist_ok):
    """Make a folder; returns those that were not there, the innermost first."""
    made = [place for place in (path, *path.parents) if not place.exists()]
    path.mkdir(parents=True, exist_ok=exist_ok)
    return made


def _newest_run(path):
    """Of the runs beside it that are called like this path, numbered or not, the one last saved; else the path."""
    pattern = re.compile(re.escape(path.name) + r"(-\d+)?")
    beside = list(path.parent.glob("*"))
    if runs := [place for place in beside if pattern.fullmatch(place.name) and _holds_a_run(place)]:
        return max(runs, key=_last_written)
    if others := [place for place in beside if os.access(place, os.X_OK) and _holds_a_run(place)]:
        other = quoted(max(others, key=_last_written))
        note(f"note: there is no run {one_line(str(path))}; to go on with the newest that is there, give --output "
             f"{other}")
    return path


def _last_written(path):
    """When a run was last saved, in seconds."""
    times = [0.0]
    for name in (*CHECKPOINTS, CONFIG):
        with suppress(OSError):
            times.append((path / name).stat().st_mtime)
    return max(times)
