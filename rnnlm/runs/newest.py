"""The runs in a folder of runs: the newest, of all or of one corpus."""

import os
from contextlib import suppress

from rnnlm.errors import RnnlmError
from rnnlm.formats.checkpoint import read_checkpoint_header
from rnnlm.formats.seed_names import SEEDS, seed_folders
from rnnlm.runs.checkpoint_files import CHECKPOINTS
from rnnlm.runs.configuration import CONFIG, read_config
from rnnlm.text.corpora import known_corpora


def newest_run(folder, corpus=None, such=lambda path: True):
    """The path of the run in ``folder`` that was saved last, None if there is none.

    It may be a folder with the runs of several seeds.

    Parameters
    ----------
    corpus : only runs on this corpus, a known name or a path, as checkpoints have it;
        None: any.
    such : function of a path: whether the run counts.
    """
    saved = {path: max(map(_saved_at, (path, *seed_folders(path)))) for path in _inside(folder) if such(path)}
    runs = sorted(filter(saved.get, saved), key=lambda path: (saved[path], path.name), reverse=True)
    return next((path for path in runs if corpus is None or _is_on(corpus, path)), None)


def is_of_seeds(path):
    """Whether a folder holds the runs of several seeds (``--seeds``)."""
    if (path / SEEDS).is_file():
        return True
    with suppress(RnnlmError):
        return "seeds" in read_config(path / CONFIG).values
    return False


def _inside(folder):
    with suppress(FileNotFoundError):
        return list(folder.iterdir())
    return []


def _saved_at(path):
    """When the newest checkpoint was saved, in nanoseconds.

    Without a checkpoint the time is that of config.toml; 0: it is not a run.
    """
    for names in (CHECKPOINTS, [CONFIG]):
        times = [0]
        for name in names:
            with suppress(OSError):
                times.append((path / name).stat().st_mtime_ns)
        if max(times):
            return max(times)
    return 0


def _is_on(corpus, path):
    """Whether the run in this folder reads this corpus."""
    read = _corpus_of(path)
    if isinstance(corpus, list):
        return isinstance(read, list) and len(read) == len(corpus) and all(map(_is_same, corpus, read))
    return _is_same(corpus, read)


def _is_same(corpus, read):
    """Whether a name of a corpus and what a run read are the same."""
    if corpus in known_corpora():
        return read == corpus
    return isinstance(read, str) and os.path.isabs(read) and "\0" not in read and (
        os.path.realpath(read) == os.path.realpath(corpus))


def _corpus_of(path):
    """The corpus of the run in this folder, None where it cannot be told."""
    for name in CHECKPOINTS:
        with suppress(RnnlmError, AttributeError):  # it is not there, is damaged, or has options of another form
            return read_checkpoint_header(path / name)["run"].get("options").get("corpus")
    with suppress(RnnlmError):
        return read_config(path / CONFIG).values.get("corpus")
    return None
