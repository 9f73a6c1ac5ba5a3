"""Evaluation: how well a model predicts a text it has not seen."""

import math
from dataclasses import dataclass

import numpy as np

from rnnlm.compute import arguments
from rnnlm.compute.functions import perplexity
from rnnlm.errors import ArgumentError
from rnnlm.text.corpus import EncodedText

WINDOW = 1024  # steps at a time; the result does not depend on it


@dataclass
class Evaluation:
    """Scores of one text.

    words, sentences, oov: counts of the text as written; targets: what was predicted, <eos> included;
    log_prob: sum of ln p over the targets; log_prob_oov, oov_targets: the part of it on words outside
    the vocabulary, predicted as <unk>.
    """

    sentences: int
    words: int
    oov: int
    targets: int
    log_prob: float
    oov_targets: int = 0
    log_prob_oov: float = 0.0

    @property
    def perplexity(self):
        """exp(-log_prob / targets)."""
        return perplexity(-self.log_prob, self.targets)

    @property
    def perplexity_without_oov(self):
        """The same over the targets that are words of the vocabulary."""
        return perplexity(self.log_prob_oov - self.log_prob, self.targets - self.oov_targets)

    @property
    def bits_per_token(self):
        """-log_prob / targets in bits; inf where nothing was counted."""
        return -self.log_prob / self.targets / math.log(2) if self.targets else math.inf


def token_log_probs(model, ids, eos_id, window=WINDOW):
    """ln p of every token of a text given all before it: ids (n,) -> (n,) float64.

    ids: an array, or an EncodedText.  Of the latter each token as written has a value, the words and the line ends
    in order: nan for a word that is neither in the vocabulary nor has an <unk> there to stand for it.

    One stream with a fresh state; <eos> opens the text as context, so the first word is predicted
    too.  The model's own state and dropout are as before afterwards.  ArgumentError for ids that are not the model's.
    """
    text = ids if isinstance(ids, EncodedText) else None
    ids = arguments.ids_of_text("ids", ids) if text is None else text.ids
    _require_fit(model, text, eos_id, window)
    log_probs = np.empty(len(ids))
    for part, values in _windows(model, ids, eos_id, window):
        log_probs[part] = values
    return log_probs if text is None else text.as_written(log_probs)


def _require_fit(model, text, eos_id, window):
    """ArgumentError unless a model can score the text (an EncodedText or None) with these."""
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
            with np.errstate(over="ignore", invalid="ignore"):  # who needs the sum to be a number looks at it
                log_probs = model.log_probs(xs[np.newaxis], ts[np.newaxis])[0]
            yield slice(start, start + len(ts)), log_probs


def evaluate(model, text, eos_id, window=WINDOW, on_window=None):
    """Score an EncodedText, read as one stream from a fresh state; memory does not grow with the text.

    on_window(targets): called after each window; what it raises ends the evaluation.
    Returns an Evaluation: sentences, words, oov, targets, log_prob (nats), perplexity,
    perplexity_without_oov, bits_per_token.  ArgumentError for a text that the model cannot have been made for.
    """
    arguments.kind("text", text, EncodedText, "an EncodedText", "read_text(path, vocabulary) makes one")
    _require_fit(model, text, eos_id, window)
    result = Evaluation(sentences=text.sentences, words=text.words, oov=text.oov, targets=len(text.ids), log_prob=0.0)
    for part, log_probs in _windows(model, text.ids, eos_id, window):
        is_oov = text.is_oov[part]
        result.log_prob += float(log_probs.sum(dtype=np.float64))
        result.oov_targets += int(np.count_nonzero(is_oov))
        result.log_prob_oov += float(log_probs.sum(where=is_oov, dtype=np.float64))
        if on_window:
            on_window(len(log_probs))
    return result
