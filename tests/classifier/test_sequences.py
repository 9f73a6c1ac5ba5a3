"""The lengths of sequences: a mask, or NaN to the end."""

import numpy as np
import pytest
from sequence_data import up_or_down, with_nan

from rnnlm.classifier.classifier import ScratchSimpleRNNClassifier as Classifier
from rnnlm.errors import RnnlmError


def small(**parameters):
    return Classifier(**{"n_nodes": 5, "epochs": 3, "random_state": 0} | parameters)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, object])
@pytest.mark.parametrize("pooling", ["last", "mean"])
def test_nan_to_the_end_is_a_mask(pooling, dtype, rng):
    X, y, mask = up_or_down(rng, 40)
    X = X.astype(np.float32).astype(dtype)
    tails = with_nan(X, mask).astype(dtype)
    masked = small(pooling=pooling).fit(X, y, X, y, mask=mask, mask_val=mask)
    nan = small(pooling=pooling).fit(tails, y, tails, y)
    assert nan.loss_curve_ == masked.loss_curve_
    assert nan.val_loss_curve_ == masked.val_loss_curve_
    expected = masked.predict_proba(X, mask=mask)
    np.testing.assert_array_equal(nan.predict_proba(tails), expected)
    np.testing.assert_array_equal(nan.predict_proba(X, mask=mask), expected)
    np.testing.assert_array_equal(masked.predict_proba(tails), expected)  # the ends are seen without a mask
    assert nan.score(tails, y) == masked.score(X, y, mask=mask)
    assert np.isnan(tails[~mask].astype(float)).all()  # the caller's array stays as it is


def test_after_a_fit_with_nan_sequences_may_fill_all_steps(rng):
    X, y, mask = up_or_down(rng, 40)
    classifier = small().fit(with_nan(X, mask), y)
    np.testing.assert_array_equal(classifier.predict_proba(X), classifier.predict_proba(X, mask=np.ones(mask.shape)))


def test_several_features_must_all_be_nan(rng):
    X, y = rng.normal(size=(6, 4, 2)), [0, 1] * 3
    X[2, 3] = np.nan
    short = X.copy()
    short[2, 3] = 7
    mask = ~np.isnan(X[..., 0])
    assert small().fit(X, y).loss_curve_ == small().fit(short, y, mask=mask).loss_curve_
    X[2, 3, 1] = 0
    with pytest.raises(RnnlmError, match=r"the value at \(2, 3, 0\) is nan: fill or drop it; NaN in all features"):
        small().fit(X, y)


@pytest.mark.parametrize("place", [(1, 0), (1, 2), (1, slice(None))])
def test_nan_that_is_no_tail_is_an_error(place, rng):
    X, y, _ = up_or_down(rng, 6)
    whole = small().fit(X, y)
    X[place] = np.nan
    X[2, 5:] = np.nan
    first = 2 if place == (1, 2) else 0
    for call in (lambda: small().fit(X, y), lambda: whole.predict(X), lambda: whole.fit(X[::-1][:4], y[:4], X, y)):
        with pytest.raises(RnnlmError, match=rf"X\w* must hold finite numbers, .* at \(1, {first}, 0\) is nan"):
            call()


def test_infinity_is_no_end(rng):
    X, y, _ = up_or_down(rng, 6)
    X[3, 8:] = np.inf
    with pytest.raises(RnnlmError, match=r"the value at \(3, 8, 0\) is inf: fill or drop it$"):
        small().fit(X, y)


def test_a_mask_decides_where_there_is_nan_too(rng):
    X, y, mask = up_or_down(rng, 40)
    mask[0] = True
    tails = with_nan(X, mask)
    shorter = mask & (np.arange(10) < 3)
    expected = small().fit(X, y, mask=shorter).loss_curve_
    assert small().fit(tails, y, mask=shorter).loss_curve_ == expected  # nothing beyond the mask's ends is read
    tails[0, 9] = np.nan
    with pytest.raises(RnnlmError, match=r"the value at \(0, 9, 0\) is nan: fill or drop it$"):
        small().fit(tails, y, mask=mask)


def test_after_a_fit_with_a_mask_nothing_is_predicted_without(rng):
    X, y, mask = up_or_down(rng, 40)
    classifier = small().fit(X, y, mask=np.ones(mask.shape))  # whatever the mask says
    assert classifier.masked_
    for call in (lambda: classifier.predict(X), lambda: classifier.predict_proba(X), lambda: classifier.score(X, y)):
        with pytest.raises(ValueError, match=r"a mask is needed, because this classifier was fitted with one: .* NaN"):
            call()
    with pytest.raises(ValueError, match="X_val needs a mask, as X has one: give mask_val, too"):
        small().fit(X, y, X, y, mask=mask)
    assert classifier.score(X, y, mask=np.ones(mask.shape)) == small().fit(X, y).score(X, y)
    assert not classifier.fit(X, y).masked_
    assert classifier.predict(X).shape == (40,)


def test_an_object_array_of_numbers_is_one_of_numbers(rng):
    X, y, _ = up_or_down(rng, 12)
    assert small().fit(X.astype(object), y).loss_curve_ == small().fit(X, y).loss_curve_
    strange = X.astype(object)
    strange[3, 2, 0] = {}
    with pytest.raises(RnnlmError, match=r"X must hold finite numbers, but its type is object, and .* is not a number"):
        small().fit(strange, y)


def test_sparse_and_complex_data_are_refused():
    sparse = pytest.importorskip("scipy.sparse")
    with pytest.raises(ValueError, match=r"X must be an array .*, got a sparse one: give X.toarray\(\)"):
        small().fit(sparse.csr_array(np.eye(4)), [0, 1, 0, 1])
    with pytest.raises(ValueError, match="X must hold real numbers, but its type is complex128"):
        small().fit(np.full((4, 2, 1), 1j), [0, 1, 0, 1])


def test_a_prediction_that_is_no_number_is_an_error():
    X = np.arange(24.0).reshape(4, 3, 2) / 24
    classifier = small(activation="identity", initializer=lambda shape, rng: np.ones(shape)).fit(X, [0, 1, 2, 0])
    with pytest.raises(ValueError, match="X must be scaled like the data that was fitted, but it gives probabilities"):
        classifier.predict(np.full((1, 5, 2), 1e308))
