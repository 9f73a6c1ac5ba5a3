import threading
import time

import numpy as np
import pytest
from blas_state import blas_now

from rnnlm.compute import cores as module
from rnnlm.compute.blas import blas_threads
from rnnlm.compute.cores import available_cores
from rnnlm.compute.threads import SERIAL, Workers, slices
from rnnlm.layers import TimeEmbedding
from rnnlm.layers.fast import FastEmbedding
from rnnlm.models import LanguageModel, Regularisation
from rnnlm.training.averaging import Average
from rnnlm.training.optimizers import OPTIMIZERS
from rnnlm.training.trainer import Trainer


def test_inside_the_block_blas_has_one_thread_and_afterwards_what_it_had():
    before = blas_now()
    assert before
    with blas_threads(2):
        with Workers(3) as workers:
            assert set(blas_now()) == {1}
            assert workers.threads == 3
        assert set(blas_now()) == {2}
        assert workers.threads == 1
    assert blas_now() == before


@pytest.mark.parametrize("threads", [1, 2, 5])
@pytest.mark.parametrize("items", [0, 1, 7])
def test_every_item_is_done_once_and_meanwhile_too(threads, items):
    done = []
    with Workers(threads) as workers:
        for meanwhile in (None, lambda: done.append("meanwhile")):
            done.clear()
            workers.each(done.append, range(items), meanwhile)
            assert sorted(done, key=str) == [*range(items), *(["meanwhile"] if meanwhile else [])]


def test_the_items_are_shared_between_threads_and_the_caller_is_free_meanwhile():
    names, gate, both = set(), threading.Event(), threading.Barrier(2, timeout=60)

    def work(item):
        names.add(threading.current_thread().name)
        gate.set()
        if item < 2:
            both.wait()  # until the other thread has the other of the two

    with Workers(2) as workers:
        workers.each(work, range(6), meanwhile=lambda: gate.wait(60))  # which only another thread can end
    assert len(names) == 2
    assert gate.is_set()


@pytest.mark.parametrize("threads", [1, 3])
def test_an_error_in_any_thread_reaches_the_caller_and_nobody_works_on(threads):
    done = []

    def work(item):
        time.sleep(0.001)
        if item == 2:
            raise ValueError("item 2")
        done.append(item)

    with Workers(threads) as workers:
        with pytest.raises(ValueError, match="item 2"):
            workers.each(work, range(100_000))
        count = len(done)
        assert count < 50_000  # the others stop as well
        time.sleep(0.02)
        assert len(done) == count


def test_each_inside_each_does_not_wait_for_a_busy_helper():
    order, busy, over = [], threading.Event(), threading.Event()

    def work(_):
        busy.set()
        assert over.wait(60), "the inner call waited for this helper"

    with Workers(2) as workers:
        def outer():
            assert busy.wait(60)
            workers.each(lambda item: order.append(item), ["a", "b"])
            over.set()

        workers.each(work, [1, 2], meanwhile=outer)
    assert order == ["a", "b"]


def test_the_error_state_of_numpy_is_the_callers_in_every_thread():
    with Workers(3) as workers, np.errstate(over="raise"):
        with pytest.raises(FloatingPointError):
            workers.each(lambda item: np.exp(np.array([1000.0])), range(6))
        with np.errstate(over="ignore"):
            workers.each(lambda item: np.exp(np.array([1000.0])), range(6))


def test_scratch_memory_is_kept_by_name_and_by_thread():
    first = SERIAL.scratch("a", (2, 3), np.float32)
    assert first.shape == (2, 3)
    assert np.shares_memory(first, SERIAL.scratch("a", (5,), np.float32))
    assert not np.shares_memory(first, SERIAL.scratch("b", (2, 3), np.float32))
    others = []
    thread = threading.Thread(target=lambda: others.append(SERIAL.scratch("a", (2, 3), np.float32)))
    thread.start()
    thread.join()
    assert not np.shares_memory(first, others[0])
    assert SERIAL.scratch("a", (2,), np.float64).dtype == np.float64


