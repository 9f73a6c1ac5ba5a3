"""Six mistakes, common in published backpropagation through time: each is named."""

import pytest
from wrong_answers import changed

from rnnlm.course import check


def message(*edits):
    """What is said of the right answer after these edits."""
    verdict = check("bptt", changed("bptt", *edits))
    assert not verdict
    return verdict.message


def test_a_wrong_shape():
    assert "dWx: transposed: shape (4, 2), must be (2, 4)" in message(("dh, dWx, dWh, db\n", "dh, dWx.T, dWh, db\n"))
    square = message(("dWh += h_prev.T @ da", "dWh += da.T @ h_prev"))
    assert square.startswith("dWh: transposed: use .T, or reverse the product.")
    assert "dh0: shape (4,), must be (3, 4)" in message(("dxs, dh, dWx", "dxs, dh[0], dWx"))
    assert "dxs: the steps come before the batch: shape (5, 3, 2), must be (3, 5, 2)" in message(
        ("return dxs", "return dxs.swapaxes(0, 1)"))
    assert "db: the numbers are right, the shape is wrong: (1, 4), must be (4,)" in message(
        ("dWh, db\n", "dWh, db[None]\n"), ("db +=", "db = db +"))


def test_a_wrong_sign():
    assert "the sign of tanh's derivative is wrong" in message(("1 - hs[:, t] ** 2", "hs[:, t] ** 2 - 1"))
    assert message(("dWh +=", "dWh -=")).startswith("dWh: the sign is wrong: every number is minus what it must be")


def test_a_missing_sum_over_the_batch():
    text = message(("db += da.sum(axis=0)", "db += da"))
    assert "non-broadcastable" in text
    assert "a missing sum over the batch? For b, add up the rows with .sum(axis=0)" in text
    text = message(("db += da.sum(axis=0)", "db = db + da"))
    assert text.startswith("db: a missing sum over the batch: shape (3, 4), must be (4,)")
    assert "dWx: a missing sum over the batch: shape (3, 2, 4)" in message(
        ("dWx += xs[:, t].T @ da", "dWx = dWx + xs[:, t, :, None] * da[:, None]"))
    assert "db: a missing sum over the batch and the steps: shape (3, 5, 4)" in message(
        ("N, T, D = xs.shape", "N, T, D = xs.shape; db_t = np.zeros((N, T, len(b)))"),
        ("db += da.sum(axis=0)", "db_t[:, t] = da"), ("dWh, db\n", "dWh, db_t\n"))


def test_gradients_multiplied_instead_of_summed_over_time():
    ones = [(f"np.zeros_like({name})", f"np.ones_like({name})") for name in ("Wx", "Wh", "b")]
    text = message(*ones, ("dWx +=", "dWx *="), ("dWh +=", "dWh *="), ("db +=", "db *="))
    assert text.startswith("dWx, dWh, db: the steps' gradients are multiplied instead of summed over time")
    text = message(("dWx +=", "dWx *="))
    assert text.startswith("dWx: zero everywhere: nothing was added to it, or everything was multiplied onto zeros")


@pytest.mark.parametrize("lr", [0.5, 0.01, 1e-4])
def test_an_update_inside_the_time_loop_that_writes_into_the_weights(lr):
    text = message(("dh = da @ Wh.T\n", f"dh = da @ Wh.T; Wh -= {lr} * dWh; b -= {lr} * db\n"))
    assert text.startswith("Wh, b changed during the call: an update inside the time loop")


@pytest.mark.parametrize("lr", [1, 0.3, 0.1, 0.05, 0.01, 0.002, 0.001])
@pytest.mark.parametrize("early", [True, False])
def test_an_update_inside_the_time_loop_that_makes_new_weights(lr, early):
    update = f"        Wx, Wh, b = Wx - {lr} * dWx, Wh - {lr} * dWh, b - {lr} * db\n"
    back = "        dh = da @ Wh.T\n"
    assert "an update inside the time loop" in message((back, update + back if early else back + update))


def test_tanh_applied_twice_in_the_derivative():
    text = message(("hs[:, t] ** 2", "np.tanh(hs[:, t]) ** 2"))
    assert text.startswith("dxs, dh0, dWx, dWh, db: tanh is applied twice in the derivative")
