import numpy as np
import pytest
from gradient_check import check_gradient
from sequence_data import which_is_on as order

from rnnlm.classifier.classifier import ScratchSimpleRNNClassifier as Classifier
from rnnlm.classifier.initializers import OrthogonalInitializer, SimpleInitializer
from rnnlm.errors import DivergenceError, RnnlmError


def test_it_learns_and_says_how(rng):
    X, y = order(rng)
    names = np.array(["bee", "ant", "cow"])[y]
    classifier = Classifier(n_nodes=16, epochs=20, lr=0.01, random_state=0)
    assert classifier.fit(X[:80], names[:80], X[80:], names[80:]) is classifier
    assert list(classifier.classes_) == ["ant", "bee", "cow"]
    assert len(classifier.loss_curve_) == len(classifier.val_loss_curve_) == 20
    assert classifier.loss_curve_[-1] < classifier.loss_curve_[0] / 5
    assert classifier.score(X[80:], names[80:]) > 0.95
    probs = classifier.predict_proba(X[80:])
    np.testing.assert_allclose(probs.sum(axis=1), 1)
    np.testing.assert_array_equal(classifier.predict(X[80:]), classifier.classes_[probs.argmax(axis=1)])
    expected = -np.log(probs[np.arange(40), np.searchsorted(classifier.classes_, names[80:])]).mean()
    assert classifier.val_loss_curve_[-1] == pytest.approx(expected)


@pytest.mark.parametrize("pooling", ["last", "mean"])
@pytest.mark.parametrize("classes", [2, 4])
@pytest.mark.parametrize("masked", [True, False])
def test_gradients_against_differences(pooling, classes, masked, rng, monkeypatch):
    X, y = order(rng, 7, 5, classes)
    y[:classes] = np.arange(classes)
    mask = np.arange(5) < np.array([1, 2, 5, 3, 4, 5, 2])[:, None] if masked else None
    classifier = Classifier(n_nodes=3, epochs=1, batch_size=7, pooling=pooling, max_grad=1e9,
                            initializer=SimpleInitializer(0.7), random_state=0)
    seen = {}

    class Spy:
        def update(self, params, grads, scale):
            seen.update(params=params, grads=[g.copy() for g in grads], scale=scale)

    monkeypatch.setattr("rnnlm.classifier.classifier.OPTIMIZERS", {"adam": lambda lr: Spy()})
    classifier.fit(X, y, mask=mask)
    assert (len(seen["params"]), seen["scale"]) == (5, 1)
    assert classifier.W.shape == (3, 1 if classes == 2 else classes)

    def loss():
        return -np.log(classifier.predict_proba(X, mask=mask)[np.arange(7), y]).mean()

    assert classifier.loss_curve_ == pytest.approx([loss()])
    check_gradient(loss, seen["params"], seen["grads"], rng)


@pytest.mark.parametrize("pooling", ["last", "mean"])
def test_what_lies_behind_the_end_of_a_sequence_does_not_count(pooling, rng):
    X, y = order(rng)
    mask = np.arange(6) < rng.integers(3, 7, len(X))[:, None]
    other = np.where(mask[..., None], X, rng.normal(size=X.shape) * 100)
    ends = [Classifier(n_nodes=8, epochs=3, pooling=pooling, random_state=0).fit(data, y, mask=mask).predict_proba(
        data, mask=mask) for data in (X, other)]
    np.testing.assert_allclose(*ends, rtol=1e-9)
    classifier = Classifier(n_nodes=8, epochs=1, pooling=pooling, random_state=0).fit(X, y)
    short = classifier.predict_proba(X[:, :4])
    np.testing.assert_allclose(classifier.predict_proba(X, mask=np.tile(np.arange(6) < 4, (len(X), 1))), short)


def test_a_seed_repeats_the_result_and_none_does_not(rng):
    X, y = order(rng)
    results = [Classifier(n_nodes=5, epochs=2, random_state=seed).fit(X, y).loss_curve_
               for seed in (1, 1, 2, None, None)]
    assert results[0] == results[1]
    assert len({tuple(curve) for curve in results}) == 4


def test_the_constructor_only_stores_and_takes_keywords_alone():
    with pytest.raises(TypeError):
        Classifier(5)
    initializer = OrthogonalInitializer()
    classifier = Classifier(n_nodes="many", initializer=initializer, lr=-1)
    assert vars(classifier) == classifier.get_params()
    assert classifier.get_params()["initializer"] is initializer
    assert classifier.set_params(n_nodes=3).n_nodes == 3
    with pytest.raises(ValueError, match="no parameter 'nodes'"):
        classifier.set_params(nodes=3)


