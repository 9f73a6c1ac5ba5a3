import math
import time

import numpy as np
import pytest

from rnnlm.errors import ArgumentError, DivergenceError
from rnnlm.models import LanguageModel, Regularisation
from rnnlm.text.batches import TimeBatches
from rnnlm.training.averaging import Average
from rnnlm.training.optimizers import SGD, Adam
from rnnlm.training.schedules import DivideOnPlateau, Linear
from rnnlm.training.trainer import Trainer


def setup(V=5, n=61, N=2, T=7, seed=0, optimizer=None, schedule=None, dropout=0.0, cell="rnn", tied=False,
          random=False, **options):
    rng = np.random.default_rng(seed)
    model = LanguageModel(V, 4, 6, cell=cell, tied=tied, rng=rng, dtype=np.float64,
                          regularisation=Regularisation(dropout=dropout, weight_drop=dropout))
    batches = TimeBatches((np.arange(n) % V).astype(np.int32), N, T, random_start=random, random_length=random,
                          rng=np.random.default_rng(seed))
    return Trainer(model, optimizer or SGD(0.5), batches, schedule or DivideOnPlateau(0.5), **options), batches


fresh = setup


def epoch(trainer):
    """The steps of one epoch."""
    steps = []
    list(trainer.fit(lambda: 1.0, trainer.epoch + 1, steps.append))
    return steps


def test_one_window_is_one_update_by_the_summed_gradient_of_all_its_steps():
    trainer, batches = setup()
    xs, ts = next(iter(batches))
    twin = setup()[0].model
    expected = []
    twin.forward(xs, ts)
    twin.backward()
    for param, grad in zip(twin.params, twin.grads, strict=True):
        expected.append(param - 0.5 * np.asarray(grad))
    step = trainer.step(xs, ts)
    for param, value in zip(trainer.model.params, expected, strict=True):
        np.testing.assert_allclose(param, value, rtol=1e-12)
    assert (trainer.iteration, trainer.tokens, step.targets) == (1, 14, 14)


def test_gradients_are_clipped_by_their_global_norm():
    trainer, batches = setup(max_grad=1e-3)
    before = [p.copy() for p in trainer.model.params]
    step = trainer.step(*next(iter(batches)))
    assert step.grad_norm > 1e-3  # the norm before clipping is what is reported
    moved = math.sqrt(sum(((p - b) ** 2).sum() for p, b in zip(trainer.model.params, before, strict=True)))
    assert moved == pytest.approx(0.5 * 1e-3)


def test_the_state_is_carried_over_windows_and_reset_at_the_start_of_an_epoch():
    """With rate 0 an epoch's losses are those of one long window, every time."""
    trainer, batches = setup(schedule=DivideOnPlateau(0.0))
    first, second = epoch(trainer), epoch(trainer)
    assert [step.loss for step in first] == [step.loss for step in second]
    trainer.model.reset_state()
    whole = trainer.model.forward(batches.ids[:60].reshape(2, 30), batches.ids[1:61].reshape(2, 30))
    mean = sum(step.loss * step.targets for step in first) / sum(step.targets for step in first)
    assert mean == pytest.approx(whole, rel=1e-12)
    assert first[-1].targets < first[0].targets  # the last short window is used


def test_training_learns_a_cycle():
    trainer, _ = setup(optimizer=Adam(0.02), schedule=DivideOnPlateau(0.02, patience=99, factor=1.001))
    records = list(trainer.fit(lambda: 1.0, epochs=30))
    assert records[0].train_perplexity > 3
    assert records[-1].train_perplexity < 1.2


def fit(losses, epochs=10, **options):
    trainer, _ = setup(schedule=DivideOnPlateau(0.5, 2, patience=2), **options)
    losses = iter(losses)
    return list(trainer.fit(lambda: next(losses), epochs))


def test_records_tell_the_epochs():
    records = fit([2.0, 1.5, 1.7, 1.4], epochs=4)
    assert [record.epoch for record in records] == [1, 2, 3, 4]
    assert [record.lr for record in records] == [0.5, 0.5, 0.5, 0.25]  # divided after the stall, used after that
    assert [record.improved for record in records] == [True, True, False, True]
    assert [record.tokens for record in records] == [60, 120, 180, 240]
    assert [record.iteration for record in records] == [5, 10, 15, 20]
    assert records[1].valid_perplexity == pytest.approx(math.exp(1.5))
    assert (records[1].valid_loss, records[1].train_loss) == (1.5, pytest.approx(math.log(records[1].train_perplexity)))
    assert all(record.tokens_per_second > 0 and record.grad_norm > 0 for record in records)
    assert records[0].seconds < records[-1].seconds


