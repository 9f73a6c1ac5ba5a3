"""Rows that miss steps end where the rows of dense steps end."""

import numpy as np
import pytest

from rnnlm.compute.row_gradient import RowGradient
from rnnlm.compute.threads import SERIAL, Workers
from rnnlm.training import catching_up, missed_steps
from rnnlm.training.missed_steps import LONGEST, Idle, MissedSteps
from rnnlm.training.optimizers import OPTIMIZERS, SGD, Adam, AdamW, Momentum

V, D, LR = 120, 3, 0.002


@pytest.fixture(autouse=True)
def rows_of_any_matrix_may_miss_steps(monkeypatch):
    monkeypatch.setattr(catching_up, "ROWS", 1)


def windows(steps, seed=0, size=1e-4):
    """Ids by Zipf's law and gradients of many sizes; each third window repeats one.

    Row 0 is in nearly all windows, rows from 100 on are in none, row 99 is in the first
    one only.
    """
    rng = np.random.default_rng(seed)
    shares = (1 / np.arange(1, 99)).cumsum()
    for step in range(steps):
        ids = shares.searchsorted(rng.random(5) * shares[-1])
        ids[4] = 99 if step == 0 else ids[0]
        yield ids, rng.normal(size=(5, D)) * size * 10.0 ** rng.integers(-5, 1)


def rate(step, steps):
    """Warm-up, then a linear fall, and windows of random length."""
    return LR * min(1, (step + 1) / 50) * (1 - step / steps) * (0.5 if step % 7 == 3 else 1)


def trained(optimizer, dtype, *, late, steps=400, scale=1.0, size=1e-4, seed=0, workers=SERIAL, read=slice(None)):
    """The matrix after some steps, and the slots; read: which ids are said to be."""
    W = np.random.default_rng(seed).uniform(-0.1, 0.1, (V, D)).astype(dtype)
    gradient = RowGradient(W)
    for step, (ids, rows) in enumerate(windows(steps, seed, size)):
        gradient.set(ids, rows.astype(dtype))
        optimizer.lr = rate(step, steps)
        if late:
            optimizer.catch_up([W], [gradient], [ids[read]], workers)
            assert list(optimizer.met) == [0]
        optimizer.update([W], [gradient if late else np.asarray(gradient)], scale)
    if late:
        assert optimizer.unsettled
        optimizer.settle([W], workers)
    return W, [slots[0] for slots in optimizer.slots.values()]


CASES = [("momentum", {"decays": [0.1]}), ("rmsprop", {}), ("adamw", {}), ("adam", {}), ("adam", {"eps": 1e-3}),
         ("adam", {"size": 1e-9, "scale": 0.03}), ("adam", {"factors": [0.3], "decays": [0.5]})]
FURTHER = [("momentum", {}), ("rmsprop", {"decays": [0.1], "eps": 1e-3}), ("adam", {"size": 10.0}),
           ("adam", {"steps": 40}),
           ("adam", {"beta1": 0.0}), ("adam", {"beta1": 0.5, "beta2": 0.6}), ("adam", {"beta1": 0.97}),
           ("adam", {"beta2": 0.9999}), ("adam", {"beta1": 0.1, "beta2": 0.02}), ("adam", {"eps": 1.0}),
           ("adam", {"steps": 3000})]
CASES += [pytest.param(*case, marks=pytest.mark.slow) for case in FURTHER]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "numbers"), CASES, ids=str)
def test_rows_that_miss_steps_end_where_those_of_dense_steps_end(name, numbers):
    """In 64 bits to eight digits and more; in 32 as near to these as dense steps."""
    others = {key: value for key, value in numbers.items() if key in ("size", "scale", "steps")}
    options = {key: value for key, value in numbers.items() if key not in others}

    def end(dtype, late):
        return trained(OPTIMIZERS[name](LR, **options), dtype, late=late, **others)

    (exact, slots), (late, late_slots) = end(np.float64, False), end(np.float64, True)
    np.testing.assert_allclose(late, exact, rtol=0, atol=2e-5 * LR)
    for ours, theirs in zip(late_slots, slots, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-8 * others.get("size", 1e-4))
    if not (name == "adamw" or "decays" in options):
        np.testing.assert_array_equal(late[100:], exact[100:])  # never met
    errors = [np.abs(end(np.float32, late)[0] - exact).max() / np.abs(exact).max() for late in (True, False)]
    assert errors[0] < max(1e-6, 1.5 * errors[1])


def test_rows_with_a_gradient_catch_up_even_if_nobody_said_that_they_are_read():
    ends = [trained(Adam(LR), np.float64, late=True, steps=100, read=read)[0] for read in (slice(None), slice(2))]
    np.testing.assert_allclose(*ends, rtol=1e-9)


@pytest.mark.parametrize("name", ["sgd", "adagrad"])
def test_where_only_the_decay_moves_a_row_it_may_miss_that_too(name):
    ends = [trained(OPTIMIZERS[name](LR, decays=[0.3]), np.float64, late=late)[0] for late in (False, True)]
    np.testing.assert_allclose(*ends, rtol=1e-7)
    assert (ends[0][110] != np.random.default_rng(0).uniform(-0.1, 0.1, (V, D))[110]).all()


