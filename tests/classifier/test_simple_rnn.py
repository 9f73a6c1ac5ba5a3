import numpy as np
import pytest
from gradient_check import check_gradient

from rnnlm.classifier.initializers import HeInitializer, OrthogonalInitializer, SimpleInitializer, XavierInitializer
from rnnlm.classifier.simple_rnn import SimpleRNN
from rnnlm.layers import TimeRNN
from rnnlm.training.optimizers import SGD

ACTIVATIONS = ["tanh", "relu", "sigmoid", "identity"]


def built(n_features, n_nodes, rng, **options):
    layer = SimpleRNN(n_nodes, SimpleInitializer(0.6), rng=rng, **options)
    layer.build(n_features)
    layer.params[2][...] = rng.normal(size=n_nodes)
    return layer


@pytest.mark.parametrize("return_sequences", [True, False])
def test_the_worked_numbers_and_their_gradients(return_sequences, golden):
    case = golden["worked"]
    inputs = {name: np.array(value) for name, value in case["inputs"].items()}
    layer = built(2, 4, np.random.default_rng(0), return_sequences=return_sequences)
    for param, name in zip(layer.params, ("Wx", "Wh", "b"), strict=True):
        param[...] = inputs[name]
    hs = layer.forward(inputs["x"])
    expected = np.array(case["hs"])
    np.testing.assert_allclose(hs, expected if return_sequences else expected[:, -1], rtol=1e-12)
    np.testing.assert_allclose(expected[0, 2], [0.79494228, 0.81839002, 0.83939649, 0.85584174], atol=5e-9)
    # The golden gradients are those of a loss on all states: for the last one alone the
    # others' share is taken out.
    dhs = np.array(case["weights"]) + expected
    others = np.zeros_like(dhs)
    if not return_sequences:
        others[:, :-1] = dhs[:, :-1]
    rest = built(2, 4, np.random.default_rng(0), return_sequences=True)
    for param, given in zip(rest.params, layer.params, strict=True):
        param[...] = given
    rest.forward(inputs["x"])
    names = ("dWx", "dWh", "db", "dx", "dh0")
    rest = dict(zip(names, [*rest.grads, rest.backward(others), rest.dh0], strict=True))
    dX = layer.backward(dhs if return_sequences else dhs[:, -1])
    for name, grad in zip(names, [*layer.grads, dX, layer.dh0], strict=True):
        np.testing.assert_allclose(grad + rest[name], case["grads"][name], rtol=1e-10, atol=1e-12, err_msg=name)


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("return_sequences", [True, False])
@pytest.mark.parametrize(("N", "T"), [(1, 1), (3, 5)])
def test_gradients_against_differences(activation, return_sequences, N, T, rng):
    layer = built(2, 4, rng, activation=activation, return_sequences=return_sequences)
    X, h0 = rng.normal(size=(N, T, 2)), rng.normal(size=(N, 4))
    weights = rng.normal(size=(N, T, 4) if return_sequences else (N, 4))

    def loss():
        return (weights * layer.forward(X, h0)).sum()

    loss()
    dX = layer.backward(weights)
    check_gradient(loss, [*layer.params, X, h0], [*(g.copy() for g in layer.grads), dX, layer.dh0.copy()], rng)


@pytest.mark.parametrize(("activation", "function"), [
    ("tanh", np.tanh), ("relu", lambda a: np.maximum(a, 0)), ("sigmoid", lambda a: 1 / (1 + np.exp(-a))),
    ("identity", lambda a: a)])
def test_the_states_are_those_of_the_formula(activation, function, rng):
    layer = built(2, 3, rng, activation=activation, return_sequences=True)
    X, h = rng.normal(size=(2, 4, 2)), np.zeros((2, 3))
    hs = layer.forward(X)
    Wx, Wh, b = layer.params
    for t in range(4):
        h = function(X[:, t] @ Wx + h @ Wh + b)
        np.testing.assert_allclose(hs[:, t], h, rtol=1e-12)
    layer.return_sequences = False
    np.testing.assert_array_equal(layer.forward(X), hs[:, -1])


