"""Where a corpus is: a folder, a file, or a known name, a corpus.json in ``datasets/``.

What exists on disk overrides a known name of the same spelling.  Texts of a known
corpus that are not next to its corpus.json are fetched into the cache.
"""

import json
import os
import re
from contextlib import suppress
from pathlib import Path

from rnnlm.errors import RnnlmError, did_you_mean, shown
from rnnlm.files.cache import cache_folder
from rnnlm.files.whole import is_denied, reason
from rnnlm.text.sources import STANDARD_INPUT

SPLITS = ("train", "valid", "test")
KINDS = ("txt", "tokens", "raw")   # of the names of texts
PACKED = ("gz", "bz2", "xz", "zst")  # endings that may follow these
LARGEST_ABOUT = 1 << 20            # bytes of a corpus.json
LARGEST_PERPLEXITY = 1e12          # of the best possible ones: no vocabulary is larger


class NoCorpusError(RnnlmError):
    """There is nothing where a corpus should be."""


def resolve(spec):
    """Find a corpus by its path or known name.

    Returns its path, the content of its corpus.json ({} where there is none), and a
    list of notes, a line each.
    """
    name = _spelt(spec)
    known, path = known_corpora(), Path(name)
    if not os.path.exists(path):  # nor a name that no system could have
        path = known.get(name)
    if path is None:
        if is_denied(name):
            raise RnnlmError(f"{shown(name)} could not be read: permission denied")
        found = "there is a broken link of this name" if os.path.lexists(name) else ""
        raise NoCorpusError(f"no corpus {shown(repr(name))}: it must be a folder, a text file, or a known name "
                            f"({', '.join(sorted(known))}){f'; {found}' if found else did_you_mean(name, known)}")
    return path, _read_about(path / "corpus.json"), [note] if (note := namesake(name, path)) else []


def _spelt(spec):
    """What was given as a corpus, a string."""
    try:
        name = os.fsdecode(spec)
    except TypeError as error:
        raise RnnlmError(f"a corpus must be a name or a path, got {shown(spec)}") from error
    if not name or "\0" in name:
        remedy = "" if name else ": for the current folder give ."
        raise RnnlmError(f"a corpus must be a name or a path, got {name!r}{remedy}")
    return name


def named(spec):
    """What was given as a corpus in a message: one name, or several, a list."""
    if not isinstance(spec, list):
        return spec
    return ", ".join(map(str, spec[:3])) + (f" and {len(spec) - 3} more" if len(spec) > 3 else "")


def settled(name, typed):
    """A corpus's name as a run keeps it: an absolute path, or a known name.

    What exists is kept by its absolute path.  Of several, a list, each is; and standard
    input stays - until it was read.

    typed: whether a person wrote the name for this run.  Otherwise it is a default, or
    from a recipe, or kept by another run, and a known name means the known corpus,
    whatever else exists where it is read.
    """
    if isinstance(name, list):
        return [settled(one, typed) for one in name]
    if (name in known_corpora() and not typed) or name == STANDARD_INPUT or not os.path.exists(_spelt(name)):
        return name
    return os.path.abspath(name)


def namesake(name, path):
    """A note if a name also means another corpus than that at ``path``, else None."""
    known = known_corpora().get(name)
    if known is None or not os.path.exists(name) or os.path.samefile(known, name):
        return None
    here = shown(os.path.abspath(name))
    if os.path.samefile(path, name):
        kind = "folder" if os.path.isdir(name) else "file"
        return (f"the corpus {name} is the {kind} {here}, which overrides the known corpus of that name: "
                f"for the known one, give --corpus {shown(str(known))}")
    return f"the corpus is the known one called {name}, not {here}: for that one, give --corpus ./{name}"


def corpus_name(spec):
    """What a corpus is called: its known name, or its path's last part without endings.

    Several, a list, are called after the first one.

    It is never a name that leads out of a folder: ``..txt`` and ``...txt`` keep their
    endings, and the root folder is called ``corpus``.
    """
    if isinstance(spec, list):
        return corpus_name(spec[0]) + (f"-and-{len(spec) - 1}-more" if len(spec) > 1 else "")
    if spec in known_corpora():
        return spec
    if spec == STANDARD_INPUT:
        return "standard-input"
    path = Path(os.path.realpath(spec))
    stem = path.stem
    if path.suffix[1:] in PACKED and not path.is_dir():
        stem = Path(stem).stem
    return (path.name or "corpus") if stem in ("", ".", "..") else stem


def _read_about(path):
    """The content of a corpus.json, a dict; {} where there is none."""
    if not path.is_file():
        return {}
    try:
        if path.stat().st_size > LARGEST_ABOUT:
            raise RnnlmError(f"{path} must be at most {LARGEST_ABOUT:,} bytes, it has {path.stat().st_size:,}")
        content = json.loads(path.read_text(encoding="utf-8-sig"))  # editors on Windows write a mark
    except OSError as error:
        raise RnnlmError(f"{path} could not be read: {reason(error)}") from error
    except (ValueError, RecursionError) as error:
        detail = "it is nested too deeply" if isinstance(error, RecursionError) else error
        raise RnnlmError(f"{path} must be JSON: {detail}") from error
    _check_about(path, content)
    return content