@pytest.mark.parametrize(("size", "length", "expected"), [
    (0, 5, [(0, 0)]), (5, 5, [(0, 5)]), (6, 5, [(0, 3), (3, 6)]), (7, 3, [(0, 2), (2, 4), (4, 7)])])
def test_slices(size, length, expected):
    assert [(part.start, part.stop) for part in slices(size, length)] == expected


@pytest.mark.parametrize(("quota", "cores"), [("max 100000", 8), ("200000 100000", 2), ("50000 100000", 1),
                                              ("9900000 100000", 8), ("nonsense", 8)])
def test_available_cores_are_those_of_the_affinity_and_the_quota(quota, cores, monkeypatch, tmp_path):
    (tmp_path / "cpu.max").write_text(quota)
    monkeypatch.setattr(module, "QUOTA", tmp_path / "cpu.max")
    monkeypatch.setattr(module.os, "sched_getaffinity", lambda pid: set(range(8)), raising=False)
    assert available_cores() == cores


def test_at_least_one_thread():
    with pytest.raises(ValueError, match="at least 1, got 0"):
        Workers(0)


@pytest.mark.parametrize(("name", "options"), [
    *((name, {}) for name in OPTIMIZERS), ("adam", {"cell": "lstm", "tied": True}), ("adam", {"cell": "gru"}),
    ("adam", {"cell": "mrnn"}), ("sgd", {"tied": True, "wordvec_size": 60})], ids=str)
@pytest.mark.parametrize("threads", [1, 2])
def test_the_same_threads_give_the_same_bits(name, options, threads, monkeypatch):
    """At a size where output, update, norm and recurrence are divided; with dropout."""
    monkeypatch.setattr("rnnlm.layers.fast.recurrent.LARGE_STEP", 1)
    monkeypatch.setattr("rnnlm.layers.fast.products.LARGE_PRODUCT", 1)
    monkeypatch.setattr("rnnlm.layers.fast.word_blocks.KEPT", 300_000)
    def params():
        with Workers(threads) as workers:
            model = LanguageModel(**{"vocab_size": 4000, "wordvec_size": 150, "hidden_size": 150} | options,
                                  regularisation=Regularisation(dropout=0.5, input_dropout=0.1, weight_drop=0.2),
                                  rng=np.random.default_rng(1), workers=workers)
            trainer = Trainer(model, OPTIMIZERS[name](0.01), average=Average(), max_grad=0.25, workers=workers)
            rng = np.random.default_rng(2)
            for _ in range(4):
                trainer.step(*rng.integers(0, 4000, (2, 10, 12)))
                trainer.average.update(model.packing.params, 0.5, workers)
            return [p.copy() for p in (*model.params, *trainer.average.values)]

    for first, again in zip(params(), params(), strict=True):
        np.testing.assert_array_equal(first, again)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_row_gradient_updates_exactly_as_the_full_matrix(name, monkeypatch):
    """Every row, also those that only momentum and Adam move; bit for bit.

    In blocks and in threads.
    """
    import rnnlm.training.blocks

    monkeypatch.setattr(rnnlm.training.blocks, "BLOCK", 64)
    monkeypatch.setattr(rnnlm.training.blocks, "PIECE", 128)
    rng = np.random.default_rng(0)
    W = rng.normal(size=(100, 7)).astype(np.float32)
    plain, fast = TimeEmbedding(W.copy()), FastEmbedding(W.copy())
    plain_rule, fast_rule = OPTIMIZERS[name](0.1), OPTIMIZERS[name](0.1)
    with Workers(2) as workers:
        for _ in range(5):
            xs, dxs = rng.integers(0, 100, (3, 4)), rng.normal(size=(3, 4, 7)).astype(np.float32)
            for layer, rule in ((plain, plain_rule), (fast, fast_rule)):
                layer.forward(xs)
                layer.backward(dxs)
                rule.update(layer.params, layer.grads, 0.7, workers)
            np.testing.assert_array_equal(fast.params[0], plain.params[0])
