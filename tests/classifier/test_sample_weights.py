"""A sample of weight n counts like n samples; and which labels there can be."""

import numpy as np
import pytest
from gradient_check import check_gradient
from sequence_data import which_is_on

from rnnlm.classifier.classifier import ScratchSimpleRNNClassifier as Classifier
from rnnlm.classifier.initializers import SimpleInitializer
from rnnlm.errors import RnnlmError


def whole(**parameters):
    """All samples in one batch: their order or number then changes rounding alone."""
    return Classifier(**{"n_nodes": 5, "epochs": 6, "batch_size": 1000, "random_state": 0} | parameters)


def assert_same(one, other, X):
    np.testing.assert_allclose(one.loss_curve_, other.loss_curve_, rtol=1e-9)
    np.testing.assert_allclose(one.predict_proba(X), other.predict_proba(X), rtol=1e-8)


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("pooling", ["last", "mean"])
def test_a_weight_of_two_is_a_sample_twice_and_zero_is_none(classes, pooling, rng):
    X, y = which_is_on(rng, 20, classes=classes)
    counts = rng.integers(0, 4, 20)
    weighted = whole(pooling=pooling).fit(X, y, sample_weight=counts)
    assert_same(weighted, whole(pooling=pooling).fit(X.repeat(counts, axis=0), y.repeat(counts)), X)
    assert_same(weighted, whole(pooling=pooling).fit(X, y, sample_weight=counts / 7), X)
    assert abs(weighted.predict_proba(X) - whole(pooling=pooling).fit(X, y).predict_proba(X)).max() > 1e-4
    assert weighted.score(X, y, sample_weight=counts) == pytest.approx(
        weighted.score(X.repeat(counts, axis=0), y.repeat(counts)))


def test_weights_of_one_change_no_bit_and_of_zero_remove_the_sample(rng):
    X, y = which_is_on(rng, 50)
    plain = whole(batch_size=7).fit(X, y)
    ones = whole(batch_size=7).fit(X, y, sample_weight=np.ones(50))
    np.testing.assert_array_equal(ones.predict_proba(X), plain.predict_proba(X))
    kept = np.arange(50) % 3 > 0
    fewer = whole(batch_size=7).fit(X, y, sample_weight=kept)
    np.testing.assert_array_equal(fewer.predict_proba(X), whole(batch_size=7).fit(X[kept], y[kept]).predict_proba(X))
    labels = np.where(np.arange(50) == 4, 9, y)
    assert list(whole().fit(X, labels, sample_weight=np.arange(50) != 4).classes_) == [0, 1, 2]


def test_class_weights_are_weights_of_the_samples(rng):
    X, y = which_is_on(rng, 20)
    names = np.array(["ant", "bee", "cow"])[y]
    counts = np.array([1, 3, 2])
    repeated = whole().fit(X.repeat(counts[y], axis=0), names.repeat(counts[y]))
    weights = {"bee": 3, "cow": 2}  # ant counts 1
    assert_same(whole(class_weight=weights).fit(X, names), repeated, X)
    own = rng.integers(1, 4, 20)
    assert_same(whole(class_weight=weights).fit(X, names, sample_weight=own),
                whole().fit(X.repeat(counts[y] * own, axis=0), names.repeat(counts[y] * own)), X)


def test_the_size_of_weights_makes_no_difference(rng):
    X, y = which_is_on(rng, 20)
    sizes = [whole().fit(X, y, sample_weight=np.full(20, size)) for size in (1.0, 1e308, 1e-320)]
    classes = [whole(class_weight=dict.fromkeys(range(3), size)).fit(X, y) for size in (1e308, 1e-320)]
    for classifier in (*sizes[1:], *classes):  # their sum is beyond the largest float, or they are next to zero
        np.testing.assert_array_equal(classifier.predict_proba(X), sizes[0].predict_proba(X))
    score = sizes[0].score(X, y)
    assert [sizes[0].score(X, y, sample_weight=np.full(20, size)) for size in (1e308, 1e-320)] == [score, score]


@pytest.mark.parametrize("own", [None, [1, 2, 1, 3, 1, 1, 2, 1, 1, 1, 4, 1]])
def test_balanced_classes_count_the_same_in_all(own, rng):
    X, _ = which_is_on(rng, 12)
    y = np.array([0] * 6 + [1] * 4 + [2] * 2)
    sums = np.bincount(y, own)
    by_hand = {label: sums.sum() / (3 * sums[label]) for label in range(3)}
    assert_same(whole(class_weight="balanced").fit(X, y, sample_weight=own),
                whole(class_weight=by_hand).fit(X, y, sample_weight=own), X)


def test_the_gradient_is_that_of_the_weighted_loss(rng, monkeypatch):
    X, y = which_is_on(rng, 7, 5)
    y[:3] = 0, 1, 2
    weights = rng.uniform(0.5, 2, 7)
    seen = {}

    class Spy:
        def update(self, params, grads, scale):
            seen.update(params=params, grads=[g.copy() for g in grads])

    monkeypatch.setattr("rnnlm.classifier.classifier.OPTIMIZERS", {"adam": lambda lr: Spy()})
    monkeypatch.setattr("rnnlm.classifier.checks.OPTIMIZERS", {"adam": None})
    classifier = whole(epochs=1, max_grad=1e9, initializer=SimpleInitializer(0.7))
    classifier.fit(X, y, sample_weight=weights)

    def loss():
        nats = -np.log(classifier.predict_proba(X)[np.arange(7), y])
        return (weights * nats).sum() / weights.sum()

    assert classifier.loss_curve_ == pytest.approx([loss()])
    check_gradient(loss, seen["params"], seen["grads"], rng)