def _check_about(path, about):
    """RnnlmError unless a corpus.json has the form docs/file-formats.md gives it."""
    try:
        _require(isinstance(about.get("name", ""), str), "name must be a string")
        for split, best in about.get("best_possible", {}).items():
            _require(type(best["perplexity"]) in (int, float) and 1 <= best["perplexity"] <= LARGEST_PERPLEXITY,
                     f"best_possible of {shown(split)} must be a perplexity from 1 to {LARGEST_PERPLEXITY:g}")
        for entry in about.get("files", []):
            _require(isinstance(about["address"] + entry["sha256"], str), "address and sha256 must be strings")
            name = entry["name"]
            _require(Path(name).name == name != "" and name.isprintable(), "name must be a plain file name")
            _require(entry["bytes"] >= 0, "bytes must be a number")
    except (ValueError, AttributeError, KeyError, TypeError) as error:
        rules = {ValueError: str(error), KeyError: f"{error} is missing"}
        rule = rules.get(type(error), "a value is of another kind than it must be")
        raise RnnlmError(f"{path} is not a valid corpus.json ({rule}); see docs/file-formats.md") from error


def _require(holds, rule):
    if not holds:
        raise ValueError(rule)


def known_corpora():
    """Folders of the corpora known by name: those that hold a corpus.json."""
    package = Path(__file__).parent.parent
    for folder in (package / "datasets", package.parent / "datasets"):  # as a wheel has it, and a checkout
        with suppress(OSError):  # one that may not be read knows nothing
            if found := {about.parent.name: about.parent for about in sorted(folder.glob("*/corpus.json"))}:
                return found
    return {}


def holds_splits(folder, about):
    """Whether a folder has three texts of its own, or one of them at least."""
    return "files" in about or any(_candidates(folder, split) for split in SPLITS)


def split_files(folder, about, on_file):
    """The three files of a corpus folder, a dict by split.

    Files that the folder does not hold are fetched into the cache.
    """
    if "files" not in about or all(_candidates(folder, split) for split in SPLITS):
        return {split: _the_file(folder, split) for split in SPLITS}
    cache = cache_folder() / folder.name
    for entry in about["files"]:
        path = cache / entry["name"]
        if not path.is_file() or path.stat().st_size != entry["bytes"]:  # the content is checked when it is read
            _fetch(about, entry, cache, on_file)
    return {split: _the_file(cache, split) for split in SPLITS}


def fetch_damaged(about, cache, on_file):
    """Fetch the files that are missing or damaged in the cache; whether any were."""
    from rnnlm.files.download import is_intact

    damaged = [entry for entry in about["files"] if not is_intact(cache / entry["name"], entry["sha256"])]
    for entry in damaged:
        _fetch(about, entry, cache, on_file)
    return bool(damaged)


def _fetch(about, entry, cache, on_file):
    from rnnlm.files.download import fetch  # loads TLS, which a run from disk does without

    name, size = entry["name"], entry["bytes"]
    *others, last = [entry["name"] for entry in about["files"]]
    by_hand = f"{', '.join(others)} and {last}" if others else last
    fetch(about["address"] + name, cache / name, size, entry["sha256"], on_file(name, size) if on_file else None,
          f"try again, or put {by_hand} into the folder {cache} by hand")


def _candidates(folder, split):
    """Files of ``folder`` that may be the text of a split, the plainest names first.

    Each is a tuple: how far its name is from the plain one (0 the nearest), and the
    name.  The plain name is train.txt.  Then come train.tokens and the like, then
    NAME.train.txt and the like, the shorter NAME first.  A packed text counts as the
    text that it is named after, if that is not there.
    """
    pattern = re.compile(rf"(.*[._-])?{split}\.({'|'.join(KINDS)})(\.({'|'.join(PACKED)}))?", re.ASCII)
    try:
        names = sorted(os.listdir(folder))
    except OSError as error:
        raise RnnlmError(f"{folder} could not be read: {reason(error)}") from error
    matches = [match for match in map(pattern.fullmatch, names) if match and not match[0].startswith(".")]
    files = [match for match in matches if not (folder / match[0]).is_dir()]
    found = {}
    for match in files or matches:  # a folder instead of the only text: who reads it says what it is
        parts = len(re.findall("[._-]", match[1] or ""))
        rank = (parts, match[2] != KINDS[0] and not parts, match[0])
        found.setdefault(match[0].removesuffix(match[3] or ""), rank)  # a text sorts before its packed form
    return sorted(found.values())


def _the_file(folder, split):
    """The path of a split's text: the candidate with the plainest name."""
    candidates = _candidates(folder, split)
    nearest = [name for *rank, name in candidates if rank == list(candidates[0][:-1])]
    if len(nearest) == 1:
        return folder / nearest[0]
    rule = f"{folder} must hold one text named {split}.txt, NAME.{split}.txt or NAME.{split}.tokens"
    if not nearest:
        raise RnnlmError(f"{rule}, found none")
    raise RnnlmError(f"{rule}, found {', '.join(nearest)}: rename the one to read to {split}.txt, or move the others "
                     "away")
