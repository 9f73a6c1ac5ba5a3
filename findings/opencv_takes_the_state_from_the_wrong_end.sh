#!/usr/bin/env bash
# Finding: OpenCV gives a "reverse" LSTM the right Y and the wrong final state, and runs a "reverse" GRU forward.
#
# A good guess: where Y of an ONNX node is right in every step, Y_h and Y_c are right, too.
#   And a runtime that names the activations that it does not support also names the lengths that it does not read.
# What happens: for an LSTM with direction "reverse", Y_h is the last step of Y.
#   A backward layer ends at the first step, so this is the state after one word and not after the whole sentence.
#   Y_c is wrong in the same way.  A GRU with "reverse" gives the numbers of "forward".
#   sequence_lens and clip are left out, and peepholes in ONNX's order i, o, f are read as i, f, o.
#   All this happens without a message.
#   Forward and bidirectional LSTM and GRU, with initial states, are right, and so a test of those raises no suspicion.
# Version: opencv-python-headless 5.0.0.93, onnxruntime 1.32.0, onnx 1.23.2 (CPU, float32).
# Output seen (largest difference from a float64 computation; onnxruntime differs from it by less than 1e-5):
#   OpenCV 5.0.0, onnxruntime 1.32.0
#   LSTM forward        Y 0.000  Y_h 0.000  Y_c 0.000
#   LSTM bidirectional  Y 0.000  Y_h 0.000  Y_c 0.000
#   LSTM reverse        Y 0.000  Y_h 0.813  Y_c 2.579  Y_h is the last step of Y: True
#   LSTM lengths        Y 0.983  Y_h 0.495  Y_c 2.437  as without: True
#   LSTM clip           Y 0.636  Y_h 0.636  Y_c 2.124  as without: True
#   LSTM peepholes      Y 0.218  Y_h 0.111  Y_c 0.226  as with those of f and o exchanged: True
#   GRU  forward        Y 0.000  Y_h 0.000
#   GRU  bidirectional  Y 0.000  Y_h 0.000
#   GRU  reverse        Y 1.639  Y_h 1.522  as forward: True
#   GRU  lengths        Y 0.996  Y_h 1.199  as without: True
#   GRU  clip           Y 1.130  Y_h 0.900  as without: True
# Who is hurt: classifiers and encoders that take the final state of a backward layer, and everyone with padded rows.
#   The first such layer reads one word of each sentence.  Taggers, which use Y, work, as long as they are LSTMs.
# What to do: write the backward layer as one half of a bidirectional node, or take step 0 of Y for its final state.
#   Read rows of different lengths one by one.  Compare one batch with onnxruntime.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check \
    opencv-python-headless==5.0.0.93 onnx==1.23.2 onnxruntime==1.32.0 numpy==2.4.6
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import sys

import cv2
import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

STEPS, ROWS, WIDTH, HIDDEN = 5, 3, 4, 6
GATES = {"LSTM": 4, "GRU": 3}
rng = np.random.default_rng(1)


def draw(*shape):
    return rng.standard_normal(shape).astype(np.float32)


x = draw(STEPS, ROWS, WIDTH)
LENGTHS = np.array([5, 3, 1], np.int32)
WEIGHTS = {
    op: {"W": draw(2, n * HIDDEN, WIDTH), "R": draw(2, n * HIDDEN, HIDDEN), "B": draw(2, 2 * n * HIDDEN)}
    for op, n in GATES.items()
}
PEEPHOLES = draw(1, 3 * HIDDEN)
STATES = {"h": draw(2, ROWS, HIDDEN), "c": draw(2, ROWS, HIDDEN)}


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


def step(op, inner, outer, R, outer_bias, h, c, clip, peepholes):
    """One step of ONNX's equations: inner has the input's part, outer the state's; peepholes are i, o, f."""
    def cut(a):
        return np.clip(a, -clip, clip)

    if op == "LSTM":
        i, o, f, g = np.split(inner + outer, 4)
        p_i, p_o, p_f = np.split(peepholes, 3)
        c = sigmoid(cut(f + p_f * c)) * c + sigmoid(cut(i + p_i * c)) * np.tanh(cut(g))
        return sigmoid(cut(o + p_o * c)) * np.tanh(c), c
    z, r = (sigmoid(cut(a)) for a in np.split((inner + outer)[: 2 * HIDDEN], 2))
    g = inner[2 * HIDDEN :] + R[2 * HIDDEN :] @ (r * h) + outer_bias[2 * HIDDEN :]
    return (1 - z) * np.tanh(cut(g)) + z * h, c


