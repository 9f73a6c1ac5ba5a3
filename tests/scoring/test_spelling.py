import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnlm.scoring import spelling
from rnnlm.scoring.spelling import END, SYMBOLS, Spelling


def test_a_tiny_model_by_hand():
    # a, end; a, b, end.  No context: c(a) 2, c(b) 1, c(end) 2; 5 in all, 3 distinct.
    p_a = (2 + 3 / 257) / 8
    p_end = (2 + 3 / 257) / 8
    # After a, which is also the whole context: end 1, b 1; 2 in all, 2 distinct.
    p_end_after_a = (1 + 2 * p_end) / 4
    # The first byte has no context.  The context is never longer than the word so far.
    assert Spelling(["a", "ab"]).nats("a") == pytest.approx(-math.log(p_a) - math.log(p_end_after_a))


def test_without_words_every_byte_is_as_likely():
    assert Spelling([]).nats("xyz") == pytest.approx(4 * math.log(257))
    assert Spelling([]).nats("\u00e9") == pytest.approx(3 * math.log(257))


@settings(max_examples=40, deadline=None)
@given(st.lists(st.text("ab\u00e9", max_size=7), max_size=6), st.binary(max_size=5))
def test_probabilities_after_any_bytes_sum_to_one(words, context):
    model = Spelling(words)
    assert sum(model._probability(context, symbol) for symbol in range(SYMBOLS)) == pytest.approx(1)
    assert model._probability(context, END) > 0


def test_a_word_like_those_of_the_vocabulary_is_cheaper_than_noise():
    model = Spelling(["walking", "talking", "walked", "talked", "jumping"])
    assert model.nats("jumped") < 0.7 * model.nats("qzxjvw")
    assert model.nats("walking") < model.nats("walkxng")


def test_of_many_words_the_rarest_are_taken(monkeypatch):
    monkeypatch.setattr(spelling, "MOST", 1)
    assert Spelling(["ab", "xy"]).nats("xy") == Spelling(["xy"]).nats("xy") != Spelling(["ab"]).nats("xy")
