"""What a mixture scores on a text, and what each of its parts scores by itself."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from rnnlm.compute.functions import perplexity
from rnnlm.mixing.mixture import Mixture
from rnnlm.mixing.outside import OutsideProbs, WithOutside
from rnnlm.scoring.evaluation import WINDOW, Evaluation, evaluate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from rnnlm.scoring.predictor import Scores
    from rnnlm.scoring.spelling import Spelling
    from rnnlm.text.encoded import EncodedText


@dataclass
class PartFigures:
    """What one part of a mixture scores by itself.

    Attributes
    ----------
    weight : in the mixture.
    log_prob : sum of ln p over the tokens that it predicts, nats.
    targets : how many they are.
    zeros : how many tokens have probability 0 under it, and are left out.
    """

    weight: float
    log_prob: float = 0.0
    targets: int = 0
    zeros: int = 0

    @property
    def perplexity(self) -> float:
        """exp(-log_prob / targets)."""
        return perplexity(-self.log_prob, self.targets)

    def add(self, log_probs: np.ndarray) -> None:
        """Count the ln p of more tokens."""
        there = ~(np.isneginf(log_probs) | np.isnan(log_probs))  # nan: a word that none of them knows
        self.log_prob += float(log_probs.sum(where=there))
        self.targets += int(np.count_nonzero(there))
        self.zeros += int(np.count_nonzero(np.isneginf(log_probs)))


def evaluate_parts(model: Scores, text: EncodedText, eos_id: int, window: int = WINDOW,
                   on_window: Callable[[int], object] | None = None,
                   spelling: Spelling | None = None) -> tuple[Evaluation, list[PartFigures]]:
    """What ``evaluate`` gives of any predictor, and the figures of a mixture's parts.

    The parts are scored in the same pass.  A file of probabilities is the last of them.
    Any predictor but a Mixture or WithOutside has no parts.  Parameters, errors: see
    ``evaluate``; RnnlmError if a file of probabilities is not that of the text.
    """
    if not isinstance(model, Mixture | WithOutside):
        return evaluate(model, text, eos_id, window, on_window, spelling), []
    parts = Recording(model, text)
    result = evaluate(parts, text, eos_id, window, on_window, spelling)
    parts.finish()
    return result, parts.figures


class Recording:
    """A mixture that reads one text in order, and adds up what its parts say of it.

    Parameters
    ----------
    model : Mixture or WithOutside.
    text : the EncodedText that will be read.

    Raises
    ------
    RnnlmError : a file of probabilities is not that of the text.
    """

    def __init__(self, model: Any, text: EncodedText) -> None:
        self.mixture, self.outside, share = model, None, 1.0
        if isinstance(model, WithOutside):
            (self.mixture,), self.outside, share = model.parts, model, model.weights[0]
        self.figures = [PartFigures(float(share * weight)) for weight in self.mixture.weights]
        if self.outside:
            self.figures.append(PartFigures(float(model.weights[1])))
        self.vocabulary_fingerprint = model.vocabulary_fingerprint
        self.reads_unknown = model.reads_unknown
        self.read = 0
        self.offsets = None if text.kept is None or self.reads_unknown else np.flatnonzero(text.kept)
        self.written = len(text.ids) if text.kept is None else len(text.kept)  # tokens of the text as written
        if self.outside:
            self.outside.outside.require(self.written)  # before a long text is scored in vain

    @contextmanager
    def fresh_state(self) -> Iterator[None]:
        """A block in which the mixture starts afresh."""
        with self.mixture.fresh_state():
            yield

    def log_probs(self, xs: np.ndarray, ts: np.ndarray) -> np.ndarray:  # ids (1, T), ids (1, T) -> (1, T)
        """ln p of the next T tokens of the text."""
        found, of_parts = self.mixture.log_probs_with_parts(xs, ts)
        if self.outside:
            probs = self._next_outside(ts.shape[1])
            found, of_parts = self.outside.with_probs(found[0], probs)[np.newaxis], [*of_parts, probs]
        for figures, log_probs in zip(self.figures, of_parts, strict=True):
            figures.add(log_probs)
        return found

    def _next_outside(self, count):  # -> (count,)
        """ln p of the next tokens that are predicted; the file has the others, too."""
        first, self.read = self.read, self.read + count
        if self.offsets is None:
            return self.outside.outside.take(count)
        start = self.offsets[first - 1] + 1 if first else 0
        offsets = self.offsets[first : first + count]
        return self.outside.outside.take(int(offsets[-1]) + 1 - start)[offsets - start]

    def finish(self) -> None:
        """RnnlmError unless the file of probabilities ends with the text."""
        if self.outside:
            probs: OutsideProbs = self.outside.outside
            probs.take(self.written - probs.read)
            probs.finish()
