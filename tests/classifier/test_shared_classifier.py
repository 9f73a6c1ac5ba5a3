"""A fitted classifier is shared: by threads, by files, on machines of little memory."""

import copy
import io
import pickle
import sys
import threading
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from sequence_data import up_or_down, which_is_on
from threadpoolctl import threadpool_info

from rnnlm.classifier import sequence_network
from rnnlm.classifier.classifier import ScratchSimpleRNNClassifier as Classifier
from rnnlm.compute.blas import blas_threads
from rnnlm.errors import RnnlmError

OLD = Path(__file__).parent.parent / "golden/classifier-with-layers.pickle"


@pytest.fixture
def quick_switches():
    """Python threads take turns a thousand times as often as usual."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(5e-6)
    yield
    sys.setswitchinterval(usual)


def differences(threads, calls, rng):
    """How many calls, with data for each thread, differ from one thread's alone."""
    X, y = which_is_on(rng, 40)
    classifier = Classifier(n_nodes=6, epochs=2, random_state=0).fit(X, y)
    data = [rng.normal(size=(5 + thread, 4 + thread % 3, 3)) for thread in range(threads)]
    expected = [classifier.predict_proba(own) for own in data]
    before = {name: id(value) for name, value in vars(classifier).items()}
    start = threading.Barrier(threads)

    def work(thread):
        start.wait()
        return sum(not np.array_equal(classifier.predict_proba(data[thread]), expected[thread]) for _ in range(calls))

    with ThreadPoolExecutor(threads) as pool:
        found = sum(pool.map(work, range(threads)))
    assert {name: id(value) for name, value in vars(classifier).items()} == before
    return found


@pytest.mark.parametrize("threads", [2, 8])
def test_threads_may_share_a_classifier(threads, rng, quick_switches):
    assert differences(threads, 40, rng) == 0


@pytest.mark.slow
@pytest.mark.parametrize("threads", [2, 4, 8])
def test_threads_may_share_a_classifier_for_long(threads, rng, quick_switches):
    assert differences(threads, 1000, rng) == 0


class Paused(np.random.Generator):
    """The random numbers of a fit that tells when it trains, and waits for its turn."""

    def __init__(self):
        super().__init__(np.random.PCG64(0))
        self.begun, self.turn = threading.Event(), threading.Event()

    def permutation(self, samples):
        self.begun.set()
        assert self.turn.wait(300)
        return super().permutation(samples)


