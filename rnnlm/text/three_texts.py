"""From what was given as a corpus to three texts: found, split if there is only one.

A corpus of one text is one file, several, or a folder of texts.  A folder with a
train, a valid and a test text is read as it is.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from rnnlm.errors import RnnlmError, counted, listed
from rnnlm.text.corpora import SPLITS, corpus_name, fetch_damaged, holds_splits, resolve, split_files
from rnnlm.text.documents import DOCUMENTS
from rnnlm.text.lines import CRLF
from rnnlm.text.made_texts import joined, split_texts
from rnnlm.text.numbered_cache import kept_with, read_tokens
from rnnlm.text.saved_splits import require_free, save_splits
from rnnlm.text.split import RANDOM, Split, shares_of
from rnnlm.text.subwords.learning import token_after
from rnnlm.text.text_files import at_lines, raw_blocks, text_files
from rnnlm.text.tokenizer import LINE_END

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from typing import Any

    from rnnlm.text.numbered import Tokens

LEAST = 20  # tokens of a text that is split by their number


@dataclass
class Found:
    """A corpus that was found, but not read.

    Attributes
    ----------
    path : Path, what messages call it.
    name : what the corpus is called.
    files : the paths of the one text; None: ``path`` is a folder with three texts.
    about : the content of its corpus.json.
    notes : list of str, what was decided.
    what : the one text in words, as "3 files".
    """

    path: Path
    name: str
    files: list[Path] | None = None
    about: dict[str, Any] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    what: str = ""


@dataclass
class Three:
    """Three texts, read.

    Attributes
    ----------
    tokens : the Tokens of the training, the validation and the test text.
    how : in words, how one text became three; "" for a folder with three texts.
    parts : function that yields the bytes of the texts, (number, bytes); None where one
        was cut within a line.
    """

    tokens: Sequence[Tokens]
    how: str
    parts: Callable[[], Iterable[tuple[int, bytes]]] | None


def find(specs):
    """The Found corpus of a list of paths or a known name.

    RnnlmError if there is none, or several cannot be one text.
    """
    resolved = [resolve(spec) for spec in specs]
    path, about, notes = resolved[0]
    notes = [line for _, _, lines in resolved for line in lines]
    with_splits = [path for path, about, _ in resolved if path.is_dir() and holds_splits(path, about)]
    if with_splits and len(specs) == 1:
        return Found(path, about.get("name", corpus_name(path)), None, about, notes)
    if with_splits:
        raise RnnlmError(f"{with_splits[0]} has a training, a validation and a test text of its own, so it cannot be "
                         "one of several: give it alone, or name its files")
    paths = [path for path, _, _ in resolved]
    files, more = text_files(paths)
    return Found(path, about.get("name") or corpus_name(paths), files, about, notes + more, _what(paths, files))


def _what(paths, files):
    """What the files of these paths are, in words."""
    folders = [str(path) for path in paths if path.is_dir()]
    if not folders:
        return "one file" if len(files) == 1 else counted(len(files), "file")
    alone = " of" if len(folders) == len(paths) else ", some of"
    return f"{counted(len(files), 'file')}{alone} {listed(folders)}, sorted by name"


def read_three(found, source, split=None, apart=False, on_file=None, on_long=None):
    """The Three texts of a Found corpus.

    Parameters
    ----------
    source : where the Tokenizer comes from, see subword_training; it may be learned
        from the training text.
    split : a Split; None: the usual one.
    apart : whether a blank line comes between two files where there is none.
    """
    split = split or Split()
    if found.files is None:
        if split != Split():
            raise RnnlmError(f"{found.path} has a training, a validation and a test text, so there is nothing to "
                             "split: leave out --split, --split-by and --split-shares")
        paths, tokens = _folder(found, source, on_file, on_long)
        return Three(tokens, "", lambda: _whole(paths))
    if not split.by_tokens:
        paths = split_texts(found.files, source.tokenizer, split)
        source.learn(paths[0], _calling(on_long, "the train text"))
        tokens = [read_tokens(path, source.tokenizer, _calling(on_long, f"the {name} text"))
                  for path, name in zip(paths, SPLITS, strict=True)]
        return Three(tokens, _in_words(found, split), lambda: _whole(paths))
    if len(found.files) == 1:
        (path,) = found.files
    else:
        path, on_long = joined(found.files, source.tokenizer, apart), _calling(on_long, "the text of all files")
    learned = source.learn(path, on_long, shares_of(split.shares)[0])
    tokens = read_tokens(path, source.tokenizer, on_long)
    return _cut(tokens, path, found, split, token_after(tokens, learned) if learned else None)


def _calling(on_long, name):
    """on_long for a file in the cache, whose own name tells nobody anything."""
    return on_long and (lambda _, size: on_long(name, size))


def save(folder, three):
    """Save Three texts in a folder; returns a line.  RnnlmError if it cannot be."""
    if three.parts is None:
        raise RnnlmError("the text is cut between words, because it has few line ends, so its parts are no files "
                         "(--save-splits): put line ends into it, or leave the option out")
    require_free(folder)
    return save_splits(folder, three.parts())


def _in_words(found, split):
    """How the text of a Found corpus is split, by its bytes."""
    order, seed = ("at random", f" (--split-seed {split.seed})") if split.order == RANDOM else ("in order", "")
    unit = "document" if split.unit == DOCUMENTS else "line"
    return f"{found.what}, split {order} by {unit} {split.shares}{seed}"


def _whole(paths) -> Iterator[tuple[int, bytes]]:
    for number, path in enumerate(paths):
        for block in raw_blocks(path):
            yield number, block


def _folder(found, source, on_file, on_long):
    """The paths and the Tokens of the three texts of a folder."""
    path, about = found.path, found.about
    sums = {entry["name"]: entry["sha256"] for entry in about.get("files", [])}
    for attempt in (1, 2):
        files = split_files(path, about, on_file)
        fetched = {name: value for name, value in sums.items() if files["train"].parent != path}
        paths = [files[split] for split in SPLITS]
        try:
            source.learn(files["train"], on_long)
            return paths, [read_tokens(file, source.tokenizer, on_long, fetched.get(file.name)) for file in paths]
        except RnnlmError:  # a file that was whole when it was fetched may be damaged: once more, then
            if attempt == 2 or not (fetched and fetch_damaged(about, files["train"].parent, on_file)):
                raise


def _cut(tokens, path, found, split, first=None):
    """Three texts by the number of tokens, at line ends if there are enough.

    first: where the training text ends, if that is settled.
    """
    size = tokens.size
    if size < LEAST:
        raise RnnlmError(f"{found.path} must hold at least {LEAST} tokens to be split into three texts, got {size}")
    cuts, where, parts = [max(1, cut) for cut in split.cuts(size)], "between words, because it has few line ends,", None
    if first is not None:
        cuts = [first, cuts[1] if first <= cuts[1] - size // 100 else (first + size) // 2]
    at = [tokens.next_line(cut) for cut in cuts]
    if at[0] < at[1] < size:
        cuts, where = at, "at line ends"
    texts = [tokens.part(*bounds) for bounds in pairwise([0, *cuts, size])]
    if cuts == at and os.path.isfile(path):  # what was a pipe is gone
        texts, parts = _with_bytes(tokens, texts, path)
    return Three(texts, f"{found.what}, split in order {where} {split.shares}", parts)


def _with_bytes(tokens, texts, path):
    """The Tokens of texts that end at line ends, with their bytes, and their parts.

    RnnlmError if the file has changed since it was read.
    """
    line_end = tokens.words.index(LINE_END)

    def parts():
        return at_lines(raw_blocks(path), [int(text.counts()[line_end]) for text in texts[:-1]])

    def measured():
        sizes = [[0, 0] for _ in texts]
        for number, data in parts():
            sizes[number][0] += len(data)
            sizes[number][1] += data.count(CRLF)
        return sizes

    sizes = kept_with(tokens, "-".join(["parts", *(str(text.stop) for text in texts[:-1])]), measured)
    if not isinstance(sizes, list) or sum(size for size, _ in sizes) != tokens.bytes:
        raise RnnlmError(f"{path} changed while it was read: start again when it is complete")
    return [replace(text, bytes=size, crlf=crlf) for text, (size, crlf) in zip(texts, sizes, strict=True)], parts