def test_a_row_met_once_with_momentum_goes_the_whole_geometric_way():
    W, gradient, optimizer = np.zeros((2, 1)), None, Momentum(1.0, momentum=0.5)
    gradient = RowGradient(W)
    for ids in ([1], *[[0]] * 4):
        gradient.set(np.array(ids), np.ones((1, 1)) if ids == [1] else np.zeros((1, 1)))
        optimizer.catch_up([W], [gradient], [np.array(ids)])
        optimizer.update([W], [gradient])
    assert W[1, 0] == -1.0  # it has missed four steps
    optimizer.settle([W])
    assert W[1, 0] == -(1 + 0.5 + 0.25 + 0.125 + 0.0625)
    assert W[0, 0] == 0


def test_moments_that_have_vanished_move_nothing_more():
    idle = Adam(LR).idle()
    assert idle.length == 181
    missed = MissedSteps(idle, np.full(1000, LR), np.full(1000, 1e-8), np.ones(1000), np.array([0, 500, 900]))
    first, second, third = missed.moved(np.zeros((3, 1)), [np.ones((3, 1)), np.ones((3, 1))])
    np.testing.assert_allclose(first, second, rtol=1e-12)
    assert 0 < (first / third)[0] - 1 < 1e-4
    np.testing.assert_array_equal(missed.faded([np.ones((3, 1))] * 2)[0][:, 0] > 0, [False, False, True])


def test_quotients_are_shared_where_they_hardly_differ():
    n, idle = 181, Adam(LR).idle()
    few, each = (quotients(idle, base=5000.0, n=n, shared=shared) for shared in (missed_steps.SHARED, 1e-12))
    assert (len(few.starts), len(each.starts)) == (27, 181)
    for v in (0.0, 1e-18, 1e-16, 1e-12, 1.0):
        m = 7.3 * np.sqrt(v)
        ends = [missed.moved(np.zeros((1, 1)), [np.full((1, 1), m), np.full((1, 1), v)]) for missed in (few, each)]
        assert np.abs(ends[0] - ends[1]) < 1e-5 * LR
    assert len(quotients(idle, base=0.0, n=n, shared=missed_steps.SHARED).starts) > 140  # at first they differ


def quotients(idle, base, n, shared):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(missed_steps, "SHARED", shared)
        return MissedSteps(idle, *Adam(LR).idle_moves(base + 1 + np.arange(n), np.full(n, LR)), np.ones(n),
                           np.array([0]))


@pytest.mark.parametrize(("idle", "length"), [
    (Idle(), 1), (Idle((0.99,)), 1), (Idle((0.5,), mover=0), 25), (Idle((0.9, 0.999), 0, 1), 181),
    (Idle((0.0, 0.999), 0, 1), 1), (Idle((0.9, 0.5), 0, 1), np.inf), (Idle((0.9, 0.0), 0, 1), np.inf)])
def test_how_long_moments_take_to_vanish(idle, length):
    assert idle.length == length
    if 1 < length < np.inf:
        following = idle.ratio ** np.arange(length, 10 * length)  # over the first missed step
        assert following.sum() <= idle.ratio * 2.0**-24 * 1.01 / idle.ratio


class OtherRule(Adam):
    def rule(self, scale):
        return super().rule(scale)


class OtherUpdate(Adam):
    def update(self, *arguments, **options):
        return super().update(*arguments, **options)


class OwnConstants(Adam):
    def __init__(self, lr, beta1=0.8, **options):
        super().__init__(lr, beta1, **options)


@pytest.mark.parametrize(("optimizer", "rows", "may"), [
    (Adam(LR), V, True), (AdamW(LR), V, True), (OwnConstants(LR), V, True), (Adam(LR, decays=[0.0]), V, True),
    (Adam(LR), V + 1, False), (Adam(LR, decays=[np.zeros((V, D))]), V, False), (Adam(LR, 0.9, 0.5), V, False),
    (Adam(LR, beta1=0.99), V, False), (OtherRule(LR), V, False), (OtherUpdate(LR), V, False), (SGD(LR), V, False),
    (SGD(LR, decays=[0.1]), V, True), (OPTIMIZERS["adagrad"](LR), V, False)])
def test_who_may_miss_steps(optimizer, rows, may, monkeypatch):
    monkeypatch.setattr(catching_up, "ROWS", rows)
    W = np.ones((V, D))
    optimizer.catch_up([W], [RowGradient(W)], [np.array([1])])
    assert (list(optimizer.met) == [0]) is may
    assert Adam(LR, beta1=0.99).idle().length > LONGEST
    optimizer.catch_up([W], [W], [np.array([1])])
    optimizer.settle([W])
    optimizer.catch_up([W], [W], [np.array([1])])  # a gradient that is an array
    assert not optimizer.met


def test_an_optimizer_that_was_pickled_before_rows_could_miss_steps_goes_on():
    lacking = ("lagging", "unsettled", "rates", "met")
    state = {name: value for name, value in vars(Adam(LR)).items() if name not in lacking}
    old = Adam.__new__(Adam)
    old.__setstate__(state)
    ends = [trained(optimizer, np.float64, late=True, steps=20)[0] for optimizer in (old, Adam(LR))]
    np.testing.assert_array_equal(*ends)


def test_threads_and_pieces_change_nothing(monkeypatch):
    whole, _ = trained(Adam(LR), np.float32, late=True, steps=150)
    monkeypatch.setattr(catching_up, "PIECE", 7)
    with Workers(2) as workers:
        pieces, _ = trained(Adam(LR), np.float32, late=True, steps=150, workers=workers)
    np.testing.assert_array_equal(whole, pieces)
