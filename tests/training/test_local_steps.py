"""Local steps: what processes learn apart, an outer rule puts together."""

from itertools import count
from types import SimpleNamespace

import numpy as np
import pytest
from device_arrays import StandIn
from launching import launch, needs_mpi

from rnnlm.compute.device import HOST
from rnnlm.compute.draws import Columns
from rnnlm.compute.one_process import ALONE, Processes
from rnnlm.errors import ArgumentError
from rnnlm.models import LanguageModel, Regularisation
from rnnlm.text.batches import TimeBatches
from rnnlm.training.averaging import Average
from rnnlm.training.optimizers import SGD, Adam
from rnnlm.training.schedules import Constant
from rnnlm.training.trainer import Trainer

V = 30
IDS = np.random.default_rng(1).integers(0, V, 400).astype(np.int32)


def trainer(optimizer, processes=ALONE, dropout=0.0, average=None, device=HOST, **options):
    model = LanguageModel(V, 6, 8, rng=np.random.default_rng(0), dtype=np.float64,
                          regularisation=Regularisation(dropout=dropout, input_dropout=dropout))
    model.move_to(device).processes = processes
    return Trainer(model, optimizer, TimeBatches(IDS, 4, 5), Constant(optimizer.lr), average=average, **options)


def weights(trainer):
    get = trainer.model.device.get
    return np.concatenate([get(array).ravel() for array in trainer.model.named_params().values()])


def train(trainer, steps):
    windows = iter(trainer.batches)
    for _ in range(steps):
        trainer.step(*next(windows))
    return weights(trainer)


def test_one_process_takes_outer_steps_by_nesterovs_rule():
    alone, local = trainer(SGD(0.1)), trainer(SGD(0.1), sync_every=3)
    w0 = weights(local)
    inner = train(alone, 3)
    g1 = w0 - inner
    w1 = w0 - 0.7 * (g1 + 0.5 * g1)  # the velocity is the gradient
    np.testing.assert_allclose(train(local, 3), w1, atol=1e-12)
    for array, new in zip(alone.model.named_params().values(), local.model.named_params().values(), strict=True):
        array[...] = new
    g2 = w1 - train(alone, 3)
    v2 = 0.5 * g1 + g2
    np.testing.assert_allclose(train(local, 3), w1 - 0.7 * (g2 + 0.5 * v2), atol=1e-12)


def test_with_the_plain_mean_and_a_rate_of_1_nothing_changes():
    alone, local = trainer(SGD(0.1)), trainer(SGD(0.1), sync_every=2)
    local.sharing.rate, local.sharing.momentum = 1.0, 0.0
    np.testing.assert_allclose(train(local, 5), train(alone, 5), atol=1e-12)


def test_steps_between_two_meetings_are_at_least_one():
    with pytest.raises(ArgumentError, match="sync_every must be a whole number"):
        trainer(SGD(0.1), sync_every=-1)


def test_local_steps_need_batches():
    with pytest.raises(ArgumentError, match="sync_every, need batches: give them to the Trainer"):
        Trainer(trainer(SGD(0.1)).model, SGD(0.1), sync_every=3)


def test_a_snapshot_meets_first_and_leads_to_the_same_end():
    def part(processes=ALONE):
        return trainer(Adam(0.01), processes, 0.3, Average(decay=0.9), sync_every=4)

    whole, first, second = part(), part(), part()
    records = list(whole.fit(lambda: 0.0, 3))
    for _ in first.fit(lambda: 0.0, 1):
        pass
    second.restore(first.snapshot().copy())
    assert "outer/rnn1/Wx" in first.snapshot().arrays
    rest = list(second.fit(lambda: 0.0, 3))
    assert weights(second).tobytes() == weights(whole).tobytes()
    assert [record.train_loss for record in rest] == [record.train_loss for record in records[1:]]


def test_local_steps_on_a_device_are_those_on_the_host():
    here, there = (trainer(Adam(0.01), ALONE, 0.3, Average(decay=0.9), device, sync_every=4)
                   for device in (HOST, StandIn()))
    losses = [[record.train_loss for record in run.fit(lambda: 0.0, 2)] for run in (here, there)]
    np.testing.assert_allclose(losses[1], losses[0], rtol=1e-9)
    np.testing.assert_allclose(weights(there), weights(here), rtol=1e-7, atol=1e-10)
    again = trainer(Adam(0.01), ALONE, 0.3, Average(decay=0.9), sync_every=4)  # on the host
    again.restore(there.snapshot().copy())
    for name, array in here.snapshot().arrays.items():
        np.testing.assert_allclose(again.snapshot().arrays[name], array, rtol=1e-6, atol=1e-9, err_msg=name)


