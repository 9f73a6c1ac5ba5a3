#!/usr/bin/env bash
# Finding: scikit-learn's log_loss cannot exceed 15.94 for float32 probabilities.
#
# A good guess: log_loss is minus the logarithm of the probability of the right class,
#   so exp(log_loss) is the perplexity. Only a probability of 0 needs a special rule.
# What happens: probabilities are cut at the machine epsilon of their dtype, 1.2e-07 for float32,
#   although float32 can hold 1e-45. The same numbers in float64 give a higher loss.
# Version: scikit-learn 1.9.1.
# Output seen (right class with probability 1e-09, exact loss 20.723):
#   scikit-learn 1.9.1
#   float64: 20.723
#   float32: 15.942
# Who is hurt: perplexities of language models and of anything with thousands of classes, where 1e-09 is ordinary.
#   A model that is confidently wrong looks better than it is, and float32 looks better than float64.
# What to do: sum the log-probabilities of the right class yourself, from the scores, not from probabilities.
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
from sklearn.metrics import log_loss

print("scikit-learn", sklearn.__version__)
found = {}
for name in ("float64", "float32"):
    probabilities = np.array([[1 - 1e-9, 1e-9]]).astype(name)
    found[name] = log_loss([1], probabilities, labels=[0, 1])
    print(f"{name}: {found[name]:.3f}")
if abs(found["float64"] - 20.723) > 0.001:
    sys.exit("changed: float64")
if abs(found["float32"] - 15.942) > 0.001:
    sys.exit("changed: float32")
PYTHON
