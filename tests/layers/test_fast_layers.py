"""The fast layers, checked against the plain ones, and for the same contract."""

import numpy as np
import pytest
from gradient_check import check_gradient
from recurrent_layers import CELLS, FAST, random_arrays, states

from rnnlm.compute.threads import SERIAL, Workers
from rnnlm.layers import TimeAffine, TimeEmbedding, TimeOutput, WeightDrop
from rnnlm.layers.fast import FastAffine, FastEmbedding, FastLSTM, FastOutput, output, products, recurrent, word_blocks
from rnnlm.models import CELLS as CELLS_OF_MODELS
from rnnlm.models import LanguageModel, Regularisation

SIZES = [(1, 1, 3, 2), (1, 6, 2, 3), (4, 1, 3, 5), (3, 5, 4, 2), (7, 4, 6, 9)]
TOLERANCE = {np.float32: 1e-5, np.float64: 1e-10}


def agree(fast, plain, dtype, loss=False):
    """Relative to the whole: loss 1e-6; gradients 1e-5 in float32, 1e-10 in float64."""
    fast, plain = np.asarray(fast), np.asarray(plain)
    assert fast.shape == plain.shape
    tolerance = 1e-6 if loss and dtype == np.float32 else TOLERANCE[dtype]
    np.testing.assert_allclose(fast, plain, rtol=0, atol=tolerance * max(np.abs(plain).max(), 1e-30))


@pytest.fixture(params=[1, 2, 3], ids=lambda threads: f"{threads} threads")
def workers(request):
    with Workers(request.param) as workers:
        yield workers


@pytest.fixture
def shared_steps(monkeypatch):
    """Make products be divided at sizes as small as those of the tests' arrays."""
    monkeypatch.setattr(recurrent, "LARGE_STEP", 1)
    monkeypatch.setattr(products, "LARGE_PRODUCT", 1)
    monkeypatch.setattr(products, "SMALL_PRODUCT", 50)
    monkeypatch.setattr(products, "NARROW", 2)
    monkeypatch.setattr(products, "has_small_kernels", lambda: True)


@pytest.fixture(params=[0, 40, 10**6], ids=lambda kept: f"{kept} kept")
def shared(request, shared_steps, monkeypatch):
    """The same for the output, with little, some and all of its exponentials kept."""
    monkeypatch.setattr(output, "BLOCK", 4)
    monkeypatch.setattr(word_blocks, "KEPT", request.param)
    monkeypatch.setattr(output, "LARGE", 1)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_embedding(dtype, rng):
    W = rng.normal(size=(9, 4)).astype(dtype)
    plain, fast = TimeEmbedding(W), FastEmbedding(W)
    for N, T in ((3, 5), (1, 1), (4, 7)):
        xs, dxs = rng.integers(0, 9, (N, T)), rng.normal(size=(N, T, 4)).astype(dtype)
        np.testing.assert_array_equal(fast.forward(xs), plain.forward(xs))
        plain.backward(dxs)
        for _ in range(2):
            fast.backward(dxs)
            agree(fast.grads[0], plain.grads[0], dtype)