def by_hand(op, directions, lengths, clip, peepholes=np.zeros(3 * HIDDEN)):
    """Y, Y_h and Y_c in float64; directions holds True for each backward one."""
    D = len(directions)
    Y = np.zeros((STEPS, D, ROWS, HIDDEN))
    Y_h, Y_c = np.zeros((2, D, ROWS, HIDDEN))
    for d, backward in enumerate(directions):
        W, R, B = (WEIGHTS[op][name][d].astype(np.float64) for name in "WRB")
        inner_bias, outer_bias = np.split(B, 2)
        for n, length in enumerate(lengths):
            h, c = (state[d, n].astype(np.float64) for state in STATES.values())
            for t in sorted(range(length), reverse=backward):
                inner = W @ x[t, n].astype(np.float64) + inner_bias
                h, c = step(op, inner, R @ h + outer_bias, R, outer_bias, h, c, clip, peepholes)
                Y[t, d, n] = h
            Y_h[d, n], Y_c[d, n] = h, c
    return {"Y": Y, "Y_h": Y_h, "Y_c": Y_c} if op == "LSTM" else {"Y": Y, "Y_h": Y_h}


def model(op, expected, lengths, peepholes, attributes):
    D = expected["Y"].shape[1]
    states = {name: STATES[name] for name in ("hc" if op == "LSTM" else "h")}
    constants = {name: value[:D] for name, value in (WEIGHTS[op] | states).items()}
    names = ["X", *WEIGHTS[op], "" if lengths is None else "lengths", *states]
    if lengths is not None:
        constants["lengths"] = lengths
    if peepholes:
        constants["P"] = PEEPHOLES
        names.append("P")
    graph = helper.make_graph(
        [helper.make_node(op, names, list(expected), hidden_size=HIDDEN, **attributes)],
        "recurrent",
        [helper.make_tensor_value_info("X", TensorProto.FLOAT, x.shape)],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, value.shape) for name, value in expected.items()],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 14)], ir_version=8)
    onnx.checker.check_model(made, full_check=True)
    return made.SerializeToString()


def by_opencv(data, names):
    net = cv2.dnn.readNetFromONNX(np.frombuffer(data, np.uint8))
    net.setInput(x, "X")
    return dict(zip(names, net.forward(names)))


REMARKS = {"reverse": "forward", "peepholes": "with those of f and o exchanged"}


def largest(found, expected):
    return {name: float(np.abs(found[name] - expected[name]).max()) for name in expected}


def report(op, label, directions=(False,), lengths=None, clip=np.inf, peepholes=False, **attributes):
    if clip < np.inf:
        attributes["clip"] = clip
    every = np.full(ROWS, STEPS)
    given = [PEEPHOLES[0].astype(np.float64)] if peepholes else []
    expected = by_hand(op, directions, every if lengths is None else lengths, clip, *given)
    names = list(expected)
    data = model(op, expected, lengths, peepholes, attributes)
    session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
    if max(largest(dict(zip(names, session.run(names, {"X": x}))), expected).values()) > 1e-5:
        sys.exit(f"changed: onnxruntime, {op} {label}")
    ours = by_opencv(data, names)
    differences = largest(ours, expected)
    line = f"{op:4} {label:14} " + "  ".join(f"{name} {value:.3f}" for name, value in differences.items())
    wrong = {name for name, value in differences.items() if value > 1e-3}
    if label in ("forward", "bidirectional"):
        good = not wrong
    elif (op, label) == ("LSTM", "reverse"):
        last = bool(np.array_equal(ours["Y_h"], ours["Y"][-1]))
        line += f"  Y_h is the last step of Y: {last}"
        good = last and wrong == {"Y_h", "Y_c"}
    else:
        if peepholes:
            p_i, p_o, p_f = np.split(given[0], 3)
            given = [np.concatenate([p_i, p_f, p_o])]
        other = by_hand(op, [False], every, np.inf, *given)
        same = max(largest(ours, other).values()) < 1e-5
        line += f"  as {REMARKS.get(label, 'without')}: {same}"
        good = same and wrong == set(names)
    print(line)
    if not good:
        sys.exit(f"changed: {op} {label}")


print(f"OpenCV {cv2.__version__}, onnxruntime {onnxruntime.__version__}")
for op in GATES:
    report(op, "forward")
    report(op, "bidirectional", [False, True], direction="bidirectional")
    report(op, "reverse", [True], direction="reverse")
    report(op, "lengths", lengths=LENGTHS)
    report(op, "clip", clip=0.5)
    if op == "LSTM":
        report(op, "peepholes", peepholes=True)
PYTHON
