"""A Trainer with rows that lag behind: what it shows and saves, and where it ends."""

import copy
import json
import pickle
from functools import partial

import numpy as np
import pytest

from rnnlm.errors import DivergenceError, IdError, RnnlmError
from rnnlm.formats.checkpoint import checkpoint_size, load_checkpoint, read_checkpoint_header, save_checkpoint
from rnnlm.models import LanguageModel, Regularisation
from rnnlm.text.batches import TimeBatches
from rnnlm.training import catching_up
from rnnlm.training.averaging import Average
from rnnlm.training.optimizers import Adam
from rnnlm.training.schedules import Linear
from rnnlm.training.trainer import Trainer

V, EPOCHS = 400, 2
NEAR = 1e-6  # in 64 bits; in 32, what is rounded grows from step to step


@pytest.fixture(autouse=True)
def rows_of_any_matrix_may_lag(monkeypatch):
    monkeypatch.setattr(catching_up, "ROWS", 1)


def trainer(seed=0, lr=0.02, dtype=np.float32, **options):
    shares = (1 / np.arange(1, V + 1)).cumsum()
    ids = shares.searchsorted(np.random.default_rng(5).random(2 * 650 + 1) * shares[-1]).astype(np.int32)
    model = LanguageModel(V, 4, 6, rng=np.random.default_rng(seed), dtype=dtype,
                          regularisation=Regularisation(dropout=0.2))
    batches = TimeBatches(ids, 2, 10, random_length=True, random_start=True, rng=np.random.default_rng(seed))
    return Trainer(model, Adam(lr), batches, Linear(lr, warm_up=10), max_grad=0.5, **options)


def weights(trainer):
    return {name: array.copy() for name, array in trainer.model.named_params().items()}


def require_same(ours, theirs):
    for name, array in theirs.items():
        np.testing.assert_array_equal(ours[name], array, err_msg=name)


@pytest.fixture(scope="module")
def uninterrupted():
    """The weights at the end of the run with seed 0 that saves nothing."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(catching_up, "ROWS", 1)
        whole = trainer()
        end = run(whole)[-1]
    assert whole.iteration > 120
    return end


def farthest(ours, theirs):
    return max(np.abs(ours[name] - array).max() for name, array in theirs.items())


def run(trainer, on_step=None):
    """The weights that each epoch's validation sees; its record shows the same."""
    seen = []

    def validate():
        seen.append(weights(trainer))
        return 1.0

    for _ in trainer.fit(validate, EPOCHS, on_step):
        require_same(weights(trainer), seen[-1])
    return seen


def test_validation_and_records_see_what_dense_steps_give(monkeypatch):
    late = trainer(dtype=np.float64)
    behind = []
    seen = run(late, lambda step: behind.append(late.optimizer.unsettled))
    assert max(behind) >= 60
    monkeypatch.setattr(catching_up, "ROWS", V + 1)
    dense = run(trainer(dtype=np.float64))
    for ours, theirs in zip(seen, dense, strict=True):
        assert 0 < farthest(ours, theirs) < NEAR


def test_a_step_alone_leaves_nothing_behind(monkeypatch):
    ends = []
    for rows in (1, V + 1):
        monkeypatch.setattr(catching_up, "ROWS", rows)
        each = trainer()
        for xs, ts in each.batches:
            each.step(xs, ts)
        ends.append(weights(each))
    require_same(*ends)


def test_steps_that_may_lag_are_settled_when_that_is_asked_for():
    ends = []
    for lag in (False, True):
        each = trainer(dtype=np.float64)
        each.lag = lag
        for xs, ts in each.batches:
            each.step(xs, ts)
        raw = weights(each)
        with each.weights_to_keep():
            shown = weights(each)
        require_same(weights(each), raw)
        each.settle()
        require_same(weights(each), shown)
        ends.append(shown)
        assert bool(farthest(raw, shown) > 1e-3) is lag
    assert farthest(*ends) < NEAR
    last = next(iter(each.batches))
    each.step(*last)  # lags again
    each.lag = False
    each.step(*last)
    assert not each.optimizer.unsettled


def test_with_an_average_every_row_takes_every_step(monkeypatch):
    ends = []
    for rows in (1, V + 1):
        monkeypatch.setattr(catching_up, "ROWS", rows)
        each = trainer(average=Average(decay=0.9))
        list(each.fit(lambda: 1.0, EPOCHS))
        ends.append(weights(each) | dict(enumerate(each.average.values)))
    require_same(*ends)


class Enough(Exception):
    pass


