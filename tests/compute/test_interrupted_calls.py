"""An interrupt anywhere in a call leaves BLAS and DEFAULT as they were before."""

import signal
import sys
import threading
from itertools import count

import pytest
from blas_state import blas_now
from threadpoolctl import threadpool_limits

from rnnlm import Workers
from rnnlm.compute import blas
from rnnlm.compute import default_workers as module
from rnnlm.compute.blas import blas_threads
from rnnlm.compute.default_workers import DEFAULT, computing, computing_on_blas


@pytest.fixture(autouse=True)
def three_of_each(monkeypatch):
    """Three cores under a quota, and a BLAS of two threads, also after the test."""
    monkeypatch.setattr(module, "cores", lambda: 3)
    monkeypatch.setattr(module, "under_quota", lambda: True)
    with threadpool_limits(2, user_api="blas"):
        yield
        assert set(blas_now()) == {2}


class Model:
    """Calls that do nothing but begin and end."""

    workers = DEFAULT

    @computing
    def forward(self):
        assert DEFAULT.threads == 2

    @computing_on_blas
    def predict_last(self):
        assert DEFAULT.threads == 1


CALLS = {"forward": Model().forward, "predict_last": Model().predict_last,
         "compute": lambda: DEFAULT.compute(lambda: None)}


def assert_as_before():
    assert set(blas_now()) == {2}
    assert DEFAULT.threads == 1
    assert not blas._blocks


def interrupted(call, nth):
    """Whether an interrupt came: at the n-th point of our files where one may come.

    That is the first instruction of a function of Python, and the end of one of C.
    """
    passed, files = count(1), (module.__file__, blas.__file__)

    def profile(frame, event, function):
        may_come = event in ("call", "return") or (event == "c_return" and function.__name__ != "__enter__")
        if may_come and frame.f_code.co_filename in files and next(passed) == nth:
            raise KeyboardInterrupt

    before = sys.getprofile()
    try:
        sys.setprofile(profile)
        call()
    except KeyboardInterrupt:
        return True
    finally:
        sys.setprofile(before)
    return False


@pytest.mark.parametrize("name", CALLS)
def test_an_interrupt_at_any_point_of_a_call_leaves_nothing_held(name):
    CALLS[name]()
    points = 0
    while interrupted(CALLS[name], points + 1):
        points += 1
        assert_as_before()
    assert points > 20


def raising_once(monkeypatch, owner, name, before):
    """Its next call raises KeyboardInterrupt: before it does its work, or after."""
    plain = getattr(owner, name)

    def raising(*arguments):
        monkeypatch.setattr(owner, name, plain)
        if not before:
            plain(*arguments)
        raise KeyboardInterrupt

    monkeypatch.setattr(owner, name, raising)


@pytest.mark.parametrize("before", [True, False])
@pytest.mark.parametrize(("when", "step"), [
    ("begin", "get"), ("begin", "set"), ("begin", "hold"), ("begin", "_begin"),
    ("end", "get"), ("end", "set"), ("end", "give_back"), ("end", "_end"),
])
def test_an_interrupt_at_a_step_leaves_nothing_held(monkeypatch, when, step, before):
    owner = blas.libraries()[0] if step in ("get", "set") else module if step.startswith("_") else blas

    def work():
        if when == "end":
            raising_once(monkeypatch, owner, step, before)

    if when == "begin":
        raising_once(monkeypatch, owner, step, before)
    with pytest.raises(KeyboardInterrupt):
        DEFAULT.compute(work)
    assert_as_before()


@pytest.mark.parametrize("block", [DEFAULT, Workers(2), blas_threads(1)], ids=["default", "workers", "blas"])
@pytest.mark.parametrize("step", ["get", "set"])
@pytest.mark.parametrize("when", ["begin", "end"])
def test_an_interrupt_while_a_block_begins_or_ends_leaves_nothing_held(monkeypatch, block, when, step):
    library = blas.libraries()[0]
    if when == "begin":
        raising_once(monkeypatch, library, step, before=False)
    with pytest.raises(KeyboardInterrupt), block:
        raising_once(monkeypatch, library, step, before=False)
    assert_as_before()
    with block:
        assert set(blas_now()) == {1}
    assert_as_before()


@pytest.mark.parametrize("name", ["new_pool", "shutdown"])
def test_an_interrupt_while_helpers_come_or_go_leaves_nothing_held(monkeypatch, name):
    workers = Workers(2)
    if name == "new_pool":
        raising_once(monkeypatch, sys.modules["rnnlm.compute.threads"], name, before=True)
    with pytest.raises(KeyboardInterrupt), workers:
        raising_once(monkeypatch, workers._pool, name, before=False)
    assert_as_before()
    assert workers.threads == 1


def test_a_call_that_was_cut_off_is_cleaned_up_by_the_next_of_its_thread():
    blas.hold(threading.get_ident(), 1)
    Model().forward()
    assert_as_before()


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no timers here")
def test_a_signal_at_any_time_leaves_nothing_held():
    before = signal.signal(signal.SIGALRM, signal.default_int_handler)
    try:
        for microseconds in range(1, 400):
            with pytest.raises(KeyboardInterrupt):
                signal.setitimer(signal.ITIMER_REAL, microseconds / 1e6)
                while True:
                    DEFAULT.compute(int)
            assert DEFAULT.threads == 1
            assert not blas._blocks
    finally:
        signal.signal(signal.SIGALRM, before)
