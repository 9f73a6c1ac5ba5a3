import numpy as np
import pytest

from rnnlm.compute.row_gradient import RowGradient
from rnnlm.compute.threads import Workers
from rnnlm.training.optimizers import OPTIMIZERS


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_three_steps_end_where_the_independent_implementation_ends(name, golden):
    case = golden["optimizers"]
    assert name in case["ends"], f"add {name} to the rules of golden/make_golden.py, and run it"
    params = [np.array(p) for p in case["params"]]
    kept = list(params)
    optimizer = OPTIMIZERS[name](case["lr"])
    for grads in case["grads"]:
        optimizer.update(params, [np.array(g) for g in grads])
    for p, same, end in zip(params, kept, case["ends"][name], strict=True):
        assert p is same
        np.testing.assert_allclose(p, end, rtol=1e-10)


def running_mean(gs, decay):
    """A running mean that starts at zero, after the last of them: the sum in full."""
    return (1 - decay) * sum(decay ** age * g for age, g in enumerate(gs[::-1]))


MOVES = [  # rule, constants other than its own, and the move that the gradients so far make, over -lr
    ("momentum", {"momentum": 0.5}, lambda gs: sum(0.5 ** age * g for age, g in enumerate(gs[::-1]))),
    ("adagrad", {"eps": 0.3}, lambda gs: gs[-1] / (np.sqrt(sum(g**2 for g in gs)) + 0.3)),
    ("rmsprop", {"alpha": 0.6, "eps": 0.3}, lambda gs: gs[-1] / (np.sqrt(running_mean(gs**2, 0.6)) + 0.3)),
    *((name, {"beta1": 0.5, "beta2": 0.8, "eps": 0.3} | decay,
       lambda gs: running_mean(gs, 0.5) / (1 - 0.5 ** len(gs))
       / (np.sqrt(running_mean(gs**2, 0.8) / (1 - 0.8 ** len(gs))) + 0.3))
      for name, decay in (("adam", {}), ("adamw", {"decays": [0.0]})))]


@pytest.mark.parametrize(("name", "numbers", "move"), MOVES)
def test_the_numbers_of_a_rule_stand_where_the_page_has_them(name, numbers, move, rng):
    optimizer, w = OPTIMIZERS[name](0.1, **numbers), np.ones(4)
    gs = rng.normal(size=(5, 4))
    for k in range(1, 6):
        before = w.copy()
        optimizer.update([w], [gs[k - 1].copy()])
        np.testing.assert_allclose(w, before - 0.1 * move(gs[:k]), rtol=1e-12)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_constant_of_a_rule_is_tested_with_a_value_of_its_own(name):
    tested = {constant for rule, numbers, _ in MOVES if rule == name for constant in numbers if constant != "decays"}
    assert tested == OPTIMIZERS[name].constants().keys(), f"give {name} a row of MOVES with all its constants"


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


@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize("decay", [0.0, 0.1])
@pytest.mark.parametrize("factor", [1.0, 0.5])
def test_rows_end_where_the_full_matrix_ends(name, decay, factor):
    ends = []
    for kind in ("dense", "rows"):
        rng = np.random.default_rng(0)
        W, optimizer = rng.normal(size=(9, 2)), OPTIMIZERS[name](0.1, factors=[factor], decays=[decay])
        for _ in range(4):
            gradient = RowGradient(W)
            gradient.set(rng.integers(0, 9, 3), rng.normal(size=(3, 2)))
            optimizer.update([W], [gradient if kind == "rows" else np.asarray(gradient)])
        ends.append([W, *(array for arrays in optimizer.slots.values() for array in arrays)])
    for rows, dense in zip(*ends, strict=True):
        np.testing.assert_allclose(rows, dense, rtol=1e-12)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_each_parameter_has_a_factor_of_the_rate_and_a_decay_of_its_own(name):
    starts, grads = [np.full(3, 2.0), np.full(2, 4.0)], [np.ones(3), np.full(2, -1.0)]
    params, plain = [w.copy() for w in starts], [w.copy() for w in starts]
    OPTIMIZERS[name](0.1, factors=[1.0, 0.5], decays=[0.3, 0.2]).update(params, grads)
    OPTIMIZERS[name](0.1, decays=[0.0, 0.0]).update(plain, grads)
    np.testing.assert_allclose(params[0], starts[0] * (1 - 0.1 * 0.3) + (plain[0] - starts[0]), rtol=1e-12)
    np.testing.assert_allclose(params[1], starts[1] * (1 - 0.05 * 0.2) + 0.5 * (plain[1] - starts[1]), rtol=1e-12)


