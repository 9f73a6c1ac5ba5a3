#!/usr/bin/env bash
# Finding: tract runs a recurrent ONNX node with direction "reverse" forward, and ignores clip and activations.
#
# A good guess: a runtime that reads RNN, GRU and LSTM, and that computes "bidirectional" rightly,
#   also computes "reverse", or refuses it, as it refuses sequence_lens.
# What happens: "reverse" gives exactly the numbers of "forward".
#   clip and activations are left out in the same way, without a message.
# Version: tract 0.23.9, onnxruntime 1.32.0, onnx 1.23.2.
# Output seen (largest difference of Y from onnxruntime's):
#   tract 0.23.9, onnxruntime 1.32.0
#   GRU forward        difference 0.000
#   GRU bidirectional  difference 0.000
#   GRU reverse        difference 0.595  as forward: True
#   GRU clip           difference 0.470  as without: True
#   GRU activations    difference 0.920  as without: True
# Who is hurt: taggers and classifiers with a separate backward layer, moved to a small device.
#   They read each sentence from its wrong end; accuracy falls without an error.
# What to do: write the backward layer as one half of a bidirectional node, or reverse its input and output yourself;
#   compare one batch with onnxruntime.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check \
    tract==0.23.9 onnx==1.23.2 onnxruntime==1.32.0 numpy==2.4.6
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import sys
from importlib.metadata import version

import numpy as np
import onnx
import onnxruntime
import tract
from onnx import TensorProto, helper, numpy_helper

STEPS, ROWS, WIDTH, HIDDEN = 4, 2, 2, 3
rng = np.random.default_rng(0)


def draw(*shape):
    return rng.standard_normal(shape).astype(np.float32)


x = draw(STEPS, ROWS, WIDTH)
WEIGHTS = {"W": draw(2, 3 * HIDDEN, WIDTH), "R": draw(2, 3 * HIDDEN, HIDDEN), "B": draw(2, 6 * HIDDEN)}


def outputs(**attributes):
    """Y of tract and of onnxruntime for one GRU."""
    directions = 2 if attributes.get("direction") == "bidirectional" else 1
    graph = helper.make_graph(
        [helper.make_node("GRU", ["X", "W", "R", "B"], ["Y"], hidden_size=HIDDEN, **attributes)],
        "recurrent",
        [helper.make_tensor_value_info("X", TensorProto.FLOAT, x.shape)],
        [helper.make_tensor_value_info("Y", TensorProto.FLOAT, [STEPS, directions, ROWS, HIDDEN])],
        [numpy_helper.from_array(value[:directions], name) for name, value in WEIGHTS.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 14)], ir_version=8)
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, "model.onnx")
    runnable = tract.onnx().load("model.onnx").into_model().into_runnable()
    session = onnxruntime.InferenceSession("model.onnx", providers=["CPUExecutionProvider"])
    return runnable.run([x])[0].to_numpy(), session.run(None, {"X": x})[0]


print(f"tract {version('tract')}, onnxruntime {onnxruntime.__version__}")
forward = outputs()[0]
for label, attributes, remark in (
    ("forward", {}, ""),
    ("bidirectional", {"direction": "bidirectional"}, ""),
    ("reverse", {"direction": "reverse"}, "as forward"),
    ("clip", {"clip": 0.5}, "as without"),
    ("activations", {"activations": ["Sigmoid", "Relu"]}, "as without"),
):
    ours, expected = outputs(**attributes)
    difference = float(np.abs(ours - expected).max())
    same = bool(np.array_equal(ours, forward))
    print(f"GRU {label:14} difference {difference:.3f}" + (f"  {remark}: {same}" if remark else ""))
    if (difference > 0.01) != bool(remark) or (remark and not same):
        sys.exit(f"changed: {label}")
PYTHON
