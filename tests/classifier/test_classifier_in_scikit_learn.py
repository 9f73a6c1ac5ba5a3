"""The classifier where scikit-learn calls it: what it gets, what it answers.

And that it does not need scikit-learn.
"""

import pickle
import subprocess
import sys

import numpy as np
import pytest
from sequence_data import up_or_down, which_is_on, with_nan

from rnnlm.classifier.classifier import ScratchSimpleRNNClassifier as Classifier
from rnnlm.errors import RnnlmError

sklearn = pytest.importorskip("sklearn")
selection, pipeline = (pytest.importorskip(f"sklearn.{name}") for name in ("model_selection", "pipeline"))
clone = pytest.importorskip("sklearn.base").clone
NotFittedError = pytest.importorskip("sklearn.exceptions").NotFittedError
FunctionTransformer = pytest.importorskip("sklearn.preprocessing").FunctionTransformer

FOLDS = selection.KFold(3)
SINCE_1_6 = pytest.mark.skipif(not hasattr(sklearn.utils, "Tags"), reason="scikit-learn from 1.6 on")


@pytest.fixture
def routing():
    with sklearn.config_context(enable_metadata_routing=True):
        yield


@pytest.fixture
def data(rng):
    return up_or_down(rng, 150)


def small(**parameters):
    return Classifier(**{"n_nodes": 8, "epochs": 8, "lr": 0.01, "random_state": 0} | parameters)


def by_hand(classifier, X, y, mask):
    """The scores of the folds, the mask cut and handed on by hand."""
    fitted = ((clone(classifier).fit(X[train], y[train], mask=mask[train]), test) for train, test in FOLDS.split(X))
    return [classifier.score(X[test], y[test], mask=mask[test]) for classifier, test in fitted]


def test_clone_gives_a_twin():
    classifier = small(n_nodes=5)
    twin = clone(classifier)
    assert twin is not classifier
    assert twin.get_params() == classifier.get_params()


def test_scikit_learn_can_validate_search_and_chain_it(rng):
    X, y = which_is_on(rng, 60)
    X, y = X[np.argsort(y)], np.sort(y)  # without stratification a fold would lack a class
    classifier = small(epochs=15)
    assert selection.cross_val_score(classifier, X, y, cv=3).mean() > 0.8
    search = selection.GridSearchCV(classifier, {"pooling": ["last", "mean"]}, cv=2).fit(X, y)
    assert search.best_score_ > 0.8
    chain = pipeline.make_pipeline(FunctionTransformer(lambda X: 2 * X), classifier).fit(X, y)
    assert chain.score(X, y) > 0.9


def test_cross_validation_cuts_the_mask_for_fit_and_score(data, routing):
    X, y, mask = data
    classifier = small()
    asking = clone(classifier).set_fit_request(mask=True).set_score_request(mask=True)
    expected = by_hand(classifier, X, y, mask)
    assert len(set(expected)) > 1
    np.testing.assert_array_equal(selection.cross_val_score(asking, X, y, cv=FOLDS, params={"mask": mask}), expected)
    results = selection.cross_validate(clone(asking), X, y, cv=FOLDS, params={"mask": mask}, return_train_score=True)
    np.testing.assert_array_equal(results["test_score"], expected)


def test_a_search_chooses_by_the_masked_scores(data, routing):
    X, y, mask = data
    asking = small().set_fit_request(mask=True).set_score_request(mask=True)
    search = selection.GridSearchCV(asking, {"pooling": ["last", "mean"]}, cv=FOLDS).fit(X, y, mask=mask)
    expected = [np.mean(by_hand(small(pooling=pooling), X, y, mask)) for pooling in ("last", "mean")]
    np.testing.assert_allclose(search.cv_results_["mean_test_score"], expected)
    assert search.score(X, y, mask=mask) == search.best_estimator_.score(X, y, mask=mask)


