#!/usr/bin/env bash
# Finding: in onnxruntime a Scan over an empty sequence is an error, and a Loop of no iteration is not.
#
# A good guess: a Scan over zero steps gives back the initial state and an empty list, as Loop does and as
#   a scan does in other libraries.  Its axis has a symbolic size, and 0 is a size like any other.
# What happens: the call fails with "Invalid dim0_offset of 0. Dimension 0 is 0", an assertion that names
#   neither the input nor the rule.  Loop returns the state; of its list the other sizes are lost, too: (0, 0).
# Version: onnxruntime 1.32.0 (CPU); 1.15.0 refuses it as well.
# Output seen:
#   onnxruntime 1.32.0
#   Scan, 2 steps: state [2.5, 2.25], list (2, 2)
#   Loop, 2 steps: state [2.5, 2.25], list (2, 2)
#   Scan, 0 steps: refused, Invalid dim0_offset of 0. Dimension 0 is 0
#   Loop, 0 steps: state [0.5, 0.25], list (0, 0)
# Who is hurt: authors of recurrent cells that ONNX has no operator for.  A stream that brings no word in a call
#   ends in an error that points to nothing.
# What to do: put one spare step into an empty sequence inside the graph, throw its result away, and choose the old
#   state with Where.  Or use Loop, and do not take sizes from its empty list.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check onnx==1.23.2 onnxruntime==1.32.0 numpy==2.4.6
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import re
import sys

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper

FLOAT = TensorProto.FLOAT


def vector(name):
    return helper.make_tensor_value_info(name, FLOAT, ["n"])


def scan():
    """ys_t = h_t = h_(t-1) + xs_t."""
    body = helper.make_graph(
        [helper.make_node("Add", ["h", "x"], ["next"]), helper.make_node("Identity", ["next"], ["y"])],
        "body", [vector("h"), vector("x")], [vector("next"), vector("y")],
    )
    return [helper.make_node("Scan", ["h0", "xs"], ["last", "ys"], body=body, num_scan_inputs=1)]


def loop():
    """The same."""
    count = helper.make_tensor_value_info("i", TensorProto.INT64, [])
    go, goes = (helper.make_tensor_value_info(name, TensorProto.BOOL, []) for name in ("go", "goes"))
    body = helper.make_graph(
        [
            helper.make_node("Gather", ["xs", "i"], ["x"]),
            helper.make_node("Add", ["h", "x"], ["next"]),
            helper.make_node("Identity", ["next"], ["y"]),
            helper.make_node("Identity", ["go"], ["goes"]),
        ],
        "body", [count, go, vector("h")], [goes, vector("next"), vector("y")],
    )
    return [
        helper.make_node("Shape", ["xs"], ["shape"]),
        helper.make_node("Gather", ["shape", "zero"], ["steps"]),
        helper.make_node("Loop", ["steps", "", "h0"], ["last", "ys"], body=body),
    ]


def result(nodes, steps):
    rows = ["t", "n"]
    graph = helper.make_graph(
        nodes, "sum",
        [vector("h0"), helper.make_tensor_value_info("xs", FLOAT, rows)],
        [vector("last"), helper.make_tensor_value_info("ys", FLOAT, rows)],
        [helper.make_tensor("zero", TensorProto.INT64, [], [0])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 14)], ir_version=8)
    onnx.checker.check_model(model, full_check=True)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    feed = {"h0": np.array([0.5, 0.25], np.float32), "xs": np.ones((steps, 2), np.float32)}
    try:
        last, ys = session.run(None, feed)
    except Exception as error:
        found = re.search(r"Invalid dim0_offset of 0\. Dimension 0 is 0", str(error))
        return f"refused, {found.group() if found else str(error)}"
    return f"state {last.tolist()}, list {ys.shape}"


onnxruntime.set_default_logger_severity(4)
print("onnxruntime", onnxruntime.__version__)
seen = {}
for steps in (2, 0):
    for name, nodes in (("Scan", scan()), ("Loop", loop())):
        seen[name, steps] = result(nodes, steps)
        print(f"{name}, {steps} steps: {seen[name, steps]}")
if seen["Scan", 2] != seen["Loop", 2] or not seen["Scan", 2].startswith("state [2.5, 2.25]"):
    sys.exit("changed: two steps")
if not seen["Scan", 0].startswith("refused"):
    sys.exit("changed: a Scan of no step is accepted")
if seen["Loop", 0] != "state [0.5, 0.25], list (0, 0)":
    sys.exit("changed: a Loop of no iteration")
PYTHON
