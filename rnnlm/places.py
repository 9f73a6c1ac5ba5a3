"""Where a corpus lies: a folder, a file, or a name known through a corpus.json under ``datasets/``.

Texts of a known corpus that are not beside its corpus.json are fetched into the cache.
"""

import json
import os
import re
import sysconfig
from contextlib import suppress
from pathlib import Path

from rnnlm.errors import RnnlmError, did_you_mean, shown
from rnnlm.files import cache_folder

SPLITS = ("train", "valid", "test")


def resolve(spec):
    """The path of a corpus and the content of its corpus.json ({} where there is none)."""
    known = known_corpora()
    path = known[spec] if spec in known else Path(spec)
    if not os.path.exists(path):  # nor a name that no system could have
        raise RnnlmError(f"no corpus {shown(repr(spec))}: it must be a folder, a text file, or a known name "
                         f"({', '.join(sorted(known))}){did_you_mean(spec, known)}")
    about = path / "corpus.json"
    if not about.is_file():
        return path, {}
    try:
        content = json.loads(about.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise RnnlmError(f"{about} must be JSON: {error}") from error
    _check_about(about, content)
    return path, content


def _check_about(path, about):
    """RnnlmError unless a corpus.json has the form docs/file-formats.md gives it."""
    try:
        _require(isinstance(about.get("name", ""), str), "name must be a string")
        for split, best in about.get("best_possible", {}).items():
            _require(1 <= best["perplexity"] < 1e300, f"best_possible of {split} must be a perplexity from 1 to 1e300")
        for entry in about.get("files", []):
            _require(isinstance(about["address"] + entry["sha256"], str), "address and sha256 must be strings")
            _require(Path(entry["name"]).name == entry["name"], "name must be a plain file name")
            _require(entry["bytes"] >= 0, "bytes must be a number")
    except (ValueError, AttributeError, KeyError, TypeError) as error:
        raise RnnlmError(f"{path} has not the form of a corpus.json ({error}); see docs/file-formats.md") from error


def _require(holds, rule):
    if not holds:
        raise ValueError(rule)


def known_corpora():
    """Folders of the corpora known by name: those under ``datasets/`` that hold a corpus.json."""
    # beside the package in a checkout; under the environment's share/ where the package was installed from a wheel
    places = [Path(__file__).parent.parent / "datasets", Path(sysconfig.get_path("data")) / "share/rnnlm/datasets"]
    found = {}
    for place in reversed(places):
        with suppress(OSError):  # a place that may not be read knows nothing
            found |= {about.parent.name: about.parent for about in sorted(place.glob("*/corpus.json"))}
    return found


def split_files(folder, about, on_file):
    """The three files of a corpus folder by split, fetched into the cache if the folder does not hold them."""
    if "files" not in about or all(_named(folder, split) for split in SPLITS):
        return {split: _the_file(folder, split) for split in SPLITS}
    cache = cache_folder() / folder.name
    for entry in about["files"]:
        path = cache / entry["name"]
        if not path.is_file() or path.stat().st_size != entry["bytes"]:  # the content is checked when it is read
            _fetch(about, entry, cache, on_file)
    return {split: _the_file(cache, split) for split in SPLITS}


def fetch_damaged(about, cache, on_file):
    """Fetch what is not in the cache as it should be; whether there was any."""
    from rnnlm.download import is_intact

    damaged = [entry for entry in about["files"] if not is_intact(cache / entry["name"], entry["sha256"])]
    for entry in damaged:
        _fetch(about, entry, cache, on_file)
    return bool(damaged)


def _fetch(about, entry, cache, on_file):
    from rnnlm.download import fetch  # loads TLS, which a run from disk does without

    name, size = entry["name"], entry["bytes"]
    fetch(about["address"] + name, cache / name, size, entry["sha256"], on_file(name, size) if on_file else None)


def _named(folder, split):
    """Files of ``folder`` that are called train.txt, ptb.train.txt, wiki.train.tokens or the like."""
    pattern = re.compile(rf"(.*[._-])?{split}\.(txt|tokens|raw)", re.ASCII)
    return sorted(path for path in folder.iterdir() if pattern.fullmatch(path.name))


def _the_file(folder, split):
    candidates = _named(folder, split)
    if len(candidates) != 1:
        found = ", ".join(path.name for path in candidates) or "none"
        raise RnnlmError(
            f"{folder} must hold one text named {split}.txt, NAME.{split}.txt or NAME.{split}.tokens, found {found}"
        )
    return candidates[0]
