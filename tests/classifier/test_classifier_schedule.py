"""The rate of the classifier over its epochs."""

import numpy as np
import pytest

from rnnlm import SGD, RnnlmError, ScratchSimpleRNNClassifier
from rnnlm.classifier import classifier


def rates(monkeypatch, **options):
    """The rate of every step, two to an epoch, of a classifier with these options."""
    seen = []

    class Spy(SGD):
        def update(self, *args, **more):
            seen.append(self.lr)
            return super().update(*args, **more)

    monkeypatch.setattr(classifier, "OPTIMIZERS", {"sgd": Spy})
    X, y = np.random.default_rng(0).normal(size=(6, 4, 2)), [0, 1] * 3
    ScratchSimpleRNNClassifier(n_nodes=3, batch_size=3, epochs=4, lr=0.4, optimizer="sgd", **options).fit(X, y)
    return seen


def test_the_rate_falls_in_a_straight_line_if_asked_to(monkeypatch):
    assert rates(monkeypatch, schedule="linear") == pytest.approx([0.4, 0.4, 0.3, 0.3, 0.2, 0.2, 0.1, 0.1])


def test_by_default_the_rate_stays(monkeypatch):
    assert rates(monkeypatch) == rates(monkeypatch, schedule="constant") == [0.4] * 8


def test_a_second_fit_begins_with_the_rate_that_was_given():
    X, y = np.random.default_rng(0).normal(size=(6, 4, 2)), [0, 1] * 3
    falling = ScratchSimpleRNNClassifier(n_nodes=3, epochs=4, schedule="linear", random_state=0)
    assert falling.fit(X, y).loss_curve_ == falling.fit(X, y).loss_curve_
    assert falling.lr == 0.003


@pytest.mark.parametrize("schedule", ["plateau", "cosine", None, 0.5])
def test_another_schedule_is_refused(schedule):
    with pytest.raises(RnnlmError, match=f"schedule must be one of constant, linear, got {schedule!r}"):
        ScratchSimpleRNNClassifier(schedule=schedule).fit(np.ones((4, 3, 2)), [0, 1, 0, 1])
