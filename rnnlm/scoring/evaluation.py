"""Evaluation: how well a model predicts a text it has not seen."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from rnnlm.compute import arguments
from rnnlm.compute.functions import perplexity
from rnnlm.compute.one_process import WISHES, processes_of
from rnnlm.errors import ArgumentError, RnnlmError, counted
from rnnlm.scoring.predictor import reads_unknown
from rnnlm.scoring.spelling import Spelling
from rnnlm.text.encoded import EncodedText
from rnnlm.text.vocabulary import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike

    from rnnlm.scoring.predictor import Scores

WINDOW = 1024  # steps at a time; the result does not depend on it


@dataclass
class Evaluation:
    """Scores of one text.

    Attributes
    ----------
    sentences, words, oov : counts in the text as written; oov counts unknown words.
    targets : how many tokens were predicted, <eos> included.
    log_prob : sum of ln p over the targets, nats.
    oov_targets, log_prob_oov : their parts for unknown words, predicted as <unk>.
    bytes : those of the text as in its file, line ends included; None: not known.
    lost : what of the text was not predicted: "unknown words" (their spelling),
        "capitals", "blanks", "carriage returns" (of CRLF).
    spelling : sum of ln p of the spellings of the unknown words, nats; None: not asked
        for.
    """

    sentences: int
    words: int
    oov: int
    targets: int
    log_prob: float
    oov_targets: int = 0
    log_prob_oov: float = 0.0
    bytes: int | None = None
    lost: tuple[str, ...] = ()
    spelling: float | None = None

    @property
    def perplexity(self) -> float:
        """exp(-log_prob / targets)."""
        return perplexity(-self.log_prob, self.targets)

    @property
    def perplexity_without_oov(self) -> float:
        """The perplexity over the targets that are words of the vocabulary."""
        return perplexity(self.log_prob_oov - self.log_prob, self.targets - self.oov_targets)

    @property
    def bits_per_token(self) -> float:
        """-log_prob / targets in bits; inf where nothing was counted."""
        return -self.log_prob / self.targets / math.log(2) if self.targets else math.inf

    @property
    def bits_per_byte(self) -> float:
        """-(log_prob + spelling) / bytes in bits; nan where the bytes are not known.

        It compares models with different tokenizers and vocabularies.  If anything is
        lost, the bits of the whole text are more.
        """
        return -(self.log_prob + (self.spelling or 0.0)) / self.bytes / math.log(2) if self.bytes else math.nan


def token_log_probs(model: Scores, ids: ArrayLike | EncodedText, eos_id: int, window: int = WINDOW) -> np.ndarray:
    """ln p of every token of a text, given all tokens before it.

    The text is one stream from a fresh state.  <eos> opens it as context, so the first
    word is predicted too.  Afterwards the model's own state and dropout are as before.

    Parameters
    ----------
    model : LanguageModel, or another predictor with ``fresh_state`` and ``log_probs``.
    ids : (n,), or an EncodedText.
    eos_id : the id of <eos>.
    window : steps at a time; the result does not depend on it.

    Returns
    -------
    (n,) float64, nats.  For an EncodedText, a value for each token as written: the
        words and the line ends in order; nan for an unknown word if the vocabulary has
        no <unk>.

    Raises
    ------
    ArgumentError : the ids are not the model's.
    """
    text = ids if isinstance(ids, EncodedText) else None
    ids = arguments.ids_of_text("ids", ids) if text is None else ids_read(text, model)
    _require_fit(model, text, eos_id, window)
    log_probs = np.empty(len(ids))
    for part, values in _windows(model, ids, eos_id, window):
        log_probs[part] = values
    return log_probs if text is None or reads_unknown(model) else text.as_written(log_probs)


def ids_read(text: EncodedText, *models: Scores) -> np.ndarray:
    """The ids of a text that models read: without unknown words, or with UNKNOWN."""
    return text.with_unknown() if all(map(reads_unknown, models)) else text.ids


def _require_fit(model, text, eos_id, window):
    """ArgumentError unless a model can score the text (an EncodedText or None) so."""
    arguments.language_model("model", model, "log_probs")
    arguments.whole("eos_id", eos_id, 0)
    arguments.whole("window", window)
    known = getattr(model, "vocabulary_fingerprint", None)
    if text is not None and known and text.vocabulary_fingerprint not in (None, known):
        raise ArgumentError("text was encoded with another vocabulary than the model's: encode it with the one that "
                            "load_model returns with the model")


def _windows(model, ids, eos_id, window):
    """Yield the text window by window: the slice of it, and ln p of its tokens."""
    last = eos_id
    with model.fresh_state():
        for start in range(0, len(ids), window):
            ts = ids[start : start + window]
            xs = np.concatenate([[last], ts[:-1]])
            last = ts[-1]
            with np.errstate(over="ignore", invalid="ignore"):  # callers check the sum where they need to
                log_probs = model.log_probs(xs[np.newaxis], ts[np.newaxis])[0]
            yield slice(start, start + len(ts)), log_probs


def _spelled(text, spelling):
    """What is lost of a text, and the ln p of its unknown words' spellings."""
    if spelling is None:
        return {"lost": text.all_lost}
    arguments.kind("spelling", spelling, Spelling, "a Spelling")
    if text.oov and text.kept is not None:
        raise RnnlmError(f"the spelling of {counted(text.oov, 'unknown word')} cannot be charged, as the vocabulary "
                         "has no <unk> that would predict them: leave the charge out")
    return {"lost": text.lost, "spelling": spelling.log_prob(text.unknown)}


