"""Where the clusters of an adaptive softmax begin."""

from itertools import combinations, pairwise

import numpy as np
import pytest

from rnnlm.models import cutoffs
from rnnlm.models.cutoffs import cutoffs_for


def zipf(V):
    return 1e6 / np.arange(1, V + 1)


@pytest.mark.parametrize("size", [1, 7, 100, 650])
@pytest.mark.parametrize("V", [2, 3, 10, 500, 1999, 10_000, 200_000, 1_000_000])
def test_cutoffs_are_such_as_a_model_can_have(V, size):
    found = cutoffs_for(zipf(V), size)
    assert found == cutoffs_for(list(zipf(V)), size)
    assert all(isinstance(cutoff, int) for cutoff in found)
    assert found[0] >= min(2000, V // 2)
    assert all(b >= 3 * a for a, b in pairwise(found))
    assert found[-1] < V
    assert size // 4 ** len(found) >= 3 or len(found) == 1


def test_a_single_word_has_no_cluster():
    assert cutoffs_for([5]) == cutoffs_for([]) == ()


@pytest.mark.parametrize(("V", "size", "expected"), [
    (500, 200, (250,)),                      # half of few words
    (10_000, 100, (2000, 6000)),             # clusters of 25 and 6 numbers; a third would have 1
    (200_000, 200, (2000, 13_000, 65_000)),
    (200_000, 15, (13_000,))])               # clusters of 3 and 0 numbers
def test_cutoffs_of_words_by_zipf(V, size, expected):
    assert cutoffs_for(zipf(V), size) == expected


def test_no_other_cutoffs_cost_less(monkeypatch):
    """All that the rule allows are tried, with the cost as the module says it."""
    monkeypatch.setattr(cutoffs, "SMALLEST_HEAD", 3)
    monkeypatch.setattr(cutoffs, "CLUSTER", 50)
    V, D, shares = 60, 20, zipf(60) / zipf(60).sum()

    def cost(bounds):
        total = (bounds[0] + len(bounds)) * (D + 35 + 0.06 * D)
        for d, start, stop in zip((5, 1, 1), bounds, [*bounds[1:], V], strict=False):
            total += shares[start:stop].sum() * ((stop - start) * (d + 35) + D * d) + 0.06 * (stop - start) * d + 50
        return total

    monkeypatch.setattr(cutoffs, "FEWEST_NUMBERS", 1)
    allowed = [c for k in (1, 2) for c in combinations(range(3, V), k) if all(b >= 3 * a for a, b in pairwise(c))]
    assert cutoffs_for(zipf(V), D) == min(allowed, key=cost)


def test_where_rare_words_are_rarer_clusters_begin_earlier():
    assert cutoffs_for(zipf(200_000) ** 1.5)[1] < cutoffs_for(zipf(200_000))[1]
