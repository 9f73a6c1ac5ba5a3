"""Scored n-best lists as lines of text, in the forms that programs read.

    tsv       a row for each hypothesis, under ``HEADING``
    classic   log10 of its probability, the sentence end included, a line each
    kaldi     ``UTTERANCE-NUMBER c1 ... c_end``, -ln p of each word and the sentence end
    moses     the line as it was, with the feature ``rnnlm= ln p`` after the others
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from rnnlm.text.cells import NA
from rnnlm.text.nbest_files import SEPARATOR

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from rnnlm.scoring.nbest import Rescored

HEADING = "utterance\thypothesis\trank\twords\tunknown\tlog_prob\tfirst_pass\ttotal\ttext"
FEATURE = "rnnlm="


def rows(found: Rescored, form: str, best: bool = False) -> Iterator[str]:
    """Yield the lines of a list, without their ends.

    Parameters
    ----------
    found : the list.
    form : one of FORMS.
    best : whether only the best hypothesis is wanted.
    """
    return FORMS[form](found, [found.best] if best else range(len(found.totals)))


def _tsv(found: Rescored, which: Iterable[int]) -> Iterator[str]:
    ranks = np.empty(len(found.totals), np.int64)
    ranks[found.order] = np.arange(1, len(ranks) + 1)
    for i in which:
        hypothesis, scores = found.source.hypotheses[i], found.scores
        first_pass = NA if found.first_pass is None else f"{found.first_pass[i]:.6f}"
        yield (f"{found.source.utterance}\t{hypothesis.number}\t{ranks[i]}\t{scores.words[i]}\t{scores.unknown[i]}\t"
               f"{scores.log_probs[i]:.6f}\t{first_pass}\t{found.totals[i]:.6f}\t{hypothesis.text}")


def kaldi_cost(cost: float) -> str:
    """-ln p of a word in a line of Kaldi's, which has a blank after each of them."""
    return f"{0.0 + cost:.4f} "  # -0.0 would be -0.0000


def _classic(found: Rescored, which: Iterable[int]) -> Iterator[str]:
    for i in which:
        yield f"{found.scores.log_probs[i] / math.log(10):.6f}"


def _kaldi(found: Rescored, which: Iterable[int]) -> Iterator[str]:
    for i in which:
        costs = "".join(map(kaldi_cost, -found.scores.word_log_probs[i]))
        yield f"{found.source.key(found.source.hypotheses[i])} {costs}"


def _moses(found: Rescored, which: Iterable[int]) -> Iterator[str]:
    for i in which:
        number, text, features, *more = found.source.hypotheses[i].fields
        name = f"{FEATURE} " if "=" in features or not features else ""  # in older files features have no names
        features = f"{features} {name}{found.scores.log_probs[i]:.6f}".strip()
        yield f" {SEPARATOR} ".join([number, text, features, *more])


FORMS = {"tsv": _tsv, "classic": _classic, "kaldi": _kaldi, "moses": _moses}
