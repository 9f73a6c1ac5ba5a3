"""A process that owns some columns computes what an owner of all computes for them."""

import copy
from itertools import pairwise

import numpy as np
import pytest

from rnnlm.compute.draws import Columns
from rnnlm.layers import TimeDropout, TimeEmbedding, TimeWordDropout, WeightDrop
from rnnlm.models import LanguageModel, Regularisation
from rnnlm.text.noising import Noising

N, T, D, V = 7, 5, 3, 11
OWNERS = [[0, 7], [0, 3, 7], [0, 1, 5, 7]]  # where their columns begin, and the end
owners = pytest.mark.parametrize("edges", OWNERS, ids=lambda edges: f"{len(edges) - 1} owners")


def owned(edges):
    """The Columns of each owner, and which rows of a window they are."""
    return [(Columns(first, stop, N), slice(first, stop)) for first, stop in pairwise(edges)]


@owners
@pytest.mark.parametrize("per_window", [False, True])
def test_dropout_of_some_columns_is_a_part_of_that_of_all(edges, per_window, rng):
    xs = rng.normal(size=(2, N, T, D))
    whole = TimeDropout(0.4, rng=np.random.default_rng(2), per_window=per_window)
    windows = [whole.forward(window) for window in xs]
    assert (windows[0] == 0).any() and (windows[0] != 0).any()
    for columns, rows in owned(edges):
        layer = TimeDropout(0.4, rng=np.random.default_rng(2), per_window=per_window)
        layer.columns = columns
        for window, expected in zip(xs, windows, strict=True):
            np.testing.assert_array_equal(layer.forward(window[rows]), expected[rows])


@owners
def test_noising_of_some_columns_is_a_part_of_that_of_all(edges, rng):
    ids = rng.integers(0, V, 400)
    xs, ts = ids[: N * T].reshape(N, T), ids[1 : N * T + 1].reshape(N, T)
    noising, whole = Noising(ids, V, 0.6), np.random.default_rng(2)
    windows = [noising(xs, ts, whole) for _ in range(2)]
    assert (windows[0][0] != xs).any() and (windows[0][0] != windows[1][0]).any()
    for columns, rows in owned(edges):
        noising, own = Noising(ids, V, 0.6), np.random.default_rng(2)
        noising.columns = columns
        for expected in windows:
            for ours, all_of_them in zip(noising(xs[rows], ts[rows], own), expected, strict=True):
                np.testing.assert_array_equal(ours, all_of_them[rows])
        assert own.bit_generator.state == whole.bit_generator.state


def test_masks_of_words_and_of_weights_do_not_depend_on_the_columns(rng):
    W, Wh, xs = rng.normal(size=(V, D)), rng.normal(size=(6, 6)), rng.integers(0, V, (N, T))
    ends = []
    for rows in (slice(0, N), slice(2, 4)):
        own = np.random.default_rng(2)
        words = TimeWordDropout(TimeEmbedding(W), 0.4, rng=own).forward(xs[rows])
        ends.append((words, WeightDrop(0.4, rng=own).forward(Wh), own.bit_generator.state))
    np.testing.assert_array_equal(ends[0][0][2:4], ends[1][0])
    np.testing.assert_array_equal(ends[0][1], ends[1][1])
    assert ends[0][2] == ends[1][2]


@owners
@pytest.mark.parametrize("per_window", [False, True])
def test_a_model_of_some_columns_has_the_states_of_these_columns(edges, per_window, rng):
    regularisation = Regularisation(dropout=0.3, input_dropout=0.2, word_dropout=0.2, weight_drop=0.3,
                                    per_window=per_window)
    whole = LanguageModel(V, 4, 6, 2, cell="lstm", regularisation=regularisation, rng=rng, dtype=np.float64)
    parts = [copy.deepcopy(whole) for _ in owned(edges)]
    for model, (columns, _) in zip(parts, owned(edges), strict=True):
        for layer in model.switches:
            if isinstance(layer, TimeDropout):
                layer.columns = columns
    for xs in rng.integers(0, V, (3, N, T)):
        expected = whole.states(xs)
        for model, (_, rows) in zip(parts, owned(edges), strict=True):
            np.testing.assert_allclose(model.states(xs[rows]), expected[rows], rtol=1e-9, atol=1e-12)
            assert model.dropout_rng.bit_generator.state == whole.dropout_rng.bit_generator.state
