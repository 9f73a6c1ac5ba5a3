import numpy as np
import pytest
from gradient_check import check_gradient

from rnnlm.layers import (
    TimeActivationPenalty,
    TimeAffine,
    TimeDropout,
    TimeEmbedding,
    TimeOutput,
    TimeRNN,
    TimeSlownessPenalty,
    TimeSoftmaxWithLoss,
    TimeWordDropout,
)
from rnnlm.layers.fast import FastEmbedding, FastOutput


def test_embedding_picks_rows_and_adds_up_the_gradients_of_a_word():
    layer = TimeEmbedding(np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]))
    out = layer.forward(np.array([[2, 0], [2, 2]]))
    np.testing.assert_array_equal(out, [[[5, 6], [1, 2]], [[5, 6], [5, 6]]])
    for _ in range(2):  # the second backward must find nothing left of the first
        layer.backward(np.array([[[1.0, 10.0], [2.0, 20.0]], [[3.0, 30.0], [4.0, 40.0]]]))
        np.testing.assert_array_equal(layer.grads[0], [[2, 20], [0, 0], [8, 80]])


def test_embedding_keeps_nothing_of_the_window_before():
    layer = TimeEmbedding(np.ones((3, 2)))
    layer.forward(np.array([[2, 0]]))
    layer.backward(np.ones((1, 2, 2)))
    layer.forward(np.array([[1]]))
    layer.backward(np.ones((1, 1, 2)))
    np.testing.assert_array_equal(layer.grads[0], [[0, 0], [1, 1], [0, 0]])


def test_an_id_outside_the_vocabulary_is_refused():
    layer = TimeEmbedding(np.ones((3, 2)))
    for ids in ([[0, -1]], [[3, 0]]):  # -1, as of an unknown word: NumPy would take the last one
        with pytest.raises(IndexError, match="ids must be from 0 to 2, got "):
            layer.forward(np.array(ids))


WINDOW = r"got the shape \(4, 2\): for a single sequence pass xs\[np.newaxis\]$"


@pytest.mark.parametrize(("layer", "arrays", "words"), [
    (TimeAffine(np.ones((2, 3)), np.ones(3)), [(4, 2)], rf"^TimeAffine takes .* H = 2 numbers; {WINDOW}"),
    (TimeAffine(np.ones((2, 3)), np.ones(3)), [(1, 4, 3)], r"H = 2 numbers; got the shape \(1, 4, 3\)$"),
    (TimeDropout(0.5, rng=np.random.default_rng(0)), [(4, 2)], rf"^TimeDropout takes .* D numbers; {WINDOW}"),
    (TimeSoftmaxWithLoss(), [(4, 2), (4,)], rf"^TimeSoftmaxWithLoss takes .* V numbers; {WINDOW}"),
    (TimeSoftmaxWithLoss(), [(2, 3, 2), (3, 2)], r"one for each step, shape \(N, T\) = \(2, 3\), got \(3, 2\)$"),
    (TimeOutput(np.ones((2, 3)), np.ones(3)), [(4, 2), (4,)], rf"^TimeAffine takes .* {WINDOW}"),
    (TimeOutput(np.ones((2, 3)), np.ones(3)), [(2, 3, 2), (6,)], r"= \(2, 3\), got \(6,\)$"),
    (FastOutput(np.ones((2, 3)), np.ones(3)), [(4, 2), (4,)], rf"^FastOutput takes .* {WINDOW}"),
    (FastOutput(np.ones((2, 3)), np.ones(3)), [(2, 3, 2), (3, 2)], r"= \(2, 3\), got \(3, 2\)$"),
    (TimeEmbedding(np.ones((3, 2))), [(4,)], r"^TimeEmbedding takes ids \(N, T\).* got the shape \(4,\): .*newaxis\]$"),
    (FastEmbedding(np.ones((3, 2))), [(4,)], r"^FastEmbedding takes ids \(N, T\).* got the shape \(4,\): .*newaxis\]$"),
])
def test_what_is_no_window_is_refused_with_the_shapes(layer, arrays, words):
    floats, *ids = arrays if len(arrays[0]) > 1 else (None, *arrays)
    inputs = [] if floats is None else [np.ones(floats)]
    with pytest.raises(ValueError, match=words):
        layer.forward(*inputs, *(np.zeros(shape, int) for shape in ids))


@pytest.mark.parametrize("make", [
    lambda: TimeEmbedding(np.ones((3, 2))), lambda: TimeAffine(np.ones((4, 2)), np.ones(2)),
    lambda: TimeRNN(np.ones((4, 2)), np.ones((2, 2)), np.ones(2)),
    lambda: TimeDropout(0.5, rng=np.random.default_rng(0))], ids=["embedding", "affine", "rnn", "dropout"])
