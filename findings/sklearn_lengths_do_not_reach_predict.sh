#!/usr/bin/env bash
# Finding: scikit-learn passes the lengths of padded sequences to fit(), but not to the prediction that is scored.
#
# A good guess: cross_validate(params={"lengths": ...}) hands each fold its lengths, for fitting and for scoring;
#   with metadata routing and set_predict_request(lengths=True) at the latest.
# What happens: without routing the lengths reach fit() and neither score() nor predict().
#   With routing, score() can have them. A scorer by name, such as "accuracy", calls predict() without them,
#   although the estimator requested them, and without an error.
# Version: scikit-learn 1.9.1.
# Output seen (did the lengths arrive):
#   scikit-learn 1.9.1
#   routing off, own score():                   fit True, score False
#   routing on, own score(), requested:         fit True, score True
#   routing on, scoring="accuracy", requested:  fit True, predict False
# Who is hurt: recurrent classifiers on padded batches. They train with the right lengths,
#   and are judged on the state after the padding. The reported accuracy is too low, without a warning.
# What to do: keep the lengths in X (a list of sequences, or a padding value that the estimator knows).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check scikit-learn==1.9.1 numpy==2.4.6
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import sys

import numpy as np
import sklearn
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.model_selection import cross_validate

arrived = {}


class Recurrent(ClassifierMixin, BaseEstimator):
    def fit(self, X, y, lengths=None):
        self.classes_ = np.unique(y)
        arrived["fit"] = lengths is not None
        return self

    def predict(self, X, lengths=None):
        arrived["predict"] = lengths is not None
        return np.full(len(X), self.classes_[0])

    def score(self, X, y, lengths=None):
        arrived["score"] = lengths is not None
        return 0.0


def lengths_arrive(label, estimator, **options):
    arrived.clear()
    cross_validate(
        estimator, np.zeros((6, 4)), np.array([0, 1] * 3), cv=2, params={"lengths": np.arange(1, 7)}, **options
    )
    print(f"{label:43}", ", ".join(f"{method} {came}" for method, came in arrived.items()))
    return dict(arrived)


print("scikit-learn", sklearn.__version__)
off = lengths_arrive("routing off, own score():", Recurrent())
sklearn.set_config(enable_metadata_routing=True)
asking = Recurrent().set_fit_request(lengths=True).set_score_request(lengths=True).set_predict_request(lengths=True)
own = lengths_arrive("routing on, own score(), requested:", asking)
named = lengths_arrive('routing on, scoring="accuracy", requested:', asking, scoring="accuracy")
if off != {"fit": True, "score": False}:
    sys.exit("changed: routing off")
if own != {"fit": True, "score": True}:
    sys.exit("changed: routing on, own score")
if named != {"fit": True, "predict": False}:
    sys.exit("changed: routing on, a scorer by name")
PYTHON
