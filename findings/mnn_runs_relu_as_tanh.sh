#!/usr/bin/env bash
# Finding: MNN runs an ONNX RNN with ReLU as one with tanh, and "reverse" forward.
#
# A good guess: a converter that reads RNN, GRU and LSTM, and honours the activations of an LSTM,
#   also honours those of an RNN, or refuses them.
# What happens: activations of RNN and GRU, direction "reverse" and clip are left out.
#   The numbers are those of the same node without the attribute, and the converter ends with "Converted Success!".
#   Of "reverse" and clip it says nothing; for the RNN with ReLU a line says "Load activations error for Y".
#   A GRU that resets before the product, which is ONNX's default, has other numbers, too, by another cause.
#   LSTM forward and bidirectional, its activations, and PyTorch's GRU (linear_before_reset=1) are right,
#   so a test of those raises no suspicion. MNN does warn of sequence_lens at an LSTM.
# Version: MNN 3.6.1, onnxruntime 1.32.0, onnx 1.23.2 (CPU, float32).
# Output seen (largest difference of Y from onnxruntime's):
#   MNN 3.6.1, onnxruntime 1.32.0
#   RNN                        difference 0.000
#   RNN Relu                   difference 6.375  as with tanh: True
#   RNN reverse                difference 1.991  as forward: True
#   RNN clip                   difference 0.894  as without: True
#   GRU, reset after           difference 0.000
#   GRU, reset after, Relu     difference 6.408  as with tanh: True
#   GRU, reset after, reverse  difference 1.807  as forward: True
#   GRU, reset before          difference 0.634
#   LSTM                       difference 0.000
#   LSTM bidirectional         difference 0.000
#   LSTM Relu                  difference 0.000
#   LSTM reverse               difference 0.504  as forward: True
#   LSTM clip                  difference 0.519  as without: True
# Who is hurt: users of ReLU networks and of separate backward layers on telephones and small devices.
#   The output looks plausible: tanh keeps it between -1 and 1.
# What to do: export LSTM, GRU with linear_before_reset=1 or tanh RNN, write "reverse" as half of a bidirectional LSTM,
#   and compare one batch with onnxruntime.
# Note: the command mnnconvert also tries to report its use to its makers, and installs a package for that by itself.
#   The converter's function is called directly here, which does neither.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check \
    MNN==3.6.1 onnx==1.23.2 onnxruntime==1.32.0 numpy==2.4.6
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import subprocess
import sys
from importlib.metadata import version

import MNN.expr
import MNN.nn
import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

STEPS, ROWS, WIDTH, HIDDEN = 4, 2, 3, 5
GATES = {"RNN": 1, "GRU": 3, "LSTM": 4}
CONVERT = "import _tools; _tools.mnnconvert('x -f ONNX --modelFile m.onnx --MNNModel m.mnn --bizCode b'.split())"
rng = np.random.default_rng(0)


def draw(*shape):
    return rng.standard_normal(shape).astype(np.float32)


x = draw(STEPS, ROWS, WIDTH)
WEIGHTS = {
    op: {"W": draw(2, n * HIDDEN, WIDTH), "R": draw(2, n * HIDDEN, HIDDEN), "B": draw(2, 2 * n * HIDDEN)}
    for op, n in GATES.items()
}


def outputs(op, **attributes):
    """Y of MNN and of onnxruntime for one recurrent node."""
    directions = 2 if attributes.get("direction") == "bidirectional" else 1
    shapes = {"Y": [STEPS, directions, ROWS, HIDDEN], "Y_h": [directions, ROWS, HIDDEN]}
    if op == "LSTM":
        shapes["Y_c"] = shapes["Y_h"]
    graph = helper.make_graph(
        [helper.make_node(op, ["X", "W", "R", "B"], list(shapes), hidden_size=HIDDEN, **attributes)],
        "recurrent",
        [helper.make_tensor_value_info("X", TensorProto.FLOAT, x.shape)],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in shapes.items()],
        [numpy_helper.from_array(value[:directions], name) for name, value in WEIGHTS[op].items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 14)], ir_version=8)
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, "m.onnx")
    done = subprocess.run([sys.executable, "-c", CONVERT], capture_output=True, text=True, check=True)
    said = (done.stdout + done.stderr).lower()
    if "converted success" not in said or any(word in said for word in ("clip", "reverse", "direction", "not support")):
        sys.exit(f"changed: the converter says {said}")
    net = MNN.nn.load_module_from_file("m.mnn", ["X"], ["Y"])
    given = MNN.expr.const(x, list(x.shape), MNN.expr.NCHW, MNN.expr.float)
    ours = net.forward([given])[0].read()
    session = onnxruntime.InferenceSession("m.onnx", providers=["CPUExecutionProvider"])
    return np.array(ours), session.run(["Y"], {"X": x})[0]


after = {"linear_before_reset": 1}
cases = [
    ("RNN", {}, {}, None),
    ("RNN Relu", {"activations": ["Relu"]}, {}, "as with tanh"),
    ("RNN reverse", {"direction": "reverse"}, {}, "as forward"),
    ("RNN clip", {"clip": 0.5}, {}, "as without"),
    ("GRU, reset after", after, {}, None),
    ("GRU, reset after, Relu", after | {"activations": ["Sigmoid", "Relu"]}, after, "as with tanh"),
    ("GRU, reset after, reverse", after | {"direction": "reverse"}, after, "as forward"),
    ("GRU, reset before", {}, {}, ""),
    ("LSTM", {}, {}, None),
    ("LSTM bidirectional", {"direction": "bidirectional"}, {}, None),
    ("LSTM Relu", {"activations": ["Sigmoid", "Relu", "Tanh"]}, {}, None),
    ("LSTM reverse", {"direction": "reverse"}, {}, "as forward"),
    ("LSTM clip", {"clip": 0.5}, {}, "as without"),
]
print(f"MNN {version('MNN')}, onnxruntime {onnxruntime.__version__}")
for label, attributes, rest, remark in cases:
    op = label.split()[0].strip(",")
    ours, expected = outputs(op, **attributes)
    difference = float(np.abs(ours - expected).max())
    line = f"{label:26} difference {difference:.3f}"
    if remark:
        same = bool(np.abs(ours - outputs(op, **rest)[1]).max() < 1e-5)
        line += f"  {remark}: {same}"
    print(line)
    if (difference > 0.01) != (remark is not None) or (remark and not same):
        sys.exit(f"changed: {label}")
PYTHON