def test_contract_backward_overwrites_and_can_be_repeated(make, rng):
    layer = make()
    xs = rng.integers(0, 3, (2, 3)) if isinstance(layer, TimeEmbedding) else rng.normal(size=(2, 3, 4))
    dout = rng.normal(size=layer.forward(xs).shape)
    dxs = layer.backward(dout)
    first = [g.copy() for g in layer.grads]
    dxs_copy = None if dxs is None else dxs.copy()
    for grad in layer.grads:
        grad.fill(9)
    again = layer.backward(dout)
    for grad, expected in zip(layer.grads, first, strict=True):
        np.testing.assert_array_equal(grad, expected)
    if dxs is not None:
        np.testing.assert_array_equal(again, dxs_copy)


def test_embedding_hands_out_no_view_of_its_weights():
    layer = TimeEmbedding(np.ones((2, 2)))
    layer.forward(np.array([[0]]))[...] = 7
    np.testing.assert_array_equal(layer.params[0], 1)


@pytest.mark.parametrize(("N", "T"), [(1, 1), (2, 3)])
def test_affine_gradients_against_differences(N, T, rng):
    layer = TimeAffine(rng.normal(size=(3, 4)), rng.normal(size=4))
    xs, weights = rng.normal(size=(N, T, 3)), rng.normal(size=(N, T, 4))

    def loss():
        return (weights * layer.forward(xs)).sum()

    loss()
    dxs = layer.backward(weights)
    check_gradient(loss, [*layer.params, xs], [*layer.grads, dxs], rng)


def test_uniform_scores_lose_log_V():
    loss = TimeSoftmaxWithLoss().forward(np.full((2, 3, 50), 7.0), np.zeros((2, 3), dtype=int))
    assert loss == pytest.approx(np.log(50))


@pytest.mark.parametrize(("N", "T"), [(1, 1), (2, 3)])
def test_loss_gradients_against_differences(N, T, rng):
    layer = TimeSoftmaxWithLoss()
    xs, ts = rng.normal(size=(N, T, 5)), rng.integers(0, 5, (N, T))
    if N > 1:
        ts[0, 1] = layer.ignore_label
    layer.forward(xs, ts)
    check_gradient(lambda: layer.forward(xs, ts), [xs], [layer.backward()], rng)


def test_ignored_targets_count_neither_in_the_mean_nor_in_the_gradient():
    xs = np.log(np.array([[[0.25, 0.75], [0.9, 0.1], [0.5, 0.5]]]))
    layer = TimeSoftmaxWithLoss()
    assert layer.forward(xs, np.array([[0, -1, 1]])) == pytest.approx((np.log(4) + np.log(2)) / 2)
    np.testing.assert_allclose(layer.backward(), [[[-0.375, 0.375], [0, 0], [0.25, -0.25]]])
    np.testing.assert_allclose(layer.backward(dout=2), [[[-0.75, 0.75], [0, 0], [0.5, -0.5]]])


def test_nothing_but_ignored_targets_loses_nothing():
    layer = TimeSoftmaxWithLoss()
    assert layer.forward(np.ones((1, 2, 3)), np.full((1, 2), -1)) == 0
    np.testing.assert_array_equal(layer.backward(), np.zeros((1, 2, 3)))


def test_a_probability_that_underflows_stays_a_number():
    xs = np.array([[[0.0, -2000.0], [0.0, -2000.0]]], dtype=np.float32)
    layer = TimeSoftmaxWithLoss()
    assert layer.forward(xs, np.array([[1, -1]])) == 2000
    np.testing.assert_array_equal(layer.backward(), [[[1, -1], [0, 0]]])


def test_loss_backward_twice_is_backward_once(rng):
    layer = TimeSoftmaxWithLoss()
    xs = rng.normal(size=(2, 3, 4))
    copy = xs.copy()
    layer.forward(xs, rng.integers(0, 4, (2, 3)))
    first = layer.backward()
    kept = first.copy()
    np.testing.assert_array_equal(layer.backward(), kept)
    np.testing.assert_array_equal(layer.backward(dout=2), 2 * kept)
    np.testing.assert_array_equal(first, kept)  # what was handed out stays as it was
    np.testing.assert_array_equal(xs, copy)


def test_dropout_keeps_the_mean_and_uses_one_mask_both_ways(rng):
    layer = TimeDropout(0.25, rng=rng)
    xs = np.ones((10, 50, 40), dtype=np.float32)
    out = layer.forward(xs)
    assert out.dtype == np.float32
    assert set(np.unique(out)) == {0, np.float32(1 / 0.75)}
    assert out.mean() == pytest.approx(1, abs=0.02)
    np.testing.assert_array_equal(layer.backward(xs), out)
    assert (layer.forward(xs) != out).any()