def test_the_bar_is_there_only_when_asked_for(rng, capsys):
    X, y = order(rng, 30)
    Classifier(n_nodes=4, epochs=2).fit(X, y)
    assert capsys.readouterr().err == ""
    Classifier(n_nodes=4, epochs=2, verbose=True).fit(X, y)
    err = capsys.readouterr().err
    assert "2/2" in err
    assert "loss" in err


@pytest.mark.parametrize(("change", "message"), [
    ({"X": np.ones((4, 3))}, r"X must have shape \(n_samples, n_sequences, n_features\), none of them 0, got \(4, 3\)"),
    ({"X": np.ones((4, 3))}, r"if a step is one number, give X\[..., np.newaxis\]"),
    ({"X": [[[1.0]], [[1.0], [2.0]]]}, "X must be one array .*: pad shorter sequences .* mark their own steps"),
    ({"X": np.full((4, 3, 2), np.nan)}, r"X must hold finite numbers, but the value at \(0, 0, 0\) is nan: fill"),
    ({"X": np.full((4, 3, 2), "a")}, "X must hold finite numbers, but its type is <U1"),
    ({"y": [0, 1, 0]}, r"y must have one label for each of the 4 sequences, shape \(4,\), got \(3,\)"),
    ({"y": [0, 1, 0, np.nan]}, r"y must hold labels, but the value at \(3,\) is nan"),
    ({"y": [1, 1, 1, 1]}, "y must hold at least two classes, got only one class, 1$"),
    ({"y": np.array([1, "a", 1, "a"], object)}, "y must hold labels, all numbers or all text, got int, str"),
    ({"y": np.array([None] * 4)}, "y must hold labels, all numbers or all text, got NoneType"),
    ({"y_val": [1]}, "y_val and mask_val belong to X_val: give it, too"),
    ({"mask_val": [1]}, "y_val and mask_val belong to X_val: give it, too"),
    ({"X_val": np.ones((2, 3, 2))}, "X_val needs its labels: give y_val, too"),
    ({"X_val": np.ones((2, 3, 2)), "y_val": [0, 7]}, "y_val holds the label 7, which does not occur .* one of 0, 1"),
    ({"X_val": np.ones((2, 3, 2)), "y_val": ["0", "1"]}, "holds the label '0', which does not occur .* one of 0, 1"),
    ({"X_val": np.ones((2, 3, 5)), "y_val": [0, 1]}, "X_val has 5 features, but .* is expecting 2 features"),
    ({"mask": np.ones((4, 2))}, r"mask must have the shape \(n_samples, n_sequences\) of X, \(4, 3\), got \(4, 2\)"),
    ({"mask": [[1, 0, 1]] * 4}, "mask must be true from the first step of a sequence to its last"),
    ({"mask": [[0, 0, 0]] * 4}, "at least for one"),
    ({"mask": [[1, 0.5, 0]] * 4}, "mask must hold only true and false, or 1 and 0"),
    ({"mask": [[1, np.nan, 0]] * 4}, "mask must hold only true and false, or 1 and 0"),
])
def test_bad_data_is_one_clear_line(change, message):
    data = {"X": np.ones((4, 3, 2)), "y": [0, 1, 0, 1]} | change
    with pytest.raises(RnnlmError, match=message) as caught:
        Classifier(epochs=1).fit(**data)
    assert isinstance(caught.value, ValueError)  # as callers of scikit-learn expect
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("parameters", "message"), [
    ({"n_nodes": 0}, "n_nodes must be a whole number of at least 1, got 0"),
    ({"epochs": 1.5}, "epochs must be a whole number of at least 1, got 1.5"),
    ({"batch_size": True}, "batch_size must be a whole number of at least 1, got True"),
    ({"pooling": "max"}, "pooling must be one of last, mean, got 'max'"),
    ({"activation": "cosine"}, "activation must be one of tanh, relu, sigmoid, identity, got 'cosine'"),
    ({"optimizer": "newton"}, "optimizer must be one of sgd, .*, got 'newton'"),
    ({"lr": 0}, "lr must be a number above 0, got 0"),
    ({"lr": "fast"}, "lr must be a number above 0, got 'fast'"),
    ({"lr": True}, "lr must be a number above 0, got True"),
    ({"max_grad": -1}, "max_grad must be a number above 0, or math.inf, got -1"),
    ({"max_grad": None}, "max_grad must be a number"),
    ({"initializer": "xavier"}, "initializer must be None or a function .*, got 'xavier'"),
    ({"initializer": SimpleInitializer}, "initializer must be None or a function .*SimpleInitializer'>"),
    ({"activation": np.array(["tanh", "relu"])}, "activation must be one of tanh, .*"),
    ({"lr": np.inf}, "lr must be a finite number above 0, got inf"),
    ({"random_state": "seven"}, "random_state must be None or a whole number .*, got seven"),
    ({"random_state": -1}, "random_state must be None or a whole number of at least 0, got -1")])
