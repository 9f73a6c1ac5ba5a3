"""Lines of published solutions: each works, or the error says what to write.

They solve the textbook exercise on recurrent networks.
"""

import copy
import inspect
import pickle

import numpy as np
import pytest

from rnnlm import (
    SGD,
    HeInitializer,
    OrthogonalInitializer,
    ScratchSimpleRNNClassifier,
    SimpleInitializer,
    SimpleRNN,
    TimeRNN,
    XavierInitializer,
)

x = np.array([[[1, 2], [2, 3], [3, 4]]]) / 100  # (batch_size, n_sequences, n_features)
w_x = np.array([[1, 3, 5, 7], [3, 5, 7, 8]]) / 100
w_h = np.array([[1, 3, 5, 7], [2, 4, 6, 8], [3, 5, 7, 8], [4, 6, 8, 10]]) / 100
b = np.array([1, 1, 1, 1])
STATE = [[0.79494228, 0.81839002, 0.83939649, 0.85584174]]  # as the exercise gives it


def is_the_state(h):
    np.testing.assert_allclose(h, STATE, atol=5e-9)


@pytest.mark.parametrize("names", ["wx wh b", "Wx Wh b", "Wx Wh B", "w_x w_h b", "W_x W_h B", "w_x w_h bh", "Wx Wh Bh"])
@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_weights_are_set_by_name(names, order):
    rnn = SimpleRNN(4)
    for k in order:
        setattr(rnn, names.split()[k], (w_x, w_h, b)[k])
    is_the_state(rnn.forward(x))
    is_the_state(rnn.forward(x, h0=np.zeros((1, 4))))
    for name, weight in zip(names.split(), (w_x, w_h, b), strict=True):
        np.testing.assert_array_equal(getattr(rnn, name), weight)
    rnn.b = np.zeros((1, 4))  # biases as a row, and weights changed after a forward
    np.testing.assert_array_equal(rnn.params[2], np.zeros(4))


def test_what_was_set_is_a_copy_and_the_arrays_stay_the_same():
    rnn, given = SimpleRNN(4), w_x.copy()
    rnn.wx = given
    (first, *_), _ = rnn.params, rnn.forward(x)
    rnn.wx += 1
    assert rnn.params[0] is first
    np.testing.assert_array_equal(first, w_x + 1)
    np.testing.assert_array_equal(given, w_x)


def test_the_array_of_an_initializer_is_not_written_into():
    own = np.ones((4, 4))
    rnn = SimpleRNN(4, initializer=lambda shape, rng: own)
    rnn.build(4)
    rnn.Wh = w_h
    assert (own == 1).all()


def test_an_array_that_was_set_is_not_looked_at_again():
    own = np.array(b, float)
    rnn = SimpleRNN(4)
    rnn.b = own  # before the number of features is known
    own[:] = 7
    rnn.wx, rnn.wh = w_x, w_h
    is_the_state(rnn.forward(x))


def test_weights_that_are_not_set_are_those_the_generator_makes():
    rnn, other = (SimpleRNN(4, rng=np.random.default_rng(1)) for _ in range(2))
    rnn.wh = w_h
    rnn.build(2)
    other.build(2)
    np.testing.assert_array_equal(rnn.Wh, w_h)
    np.testing.assert_array_equal(rnn.Wx, other.Wx)


def test_gradients_have_names_too_and_an_update_by_hand_is_the_optimizers():
    by_hand, rnn, alone = (SimpleRNN(4, optimizer=SGD(0.01)) for _ in range(3))
    for layer in (by_hand, rnn, alone):
        layer.wx, layer.wh, layer.b = w_x, w_h, b
        layer.forward(x)
        layer.backward(np.ones((1, 4)))
    assert by_hand.dWx is by_hand.grads[0] and by_hand.dw_h is by_hand.grads[1] and by_hand.dB is by_hand.grads[2]
    by_hand.Wx -= 0.01 * by_hand.dWx
    by_hand.Wh -= 0.01 * by_hand.dWh
    by_hand.B -= 0.01 * by_hand.dB
    assert SGD(0.01).update(rnn) is rnn  # layer = optimizer.update(layer)
    alone.update()
    for one, two, three, old in zip(by_hand.params, rnn.params, alone.params, (w_x, w_h, b), strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-12)
        np.testing.assert_array_equal(two, three)
        assert (one != old).all()


@pytest.mark.parametrize(("name", "value", "words"), [
    ("wx", w_x.T, r"^wx must have shape \(n_features, n_nodes\), n_nodes = 4; got \(4, 2\)$"),
    ("w_h", w_x, r"^w_h must have shape \(n_nodes, n_nodes\), n_nodes = 4; got \(2, 4\)$"),
    ("b", 1, r"^b must have shape \(n_nodes,\), n_nodes = 4; got \(\)$"),
    ("B", np.ones((4, 1)), r"^B must have shape .* got \(4, 1\)$"),
    ("Wx", np.ones((0, 4)), r"^Wx must have shape .* got \(0, 4\)$"),
    ("Wx", None, r"^Wx must have shape .* got \(\)$"),
])
def test_a_weight_of_another_shape_is_refused(name, value, words):
    with pytest.raises(ValueError, match=words):
        setattr(SimpleRNN(4), name, value)


def test_after_a_forward_the_number_of_features_stays():
    rnn = SimpleRNN(4)
    rnn.forward(np.ones((1, 3, 5)))
    with pytest.raises(ValueError, match=r"n_nodes = 4, n_features = 5; got \(2, 4\)$"):
        rnn.wx = w_x


