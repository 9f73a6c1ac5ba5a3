"""Which id a word has in an exported graph: ours, or that of another program's list.

A recognizer has a list of tokens, and gives their ids to its language model.  Ours are
in order of frequency.  With the list, the graph itself translates: it takes and gives
the ids of the list.  Our words that the list lacks follow after it, so that ln p of all
others stays what it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from rnnlm.compute import arguments
from rnnlm.errors import ArgumentError, RnnlmError, shown
from rnnlm.files.whole import reason

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable

    from rnnlm.text.vocabulary import Vocabulary

ENDS = ("<sos/eos>", "</s>")  # other names of <eos>
MOST_BYTES = 1 << 26  # of a list of tokens


@dataclass(frozen=True)
class Numbering:
    """The words of a graph.

    Parameters
    ----------
    words : by their id in the graph.
    own : (n,) int64, our id of each; V for a token that no word of ours is.
    eos_id : of <eos> in the graph.
    unk_id : of <unk> in the graph; None where there is none.
    translates : whether the ids differ from ours.
    """

    words: list[str]
    own: np.ndarray
    eos_id: int
    unk_id: int | None
    translates: bool = False

    @classmethod
    def of(cls, vocabulary: Vocabulary, tokens: Iterable[str] | None = None) -> Numbering:
        """Ours, or that of a list of tokens in the order of their ids.

        ArgumentError if a token is there twice, or none is a word of the vocabulary.
        """
        V = len(vocabulary)
        if tokens is None:
            return cls(vocabulary.words, np.arange(V), vocabulary.eos_id, vocabulary.unk_id)
        names = arguments.items("tokens", tokens, "a list of strings")
        if len({*names}) < len(names):
            raise ArgumentError("tokens must be a list in which each token is once")
        known = dict.fromkeys(ENDS, vocabulary.eos_id) | vocabulary.ids
        own = [known.get(name, V) for name in names]
        if not {*own} - {V, vocabulary.eos_id, vocabulary.unk_id}:
            raise ArgumentError(f"tokens must hold words of the model, got {len(names)} of which none is one: "
                                "train the model on the tokens of the same program")
        rest = sorted({*range(V)} - {*own})
        own = np.array(own + rest, np.int64)
        first = {int(i): place for place, i in reversed([*enumerate(own)])}
        return cls([*names, *(vocabulary.words[i] for i in rest)], own, first[vocabulary.eos_id],
                   first.get(vocabulary.unk_id), True)


def read_tokens(path: str | os.PathLike[str]) -> list[str]:
    """The tokens of a file with lines of a token and its id, in order of their ids.

    A line with an id alone means the blank.  RnnlmError if there is no such file, or
    the ids are not 0, 1, 2 and so on in any order.
    """
    try:
        with Path(path).open("rb") as file:
            content = file.read(MOST_BYTES + 1)
        lines = [line.split() for line in content.decode("utf-8").split("\n") if line.strip()]
    except OSError as error:
        raise RnnlmError(f"{path} could not be read: {reason(error)}") from error
    except UnicodeDecodeError:
        lines = [[]]
    found = {int(line[-1]): line[0] if len(line) == 2 else " " for line in lines
             if len(line) in (1, 2) and line[-1].isascii() and line[-1].isdigit() and len(line[-1]) < 10}
    if len(content) > MOST_BYTES or not found or len(found) < len(lines) or max(found) >= len(lines):
        raise RnnlmError(f"{shown(str(path))} must hold a token and its id on each line, the ids 0, 1, 2 and so on, "
                         "as tokens.txt of a recognizer does")
    return [found[i] for i in range(len(found))]
