#!/usr/bin/env bash
# Finding: after quantize_dynamic the log-probability of a word depends on the words after it and on the other sentences.
#
# A good guess: quantisation adds one fixed error to the weights; a sentence keeps its score in any batch,
#   and a word's score in a left-to-right model cannot depend on what follows.
# What happens: the scale of the activations is taken from the whole tensor of the call, all rows and all steps.
#   Other rows and later words move that scale, and with it every score.
# Version: onnxruntime 1.32.0, a model of Gather, GRU, MatMul, Add and LogSoftmax.
# Output seen:
#   onnxruntime 1.32.0
#   float32:   20 words alone or with 3 other rows: differ by 0.000000
#   float32:   first 10 words, 10 more words after them or not: differ by 0.000000
#   quantised: 20 words alone or with 3 other rows: differ by 0.025139
#   quantised: first 10 words, 10 more words after them or not: differ by 0.027673
# Who is hurt: rescoring of n-best lists and surprisal studies. Two runs with another batch size give other numbers,
#   and near ties change places. The size of the effect is like that of the quantisation itself.
# What to do: score with the float32 model, or one sentence a call and one word a step;
#   do not publish per-word numbers of a dynamically quantised model.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check onnx==1.23.2 onnxruntime==1.32.0 numpy==2.4.6 sympy==1.14.0
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import logging
import sys

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import quantize_dynamic

logging.disable(logging.WARNING)
WORDS, WIDTH = 50, 16
rng = np.random.default_rng(0)


def draw(*shape):
    return (0.5 * rng.standard_normal(shape)).astype(np.float32)


weights = {
    "embedding": draw(WORDS, WIDTH),
    "W": draw(1, 3 * WIDTH, WIDTH),
    "R": draw(1, 3 * WIDTH, WIDTH),
    "B": draw(1, 6 * WIDTH),
    "output": draw(WIDTH, WORDS),
    "bias": draw(WORDS),
    "axis": np.array([1]),
}
nodes = [
    helper.make_node("Gather", ["embedding", "ids"], ["x"]),
    helper.make_node("GRU", ["x", "W", "R", "B"], ["y"], hidden_size=WIDTH),
    helper.make_node("Squeeze", ["y", "axis"], ["h"]),
    helper.make_node("MatMul", ["h", "output"], ["product"]),
    helper.make_node("Add", ["product", "bias"], ["scores"]),
    helper.make_node("LogSoftmax", ["scores"], ["logp"], axis=-1),
]
graph = helper.make_graph(
    nodes,
    "model",
    [helper.make_tensor_value_info("ids", TensorProto.INT64, ["steps", "rows"])],
    [helper.make_tensor_value_info("logp", TensorProto.FLOAT, ["steps", "rows", WORDS])],
    [numpy_helper.from_array(value, name) for name, value in weights.items()],
)
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
onnx.checker.check_model(model, full_check=True)
onnx.save(model, "float32.onnx")
quantize_dynamic("float32.onnx", "quantised.onnx")

ids = np.random.default_rng(3).integers(0, WORDS, (20, 4))
print("onnxruntime", onnxruntime.__version__)
found = {}
for name in ("float32", "quantised"):
    session = onnxruntime.InferenceSession(f"{name}.onnx", providers=["CPUExecutionProvider"])
    together = session.run(None, {"ids": ids})[0]
    alone = session.run(None, {"ids": ids[:, :1]})[0]
    shorter = session.run(None, {"ids": ids[:10]})[0]
    found[name] = np.abs(together[:, :1] - alone).max(), np.abs(together[:10] - shorter).max()
    label = f"{name + ':':10}"
    print(f"{label} 20 words alone or with 3 other rows: differ by {found[name][0]:.6f}")
    print(f"{label} first 10 words, 10 more words after them or not: differ by {found[name][1]:.6f}")
if max(found["float32"]) > 1e-4:
    sys.exit("changed: the float32 model depends on its company, too")
if min(found["quantised"]) < 1e-3:
    sys.exit("changed: the quantised scores no longer depend on their company")
PYTHON
