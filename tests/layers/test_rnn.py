import numpy as np
import pytest
from recurrent_layers import CELLS

from rnnlm.layers import RNN, TimeRNN

WORKED_STATES = [[0.76188798, 0.76213958, 0.76239095, 0.76255841],
                 [0.79220900, 0.81418340, 0.83404912, 0.84977719],
                 [0.79494228, 0.81839002, 0.83939649, 0.85584174]]


def worked_layer(**options):
    Wx = np.array([[1, 3, 5, 7], [3, 5, 7, 8]]) / 100
    Wh = np.array([[1, 3, 5, 7], [2, 4, 6, 8], [3, 5, 7, 8], [4, 6, 8, 10]]) / 100
    return TimeRNN(Wx, Wh, np.ones(4), **options)


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


@pytest.mark.parametrize("kind", [1, 2], ids=["plain", "fast"])
@pytest.mark.parametrize("case", ["worked", "random"])
def test_gradients_agree_with_independent_automatic_differentiation(case, kind, golden):
    case = golden[case]
    inputs = {name: np.array(value) for name, value in case["inputs"].items()}
    layer = CELLS["tanh"][kind](inputs["Wx"], inputs["Wh"], inputs["b"], stateful=True)
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


def test_relu_by_hand():
    """h_1 = relu(2 - 1) = 1, h_2 = relu(-4 + 3 - 1) = 0: no gradient passes step 2."""
    layer = TimeRNN(np.array([[1.0]]), np.array([[3.0]]), np.array([-1.0]), activation="relu")
    np.testing.assert_array_equal(layer.forward(np.array([[[2.0], [-4.0]]])), [[[1], [0]]])
    np.testing.assert_array_equal(layer.backward(np.array([[[0.0], [1.0]]])), [[[0], [0]]])
    np.testing.assert_array_equal(layer.backward(np.array([[[1.0], [1.0]]])), [[[1], [0]]])
    assert layer.dh == 3


@pytest.mark.parametrize("cls", [CELLS["tanh"][i] for i in range(3)])
def test_an_unknown_activation_is_refused(cls):
    with pytest.raises(ValueError, match="activation must be one of tanh, relu, sigmoid, identity, got 'sin'"):
        cls(np.ones((2, 1)), np.ones((1, 1)), np.ones(1), activation="sin")
