import math
from functools import partial

import numpy as np
import pytest

from rnnlm.compute.word_scores import WordScores
from rnnlm.errors import ArgumentError
from rnnlm.models import LanguageModel
from rnnlm.models.cells import CELLS
from rnnlm.scoring.evaluation import token_log_probs
from rnnlm.scoring.words import sequence_scores, states_after, stream_scores, window_scores


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


@pytest.mark.parametrize("options", [*({"cell": cell} for cell in CELLS), {"activation": "relu"}, {"tied": True},
                                     {"cell": "lstm", "projection": True, "layers": 2}], ids=str)
def test_against_64_bits(options, rng):
    """The scores of sequences in 32 bits, from those of the words one by one in 64."""
    model, lengths = a_model(rng, **options), np.array([4, 1, 7, 4, 2])
    wide = LanguageModel(12, 5, 6, rng=None, dtype=np.float64, plain=True, **options)
    for name, param in wide.named_params().items():
        param[...] = model.named_params()[name]
    ids = rng.integers(0, 12, lengths.sum())
    rows = []
    for part in np.split(ids, np.cumsum(lengths)[:-1]):
        with wide.fresh_state():
            rows.extend(np.array(wide.predict([[word]])[0, 0]) for word in [3, *part[:-1]])
    log_probs = np.array([row - math.log(sum(math.exp(score) for score in row)) for row in rows])
    found = sequence_scores(model, ids, lengths, 3, details=True, top=5)
    of_targets = log_probs[np.arange(len(ids)), ids]
    close = partial(np.testing.assert_allclose, rtol=0, atol=1e-5)
    close(found.log_probs, of_targets)
    close(found.entropies, [-sum(math.exp(p) * p for p in row) for row in log_probs])
    assert found.ranks.tolist() == [1 + sum(row > p) for row, p in zip(log_probs, of_targets, strict=True)]
    assert found.top.tolist() == [sorted(range(12), key=lambda word: -row[word])[:5] for row in log_probs.tolist()]
    close(found.top_log_probs, -np.sort(-log_probs, axis=1)[:, :5])
    close(sequence_scores(model, ids, lengths, 3).log_probs, of_targets)


ALIKE = {"some": ([5, 5, 5, 2, 5, 1, 5], 3), "all": ([6] * 9, 1), "few": ([5] * 20, 2), "one": ([1] * 12, 12),
         "long": ([90, 90, 3, 90], 2), "twice": ([4, 4, 4, 4, 2, 2], 2)}


@pytest.mark.parametrize("rows", [40, 4000])
@pytest.mark.parametrize("cell", ["rnn", "lstm"])
@pytest.mark.parametrize(("lengths", "words"), ALIKE.values(), ids=ALIKE)
def test_sequences_that_begin_alike_share_their_rows(lengths, words, cell, rows, rng, monkeypatch):
    monkeypatch.setattr("rnnlm.scoring.words.ROWS", rows)
    model, ids = a_model(rng, cell=cell), rng.integers(0, words, sum(lengths))
    passed = []

    def spied(rows, ts, *more, plain=model.output.word_scores):
        passed.append(len(rows))
        return plain(rows, ts, *more)

    monkeypatch.setattr(model.output, "word_scores", spied)
    parts, state = np.split(ids, np.cumsum(lengths)[:-1]), states_after(model, [7, 8], 0, None)
    for options in ({}, {"last": rng.integers(0, 2, len(lengths))}, {"states": state, "last": 8}):
        passed.clear()
        found = sequence_scores(model, ids, lengths, 0, details=True, top=3, with_states=True, **options)
        shared = sum(passed)
        before = np.broadcast_to(options.get("last", 0), len(lengths))
        alone = WordScores.joined([sequence_scores(model, part, [len(part)], 0, details=True, top=3, with_states=True,
                                                   **options | {"last": last})
                                   for part, last in zip(parts, before, strict=True)])
        for name, array in alone.arrays().items():
            np.testing.assert_allclose(found.arrays()[name], array, atol=1e-5, err_msg=name)
        if len(set(lengths)) == 1 and rows == 4000:  # one batch, in which those that begin alike are neighbours
            assert shared == len({(last, *part[:t]) for part, last in zip(parts, before, strict=True)
                                  for t in range(len(part))})


@pytest.mark.parametrize("lengths", [[2], [2, 2], [-1, 4]])
def test_lengths_are_those_of_the_ids(lengths, rng):
    with pytest.raises(ArgumentError, match="lengths must be at least 0 and add up to the 3 ids, got"):
        sequence_scores(a_model(rng), [1, 2, 3], lengths, 0)


def test_nothing_to_score(rng):
    assert sequence_scores(a_model(rng), [], [], 0).log_probs.size == 0
    assert sequence_scores(a_model(rng), [], [0, 0], 0).log_probs.size == 0


def test_nothing_has_all_that_was_asked_for(rng):
    found = sequence_scores(a_model(rng), [], [0], 0, details=True, top=3)
    assert {name: array.shape for name, array in found.arrays().items()} == {
        "log_probs": (0,), "entropies": (0,), "ranks": (0,), "top": (0, 3), "top_log_probs": (0, 3)}