def test_the_divided_rate_is_the_one_that_is_used():
    trainer, _ = setup(schedule=DivideOnPlateau(0.5, 2, patience=9))
    used, losses = [], iter([2.0, 2.1, 2.2])
    list(trainer.fit(lambda: next(losses), 3, on_step=lambda step: used.append(trainer.optimizer.lr)))
    assert used == [0.5] * 10 + [0.25] * 5


def test_the_speed_is_that_of_the_training_steps_alone():
    def slow():
        time.sleep(0.3)
        return 1.0

    trainer, _ = setup()
    record, = trainer.fit(slow, 1)
    assert 60 / record.tokens_per_second <= record.seconds - 0.3


def test_early_stop_after_patience_stalls():
    assert len(fit([2.0, 2.1, 2.2, 1.0])) == 3


def test_perplexity_is_of_total_nats_over_total_targets():
    record, = fit([1.0], epochs=1)
    steps = epoch(setup()[0])
    total = sum(step.loss * step.targets for step in steps)
    assert record.train_perplexity == pytest.approx(math.exp(total / 60), rel=1e-12)


@pytest.mark.parametrize("poison", ["loss", "gradient"])
def test_the_first_number_that_is_not_finite_stops_before_the_update(poison):
    trainer, batches = setup()
    windows = iter(batches)
    trainer.step(*next(windows))
    if poison == "loss":
        trainer.model.output.params[1][...] = np.nan
    else:
        backward = trainer.model.layers[-1].backward
        trainer.model.layers[-1].backward = lambda dout: backward(dout) * np.inf
    before = [p.copy() for p in trainer.model.params]
    with (pytest.raises(DivergenceError, match=r"diverged at step 2: loss .*gradient norm .*learning rate 0\.5"),
          np.errstate(invalid="ignore")):
        trainer.step(*next(windows))
    for param, kept in zip(trainer.model.params, before, strict=True):
        np.testing.assert_array_equal(param, kept)


class Enough(Exception):
    pass