@pytest.mark.parametrize(("ratio", "train"), [(0.0, True), (0.5, False)])
def test_dropout_that_is_off_changes_nothing_and_draws_nothing(ratio, train, rng):
    layer = TimeDropout(ratio, rng=rng)
    layer.train = train
    state = rng.bit_generator.state
    xs = np.ones((2, 2, 2))
    np.testing.assert_array_equal(layer.forward(xs), xs)
    np.testing.assert_array_equal(layer.backward(xs), xs)
    assert rng.bit_generator.state == state


def test_dropout_gradients_against_differences():
    layer = TimeDropout(0.5, rng=np.random.default_rng(1))
    rng = np.random.default_rng(2)
    xs, weights = rng.normal(size=(2, 3, 4)), rng.normal(size=(2, 3, 4))

    def loss():
        layer.rng = np.random.default_rng(1)  # the same mask each time
        return (weights * layer.forward(xs)).sum()

    loss()
    check_gradient(loss, [xs], [layer.backward(weights)], rng)


def test_dropout_of_nearly_everything_still_works(rng):
    out = TimeDropout(1 - 1e-12, rng=rng).forward(np.ones((10, 10, 10)))
    assert np.isfinite(out).all()


@pytest.mark.parametrize("ratio", [-0.1, 1.0])
def test_dropout_refuses_a_ratio_outside_its_range(ratio, rng):
    with pytest.raises(ValueError, match="at least 0 and below 1"):
        TimeDropout(ratio, rng=rng)


def test_dropout_per_window_leaves_a_value_out_at_every_step(rng):
    layer = TimeDropout(0.25, rng=rng, per_window=True)
    xs = np.ones((30, 4, 50), dtype=np.float32)
    out = layer.forward(xs)
    assert out.dtype == np.float32
    np.testing.assert_array_equal(out, np.repeat(out[:, :1], 4, axis=1))
    assert (out[0] != out[1]).any()  # but each stream has a mask of its own
    assert set(np.unique(out)) == {0, np.float32(1 / 0.75)}
    assert out.mean() == pytest.approx(1, abs=0.05)
    np.testing.assert_array_equal(layer.backward(xs), out)
    assert (layer.forward(xs) != out).any()


def test_word_dropout_leaves_a_word_out_wherever_it_stands(rng):
    layer = TimeWordDropout(TimeEmbedding(np.ones((200, 3))), 0.25, rng=rng)
    xs = rng.integers(0, 200, (20, 30))
    out = layer.forward(xs)
    assert out.shape == (20, 30, 3)
    for word in range(200):
        assert len(np.unique(out[xs == word])) <= 1
    assert set(np.unique(out)) == {0, 1 / 0.75}
    assert out.mean() == pytest.approx(1, abs=0.1)
    layer.backward(np.ones((20, 30, 3)))
    counts = np.bincount(xs.ravel(), minlength=200)
    kept = {word: out[xs == word][0, 0] for word in np.unique(xs)}
    np.testing.assert_allclose(layer.grads[0][:, 0], [counts[word] * kept.get(word, 0) for word in range(200)])
    assert (layer.forward(xs) != out).any()
    layer.train, state = False, rng.bit_generator.state
    np.testing.assert_array_equal(layer.forward(xs), 1)
    assert rng.bit_generator.state == state


@pytest.mark.parametrize("kind", [TimeActivationPenalty, TimeSlownessPenalty])
@pytest.mark.parametrize(("N", "T"), [(1, 1), (1, 2), (3, 5)])
def test_penalty_gradients_against_differences(kind, N, T, rng):
    layer = kind(3.0)
    hs, weights = rng.normal(size=(N, T, 4)), rng.normal(size=(N, T, 4))
    copies = hs.copy(), weights.copy()

    def loss():
        return (weights * layer.forward(hs)).sum() + layer.penalty()

    loss()
    dhs = layer.backward(weights)
    np.testing.assert_array_equal(layer.backward(weights), dhs)
    np.testing.assert_array_equal(hs, copies[0])
    np.testing.assert_array_equal(weights, copies[1])
    check_gradient(loss, [hs], [dhs], rng)


def test_penalties_are_the_means_the_page_says():
    hs = np.array([[[1.0], [3.0], [0.0]]])
    for kind, value in ((TimeActivationPenalty, 2 * 10 / 3), (TimeSlownessPenalty, 2 * (4 + 9) / 2)):
        layer = kind(2.0)
        np.testing.assert_array_equal(layer.forward(hs), hs)
        assert layer.penalty() == pytest.approx(value)