@pytest.mark.parametrize("drop", [0, 0.3], ids=["", "weight drop"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("N", "T", "D", "H"), SIZES)
@pytest.mark.parametrize("cell", FAST)
def test_recurrent(cell, N, T, D, H, dtype, drop, workers, shared_steps, rng):
    _, plain, fast, options = CELLS[cell]
    arrays = random_arrays(cell, D, H, rng, dtype)
    plain, fast = (cls(*arrays, stateful=True, weight_drop=WeightDrop(drop, rng=np.random.default_rng(1)), **more)
                   for cls, more in ((plain, options), (fast, options | {"workers": workers})))
    for _ in range(2):  # the second window starts from the first one's state
        xs, dhs = rng.normal(size=(N, T, D)).astype(dtype), rng.normal(size=(N, T, H)).astype(dtype)
        agree(fast.forward(xs), plain.forward(xs), dtype)
        agree(fast.backward(dhs), plain.backward(dhs), dtype)
        for fast_array, plain_array in zip([*fast.grads, *states(fast), *states(fast, "d")],
                                           [*plain.grads, *states(plain), *states(plain, "d")], strict=True):
            agree(fast_array, plain_array, dtype)


@pytest.mark.parametrize("kernels", [True, False])
@pytest.mark.parametrize(("K", "M"), [(3, 3), (50, 50), (51, 51), (20, 80), (51, 20)])
def test_a_step_is_a_product_whatever_the_blocks(K, M, kernels, monkeypatch, rng):
    W, h = rng.normal(size=(K, M)), rng.normal(size=(4, K))
    monkeypatch.setattr(products, "has_small_kernels", lambda: kernels)
    for limit in (4 * K, 100 * K, 4 * K * M // 3, 10**6):
        monkeypatch.setattr(products, "SMALL_PRODUCT", limit)
        for matrix in (W, np.asfortranarray(W), np.pad(W, 1)[1:-1, 1:-1]):
            np.testing.assert_allclose(products.step_product(matrix, 4)(h), h @ matrix, rtol=1e-12)
        wide = np.pad(h, ((0, 0), (0, 7)))
        np.testing.assert_allclose(products.step_product(W, 4)(wide[:, :K]), h @ W, rtol=1e-12)


def test_without_small_kernels_a_matrix_is_used_as_it_lies(monkeypatch, rng):
    monkeypatch.setattr(products, "SMALL_PRODUCT", 5000)
    monkeypatch.setattr(products, "has_small_kernels", lambda: False)
    Wh = rng.normal(size=(50, 150))
    product = products.step_product(Wh[:, :100], 4)
    Wh[...] = 1
    np.testing.assert_array_equal(product(np.ones((4, 50))), 50)


def test_one_word_of_one_text_copies_no_matrix(monkeypatch):
    monkeypatch.setattr(products, "SMALL_PRODUCT", 5000)
    monkeypatch.setattr(products, "has_small_kernels", lambda: True)
    monkeypatch.setattr(products, "_blocks_of_a_gate", lambda size, M: 3)
    Wh = np.empty((50, 150))
    by_gate = Wh.reshape(50, 3, 50).swapaxes(0, 1)
    for function, matrix in ((products.step_product, Wh), (products.gate_products, by_gate)):
        for N, steps, is_copied in ((1, 1, False), (1, 2, True), (2, 1, True), (1, 0, True)):
            Wh[...] = 2
            product = function(matrix, N, steps)
            Wh[...] = 1
            np.testing.assert_array_equal(product(np.ones((N, 50))), 100 if is_copied else 50)


def test_whether_the_library_has_small_kernels_is_read_once():
    assert products.has_small_kernels() is products.has_small_kernels()
    assert products.has_small_kernels.cache_info().currsize == 1


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("N", "T", "D", "H"), SIZES)
def test_affine(N, T, D, H, dtype, workers, shared, rng):
    W, b = rng.normal(size=(D, H)).astype(dtype), rng.normal(size=H).astype(dtype)
    plain, fast = TimeAffine(W, b), FastAffine(W, b, workers=workers)
    for _ in range(2):
        xs, dout = rng.normal(size=(N, T, D)).astype(dtype), rng.normal(size=(N, T, H)).astype(dtype)
        agree(fast.forward(xs), plain.forward(xs), dtype)
        for _ in range(2):
            agree(fast.backward(dout), plain.backward(dout), dtype)
            for fast_grad, plain_grad in zip(fast.grads, plain.grads, strict=True):
                agree(fast_grad, plain_grad, dtype)


def outputs(rng, H, V, dtype, workers=SERIAL, scale=1.0):
    W, b = (scale * rng.normal(size=(H, V))).astype(dtype), (scale * rng.normal(size=V)).astype(dtype)
    return TimeOutput(W, b), FastOutput(np.asfortranarray(W), b.copy(), workers=workers)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("N", "T", "H", "V"), [(1, 1, 3, 2), (2, 3, 4, 9), (3, 2, 5, 33)])
