import numpy as np
import pytest

from rnnlm.models import LanguageModel
from rnnlm.models.cells import CELLS
from rnnlm.scoring.evaluation import token_log_probs
from rnnlm.scoring.words import sequence_scores, stream_scores, window_scores


def a_model(rng, **options):
    model = LanguageModel(12, 5, 6, rng=rng, **options)
    for param in model.params:  # away from the near-uniform start
        param += 0.5 * rng.standard_normal(param.shape).astype(np.float32)
    return model


@pytest.mark.parametrize("plain", [True, False])
@pytest.mark.parametrize("cell", CELLS)
def test_each_sequence_scores_what_it_scores_alone(cell, plain, rng, monkeypatch):
    monkeypatch.setattr("rnnlm.scoring.words.ROWS", 40)  # several batches, and windows within the longest sequences
    model, lengths = a_model(rng, cell=cell, plain=plain), np.array([3, 0, 1, 25, 3, 60, 2, 2, 9])
    ids = rng.integers(0, 12, lengths.sum())
    alone = [token_log_probs(model, part, 0) for part in np.split(ids, np.cumsum(lengths)[:-1])]
    found = sequence_scores(model, ids, lengths, 0, details=True, top=2)
    np.testing.assert_allclose(found.log_probs, np.concatenate(alone), atol=1e-5)
    for start, stop in [(0, 3), (4, 29)]:
        with model.fresh_state():
            (_, scores), = stream_scores(model, ids[start:stop], 0, details=True, top=2)
        for name, array in scores.arrays().items():
            np.testing.assert_allclose(found.arrays()[name][start:stop], array, atol=1e-5)


def test_nothing_to_score(rng):
    assert sequence_scores(a_model(rng), [], [], 0).log_probs.size == 0
    assert sequence_scores(a_model(rng), [], [0, 0], 0).log_probs.size == 0


def test_a_stream_in_parts_is_the_stream(rng):
    model, ids = a_model(rng), rng.integers(0, 12, 50)
    with model.fresh_state():
        parts = [scores.log_probs for start, stop, last in [(0, 20, 0), (20, 21, ids[19]), (21, 50, ids[20])]
                 for _, scores in stream_scores(model, ids[start:stop], last)]
    np.testing.assert_allclose(np.concatenate(parts), token_log_probs(model, ids, 0), atol=1e-5)


class Bigrams:
    """A predictor with no more than ``predict`` and ``log_probs``."""

    def __init__(self, scores):
        self.scores = scores

    def predict(self, xs):
        return self.scores[xs]

    def log_probs(self, xs, ts):
        raise AssertionError("predict tells all")


def test_a_predictor_of_ones_own_has_details(rng):
    scores, xs, ts = rng.standard_normal((7, 7)), rng.integers(0, 7, (2, 5)), rng.integers(0, 7, (2, 5))
    counts = rng.random((2, 5)) < 0.5
    found = window_scores(Bigrams(scores), xs, ts, counts, details=True)
    probs = np.exp(scores[xs[counts]])
    probs /= probs.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(found.entropies, -(probs * np.log(probs)).sum(axis=1))
    np.testing.assert_allclose(found.log_probs, np.log(probs[np.arange(len(probs)), ts[counts]]))