@pytest.mark.parametrize("name", ["w", "W", "wy", "h", "weights", "units", "lr", "optimiser"])
def test_an_attribute_that_means_nothing_is_refused(name):
    rnn = SimpleRNN(4)
    with pytest.raises(AttributeError, match=rf"^SimpleRNN has no attribute '{name}': its weights are Wx, Wh and b .* "
                                             "its options n_nodes, initializer, activation, rng, optimizer, return_"):
        setattr(rnn, name, 1)
    with pytest.raises(AttributeError, match=f"no attribute '{name}'"):
        getattr(rnn, name)


def test_what_can_be_set_and_when():
    rnn = SimpleRNN(3)
    assert not hasattr(rnn, "Wx") and not hasattr(rnn, "db")
    with pytest.raises(AttributeError, match="no W_x yet: the first forward makes it"):
        _ = rnn.W_x
    rnn.n_nodes, rnn.activation = 4, "relu"
    assert rnn.forward(x).shape == (1, 4)
    rnn.optimizer, rnn.return_sequences = SGD(0.1), True
    assert rnn.forward(x).shape == (1, 3, 4)
    for name in ("n_nodes", "activation", "initializer", "rng"):  # nothing would read them any more
        with pytest.raises(AttributeError, match=f"^{name} cannot change once the weights are made: make a new Simple"):
            setattr(rnn, name, getattr(rnn, name))


def test_a_subclass_can_have_attributes_of_its_own():
    class Named(SimpleRNN):
        name = ""

    rnn = Named(4)
    rnn.name = "first"
    assert rnn.name == "first"


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda rnn: pickle.loads(pickle.dumps(rnn))],
                         ids=["copy", "deepcopy", "pickle"])
@pytest.mark.parametrize("built", [True, False])
def test_a_copy_keeps_the_weights(copied, built):
    rnn = SimpleRNN(4)
    rnn.wh, rnn.b = w_h, b
    if built:
        rnn.wx = w_x
    other = copied(rnn)
    other.wx = w_x
    is_the_state(other.forward(x))


def test_the_classifier_takes_a_step_of_the_exercise():
    classifier = ScratchSimpleRNNClassifier()
    is_the_state(classifier.forward(x, w_x, w_h, b))
    is_the_state(classifier.forward(x.tolist(), w_x.tolist(), w_h.tolist(), b.tolist()))
    assert vars(classifier) == classifier.get_params()  # nothing is kept
    with pytest.raises(ValueError, match=r"Wh must have shape \(n_nodes, n_nodes\)"):
        classifier.forward(x, w_h, w_x, b)


@pytest.mark.parametrize("initializer", [SimpleInitializer(0.01), XavierInitializer(), HeInitializer(),
                                         OrthogonalInitializer()], ids=lambda initializer: type(initializer).__name__)
def test_initializers_have_the_exercises_methods(initializer):
    W, B = initializer.W(2, 4), initializer.B(4)
    assert (W.shape, B.shape, W.dtype, B.dtype) == ((2, 4), (4,), np.float64, np.float64)
    assert not B.any()
    np.testing.assert_array_equal(initializer.W(2, 4, np.random.default_rng(5)),
                                  initializer((2, 4), np.random.default_rng(5)))
    assert (initializer.W(2, 4) != W).any()


def test_the_exercises_weights_have_the_spread_that_was_asked_for():
    assert SimpleInitializer(0.01).W(200, 400).std() == pytest.approx(0.01, rel=0.02)
    assert XavierInitializer().W(200, 400).std() == pytest.approx(200**-0.5, rel=0.02)


@pytest.mark.parametrize("make", [
    lambda: SimpleRNN(w_x, w_h, b),
    lambda: SimpleRNN(w_x.tolist(), w_h.tolist(), b.tolist()),
    lambda: SimpleRNN(w_x, b, w_h, initializer=SimpleInitializer(0.01), optimizer=SGD(0.01), activation="tanh"),
    lambda: SimpleRNN(w_x=w_x, w_h=w_h, b=b), lambda: SimpleRNN(Wx=w_x, Wh=w_h, B=b)])
def test_a_layer_made_from_weights_is_told_what_to_write(make):
    with pytest.raises(ValueError, match=r"takes the number of nodes, not weights: write rnn = SimpleRNN\(4\), with .* "
                                         r"then rnn.Wx, rnn.Wh, rnn.b = w_x, w_h, b$"):
        make()


def test_the_constructor_shows_its_arguments():
    assert list(inspect.signature(SimpleRNN).parameters) == [
        "n_nodes", "initializer", "optimizer", "activation", "return_sequences", "rng"]


@pytest.mark.parametrize(("make", "words"), [
    (lambda: SimpleRNN(2, 4), r"^initializer must be None or a function .* got 4$"),
    (lambda: SimpleRNN(4, XavierInitializer), r"^initializer must be .* such as XavierInitializer\(\), got <class"),
    (lambda: SimpleRNN(4, optimizer="sgd"), r"^optimizer must be None or one such as SGD\(0.1\), got 'sgd'$"),
    (lambda: SimpleRNN(4, optimizer=SGD), r"^optimizer must be None or one such as SGD\(0.1\), got <class"),
    (lambda: SimpleRNN(4, activation=np.tanh), r"^activation must be one of tanh, relu, .* got an ufunc$"),
])
def test_options_that_cannot_be_are_refused_where_they_are_given(make, words):
    with pytest.raises(ValueError, match=words):
        make()


def test_one_sequence_without_a_batch_is_told_the_shapes():
    with pytest.raises(ValueError, match=r"D = 2 numbers; got the shape \(3, 2\): for a single sequence pass xs\[np"):
        TimeRNN(w_x, w_h, b).forward(x[0])
    is_the_state(TimeRNN(w_x, w_h, b).forward(x)[:, -1])
    with pytest.raises(ValueError, match=r"X must have shape \(batch_size, n_sequences, n_features\).* got \(3, 2\)$"):
        SimpleRNN(4).forward(x[0])
