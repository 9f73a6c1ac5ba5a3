from rnnlm.schedules import DivideOnPlateau


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