@pytest.mark.parametrize(("kind", "order"), [("dense", "C"), ("dense", "F"), ("rows", "C")])
@pytest.mark.parametrize("threads", [1, 2])
def test_each_weight_can_have_a_decay_of_its_own(kind, order, threads, monkeypatch):
    monkeypatch.setattr("rnnlm.training.blocks.BLOCK", 5)  # several blocks in each of several pieces
    monkeypatch.setattr("rnnlm.training.blocks.PIECE", 12)
    start, decay = (np.asarray(a.reshape(9, 3), order=order) for a in (np.arange(1.0, 28), np.arange(27) % 4 / 10))
    params, plain, gradient = [start.copy("K")], [start.copy("K")], RowGradient(start)
    gradient.set(np.array([0, 2, 0]), np.ones((3, 3)))
    grads = [gradient if kind == "rows" else np.asarray(gradient).copy(order)]
    with Workers(threads) as workers:
        OPTIMIZERS["sgd"](0.1, factors=[0.5], decays=[decay]).update(params, grads, workers=workers)
    OPTIMIZERS["sgd"](0.1, factors=[0.5]).update(plain, grads)
    np.testing.assert_allclose(params[0], start * (1 - 0.05 * decay) + (plain[0] - start), rtol=1e-12)


@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize("kind", ["dense", "rows"])
def test_scaled_gradients_are_gradients_times_the_scale(name, kind):
    rng = np.random.default_rng(0)
    ends = []
    for scale, factor in ((0.5, 1.0), (1.0, 0.5)):
        W, optimizer = np.ones((6, 2)), OPTIMIZERS[name](0.1)
        rng = np.random.default_rng(0)
        for _ in range(3):
            ids, rows = rng.integers(0, 6, 4), factor * rng.normal(size=(4, 2))
            gradient = RowGradient(W)
            gradient.set(ids, rows)
            optimizer.update([W], [gradient if kind == "rows" else np.asarray(gradient)], scale)
        ends.append(W)
    np.testing.assert_allclose(ends[0], ends[1], rtol=1e-12)
    assert (ends[0] != 1).any()


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_arrays_in_either_order_and_never_in_two(name):
    rng = np.random.default_rng(0)
    W, g = rng.normal(size=(2, 3, 4))
    ends = []
    for order in "CF":
        param = np.array(W, order=order)
        OPTIMIZERS[name](0.1).update([param], [np.array(g, order=order)])
        ends.append(param)
    np.testing.assert_array_equal(*ends)
    with pytest.raises(ValueError, match="in the same order"):
        OPTIMIZERS[name](0.1).update([np.array(W, order="F")], [g])


def test_two_optimizers_share_no_memory():
    first, second = OPTIMIZERS["momentum"](0.1), OPTIMIZERS["momentum"](0.1)
    first.update([np.ones(1)], [np.ones(1)])
    assert not second.slots


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_each_rule_has_a_rate_to_start_from_and_says_its_constants(name):
    kind = OPTIMIZERS[name]
    assert kind.default_lr > 0
    optimizer = kind(kind.default_lr, **kind.constants())
    assert {constant: getattr(optimizer, constant) for constant in kind.constants()} == kind.constants()


def test_a_rule_made_from_another_has_the_rate_and_the_constants_of_its_own():
    class Slower(OPTIMIZERS["adam"]):
        default_lr = 0.0001

        def __init__(self, lr, beta1=0.9, beta2=0.99, **options):
            super().__init__(lr, beta1, beta2, **options)

    assert Slower.default_lr == 0.0001
    assert Slower.constants() == {"beta1": 0.9, "beta2": 0.99}
    assert OPTIMIZERS["adamw"].constants() == OPTIMIZERS["adam"].constants() == {
        "beta1": 0.9, "beta2": 0.999, "eps": 1e-8}