@SINCE_1_6
def test_a_pipeline_hands_the_mask_on(data, routing):
    X, y, mask = data
    asking = small().set_fit_request(mask=True).set_score_request(mask=True).set_predict_request(mask=True)
    chain = pipeline.make_pipeline(FunctionTransformer(), asking.set_predict_proba_request(mask=True))
    np.testing.assert_array_equal(selection.cross_val_score(chain, X, y, cv=FOLDS, params={"mask": mask}),
                                  by_hand(small(), X, y, mask))
    chain.fit(X, y, mask=mask)
    plain = small().fit(X, y, mask=mask)
    np.testing.assert_array_equal(chain.predict_proba(X, mask=mask), plain.predict_proba(X, mask=mask))
    np.testing.assert_array_equal(chain.predict(X, mask=mask), plain.predict(X, mask=mask))


def test_weights_are_cut_and_handed_on_under_another_name(rng, routing):
    X, y = which_is_on(rng, 60)
    weights = rng.integers(1, 4, 60)
    asking = small().set_fit_request(sample_weight="counts").set_score_request(sample_weight="counts")
    expected = [small().fit(X[train], y[train], sample_weight=weights[train]).score(
        X[test], y[test], sample_weight=weights[test]) for train, test in FOLDS.split(X)]
    np.testing.assert_array_equal(
        selection.cross_val_score(asking, X, y, cv=FOLDS, params={"counts": weights}), expected)


def test_requests_are_those_of_the_methods_and_a_twin_has_them(routing):
    classifier = small()
    everything = {"fit": dict.fromkeys(("X_val", "y_val", "mask", "mask_val", "sample_weight")),
                  "predict": {"mask": None}, "predict_proba": {"mask": None},
                  "score": {"mask": None, "sample_weight": None}}

    def requests(classifier):
        routing = classifier.get_metadata_routing()
        return {method: getattr(routing, method).requests for method in everything}

    assert requests(classifier) == everything
    assert classifier.set_fit_request(mask=True) is classifier
    expected = everything | {"fit": everything["fit"] | {"mask": True}}
    for twin in (classifier, clone(classifier), clone(clone(classifier)), pickle.loads(pickle.dumps(classifier))):
        assert requests(twin) == expected
    clone(classifier).set_fit_request(mask=False)
    assert requests(classifier) == expected
    with pytest.raises(TypeError, match="score takes no metadata 'weight': it must be one of mask, sample_weight"):
        classifier.set_score_request(weight=True)


def test_a_mask_that_nobody_asked_for_is_refused(data, routing):
    X, y, mask = data
    with pytest.raises(ValueError, match="mask"):
        selection.cross_val_score(small(), X, y, cv=FOLDS, params={"mask": mask})


def test_without_routing_no_request_can_be_made():
    with pytest.raises(RuntimeError, match=r"call sklearn.set_config\(enable_metadata_routing=True\) first"):
        small().set_fit_request(mask=True)


def test_without_routing_nothing_is_scored_without_the_mask(data):
    X, y, mask = data
    with pytest.raises(RnnlmError, match=r"a mask is needed, because this .* set_score_request\(mask=True\)"):
        selection.cross_val_score(small(), X, y, cv=FOLDS, params={"mask": mask}, error_score="raise")


def test_nan_tails_are_cut_with_x(data):
    X, y, mask = data
    np.testing.assert_array_equal(selection.cross_val_score(small(), with_nan(X, mask), y, cv=FOLDS),
                                  by_hand(small(), X, y, mask))


def test_before_fit_it_is_scikit_learns_error():
    for method in (Classifier().predict, Classifier().predict_proba, lambda X: Classifier().score(X, [0] * 4)):
        with pytest.raises(NotFittedError, match="call fit first") as caught:
            method(np.ones((4, 3, 2)))
        assert isinstance(caught.value, RnnlmError)
        again = pickle.loads(pickle.dumps(caught.value))
        assert isinstance(again, NotFittedError)
        assert str(again) == str(caught.value)
    sklearn.utils.validation.check_is_fitted(small(epochs=1).fit(np.eye(4)[:, None], [0, 1, 0, 1]))
    with pytest.raises(NotFittedError):
        sklearn.utils.validation.check_is_fitted(Classifier())


