#!/usr/bin/env bash
# Finding: scikit-learn cuts a vocabulary into folds when it happens to have as many entries as there are samples.
#
# A good guess: what is passed through params= reaches fit() as it is, except arrays with one entry a sample,
#   which one declares or which are NumPy arrays.
# What happens: the length alone decides. A list with n_samples entries is sliced like the rows of X,
#   and a list with one entry more or less is passed whole. A string is cut in the same way.
#   Metadata routing, switched on, does not change that.
# Version: scikit-learn 1.9.1.
# Output seen (entries that fit() receives; six samples, two folds):
#   scikit-learn 1.9.1
#   vocabulary of 5 words: fit receives 5
#   vocabulary of 6 words: fit receives 3
#   vocabulary of 7 words: fit receives 7
#   vocabulary of 6 words, metadata routing on: fit receives 3
# Who is hurt: sequence classifiers that take a vocabulary, label names or class weights as a fit parameter.
#   It goes wrong for one size of the data only, and then without an error: the model knows half of the words.
# What to do: pass such things to the constructor, or wrap them in an object without a length.
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
from sklearn.base import BaseEstimator
from sklearn.model_selection import cross_validate

received = []


class Reader(BaseEstimator):
    def fit(self, X, y=None, vocabulary=None):
        received.append(len(vocabulary))
        return self

    def score(self, X, y=None):
        return 0.0


def entries(reader, size):
    received.clear()
    vocabulary = [f"word{i}" for i in range(size)]
    cross_validate(reader, np.zeros((6, 2)), cv=2, params={"vocabulary": vocabulary})
    return received[0]


print("scikit-learn", sklearn.__version__)
found = [entries(Reader(), size) for size in (5, 6, 7)]
for size, count in zip((5, 6, 7), found):
    print(f"vocabulary of {size} words: fit receives {count}")
sklearn.set_config(enable_metadata_routing=True)
routed = entries(Reader().set_fit_request(vocabulary=True), 6)
print(f"vocabulary of 6 words, metadata routing on: fit receives {routed}")
if found != [5, 3, 7] or routed != 3:
    sys.exit("changed: what fit receives")
PYTHON