def stop_at(trainer, iteration, step):
    if trainer.iteration == iteration:
        raise Enough


def resumed_after(steps, path, change=None):
    """The weights at the end of a run that is saved and resumed after these steps."""
    each = trainer()
    records = []
    for stop in [*steps, None]:
        try:
            records += each.fit(lambda: 1.0, EPOCHS, partial(stop_at, each, stop))
        except Enough:
            save_checkpoint(path, each, {}, records)
            if change:
                change(path)
            each = trainer(seed=9, lr=0.7)
            records = load_checkpoint(path, each)
    return weights(each)


def test_a_resumed_run_ends_where_one_that_saved_nothing_ends(uninterrupted, tmp_path):
    require_same(resumed_after([3, 66, 67, 90, 120], tmp_path / "c.npz"), uninterrupted)


@pytest.mark.parametrize("left_out", ["optimizer/rates", "optimizer/met/embedding/W", "optimizer/m/embedding/W"])
def test_without_one_of_the_arrays_it_ends_elsewhere(left_out, uninterrupted, tmp_path):
    def forget(path):
        with np.load(path) as members:
            arrays = dict(members)
        assert arrays[left_out].any()
        np.savez(path, **arrays | {left_out: np.zeros_like(arrays[left_out])})

    assert farthest(resumed_after([45], tmp_path / "c.npz", forget), uninterrupted) > 1e-4


def test_to_look_at_the_weights_or_to_save_them_changes_nothing(uninterrupted, tmp_path):
    looking = trainer()

    def look(step):
        with looking.weights_to_keep():
            assert np.isfinite(looking.model.params[0]).all()
        save_checkpoint(tmp_path / "c.npz", looking, {}, records)

    records = []
    for record in looking.fit(lambda: 1.0, EPOCHS, lambda step: looking.iteration % 9 or look(step)):
        records.append(record)
    require_same(weights(looking), uninterrupted)


def test_what_a_block_raises_puts_the_rows_back():
    each = trainer()
    each.lag = True
    for xs, ts in each.batches:
        each.step(xs, ts)
    raw = weights(each)
    with pytest.raises(Enough), each.weights_to_keep():
        raise Enough
    require_same(weights(each), raw)


@pytest.mark.parametrize("how", [copy.deepcopy, lambda each: pickle.loads(pickle.dumps(each))])
def test_a_copy_of_model_and_optimizer_continues_as_they_do(how):
    first = trainer()
    first.lag = True
    windows = list(first.batches)
    for window in windows[:40]:
        first.step(*window)
    model, optimizer = how((first.model, first.optimizer))
    second = Trainer(model, optimizer, max_grad=0.5)
    second.lag = True
    for each in (first, second):
        for window in windows[40:]:
            each.step(*window)
        each.settle()
    require_same(weights(second), weights(first))


def test_after_a_divergence_the_weights_are_as_before_and_an_older_snapshot_takes_over():
    each = trainer()
    each.lag = True
    windows = list(each.batches)
    for window in windows[:40]:
        each.step(*window)
    snapshot = each.snapshot().copy()
    ends = []
    for _ in range(2):
        each.restore(snapshot)
        with each.weights_to_keep():
            before = weights(each)
        for window in windows[40:]:
            each.step(*window)
        ends.append(weights(each))
    require_same(*ends)
    each.restore(snapshot)
    good = each.model.output.params[1].copy()
    each.model.output.params[1][...] = np.nan
    with pytest.raises(DivergenceError, match="diverged at step 41"):
        each.step(*windows[40])
    each.model.output.params[1][...] = good
    each.settle()
    assert farthest(weights(each), before) < 2 * NEAR


def test_a_checkpoint_of_an_epochs_end_holds_nothing_of_it_and_earlier_ones_are_read(tmp_path):
    each = trainer()
    records = list(each.fit(lambda: 1.0, 1))
    save_checkpoint(tmp_path / "c.npz", each, {}, records)
    assert read_checkpoint_header(tmp_path / "c.npz")["numbers"]["optimizer"] == {
        "steps": each.iteration, "unsettled": 0}
    with np.load(tmp_path / "c.npz") as members:
        arrays = dict(members)
    assert not [name for name in arrays if name.startswith(("optimizer/met", "optimizer/rates"))]
    header = json.loads(arrays["header"].tobytes())
    del header["numbers"]["optimizer"]["unsettled"]
    np.savez(tmp_path / "earlier.npz", **arrays | {"header": np.frombuffer(json.dumps(header).encode(), np.uint8)})
    ends = []
    for name in ("c.npz", "earlier.npz"):
        again = trainer(seed=9)
        load_checkpoint(tmp_path / name, again)
        list(again.fit(lambda: 1.0, EPOCHS))
        ends.append(weights(again))
    require_same(*ends)


