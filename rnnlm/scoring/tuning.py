"""Tuning: the scale and the word penalty that give the fewest word errors.

The errors of a hypothesis are the fewest words that must be put in, left out or
exchanged to make the reference of it (Levenshtein, 1966), and the word error rate is
their sum over the sum of the references' words.  So each hypothesis is compared with
its reference once, whatever number of scales and penalties is tried.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from rnnlm.errors import RnnlmError, counted, shown
from rnnlm.scoring.nbest import combined
from rnnlm.text.nbest_files import words_of
from rnnlm.text.nbest_tables import BY_ORDER

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from rnnlm.scoring.nbest import Rescored
    from rnnlm.text.nbest_tables import References


def word_errors(reference: Sequence[str], hypotheses: Sequence[Sequence[str]]) -> list[int]:
    """The fewest errors of each hypothesis, all of them lists of words.

    RnnlmError unless rapidfuzz is installed.
    """
    distance = require_distance()
    return [distance(reference, hypothesis) for hypothesis in hypotheses]


def require_distance() -> Callable[[Sequence[str], Sequence[str]], int]:
    """The function that counts the errors; RnnlmError unless rapidfuzz is installed."""
    try:
        from rapidfuzz.distance.Levenshtein import distance
    except ImportError as error:
        raise RnnlmError("word error rates need the package rapidfuzz: pip install rapidfuzz, or this "
                         "package with its extra: pip install -e '.[wer]'") from error
    return distance


@dataclass
class Candidates:
    """What tuning needs of L lists with H hypotheses together.

    Attributes
    ----------
    starts : (L,), the number of the first hypothesis of each list.
    first_pass : (H,) scores of the first pass; None without one.
    log_probs, words, errors : (H,), of the model, and compared with the reference.
    reference_words : the words of all references.
    missing_errors : those of references without a list, which are all errors.
    without_reference, without_list, empty_references : how many lists have no
        reference, and are left out; how many references have no list; how many are
        empty.
    """

    starts: np.ndarray
    first_pass: np.ndarray | None
    log_probs: np.ndarray
    words: np.ndarray
    errors: np.ndarray
    reference_words: int
    missing_errors: int = 0
    without_reference: int = 0
    without_list: int = 0
    empty_references: int = 0

    def errors_of(self, totals: np.ndarray) -> int:  # (H,)
        """The errors of the largest total of each list, or the first of equal ones."""
        largest = np.repeat(np.maximum.reduceat(totals, self.starts), np.diff(self.starts, append=len(totals)))
        numbers = np.where(totals == largest, np.arange(len(totals)), len(totals))
        return int(self.errors[np.minimum.reduceat(numbers, self.starts)].sum()) + self.missing_errors

    def first_pass_errors(self) -> int:
        """Those of the first pass; without its scores, of the first of each list."""
        return self.errors_of(np.zeros(len(self.errors)) if self.first_pass is None else self.first_pass)

    def oracle_errors(self) -> int:
        """Those of the hypothesis of each list that has the fewest."""
        return self.errors_of(-self.errors)

    def rate(self, errors: int) -> float:
        """The word error rate, in per cent."""
        return 100 * errors / self.reference_words


def candidates(lists: Iterable[Rescored], references: References) -> Candidates:
    """The Candidates of scored lists.

    Parameters
    ----------
    lists : as ``rescore`` yields them; scale and penalty do not matter.
    references : their References.  A list without one is left out; of one without a
        list all words are errors.

    Raises
    ------
    RnnlmError : no list has a reference, or no reference a word; or the references have
        the order of the lists, and are not as many.
    """
    left, parts, lists_seen, end = dict(references.texts), [], 0, 0
    for found in lists:
        lists_seen, end = lists_seen + 1, max(end, found.source.position + 1)
        reference = left.pop(references.name(found.source), None)
        if reference is not None:
            texts = [words_of(hypothesis.text) for hypothesis in found.source.hypotheses]
            errors = np.array(word_errors(words_of(reference), texts))
            parts.append((found.first_pass, found.scores.log_probs, found.scores.words, errors))
    counts = [len(words_of(text)) for text in references.texts.values()]
    _require_references(references, len(parts), end, sum(counts))
    first_pass, log_probs, words, errors = (
        None if column[0] is None else np.concatenate(column) for column in zip(*parts, strict=True))
    sizes = np.array([len(part[-1]) for part in parts])
    return Candidates(np.cumsum(sizes) - sizes, first_pass, log_probs, words, errors, sum(counts),
                      sum(len(words_of(text)) for text in left.values()), lists_seen - len(parts), len(left),
                      counts.count(0))


def _require_references(references, lists, end, words):
    """RnnlmError unless references can belong to lists, and hold words.

    lists : how many of them have a reference; end : the last one's position, from 1.
    """
    if references.by == BY_ORDER and end != len(references.texts):
        raise RnnlmError("references must be as many as lists where they have the same order, got "
                         f"{len(references.texts):,} for {counted(end, 'list')}: give those of these lists, or "
                         "--references-by key if they have ids")
    if not lists:
        name = shown(repr(next(iter(references.texts))), 60)
        raise RnnlmError(f"references must be those of the lists, no list has one; the first is for {name}: give "
                         "those of these lists, or --references-by order")
    if not words:
        raise RnnlmError("references must hold words, all of them are empty: an error rate is errors for each word")


@dataclass
class Surface:
    """The errors for each scale and word penalty.

    Attributes
    ----------
    scales, penalties : (S,), (P,), what was tried, in rising order.
    errors : (S, P).
    best : the numbers of the best scale and penalty.
    """

    scales: np.ndarray
    penalties: np.ndarray
    errors: np.ndarray
    best: tuple[int, int] = field(init=False)

    def __post_init__(self) -> None:
        self.best = _best(self.scales, self.penalties, self.errors)

    def at_edge(self) -> list[str]:
        """Which of "scale" and "word penalty" are best at an end of what was tried.

        A scale cannot be below 0.
        """
        i, j = self.best
        scale = i == len(self.scales) - 1 or bool(i == 0 and self.scales[0] > 0)
        penalty = j in (0, len(self.penalties) - 1)
        return ["scale"] * (len(self.scales) > 1 and scale) + ["word penalty"] * (len(self.penalties) > 1 and penalty)


def surface(found: Candidates, scales: Sequence[float], penalties: Sequence[float]) -> Surface:
    """The Surface over all pairs of scales and penalties, both in rising order."""
    errors = np.empty((len(scales), len(penalties)), np.int64)
    for i, scale in enumerate(scales):
        for j, penalty in enumerate(penalties):
            errors[i, j] = found.errors_of(combined(found.first_pass, found.log_probs, found.words, scale, penalty))
    return Surface(np.asarray(scales), np.asarray(penalties), errors)


def _best(scales, penalties, errors):
    """The pair with the fewest errors.

    Of equal ones the one whose neighbours have the fewest, as it is likely to be good
    on other lists, too; then the smallest scale, then the penalty nearest to 0.
    """
    padded = np.pad(errors, 1, mode="edge")
    around = np.lib.stride_tricks.sliding_window_view(padded, (3, 3)).sum(axis=(2, 3))
    i, j = np.indices(errors.shape)
    order = np.lexsort([np.abs(penalties)[j].ravel(), scales[i].ravel(), around.ravel(), errors.ravel()])
    return int(i.flat[order[0]]), int(j.flat[order[0]])