@pytest.mark.parametrize("where", ["step", "validation"])
def test_what_on_step_or_validate_raises_ends_training_where_it_can_go_on(where):
    whole, _ = setup(dropout=0.3)
    expected = list(whole.fit(lambda: 1.0, 3))
    trainer, _ = setup(dropout=0.3)
    calls = []

    def once(place, at):
        calls.append(place)
        if place == where and calls.count(place) == at:
            raise Enough
        return 1.0

    records = []
    with pytest.raises(Enough):
        records.extend(trainer.fit(lambda: once("validation", 2), 3, lambda step: once("step", 7)))
    records.extend(trainer.fit(lambda: 1.0, 3))
    assert trainer.iteration == whole.iteration == 15
    for ours, theirs in zip(trainer.model.params, whole.model.params, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert [record.train_loss for record in records] == [record.train_loss for record in expected[-len(records):]]


@pytest.mark.parametrize("options", [
    {}, {"cell": "lstm", "random": True, "n": 301, "T": 12}, {"cell": "gru", "tied": True, "average": {"decay": 0.9}},
    {"cell": "mrnn"},
    {"random": True, "T": 12, "tied": True, "average": {"start": 0.3}, "schedule": Linear}], ids=str)
def test_a_snapshot_is_all_that_a_run_needs_to_go_on(options):
    """A second trainer, with another seed, takes over after every step.

    The end is that of one trainer alone.
    """
    options = {"dropout": 0.3, "max_grad": 0.5} | options

    def setup(optimizer, average=None, schedule=None, **options):
        return fresh(optimizer=optimizer, average=Average(**average) if average else None,
                     schedule=schedule and schedule(0.02, warm_up=3), **options)

    whole, _ = setup(optimizer=Adam(0.02), **options)
    expected = list(whole.fit(lambda: 1.0, 2))
    trainer, _ = setup(optimizer=Adam(0.02), **options)
    records = []
    while trainer.epoch < 2:
        def stop(step):
            raise Enough

        try:
            records += trainer.fit(lambda: 1.0, 2, stop)
        except Enough:
            snapshot = trainer.snapshot()
            trainer, _ = setup(seed=99, optimizer=Adam(0.7), **options)
            trainer.restore(snapshot)
    for ours, theirs in zip(trainer.model.params, whole.model.params, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    for ours, theirs in zip(records, expected, strict=False):
        assert (ours.epoch, ours.iteration, ours.train_loss) == (theirs.epoch, theirs.iteration, theirs.train_loss)
    if whole.average:
        for ours, theirs in zip(trainer.average.values, whole.average.values, strict=True):
            np.testing.assert_array_equal(ours, theirs)


def test_the_average_is_what_is_validated_and_training_goes_on_without_it():
    plain, _ = setup(seed=3)
    averaged, _ = setup(seed=3, average=Average(start=0.5))
    seen = {}

    def validate(trainer):
        def keep():
            seen.setdefault(trainer, []).append([p.copy() for p in trainer.model.params])
            return 1.0

        return keep

    for trainer in (plain, averaged):
        list(trainer.fit(validate(trainer), 2))
    for ours, theirs in zip(averaged.model.params, plain.model.params, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    for ours, theirs in zip(seen[averaged][0], seen[plain][0], strict=True):  # the tail has one step by then
        np.testing.assert_array_equal(ours, theirs)
    for mean, ours, last in zip(averaged.model.packing.by_name(averaged.average.values).values(), seen[averaged][1],
                                seen[plain][1], strict=True):
        np.testing.assert_array_equal(ours, mean)
        assert (ours != last).any()


@pytest.mark.parametrize("average", [{"decay": 0.9}, {"start": 0.3}])
def test_back_at_an_older_place_the_end_is_the_same(average):
    """As after a divergence: back to a snapshot, though a best loss was seen since."""
    def trainer():
        return setup(seed=3, optimizer=Adam(0.02), dropout=0.3, average=Average(**average))[0]

    whole, back = trainer(), trainer()
    expected = list(whole.fit(lambda: 1.0, 3))
    snapshot = back.snapshot().copy()
    list(back.fit(lambda: 1.0, 2))
    back.average.values[0][...] = np.inf
    back.restore(snapshot)
    records = list(back.fit(lambda: 1.0, 3))
    assert [record.train_loss for record in records] == [record.train_loss for record in expected]
    for ours, theirs in zip([*back.model.params, *back.average.values], [*whole.model.params, *whole.average.values],
                            strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_the_rate_follows_the_schedule_step_by_step():
    trainer, _ = setup(schedule=Linear(1.0, warm_up=1))
    rates = []
    records = list(trainer.fit(lambda: 1.0, 2, lambda step: rates.append(trainer.optimizer.lr)))
    shares = [7 * k / 60 for k in range(5)] + [0.5 + 7 * k / 60 for k in range(5)]
    assert rates == pytest.approx([0.5, *(1 - share for share in shares[1:])])
    assert records[1].lr == rates[-1]


def test_dropout_rises_with_the_share_of_all_epochs_that_is_done():
    trainer, batches = setup()
    trainer.model = LanguageModel(5, 4, 6, rng=np.random.default_rng(0), dtype=np.float64,
                                  regularisation=Regularisation(dropout=0.4, weight_drop=0.2, dropout_start=0.5))
    ratios = []

    def look(step):
        ratios.append([layer.ratio for layer in trainer.model.switches if layer.ratio])

    list(trainer.fit(lambda: 1.0, 3, look))
    assert batches.stream_length == 30  # five windows of 7 or less: each epoch is a third of the way
    assert ratios[0] == pytest.approx([0.2, 0.1])
    assert ratios[5] == pytest.approx([0.4 * 4 / 6, 0.2 * 4 / 6])
    assert ratios[12] == pytest.approx([0.4 * (5 / 6 + 14 / 180), 0.2 * (5 / 6 + 14 / 180)])
    assert len(ratios) == 15


def test_a_short_window_of_random_length_takes_a_short_step():
    trainer, _ = setup(n=2001, T=12, random=True, schedule=DivideOnPlateau(1.0))
    steps = []
    list(trainer.fit(lambda: 1.0, 1, lambda step: steps.append((step.targets, trainer.optimizer.lr))))
    assert len({targets for targets, _ in steps}) > 5
    for targets, lr in steps:
        assert lr == pytest.approx(targets / 2 / 12)


def test_restoring_is_the_same_in_any_order_and_again():
    """Into a trainer before and after its first steps, and twice.

    A snapshot of its own is taken in between.
    """
    options = {"dropout": 0.3, "random": True, "T": 12, "average": Average(decay=0.9)}
    source, _ = setup(optimizer=Adam(0.02), **options)
    with pytest.raises(Enough):
        list(source.fit(lambda: 1.0, 2, lambda step: stop_after(source, 4)))
    snapshot = source.snapshot().copy()
    ends = []
    for epochs, times in ((0, 1), (1, 1), (1, 2)):
        trainer, _ = setup(seed=9, optimizer=Adam(0.7), **options | {"average": Average(decay=0.9)})
        list(trainer.fit(lambda: 1.0, epochs))
        for _ in range(times):
            trainer.restore(snapshot)
            trainer.snapshot()
        records = list(trainer.fit(lambda: 1.0, 2))
        ends.append([record.train_loss for record in records])
        for ours, theirs in zip(trainer.model.params, source.model.params, strict=True):
            assert (ours != theirs).any()
    assert ends[0] == ends[1] == ends[2]


def stop_after(trainer, steps):
    if trainer.iteration == steps:
        raise Enough


def test_restoring_fills_the_arrays_that_are_there():
    source, trainer = setup(seed=1, optimizer=Adam(0.02))[0], setup(seed=2, optimizer=Adam(0.02))[0]
    arrays = trainer.snapshot().arrays
    trainer.restore(source.snapshot())
    for name, array in trainer.snapshot().arrays.items():
        assert np.shares_memory(array, arrays[name])
        assert not np.shares_memory(array, source.snapshot().arrays[name])


@pytest.mark.parametrize("other", [{"cell": "lstm"}, {"V": 6}, {"N": 3, "n": 91}, {"optimizer": Adam(0.5)}],
                         ids=["cell", "sizes", "streams", "rule"])
def test_the_snapshot_of_another_run_is_refused_before_anything_is_set(other):
    """Of another model, of one with other shapes, of other streams, of another rule."""
    trainer, source = (setup(dropout=0.3, random=True, T=12, **options)[0] for options in ({}, other))
    for each, steps in ((trainer, 2), (source, 3)):
        with pytest.raises(Enough):
            list(each.fit(lambda: 1.0, 2, lambda step, each=each, steps=steps: stop_after(each, steps)))
    before = trainer.snapshot().copy()
    with pytest.raises(ArgumentError, match="must be of a trainer that was built alike, got other arrays"):
        trainer.restore(source.snapshot())
    after = trainer.snapshot()
    assert after.values == before.values
    for name, array in after.arrays.items():
        np.testing.assert_array_equal(array, before.arrays[name])


def test_a_snapshot_whose_arrays_have_changed_with_the_run_is_refused():
    trainer, _ = setup()
    snapshot = trainer.snapshot()
    trainer.restore(snapshot)  # nothing has happened since
    list(trainer.fit(lambda: 1.0, 1))
    with pytest.raises(ArgumentError, match=r"of its step, 0, got .* at step 5: keep trainer\.snapshot\(\)\.copy\(\)"):
        trainer.restore(snapshot)
    assert (trainer.epoch, trainer.iteration) == (1, 5)


def test_a_model_that_has_read_other_streams_takes_a_snapshot():
    source, trainer = setup()[0], setup()[0]
    with pytest.raises(Enough):
        list(source.fit(lambda: 1.0, 1, lambda step: stop_after(source, 2)))
    trainer.model.predict(np.zeros((5, 1), int))
    trainer.restore(source.snapshot())
    assert trainer.snapshot().arrays["state/rnn1/h"].shape == (2, 6)


@pytest.mark.parametrize(("part", "lacks", "message"), [
    ("optimizer", "snapshot", "optimizer must be one that a checkpoint can hold, got a "),
    ("batches", "restore", "batches must be one that a checkpoint can hold, got a "),
    ("batches", "random_scheme", "batches must be one that a checkpoint can hold, got a "),
    ("model", "named_state", "model must be one that a checkpoint can hold, got a ")])
def test_a_part_that_cannot_be_saved_is_named(part, lacks, message):
    trainer, _ = setup()
    whole = getattr(trainer, part)

    class Without:
        def __getattr__(self, name):
            if name == lacks:
                raise AttributeError(name)
            return getattr(whole, name)

        __iter__ = None

    setattr(trainer, part, Without())
    with pytest.raises(ArgumentError, match=message):
        trainer.snapshot()


def test_a_model_that_cannot_be_fitted_is_named():
    class Steps:
        packing = forward = backward = None

    trainer = Trainer(Steps(), SGD(0.1), setup()[1], DivideOnPlateau(0.5))
    with pytest.raises(ArgumentError, match=r"model must be one that can be fitted, got a Steps: it needs reset_state"):
        trainer.fit(lambda: 1.0, 1)
