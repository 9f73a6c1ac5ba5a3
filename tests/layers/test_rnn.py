import numpy as np
import pytest
from gradient_check import check_gradient

from rnnlm.layers import RNN, TimeRNN
from rnnlm.layers.fast import FastRNN

WORKED_STATES = [[0.76188798, 0.76213958, 0.76239095, 0.76255841],
                 [0.79220900, 0.81418340, 0.83404912, 0.84977719],
                 [0.79494228, 0.81839002, 0.83939649, 0.85584174]]


def worked_layer(**options):
    Wx = np.array([[1, 3, 5, 7], [3, 5, 7, 8]]) / 100
    Wh = np.array([[1, 3, 5, 7], [2, 4, 6, 8], [3, 5, 7, 8], [4, 6, 8, 10]]) / 100
    return TimeRNN(Wx, Wh, np.ones(4), **options)


def random_layer(rng, D, H, cls=TimeRNN, **options):
    return cls(rng.normal(size=(D, H)), rng.normal(size=(H, H)) / 2, rng.normal(size=H), **options)


def test_the_worked_numbers():
    xs = np.array([[[1, 2], [2, 3], [3, 4]]]) / 100
    layer = worked_layer()
    np.testing.assert_allclose(layer.forward(xs)[0], WORKED_STATES, atol=5e-9)
    np.testing.assert_allclose(layer.h[0], WORKED_STATES[-1], atol=5e-9)


def test_the_worked_numbers_step_by_step():
    layer = worked_layer()
    step = RNN(*layer.params)
    h = np.zeros((1, 4))
    for t, x in enumerate(([[1, 2]], [[2, 3]], [[3, 4]])):
        h = step.forward(np.array(x) / 100, h)
        np.testing.assert_allclose(h[0], WORKED_STATES[t], atol=5e-9)


@pytest.mark.parametrize("case", ["worked", "random"])
def test_gradients_agree_with_independent_automatic_differentiation(case, golden):
    case = golden[case]
    inputs = {name: np.array(value) for name, value in case["inputs"].items()}
    layer = TimeRNN(inputs["Wx"], inputs["Wh"], inputs["b"], stateful=True)
    layer.set_state(inputs["h0"])
    hs = layer.forward(inputs["x"])
    np.testing.assert_allclose(hs, case["hs"], rtol=1e-12)
    dxs = layer.backward(np.array(case["weights"]) + hs)
    results = dict(zip(("dWx", "dWh", "db"), layer.grads, strict=True)) | {"dx": dxs, "dh0": layer.dh}
    for name, expected in case["grads"].items():
        np.testing.assert_allclose(results[name], expected, rtol=1e-10, atol=1e-12, err_msg=name)


def test_gradients_of_single_steps_summed_over_time_agree_too(golden):
    case = golden["worked"]
    inputs = {name: np.array(value) for name, value in case["inputs"].items()}
    h, steps, weights = inputs["h0"], [], np.array(case["weights"])
    for t in range(3):
        steps.append(RNN(inputs["Wx"], inputs["Wh"], inputs["b"]))
        h = steps[-1].forward(inputs["x"][:, t], h)
    dh, totals = np.zeros((1, 4)), [0, 0, 0]
    for t in reversed(range(3)):
        _, dh = steps[t].backward(dh + weights[:, t] + np.array(case["hs"])[:, t])
        totals = [total + grad for total, grad in zip(totals, steps[t].grads, strict=True)]
    for total, name in zip([*totals, dh], ("dWx", "dWh", "db", "dh0"), strict=True):
        np.testing.assert_allclose(total, case["grads"][name], rtol=1e-10, atol=1e-12, err_msg=name)


@pytest.mark.parametrize(("N", "T", "D", "H"), [(1, 1, 3, 2), (1, 6, 2, 3), (4, 1, 3, 5), (3, 5, 4, 2)])
def test_gradients_against_differences(N, T, D, H, rng):
    layer = random_layer(rng, D, H, stateful=True)
    xs, h0, weights = rng.normal(size=(N, T, D)), rng.normal(size=(N, H)), rng.normal(size=(N, T, H))

    def loss():
        layer.set_state(h0)
        return (weights * layer.forward(xs)).sum()

    loss()
    dxs = layer.backward(weights)
    grads = [g.copy() for g in (*layer.grads, dxs, layer.dh)]
    check_gradient(loss, [*layer.params, xs, h0], grads, rng)