@pytest.mark.parametrize(("classifier", "text"), [
    (Classifier(), "ScratchSimpleRNNClassifier()"),
    (Classifier(n_nodes=64, lr=0.01, random_state=3), "ScratchSimpleRNNClassifier(lr=0.01, random_state=3)"),
    (Classifier(pooling="mean", max_grad=float("inf")), "ScratchSimpleRNNClassifier(pooling='mean', max_grad=inf)"),
    (Classifier(class_weight={0: 2}), "ScratchSimpleRNNClassifier(class_weight={0: 2})")])
def test_repr_shows_what_is_not_the_default(classifier, text):
    assert repr(classifier) == text
    assert eval(text.replace("inf", "float('inf')"), {"ScratchSimpleRNNClassifier": Classifier}).get_params() == (
        classifier.get_params())


class Short(Classifier):
    """A constructor with fewer parameters."""

    def __init__(self, n_nodes=4, note=None):
        super().__init__(n_nodes=n_nodes, epochs=1, random_state=0)
        self.note = note


class Named(Classifier):
    """A constructor that hands the others on."""

    def __init__(self, *, note=None, **others):
        super().__init__(**others)
        self.note = note


def test_a_subclass_may_have_a_constructor_of_its_own(data):
    X, y, _ = data
    expected = Classifier(n_nodes=5, epochs=1, random_state=0).fit(X, y).predict_proba(X)
    short, named = Short(5, note="a"), Named(n_nodes=5, epochs=1, random_state=0)
    for classifier in (short, clone(short), pickle.loads(pickle.dumps(short)), named):
        np.testing.assert_array_equal(classifier.fit(X, y).predict_proba(X), expected)
    assert repr(short) == "Short(n_nodes=5, note='a')"
    assert named.get_params() == {"note": None}  # as scikit-learn reads such a constructor


def test_it_works_where_scikit_learn_is_not():
    code = """
import sys
sys.modules["sklearn"] = None  # an import of it fails
import numpy as np
from rnnlm import ScratchSimpleRNNClassifier
classifier = ScratchSimpleRNNClassifier(n_nodes=2, epochs=1, class_weight="balanced")
try:
    classifier.predict(np.ones((4, 3, 2)))
except ValueError as error:
    assert isinstance(error, AttributeError), type(error)
    assert "call fit first" in str(error), error
else:
    raise SystemExit("no error")
classifier.fit(np.ones((4, 3, 2)), [0, 1, 0, 1], mask=np.ones((4, 3)), sample_weight=[1, 2, 3, 4])
assert classifier.predict(np.ones((4, 3, 2)), mask=np.ones((4, 3))).shape == (4,)
print(classifier)
"""
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "ScratchSimpleRNNClassifier(n_nodes=2, epochs=1, class_weight='balanced')\n"


def test_nothing_of_it_loads_scikit_learn():
    code = ("import sys, numpy as np, rnnlm; c = rnnlm.ScratchSimpleRNNClassifier(n_nodes=2, epochs=1); str(c); "
            "c.fit(np.ones((4, 3, 2)), [0, 1, 0, 1]).score(np.ones((4, 3, 2)), [0, 1, 0, 1]); "
            "assert 'sklearn' not in sys.modules")
    subprocess.run([sys.executable, "-c", code], check=True)


@SINCE_1_6
def test_its_tags_are_of_a_classifier_of_sequences_that_takes_nan():
    tags = sklearn.utils.get_tags(Classifier())
    assert (tags.estimator_type, tags.target_tags.required) == ("classifier", True)
    inputs = tags.input_tags
    assert (inputs.three_d_array, inputs.two_d_array, inputs.allow_nan) == (True, False, True)
