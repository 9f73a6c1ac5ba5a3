"""Output biases that start at the words' frequencies, for users of the library."""

import numpy as np
import pytest

from rnnlm import LanguageModel
from rnnlm.errors import ArgumentError


@pytest.mark.parametrize("options", [{}, {"tied": True, "projection": True}, {"plain": True}])
def test_a_model_that_knows_nothing_predicts_each_word_as_often_as_it_occurs(options):
    model = LanguageModel(4, 3, 5, rng=None, **options)  # all weights are zeros
    model.start_at_frequencies([0, 1, 2, 5])
    expected = np.array([1, 2, 3, 6]) / 12  # each count one more
    xs = np.array([[1, 2, 3]])
    for word in range(4):
        np.testing.assert_allclose(model.log_probs(xs, np.full_like(xs, word)), np.log(expected[word]), rtol=1e-6)


@pytest.mark.parametrize("counts", [[1, 2], np.ones((4, 1)), [1, 2, 3, -1], [1, 2, 3, np.nan]])
def test_counts_that_cannot_be_are_one_line(counts):
    with pytest.raises(ArgumentError, match=r"counts must be numbers of at least 0, of shape \(4,\), got .*bincount"):
        LanguageModel(4, 3, 5, rng=None).start_at_frequencies(counts)
