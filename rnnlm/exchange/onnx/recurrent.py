"""The recurrent cells as ONNX operators, with their weights in ONNX's order.

ONNX keeps the weights of each gate in rows, W (1, kH, D) and R (1, kH, H), and two
biases for each, B (1, 2kH): first those that go with W.  Its gates have another order
than ours, and it knows no multiplicative RNN: that one is a Scan of ordinary operators.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from rnnlm.exchange.onnx.graph import Graph

if TYPE_CHECKING:
    from rnnlm.models.architecture import Architecture

    Arrays = dict[str, np.ndarray]

ACTIVATIONS = {"tanh": "Tanh", "relu": "Relu"}  # as ONNX names them


@dataclass(frozen=True)
class Operator:
    """How ONNX has a cell.

    Parameters
    ----------
    name : of the operator.
    order : its gates, by their numbers in our order.
    signs : what each of them, in ONNX's order, is multiplied by.
    linear_before_reset : for a GRU, whether it resets after the product (1).
    """

    name: str
    order: tuple[int, ...]
    signs: tuple[int, ...] = field(default=(1, 1, 1, 1))
    linear_before_reset: int | None = None


OPERATORS = {
    "rnn": Operator("RNN", (0,)),
    "lstm": Operator("LSTM", (2, 3, 0, 1)),  # f g i o -> i o f c
    "gru": Operator("GRU", (0, 1, 2), linear_before_reset=1),  # z r h
    # ONNX's z keeps the state, as gru's does.  The textbook's replaces it, and
    # 1 - sigmoid(a) = sigmoid(-a).
    "gru-textbook": Operator("GRU", (0, 1, 2), (-1, 1, 1), linear_before_reset=0),
}


def recurrent_layer(graph: Graph, architecture: Architecture, name: str, arrays: Arrays, xs: str,
                    state: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
    """Add a layer.

    Parameters
    ----------
    graph : to which it is added.
    architecture : of the model.
    name : of the layer, such as ``lstm1``.
    arrays : its arrays by name: Wx, Wh, b.
    xs : its inputs, (L, N, D).
    state : h, or h and c, (1, N, H) each; "" for zeros.

    Returns
    -------
    hs : the states, (L, N, H).
    state : those after the last step, (1, N, H) each.
    """
    if architecture.cell == "mrnn":
        return _scan(graph, architecture, name, arrays, xs, state)
    operator = OPERATORS[architecture.cell]
    weights = [graph.constant(f"{name}/{part}", values) for part, values in in_order(operator, arrays).items()]
    attributes = {"hidden_size": architecture.hidden_size}
    if operator.name == "RNN":
        attributes["activations"] = [ACTIVATIONS[architecture.activation]]
    if operator.linear_before_reset is not None:
        attributes["linear_before_reset"] = operator.linear_before_reset
    hs, *state = graph.add(operator.name, xs, *weights, "", *state, results=1 + len(state), **attributes)
    return graph.add("Squeeze", hs, graph.numbers(1)), tuple(state)  # (L, 1, N, H): one direction


def in_order(operator: Operator, arrays: Arrays) -> Arrays:
    """W, R and B of an operator."""
    biases = np.zeros_like(arrays["b"])
    if "bh" in arrays:  # of the candidate alone
        biases[-len(arrays["bh"]) :] = arrays["bh"]
    B = np.concatenate([_blocks(operator, arrays["b"]), _blocks(operator, biases)])
    return {"W": _blocks(operator, arrays["Wx"])[np.newaxis], "R": _blocks(operator, arrays["Wh"])[np.newaxis],
            "B": B[np.newaxis]}


def _blocks(operator, array):  # (..., kH) -> (kH, ...)
    """The gates' blocks in ONNX's order, as rows."""
    blocks = np.split(array, len(operator.order), axis=-1)
    return np.concatenate([sign * blocks[i] for i, sign in zip(operator.order, operator.signs, strict=False)], -1).T


def _scan(graph, architecture, name, arrays, xs, state):
    """The multiplicative RNN: h_t = tanh(a_t + m_t (h_{t-1} Wh))."""
    products = graph.add("MatMul", xs, graph.constant(f"{name}/Wx", arrays["Wx"]))
    both = graph.add("Add", products, graph.constant(f"{name}/b", arrays["b"]))
    H = architecture.hidden_size
    a, m = graph.add("Split", both, graph.numbers(H, H), results=2, axis=2)
    m = graph.add("Add", m, graph.constant("one", np.ones(1, np.float32)))
    Wh = graph.constant(f"{name}/Wh", arrays["Wh"])
    h = graph.add("Squeeze", state[0], graph.numbers(0)) if state[0] else _zeros(graph, xs, H)
    body = _step(graph.onnx, f"{name}/", Wh, architecture)
    h, hs = graph.add("Scan", h, a, m, results=2, body=body, num_scan_inputs=2)
    return hs, (graph.add("Unsqueeze", h, graph.numbers(0)),)


def _step(library, prefix, Wh, architecture):
    """The graph of one step: h, a and m come in, h goes out and into the list."""
    step, shape = Graph(library, prefix), ["N", architecture.hidden_size]
    h, a, m = (step.takes(prefix + part, np.float32, shape) for part in ("h", "a", "m"))
    total = step.add("Add", a, step.add("Mul", m, step.add("MatMul", h, Wh)))
    names = f"{prefix}next", f"{prefix}out"
    step.add(ACTIVATIONS[architecture.activation], total, results=names[:1])
    step.add("Identity", names[0], results=names[1:])
    for result in names:
        step.gives(result, np.float32, shape)
    return step.made(f"{prefix}step")


def _zeros(graph, xs, H):
    """The state of a text that begins, (N, H)."""
    shape = graph.add("Concat", graph.size(xs, 1), graph.numbers(H), axis=0)
    return graph.add("Expand", graph.constant("zero", np.zeros(1, np.float32)), shape)