def test_output(N, T, H, V, dtype, workers, shared, rng):
    plain, fast = outputs(rng, H, V, dtype, workers)
    for step in range(3):
        xs, ts = rng.normal(size=(N, T, H)).astype(dtype), rng.integers(0, V, (N, T))
        agree(fast.scores(xs), plain.scores(xs), dtype)
        agree(fast.log_probs(xs, ts), plain.log_probs(xs, ts), dtype)
        if step:
            ts[0, 0] = fast.ignore_label
        agree(fast.forward(xs, ts), plain.forward(xs, ts), dtype, loss=True)
        for dout in (1, 0.5, 1):
            dxs = fast.backward(dout)
            agree(dxs, plain.backward(dout), dtype)
            for fast_grad, plain_grad in zip(fast.grads, plain.grads, strict=True):
                agree(fast_grad, plain_grad, dtype)


@pytest.mark.parametrize("small_kernels", [True, False])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("n", "H", "V"), [(1, 3, 2), (2, 4, 9), (3, 5, 33), (4, 1, 100), (5, 7, 16)])
def test_products_by_word_are_the_scores_without_the_biases(n, H, V, dtype, small_kernels, rng, monkeypatch):
    monkeypatch.setattr("rnnlm.layers.fast.products.has_small_kernels", lambda: small_kernels)
    monkeypatch.setattr("rnnlm.layers.fast.products.SMALL_PRODUCT", 400)  # blocks of 133, 50, 26, 100 and 11 words
    monkeypatch.setattr("rnnlm.layers.fast.products.NARROW", 11)
    plain, fast = outputs(rng, H, V, dtype)
    for _ in range(2):
        rows = rng.normal(size=(n, H)).astype(dtype)
        expected = (plain.scores(rows[:, np.newaxis])[:, 0] - plain.params[1]).T
        agree(plain.products_by_word(rows), expected, dtype)
        agree(fast.products_by_word(rows), expected, dtype)


@pytest.mark.parametrize("scale", [40.0, 1000.0])
@pytest.mark.parametrize("sign", [1, -1])
def test_output_with_scores_beyond_the_range_of_exp(scale, sign, workers, shared, rng):
    """exp(100) overflows in float32, exp(-100) is 0: both subtract the maximum."""
    plain, fast = outputs(rng, 4, 11, np.float32, workers)
    for layer in (plain, fast):
        layer.params[1][...] += sign * scale * 4
    xs, ts = rng.normal(size=(2, 3, 4)).astype(np.float32), rng.integers(0, 11, (2, 3))
    # at scores of 4000 a float32 itself is only good to 2e-4
    assert fast.forward(xs, ts) == pytest.approx(plain.forward(xs, ts), abs=scale * 1e-6)
    np.testing.assert_allclose(fast.backward(), plain.backward(), atol=scale * 1e-5)
    np.testing.assert_allclose(fast.log_probs(xs, ts), plain.log_probs(xs, ts), atol=scale * 1e-5)


def test_output_of_a_probability_that_underflows_stays_a_number():
    layer = FastOutput(np.zeros((1, 2), np.float32, order="F"), np.array([0, -2000], np.float32))
    xs = np.zeros((1, 2, 1), np.float32)
    assert layer.forward(xs, np.array([[1, -1]])) == 2000
    layer.backward()
    np.testing.assert_array_equal(layer.grads[1], [1, -1])


def test_output_gives_no_word_a_probability_above_one(rng):
    """Otherwise a text without uncertainty could have a loss below 0.

    No checkpoint may hold that.
    """
    layer = FastOutput(np.array([[1, 0]], np.float32, order="F"), np.array([0, -60], np.float32))
    xs = rng.uniform(0, 1, (1, 500, 1)).astype(np.float32)
    log_probs = layer.log_probs(xs, np.zeros((1, 500), np.int32))
    assert log_probs.max() == 0
    assert log_probs.min() > -1e-6


