#!/usr/bin/env bash
# Finding: haiku's LSTM adds 1 to the forget gate in every step, and the 1 is in none of its parameters.
#
# A good guess: "we add 1.0 to b_f after initialization", as the documentation says below its equations, is a 1 in the
#   bias, as in Keras; the parameters then hold all there is. And the gates stand in the order of the equations,
#   i, f, g, o, as in PyTorch.
# What happens: the biases are 0 after initialisation, and the layer computes sigmoid(f + 1), in training and after it.
#   The gates are stored as i, g, f, o. With the equations as documented the parameters give another network, whose
#   cell forgets faster; nothing in the saved file tells.
# Version: dm-haiku 0.0.17, jax 0.10.2 (CPU).
# Output seen:
#   dm-haiku 0.0.17, jax 0.10.2
#   the first biases are all 0: True
#   with all parameters 0 a cell of 1 keeps 0.731 = sigmoid(1), where the equations have 0.500
#   largest difference from haiku, over 20 steps:
#   order i f g o, as documented       1.53
#   order i g f o                      0.61
#   order i g f o and 1 added to f     0.00
# Who is hurt: who takes weights from haiku to PyTorch, ONNX or NumPy, or the other way round; and who starts b_f at 1
#   on purpose, which makes it 2.
# What to do: split W and b as i, g, f, o, reorder, and add 1 to b_f; subtract it on the way back.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check dm-haiku==0.0.17 jax==0.10.2 jaxlib==0.10.2 numpy==2.4.6
cd "$folder"
cat > show.py <<'PYTHON'
import sys
from importlib.metadata import version

import haiku
import jax
import numpy as np

D, H, STEPS = 3, 4, 20


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


def by_hand(parameters, xs, order, added):
    """The documented equations in float64; order names the gates as they are stored, added goes to the forget gate."""
    W, b = (np.asarray(parameters["lstm/linear"][name], np.float64) for name in "wb")
    h, c = np.zeros((2, H))
    hs = []
    for x in xs:
        gates = dict(zip(order, np.split(np.concatenate([x, h]) @ W + b, 4)))
        c = sigmoid(gates["f"] + added) * c + sigmoid(gates["i"]) * np.tanh(gates["g"])
        h = sigmoid(gates["o"]) * np.tanh(c)
        hs.append(h)
    return np.array(hs)


def unroll(xs, state):
    return haiku.dynamic_unroll(haiku.LSTM(H), xs, state)


print(f"dm-haiku {version('dm-haiku')}, jax {version('jax')}")
rng = np.random.default_rng(1)
xs = rng.standard_normal((STEPS, D)).astype(np.float32)
network = haiku.without_apply_rng(haiku.transform(unroll))
start = haiku.LSTMState(hidden=np.zeros(H, np.float32), cell=np.zeros(H, np.float32))
parameters = network.init(jax.random.key(0), xs, start)
is_zero = not np.any(parameters["lstm/linear"]["b"])
print("the first biases are all 0:", is_zero)
zeros = jax.tree.map(np.zeros_like, parameters)
_, state = network.apply(zeros, xs[:1], start._replace(cell=np.ones(H, np.float32)))
kept = float(state.cell[0])
print(f"with all parameters 0 a cell of 1 keeps {kept:.3f} = sigmoid(1), where the equations have {sigmoid(0):.3f}")
parameters = jax.tree.map(lambda array: rng.standard_normal(array.shape).astype(np.float32), parameters)
hs, _ = network.apply(parameters, xs, start)
print(f"largest difference from haiku, over {STEPS} steps:")
differences = []
for order, added, name in (
    ("ifgo", 0, "order i f g o, as documented"),
    ("igfo", 0, "order i g f o"),
    ("igfo", 1, "order i g f o and 1 added to f"),
):
    differences.append(float(np.abs(np.asarray(hs) - by_hand(parameters, xs, order, added)).max()))
    print(f"{name:33} {differences[-1]:5.2f}")
if not is_zero or abs(kept - sigmoid(1)) > 1e-5:
    sys.exit("changed: the 1 that is added")
if min(differences[:2]) < 0.1 or differences[2] > 1e-4:
    sys.exit("changed: the order of the gates")
PYTHON
"$folder/venv/bin/python" show.py 2> errors || { cat errors >&2; exit 1; }
