"""What other programs do: known answers from clocks that the test sets."""

import math

import pytest

from rnnlm.compute import load


@pytest.fixture
def clocks(monkeypatch):
    """Seconds: of the clock, of all programs, of this process."""
    clocks = {"time": 10.0, "machine": 100.0, "own": 5.0}
    monkeypatch.setattr(load.time, "monotonic", lambda: clocks["time"])
    monkeypatch.setattr(load, "machine_seconds", lambda: clocks["machine"])
    monkeypatch.setattr(load, "own_seconds", lambda: clocks["own"])
    monkeypatch.setattr(load.os, "cpu_count", lambda: 4)
    return clocks


def test_others_are_what_is_not_ours(clocks):
    """Eight seconds of all and two of ours in four seconds: others had 1.5 cores."""
    watched = load.Load()
    clocks |= {"time": 14.0, "machine": 108.0, "own": 7.0}
    assert watched.seconds == 4
    assert watched.others() == 1.5
    clocks |= {"time": 15.0, "machine": 109.0, "own": 8.0}
    assert watched.others() == 0  # since the last look


def test_what_is_not_known_slows_nothing_down(clocks):
    watched = load.Load()
    assert math.isnan(watched.others())  # no time has passed
    assert not load.slow_down(float("nan"), 4)


@pytest.mark.parametrize(("others", "threads", "slow"), [(1.9, 4, True), (0.4, 4, False), (1.9, 2, False),
                                                         (2.6, 2, True)])
def test_others_on_our_cores_slow_us_down(clocks, others, threads, slow):
    assert load.slow_down(others, threads) == slow
