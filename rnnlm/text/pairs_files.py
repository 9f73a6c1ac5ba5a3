"""Files of minimal pairs: two sentences that differ in what makes one of them wrong.

There are two layouts.  In BLiMP's (Warstadt et al., 2020) each line is a JSON object.
In the plain one each line has two columns with a tab between them: the good sentence,
then the bad one.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from rnnlm.compute import arguments
from rnnlm.errors import RnnlmError, shown
from rnnlm.files.strict_json import loads
from rnnlm.files.whole import reason
from rnnlm.text.lines import read_blocks
from rnnlm.text.sources import called
from rnnlm.text.tokenizer import BLANKS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

LONGEST_LINE = 1 << 20  # characters; BLiMP's longest line has 614
MOST_TEXT = 1 << 27     # characters, as a few kilobytes may decompress to anything; BLiMP has 27 million
MOST_EMPTY = 1_000_000  # empty lines
MOST_PAIRS = 500_000    # which are all in memory; BLiMP has 67,000
HEADERS = ("good\tbad", "sentence_good\tsentence_bad")  # first lines that name the two columns


class Pair(NamedTuple):
    """A good and a bad sentence.

    Attributes
    ----------
    good, bad : the sentences.
    uid : the group of pairs that this one is scored with: BLiMP's UID, or the file.
    phenomenon, field : what the group belongs to (linguistics_term, field); None: not
        said.
    prefix, word_good, word_bad : the words that both sentences begin with, and those
        that come next, of which one is wrong; None where a file has no such fields.
    file, line : where it was read.
    """

    good: str
    bad: str
    uid: str = "pairs"
    phenomenon: str | None = None
    field: str | None = None
    prefix: str | None = None
    word_good: str | None = None
    word_bad: str | None = None
    file: str | None = None
    line: int | None = None

    @property
    def where(self) -> str:
        """The pair's name in messages."""
        return f"{shown(str(called(self.file)))}: line {self.line}" if self.file else f"pair {self.line}"


def read_pairs(*paths: str | os.PathLike[str]) -> list[Pair]:
    """The pairs of files, or of all files FILE.jsonl in a folder, in order of names.

    A file whose first line begins with { has BLiMP's layout, any other two columns.
    Blank lines are passed over, and so is a first line ``good<TAB>bad``.

    Parameters
    ----------
    paths : of files, compressed or not (see sources); ``-`` is standard input.

    Raises
    ------
    RnnlmError : a file that cannot be read, a line that holds no pair, no pairs, or too
        many.
    """
    pairs, room = [], [MOST_TEXT]
    for path in paths:
        before = len(pairs)
        for file in _files(path):
            for pair in _pairs_of(file, room):
                pairs.append(pair)
                if len(pairs) > MOST_PAIRS:
                    raise RnnlmError(f"there must be at most {MOST_PAIRS:,} pairs together, {pair.where} is one more: "
                                     "split them")
        if len(pairs) == before:
            raise RnnlmError(f"{called(path)} must hold at least one pair, but it is empty")
    return pairs


def as_pairs(pairs: Iterable[tuple[str, str]]) -> list[Pair]:
    """Pairs (good, bad) as a list of Pair; one that is a Pair already stays it.

    Raises
    ------
    RnnlmError : no pairs, or something that is no pair of sentences.
    """
    found = []
    for number, pair in enumerate(arguments.items("pairs", pairs, "a list of pairs (good, bad)"), 1):
        if not isinstance(pair, Pair):
            if not isinstance(pair, tuple | list) or len(pair) != 2:
                raise arguments.wrong(f"pair {number}", "two sentences, (good, bad)", pair)
            pair = Pair(*pair, line=number)
        for name in ("good", "bad", *(("word_good", "word_bad") if pair.prefix is not None else ())):
            _sentence(getattr(pair, name), name, pair)
        found.append(pair)
    if not found:
        raise RnnlmError("pairs must hold at least one pair, got none")
    return found


def _files(path):
    """The files that a path names: itself, or those of a folder."""
    if path == "-" or not os.path.isdir(path):
        return [path]
    try:
        files = sorted(file for file in Path(path).iterdir() if ".jsonl" in file.suffixes)
    except OSError as error:
        raise RnnlmError(f"{path} could not be read: {reason(error)}") from error
    if not files:
        raise RnnlmError(f"{path} must hold files of pairs called NAME.jsonl, it has none: name the files themselves")
    return files