def test_after_threads_that_fit_at_once_blas_is_what_it_was(rng):
    X, y = which_is_on(rng, 40)

    def counts():
        return {library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"}

    with blas_threads(3), ThreadPoolExecutor(2) as pool:
        paused, fits = [Paused(), Paused()], []
        for random_state in paused:  # the second one begins while the first one is busy, and ends after it
            fits.append(pool.submit(Classifier(n_nodes=4, epochs=2, random_state=random_state).fit, X, y))
            assert random_state.begun.wait(300)
        assert counts() == {1}
        for random_state, fit in zip(paused, fits, strict=True):
            random_state.turn.set()
            fit.result()
        assert counts() == {3}


def saved(classifier):
    """The classifier as bytes, in three ways."""
    yield pickle.dumps(classifier)
    yield pickle.dumps(copy.deepcopy(classifier))
    joblib = pytest.importorskip("joblib")
    file = io.BytesIO()
    joblib.dump(classifier, file)
    yield file.getvalue()


@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
def test_nothing_of_the_data_is_in_a_pickle(optimizer, rng):
    X, y, mask = up_or_down(rng, 300)
    classifier = Classifier(n_nodes=8, epochs=2, optimizer=optimizer).fit(X, y, X[:50], y[:50], mask=mask,
                                                                          mask_val=mask[:50])
    numbers = sum(p.size for p in classifier.network_.params)
    assert numbers == 8 + 64 + 8 + 8 + 1
    for use in (lambda: None, lambda: classifier.predict(X, mask=mask), lambda: classifier.score(X, y, mask=mask)):
        use()
        for data in saved(classifier):
            assert len(data) < 8 * numbers + 3000
            for value, after in zip(X[..., 0].ravel(), X[..., 0].ravel()[1:], strict=False):
                assert value.tobytes() not in data
                # Two at once: four bytes alone are found among the weights by chance,
                # once in some fifty runs.
                assert np.float32([value, after]).tobytes() not in data
            again = joblib_load(data)
            np.testing.assert_array_equal(again.predict_proba(X, mask=mask), classifier.predict_proba(X, mask=mask))


def joblib_load(data):
    import joblib

    return joblib.load(io.BytesIO(data))


def test_a_copy_can_be_fitted_and_leaves_the_first_alone(rng):
    X, y = which_is_on(rng, 30)
    classifier = Classifier(n_nodes=4, epochs=2, random_state=0).fit(X, y)
    before = classifier.predict_proba(X)
    other = copy.deepcopy(classifier)
    np.testing.assert_array_equal(other.fit(X, y).predict_proba(X), before)
    other.fit(X[::-1], y)
    np.testing.assert_array_equal(classifier.predict_proba(X), before)


def test_an_initializers_own_array_is_not_trained(rng):
    X, y = which_is_on(rng, 30, classes=3)
    mine = {shape: rng.normal(size=shape) / 3 for shape in ((3, 4), (4, 4), (4, 3))}
    before = {shape: array.copy() for shape, array in mine.items()}
    Classifier(n_nodes=4, epochs=2, initializer=lambda shape, rng: mine[shape]).fit(X, y)
    for shape, array in mine.items():
        np.testing.assert_array_equal(array, before[shape])


def test_a_pickle_of_an_earlier_version_gets_one_line():
    """Made at dd2d79e, when the classifier was in another module."""
    with pytest.raises(RnnlmError, match="pickled by an earlier version cannot be read: fit it again"):
        pickle.loads(OLD.read_bytes())


@pytest.mark.parametrize("shape", [pytest.param((1500, 1000, 1), marks=pytest.mark.slow), (30_000, 10, 5),
                                   pytest.param((2, 25_000, 30), marks=pytest.mark.slow)])
def test_prediction_needs_no_memory_for_all_states_at_once(shape, rng):
    X = rng.normal(size=shape)
    assert X.nbytes == 12_000_000
    few = X[:, :3, :]
    y = np.arange(len(X)) % 2
    classifier = Classifier(n_nodes=64, epochs=1, batch_size=500).fit(few, y)
    assert peak(lambda: classifier.predict(X)) < 40_000_000
    assert peak(lambda: classifier.fit(few, y, X, y)) < 80_000_000


def peak(call):
    """The most memory that a call has at once, in bytes."""
    tracemalloc.start()
    try:
        call()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("pooling", ["last", "mean"])
@pytest.mark.parametrize("room", [1, 60, 500])
def test_in_parts_or_at_once_is_the_same(room, pooling, rng, monkeypatch):
    X, y, mask = up_or_down(rng, 20)
    at_once = Classifier(n_nodes=4, epochs=2, pooling=pooling, random_state=0).fit(X, y, X, y, mask=mask, mask_val=mask)
    expected = at_once.predict_proba(X, mask=mask)
    monkeypatch.setattr(sequence_network, "ROOM", room)
    in_parts = Classifier(**at_once.get_params()).fit(X, y, X, y, mask=mask, mask_val=mask)
    np.testing.assert_allclose(in_parts.predict_proba(X, mask=mask), expected, rtol=1e-12)
    np.testing.assert_allclose(in_parts.val_loss_curve_, at_once.val_loss_curve_, rtol=1e-12)
    X[13, 0] = np.nan
    with pytest.raises(ValueError, match=r"the value at \(13, 0, 0\) is nan"):
        in_parts.predict(X, mask=mask)
