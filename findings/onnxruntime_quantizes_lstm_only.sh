#!/usr/bin/env bash
# Finding: quantize_dynamic makes an LSTM's weights int8, and leaves those of a GRU or an RNN in float32.
#
# A good guess: the three recurrent nodes are treated alike, or the tool says which nodes it left out.
# What happens: for LSTM it writes its own node, DynamicQuantizeLSTM, with int8 weights.
#   GRU and RNN keep float32 weights, without a message. The embedding becomes uint8 in all three cases.
# Version: onnxruntime 1.32.0.
# Output seen (types of the input weights, the recurrent weights and the embedding, and the size of the file):
#   onnxruntime 1.32.0
#   LSTM W int8    R int8    embedding uint8  0.27 of the size
#   GRU  W float32 R float32 embedding uint8  0.92 of the size
#   RNN  W float32 R float32 embedding uint8  0.80 of the size
# Who is hurt: those who choose a GRU for its size and then quantise. The file hardly shrinks,
#   while the embedding has lost its precision all the same.
# What to do: list the types of the initializers after quantisation; quantise the weights of GRU and RNN yourself.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check onnx==1.23.2 onnxruntime==1.32.0 numpy==2.4.6 sympy==1.14.0
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import logging
import os
import sys

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import quantize_dynamic

logging.disable(logging.WARNING)
WORDS, WIDTH = 50, 64
rng = np.random.default_rng(0)


def draw(*shape):
    return rng.standard_normal(shape).astype(np.float32)


def quantised_types(op, gates):
    weights = {
        "embedding": draw(WORDS, WIDTH),
        "W": draw(1, gates * WIDTH, WIDTH),
        "R": draw(1, gates * WIDTH, WIDTH),
        "B": draw(1, 2 * gates * WIDTH),
    }
    nodes = [
        helper.make_node("Gather", ["embedding", "ids"], ["x"]),
        helper.make_node(op, ["x", "W", "R", "B"], ["y"], hidden_size=WIDTH),
    ]
    graph = helper.make_graph(
        nodes,
        "model",
        [helper.make_tensor_value_info("ids", TensorProto.INT64, ["steps", "rows"])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["steps", 1, "rows", WIDTH])],
        [numpy_helper.from_array(value, name) for name, value in weights.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, "float32.onnx")
    quantize_dynamic("float32.onnx", "quantised.onnx")
    types = {
        tensor.name.removesuffix("_quantized"): numpy_helper.to_array(tensor).dtype.name
        for tensor in onnx.load("quantised.onnx").graph.initializer
    }
    return types, os.path.getsize("quantised.onnx") / os.path.getsize("float32.onnx")


print("onnxruntime", onnxruntime.__version__)
for op, gates, expected in (("LSTM", 4, "int8"), ("GRU", 3, "float32"), ("RNN", 1, "float32")):
    types, ratio = quantised_types(op, gates)
    print(f"{op:4} W {types['W']:7} R {types['R']:7} embedding {types['embedding']}  {ratio:.2f} of the size")
    if types["W"] != expected or types["R"] != expected:
        sys.exit(f"changed: weights of {op}")
    if types["embedding"] != "uint8":
        sys.exit("changed: type of the embedding")
PYTHON