class Slow(Processes):
    """Two processes whose steps take so many milliseconds together."""

    rank, size, first = 0, 2, True

    def __init__(self, milliseconds):
        self.milliseconds, self.told, self.step = milliseconds, [], 0

    def columns(self, total):
        return Columns(0, total // 2, total)

    def hear(self):
        return self.milliseconds if self.told else 0

    def begin_to_tell(self, number):
        assert number == int(number)
        self.told.append(self.step)

    def agreed(self, wish, wished):
        return False


@pytest.mark.parametrize(("milliseconds", "told"), [
    (8_000, [0, 1, 2, 3]),  # 4 s a step: after each
    (1_000, [0, 1, 5, 9]),  # 2 s are 4 steps of half a second
    (2, [0, 1, 51, 101]),
])
def test_a_process_hears_within_seconds_that_another_is_to_stop(milliseconds, told):
    processes = Slow(milliseconds)
    run = trainer(SGD(0.1), processes, sync_every=1000)
    for processes.step in range(told[-1] + 1):
        run.step(IDS[:20].reshape(4, 5), IDS[1:21].reshape(4, 5))
    assert processes.told == told


def test_steps_of_microseconds_are_not_told_after_each(monkeypatch):
    monkeypatch.setattr("rnnlm.training.local_steps.time", SimpleNamespace(perf_counter=count(0, 1e-5).__next__))

    class Quick(Slow):
        def hear(self):
            return 2 * self.number

        def begin_to_tell(self, number):
            self.number = number
            super().begin_to_tell(number)

    processes = Quick(None)
    processes.number = 0
    run = trainer(SGD(0.1), processes, sync_every=1000)
    for processes.step in range(60):
        run.step(IDS[:20].reshape(4, 5), IDS[1:21].reshape(4, 5))
    assert processes.told == [0, 1, 2, 52]


PROGRAM = """
import sys
sys.path[:0] = {folders!r}
import math
import numpy as np
from device_arrays import StandIn
from rnnlm.compute.device import HOST
from rnnlm.compute.processes import processes
from rnnlm.errors import DivergenceError
from rnnlm.training.averaging import Average
from rnnlm.training.optimizers import SGD, Adam
from test_local_steps import train, trainer, weights
p = processes()

def equal(trainer):
    return len({{array.tobytes() for array in p.each(weights(trainer))}}) == 1

# Without an outer rule, one step apart is one step together.
local = trainer(SGD(0.1), p, sync_every=1)
local.sharing.rate, local.sharing.momentum = 1.0, 0.0
np.testing.assert_allclose(train(local, 6), train(trainer(SGD(0.1)), 6), atol=1e-12)

for device in HOST, StandIn():
    # They are apart between two meetings, and at one at each end of an epoch and in a snapshot.
    local = trainer(Adam(0.01), p, 0.3, Average(decay=0.9), device, sync_every=4)
    train(local, 3)
    assert not equal(local)
    train(local, 1)
    assert equal(local)
    train(local, 1)
    local.meet()  # before anything is kept
    assert equal(local)
    local = trainer(Adam(0.01), p, 0.3, Average(decay=0.9), device, sync_every=7)
    losses = [record.train_loss for record in local.fit(lambda: 0.0, 2)]
    assert equal(local)
    assert len(set(p.each(tuple(losses)))) == 1
    arrays = local.snapshot().arrays
    assert len(set(p.each(b"".join(array.tobytes() for array in arrays.values())))) == 1

    # One that is lost takes all along, at the same step.
    local = trainer(SGD(0.1), p, device=device, sync_every=1000)
    if p.rank == 1:
        local.model.params[-1][0] = math.nan
    try:
        for record in local.fit(lambda: 0.0, 100):
            pass
        raise SystemExit("nothing was raised")
    except DivergenceError as error:
        assert len(set(p.each(local.iteration))) == 1
        assert ("in process 1" in str(error)) == (p.rank == 1), error
if p.first:
    print("all is well")
"""


@needs_mpi
def test_processes_that_train_apart_meet(tmp_path, pytestconfig):
    here = pytestconfig.rootpath / "tests"
    program = PROGRAM.format(folders=[str(here / "training"), str(here)])
    assert launch(2, program, cwd=tmp_path, limit=60) == (0, "all is well\n", "")