def test_there_is_one_recurrence():
    layer = built(2, 3, np.random.default_rng(0))
    assert type(layer.layer) is TimeRNN


def test_nothing_is_carried_from_one_call_to_the_next(rng):
    layer = built(2, 3, rng)
    X, h0 = rng.normal(size=(2, 4, 2)), rng.normal(size=(2, 3))
    first = layer.forward(X).copy()
    assert (layer.forward(X, h0) != first).all()
    np.testing.assert_array_equal(layer.forward(X), first)
    layer.forward(rng.normal(size=(5, 7, 2)))  # another batch, another length


def test_an_update_is_one_step_with_the_gradients_summed_over_the_window(rng):
    layer = built(2, 3, rng, optimizer=SGD(0.1))
    layer.forward(rng.normal(size=(2, 4, 2)))
    before = [p.copy() for p in layer.params]
    layer.backward(np.ones((2, 3)))
    for param, old in zip(layer.params, before, strict=True):
        np.testing.assert_array_equal(param, old)
    layer.update()
    for param, old, grad in zip(layer.params, before, layer.grads, strict=True):
        np.testing.assert_allclose(param, old - 0.1 * grad, rtol=1e-12)


def test_initializers(rng):
    assert SimpleInitializer(0.3)((200, 300), rng).std() == pytest.approx(0.3, rel=0.02)
    assert XavierInitializer()((200, 300), rng).std() == pytest.approx(1 / np.sqrt(200), rel=0.02)
    assert HeInitializer()((200, 300), rng).std() == pytest.approx(np.sqrt(2 / 200), rel=0.02)
    W = OrthogonalInitializer()((50, 50), rng)
    np.testing.assert_allclose(W.T @ W, np.eye(50), atol=1e-5)
    assert OrthogonalInitializer()((50, 20), rng).shape == (50, 20)
    first, again = (SimpleRNN(4, rng=np.random.default_rng(1)) for _ in range(2))
    for layer in (first, again):
        layer.build(3)
    for one, other in zip(first.params, again.params, strict=True):
        np.testing.assert_array_equal(one, other)
    assert first.params[1].std() == pytest.approx(0.5, rel=0.5)


def test_what_does_not_fit_is_said(rng):
    layer = SimpleRNN(3)
    with pytest.raises(ValueError, match=r"shape \(batch_size, n_sequences, n_features\), none of them 0, got"):
        layer.forward(np.ones((4, 2)))
    layer.forward(np.ones((4, 2, 5)))
    with pytest.raises(ValueError, match="5 features the layer was built for, got 6"):
        layer.forward(np.ones((4, 2, 6)))
    with pytest.raises(ValueError, match=r"what forward returned, \(4, 3\), got \(4, 2, 3\)"):
        layer.backward(np.ones((4, 2, 3)))
    with pytest.raises(ValueError, match=r"h0 must have shape \(batch_size, n_nodes\), \(4, 3\), got \(1, 3\)"):
        layer.forward(np.ones((4, 2, 5)), np.ones((1, 3)))
    with pytest.raises(ValueError, match=r"none of them 0, got \(4, 0, 5\)"):
        layer.forward(np.ones((4, 0, 5)))
    with pytest.raises(ValueError, match="call forward first"):
        SimpleRNN(3).backward(np.ones((4, 3)))
    with pytest.raises(ValueError, match="update needs an optimizer"):
        layer.update()
    with pytest.raises(ValueError, match="call forward and backward first"):
        SimpleRNN(3, optimizer=SGD(0.1)).update()
    for n_nodes in ("3", 2.5, True, -1, 0):
        with pytest.raises(ValueError, match="n_nodes must be a whole number of at least 1, got"):
            SimpleRNN(n_nodes)
    with pytest.raises(ValueError, match=r"activation must be one of .*, got a list"):
        SimpleRNN(3, activation=["tanh"])
    with pytest.raises(ValueError, match="activation must be one of tanh, relu, sigmoid, identity, got 'cosine'"):
        SimpleRNN(3, activation="cosine")
