"""The steps and windows of all cells: golden numbers, answers known by thought, step against window."""

import numpy as np
import pytest
from gradient_check import check_gradient
from recurrent_layers import CELLS, random_arrays, states

from rnnlm.layers import GRU, LSTM, MRNN, TimeGRU, TimeLSTM, TimeMRNN, TimeRNN

OPEN = 1000.0  # sigmoid is 1 there, and 0 at minus this


@pytest.mark.parametrize("kind", [1, 2], ids=["plain", "fast"])
@pytest.mark.parametrize("case", ["relu", "mrnn", "relu mrnn", "lstm", "gru", "diagonal_gru"])
def test_gradients_agree_with_independent_automatic_differentiation(case, kind, golden):
    cell, case, H = case.removeprefix("diagonal_"), golden[case], 6
    inputs = {name: np.array(value) for name, value in case["inputs"].items()}
    layer = CELLS[cell][kind](inputs["Wx"], inputs["Wh"], inputs["b"], stateful=True, **CELLS[cell][-1])
    layer.set_state(*(inputs[name + "0"] for name in layer.state_names))
    hs = layer.forward(inputs["x"])
    np.testing.assert_allclose(hs, case["hs"], rtol=1e-12)
    for state, expected in zip(states(layer), case["last"], strict=True):
        np.testing.assert_allclose(state, expected, rtol=1e-12)
    dxs = layer.backward(np.array(case["weights"]) + hs)
    results = dict(zip(("dWx", "dWh", "db"), layer.grads, strict=True)) | {"dx": dxs}
    results |= {f"d{name}0": grad for name, grad in zip(layer.state_names, states(layer, "d"), strict=True)}
    assert set(results) == set(case["grads"])
    expected_grads = {name: np.array(grad) for name, grad in case["grads"].items()}
    if case is golden["diagonal_gru"]:  # off the diagonal the weights have another meaning in PyTorch's
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

    dxs, totals = layer.backward(dhs), [0, 0, 0]
    dstate = [np.zeros((N, H)) for _ in layer.state_names]
    for t in reversed(range(T)):
        dx, *dstate = steps[t].backward(dstate[0] + dhs[:, t], *dstate[1:])
        np.testing.assert_allclose(dxs[:, t], dx, rtol=1e-10, atol=1e-12)
        totals = [total + grad for total, grad in zip(totals, steps[t].grads, strict=True)]
    for grad, expected in zip([*layer.grads, *states(layer, "d")], [*totals, *dstate], strict=True):
        np.testing.assert_allclose(grad, expected, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("cell", ["mrnn", "lstm", "gru"])
def test_backward_of_a_step_twice_is_backward_once(cell, rng):
    step, window, _, _ = CELLS[cell]
    layer = step(*random_arrays(cell, 3, 2, rng))
    layer.forward(rng.normal(size=(2, 3)), *(rng.normal(size=(2, 2)) for _ in window.state_names))
    dstate = [rng.normal(size=(2, 2)) for _ in window.state_names]
    copies = [d.copy() for d in dstate]
    first = [g.copy() for g in (*layer.backward(*dstate), *layer.grads)]
    for once, again in zip(first, (*layer.backward(*dstate), *layer.grads), strict=True):
        np.testing.assert_array_equal(once, again)
    for d, copy in zip(dstate, copies, strict=True):
        np.testing.assert_array_equal(d, copy)


def biased(cls, k, H, *biases):
    """A layer without weights, for one input: its gates are what the biases say, whatever is read."""
    return cls(np.zeros((1, k * H)), np.zeros((H, k * H)), np.repeat(np.array(biases), H))


def test_an_lstm_whose_gates_are_half_open_halves():
    """All weights zero: f = i = o = 1/2 and g = 0, so c = c_prev / 2 and h = tanh(c) / 2."""
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


def test_a_gru_whose_gates_are_half_open_halves():
    h = biased(GRU, 3, 2, 0, 0, 0).forward(np.ones((1, 1)), np.array([[1.0, -2.0]]))
    np.testing.assert_array_equal(h, [[0.5, -1]])


def test_a_gru_with_a_closed_update_gate_copies_its_state_and_the_gradient():
    layer = biased(TimeGRU, 3, 3, -OPEN, 1, 2)
    layer.stateful = True
    h0 = np.array([[0.3, -0.7, 1.1]])
    layer.set_state(h0)
    np.testing.assert_array_equal(layer.forward(np.ones((1, 50, 1))), np.broadcast_to(h0, (1, 50, 3)))
    dhs = np.zeros((1, 50, 3))
    dhs[:, -1] = 1
    layer.backward(dhs)
    np.testing.assert_array_equal(layer.dh, 1)


def test_a_gru_that_resets_knows_its_input_only():
    """z = 1: h is h_hat = tanh(b + r h_prev): with r = 1 and Wh_h = 2 of b = 0.4 and 2 h_prev, with r = 0 of b."""
    Wh = np.array([[0.0, 0.0, 2.0]])
    for reset, expected in ((OPEN, 0.4 + 2 * 0.3), (-OPEN, 0.4)):
        layer = GRU(np.zeros((1, 3)), Wh, np.array([OPEN, reset, 0.4]))
        np.testing.assert_allclose(layer.forward(np.ones((1, 1)), np.array([[0.3]])), np.tanh([[expected]]))


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
