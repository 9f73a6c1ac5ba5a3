"""Calls without Workers: fast, with the command's numbers, and BLAS is given back."""

import copy
import os
import pickle
import subprocess
import sys
import threading
from contextlib import nullcontext
from functools import partial
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from blas_state import blas_now
from sequence_data import which_is_on
from threadpoolctl import threadpool_limits

from rnnlm import (
    Adam,
    Average,
    Constant,
    LanguageModel,
    Regularisation,
    ScratchSimpleRNNClassifier,
    Start,
    TimeBatches,
    Trainer,
    Workers,
    evaluate,
    generate,
    token_log_probs,
)
from rnnlm.compute import default_workers as module
from rnnlm.compute.default_workers import DEFAULT
from rnnlm.compute.threads import SERIAL
from rnnlm.course import check
from rnnlm.errors import DivergenceError, RnnlmError
from rnnlm.layers.fast import FastOutput, output
from rnnlm.text.corpus import EncodedText
from rnnlm.training.clipping import global_norm

V, TESTS = 50, Path(__file__).parent.parent
IDS = np.random.default_rng(3).integers(0, V, 300).astype(np.int32)
XS, TS = IDS[:40].reshape(4, 10), IDS[1:41].reshape(4, 10)


@pytest.fixture(autouse=True)
def three_of_each(monkeypatch):
    """Three cores, and a BLAS that has three threads outside of our calls."""
    monkeypatch.setattr(module, "cores", lambda: 3)
    with threadpool_limits(3, user_api="blas"):
        yield
        assert set(blas_now()) == {3}
    DEFAULT.leave()


@pytest.fixture
def shared(monkeypatch):
    """Products of every size are shared out."""
    for name in ("output.BLOCK", "output.LARGE", "products.LARGE_PRODUCT", "recurrent.LARGE_STEP"):
        monkeypatch.setattr(f"rnnlm.layers.fast.{name}", 1 if "BLOCK" not in name else 10)


@pytest.fixture
def seen(monkeypatch):
    """(threads, BLAS's threads) at each product of the output layer."""
    seen = []

    def spied(self, *arguments, plain=FastOutput._scores):
        seen.append((self.workers.threads, *set(blas_now())))
        return plain(self, *arguments)

    def spied_function(*arguments, plain):
        (workers,) = (argument for argument in arguments if isinstance(argument, Workers))
        seen.append((workers.threads, *set(blas_now())))
        return plain(*arguments)

    monkeypatch.setattr(FastOutput, "_scores", spied)
    for name in ("unshifted_log_probs", "detailed_scores"):
        monkeypatch.setattr(output, name, partial(spied_function, plain=getattr(output, name)))
    return seen


def model(workers=None, cell="lstm", **options):
    return LanguageModel(V, 8, 8, cell=cell, rng=np.random.default_rng(0), workers=workers, **options)


def trainer(model, lr=0.01, **options):
    return Trainer(model, Adam(lr), TimeBatches(IDS, 4, 10), Constant(lr), max_grad=0.25, **options)


def text(ids=IDS):
    return EncodedText(ids, np.zeros(len(ids), bool), sentences=0, words=len(ids), oov=0)


CALLS = {
    "states": lambda m: m.states(XS), "predict": lambda m: m.predict(XS), "log_probs": lambda m: m.log_probs(XS, TS),
    "word_scores": lambda m: (m.word_scores(XS, TS), m.word_scores(XS, TS, None, True, 2)),
    "forward": lambda m: m.forward(XS, TS), "backward": lambda m: (m.forward(XS, TS), m.backward()),
    "step": lambda m: trainer(m).step(XS, TS), "fit": lambda m: list(trainer(m).fit(lambda: 1.0, 1)),
    "evaluate": lambda m: evaluate(m, text(), 0), "token_log_probs": lambda m: token_log_probs(m, IDS, 0),
}


