#!/usr/bin/env bash
# Finding: in onnxruntime a row of length 0 forgets its initial state.
#
# A good guess: a row with no steps keeps its state: Y_h equals initial_h, and Y_c equals initial_c.
#   That is what a loop over zero steps gives.
# What happens: Y_h and Y_c of that row are zero. The other rows of the batch are right.
# Version: onnxruntime 1.32.0 (CPU), RNN, GRU and LSTM, in every direction. openvino 2026.4.1 gives zeros, too.
# Output seen:
#   onnxruntime 1.32.0
#   RNN  initial_h of the empty row 0.5 -> Y_h 0.0
#   GRU  initial_h of the empty row 0.5 -> Y_h 0.0
#   LSTM initial_h of the empty row 0.5 -> Y_h 0.0, initial_c 0.25 -> Y_c 0.0
# Who is hurt: streaming in batches, where each row gets the words that came since the last call, and some got none.
#   Their sentence starts again from the zero state, and the next words are scored without a context.
# What to do: leave rows without words out of the call, or put their old state back after it.
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

STEPS, ROWS, WIDTH, HIDDEN = 3, 2, 2, 2
GATES = {"RNN": 1, "GRU": 3, "LSTM": 4}
rng = np.random.default_rng(0)


def draw(*shape):
    return rng.standard_normal(shape).astype(np.float32)


def last_states(op, lengths):
    height = GATES[op] * HIDDEN
    feed = {
        "X": draw(STEPS, ROWS, WIDTH),
        "W": draw(1, height, WIDTH),
        "R": draw(1, height, HIDDEN),
        "lengths": np.array(lengths, np.int32),
        "h0": np.full((1, ROWS, HIDDEN), 0.5, np.float32),
    }
    names, results = ["X", "W", "R", "", "lengths", "h0"], ["Y", "Y_h"]
    if op == "LSTM":
        feed["c0"] = np.full((1, ROWS, HIDDEN), 0.25, np.float32)
        names, results = names + ["c0"], results + ["Y_c"]
    node = helper.make_node(op, names, results, hidden_size=HIDDEN)
    shapes = {"Y": [STEPS, 1, ROWS, HIDDEN], "Y_h": [1, ROWS, HIDDEN], "Y_c": [1, ROWS, HIDDEN]}
    graph = helper.make_graph(
        [node],
        "recurrent",
        [
            helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(value.dtype), value.shape)
            for name, value in feed.items()
        ],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shapes[name]) for name in results],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 14)], ir_version=8)
    onnx.checker.check_model(model, full_check=True)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, feed)[1:]


print("onnxruntime", onnxruntime.__version__)
for op in GATES:
    states = last_states(op, [STEPS, 0])  # the second row has no step
    h = float(states[0][0, 1, 0])
    line = f"{op:4} initial_h of the empty row 0.5 -> Y_h {h}"
    if op == "LSTM":
        line += f", initial_c 0.25 -> Y_c {float(states[1][0, 1, 0])}"
    print(line)
    if any(np.any(state[0, 1] != 0) for state in states):
        sys.exit("changed: the empty row keeps something")
    if not all(np.all(state[0, 0] != 0) for state in states):
        sys.exit("changed: the full row has zeros")
PYTHON