def test_a_parameter_that_cannot_be_is_said_by_fit(parameters, message):
    with pytest.raises(ValueError, match=message) as caught:
        Classifier(**parameters).fit(np.ones((4, 3, 2)), [0, 1, 0, 1])
    assert isinstance(caught.value, RnnlmError)


@pytest.mark.parametrize("data", [{"y": [0, 1, 2]}, {"X_val": np.ones((2, 3, 5)), "y_val": [0, 1]}])
def test_what_was_learnt_stays_when_new_data_is_refused(data, rng):
    X, y = order(rng, 20)
    classifier = Classifier(n_nodes=4, epochs=1, random_state=0).fit(X, y)
    before, curve = classifier.predict_proba(X), classifier.loss_curve_
    with pytest.raises(RnnlmError):
        classifier.fit(**{"X": np.ones((4, 3, 2)), "y": [5, 6, 5, 6]} | data)
    np.testing.assert_array_equal(classifier.predict_proba(X), before)
    assert classifier.loss_curve_ is curve


@pytest.mark.parametrize("padding", [np.nan, np.inf, np.finfo(np.float64).max])
def test_anything_may_stand_behind_the_end(padding, rng):
    X, y = order(rng, 20)
    mask = np.arange(6) < rng.integers(3, 7, len(X))[:, None]
    padded = np.where(mask[..., None], X, padding)
    ends = [Classifier(n_nodes=4, epochs=2, activation="relu", random_state=0).fit(data, y, data, y, mask=mask,
                                                                               mask_val=mask) for data in (X, padded)]
    np.testing.assert_array_equal(ends[0].loss_curve_, ends[1].loss_curve_)
    np.testing.assert_array_equal(ends[0].predict_proba(X, mask=mask), ends[1].predict_proba(padded, mask=mask))
    assert np.isnan(padded[~mask]).all() or padded[~mask].min() == padding  # the caller's array stays as it is


def test_the_validation_loss_is_that_of_the_masked_sequences(rng):
    X, y = order(rng, 30)
    mask = np.arange(6) < rng.integers(3, 7, len(X))[:, None]
    classifier = Classifier(n_nodes=4, epochs=1, random_state=0).fit(X, y, X, y, mask=mask, mask_val=mask)
    probs = classifier.predict_proba(X, mask=mask)
    assert classifier.val_loss_curve_[-1] == pytest.approx(-np.log(probs[np.arange(30), y]).mean())
    assert Classifier(epochs=1).fit(X, y).val_loss_curve_ == []


def test_the_curve_is_the_mean_over_samples_also_where_the_last_batch_is_short(rng):
    X, y = order(rng, 7)
    y[:3] = [0, 1, 2]
    whole, parts = (Classifier(n_nodes=4, epochs=1, batch_size=size, lr=1e-12, random_state=0).fit(X, y).loss_curve_
                    for size in (7, 5))
    assert parts == pytest.approx(whole)


@pytest.mark.parametrize("change", [{"max_grad": 0.01}, {"activation": "relu"}, {"optimizer": "sgd"}, {"lr": 0.1},
                                    {"pooling": "mean"}, {"batch_size": 5}, {"initializer": SimpleInitializer(0.1)}])
def test_every_parameter_changes_the_result(change, rng):
    X, y = order(rng, 30)
    parameters = {"n_nodes": 4, "epochs": 2, "random_state": 0, "optimizer": "momentum", "batch_size": 10}
    plain, changed = (Classifier(**parameters | more).fit(X, y).loss_curve_ for more in ({}, change))
    assert plain != changed


def test_a_loss_that_runs_away_is_said(rng):
    X, y = order(rng, 30)
    classifier = Classifier(n_nodes=4, optimizer="sgd", activation="identity", lr=1e300, random_state=0)
    with pytest.raises(DivergenceError, match=r"not finite in epoch \d+: lower lr, now 1e\+300, or max_grad") as caught:
        classifier.fit(X, y)
    assert isinstance(caught.value, ValueError)
    with pytest.raises(RnnlmError, match="call fit first"):
        classifier.predict(X)


def test_before_fit_there_is_nothing_to_predict_with():
    with pytest.raises(RnnlmError, match="call fit first"):
        Classifier().predict(np.ones((4, 3, 2)))
    classifier = Classifier(epochs=1, n_nodes=2).fit(np.arange(24.0).reshape(4, 3, 2), [0, 1, 0, 1])
    with pytest.raises(RnnlmError, match=r"X has 3 features, but .* is expecting 2 features"):
        classifier.predict(np.ones((4, 3, 3)))
