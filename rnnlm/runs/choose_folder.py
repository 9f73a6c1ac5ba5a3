"""Which folder a run works in: that of --output, or one under runs/; it is locked."""

import itertools
import os
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from rnnlm.errors import RnnlmError, quoted
from rnnlm.files.lock import held, sweep
from rnnlm.files.whole import reason, remedy
from rnnlm.runs.newest import is_of_seeds, newest_run
from rnnlm.runs.run_folder import NAMES, RunFolder
from rnnlm.text.corpora import corpus_name, named

RUNS = Path("runs")
LONGEST_NAME = 240  # bytes of a folder's name: file systems take 255, and a number may follow


@contextmanager
def run_folder(options, given_corpora, observer):
    """A block with the RunFolder that --output names, or one under runs/.

    It is locked, and known to be writable.  If the block ends before the run has begun,
    the folders that were made are removed.

    Parameters
    ----------
    options : the run's options.
    given_corpora : what the corpus that the user named may be called in a checkpoint,
        the likelier first; [] where the user named none.
    observer : the Observer to tell which folder was chosen, where that is not plain.

    Raises
    ------
    RnnlmError : the folder cannot be the run's.
    """
    with prepared_folder(options, given_corpora, observer, _swept) as folder:
        if is_of_seeds(folder.path):
            raise RnnlmError(f"{folder.path} holds the runs of several seeds, beside which no other run goes: choose "
                             "another --output")
        if options.output and not (options.overwrite or options.resume) and (
                holds_a_run(folder.path) or folder.kept.holds_models()):
            raise RnnlmError(f"{folder.path} already holds a run: choose another --output, continue it with "
                             "--resume, or replace it with --overwrite")
        yield folder


def _swept(held_folder, observer):
    """The RunFolder without what killed processes left half-written."""
    folder = RunFolder(held_folder, observer)
    sweep(held_folder, NAMES)
    folder.kept.sweep()
    return folder


@contextmanager
def prepared_folder(options, given_corpora, observer, kind):
    """A block with a folder that is locked; see ``run_folder``.

    kind : function of its HeldFolder and the observer that returns what the block gets;
        ``is_unused()`` of that: whether the folders that were made are to be removed.
    """
    _check_flags(options)
    try:
        path, made = _prepared(options, given_corpora, observer)
    except OSError as error:
        raise _not_prepared(options.output or RUNS, error) from error
    folder = None
    try:
        with ExitStack() as stack:
            try:
                folder = kind(stack.enter_context(held(path)), observer)
            except OSError as error:
                raise _not_prepared(path, error) from error
            yield folder
    finally:
        if folder is None or folder.is_unused():
            _remove(made)


def _not_prepared(path, error):
    return RnnlmError(f"the output folder {path} could not be prepared: {reason(error)}; {remedy(error)}")


def _check_flags(options):
    if options.overwrite and options.resume:
        raise RnnlmError("--resume continues a run and --overwrite replaces it: give only one of them")
    output = Path(options.output or RUNS)
    for path in (output, *output.parents):
        if os.path.islink(path) and not os.path.exists(path):
            raise RnnlmError(f"{path} is a symbolic link to {os.readlink(path)}, which does not exist: create that "
                             "folder, or choose another --output")
        if os.path.exists(path) and not os.path.isdir(path):
            raise RnnlmError(f"--output must be a folder, {path} is a file: choose another name")


def holds_a_run(path):
    """Whether a run left anything in this folder."""
    return any((path / name).exists() for name in NAMES)


def _prepared(options, given_corpora, observer):
    """The folder of --output, or one under runs/; and the folders made for it."""
    if options.output:
        return _made(Path(options.output))
    name = _folder_name(options.corpus)
    if options.overwrite:
        return _made(RUNS / name)
    if not options.resume:
        return _claimed(name, observer)
    for corpus in given_corpora or [None]:
        if path := newest_run(RUNS, corpus):
            observer.on_note(f"resuming the newest run{f' on {named(corpus)}' if corpus else ''} in {RUNS}: {path}")
            return path, []
    if not given_corpora:
        raise RnnlmError(f"there is no run in {RUNS} to resume: give its folder with --output, or start a run without "
                         "--resume")
    if other := newest_run(RUNS):
        observer.on_note(f"there is no run on {named(options.corpus)} in {RUNS}; to resume the newest run on another "
                         f"corpus, give --output {quoted(other)}")
    return _made(next(path for path in _numbered(name) if not holds_a_run(path)))


def _folder_name(corpus):
    """What a run on this corpus is called under runs/: as the corpus.

    The name is cut where no folder's may be so long.
    """
    name = corpus_name(corpus)
    return name if len(os.fsencode(name)) <= LONGEST_NAME else name[:LONGEST_NAME // 4]


def _numbered(name):
    """Paths under runs/ for a run of this name: NAME, NAME-2, NAME-3, ..."""
    return (RUNS / (name if number == 1 else f"{name}-{number}") for number in itertools.count(1))


def _claimed(name, observer):
    """Make the first numbered folder that does not exist.

    To make it is to claim it: two runs never share one.
    """
    for path in _numbered(name):
        with suppress(FileExistsError):
            made = _made(path, exist_ok=False)
            if path.name != name:
                observer.on_note(f"{RUNS / name} already exists, so this run goes to {path} (--overwrite "
                                 "replaces it, --resume continues it)")
            return made


def _made(path, exist_ok=True):
    """Make a folder.

    Returns its path, and those folders that did not exist, the innermost first.
    """
    missing = [folder for folder in (path, *path.parents) if not folder.exists()]
    path.mkdir(parents=True, exist_ok=exist_ok)
    return path, missing


def _remove(made):
    """Remove the folders that were made for a run that did not begin."""
    with suppress(OSError):  # somebody else put something there
        for folder in made:
            folder.rmdir()
