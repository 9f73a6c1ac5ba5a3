"""Pruning by relative entropy: what is pruned, and what it costs."""

import math

import numpy as np
import pytest
from plain_lookup import index_of, log_prob
from small_texts import ids_of, random_lines, vocabulary

from rnnlm.ngrams.training import train_ngrams

WORDS = vocabulary()
LINES = random_lines()
IDS = ids_of(LINES, WORDS)


def grams(tables):
    """The n-grams of each order, sets of tuples."""
    before, found = [(i,) for i in range(tables.vocab_size)], []
    for order in tables.orders[1:]:
        before = [before[key // tables.vocab_size] + (key % tables.vocab_size,) for key in order.keys.tolist()]
        found.append(set(before))
    return found


def expected_loss(tables, other, context):
    """The relative entropy of two models after one context."""
    logs = [[log_prob(one, word, context) for word in range(one.vocab_size)] for one in (tables, other)]
    return sum(math.exp(a) * (a - b) for a, b in zip(*logs, strict=True))


def test_an_ngram_is_pruned_if_the_perplexity_rises_by_less_than_the_threshold():
    """By brute force: each bigram of a bigram model is removed by itself."""
    whole = train_ngrams(IDS, WORDS, 2).tables
    order, V, rises = whole.orders[1], len(WORDS), {}
    for i, key in enumerate(order.keys.tolist()):
        context = key // V
        words = [word for word in range(V) if index_of(whole, (context, word)) not in (None, i)]
        kept = [math.exp(log_prob(whole, word, (context,))) for word in words]
        below = [math.exp(log_prob(whole, word, ())) for word in words]
        weight = (1 - sum(kept)) / (1 - sum(below))
        entropy = 0.0
        for word in range(V):
            p = math.exp(log_prob(whole, word, (context,)))
            q = kept[words.index(word)] if word in words else weight * math.exp(log_prob(whole, word, ()))
            entropy += p * math.log(p / q)
        frequency = np.equal(IDS, context).mean()
        rises[(context, key % V)] = math.expm1(frequency * entropy)
    values = sorted(rises.values())
    for threshold in (values[5] * 1.01, values[len(values) // 2] * 1.001, values[-3] * 1.01):
        (kept,) = grams(train_ngrams(IDS, WORDS, 2, prune_entropy=threshold).tables)
        assert kept == {gram for gram, rise in rises.items() if rise >= threshold}


@pytest.mark.parametrize("threshold", [1e-4, 1e-2])
def test_what_is_kept_keeps_its_probability_and_its_parts(threshold):
    whole = train_ngrams(IDS, WORDS, 4).tables
    pruned = train_ngrams(IDS, WORDS, 4, prune_entropy=threshold).tables
    before, after = grams(whole), grams(pruned)
    for n, kept in enumerate(after):
        assert kept <= before[n]
        for gram in kept:
            assert log_prob(pruned, gram[-1], gram[:-1]) == log_prob(whole, gram[-1], gram[:-1])
            assert n == 0 or {gram[1:], gram[:-1]} <= after[n - 1]
    assert sum(map(len, after)) < sum(map(len, before))


def test_a_higher_threshold_leaves_fewer_ngrams_and_a_higher_perplexity():
    sizes, losses = [], []
    contexts = [tuple(IDS[i - 3 : i].tolist()) for i in range(3, 60) if WORDS.eos_id not in IDS[i - 2 : i]]
    whole = train_ngrams(IDS, WORDS, 4).tables
    for threshold in (0, 1e-4, 1e-3, 1e-2):
        tables = train_ngrams(IDS, WORDS, 4, prune_entropy=threshold).tables
        sizes.append(sum(order.keys.size for order in tables.orders))
        losses.append(np.mean([expected_loss(whole, tables, context) for context in contexts]))
    assert sizes == sorted(sizes, reverse=True)
    assert losses == sorted(losses)
    assert losses[0] == 0 < losses[1] < 0.02