@pytest.mark.parametrize(("weights", "message"), [
    ([1, 2], r"must have one number for each of the 4 sequences, shape \(4,\), got \(2,\)"),
    (np.ones((4, 1)), r"shape \(4,\), got \(4, 1\)"), (3, r"shape \(4,\), got \(\)"),
    ([1, -1, 1, 1], r"must hold finite numbers of at least 0, but the value at \(1,\) is -1.0"),
    ([1, 1, np.nan, 1], r"at least 0, but the value at \(2,\) is nan"),
    ([1, 1, np.inf, 1], r"at least 0, but the value at \(2,\) is inf"),
    ([0, 0, 0, 0], "must hold a number above 0: all weights are zero"),
    (["a"] * 4, "must be one number for each of the 4 sequences, got a list"), ([1, 0, 1, 0], "only one class, 0")])
def test_weights_that_cannot_be_are_refused(weights, message):
    X, y = np.ones((4, 3, 2)), [0, 1, 0, 1]
    with pytest.raises(RnnlmError, match=message) as caught:
        Classifier(epochs=1).fit(X, y, sample_weight=weights)
    assert "\n" not in str(caught.value)
    if "class" not in message:
        with pytest.raises(RnnlmError, match=message):
            Classifier(epochs=1).fit(X, y).score(X, y, sample_weight=weights)


@pytest.mark.parametrize(("weights", "message"), [
    ("even", 'class_weight must be None, "balanced" or a dict, got even'), ([1, 2], r"or a dict, got \[1, 2\]"),
    ({0: 1, 1: -1}, "must give each class a finite number above 0, got -1 for 1"), ({0: 0}, "above 0, got 0 for 0"),
    ({0: "a"}, "above 0, got a for 0"), ({0: np.inf}, "above 0, got inf for 0"), ({0: True}, "above 0, got True for 0"),
    ({"0": 2, "1": 1}, "class_weight holds '0', which does not occur in y: the classes are 0, 1")])
def test_class_weights_that_cannot_be_are_refused(weights, message):
    with pytest.raises(RnnlmError, match=message):
        Classifier(epochs=1, class_weight=weights).fit(np.ones((4, 3, 2)), [0, 1, 0, 1])


def test_a_fold_may_lack_a_class_that_has_a_weight(rng):
    X, y = which_is_on(rng, 20, classes=2)
    assert_same(whole(class_weight={0: 2, 1: 1, 7: 5}).fit(X, y), whole(class_weight={0: 2}).fit(X, y), X)


@pytest.mark.parametrize(("fitted", "given", "message"), [
    ([0, 1, 0, 1], ["0", "1", "0", "1"], "kind that was fitted, numbers such as 0, got text such as '0': convert them"),
    (["0", "1", "0", "1"], [0, 1, 0, 1], "kind that was fitted, text such as '0', got numbers such as 0"),
    (["0", "1", "0", "1"], [b"0"] * 4, "text such as '0', got bytes such as b'0'"),
    (np.array([0, 1, 0, 1], object), np.array(["0"] * 4, object), "numbers such as 0, got text such as '0'")])
def test_labels_of_another_kind_are_no_score_of_zero(fitted, given, message):
    X = np.ones((4, 3, 2))
    with pytest.raises(ValueError, match=message):
        Classifier(epochs=1, n_nodes=2).fit(X, fitted).score(X, given)


def test_labels_of_one_kind_are_compared_whatever_their_type(rng):
    X, y = which_is_on(rng, 30, classes=2)
    classifier = whole().fit(X, y)
    expected = classifier.score(X, y)
    for labels in (y.astype(float), y.astype(np.int8), y.astype(bool), list(y), y.astype(object)):
        assert classifier.score(X, labels) == expected
    assert classifier.score(X, y + 7) == 0  # a label that was never seen is never predicted


@pytest.mark.parametrize("y", [[0.5, 1.5, 0.5, 1.5], np.array([0.5, 1.0, 1.0, 2.0], object),
                               np.float32([0, 1, 0, 1.25])])
def test_the_target_of_a_regression_is_no_label(y):
    X = np.ones((4, 3, 2))
    with pytest.raises(ValueError, match=r"y must hold labels, but the value at \(\d,\) is \d\.\d+, as in a regression "
                                         r"\(Unknown label type: continuous\): round it, or name the classes"):
        Classifier(epochs=1).fit(X, y)
    with pytest.raises(ValueError, match=r"y_val must hold labels, .* continuous"):
        Classifier(epochs=1).fit(X, [0, 1, 0, 1], X, y)


def test_whole_numbers_may_be_floats_and_no_labels_are_an_error():
    X = np.ones((4, 3, 2))
    assert list(Classifier(epochs=1).fit(X, [2.0, 1.0, 2.0, 1.0]).classes_) == [1, 2]
    with pytest.raises(ValueError, match="requires y to be passed, but the target y is None: give one label for each"):
        Classifier(epochs=1).fit(X, None)
    with pytest.raises(ValueError, match=r"shape \(4,\), got \(4, 1\): give y.ravel\(\)"):
        Classifier(epochs=1).fit(X, [[0], [1], [0], [1]])
