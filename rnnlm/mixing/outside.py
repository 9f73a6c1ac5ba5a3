"""Probabilities of a model of another program, token by token, from a file.

The layout is that of the classic recurrent toolkit's interpolation: a line for each
word and each line end of the text, in order, with its probability (not a logarithm).  0
stands for a word that the other model does not know.  So of a distribution the file
tells one number only.  Sums over a text and rows of words can be mixed from it, in a
linear mixture; entropies, ranks and new words cannot.
"""

from __future__ import annotations

import os
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np

from rnnlm.compute.word_scores import WordScores
from rnnlm.errors import ArgumentError, RnnlmError, counted, shown
from rnnlm.mixing.combined import Combined
from rnnlm.mixing.mixture import LINEAR, Mixture, log_sum
from rnnlm.mixing.weights import require_weights
from rnnlm.scoring.words import window_scores
from rnnlm.text.cells import finite_number
from rnnlm.text.nbest_files import numbered_lines
from rnnlm.text.sources import STANDARD_INPUT, called

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import ArrayLike

ROUNDING = 1e-6  # by which a printed probability may be above 1


class OtherTextError(RnnlmError):
    """A file of probabilities has more or fewer lines than its text has tokens."""


class OutsideProbs:
    """A file of probabilities, read as the tokens of its text come.

    Parameters
    ----------
    path : of the file, compressed or not; ``-`` is standard input.

    Raises
    ------
    RnnlmError : here and where it is read, a line that is no probability.
    OtherTextError : where it is read, more or fewer lines than tokens.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path, self.read = path, 0
        self._probs = self._lines()

    def _lines(self) -> Iterator[float]:
        for number, line in numbered_lines(self.path):
            yield _probability(line, f"{called(self.path)} line {number}")

    def take(self, count: int) -> np.ndarray:  # -> (count,)
        """ln p of the next tokens, float64; -inf for a probability of 0."""
        probs = np.fromiter(islice(self._probs, count), np.float64)
        self.read += len(probs)
        if len(probs) < count:
            raise OtherTextError(
                f"{called(self.path)} must have a line for each word and each line end of the text, it ends after "
                f"{counted(self.read, 'line')}, and the text goes on: write </s> of each line, too, and give the file "
                "of this text")
        with np.errstate(divide="ignore"):
            return np.log(np.minimum(probs, 1))

    def finish(self) -> None:
        """OtherTextError unless all lines were taken."""
        if next(self._probs, None) is not None:
            raise OtherTextError(
                f"{called(self.path)} must have a line for each word and each line end of the text, which are "
                f"{self.read:,}, it has more: give the file of this text")

    def require(self, count: int) -> None:
        """RnnlmError unless a file has a probability for each of so many tokens.

        It is read to its end for this; a pipe, which can be read only once, is not.
        """
        if self.path != STANDARD_INPUT and os.path.isfile(self.path):
            whole = OutsideProbs(self.path)
            whole.take(count)
            whole.finish()


def _probability(line, where):
    """The probability of a line; RnnlmError if it is none."""
    value = finite_number(line.strip())
    if value is None:
        raise RnnlmError(f"{where} must be a probability alone, got {shown(repr(line), 60)}{_tool(line)}")
    if not 0 <= value <= 1 + ROUNDING:
        logarithm = ", which may be a logarithm" if value < 0 else ""
        raise RnnlmError(f"{where} must be a probability from 0 to 1, got {shown(line.strip(), 60)}{logarithm}")
    return value


def _tool(line):
    """What to do with a line of a tool's longer output; "" for any other."""
    fields = line.split()
    if line.lstrip().startswith("p(") and "] " in line:
        return ": of SRILM's -debug 2 keep the number after [...gram], see docs/mixing.md"
    if len(fields) in (2, 3) and finite_number(fields[1]) is not None:
        return ": of the classic toolkit's -debug 2 keep the second column, see docs/mixing.md"
    return ""


class WithOutside(Combined):
    """A predictor mixed with the probabilities of a file: linear, of the targets alone.

        p(w) = (1 - weight) p_model(w) + weight p_file(w)

    What is not known of a distribution raises an ArgumentError.  ``log_probs`` and
    ``word_scores`` are the model's own, because words may be read in any order; whoever
    has the scores in the text's order adds the file's by ``in_order``.

    Parameters
    ----------
    model : a predictor, such as a linear Mixture.
    outside : OutsideProbs of the text that will be read.
    weight : of the file.
    """

    def __init__(self, model: Any, outside: OutsideProbs, weight: float) -> None:
        super().__init__([model])
        self.outside, self.weights = outside, require_weights([1 - weight, weight], 2, adds_up=True)
        self.vocabulary_fingerprint = getattr(model, "vocabulary_fingerprint", None)

    def log_probs(self, xs: np.ndarray, ts: np.ndarray) -> np.ndarray:  # ids (N, T), ids (N, T) -> (N, T)
        """ln p of every target under the model alone; carries the state on."""
        return self.parts[0].log_probs(xs, ts)

    def word_scores(self, xs: np.ndarray, ts: np.ndarray, wanted: np.ndarray | None = None, details: bool = False,
                    top: int = 0, *, with_states: bool = False, repeats: np.ndarray | None = None) -> WordScores:
        """ln p of every target under the model alone; carries the state on."""
        if details or top:
            raise whole_needed()
        return window_scores(self.parts[0], xs, ts, wanted, with_states=with_states, repeats=repeats)

    def whole(self, scores: Sequence[np.ndarray]) -> np.ndarray:
        """An ArgumentError: the file tells nothing of the words that did not come."""
        raise whole_needed()

    def predict(self, xs: np.ndarray) -> np.ndarray:
        """The same ArgumentError."""
        raise whole_needed()

    def in_order(self, log_probs: ArrayLike) -> np.ndarray:  # (n,) -> (n,)
        """ln p of the next n tokens of the text as written, from the model's own.

        nan, of a token that the model does not score, stays nan.
        """
        return self.with_probs(np.asarray(log_probs, np.float64), self.outside.take(len(log_probs)))

    def end_of_text(self) -> None:
        """OtherTextError unless the file of probabilities ends with the text."""
        self.outside.finish()

    def with_probs(self, log_probs: np.ndarray, outside: np.ndarray) -> np.ndarray:  # (n,), (n,) -> (n,)
        """ln p of tokens, from the model's and the file's."""
        with np.errstate(divide="ignore"):
            return log_sum(np.log(self.weights)[:, np.newaxis] + np.array([log_probs, outside]))


def whole_needed() -> ArgumentError:
    """The error of what needs a whole distribution."""
    return ArgumentError("--probs has the probability of one word at a time: entropies, ranks, the most probable words "
                         "and new text need a model that can be asked for all words")


def linear_mixture(models: Sequence[Any], weights: ArrayLike, outside: OutsideProbs | None) -> Any:
    """The linear mixture of predictors and, last in the weights, of a file.

    A single predictor without a file is itself.
    """
    if outside is None:
        return Mixture(models, weights, LINEAR) if len(models) > 1 else models[0]
    weights = require_weights(weights, len(models) + 1, adds_up=True)
    rest = float(weights[:-1].sum())
    inner = weights[:-1] / rest if rest else np.full(len(models), 1 / len(models))
    return WithOutside(Mixture(models, inner, LINEAR), outside, float(weights[-1]))
