"""Steps and windows of all cells: golden numbers, known answers, steps = window."""

import numpy as np
import pytest
from gradient_check import check_gradient
from recurrent_layers import CELLS, KINDS, random_arrays, states

from rnnlm.errors import ArgumentError
from rnnlm.layers import GRU, LSTM, MRNN, TextbookGRU, TimeGRU, TimeLSTM, TimeMRNN, TimeRNN, TimeTextbookGRU

DIAGONAL = "diagonal_textbook_gru"
OPEN = 1000.0  # sigmoid is 1 there, and 0 at minus this


@pytest.mark.parametrize(("case", "kind"), [
    *((cell, kind) for cell, kind in KINDS if cell != "tanh"), (DIAGONAL, 1), (DIAGONAL, 2)])  # tanh: in test_rnn.py
def test_gradients_agree_with_independent_automatic_differentiation(case, kind, golden):
    assert case in golden, f"golden/make_golden.py has no {case}"
    cell, case, H = "gru-textbook" if case == DIAGONAL else case, golden[case], 6
    inputs = {name: np.array(value) for name, value in case["inputs"].items()}
    names = CELLS[cell][kind].param_names
    layer = CELLS[cell][kind](*(inputs[name] for name in names), stateful=True, **CELLS[cell][-1])
    layer.set_state(*(inputs[name + "0"] for name in layer.state_names))
    hs = layer.forward(inputs["x"])
    np.testing.assert_allclose(hs, case["hs"], rtol=1e-12)
    for state, expected in zip(states(layer), case["last"], strict=True):
        np.testing.assert_allclose(state, expected, rtol=1e-12)
    dxs = layer.backward(np.array(case["weights"]) + hs)
    results = {f"d{name}": grad for name, grad in zip(names, layer.grads, strict=True)} | {"dx": dxs}
    results |= {f"d{name}0": grad for name, grad in zip(layer.state_names, states(layer, "d"), strict=True)}
    assert set(results) == set(case["grads"])
    expected_grads = {name: np.array(grad) for name, grad in case["grads"].items()}
    if case is golden[DIAGONAL]:  # off the diagonal the weights have another meaning in PyTorch's
        for dWh in (results["dWh"], expected_grads["dWh"]):
            dWh[:, 2 * H :] *= np.eye(H)
    for name, expected in expected_grads.items():
        np.testing.assert_allclose(results[name], expected, rtol=1e-10, atol=1e-12, err_msg=name)


@pytest.mark.parametrize("N", [1, 3])
@pytest.mark.parametrize("cell", CELLS)
def test_gradients_of_one_step_against_differences(cell, N, rng):
    step, window, _, options = CELLS[cell]
    layer = step(*random_arrays(cell, 3, 2, rng), **options)
    inputs = [rng.normal(size=(N, 3)), *(rng.normal(size=(N, 2)) for _ in window.state_names)]
    weights = [rng.normal(size=(N, 2)) for _ in window.state_names]

    def loss():
        return sum((w * state).sum() for w, state in zip(weights, as_tuple(layer.forward(*inputs)), strict=True))

    loss()
    grads = layer.backward(*weights)
    check_gradient(loss, [*layer.params, *inputs], [*layer.grads, *grads], rng)


