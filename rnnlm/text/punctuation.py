"""Words and punctuation apart, as the Penn Treebank and texts made like it have them.

``He doesn't own Sara's hat.`` becomes ``He does n't own Sara 's hat .``: marks at the
start and the end of a word, and its endings n't, 's, 're, 've, 'll, 'd, 'm and ' become
words of their own.  The vocabulary of the model decides the rest:

- A word that it has stays whole, as ``mr.`` and ``u.s.`` do.  Only the last word of a
  sentence loses its mark first, if it is known without it.
- A mark that it lacks is left out, since the model's text had none.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rnnlm.text.tokenizer import LINE_END

if TYPE_CHECKING:
    from collections.abc import Container

MARKS = frozenset('.,;:?!"()[]{}\u2026\u201c\u201d\u201e\u00ab\u00bb\u2013\u2014')  # ellipsis, quotation marks, dashes
_ENDING = re.compile(r"(.+?)(n't|'(?:s|re|ve|ll|d|m)?)", re.IGNORECASE | re.DOTALL)


def split_punctuation(words: list[str], known: Container[str], sentences: bool = True) -> list[str]:
    """The words of lines, and of each its punctuation as words of their own.

    Parameters
    ----------
    words : of lines, each of which ends with the word "\\n".
    known : the words of the vocabulary.
    sentences : whether each line is a whole sentence, the last word of which may have
        its mark.
    """
    inside, at_end, pieces = {}, {}, []
    for i, word in enumerate(words):
        done = at_end if sentences and words[i + 1 : i + 2] == [LINE_END] else inside
        if word not in done:
            done[word] = _pieces(word, known, done is at_end)
        pieces += done[word]
    return pieces


def _pieces(word, known, last):
    """The words that one word becomes."""
    front, back = [], []
    while word and word[0] in MARKS and word not in known:
        front.append(word[0])
        word = word[1:]
    while word and word[-1] in MARKS and (word not in known or (last and not back and word[:-1] in known)):
        back.insert(0, word[-1])
        word = word[:-1]
    middle = [word] if word else []
    if word not in known and (match := _ENDING.fullmatch(word)):
        middle = list(match.groups())
    return [piece for piece in (*front, *middle, *back) if piece not in MARKS or piece in known]
