"""The rows of a text by word, piece, sentence or text: one choice, made here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rnnlm.compute import arguments
from rnnlm.errors import ArgumentError
from rnnlm.scoring.readings import PROTOCOLS
from rnnlm.scoring.rows import word_rows
from rnnlm.scoring.totals import sentence_rows, text_rows
from rnnlm.text.spelled import BLOCK

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    import numpy as np

    from rnnlm.scoring.predictor import Scores
    from rnnlm.scoring.spelling import Spelling
    from rnnlm.text.spelled import Spelled
    from rnnlm.text.vocabulary import Vocabulary

BY = ("word", "sentence", "text", "piece")
OF_WORDS = ("word", "piece")  # the rows that are not sums over a line or more
MEMORY = 1 << 25              # bytes that the rows of a part take, about
SMALLEST = 1 << 12            # bytes of text, where a part is small because each row is large


def part_size(top: int = 0, state_size: int = 0) -> int:
    """How many bytes of a text make a part whose rows take a bounded memory.

    Parameters
    ----------
    top : how many of the most probable words a row has, as text at last.
    state_size : how many numbers the state of a row has; 0: it is not asked for.
    """
    row = 500 + 150 * top + 8 * state_size  # bytes; a word of text has about five
    return max(SMALLEST, min(BLOCK, 5 * MEMORY // row))


def score_rows(model: Scores, vocabulary: Vocabulary, parts: Iterable[Spelled], *, by: str = "word",
               protocol: str = "stream", base: float = 2.0, details: bool = True, top: int = 0,
               on_states: Callable[[np.ndarray], object] | None = None, static: bool = False,
               spelling: Spelling | None = None) -> Iterator[np.ndarray]:
    """Yield rows of a text, a structured array for each part of it.

    Parameters
    ----------
    model, vocabulary, parts, protocol, base : see ``word_rows``.
    by : "word" or "piece", see ``word_rows``; "sentence", see ``sentence_rows``; or
        "text", see ``text_rows``.
    details, top, on_states, static : see ``word_rows``; of words and pieces only.
    spelling : see ``sentence_rows``; of sentences and texts only.

    Raises
    ------
    ArgumentError : a value that cannot be.
    RnnlmError : the text cannot be read, or the model's scores are not finite.
    """
    arguments.one_of("by", by, BY)
    arguments.one_of("protocol", protocol, PROTOCOLS)
    arguments.whole("top", top, 0)
    if by in OF_WORDS:
        if spelling is not None:
            raise ArgumentError("the spelling of unknown words is charged in sums: give by='sentence' or 'text', not "
                                f"'{by}'")
        return word_rows(model, vocabulary, parts, protocol=protocol, pieces=by == "piece", details=details, top=top,
                         base=base, on_states=on_states, static=static)
    if top or on_states or static:
        raise ArgumentError("the most probable words and the states are of words, and so are surprisals without "
                            f"adaptation: give by='word', not '{by}'")
    rows_of = sentence_rows if by == "sentence" else text_rows
    return rows_of(model, vocabulary, parts, protocol=protocol, base=base, spelling=spelling)