@pytest.mark.parametrize("name", CALLS)
def test_a_call_shares_its_work_between_the_cores_and_holds_blas_to_one_thread(name, seen):
    subject = model()
    CALLS[name](subject)
    assert set(seen) == ({(3, 1)} if name != "states" else set())
    assert set(blas_now()) == {3}
    assert DEFAULT.threads == 1


def test_a_word_is_drawn_on_blas_threads_as_in_the_command(seen):
    words = generate(model(), [0, 1], rng=np.random.default_rng(0))
    for _ in islice(words, 3):
        assert set(blas_now()) == {3}
    assert set(seen) == {(1, 3)}
    seen.clear()
    with Workers(1):
        list(islice(words, 2))
    assert set(seen) == {(1, 1)}


def test_a_word_is_drawn_on_as_many_threads_as_a_containers_quota_has_cores(seen, monkeypatch):
    monkeypatch.setattr(module, "under_quota", lambda: True)
    monkeypatch.setattr(module, "cores", lambda: 2)
    subject = model()
    subject.predict_last(XS)
    with threadpool_limits(1, user_api="blas"):
        subject.predict_last(XS)
    assert seen == [(1, 2), (1, 1)]


def test_first_weights_are_made_on_one_thread_of_blas(monkeypatch):
    seen, plain = [], np.linalg.qr
    monkeypatch.setattr(np.linalg, "qr", lambda *arguments: (seen.append(set(blas_now())), plain(*arguments))[1])
    model(start=Start(recurrent="orthogonal"))
    assert seen
    assert all(count == {1} for count in seen)


@pytest.mark.parametrize("where", ["validate", "on_step", "a record's block"])
def test_between_our_calls_blas_is_the_users(where):
    subject, seen = trainer(model(), average=Average()), []

    def look(*_):
        seen.append(set(blas_now()))

    def validate():
        look() if where == "validate" else None
        return 1.0

    for _ in subject.fit(validate, 2, look if where == "on_step" else None):
        look() if where == "a record's block" else None
    assert len(seen) == (2 * len(subject.batches) if where == "on_step" else 2)
    assert all(count == {3} for count in seen)


def raising():
    raise RuntimeError


@pytest.mark.parametrize(("call", "error"), [
    (lambda m: m.forward(XS + V, TS), RnnlmError),
    (lambda m: (m.params[0].fill(np.nan), trainer(m).step(XS, TS)), DivergenceError),
    (lambda m: list(trainer(m).fit(raising, 1)), RuntimeError),
    (lambda m: list(trainer(m).fit(lambda: 1.0, 1, lambda step: raising())), RuntimeError),
    (lambda m: evaluate(m, text(), 0, on_window=lambda count: raising()), RuntimeError),
], ids=["forward", "step", "validate", "on_step", "on_window"])
def test_after_an_error_blas_is_what_it_was(call, error):
    with pytest.raises(error):
        call(model())
    assert set(blas_now()) == {3}
    assert DEFAULT.threads == 1


def test_a_generator_that_is_dropped_holds_nothing():
    records = trainer(model()).fit(lambda: 1.0, 5)
    words = generate(model(), [0], rng=np.random.default_rng(0))
    next(records), next(words)
    records.close()
    words.close()
    assert set(blas_now()) == {3}


@pytest.mark.parametrize(("limit", "threads"), [(1, 1), (2, 2), (7, 3)])
def test_who_limited_blas_limited_us(limit, threads, seen):
    with threadpool_limits(limit, user_api="blas"):
        model().forward(XS, TS)
        assert set(blas_now()) == {limit}
    assert set(seen) == {(threads, 1)}


def test_in_a_block_of_workers_that_a_model_was_not_given_it_has_one_thread(seen):
    with Workers(3):
        model().forward(XS, TS)
        assert set(blas_now()) == {1}
    assert set(seen) == {(1, 1)}


def test_a_call_in_a_block_gives_back_what_the_user_set_in_that_block():
    with Workers(2):
        with threadpool_limits(2, user_api="blas"):
            model().forward(XS, TS)
            assert set(blas_now()) == {2}
        assert set(blas_now()) == {1}