@pytest.mark.parametrize("cell", CELLS)
def test_a_window_is_its_steps(cell, rng):
    step, window, _, options = CELLS[cell]
    N, T, D, H = 2, 4, 3, 5
    layer = window(*random_arrays(cell, D, H, rng), stateful=True, **options)
    xs, dhs = rng.normal(size=(N, T, D)), rng.normal(size=(N, T, H))
    state = start = [rng.normal(size=(N, H)) for _ in layer.state_names]
    layer.set_state(*start)
    hs = layer.forward(xs)
    steps = [step(*layer.params, **options) for _ in range(T)]
    for t in range(T):
        state = as_tuple(steps[t].forward(xs[:, t], *state))
        np.testing.assert_allclose(hs[:, t], state[0], rtol=1e-12)
    for last, expected in zip(states(layer), state, strict=True):
        np.testing.assert_allclose(last, expected, rtol=1e-12)

    dxs, totals = layer.backward(dhs), [0] * len(layer.grads)
    dstate = [np.zeros((N, H)) for _ in layer.state_names]
    for t in reversed(range(T)):
        dx, *dstate = steps[t].backward(dstate[0] + dhs[:, t], *dstate[1:])
        np.testing.assert_allclose(dxs[:, t], dx, rtol=1e-10, atol=1e-12)
        totals = [total + grad for total, grad in zip(totals, steps[t].grads, strict=True)]
    for grad, expected in zip([*layer.grads, *states(layer, "d")], [*totals, *dstate], strict=True):
        np.testing.assert_allclose(grad, expected, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("cell", CELLS)
def test_backward_of_a_step_twice_is_backward_once(cell, rng):
    step, window, _, options = CELLS[cell]
    layer = step(*random_arrays(cell, 3, 2, rng), **options)
    layer.forward(rng.normal(size=(2, 3)), *(rng.normal(size=(2, 2)) for _ in window.state_names))
    dstate = [rng.normal(size=(2, 2)) for _ in window.state_names]
    copies = [d.copy() for d in dstate]
    first = [g.copy() for g in (*layer.backward(*dstate), *layer.grads)]
    for once, again in zip(first, (*layer.backward(*dstate), *layer.grads), strict=True):
        np.testing.assert_array_equal(once, again)
    for d, copy in zip(dstate, copies, strict=True):
        np.testing.assert_array_equal(d, copy)


def biased(cls, k, H, *biases, more=()):
    """A layer without weights, for one input: the biases decide the gates."""
    return cls(np.zeros((1, k * H)), np.zeros((H, k * H)), np.repeat(np.array(biases), H), *more)


def test_an_lstm_whose_gates_are_half_open_halves():
    """Zero weights: f = i = o = 1/2 and g = 0, so c = c_prev / 2, h = tanh(c) / 2."""
    h, c = biased(LSTM, 4, 2, 0, 0, 0, 0).forward(np.ones((1, 1)), np.ones((1, 2)), np.array([[1.0, -2.0]]))
    np.testing.assert_array_equal(c, [[0.5, -1]])
    np.testing.assert_allclose(h, np.tanh([[0.5, -1]]) / 2)


def test_an_lstm_with_an_open_forget_gate_keeps_its_cell_and_all_of_the_gradient():
    layer = biased(TimeLSTM, 4, 3, OPEN, 1, -OPEN, OPEN)  # forgets nothing, takes nothing in, shows everything
    layer.stateful = True
    c0 = np.array([[0.3, -0.7, 1.1]])
    layer.set_state(np.ones((1, 3)), c0)
    hs = layer.forward(np.ones((1, 50, 1)))
    np.testing.assert_allclose(hs, np.broadcast_to(np.tanh(c0), (1, 50, 3)))
    np.testing.assert_array_equal(layer.c, c0)
    dhs = np.zeros((1, 50, 3))
    dhs[:, -1] = 1
    layer.backward(dhs)
    np.testing.assert_allclose(layer.dc, 1 - np.tanh(c0) ** 2)
    np.testing.assert_array_equal(layer.dh, 0)


def test_an_lstm_that_takes_in_and_forgets():
    """f = 0, i = 1, o = 1: c is g = tanh(b_g), whatever was before."""
    h, c = biased(LSTM, 4, 1, -OPEN, 0.4, OPEN, OPEN).forward(np.ones((1, 1)), np.ones((1, 1)), np.ones((1, 1)))
    np.testing.assert_allclose((c, h), (np.tanh([[0.4]]), np.tanh(np.tanh([[0.4]]))))
    h, _ = biased(LSTM, 4, 1, -OPEN, 0.4, OPEN, -OPEN).forward(np.ones((1, 1)), np.ones((1, 1)), np.ones((1, 1)))
    assert h == 0  # the output gate shut


@pytest.mark.parametrize(("cls", "more"), [(GRU, [np.zeros(2)]), (TextbookGRU, [])])
def test_a_gru_whose_gates_are_half_open_halves(cls, more):
    h = biased(cls, 3, 2, 0, 0, 0, more=more).forward(np.ones((1, 1)), np.array([[1.0, -2.0]]))
    np.testing.assert_array_equal(h, [[0.5, -1]])


@pytest.mark.parametrize(("cls", "copies", "more"), [(TimeGRU, OPEN, [np.full(3, 7.0)]), (TimeTextbookGRU, -OPEN, [])])
def test_a_gru_whose_update_gate_says_so_copies_its_state_and_the_gradient(cls, copies, more):
    """z is what is kept of the state, and in the textbook's form what is replaced."""
    layer = biased(cls, 3, 3, copies, 1, 2, more=more)
    layer.stateful = True
    h0 = np.array([[0.3, -0.7, 1.1]])
    layer.set_state(h0)
    np.testing.assert_array_equal(layer.forward(np.ones((1, 50, 1))), np.broadcast_to(h0, (1, 50, 3)))
    dhs = np.zeros((1, 50, 3))
    dhs[:, -1] = 1
    layer.backward(dhs)
    np.testing.assert_array_equal(layer.dh, 1)


def test_a_gru_that_resets_knows_its_input_only():
    """z = 0: h is n = tanh(b_n + r (2 h_prev + bh)), as Wh_n = 2.

    With r = 1 all of it counts, with r = 0 b_n alone.
    """
    Wh = np.array([[0.0, 0.0, 2.0]])
    for reset, expected in ((OPEN, 0.4 + 2 * 0.3 + 0.1), (-OPEN, 0.4)):
        layer = GRU(np.zeros((1, 3)), Wh, np.array([-OPEN, reset, 0.4]), np.array([0.1]))
        np.testing.assert_allclose(layer.forward(np.ones((1, 1)), np.array([[0.3]])), np.tanh([[expected]]))


def test_a_textbook_gru_that_resets_knows_its_input_only():
    """z = 1: h is h_hat = tanh(b + r h_prev).

    With r = 1 and Wh_h = 2 it is tanh of b = 0.4 and 2 h_prev, with r = 0 of b.
    """
    Wh = np.array([[0.0, 0.0, 2.0]])
    for reset, expected in ((OPEN, 0.4 + 2 * 0.3), (-OPEN, 0.4)):
        layer = TextbookGRU(np.zeros((1, 3)), Wh, np.array([OPEN, reset, 0.4]))
        np.testing.assert_allclose(layer.forward(np.ones((1, 1)), np.array([[0.3]])), np.tanh([[expected]]))


def test_one_unit_of_a_gru_by_hand():
    """h_prev = 0.4, x = 1 with weight 1 for n, 0 for the gates.

    The gates' biases take h_prev Wh back:
    z = sigmoid(0) = 1/2, r = sigmoid(ln 3) = 3/4, v = 2 * 0.4 + 0.2 = 1,
    n = tanh(1 - 0.75 + 3/4 * 1) = tanh(1).
    """
    Wh, b = np.array([[0.5, -1.5, 2.0]]), np.array([-0.2, np.log(3) + 0.6, -0.75])
    h = GRU(np.array([[0.0, 0.0, 1.0]]), Wh, b, np.array([0.2])).forward(np.ones((1, 1)), np.array([[0.4]]))
    np.testing.assert_allclose(h, [[(np.tanh(1) + 0.4) / 2]], rtol=1e-12)


def test_both_forms_of_the_gru_are_one_where_their_units_do_not_mix(rng):
    """With a diagonal Wh_n, resetting before and after the product are the same.

    The z of one is the other's 1 - z.
    """
    H, h_prev, x = 4, rng.normal(size=(3, 4)), rng.normal(size=(3, 2))
    Wx, Wh, b = random_arrays("gru-textbook", 2, H, rng)
    Wh[:, 2 * H :] *= np.eye(H)
    expected = TextbookGRU(Wx, Wh, b).forward(x, h_prev)
    theirs = [np.concatenate([-array[..., :H], array[..., H:]], axis=-1) for array in (Wx, Wh, b)]
    np.testing.assert_allclose(GRU(*theirs, np.zeros(H)).forward(x, h_prev), expected, rtol=1e-12)
    assert (GRU(Wx, Wh, b, np.zeros(H)).forward(x, h_prev) != expected).all()


@pytest.mark.parametrize(("cls", "other"), [(GRU, "TextbookGRU"), (TimeGRU, "TimeTextbookGRU")])
def test_a_gru_of_three_arrays_is_told_of_the_fourth_and_of_the_form_that_has_three(cls, other, rng):
    arrays = random_arrays("gru-textbook", 2, 3, rng)
    for more in ((), (True,)):  # TimeGRU(Wx, Wh, b, stateful) was a call of the form of before
        with pytest.raises(ArgumentError, match=rf"bh \(H,\), got no bh: .*; for the form without bh use {other}$"):
            cls(*arrays, *more)


def test_a_multiplicative_rnn_whose_factors_are_1_is_the_rnn(rng):
    Wx, Wh, b = random_arrays("tanh", 3, 4, rng)
    wide = [np.concatenate([array, np.zeros_like(array)], axis=-1) for array in (Wx, b)]
    layers = TimeRNN(Wx, Wh, b), TimeMRNN(wide[0], Wh, wide[1])
    xs, dhs = rng.normal(size=(2, 5, 3)), rng.normal(size=(2, 5, 4))
    np.testing.assert_allclose(layers[1].forward(xs), layers[0].forward(xs), rtol=1e-12)
    np.testing.assert_allclose(layers[1].backward(dhs), layers[0].backward(dhs), rtol=1e-12)
    for wide_grad, grad in zip(layers[1].grads, layers[0].grads, strict=True):
        np.testing.assert_allclose(wide_grad[..., :4], grad, rtol=1e-12)


def test_an_input_whose_factor_is_0_makes_a_multiplicative_rnn_forget():
    """And one whose factor is -1 makes it take the opposite of its past."""
    layer, h = MRNN(np.array([[0.1, 1.0]]), np.array([[2.0]]), np.array([0.4, 0.0])), np.array([[0.3]])
    for x, expected in ((-1.0, 0.3), (-2.0, 0.2 - 2 * 0.3), (1.0, 0.5 + 2 * 2 * 0.3)):
        np.testing.assert_allclose(layer.forward(np.array([[x]]), h), np.tanh([[expected]]))


def test_an_lstm_without_a_cell_starts_from_an_empty_one(rng):
    layer = TimeLSTM(*random_arrays("lstm", 3, 2, rng), stateful=True)
    xs, h = rng.normal(size=(1, 2, 3)), rng.normal(size=(1, 2))
    layer.set_state(h, np.zeros((1, 2)))
    expected = layer.forward(xs)
    layer.set_state(h)
    np.testing.assert_array_equal(layer.forward(xs), expected)


def as_tuple(state):
    return state if isinstance(state, tuple) else (state,)
