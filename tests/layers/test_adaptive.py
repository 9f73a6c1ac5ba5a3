"""The plain layers of adaptive softmax: gradients, known answers, probabilities."""

import copy
import json
import pickle

import numpy as np
import pytest
from conftest import REPOSITORY
from gradient_check import check_gradient

from rnnlm.compute.functions import softmax
from rnnlm.errors import ArgumentError, IdError
from rnnlm.layers import TimeAdaptiveEmbedding, TimeAdaptiveOutput
from rnnlm.layers.adaptive import tail_shapes
from rnnlm.layers.fast import FastAdaptiveEmbedding, FastAdaptiveOutput

D, V, CUTOFFS = 6, 11, (4, 7)
TARGETS = {"of every kind": [[0, 3, 4], [6, 7, 10]], "in the head": [[0, 1, 2]], "in a cluster": [[4, 5, 6], [4, 4, 4]],
           "in the last cluster": [[10]], "one": [[2]], "some ignored": [[-1, 5, 8], [0, -1, -1]],
           "all ignored": [[-1, -1]]}


def arrays(rng, dtype=np.float64, D=D, V=V, cutoffs=CUTOFFS):
    """Random arrays of the output layer, in the order of its parameters."""
    size = cutoffs[0] + len(cutoffs)
    shapes = [(D, size), (size,), *(shape for tail in tail_shapes(D, cutoffs, V) for shape in tail.values())]
    return [rng.normal(size=shape).astype(dtype) for shape in shapes]


@pytest.mark.parametrize("ts", TARGETS.values(), ids=TARGETS)
def test_gradients_of_the_output_against_differences(ts, rng):
    layer, ts = TimeAdaptiveOutput(*arrays(rng)), np.array(ts)
    xs = rng.normal(size=(*ts.shape, D))
    layer.forward(xs, ts)
    dxs = layer.backward()
    check_gradient(lambda: layer.forward(xs, ts), [*layer.params, xs], [*layer.grads, dxs], rng)


@pytest.mark.parametrize("ids", TARGETS.values(), ids=TARGETS)
def test_gradients_of_the_embedding_against_differences(ids, rng):
    W, _, *tails = arrays(rng)
    layer, ids = TimeAdaptiveEmbedding(W.T[: CUTOFFS[0]], *(array.T for array in tails)), np.abs(ids)
    weights = rng.normal(size=(*ids.shape, D))
    layer.forward(ids)
    layer.backward(weights)
    check_gradient(lambda: (weights * layer.forward(ids)).sum(), layer.params, layer.grads, rng)


def test_shapes_of_clusters():
    assert tail_shapes(20, (5, 8, 30), 100) == [
        {"P": (20, 5), "W": (5, 3)}, {"P": (20, 1), "W": (1, 22)}, {"P": (20, 1), "W": (1, 70)}]
    assert tail_shapes(20, (), 100) == []


KINDS = pytest.mark.parametrize("kind", [TimeAdaptiveOutput, FastAdaptiveOutput])


@KINDS
def test_golden_numbers(kind):
    """Those of torch.nn.AdaptiveLogSoftmaxWithLoss, by tests/golden/make_golden.py."""
    golden = json.loads((REPOSITORY / "tests" / "golden" / "golden.json").read_text(encoding="utf-8"))["adaptive"]
    layer = kind(*map(np.array, golden["params"]))
    xs, ts = (np.array(golden["inputs"][name]) for name in ("xs", "ts"))
    assert layer.forward(xs, ts) == pytest.approx(golden["loss"], rel=1e-12)
    np.testing.assert_allclose(layer.backward(), golden["dxs"], atol=1e-13)
    for grad, expected in zip(layer.grads, golden["grads"], strict=True):
        np.testing.assert_allclose(grad, expected, atol=1e-13)
    np.testing.assert_allclose(layer.scores(xs).reshape(ts.size, -1), golden["log_probs"], atol=1e-13)


@KINDS
def test_a_word_has_the_share_of_its_cluster(kind):
    """Three words in the head, two clusters of two and four words; all weights 0."""
    b = np.log([0.1, 0.2, 0.3, 0.15, 0.25])
    layer = kind(np.zeros((4, 5)), b, np.zeros((4, 1)), np.zeros((1, 2)), np.zeros((4, 1)), np.zeros((1, 4)))
    expected = [0.1, 0.2, 0.3, 0.075, 0.075, *[0.0625] * 4]
    xs, ts = np.ones((1, 9, 4)), np.arange(9)[np.newaxis]
    np.testing.assert_allclose(np.exp(layer.scores(xs)[0]), [expected] * 9)
    np.testing.assert_allclose(np.exp(layer.log_probs(xs, ts)[0]), expected)
    np.testing.assert_allclose(np.exp(layer.products_by_word(xs[0, :2])), np.transpose([expected] * 2))
    assert layer.forward(xs, ts) == pytest.approx(-np.log(expected).mean())
    found = layer.word_scores(xs[0], ts[0], details=True, top=3)
    assert found.ranks.tolist() == [3, 2, 1, 4, 4, 6, 6, 6, 6]
    assert found.top.tolist() == [[2, 1, 0]] * 9
    np.testing.assert_allclose(found.entropies, -np.dot(expected, np.log(expected)))


@KINDS
def test_probabilities_of_all_words_add_up_to_one(kind, rng):
    layer, xs = kind(*arrays(rng)), rng.normal(size=(2, 3, D))
    scores = layer.scores(xs)
    np.testing.assert_allclose(np.exp(scores).sum(axis=-1), 1)
    np.testing.assert_allclose(softmax(scores), np.exp(scores))
    for word in range(V):
        loss = layer.forward(xs[:1, :1], np.full((1, 1), word))
        assert loss == pytest.approx(-scores[0, 0, word])