def test_a_model_with_workers_of_its_own_has_them_in_their_block_alone(seen):
    workers = Workers(2)
    subject = model(workers)
    subject.forward(XS, TS)
    with workers:
        subject.forward(XS, TS)
    assert seen[0] == (1, 3)
    assert set(seen[1:]) == {(2, 1)}


def test_a_trainer_has_the_models_workers():
    workers = Workers(2)
    assert trainer(model()).workers is DEFAULT
    assert trainer(model(workers)).workers is workers
    assert trainer(model(workers), workers=SERIAL).workers is SERIAL


def test_a_model_of_ones_own_has_blas_as_it_is():
    class Own:
        """A model that has nothing but what a Trainer asks for."""

        def __init__(self):
            self.packing, self.seen = model().packing, []

        def forward(self, xs, ts):
            self.seen.append(set(blas_now()))
            return 1.0

        def backward(self):
            self.seen.append(set(blas_now()))

    own = Own()
    trainer(own).step(XS, TS)
    assert own.seen == [{3}, {3}]


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))], ids=["copy", "pickle"])
def test_a_copy_computes_on_the_default_too(copied, seen):
    twin = copied(model())
    assert twin.workers is twin.output.workers is DEFAULT
    twin.forward(XS, TS)
    assert set(seen) == {(3, 1)}


def everything(workers, **options):
    """Weights after training, their average, scores, and words that were drawn."""
    subject = model(workers, regularisation=Regularisation(dropout=0.3), start=Start(recurrent="orthogonal"), **options)
    training = trainer(subject, average=Average(), workers=workers)
    for _ in training.fit(lambda: -evaluate(subject, text(), 0).log_prob, 2):
        pass
    words = list(islice(generate(subject, [0], rng=np.random.default_rng(0)), 20))
    return [*subject.params, *training.average.values, token_log_probs(subject, IDS, 0), subject.predict(XS), words]


