"""The words of a model that was trained elsewhere, in order of their ids.

They come as a text file, one word a line or ``word id``, or as the folder of texts from
which PyTorch's word_language_model example numbers its words.
"""

from __future__ import annotations

import os
import sys
from collections import Counter
from typing import TYPE_CHECKING

from rnnlm.errors import ArgumentError, counted, listed, shown
from rnnlm.text.lines import read_blocks
from rnnlm.text.tokenizer import WORDS
from rnnlm.text.vocabulary import EOS, UNK, Vocabulary

if TYPE_CHECKING:
    from collections.abc import Iterator

EXAMPLE_TEXTS = ("train.txt", "valid.txt", "test.txt")
EOS_NAMES = (EOS, "</s>", "<EOS>", "<sos/eos>", "<|endoftext|>")  # what the end of a sentence is called, ours first
MOST_EMPTY = 1000        # lines at the end of a file
LONGEST_LINE = 1 << 24  # characters; a text in the order of the example may have a line a document
UNK_NAMES = (UNK, "<UNK>", "[UNK]", "<oov>", "<OOV>")


def read_words(path: str | os.PathLike[str], size: int, eos: str | None = None,
               unk: str | None = None) -> Vocabulary:
    """The Vocabulary of ``size`` words in a file, or of a folder of texts.

    Parameters
    ----------
    path : of a file with a word a line, or ``word id`` in each; or of a folder with
        train.txt, valid.txt and test.txt, whose words are numbered by first appearance.
    size : how many words the model has.
    eos, unk : which word is the end of a sentence, and which stands for unknown words;
        None: the only usual one that is there.

    Raises
    ------
    ArgumentError : the words are not those of such a model.
    RnnlmError : a file cannot be read.
    """
    words = _of_texts(path, size) if os.path.isdir(path) else _of_lines(path, size)
    if len(words) != size:
        raise ArgumentError(f"{path} must have a word for each of the model's {size:,} ids, it has {len(words):,}")
    if len(set(words)) < size:
        twice, _ = Counter(words).most_common(1)[0]
        raise ArgumentError(f"{path} must have each word once, it has {shown(twice, 40)} twice")
    renamed = dict(_renamed(words, EOS, EOS_NAMES, eos, "eos", path))
    renamed |= _renamed(words, UNK, UNK_NAMES, unk, "unk", path)
    return Vocabulary([renamed.get(word, word) for word in words])


def _renamed(words, ours, usual, given, option, path):
    """Pairs (theirs, ours): the special word's name, where it has another one."""
    there = set(words)
    if given is not None and given not in there:
        raise ArgumentError(f"--{option} must be a word of {path}, got {shown(given, 40)}")
    found = [given] if given is not None else [ours] if ours in there else [name for name in usual if name in there]
    if len(found) > 1:
        raise ArgumentError(f"{path} has {listed(found)}: say with --{option} which one "
                            f"{'ends a sentence' if ours == EOS else 'stands for unknown words'}")
    if not found and ours == EOS:
        raise ArgumentError(f"{path} must have a word that ends a sentence, such as {EOS}: say with --{option} which "
                            "one does")
    if found and found[0] != ours and ours in there:
        raise ArgumentError(f"{path} has {ours}, too, so --{option} cannot be {shown(found[0], 40)}")
    return [(theirs, ours) for theirs in found]


def _of_lines(path, size):
    """The words of a file of lines, in order of their ids."""
    rows = [WORDS.split(line) for line in _lines(path, size)]
    while rows and not rows[-1]:
        rows.pop()
    wrong = next((number for number, row in enumerate(rows, 1) if len(row) not in (1, 2)), None)
    if wrong:
        raise ArgumentError(f"{path} must have one word in each line, or a word and its id: line {wrong} has "
                            f"{counted(len(rows[wrong - 1]), 'word')}")
    if all(len(row) == 1 for row in rows):
        return [word for word, in rows]
    return _by_id(rows, path)


def _by_id(rows, path):
    """The words of rows ``word id``; ArgumentError unless the ids are 0, 1, 2, ..."""
    ids = {}
    for number, row in enumerate(rows, 1):
        if len(row) != 2 or not (row[1].isascii() and row[1].isdigit() and len(row[1]) < 12):
            raise ArgumentError(f"{path} must have one word in each line, or a word and its id in each: line {number} "
                                f"has {shown(' '.join(row), 40)}")
        ids.setdefault(int(row[1]), row[0])
    if sorted(ids) != list(range(len(rows))):
        raise ArgumentError(f"{path} must give each of the ids 0 to {len(rows) - 1:,} to one word")
    return [ids[i] for i in range(len(rows))]


def _lines(path, size) -> Iterator[str]:
    """The lines of a text; not many more than ``size`` if there are no more words."""
    count, rest = 0, ""
    for block in read_blocks(path):
        *lines, rest = (rest + block).split("\n")
        yield from lines
        count += len(lines)
        if count > size + MOST_EMPTY:
            return
        if len(rest) > LONGEST_LINE:
            raise ArgumentError(f"{path} must have a word in each line, it has a line of more than {LONGEST_LINE:,} "
                                "characters")


def _of_texts(folder, size):
    """The words of three texts by first appearance, each line followed by <eos>.

    As in the example, whatever Unicode calls white space separates two words.
    """
    words = {}
    for name in EXAMPLE_TEXTS:
        for line in _lines(os.path.join(folder, name), sys.maxsize):
            words.update(dict.fromkeys([*line.split(), EOS]))
            if len(words) > size:
                return [*words]
    return [*words]