@pytest.mark.parametrize("N", [1, 3])
def test_gradients_of_one_step_against_differences(N, rng):
    layer = random_layer(rng, 3, 2, cls=RNN)
    x, h_prev, weights = rng.normal(size=(N, 3)), rng.normal(size=(N, 2)), rng.normal(size=(N, 2))

    def loss():
        return (weights * layer.forward(x, h_prev)).sum()

    loss()
    dx, dh_prev = layer.backward(weights)
    check_gradient(loss, [*layer.params, x, h_prev], [*layer.grads, dx, dh_prev], rng)


# The contract of every recurrent layer over a window; LSTM and GRU join this list.
@pytest.fixture(params=[TimeRNN, FastRNN])
def make(request, rng):
    return lambda **options: random_layer(rng, 3, 4, cls=request.param, **options)


def test_contract_two_half_windows_are_one_window(make, rng):
    layer = make(stateful=True)
    xs = rng.normal(size=(2, 6, 3))
    whole = layer.forward(xs).copy()
    layer.reset_state()
    halves = np.concatenate([layer.forward(part).copy() for part in (xs[:, :4], xs[:, 4:])], axis=1)
    np.testing.assert_allclose(halves, whole, rtol=1e-12)


def test_contract_reset_is_fresh_and_a_stateless_layer_forgets(make, rng):
    xs = rng.normal(size=(2, 3, 3))
    stateful = make(stateful=True)
    first, second = stateful.forward(xs).copy(), stateful.forward(xs).copy()
    assert (first != second).any()
    stateful.reset_state()
    np.testing.assert_array_equal(stateful.forward(xs), first)
    stateless = make()
    np.testing.assert_array_equal(stateless.forward(xs).copy(), stateless.forward(xs))


def test_contract_the_state_makes_a_round_trip(make, rng):
    layer = make(stateful=True)
    xs = rng.normal(size=(2, 3, 3))
    layer.forward(xs)
    state = tuple(getattr(layer, name) for name in layer.state_names)
    expected = layer.forward(xs).copy()
    layer.set_state(*state)
    np.testing.assert_array_equal(layer.forward(xs), expected)


def test_contract_backward_twice_is_backward_once_and_inputs_are_left_alone(make, rng):
    layer = make()
    xs, dhs = rng.normal(size=(2, 3, 3)), rng.normal(size=(2, 3, 4))
    copies = xs.copy(), dhs.copy()
    hs = layer.forward(xs)
    hs_copy = hs.copy()
    kept = list(layer.grads)
    first = layer.backward(dhs), [g.copy() for g in layer.grads]
    again = layer.backward(dhs), layer.grads
    np.testing.assert_array_equal(first[0], again[0])
    for before, after, identity in zip(first[1], again[1], kept, strict=True):
        np.testing.assert_array_equal(before, after)
        assert after is identity
    np.testing.assert_array_equal(xs, copies[0])
    np.testing.assert_array_equal(dhs, copies[1])
    np.testing.assert_array_equal(hs, hs_copy)


def test_contract_no_gradient_crosses_the_border_of_a_window(make, rng):
    """The second window's gradients are those of a window that starts from the carried state as a constant."""
    layer = make(stateful=True)
    xs, dhs = rng.normal(size=(2, 6, 3)), rng.normal(size=(2, 3, 4))
    layer.forward(xs[:, :3])
    state = tuple(getattr(layer, name).copy() for name in layer.state_names)
    layer.forward(xs[:, 3:])
    layer.backward(dhs)
    cut = [g.copy() for g in layer.grads]
    layer.set_state(*state)
    layer.forward(xs[:, 3:])
    layer.backward(dhs)
    for once, again in zip(cut, layer.grads, strict=True):
        np.testing.assert_array_equal(once, again)


def test_contract_a_state_of_another_batch_is_refused(make, rng):
    layer = make(stateful=True)
    layer.forward(rng.normal(size=(1, 2, 3)))
    with pytest.raises(ValueError, match=r"state must have shape \(5, 4\), got \(1, 4\)"):
        layer.forward(rng.normal(size=(5, 2, 3)))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_contract_the_type_is_kept(make, rng, dtype):
    layer = make()
    layer = type(layer)(*(p.astype(dtype) for p in layer.params))
    hs = layer.forward(rng.normal(size=(2, 3, 3)).astype(dtype))
    assert hs.dtype == layer.backward(hs).dtype == dtype