@pytest.mark.parametrize("options", [{}, {"cell": "rnn", "tied": True}, {"plain": True}], ids=str)
def test_the_numbers_are_those_of_workers_in_a_block(options, shared):
    with Workers(3) as workers:
        expected = everything(workers, **options)
    for ours, theirs in zip(everything(None, **options), expected, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    with Workers(1) as one:  # the sums of one thread have other parts
        same = all(map(np.array_equal, everything(one, **options), expected))
    assert same == bool(options.get("plain"))


def test_the_numbers_are_the_commands(run, tmp_path, monkeypatch, shared):
    options = "--epochs", "2", "--seed", "1", "--threads", "3"
    run(*options, output="theirs")
    monkeypatch.setattr("rnnlm.runs.opening.Workers", lambda threads: nullcontext(DEFAULT))
    run(*options, output="ours")
    theirs, ours = (np.load(tmp_path / folder / "model.npz") for folder in ("theirs", "ours"))
    for name in theirs.files:
        np.testing.assert_array_equal(ours[name], theirs[name])


def test_threads_that_train_at_once_get_what_each_gets_alone_and_give_blas_back(shared):
    expected, got, start = [], {}, threading.Barrier(3)
    for cell in ("rnn", "lstm", "gru"):
        subject = model(cell=cell)
        list(trainer(subject).fit(lambda: 1.0, 3))
        expected.append(subject.params)

    def work(cell):
        subject = model(cell=cell)
        start.wait()
        list(trainer(subject).fit(lambda: 1.0, 3))
        got[cell] = subject.params

    threads = [threading.Thread(target=work, args=(cell,)) for cell in ("rnn", "lstm", "gru")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(blas_now()) == {3}
    for ours, theirs in zip((got[cell] for cell in ("rnn", "lstm", "gru")), expected, strict=True):
        for p, q in zip(ours, theirs, strict=True):
            np.testing.assert_array_equal(p, q)


def test_it_can_be_entered_as_any_workers(seen):
    subject = model()
    with subject.workers as workers, workers:
        assert (workers.threads, workers.wanted, set(blas_now())) == (3, 3, {1})
        subject.forward(XS, TS)
        assert set(blas_now()) == {1}
    assert set(seen) == {(3, 1)}
    assert DEFAULT.threads == 1


def test_helpers_wait_for_the_next_call_until_they_are_let_go(shared):
    subject = model()
    subject.forward(XS, TS)
    pool = DEFAULT._pool
    subject.forward(XS, TS)
    assert DEFAULT._pool is pool
    DEFAULT.leave()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("rnnlm")]


def test_where_no_thread_can_be_started_the_caller_does_all(monkeypatch):
    def refuse(work):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(DEFAULT, "_begin", refuse)
    done = []
    with DEFAULT:
        DEFAULT.each(done.append, range(5), lambda: done.append("meanwhile"))
    assert done == ["meanwhile", *range(5)]


def test_the_norm_of_gradients_alone_and_a_rule_alone_compute_so_too(monkeypatch):
    seen, plain = [], np.dot
    monkeypatch.setattr(np, "dot", lambda *arguments: (seen.append(set(blas_now())), plain(*arguments))[1])
    assert global_norm([np.ones(4)]) == 2
    assert seen == [{1}]

    class Watching(Adam):
        def rule(self, scale):
            plain = super().rule(scale)
            return lambda *arguments: (seen.append(DEFAULT.threads), plain(*arguments))

    Watching(0.1).update([np.ones(4)], [np.ones(4)])
    assert seen[1:] == [3]


def test_the_classifier_and_the_checker_of_the_course_hold_blas_and_give_it_back(rng):
    seen = []

    def step(x, h_prev, Wx, Wh, b):
        seen.append(set(blas_now()))
        return np.tanh(x @ Wx + h_prev @ Wh + b)

    assert check("step", step)
    assert set(map(frozenset, seen)) == {frozenset({1})}
    assert set(blas_now()) == {3}
    X, y = which_is_on(rng, 20)
    ScratchSimpleRNNClassifier(n_nodes=4, epochs=1).fit(X, y).predict(X)
    assert set(blas_now()) == {3}


PROGRAM = """
import atexit, functools, os, sys, threading
import numpy as np
import rnnlm
from rnnlm import *
import rnnlm.cli.main, rnnlm.cli.train, rnnlm.course
from rnnlm.layers.fast import output
assert "threadpoolctl" not in sys.modules and threading.active_count() == 1  # nothing at import
output.LARGE = 1
from rnnlm.compute import default_workers
default_workers.cores = functools.cache(lambda: 3)
from blas_state import blas_now
from threadpoolctl import threadpool_limits
threadpool_limits(3, user_api="blas")
model = LanguageModel(50, 8, 8, rng=np.random.default_rng(0))
xs = np.arange(40).reshape(4, 10)
loss = model.forward(xs, xs)
assert default_workers.DEFAULT._pool is not None
child = os.fork()  # a Python of 3.12 or later warns here if other threads run
ok = default_workers.DEFAULT._pool is None
model.reset_state()
ok = ok and model.forward(xs, xs) == loss and default_workers.DEFAULT._pool is not None and set(blas_now()) == {3}
if child == 0:
    os._exit(0 if ok else 1)
_, status = os.waitpid(child, 0)
assert ok and status == 0
words = generate(model, [0], rng=np.random.default_rng(0))
next(words)  # never closed
records = Trainer(model, Adam(0.01), TimeBatches(np.arange(50), 2, 5), Constant(0.01)).fit(lambda: 1.0, 5)
next(records)

@atexit.register
def late():  # when no thread can be started any more
    model.reset_state()
    print(model.forward(xs, xs) > 0, flush=True)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_nothing_at_import_and_neither_fork_nor_the_end_of_the_program_hangs_or_warns():
    done = subprocess.run([sys.executable, "-W", "error", "-c", PROGRAM], cwd=TESTS, capture_output=True, text=True,
                          timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, "True\n", "")