@KINDS
def test_contract_of_a_layer(kind, rng):
    layer, xs = kind(*arrays(rng)), rng.normal(size=(2, 3, D))
    params, grads, copy = layer.params, layer.grads, xs.copy()
    assert layer.forward(xs, np.full((2, 3), -1)) == 0
    np.testing.assert_array_equal(layer.backward(), 0)
    for ts in ([[0, 3, 4], [6, 7, 10]], [[0, 0, 1], [2, 3, 3]]):  # nothing of the clusters is left of the first
        layer.forward(xs, np.array(ts))
        dxs = layer.backward()
        kept = [array.copy() for array in (dxs, *layer.grads)]
        np.testing.assert_array_equal(layer.backward(), kept[0])
        np.testing.assert_allclose(layer.backward(2), 2 * kept[0], rtol=1e-12)
        np.testing.assert_array_equal(dxs, kept[0])  # what was handed out stays as it was
        layer.backward_states()
        for work in layer.weight_work():
            work()
        for grad, expected in zip(layer.grads, kept[1:], strict=True):
            np.testing.assert_array_equal(grad, expected)
    assert not layer.grads[3].any()
    assert not layer.grads[5].any()
    np.testing.assert_array_equal(xs, copy)
    assert all(a is b for a, b in zip(layer.params + layer.grads, params + grads, strict=True))


@pytest.mark.parametrize("copy", [copy.deepcopy, lambda layer: pickle.loads(pickle.dumps(layer))])
@KINDS
def test_a_copy_computes_the_same_and_has_no_window(kind, copy, rng):
    layer, xs, ts = kind(*arrays(rng)), rng.normal(size=(1, 3, D)), np.array([[0, 5, 10]])
    loss = layer.forward(xs, ts)
    layer.backward()
    other = copy(layer)
    for part in (other, other.head, *other.tails):
        with pytest.raises(ArgumentError, match="call forward first"):
            part.backward_states()
    assert other.forward(xs, ts) == loss
    for array in other.params:  # none is the first one's, and all are those that it computes with
        array += 1
    assert layer.forward(xs, ts) == loss
    assert other.forward(xs, ts) == kind(*(array + 1 for array in layer.params)).forward(xs, ts) != loss


@KINDS
def test_what_is_no_window_or_no_word_is_refused(kind, rng):
    layer, xs = kind(*arrays(rng)), np.zeros((2, 3, D))
    for method in (layer.forward, layer.log_probs):
        with pytest.raises(ArgumentError, match=r"one for each step, shape \(N, T\) = \(2, 3\), got \(3, 2\)"):
            method(xs, np.zeros((3, 2), int))
        with pytest.raises(ArgumentError, match=r"got the shape \(3, 6\)"):
            method(xs[0], np.zeros((2, 3), int))
        for id in (V, -2):
            with pytest.raises(IdError, match="targets must be from 0 to 10, got"):
                method(xs, np.full((2, 3), id))
    with pytest.raises(IdError, match="targets must be from 0 to 10, got"):
        layer.word_scores(xs[0], np.full(3, V))
    with pytest.raises(ArgumentError, match="one for each owner"):
        layer.word_scores(xs[0], np.zeros(2, int))


@pytest.mark.parametrize("kind", [TimeAdaptiveEmbedding, FastAdaptiveEmbedding])
def test_word_vectors_are_looked_up_in_their_clusters(kind):
    layer = kind(np.array([[1.0, 2], [3, 4]]), np.array([[10.0, 100]]), np.array([[5.0], [6]]))
    np.testing.assert_array_equal(layer.forward(np.array([[3, 0, 1], [2, 2, 0]])),
                                  [[[60, 600], [1, 2], [3, 4]], [[50, 500], [50, 500], [1, 2]]])
    dxs = np.arange(12.0).reshape(2, 3, 2)
    for _ in range(2):
        layer.backward(dxs)
        dW, dP, drows = map(np.asarray, layer.grads)
        np.testing.assert_array_equal(dW, [[2 + 10, 3 + 11], [4, 5]])
        np.testing.assert_array_equal(drows, [[10 * (6 + 8) + 100 * (7 + 9)], [100]])
        np.testing.assert_array_equal(dP, [[6 * 0 + 5 * (6 + 8), 6 * 1 + 5 * (7 + 9)]])
    with pytest.raises(IdError, match="ids must be from 0 to 3, got"):
        layer.forward(np.array([[4]]))
    with pytest.raises(ArgumentError, match=r"takes ids \(N, T\)"):
        layer.forward(np.array([1]))


def test_a_tied_pair_shares_its_arrays_and_adds_their_gradients_once(rng):
    """The gradient of a shared array is that of both uses."""
    output = TimeAdaptiveOutput(*arrays(rng))
    W, _, *tails = output.params
    embedding = TimeAdaptiveEmbedding(W.T[: CUTOFFS[0]], *(array.T for array in tails))
    ids, ts = np.array([[0, 5, 10], [3, 7, 5]]), np.array([[5, 10, 2], [7, 5, 1]])

    def loss():
        return output.forward(embedding.forward(ids), ts)

    loss()
    embedding.backward(output.backward())
    dW, _, *dtails = output.grads
    for grad, more in zip([dW.T[: CUTOFFS[0]], *(array.T for array in dtails)], embedding.grads, strict=True):
        grad += more
    check_gradient(loss, output.params, output.grads, rng)