def test_output_of_nothing_but_ignored_targets_loses_nothing(rng):
    _, layer = outputs(rng, 3, 5, np.float64)
    assert layer.forward(rng.normal(size=(1, 2, 3)), np.full((1, 2), -1)) == 0
    np.testing.assert_array_equal(layer.backward(), np.zeros((1, 2, 3)))
    np.testing.assert_array_equal(layer.grads[0], 0)


def test_output_gradients_against_differences(shared, rng):
    _, layer = outputs(rng, 3, 9, np.float64)
    xs, ts = rng.normal(size=(2, 3, 3)), rng.integers(0, 9, (2, 3))
    layer.forward(xs, ts)
    dxs = layer.backward()
    check_gradient(lambda: layer.forward(xs, ts), [*layer.params, xs], [*layer.grads, dxs], rng)


@pytest.mark.parametrize("make", [
    lambda rng: FastEmbedding(rng.normal(size=(3, 2))), lambda rng: FastLSTM(*random_arrays("lstm", 4, 2, rng))],
    ids=["embedding", "recurrent"])
def test_contract_inputs_and_results_are_left_alone(make, rng):
    layer = make(rng)
    xs = rng.integers(0, 3, (2, 3)) if isinstance(layer, FastEmbedding) else rng.normal(size=(2, 3, 4))
    out = layer.forward(xs)
    dout = rng.normal(size=out.shape)
    copies = xs.copy(), out.copy(), dout.copy()
    dxs = layer.backward(dout)
    dxs_copy = None if dxs is None else dxs.copy()
    layer.backward(2 * dout)
    for array, copy in zip((xs, out, dout, dxs), (*copies, dxs_copy), strict=True):
        np.testing.assert_array_equal(array, copy)


def test_output_may_be_read_between_forward_and_backward(shared, rng):
    _, layer = outputs(rng, 3, 9, np.float64)
    xs, ts = rng.normal(size=(2, 3, 3)), rng.integers(0, 9, (2, 3))
    layer.forward(xs, ts)
    expected = layer.backward().copy()
    layer.forward(xs, ts)
    layer.scores(2 * xs)
    layer.log_probs(2 * xs, ts)
    np.testing.assert_array_equal(layer.backward(), expected)


@pytest.mark.parametrize("bad", [-2, 9, 100])
def test_output_refuses_a_target_outside_the_vocabulary(bad, shared, rng):
    _, layer = outputs(rng, 3, 9, np.float64)
    ts = np.array([[1, 2], [3, bad]])
    for read in (layer.forward, layer.log_probs):
        with pytest.raises(IndexError, match="targets must be from 0 to 8"):
            read(np.ones((2, 2, 3)), ts)
    with pytest.raises(IndexError):
        layer.log_probs(np.ones((1, 2, 3)), np.array([[1, -1]]))


@pytest.mark.parametrize("bad", [-1, 9])
def test_embedding_refuses_an_id_outside_the_vocabulary(bad):
    with pytest.raises(IndexError, match="ids must be from 0 to 8"):
        FastEmbedding(np.ones((9, 2))).forward(np.array([[0, bad]]))


def test_a_word_that_is_certain_has_no_probability_above_one(monkeypatch):
    monkeypatch.setattr(output, "LARGE", 1)
    scores = np.linspace(10, 30, 20_000, dtype=np.float32)
    layer = FastOutput(np.asfortranarray([[1, 0, 0]], dtype=np.float32), np.array([2, 0, 0], np.float32))
    found = layer.word_scores(scores[:, np.newaxis], np.zeros(20_000, int)).log_probs
    assert found.max() == 0  # rounding would make some of them larger
    assert found.min() > -1e-4