def saved_within_an_epoch(path):
    each = trainer()
    with pytest.raises(Enough):
        list(each.fit(lambda: 1.0, 1, partial(stop_at, each, 50)))
    size = checkpoint_size(each)
    save_checkpoint(path, each, {}, [])
    return size


def test_the_size_of_a_checkpoint_includes_what_rows_have_missed(tmp_path):
    size = saved_within_an_epoch(tmp_path / "c.npz")
    with np.load(tmp_path / "c.npz") as members:
        assert sum(array.nbytes for name, array in members.items() if name not in ("header", "records")) == size


@pytest.mark.parametrize(("name", "value"), [
    ("optimizer/met/embedding/W", 1e30), ("optimizer/met/embedding/W", -7.5), ("optimizer/met/embedding/W", 3000.0),
    ("optimizer/rates", -3e38), ("optimizer/rates", 3e38)])
def test_impossible_numbers_in_a_file_do_no_harm(tmp_path, name, value):
    saved_within_an_epoch(tmp_path / "c.npz")
    with np.load(tmp_path / "c.npz") as members:
        arrays = dict(members)
    arrays[name][...] = value
    np.savez(tmp_path / "c.npz", **arrays)
    each = trainer()
    load_checkpoint(tmp_path / "c.npz", each)
    try:
        list(each.fit(lambda: 1.0, 1))
    except DivergenceError:
        assert "rates" in name


@pytest.mark.parametrize("unsettled", [51, 5000, 1 << 100, -1, "1", None])
def test_more_steps_than_there_can_be_are_one_line(tmp_path, unsettled):
    saved_within_an_epoch(tmp_path / "c.npz")
    with np.load(tmp_path / "c.npz") as members:
        arrays = dict(members)
    header = json.loads(arrays["header"].tobytes())
    header["numbers"]["optimizer"]["unsettled"] = unsettled
    np.savez(tmp_path / "c.npz", **arrays | {"header": np.frombuffer(json.dumps(header).encode(), np.uint8)})
    with pytest.raises(RnnlmError, match="unsettled"):
        load_checkpoint(tmp_path / "c.npz", trainer())


def test_ids_that_are_none_are_named_as_without_lag():
    each = trainer()
    each.lag = True
    each.step(np.array([[1, 2]]), np.array([[2, 3]]))
    for xs in ([[0, V]], [[-1, 0]]):
        with pytest.raises(IdError, match=f"ids must be from 0 to {V - 1}"):
            each.step(np.array(xs), np.array([[1, 1]]))
    assert each.step([[1, 2]], [[2, 3]]).targets == 2


class Hides:
    """A part of a trainer without some of its members."""

    def __init__(self, part, *hidden):
        self.part, self.hidden = part, hidden

    def __getattr__(self, name):
        if name in self.hidden:
            raise AttributeError(name)
        return getattr(self.part, name)

    def __setattr__(self, name, value):
        if name in ("part", "hidden"):
            object.__setattr__(self, name, value)
        else:
            setattr(self.part, name, value)


@pytest.mark.parametrize("hidden", ["rows_read", "catch_up", "settle", "settled"])
def test_with_parts_that_do_not_know_of_it_nothing_lags(hidden, monkeypatch):
    parts = trainer()
    model, optimizer = (Hides(part, hidden) for part in (parts.model, parts.optimizer))
    own = Trainer(model, optimizer, parts.batches, parts.schedule, max_grad=0.5)
    own.snapshot()
    list(own.fit(lambda: 1.0, EPOCHS))
    assert not parts.optimizer.unsettled
    monkeypatch.setattr(catching_up, "ROWS", V + 1)
    require_same(weights(own), run(trainer())[-1])


def test_a_model_that_may_read_other_rows_reads_all():
    class Own(LanguageModel):
        def states(self, xs):
            return super().states(xs)

    xs = np.array([[1, 2]])
    assert Own(V, 4, 6, rng=None).rows_read(xs) == [None] * 4
    model = LanguageModel(V, 4, 6, rng=None)
    assert [rows is None for rows in model.rows_read(xs)] == [True, True, True, False]
    assert LanguageModel(V, 4, 4, tied=True, rng=None).rows_read(xs) == [None] * 3
    each = Trainer(Own(V, 4, 6, rng=np.random.default_rng(0)), Adam(0.1))
    each.lag = True
    each.step(xs, xs)
    assert not each.optimizer.met