@pytest.mark.parametrize("cell", CELLS)
def test_sequences_go_on_from_states(cell, rng):
    """A text that was cut in two scores what the whole text scores."""
    model, lengths = a_model(rng, cell=cell, layers=2), np.array([9, 4, 0, 7])
    ids, cuts = rng.integers(0, 12, lengths.sum()), np.array([3, 1, 0, 6])
    starts = np.cumsum(lengths) - lengths
    first = [ids[start : start + cut] for start, cut in zip(starts, cuts, strict=True)]
    rest = [ids[start + cut : start + size] for start, cut, size in zip(starts, cuts, lengths, strict=True)]
    with model.fresh_state():
        model.states(np.zeros((2, 1), np.int32))  # the model's own state, of a batch of two
        mine = model.get_state()
        states = [states_after(model, part, 0, None) for part in first]
        states = [tuple(np.concatenate([np.zeros((1, 6), np.float32) if array is None else array for array in arrays])
                        for arrays in zip(*layer, strict=True)) for layer in zip(*states, strict=True)]
        last = np.array([part[-1] if len(part) else 0 for part in first])
        found = sequence_scores(model, np.concatenate(rest), lengths - cuts, 0, states=states, last=last)
        for kept, now in zip(mine, model.get_state(), strict=True):
            np.testing.assert_array_equal(kept, now)
    whole = sequence_scores(model, ids, lengths, 0)
    wanted = np.concatenate([np.arange(start + cut, start + size)
                             for start, cut, size in zip(starts, cuts, lengths, strict=True)])
    np.testing.assert_allclose(found.log_probs, whole.log_probs[wanted], atol=1e-5)


def test_all_sequences_may_go_on_from_one_state(rng):
    model, lengths, before = a_model(rng, cell="lstm"), np.array([2, 5, 1]), rng.integers(0, 12, 30)
    ids = rng.integers(0, 12, lengths.sum())
    found = sequence_scores(model, ids, lengths, 0, states=states_after(model, before, 0, None), last=before[-1])
    for part, scores in zip(np.split(ids, [2, 7]), np.split(found.log_probs, [2, 7]), strict=True):
        whole = token_log_probs(model, np.concatenate([before, part]), 0)
        np.testing.assert_allclose(scores, whole[30:], atol=1e-5)


def test_nothing_read_leaves_the_states_as_they_are(rng):
    model = a_model(rng)
    assert states_after(model, [], 0, None) == [(None,)]
    (state,), = states = states_after(model, [3, 1], 0, None)
    np.testing.assert_array_equal(states_after(model, [], 5, states)[0][0], state)


@pytest.mark.parametrize("plain", [True, False])
def test_the_states_that_predict_each_word(plain, rng, monkeypatch):
    monkeypatch.setattr("rnnlm.scoring.words.WINDOW", 4)
    model, ids = a_model(rng, plain=plain), rng.integers(0, 12, 9)
    with model.fresh_state():
        states = np.array(model.states(np.concatenate([[0], ids[:-1]])[np.newaxis])[0])
    with model.fresh_state():
        parts = [scores for _, scores in stream_scores(model, ids, 0, with_states=True)]
    np.testing.assert_allclose(np.concatenate([part.states for part in parts]), states, atol=1e-6)
    found = sequence_scores(model, np.concatenate([ids[:1], ids, ids[:2]]), [1, 9, 2], 0, with_states=True)
    np.testing.assert_allclose(found.states, np.concatenate([states[:1], states, states[:2]]), atol=1e-6)


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


def test_a_predictor_of_ones_own_has_no_states():
    with pytest.raises(ArgumentError, match="a Bigrams has no word_scores"):
        window_scores(Bigrams(np.zeros((7, 7))), np.zeros((1, 1), int), np.zeros((1, 1), int), with_states=True)


def test_a_predictor_of_ones_own_has_details(rng):
    scores, xs, ts = rng.standard_normal((7, 7)), rng.integers(0, 7, (2, 5)), rng.integers(0, 7, (2, 5))
    counts = rng.random((2, 5)) < 0.5
    found = window_scores(Bigrams(scores), xs, ts, counts, details=True)
    probs = np.exp(scores[xs[counts]])
    probs /= probs.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(found.entropies, -(probs * np.log(probs)).sum(axis=1))
    np.testing.assert_allclose(found.log_probs, np.log(probs[np.arange(len(probs)), ts[counts]]))


@pytest.mark.parametrize("plain", [True, False])
def test_a_window_of_which_nothing_is_wanted_is_read(plain, rng):
    model, xs = a_model(rng, plain=plain), rng.integers(0, 12, (2, 3))
    with model.fresh_state():
        assert window_scores(model, xs, xs, np.zeros((2, 3), bool), True, 2).top.shape == (0, 2)
        (read,), = model.get_state()
    with model.fresh_state():
        model.states(xs)
        np.testing.assert_array_equal(model.get_state()[0][0], read)
