import numpy as np
import pytest

import rnnlm.text.noising
from rnnlm import Noising, TimeBatches

# 0 1 0 2 0 1 3: after 0 came 1, 2 (three times in all), after 1 came 0 and 3, after 2
# came 0; 3 ends the text
TEXT = np.array([0, 1, 0, 2, 0, 1, 3], np.int32)
PROBS = [2 / 3, 2 / 2, 1 / 1, 0]  # different words that follow, over how often something does
ENDS = np.cumsum([2, 1, 1, 1]) / 5  # 0 follows 1 and 2; 1, 2 and 3 follow one word each


def test_words_in_many_contexts_are_replaced_most_and_drawn_most():
    noising = Noising(TEXT, 4, 0.6)
    np.testing.assert_allclose(noising.probs, 0.6 * np.array(PROBS))
    np.testing.assert_allclose(noising.ends, ENDS)


@pytest.mark.parametrize("chunk", [1, 2, 5])
def test_a_long_text_is_counted_piece_by_piece(chunk, monkeypatch):
    monkeypatch.setattr(rnnlm.text.noising, "CHUNK", chunk)
    noising = Noising(TEXT, 4, 1.0)
    np.testing.assert_allclose(noising.probs, PROBS)
    np.testing.assert_allclose(noising.ends, ENDS)


def test_as_many_words_are_replaced_as_should_be_by_what_should_be():
    noising, rng = Noising(TEXT, 4, 0.6), np.random.default_rng(0)
    for word, prob in enumerate(0.6 * np.array(PROBS)):
        xs, ts = noising(*np.full((2, 50, 1000), word, np.int32), rng)
        expected = prob * np.diff(ENDS, prepend=0)
        expected[word] += 1 - prob
        for ids in (xs, ts):
            np.testing.assert_allclose(np.bincount(ids.ravel(), minlength=4) / ids.size, expected, atol=0.012)


def test_the_inputs_go_on_being_the_targets_before():
    noising, rng = Noising(TEXT, 4, 1.0), np.random.default_rng(0)
    text = rng.integers(0, 3, (5, 21)).astype(np.int32)
    xs, ts = noising(text[:, :-1], text[:, 1:], rng)
    assert xs.shape == ts.shape == (5, 20)
    assert xs.dtype == ts.dtype == np.int32
    np.testing.assert_array_equal(xs[:, 1:], ts[:, :-1])
    assert (xs != text[:, :-1]).any()
    np.testing.assert_array_equal(text, np.random.default_rng(0).integers(0, 3, (5, 21)))  # the text itself stays


def test_batches_are_noised_anew_in_every_pass():
    batches = TimeBatches(np.resize(TEXT, 40), 2, 5, noising=Noising(np.resize(TEXT, 40), 4, 0.9),
                          rng=np.random.default_rng(0))
    plain = np.concatenate([xs for xs, _ in TimeBatches(np.resize(TEXT, 40), 2, 5)], axis=1)
    first, second = (np.concatenate([xs for xs, _ in batches], axis=1) for _ in range(2))
    assert first.shape == plain.shape
    assert (first != plain).any() and (second != plain).any() and (first != second).any()
