import numpy as np
import pytest

from rnnlm.optimizers import OPTIMIZERS


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_three_steps_end_where_the_independent_implementation_ends(name, golden):
    case = golden["optimizers"]
    params = [np.array(p) for p in case["params"]]
    kept = list(params)
    optimizer = OPTIMIZERS[name](case["lr"])
    for grads in case["grads"]:
        optimizer.update(params, [np.array(g) for g in grads])
    for p, same, end in zip(params, kept, case["ends"][name], strict=True):
        assert p is same
        np.testing.assert_allclose(p, end, rtol=1e-10)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_gradients_are_left_alone_and_types_kept(name):
    params, grads = [np.ones(3, np.float32)], [np.full(3, 2, np.float32)]
    optimizer = OPTIMIZERS[name](0.1)
    optimizer.update(params, grads)
    np.testing.assert_array_equal(grads[0], 2)
    assert params[0].dtype == np.float32
    assert all(array.dtype == np.float32 for arrays in optimizer.slots.values() for array in arrays)
    assert (params[0] < 1).all()


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_the_rate_can_be_changed_between_steps(name):
    params, grads = [np.ones(3)], [np.ones(3)]
    optimizer = OPTIMIZERS[name](0.1)
    optimizer.lr = 0.0
    optimizer.update(params, grads)
    np.testing.assert_array_equal(params[0], 1)


def test_two_optimizers_share_no_memory():
    first, second = OPTIMIZERS["momentum"](0.1), OPTIMIZERS["momentum"](0.1)
    first.update([np.ones(1)], [np.ones(1)])
    assert not second.slots