def _pairs_of(path, room) -> Iterator[Pair]:
    """Yield the pairs of one file; room: [how many characters may come]."""
    read, name, empty = None, _name(path), 0
    for number, line in _lines(path, room):
        if not line.strip():
            empty += 1
            if empty > MOST_EMPTY:
                raise RnnlmError(f"{called(path)}: line {number}: there must be at most {MOST_EMPTY:,} empty lines: is "
                                 "it a file of pairs?")
            continue
        if read is None:
            read = _from_json if line.startswith("{") else _from_columns
            if line in HEADERS:
                continue
        yield read(line, Pair("", "", uid=name, file=os.fspath(path), line=number))


def _name(path):
    """What a file's pairs are called where they have no UID."""
    return "standard input" if path == "-" else Path(path).name.split(".")[0] or Path(path).name


def _lines(path, room):
    """Yield (number, line) of a text, the line without its end."""
    number, rest = 1, ""
    for block in read_blocks(path):
        room[0] -= len(block)
        if room[0] < 0:
            raise RnnlmError(f"pairs must have at most {MOST_TEXT:,} characters together, those up to {called(path)} "
                             "have more: split them")
        *lines, rest = (rest + block).split("\n")
        for line in lines:
            _require_short(line, path, number)
            yield number, line
            number += 1
        _require_short(rest, path, number)


def _require_short(line, path, number):
    if len(line) > LONGEST_LINE:
        raise RnnlmError(f"{called(path)}: line {number} must have at most {LONGEST_LINE:,} characters, it has more: "
                         "is it a file of pairs, one a line?")


def _from_columns(line, pair):
    """The pair of a line with two columns; ``pair`` says where it is."""
    columns = line.split("\t")
    if len(columns) != 2:
        raise RnnlmError(f"{pair.where} must hold a good and a bad sentence with one tab between them, it has "
                         f"{len(columns) - 1} tabs: {shown(line, 60)}")
    good, bad = (_sentence(column, f"{which} sentence", pair)
                 for which, column in zip(("good", "bad"), columns, strict=True))
    return pair._replace(good=good, bad=bad)


def _from_json(line, pair):
    """The pair of a line in BLiMP's layout; ``pair`` says where it is."""
    try:
        values = loads(line, "it", unique_keys=True)
    except ValueError as error:
        raise RnnlmError(f"{pair.where} must be a JSON object: {error}") from None
    if not isinstance(values, dict):
        raise RnnlmError(f"{pair.where} must be a JSON object, got {shown(line, 60)}")
    sentences = [_sentence(values.get(name), name, pair) for name in ("sentence_good", "sentence_bad")]
    uid, *groups = (_label(values, name, pair) for name in ("UID", "linguistics_term", "field"))
    return Pair(*sentences, uid or pair.uid, *groups, *_prefix(values, pair), pair.file, pair.line)


def _prefix(values, pair):
    """The fields of the method of one prefix; three times None if one is missing."""
    names = "one_prefix_prefix", "one_prefix_word_good", "one_prefix_word_bad"
    if any(values.get(name) is None for name in names):
        return None, None, None
    prefix = values[names[0]]
    if prefix != "":  # the first word of a sentence has none
        _sentence(prefix, names[0], pair)
    return prefix, *(_sentence(values[name], name, pair) for name in names[1:])


def _sentence(value, name, pair):
    """A text that is a sentence or part of one."""
    if value is None:
        raise RnnlmError(f"{pair.where} must have {name}, it has none")
    if not isinstance(value, str):
        raise RnnlmError(f"{pair.where}: {name} must be a string, got {arguments.described(value)}")
    if "\n" in value or "\0" in value:
        raise RnnlmError(f"{pair.where}: {name} must be one line without a NUL, got {shown(repr(value), 60)}")
    if not value.strip(BLANKS):
        raise RnnlmError(f"{pair.where}: {name} must have a word, it is empty")
    return value


def _label(values, name, pair):
    """A text that says what a pair belongs to; None if it is missing or empty."""
    value = values.get(name)
    if value is not None and not isinstance(value, str):
        raise RnnlmError(f"{pair.where}: {name} must be a string, got {arguments.described(value)}")
    return value or None
