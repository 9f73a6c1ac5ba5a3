import pytest

from rnnlm.training.schedules import SCHEDULES, Constant, Cosine, DivideOnPlateau, Linear


def test_the_rate_falls_when_validation_stalls_and_stays_when_it_improves():
    schedule = DivideOnPlateau(8.0, factor=2, patience=3)
    rates = []
    for loss in (5, 4, 4, 4.5, 3, 3.5):
        schedule.update(loss)
        rates.append(schedule.lr)
    assert rates == [8, 8, 4, 2, 2, 1]


def test_update_says_whether_the_loss_is_the_best():
    schedule = DivideOnPlateau(1.0)
    assert [schedule.update(loss) for loss in (5, 6, 4, 4)] == [True, False, True, False]


def test_stop_after_patience_stalls_in_a_row_only():
    schedule = DivideOnPlateau(1.0, patience=2)
    stops = []
    for loss in (5, 6, 4, 4, 4):
        schedule.update(loss)
        stops.append(schedule.stop)
    assert stops == [False, False, False, False, True]


def test_a_gain_below_the_threshold_is_a_stall_but_still_the_best():
    schedule = DivideOnPlateau(8.0, factor=2, patience=2, threshold=0.1)
    assert [schedule.update(loss) for loss in (5, 4.95, 4.8, 4.75, 4.75)] == [True, True, True, True, False]
    assert schedule.lr == 1
    assert schedule.stop


def test_a_loss_that_is_not_a_number_is_a_stall():
    schedule = DivideOnPlateau(1.0)
    assert not schedule.update(float("nan"))
    assert schedule.update(3)


@pytest.mark.parametrize(("kind", "rates"), [(Constant, [8, 8, 8]), (DivideOnPlateau, [8, 8, 8]), (Linear, [8, 4, 0]),
                                             (Cosine, [8, 4, 0])])
def test_the_rate_over_the_epochs(kind, rates):
    schedule = kind(8.0)
    assert [schedule.rate(1000, progress) for progress in (0, 0.5, 1)] == pytest.approx(rates)
    assert schedule.needs_epochs == (rates[-1] == 0)


def test_the_cosine_is_no_straight_line():
    assert Cosine(1.0).rate(0, 0.25) == pytest.approx((1 + 0.5**0.5) / 2)
    assert Linear(1.0).rate(0, 0.25) == pytest.approx(0.75)


@pytest.mark.parametrize("kind", SCHEDULES.values())
def test_the_warm_up_rises_step_by_step_to_the_full_rate(kind):
    schedule = kind(8.0, warm_up=3)
    assert [schedule.rate(step, 0) for step in range(5)] == [2, 4, 6, 8, 8]


@pytest.mark.parametrize(("name", "stops"), [("plateau", True), ("constant", True), ("linear", False),
                                             ("cosine", False)])
def test_a_rate_that_ends_at_zero_is_not_stopped_on_the_way(name, stops):
    schedule = SCHEDULES[name](8.0, patience=2)
    for loss in (3, 4, 4, 4):
        schedule.update(loss)
    assert schedule.stop == stops
    assert schedule.lr == (1 if name == "plateau" else 8)


def test_without_patience_nothing_stops():
    schedule = Constant(8.0, patience=None)
    for loss in (3, 4, 4, 4, 4, 4):
        schedule.update(loss)
    assert not schedule.stop


@pytest.mark.parametrize("kind", SCHEDULES.values())
def test_numbers_are_all_it_needs_to_go_on(kind):
    one, other = kind(8.0, warm_up=2), kind(1.0, warm_up=2)
    for loss in (3, 4, 2, 2):
        one.update(loss)
    other.restore(one.snapshot())
    assert [schedule.update(1.9999) for schedule in (one, other)] == [True, True]
    assert (one.snapshot(), one.rate(7, 0.3), one.stop) == (other.snapshot(), other.rate(7, 0.3), other.stop)
