"""Minimal pairs in numbers: by UID, by phenomenon, by field, and overall.

Each UID counts as much as any other: an accuracy above UIDs is the mean of theirs, as
in BLiMP (Warstadt et al., 2020), where each has 1,000 pairs.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from rnnlm.scoring.pairs import PairScores

COUNTS = ("pairs", "ties", "same_ids", "with_unknown", "pairs_known")
BLIMP = "724adad9bfb1cade40bf103330c73a998e5e8f75e6a4bba10716e5b6311401c8"  # SHA-256 of its UIDs in order, one a line
BLIMP_PAIRS = 67_000


class Published(NamedTuple):
    """A published accuracy on BLiMP, and how many words the model was trained on."""

    model: str
    accuracy: float
    words: int | None
    text: str


# Warstadt et al. (2020), table 3 and section 4, in the revised version of the file
# BLiMP.pdf of their repository.  Figures of its 67 files agree with table 3.
PUBLISHED = (
    Published("5-gram", 0.612, 3_100_000_000, "Gigaword"),
    Published("LSTM", 0.698, 83_000_000, "Wikipedia"),
    Published("Transformer-XL", 0.696, 103_000_000, "WikiText-103"),
    Published("GPT-2 large", 0.830, 8_000_000_000, "WebText, estimated"),
    Published("people, one by one", 0.886, None, ""),
)


def summary(scores: PairScores) -> dict:
    """All numbers of pairs, ready for JSON.

    Returns
    -------
    dict with, by whole sentences:
        accuracy : the mean over UIDs.
        pairs, ties, same_ids, with_unknown : how many; ties are equal scores, among
            them the pairs that are the same ids; with_unknown, those in which a word is
            not in the vocabulary.
        accuracy_known, pairs_known : of pairs that are neither; the mean over UIDs that
            have some.
        one_prefix : the same by the method of one prefix; None if no pair has it.
        by_uid, by_phenomenon, by_field : dict from a name to such a dict.

        An accuracy is None where there is no pair.
    """
    uids = {}  # in order of first appearance
    numbers = np.array([uids.setdefault(pair.uid, len(uids)) for pair in scores.pairs])
    first = {pair.uid: pair for pair in reversed(scores.pairs)}
    tables = [_table(preferences, scores.ties, numbers, len(uids))
              for preferences in (scores.sentence, scores.one_prefix)]
    result = _group(tables, np.arange(len(uids)))
    result["by_uid"] = {uid: _group(tables, [i]) for uid, i in uids.items()}
    for name in ("phenomenon", "field"):
        groups = {}
        for uid, i in uids.items():
            groups.setdefault(getattr(first[uid], name), []).append(i)
        groups.pop(None, None)
        result[f"by_{name}"] = {group: _group(tables, members) for group, members in groups.items()}
    return result


def published(scores: PairScores) -> tuple[Published, ...]:
    """PUBLISHED if these are BLiMP's pairs, all of them; else nothing."""
    uids = "\n".join(sorted({pair.uid for pair in scores.pairs}))
    is_blimp = hashlib.sha256(uids.encode("utf-8", "surrogatepass")).hexdigest() == BLIMP
    return PUBLISHED if is_blimp and len(scores.pairs) == BLIMP_PAIRS else ()


def _table(preferences, ties, numbers, count):
    """Of each UID: COUNTS and the sums of what is right, a dict of arrays."""
    scored, tied, right = preferences.scored, preferences.tied, preferences.right(ties)
    unknown = preferences.unknown.any(axis=1)
    known = scored & ~tied & ~unknown
    chosen = {"pairs": scored, "ties": scored & tied, "same_ids": scored & preferences.same_ids,
              "with_unknown": scored & unknown, "pairs_known": known, "right": np.where(scored, right, 0),
              "right_known": np.where(known, right, 0)}
    return {name: np.bincount(numbers, values, count) for name, values in chosen.items()}


def _group(tables, members):
    """The numbers of some UIDs, by both methods."""
    whole, prefix = (_numbers(table, members) for table in tables)
    return {**whole, "one_prefix": prefix if prefix["pairs"] else None}


def _numbers(table, members):
    """The numbers of some UIDs by one method."""
    part = {name: values[members] for name, values in table.items()}
    counts = {name: int(part[name].sum()) for name in COUNTS}
    return {"accuracy": _mean(part["right"], part["pairs"]), **counts,
            "accuracy_known": _mean(part["right_known"], part["pairs_known"])}


def _mean(right, pairs):
    """The mean accuracy of the UIDs that have pairs; None without any."""
    some = pairs > 0
    return float(np.mean(right[some] / pairs[some])) if some.any() else None
