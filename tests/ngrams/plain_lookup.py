"""ln p of a word by the tables of an n-gram model, by their definition."""

import math

import numpy as np


def index_of(tables, words):
    """The index of an n-gram, a tuple of ids, in the tables; None: it is not there."""
    index = words[0]
    for order, word in zip(tables.orders[1:], words[1:], strict=False):
        key = index * tables.vocab_size + word
        index = int(np.searchsorted(order.keys, key))
        if index == order.keys.size or order.keys[index] != key:
            return None
    return index


def log_prob(tables, word, context):
    """ln p(word | context), a tuple of ids, the start of a line being that of <eos>."""
    context = context[max(0, len(context) - len(tables.orders) + 1) :]
    found = index_of(tables, (*context, word))
    if found is not None:
        return float(tables.orders[len(context)].log_probs[found])
    longer = index_of(tables, context)
    back_off = 0.0 if longer is None else float(tables.orders[len(context) - 1].back_offs[longer])
    return back_off + log_prob(tables, word, context[1:])


def total(tables, context):
    """The sum of all words' probabilities after a context."""
    return sum(math.exp(log_prob(tables, word, context)) for word in range(tables.vocab_size))
