#!/usr/bin/env bash
# Finding: OpenVINO reads an ONNX LSTM with peepholes, and computes it without them.
#
# A good guess: a runtime that reads a model which onnx.checker accepts computes all of it, or refuses it.
# What happens: the input P (the peepholes) and the attribute input_forget are left out.
#   The model loads and runs without a message, and gives the numbers of a plain LSTM. onnxruntime honours both.
#   OpenVINO does honour clip, activations and sequence_lens, so a test of those raises no suspicion.
# Version: openvino 2026.4.1, onnxruntime 1.32.0, onnx 1.23.2 (CPU, float32).
# Output seen (largest difference of Y between the two):
#   openvino 2026.4.1, onnxruntime 1.32.0
#   plain LSTM           difference 0.000
#   with peepholes       difference 0.138  as if absent: True
#   with input_forget    difference 0.214  as if absent: True
#   with clip            difference 0.000
# Who is hurt: users of older speech and handwriting models, and of LSTM variants with coupled gates.
#   The output looks plausible and is that of another model.
# What to do: compare one batch with onnxruntime after every change of runtime, at the tolerance of float32.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check \
    openvino==2026.4.1 onnx==1.23.2 onnxruntime==1.32.0 numpy==2.4.6
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import sys
from importlib.metadata import version

import numpy as np
import onnx
import onnxruntime
import openvino
from onnx import TensorProto, helper, numpy_helper

STEPS, ROWS, WIDTH, HIDDEN = 4, 3, 2, 3
rng = np.random.default_rng(0)


def draw(*shape):
    return rng.standard_normal(shape).astype(np.float32)


x = draw(STEPS, ROWS, WIDTH)
WEIGHTS = {"W": draw(1, 4 * HIDDEN, WIDTH), "R": draw(1, 4 * HIDDEN, HIDDEN), "B": draw(1, 8 * HIDDEN)}
PEEPHOLES = draw(1, 3 * HIDDEN)


def outputs(peepholes=False, **attributes):
    """Y of OpenVINO and of onnxruntime for one LSTM."""
    weights = dict(WEIGHTS, P=PEEPHOLES) if peepholes else WEIGHTS
    names = ["X", "W", "R", "B"] + (["", "", "", "P"] if peepholes else [])
    graph = helper.make_graph(
        [helper.make_node("LSTM", names, ["Y"], hidden_size=HIDDEN, **attributes)],
        "recurrent",
        [helper.make_tensor_value_info("X", TensorProto.FLOAT, x.shape)],
        [helper.make_tensor_value_info("Y", TensorProto.FLOAT, [STEPS, 1, ROWS, HIDDEN])],
        [numpy_helper.from_array(value, name) for name, value in weights.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 14)], ir_version=8)
    onnx.checker.check_model(model, full_check=True)
    content = model.SerializeToString()
    core = openvino.Core()
    compiled = core.compile_model(core.read_model(content), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    return compiled({"X": x})[0], session.run(None, {"X": x})[0]


print(f"openvino {version('openvino')}, onnxruntime {onnxruntime.__version__}")
plain = outputs()[0]
for label, options, lost in (
    ("plain LSTM", {}, False),
    ("with peepholes", {"peepholes": True}, True),
    ("with input_forget", {"input_forget": 1}, True),
    ("with clip", {"clip": 0.5}, False),
):
    ours, expected = outputs(**options)
    difference = float(np.abs(ours - expected).max())
    absent = bool(np.array_equal(ours, plain))
    print(f"{label:20} difference {difference:.3f}" + (f"  as if absent: {absent}" if lost else ""))
    if (difference > 0.01) != lost or (lost and not absent):
        sys.exit(f"changed: {label}")
PYTHON
