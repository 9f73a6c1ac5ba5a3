#!/usr/bin/env bash
# Finding: in flax, a row of length 0 gets the state after all of its padding.
#
# A good guess: seq_lengths=[3, 1, 0] leaves the third row at the state that it came with.
#   The documentation says that elements from the length on are padding and are ignored.
# What happens: the last state of a row is looked up at index length - 1, and -1 is the last step of the padding.
#   So the row has the state of a row that read all five steps, and the state changes with what the padding holds.
#   nn.RNN and nnx.RNN both do this.  Rows of length 1 and more are right, forward and reverse.
#   (onnxruntime gives such a row the zero state; see onnxruntime_empty_row_loses_state.sh.)
# Version: flax 0.12.8, jax 0.10.2 (CPU, float32).
# Output seen (largest difference of the last state from the right one):
#   flax 0.12.8, jax 0.10.2
#   nn.SimpleCell      length 3: 0.000  length 1: 0.000  length 0: 2.285  as after padding: True  moves with it: True
#   nnx.SimpleCell     length 3: 0.000  length 1: 0.000  length 0: 1.966  as after padding: True  moves with it: True
#   nn.GRUCell         length 3: 0.000  length 1: 0.000  length 0: 2.213  as after padding: True  moves with it: True
#   nnx.GRUCell        length 3: 0.000  length 1: 0.000  length 0: 2.318  as after padding: True  moves with it: True
#   nn.LSTMCell        length 3: 0.000  length 1: 0.000  length 0: 2.585  as after padding: True  moves with it: True
#   nnx.LSTMCell       length 3: 0.000  length 1: 0.000  length 0: 2.819  as after padding: True  moves with it: True
# Who is hurt: programs that read several texts side by side, a piece of each at a time, and keep the states.
#   A text that has no word in this piece goes on from a state that has read padding.
# What to do: put the old state back where the length is 0: jnp.where(lengths[:, None] > 0, new, old).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check flax==0.12.8 jax==0.10.2 jaxlib==0.10.2 numpy==2.4.6
cd "$folder"
JAX_PLATFORMS=cpu "$folder/venv/bin/python" - <<'PYTHON'
import sys

import flax
import flax.linen as nn
import jax
import numpy as np
from flax import nnx

WIDTH, HIDDEN, STEPS = 4, 6, 5
LENGTHS = np.array([3, 1, 0])
rng = np.random.default_rng(0)
x = rng.standard_normal((3, STEPS, WIDTH)).astype(np.float32)
other = np.where(np.arange(STEPS)[:, None] < LENGTHS[:, None, None], x, x + 1)  # other padding, the same words


def state(rows):
    return rng.standard_normal((rows, HIDDEN)).astype(np.float32)


def linen(name):
    layer = nn.RNN(getattr(nn, name)(features=HIDDEN), return_carry=True)
    weights = layer.init(jax.random.key(0), x)
    return lambda xs, carry, lengths=None: layer.apply(weights, xs, initial_carry=carry, seq_lengths=lengths)[0]


def newer(name):
    layer = nnx.RNN(getattr(nnx, name)(WIDTH, HIDDEN, rngs=nnx.Rngs(0)), return_carry=True)
    return lambda xs, carry, lengths=None: layer(xs, initial_carry=carry, seq_lengths=lengths)[0]


def difference(a, b, row):
    """Largest difference of one row of two states, which are an array or a pair of arrays."""
    pairs = zip(jax.tree.leaves(a), jax.tree.leaves(b))
    return max(float(np.abs(np.asarray(u)[row] - np.asarray(v)[row]).max()) for u, v in pairs)


def report(label, read, carry):
    found = read(x, carry, LENGTHS)
    shown = []
    for row, length in enumerate(LENGTHS):
        right = read(x[:, :length], carry) if length else carry
        shown.append(difference(found, right, row))
    padded = difference(found, read(x, carry), 2) == 0
    moved = difference(found, read(other, carry, LENGTHS), 2) > 0.01
    print(f"{label:18} " + "  ".join(f"length {n}: {d:.3f}" for n, d in zip(LENGTHS, shown)), end="")
    print(f"  as after padding: {padded}  moves with it: {moved}")
    if max(shown[:2]) > 1e-5 or shown[2] < 0.01 or not padded or not moved:
        sys.exit(f"changed: {label}")


print(f"flax {flax.__version__}, jax {jax.__version__}")
for name in ("SimpleCell", "GRUCell", "LSTMCell"):
    carry = (state(3), state(3)) if name == "LSTMCell" else state(3)
    report(f"nn.{name}", linen(name), carry)
    report(f"nnx.{name}", newer(name), carry)
PYTHON