def test_no_more_exponentials_are_kept_than_allowed(monkeypatch, rng):
    monkeypatch.setattr(output, "BLOCK", 4)
    monkeypatch.setattr(output, "LARGE", 1)
    for limit, expected in ((0, 0), (50, 48), (10**6, 66)):
        monkeypatch.setattr(word_blocks, "KEPT", limit)
        _, layer = outputs(rng, 3, 11, np.float32)
        layer.forward(rng.normal(size=(2, 3, 3)).astype(np.float32), rng.integers(0, 11, (2, 3)))
        kept = [block.e.size for block in layer.cache[2] if block.e is not None]
        assert sum(kept) <= limit
        assert sum(kept) >= expected // 2


def test_a_large_vocabulary_is_walked_in_blocks_and_a_small_one_at_once(rng):
    layer = FastOutput(np.zeros((100, 5000), np.float32, order="F"), np.zeros(5000, np.float32))
    assert len(layer._words(700)) == 4
    assert len(layer._words(1)) == 1


def test_a_fresh_state_between_two_windows_leaves_the_first_ones_state(rng):
    """With the batch and window of training, so that every buffer is used again."""
    used, untouched = models(np.float32)[1], models(np.float32)[1]
    windows = rng.integers(0, 23, (3, 2, 3, 4))
    for model in (used, untouched):
        model.forward(*windows[0])
    with used.fresh_state():
        used.log_probs(*windows[1])
    before = [h.copy() for (h,) in untouched.get_state()]
    for (h,), expected in zip(used.get_state(), before, strict=True):
        np.testing.assert_array_equal(h, expected)
    assert used.forward(*windows[2]) == untouched.forward(*windows[2])


def models(dtype, workers=SERIAL, **options):
    sizes = {"vocab_size": 23, "wordvec_size": 5, "hidden_size": 6, "layers": 2,
             "regularisation": Regularisation(dropout=0.3, input_dropout=0.1, weight_drop=0.2)}
    return [LanguageModel(**sizes | options, rng=np.random.default_rng(3), dtype=dtype, plain=plain, workers=workers)
            for plain in (True, False)]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("options", [*({"cell": cell} for cell in CELLS_OF_MODELS), {"cell": "lstm", "tied": True},
                                     {"activation": "relu", "projection": True},
                                     {"cell": "mrnn", "tied": True}], ids=str)
def test_the_whole_model(options, dtype, workers, shared, rng):
    plain, fast = models(dtype, workers, **options)
    for N, T in ((3, 4), (3, 4), (3, 2)):
        xs, ts = rng.integers(0, 23, (2, N, T))
        agree(fast.forward(xs, ts), plain.forward(xs, ts), dtype, loss=True)
        for model in (plain, fast):
            model.backward()
        for fast_grad, plain_grad in zip(fast.grads, plain.grads, strict=True):
            agree(fast_grad, plain_grad, dtype)
    agree(fast.predict(xs), plain.predict(xs), dtype)


def test_the_whole_model_at_a_size_that_is_really_shared():
    rng = np.random.default_rng(0)
    with Workers(2) as workers:
        plain, fast = models(np.float32, workers, vocab_size=3000, wordvec_size=40, hidden_size=520, layers=1)
        for _ in range(2):
            xs, ts = rng.integers(0, 3000, (2, 20, 6))
            agree(fast.forward(xs, ts), plain.forward(xs, ts), np.float32, loss=True)
            for model in (plain, fast):
                model.backward()
            for fast_grad, plain_grad in zip(fast.grads, plain.grads, strict=True):
                agree(fast_grad, plain_grad, np.float32)


@pytest.mark.parametrize("ignored", [0, 1])
def test_each_targets_share_of_the_loss_has_64_bits_whatever_the_arrays_have(ignored, rng):
    """What the weights after training depend on, to the last bit.

    With 32 bits a run would end elsewhere.
    """
    layer = FastOutput(np.asfortranarray(rng.normal(size=(2, 5)), np.float32), np.zeros(5, np.float32))
    last = layer.ignore_label if ignored else 2
    layer.forward(rng.normal(size=(1, 3, 2)).astype(np.float32), np.array([[1, 4, last]]))
    _, shares, *_ = layer.cache
    assert shares.dtype == np.float64
