#!/usr/bin/env bash
# Finding: onnxruntime's float32 Sigmoid is rough in its lower tail, not even rising, and 0 from -18 down.
#
# A good guess: within a few units of the last place of float32, and positive down to about -103,
#   where float32 runs out. NumPy and Exp in the same runtime behave so.
# What happens: at -12 it is 0.6 % off, at -15 17 %, at -17 more than 100 %. Sigmoid(-16) is less than Sigmoid(-16.5).
#   From -18 down it is exactly 0, so its logarithm is minus infinity.
# Version: onnxruntime 1.32.0 (CPU, x86-64). The last digits may differ between processors.
# Output seen:
#   onnxruntime 1.32.0
#          x      Sigmoid(x)           exact  Log(Sigmoid(x))  -Softplus(-x)
#      -10.0    4.538894e-05    4.539787e-05       -10.000242     -10.000046
#      -12.0    6.109476e-06    6.144175e-06       -12.005670     -12.000006
#      -15.0    3.576279e-07    3.059022e-07       -14.843774     -15.000000
#      -16.0    5.960464e-08    1.125352e-07       -16.635532     -16.000000
#      -16.5    8.940697e-08    6.825603e-08       -16.230066     -16.500000
#      -17.0    8.940697e-08    4.139938e-08       -16.230066     -17.000000
#      -18.0    0.000000e+00    1.522998e-08             -inf     -18.000000
# Who is hurt: exported models whose word probability is a product of sigmoids: hierarchical softmax,
#   noise-contrastive estimation, a confidence on top. One rare word makes the perplexity infinite.
#   Gates of an LSTM do not suffer: there only the absolute error counts, about 1e-7.
# What to do: write the graph in logarithms: -Softplus(-x) is log Sigmoid(x), and exact here.
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

nodes = [
    helper.make_node("Sigmoid", ["x"], ["probability"]),
    helper.make_node("Log", ["probability"], ["logarithm"]),
    helper.make_node("Neg", ["x"], ["minus"]),
    helper.make_node("Softplus", ["minus"], ["cost"]),
    helper.make_node("Neg", ["cost"], ["safe"]),
]
results = ["probability", "logarithm", "safe"]
graph = helper.make_graph(
    nodes,
    "tail",
    [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n"])],
    [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n"]) for name in results],
)
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 14)], ir_version=8)
onnx.checker.check_model(model, full_check=True)
session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])

x = np.array([-10, -12, -15, -16, -16.5, -17, -18], np.float32)
probability, logarithm, safe = session.run(None, {"x": x})
exact = 1 / (1 + np.exp(-x.astype(np.float64)))
print("onnxruntime", onnxruntime.__version__)
print(f"{'x':>8}{'Sigmoid(x)':>16}{'exact':>16}{'Log(Sigmoid(x))':>17}{'-Softplus(-x)':>15}")
for row in zip(x, probability, exact, logarithm, safe):
    print("{:8.1f}{:16.6e}{:16.6e}{:17.6f}{:15.6f}".format(*row))

relative = np.abs(probability / exact - 1)
if relative[1] < 1e-3:
    sys.exit("changed: Sigmoid(-12) is accurate")
if probability[-1] != 0:
    sys.exit("changed: Sigmoid(-18) is not 0")
if np.abs(safe - np.log(exact)).max() > 1e-4:
    sys.exit("changed: Softplus is rough, too")
PYTHON
