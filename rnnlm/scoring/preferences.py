"""What a model prefers, by pair, UID, phenomenon and field, and overall.

Each UID counts as much as any other: an accuracy above UIDs is the mean of theirs, as
in BLiMP (Warstadt et al., 2020), where each has 1,000 pairs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from rnnlm.text.pairs_files import Pair

TIES = {"wrong": 0.0, "right": 1.0, "half": 0.5}  # what a tie counts
COUNTS = ("pairs", "ties", "same_ids", "with_unknown", "pairs_known")


@dataclass
class Preferences:
    """Two scores for each pair.

    Attributes
    ----------
    log_probs : (P, 2), ln p of the good and of the bad one, nats; nan for a pair that
        has no such scores.
    same_ids : (P,) bool, whether both are the same to the model.
    unknown : (P, 2), how many of the words are not in the vocabulary.
    """

    log_probs: np.ndarray
    same_ids: np.ndarray
    unknown: np.ndarray

    @property
    def scored(self) -> np.ndarray:
        """(P,) bool, which pairs have scores."""
        return ~np.isnan(self.log_probs[:, 0])

    @property
    def tied(self) -> np.ndarray:
        """(P,) bool, which pairs have two equal scores."""
        return self.log_probs[:, 0] == self.log_probs[:, 1]

    def right(self, ties: str = "wrong") -> np.ndarray:
        """(P,), 1 where the good one is more probable, else 0; for ties see TIES."""
        return np.where(self.tied, TIES[ties], self.log_probs[:, 0] > self.log_probs[:, 1])


@dataclass
class PairScores:
    """What a model says of pairs of sentences.

    Attributes
    ----------
    pairs : list of Pair, in their order.
    sentence, one_prefix : the Preferences by each method.
    ties : what a tie counts, "wrong", "right" or "half".
    """

    pairs: list[Pair]
    sentence: Preferences
    one_prefix: Preferences
    ties: str

    @property
    def accuracy(self) -> float:
        """By whole sentences: the mean over UIDs."""
        return self.summary()["accuracy"]

    def summary(self) -> dict:
        """All numbers of the pairs, ready for JSON.

        Returns
        -------
        dict with, by whole sentences:
            accuracy : the mean over UIDs.
            pairs, ties, same_ids, with_unknown : how many; ties are equal scores, among
                them the pairs that are the same ids; with_unknown, those in which a
                word is not in the vocabulary.
            accuracy_known, pairs_known : of pairs that are neither ties nor have an
                unknown word; the mean over UIDs that have some.
            one_prefix : the same by the method of one prefix; None if no pair has it.
            by_uid, by_phenomenon, by_field : dict from a name to such a dict.

            An accuracy is None where there is no pair.  A UID belongs to the phenomenon
            and the field of its first pair.
        """
        uids = {}  # in order of first appearance
        numbers = np.array([uids.setdefault(pair.uid, len(uids)) for pair in self.pairs])
        first = {pair.uid: pair for pair in reversed(self.pairs)}
        tables = [_table(preferences, self.ties, numbers, len(uids))
                  for preferences in (self.sentence, self.one_prefix)]
        result = _group(tables, np.arange(len(uids)))
        result["by_uid"] = {uid: _group(tables, [i]) for uid, i in uids.items()}
        for name in ("phenomenon", "field"):
            groups = {}
            for uid, i in uids.items():
                groups.setdefault(getattr(first[uid], name), []).append(i)
            groups.pop(None, None)
            result[f"by_{name}"] = {group: _group(tables, members) for group, members in groups.items()}
        return result


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
