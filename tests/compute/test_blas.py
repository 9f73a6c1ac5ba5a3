"""Blocks in which BLAS has a number of threads; they may overlap, nest, end anyhow."""

import math
import os
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
import threadpoolctl
from blas_state import blas_now
from threadpoolctl import threadpool_limits

from rnnlm.compute import blas as module
from rnnlm.compute.blas import blas_threads, give_back, hold


def test_of_blocks_that_overlap_the_last_one_out_restores():
    with blas_threads(3):
        outside = blas_now()
        first, second, third = blas_threads(1), blas_threads(2), blas_threads(1)
        first.__enter__()
        second.__enter__()
        third.__enter__()
        first.__exit__(None, None, None)
        assert set(blas_now()) == {1}
        third.__exit__(None, None, None)
        assert set(blas_now()) == {2}  # the one that began last, of those that are open
        second.__exit__(None, None, None)
        assert blas_now() == outside == [3] * len(outside)


def test_a_block_gives_back_what_it_found_and_one_that_ends_early_leaves_that_to_the_next():
    with blas_threads(3), threadpool_limits(2, user_api="blas"):
        first, second = blas_threads(1), blas_threads(3)
        first.__enter__()
        second.__enter__()
        first.__exit__(None, None, None)
        assert set(blas_now()) == {3}
        second.__exit__(None, None, None)
        assert set(blas_now()) == {2}


def test_many_threads_leave_blas_as_it_was():
    def work(n):
        for _ in range(20):
            with blas_threads(1 + n % 2):
                pass

    with blas_threads(3):
        threads = [threading.Thread(target=work, args=(n,)) for n in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert set(blas_now()) == {3}


class OpenMP:
    """A BLAS library that counts threads for each caller, as one on OpenMP does."""

    internal_api, threading_layer = "openblas", "openmp"

    def __init__(self):
        self.counts = {}

    def get_num_threads(self):
        return self.counts.get(threading.get_ident(), 4)

    def set_num_threads(self, count):
        self.counts[threading.get_ident()] = count


def test_a_blas_on_openmp_is_restored_for_each_thread(monkeypatch):
    library = OpenMP()
    found = [module.Library(library)]
    monkeypatch.setattr(module, "libraries", lambda: found)
    inside, go_on, seen = threading.Event(), threading.Event(), []

    def work():
        with blas_threads(1):
            inside.set()
            go_on.wait(300)
            seen.append(library.get_num_threads())
        seen.append(library.get_num_threads())

    thread = threading.Thread(target=work)
    with blas_threads(2):
        thread.start()
        inside.wait(300)
        with blas_threads(1):
            assert library.get_num_threads() == 1
        assert library.get_num_threads() == 2
    assert library.get_num_threads() == 4  # though the other thread's block is still open
    go_on.set()
    thread.join()
    assert seen == [1, 4]


def test_a_block_says_what_the_thread_had_before(monkeypatch):
    monkeypatch.setattr(module, "_blocks", {})
    with threadpool_limits(2, user_api="blas"):
        assert hold("first", 1) == 2
        assert hold("second", 3) == 1  # this thread's own block decides
        found = []
        other = threading.Thread(target=lambda: found.append(hold("third", 1)))
        other.start()
        other.join()
        assert found == [2]  # another thread's blocks do not: what it computes does not depend on them
        for key in ("third", "second", "first"):
            give_back(key)
        assert set(blas_now()) == {2}


class Single(OpenMP):
    """A BLAS library that has one thread unless it is asked for more."""

    internal_api, threading_layer = "blis", "pthreads"

    def get_num_threads(self):
        return self.counts.get(None, 1)

    def set_num_threads(self, count):
        self.counts[None] = count


@pytest.mark.parametrize("found", [[], [Single()]], ids=["unknown", "blis"])
def test_a_blas_that_was_not_limited_by_anybody_is_no_limit(found, monkeypatch):
    found = [module.Library(library) for library in found]
    monkeypatch.setattr(module, "libraries", lambda: found)
    assert hold("block", 1) == math.inf
    give_back("block")


def test_a_block_that_was_cut_off_ends_with_the_next_one_of_its_name():
    before = blas_now()
    hold("call", 1)
    hold("call", 1)
    give_back("call")
    assert blas_now() == before


def test_the_thread_that_set_blas_by_threadpoolctl_is_obeyed_afterwards():
    controller = threadpoolctl.ThreadpoolController()
    before = blas_now()
    controller.limit(limits=2, user_api="blas")  # for good: this thread is the only one that threadpoolctl listens to
    try:
        seen = []

        def work():
            with blas_threads(1):
                seen.append(set(blas_now()))
            seen.append(set(blas_now()))

        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        assert seen == [{1}, {2}]
    finally:
        controller.limit(limits=before[0], user_api="blas")
        for library in controller.lib_controllers:
            getattr(library, "clear_controlling_thread", lambda force: None)(force=True)


def test_libraries_are_searched_for_once(monkeypatch):
    with blas_threads(1):
        pass
    monkeypatch.setattr("threadpoolctl.ThreadpoolController", None)  # another search would fail
    with blas_threads(1):
        np.ones((2, 2)) @ np.ones((2, 2))


TESTS = Path(__file__).parent.parent
FORK = """
import os, sys, threading
import numpy
from blas_state import blas_now
from threadpoolctl import threadpool_limits
from rnnlm.compute.blas import blas_threads

threadpool_limits(2, user_api="blas")
inside, over = threading.Event(), threading.Event()

def work():
    with blas_threads(1):
        inside.set()
        over.wait()

thread = threading.Thread(target=work, daemon=True)
thread.start()
inside.wait()
assert set(blas_now()) == {1}
child = os.fork()
if child == 0:
    ok = set(blas_now()) == {2}  # the thread whose block it was is not here
    with blas_threads(1):
        ok = ok and set(blas_now()) == {1}
    os._exit(0 if ok and set(blas_now()) == {2} else 1)
_, status = os.waitpid(child, 0)
over.set()
thread.join()
sys.exit(os.waitstatus_to_exitcode(status))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_new_process_does_not_wait_for_blocks_of_threads_it_does_not_have():
    done = subprocess.run([sys.executable, "-c", FORK], cwd=TESTS, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
