"""Kneser-Ney smoothing against its definition; the probabilities sum to 1."""

import math

import numpy as np
import pytest
from plain_kneser_ney import END, START, KneserNey
from plain_lookup import log_prob, total
from small_texts import contexts_of, ids_of, random_lines, vocabulary

from rnnlm.errors import ArgumentError
from rnnlm.ngrams.counts import BYTES_OF_A_TOKEN
from rnnlm.ngrams.discounts import FALL_BACK, discounts_of
from rnnlm.ngrams.training import train_ngrams
from rnnlm.text.vocabulary import EOS, Vocabulary


def named(words, ids, context=False):
    """Words by id, for the plain computation."""
    return tuple((START if context else END) if i == words.eos_id else words.words[i] for i in ids)


def trained(lines, words, order, **options):
    return train_ngrams(ids_of(lines, words), words, order, **options)


@pytest.mark.parametrize("order", range(1, 7))
@pytest.mark.parametrize(("prune", "interpolate"), [((), True), ((), False), ((0, 0, 1), True), ((0, 1, 1, 2), False)])
def test_probabilities_are_those_of_the_definition(order, prune, interpolate):
    prune, words, lines = prune[:order], vocabulary(), random_lines()
    model = trained(lines, words, order, prune=prune, interpolate_unigrams=interpolate)
    plain = KneserNey(lines, order, [*named(words, range(len(words)))], prune, interpolate)
    assert [one.values for one in model.discounts] == [
        pytest.approx(plain.discounts[n], rel=1e-12) for n in range(1, order + 1)]
    for context in contexts_of(lines, words, 12):
        for word in range(len(words)):
            expected = plain.prob(*named(words, [word]), named(words, context, context=True))
            assert log_prob(model.tables, word, context) == pytest.approx(math.log(expected), abs=2e-6)


@pytest.mark.parametrize("options", [
    {}, {"prune": (0, 0, 1)}, {"prune": (0, 2)}, {"prune_entropy": 1e-3}, {"prune": (0, 1), "prune_entropy": 1e-2},
    {"interpolate_unigrams": False}, {"prune_entropy": 0.5}])
def test_probabilities_sum_to_one_after_seen_and_unseen_words(options):
    words, lines = vocabulary(), random_lines()
    tables = trained(lines, words, 4, **options).tables
    contexts = [*contexts_of(lines, words, 30), (words.ids["z"],), (words.unk_id, words.ids["a"]), (words.eos_id,)]
    assert [total(tables, context) for context in contexts] == pytest.approx([1] * len(contexts), abs=2e-6)


def test_pieces_give_the_model_of_the_whole_bit_for_bit():
    words, lines = vocabulary(), random_lines()
    options = {"prune": (0, 0, 1), "prune_entropy": 1e-4}
    whole, pieces = (trained(lines, words, 5, memory=memory, **options).tables.orders
                     for memory in (1 << 30, 37 * BYTES_OF_A_TOKEN))
    for one, other in zip(whole, pieces, strict=True):
        assert (one.keys == other.keys).all()
        assert (one.log_probs == other.log_probs).all()
        assert one.back_offs is other.back_offs is None or (one.back_offs == other.back_offs).all()


def test_a_word_that_the_text_lacks_has_its_share_of_what_the_discounts_take():
    """Worked by hand: a b / a, unigrams, discounts 0.5, 1, 1.5 as the text is small."""
    words = Vocabulary(["a", "b", EOS, "<unk>", "z"])
    probs = {}
    for interpolate in (True, False):
        (order,) = trained([["a", "b"], ["a"]], words, 1, interpolate_unigrams=interpolate).tables.orders
        probs[interpolate] = np.exp(order.log_probs)
        assert order.back_offs is None
    own, taken = np.array([1, 0.5, 1, 0, 0]) / 5, 2.5 / 5  # counts: a 2, b 1, line end 2
    assert probs[True] == pytest.approx(own + taken / 5, rel=1e-6)
    assert probs[False] == pytest.approx([*own[:3], taken / 2, taken / 2], rel=1e-6)


def test_without_interpolation_and_unseen_words_a_share_is_lost_and_told():
    words = vocabulary(more=())
    model = trained(random_lines(), words, 2, interpolate_unigrams=False)
    assert 0.001 < model.lost < 0.5
    assert np.exp(model.tables.orders[0].log_probs).sum() == pytest.approx(1 - model.lost, abs=1e-6)
    assert trained(random_lines(), words, 2).lost == 0


@pytest.mark.parametrize("lines", [[], [[]], [["a"]], [["a"], ["a"]], [[], [], []]])
@pytest.mark.parametrize("order", [1, 2, 6])
def test_the_smallest_texts_have_models_too(lines, order):
    words = vocabulary()
    model = trained(lines, words, order)
    assert not any(one.estimated for one in model.discounts)
    for context in ((), (words.eos_id,), (words.ids["a"],), (words.eos_id, words.ids["a"]), (0, 1, 2)):
        assert total(model.tables, context) == pytest.approx(1, abs=1e-6)
    if not lines:
        assert model.tables.orders[0].log_probs == pytest.approx(-math.log(len(words)), abs=1e-6)


def test_an_empty_line_is_a_start_that_ends():
    words = vocabulary()
    tables = trained([[], [], ["a"]], words, 2).tables
    e = words.eos_id
    assert tables.orders[1].keys.tolist() == [e, e * len(words), e * len(words) + e]  # a <eos>, <eos> a, <eos> <eos>
    assert log_prob(tables, e, (e,)) > log_prob(tables, words.ids["a"], (e,))


def test_discounts_are_those_of_the_equation():
    """n = 10, 5, 4, 3: Y = 10 / 20 = 1/2, D = 1 - 2/2 * 5/10, 2 - 3/2 * 4/5, ..."""
    found = discounts_of([10, 5, 4, 3])
    assert found.values == pytest.approx((0.5, 0.8, 1.5))
    assert found.estimated


@pytest.mark.parametrize("counts", [[0, 5, 4, 3], [10, 0, 4, 3], [10, 5, 0, 3], [10, 5, 4, 0], [1, 1, 9, 1],
                                    [9, 9, 1, 9]])
def test_discounts_fall_back_where_a_text_is_too_small(counts):
    found = discounts_of(counts)
    assert (found.values, found.estimated) == (FALL_BACK, False)


@pytest.mark.parametrize(("order", "options", "message"), [
    (0, {}, "order must be"), (7, {}, "order must be from 1 to 6, got 7"),
    (2, {"prune": (0, 0, 1)}, "prune must be at most 2 whole numbers"), (3, {"prune": (1,)}, "0 for the unigrams"),
    (3, {"prune": (0, 2, 1)}, "none smaller than the one before, got 0 2 1"), (3, {"prune": (0, -1)}, "prune must be"),
    (3, {"prune": (0, 0.5)}, "prune must be")])
def test_wrong_values_are_refused(order, options, message):
    with pytest.raises(ArgumentError, match=message):
        trained([["a"]], vocabulary(), order, **options)