def evaluate(model: Scores, text: EncodedText, eos_id: int, window: int = WINDOW,
             on_window: Callable[[int], object] | None = None, spelling: Spelling | None = None) -> Evaluation:
    """Score a text as one stream from a fresh state; memory does not grow with it.

    The Processes of a model share the work: each calls this with the same arguments.

    Parameters
    ----------
    model : LanguageModel, or another predictor with ``fresh_state`` and ``log_probs``.
    text : EncodedText.
    eos_id : the id of <eos>.
    window : steps at a time; the result does not depend on it.
    on_window : function, called as on_window(targets) after each window; what it raises
        ends the evaluation.
    spelling : Spelling that is charged for each unknown word; None: nothing is.

    Returns
    -------
    Evaluation : sentences, words, oov, targets, log_prob (nats), perplexity,
        perplexity_without_oov, bits_per_token, bits_per_byte.

    Raises
    ------
    ArgumentError : the text has another vocabulary than the model, or another argument
        is wrong.
    RnnlmError : spellings are to be charged, and unknown words have no <unk>.
    """
    arguments.kind("text", text, EncodedText, "an EncodedText", "read_text(path, vocabulary) makes one")
    _require_fit(model, text, eos_id, window)
    result = Evaluation(text.sentences, text.words, text.oov, targets=len(text.ids), log_prob=0.0, bytes=text.bytes,
                        **_spelled(text, spelling))
    shared = processes_of(model).size > 1
    for part, *sums in (_shared_sums if shared else _sums)(model, text, eos_id, window):
        result.log_prob += sums[0]
        result.oov_targets += int(np.count_nonzero(text.is_oov[part]))
        result.log_prob_oov += sums[1]
        if on_window:
            on_window(part.stop - part.start)
    return result


def _sums(model, text, eos_id, window):
    """Yield for each window its slice of the ids, ln p in all, and of unknown words."""
    ids, start = ids_read(text, model), 0
    for read, log_probs in _windows(model, ids, eos_id, window):
        log_probs = log_probs[ids[read] != UNKNOWN] if len(ids) > len(text.ids) else log_probs
        part = slice(start, start + len(log_probs))
        start = part.stop
        yield part, *_sums_of(log_probs, text.is_oov[part])


def _sums_of(log_probs, is_oov):
    return float(log_probs.sum(dtype=np.float64)), float(log_probs.sum(where=is_oov, dtype=np.float64))


def _shared_sums(model, text, eos_id, window):
    """What ``_sums`` yields, bit for bit, in several processes.

    All of them go through the whole text, as each state needs the one before.  But the
    scores of a window, most of the work, are computed by one process: they take turns.
    """
    processes = processes_of(model)
    starts = range(0, len(text.ids), window)
    with model.fresh_state(), np.errstate(over="ignore", invalid="ignore"):
        for first in range(0, len(starts), processes.size):
            parts = [slice(start, min(start + window, len(text.ids))) for start in starts[first:][: processes.size]]
            sums = np.zeros(2 * processes.size + WISHES)  # zeros leave the bits of what is added to them
            for rank, part in enumerate(parts):
                ts = text.ids[part]
                xs = np.concatenate([[text.ids[part.start - 1] if part.start else eos_id], ts[:-1]])[np.newaxis]
                if rank == processes.rank:
                    sums[2 * rank : 2 * rank + 2] = _sums_of(model.log_probs(xs, ts[np.newaxis])[0], text.is_oov[part])
                else:
                    model.states(xs)
            processes.sum(sums)
            for rank, part in enumerate(parts):
                yield part, *sums[2 * rank : 2 * rank + 2].tolist()
