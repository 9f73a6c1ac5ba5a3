"""All of scikit-learn's own checks of an estimator.

Its tag for 3-D data would leave out all but one.
"""

import numpy as np
import pytest

from rnnlm.classifier.classifier import ScratchSimpleRNNClassifier as Classifier

InputTags = pytest.importorskip("sklearn", minversion="1.6").utils.InputTags
check_estimator = pytest.importorskip("sklearn.utils.estimator_checks").check_estimator


class Adapter(Classifier):
    """Takes two-dimensional data, as scikit-learn's checks bring; else unchanged."""

    def fit(self, X, y, sample_weight=None):
        return super().fit(self.sequences(X), y, sample_weight=sample_weight)

    def predict_proba(self, X, *, mask=None):
        return super().predict_proba(self.sequences(X), mask=mask)

    def sequences(self, X):
        X = X if hasattr(X, "toarray") else np.asarray(X)  # a sparse one stays as it is, to be refused
        return np.expand_dims(X, self.new_axis) if isinstance(X, np.ndarray) and X.ndim == 2 else X

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags = InputTags()  # without the tags by which checks are left out: 3-D alone, and NaN allowed
        return tags


class RowsAsSequences(Adapter):
    """Each row is a sequence of numbers."""

    new_axis = 2


class RowsAsSteps(Adapter):
    """Each row is a sequence of one step."""

    new_axis = 1


FAILING = {
    "check_dtype_object": "a dict in X is a ValueError here, as all that X cannot be; the check wants a TypeError",
    "check_estimators_empty_data_messages": "no features are refused, but the message shows a shape of three numbers",
    "check_supervised_y_2d": "labels (n, 1) are refused and y.ravel() is named; the check wants a warning alone",
}
FAILING_WITH_SEQUENCES = FAILING | {
    "check_n_features_in": "a step has one feature however long the rows are",
    "check_n_features_in_after_fitting": "a shorter row is a shorter sequence, which is allowed",
    "check_classifiers_train": "a row of another length is a sequence of another length, which is allowed",
}


@pytest.mark.parametrize(("adapter", "failing"), [(RowsAsSteps, FAILING), (RowsAsSequences, FAILING_WITH_SEQUENCES)])
@pytest.mark.filterwarnings("ignore:Estimator .* does not inherit from")
def test_scikit_learns_own_checks(adapter, failing):
    # All samples in one batch, as only then a weight of 2 is a sample twice, and few
    # steps, which do not blow up the difference in the last bit that the order of a sum
    # makes.
    estimator = adapter(n_nodes=8, epochs=30, lr=0.2, optimizer="momentum", pooling="mean", batch_size=1000)
    results = check_estimator(estimator, on_fail=None, on_skip=None)
    assert len(results) > 50
    wrong = {result["check_name"]: result["exception"] for result in results if result["status"] == "failed"}
    assert wrong.keys() == failing.keys(), {name: wrong[name] for name in wrong.keys() - failing.keys()}


@pytest.mark.filterwarnings("ignore")
def test_the_checks_for_three_dimensions_pass():
    assert {result["status"] for result in check_estimator(Classifier(epochs=1), on_skip=None)} <= {"passed", "skipped"}
