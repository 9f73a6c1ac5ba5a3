#!/usr/bin/env bash
# Finding: onnx's ReferenceEvaluator reads a recurrent node and leaves out what the node asks for.
#
# A good guess: the evaluator that comes with the standard computes what the standard says,
#   or raises NotImplementedError. So it can serve as the expected value in a test.
# What happens: for RNN, GRU and LSTM it ignores sequence_lens and clip.
#   For GRU and LSTM it also ignores activations, and for LSTM input_forget.
#   There is no error and no warning: the numbers are those of the plain node.
#   onnxruntime honours all of them. The model passes onnx.checker with full_check.
# Version: onnx 1.23.2 and onnxruntime 1.32.0 (CPU). A forward node agrees in both; so do reverse and bidirectional.
# Output seen (largest difference between the two, and whether the evaluator's result is that of the plain node):
#   onnx 1.23.2 onnxruntime 1.32.0
#   RNN  sequence_lens  difference 1.64  as if absent: True
#   GRU  sequence_lens  difference 0.75  as if absent: True
#   LSTM sequence_lens  difference 0.52  as if absent: True
#   RNN  clip           difference 0.56  as if absent: True
#   GRU  clip           difference 0.53  as if absent: True
#   LSTM clip           difference 0.16  as if absent: True
#   GRU  activations    difference 0.94  as if absent: True
#   LSTM activations    difference 1.74  as if absent: True
#   LSTM input_forget   difference 0.30  as if absent: True
# Who is hurt: authors of exporters who take the reference as the truth. A padded batch "agrees" with code
#   that forgets the lengths, and disagrees with the runtime that users have.
# What to do: test exported models in onnxruntime, and against your own computation of each row at its own length.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check onnx==1.23.2 onnxruntime==1.32.0 numpy==2.4.6
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import sys

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper
from onnx.reference import ReferenceEvaluator

STEPS, ROWS, WIDTH, HIDDEN = 4, 3, 2, 3
GATES = {"RNN": 1, "GRU": 3, "LSTM": 4}
rng = np.random.default_rng(0)


def inputs(op):
    def draw(*shape):
        return rng.standard_normal(shape).astype(np.float32)

    height = GATES[op] * HIDDEN
    return {
        "X": draw(STEPS, ROWS, WIDTH),
        "W": draw(1, height, WIDTH),
        "R": draw(1, height, HIDDEN),
        "B": draw(1, 2 * height),
    }


def model(op, feed, attributes):
    names = ["X", "W", "R", "B"] + (["lengths"] if "lengths" in feed else [])
    node = helper.make_node(op, names, ["Y", "Y_h"], hidden_size=HIDDEN, **attributes)
    described = [
        helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(value.dtype), value.shape)
        for name, value in feed.items()
    ]
    results = [
        helper.make_tensor_value_info("Y", TensorProto.FLOAT, [STEPS, 1, ROWS, HIDDEN]),
        helper.make_tensor_value_info("Y_h", TensorProto.FLOAT, [1, ROWS, HIDDEN]),
    ]
    graph = helper.make_graph([node], "recurrent", described, results)
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 14)], ir_version=8)
    onnx.checker.check_model(made, full_check=True)
    return made


def by_reference(op, feed, attributes):
    return ReferenceEvaluator(model(op, feed, attributes)).run(None, feed)[1]


def by_runtime(op, feed, attributes):
    session = onnxruntime.InferenceSession(
        model(op, feed, attributes).SerializeToString(), providers=["CPUExecutionProvider"]
    )
    return session.run(None, feed)[1]


CASES = [(op, "sequence_lens", {}) for op in GATES]
CASES += [(op, "clip", {"clip": 0.5}) for op in GATES]
CASES += [
    ("GRU", "activations", {"activations": ["Sigmoid", "Relu"]}),
    ("LSTM", "activations", {"activations": ["Sigmoid", "Relu", "Relu"]}),
    ("LSTM", "input_forget", {"input_forget": 1}),
]

print("onnx", onnx.__version__, "onnxruntime", onnxruntime.__version__)
changed = []
for op, label, attributes in CASES:
    plain = inputs(op)
    feed = dict(plain)
    if label == "sequence_lens":
        feed["lengths"] = np.array([4, 2, 1], np.int32)
    expected, reference = by_runtime(op, feed, attributes), by_reference(op, feed, attributes)
    difference = float(np.abs(expected - reference).max())
    absent = bool(np.array_equal(reference, by_reference(op, plain, {})))
    print(f"{op:4} {label:14} difference {difference:.2f}  as if absent: {absent}")
    if np.abs(by_runtime(op, plain, {}) - by_reference(op, plain, {})).max() > 1e-5:
        sys.exit("changed: even the plain node differs")
    if difference < 0.01 or not absent:
        changed.append(f"{op} {label}")
if changed:
    sys.exit("changed: " + ", ".join(changed))
PYTHON
