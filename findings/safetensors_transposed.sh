#!/usr/bin/env bash
# Finding: safetensors writes a transposed NumPy array with its values in the wrong order.
#
# A good guess: save() either keeps the values of every array, or refuses a layout that it cannot write.
# What happens: it keeps the shape and takes the values in memory order.
#   A transposed view and a Fortran-ordered array come back scrambled, without an error or a warning.
# Version: safetensors 0.8.0 with NumPy 2.4.6. Reported upstream as safetensors#825.
# Output seen:
#   safetensors 0.8.0
#   saved  [[0, 2, 4], [1, 3, 5]]
#   loaded [[0, 1, 2], [3, 4, 5]]
# Who is hurt: everyone who converts weights between (in, out) and (out, in) with .T and saves the result.
#   A square matrix even has the right shape.
# What to do: call np.ascontiguousarray on every array before save(), and compare one value after load().
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check safetensors==0.8.0 numpy==2.4.6
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import sys
from importlib.metadata import version

import numpy as np
from safetensors.numpy import load, save

weights = np.arange(6, dtype=np.float32).reshape(3, 2).T
loaded = load(save({"weights": weights}))["weights"]
print("safetensors", version("safetensors"))
print("saved ", weights.astype(int).tolist())
print("loaded", loaded.astype(int).tolist())

copied = load(save({"weights": np.ascontiguousarray(weights)}))["weights"]
if not np.array_equal(copied, weights):
    sys.exit("changed: even a contiguous copy comes back different")
if loaded.shape != weights.shape or np.array_equal(loaded, weights):
    sys.exit("changed: the transposed array comes back right")
PYTHON
