"""Epochs that change on the way, and the pace that changes them."""

from types import SimpleNamespace

import pytest

from rnnlm.runs.checks import WrongValue
from rnnlm.runs.later_epochs import Pace, changed, changes, epochs_at, fit


@pytest.mark.parametrize("text", ["5:9", "1:3, 2:4", "5:5"])
def test_changes_are_read(text):
    assert changes(text) == text.replace(" ", "")


@pytest.mark.parametrize("text", ["", "5", "5:", "a:b", "5:4", "0:3", "5:9,5:8", "5:9,4:8", "-1:3", "5:9,", "5:9:3",
                                  "5:0",
                                  "9" * 5000 + ":1"])
def test_others_are_refused(text):
    with pytest.raises(WrongValue, match="must be changes AFTER:EPOCHS"):
        changes(text)


def test_the_last_change_that_was_reached_counts():
    options = SimpleNamespace(epochs=12, later_epochs="3:9,5:20")
    assert [epochs_at(options, epoch) for epoch in (0, 2, 3, 4, 5, 19)] == [12, 12, 9, 9, 20, 20]
    assert epochs_at(SimpleNamespace(epochs=12, later_epochs=None), 5) == 12


def test_a_change_comes_after_the_earlier_ones():
    assert changed(SimpleNamespace(later_epochs=None), 2, 7) == "2:7"
    assert changed(SimpleNamespace(later_epochs="2:7"), 4, 8) == "2:7,4:8"


class Machine:
    """Trains epochs that take so many seconds each, as a Pace is told at their ends."""

    def __init__(self, deadline, most=100):
        self.now = 0.0
        self.pace = Pace(lambda: self.now, deadline, deadline, most)

    def run(self, epochs, seconds):
        """How many epochs it has in the end; seconds: function of the epoch, from 1."""
        epoch = 0
        while epoch < epochs:
            epoch += 1
            self.now += seconds(epoch)
            epochs = self.pace.epochs(epoch, epochs)
        return epochs


@pytest.mark.parametrize(("epochs", "seconds"), [(20, 5), (20, 4.9), (20, 5.1), (4, 25)])
def test_a_run_at_the_measured_speed_keeps_its_epochs(epochs, seconds):
    assert Machine(100).run(epochs, lambda epoch: seconds) == epochs


@pytest.mark.parametrize("seconds", [lambda epoch: 10, lambda epoch: 2.5, lambda epoch: 5 if epoch < 10 else 10,
                                     lambda epoch: 10 if epoch < 5 else 4])
def test_another_speed_still_ends_in_time(seconds):
    machine = Machine(100)
    machine.run(20, seconds)
    assert machine.now == pytest.approx(100, abs=10)


def test_the_rate_falls_to_its_end_even_in_a_run_that_is_late():
    machine = Machine(100)
    assert machine.run(20, lambda epoch: 200) == 2  # one more, in which the rate falls to 0


def test_there_are_never_more_epochs_than_are_of_use():
    assert Machine(100, most=25).run(20, lambda epoch: 1) == 25


class Trainer:
    """A trainer whose epochs are numbers."""

    schedule = SimpleNamespace(stop=False)

    def __init__(self):
        self.epoch, self.planned = 0, []

    def fit(self, validate, epochs, on_step):
        while self.epoch < epochs:
            self.epoch += 1
            self.planned.append(epochs)
            yield self.epoch


def test_a_change_that_is_made_when_an_epoch_ends_counts_from_the_next_one():
    trainer, options = Trainer(), SimpleNamespace(epochs=5, later_epochs=None)
    for epoch in fit(trainer, None, options, None):
        if epoch == 2:
            options.later_epochs = changed(options, 2, 3)
    assert trainer.planned == [5, 5, 3]


def test_a_run_can_become_longer_at_its_last_epoch():
    trainer = Trainer()
    assert [*fit(trainer, None, SimpleNamespace(epochs=2, later_epochs="2:4"), None)] == [1, 2, 3, 4]
