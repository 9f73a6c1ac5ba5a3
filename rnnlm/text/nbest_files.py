"""Files of n-best lists: for each utterance the sentences that it may have been.

A recogniser or a translator writes them, the likeliest sentence first.  Four forms:

    classic   ``UTTERANCE words``           an utterance's lines follow one another
    kaldi     ``UTTERANCE-NUMBER words``    the last hyphen ends the utterance
    moses     ``ID ||| words ||| features ||| total``
    plain     ``words``                     an empty line between two lists

They cannot be told apart safely.  A line of the first two without words is an empty
hypothesis.  An empty line, in ``plain`` a second one, begins another conversation.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING

from rnnlm.errors import RnnlmError, counted, shown
from rnnlm.text.cells import finite_number
from rnnlm.text.lines import read_blocks
from rnnlm.text.sources import called
from rnnlm.text.tokenizer import BLANKS, WORDS
from rnnlm.text.vocabulary import EOS

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterator

    from rnnlm.text.vocabulary import Vocabulary

LARGEST_LIST = 1 << 23     # characters; lists are read whole, and a small file may decompress to anything
MOST_HYPOTHESES = 100_000  # of one list
CHECKED = 20               # lists of which the first column is looked at
BLOCK = 1 << 18            # bytes that are read at a time
SEPARATOR = "|||"
MOST_EMPTY = 1_000_000     # empty lines in a row


@dataclass(slots=True)
class Hypothesis:
    """A sentence of a list.

    Attributes
    ----------
    text : its words with one blank between them; "" for an empty hypothesis.
    line : the line of the file, from 1.
    number : as the key says, or else the place in the list, from 1.
    first_pass : the total that ``moses`` has; None in other forms.
    fields : all fields of a line of ``moses``, without the blanks around them.
    """

    text: str
    line: int
    number: str = ""
    first_pass: float | None = None
    fields: tuple[str, ...] = ()


@dataclass(slots=True)
class NBestList:
    """The hypotheses of an utterance, in the order of the file.

    Attributes
    ----------
    utterance : its id; of lists without one the place in the file, from 1.
    position : the place in the file, from 0; of ``moses`` the id.
    new_conversation : whether an empty line is before it.
    hypotheses : list of Hypothesis, at least one.
    """

    utterance: str
    position: int
    new_conversation: bool = False
    hypotheses: list[Hypothesis] = field(default_factory=list)

    def key(self, hypothesis: Hypothesis) -> str:
        """The name of one of the hypotheses: UTTERANCE-NUMBER."""
        return f"{self.utterance}-{hypothesis.number}"


def read_nbest(path: str | os.PathLike[str], form: str, vocabulary: Vocabulary, trust_ids: bool = False,
               on_bytes: Callable[[int], object] | None = None) -> Iterator[NBestList]:
    """Yield the lists of a file, one after another; only a few are in memory.

    Parameters
    ----------
    path : of the file, compressed or not; ``-`` is standard input.
    form : one of FORMS.
    vocabulary : the model's Vocabulary.  It tells ids from words.
    trust_ids : whether the first column is ids, whatever it looks like.
    on_bytes : function, called as on_bytes(n) for n bytes that were read.

    Raises
    ------
    RnnlmError : the file cannot be read, a line has another form, the ids look like
        words, an utterance comes back after another one, or a list is too large.
    """
    lists = _lists(path, form, vocabulary, trust_ids, on_bytes)
    first = list(islice(lists, CHECKED))
    if not first:
        raise RnnlmError(f"{called(path)} must hold at least one n-best list, but it is empty")
    if form == "classic" and not trust_ids:
        _require_ids(path, first, vocabulary)
    yield from first
    yield from lists


def numbered_lines(path: str | os.PathLike[str],
                   on_bytes: Callable[[int], object] | None = None) -> Iterator[tuple[int, str]]:
    """Yield (number from 1, line without its end); RnnlmError if one is too long."""
    number, held = 0, ""
    for text in read_blocks(path, BLOCK, on_bytes=on_bytes):
        *lines, held = (held + text).split("\n")
        for line in lines:
            number += 1
            yield number, line
        if len(held) > LARGEST_LIST:
            raise RnnlmError(f"{called(path)} line {number + 1}: a line must be at most {LARGEST_LIST // 2**20} MB "
                             "long, it is longer: is the file text with line ends?")


def _lists(path, form, vocabulary, trust_ids, on_bytes):
    plain, current, seen, count = form == "plain", None, set(), 0
    for where, empty, utterance, hypothesis, length in _hypotheses(path, form, vocabulary, trust_ids, on_bytes):
        if current is None or (empty if plain else utterance != current.utterance):
            if current:
                yield current
            utterance = utterance or str(count + 1)
            current, size, numbers = NBestList(utterance, _position(form, utterance, count), empty > plain), 0, set()
            if not plain:
                _require_new(utterance, seen, where, form)
                seen.add(utterance)
            count += 1
        size += length
        current.hypotheses.append(hypothesis)
        hypothesis.number = hypothesis.number or str(len(current.hypotheses))
        if hypothesis.number in numbers:
            raise RnnlmError(f"{where}: each key must be there once, {shown(repr(current.key(hypothesis)), 60)} comes "
                             "again: remove one of the lines")
        numbers.add(hypothesis.number)
        _require_bounded(current, size, where)
    if current:
        yield current


def _hypotheses(path, form, vocabulary, trust_ids, on_bytes):
    """Yield what is in each line that is not empty.

    That is: where it is, how many empty lines are before it, the utterance ("" if the
    line names none), the Hypothesis, and the characters of the line.
    """
    empty = 0
    for number, line in numbered_lines(path, on_bytes):
        if not line.strip(BLANKS):
            empty += 1
            if empty > MOST_EMPTY:
                raise RnnlmError(f"{called(path)} line {number}: there must be at most {MOST_EMPTY:,} empty lines in a "
                                 "row: is it a file of lists?")
            continue
        where = f"{called(path)} line {number}"
        utterance, hypothesis = FORMS[form](line, where, trust_ids)
        _require_no_end(hypothesis.text, where, vocabulary)
        hypothesis.line = number
        yield where, empty, utterance, hypothesis, len(line)
        empty = 0


def _position(form, utterance, position):
    return int(utterance) if form == "moses" else position


def _classic(line, where, trust_ids):
    utterance, *words = WORDS.split(line)
    return utterance, Hypothesis(" ".join(words), 0)


def _kaldi(line, where, trust_ids):
    key, *words = WORDS.split(line)
    utterance, _, number = key.rpartition("-")
    if not utterance or not (trust_ids or number.isdecimal()) or not number:
        raise RnnlmError(f"{where}: the first word must be a key, UTTERANCE-NUMBER, got {shown(repr(key), 60)}: is it "
                         "a word of the hypothesis? then give another --nbest-format")
    return utterance, Hypothesis(" ".join(words), 0, number)


def _moses(line, where, trust_ids):
    fields = tuple(part.strip(" \t") for part in line.split(SEPARATOR))
    if len(fields) < 4:
        raise RnnlmError(f"{where}: must be ID {SEPARATOR} words {SEPARATOR} features {SEPARATOR} total, got "
                         f"{counted(len(fields), 'field')}: {shown(line, 60)}")
    if not (fields[0].isdecimal() and len(fields[0]) < 16):
        raise RnnlmError(f"{where}: the id must be a whole number, got {shown(repr(fields[0]), 60)}")
    return str(int(fields[0])), Hypothesis(" ".join(WORDS.split(fields[1])), 0,
                                           first_pass=as_number(fields[3], f"{where}: the total"), fields=fields)


def _plain(line, where, trust_ids):
    return "", Hypothesis(" ".join(WORDS.split(line)), 0)


FORMS = {"classic": _classic, "kaldi": _kaldi, "moses": _moses, "plain": _plain}


def words_of(text: str) -> list[str]:
    """The words of a text that has one blank between them."""
    return text.split(" ") if text else []


def as_number(text: str, what: str) -> float:
    """A finite number; RnnlmError if the text is none."""
    value = finite_number(text)
    if value is None:
        raise RnnlmError(f"{what} must be a number, got {shown(repr(text), 60)}")
    return value


def _require_no_end(text, where, vocabulary):
    if EOS in text and EOS in vocabulary.tokenizer.split(text):
        raise RnnlmError(f"{where}: holds the word {EOS}, which is the token of every line end: remove it")


def _require_new(utterance, seen, where, form):
    if utterance in seen:
        also = ", or give --nbest-format plain if lines begin with a word" if form == "classic" else ""
        raise RnnlmError(f"{where}: the lines of an utterance must follow one another, {shown(repr(utterance), 60)} "
                         f"comes back after others: sort the file by its ids{also}")


def _require_bounded(current, size, where):
    if size > LARGEST_LIST or len(current.hypotheses) > MOST_HYPOTHESES:
        raise RnnlmError(f"{where}: a list must have at most {MOST_HYPOTHESES:,} hypotheses and "
                         f"{LARGEST_LIST // 2**20} MB, that of {shown(repr(current.utterance), 60)} has more: is it "
                         "in the form of --nbest-format?")


def _require_ids(path, lists, vocabulary):
    """RnnlmError if half of the first ids or more are words.

    A word is what the vocabulary has, or a hypothesis; a number may always be an id.
    """
    known = {word for one in lists for hypothesis in one.hypotheses for word in hypothesis.text.split(" ")}
    ids = [one.utterance for one in lists]
    words = [i for i in ids if not i.isdecimal() and (i in known or i in vocabulary.ids)]
    if 2 * len(words) >= len(ids):
        some = ", ".join(shown(repr(word), 30) for word in words[:3])
        raise RnnlmError(f"{called(path)}: the first column must be ids, but {len(words)} of the first "
                         f"{counted(len(ids), 'id')} are words of the text ({some}): give --nbest-format plain if the "
                         "lines have no ids, or --trust-ids if they have")
