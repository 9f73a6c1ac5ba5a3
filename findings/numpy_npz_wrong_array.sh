#!/usr/bin/env bash
# Finding: NumPy returns the wrong array for a name that ends in ".npy".
#
# A good guess: each name that was given to np.savez brings its own array back, as the list of names promises.
# What happens: savez adds ".npy" to each name for the member of the archive, and load takes it off again.
#   With the names "state" and "state.npy", both look-ups return the array of "state". The names listed are right.
# Version: NumPy 2.4.6.
# Output seen:
#   numpy 2.4.6
#   names: state, state.npy
#   state     saved [0, 0], loaded [0, 0]
#   state.npy saved [1, 1], loaded [0, 0]
# Who is hurt: archives whose names come from file names or from users.
#   The shape can agree, so the values are used without an error.
# What to do: refuse names that end in ".npy" when saving, and compare one value after loading.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check numpy==2.4.6
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import sys

import numpy as np

saved = {"state": np.zeros(2, int), "state.npy": np.ones(2, int)}
np.savez("arrays.npz", **saved)
with np.load("arrays.npz") as arrays:
    names = arrays.files
    loaded = {name: arrays[name] for name in names}
print("numpy", np.__version__)
print("names:", ", ".join(names))
for name in names:
    print(f"{name:9} saved {saved[name].tolist()}, loaded {loaded[name].tolist()}")
if sorted(names) != sorted(saved):
    sys.exit("changed: the names")
if not np.array_equal(loaded["state.npy"], saved["state"]):
    sys.exit("changed: state.npy has an array of its own")
PYTHON
