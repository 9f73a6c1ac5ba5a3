"""The exercise of the gated cells: a step of an LSTM."""

from itertools import permutations

import numpy as np

from rnnlm.compute.functions import sigmoid
from rnnlm.course.exercise import Case, Exercise, Mistake, mistake, weights
from rnnlm.layers import LSTM


def lstm_cases(rng):
    """Two single steps of an LSTM."""
    for N, D, H in ((3, 2, 4), (2, 5, 3)):
        x, h_prev, c_prev = rng.normal(size=(N, D)), rng.uniform(-1, 1, (N, H)), rng.normal(size=(N, H))
        yield Case({"x": x, "h_prev": h_prev, "c_prev": c_prev} | weights(rng, D, H, gates=4), {"N": N, "D": D, "H": H})


def lstm(x, h_prev, c_prev, Wx, Wh, b):
    """The package's step."""
    return LSTM(Wx, Wh, b).forward(x, h_prev, c_prev)


def gates(x, h_prev, Wx, Wh, b):
    """What goes into the four gates: f, g, i, o before sigmoid and tanh."""
    return np.split(x @ Wx + h_prev @ Wh + b, 4, axis=1)


def ordered(order):
    """The step that takes its gates in another order."""
    def answer(x, h_prev, c_prev, Wx, Wh, b):
        columns = [order.index(gate) for gate in "fgio"]
        Wx, Wh, b = (np.concatenate([np.split(W, 4, axis=-1)[k] for k in columns], axis=-1) for W in (Wx, Wh, b))
        return lstm(x, h_prev, c_prev, Wx, Wh, b)

    hint = ("; or f and i are exchanged in c_next = f * c_prev + g * i" if order == ("i", "g", "f", "o") else "")
    return Mistake(f"the gates are taken in the order {', '.join(order)}: here the columns are f, g, i, o{hint}.",
                   answer)


@mistake("tanh around c is missing: h_next = o * tanh(c_next).")
def no_tanh_of_c(x, h_prev, c_prev, Wx, Wh, b):
    _, c_next = lstm(x, h_prev, c_prev, Wx, Wh, b)
    return sigmoid(gates(x, h_prev, Wx, Wh, b)[3]) * c_next, c_next


@mistake("g goes through sigmoid: g is what is written into the cell, not a gate; g = tanh(a_g).")
def sigmoid_g(x, h_prev, c_prev, Wx, Wh, b):
    f, g, i, o = (sigmoid(a) for a in gates(x, h_prev, Wx, Wh, b))
    c_next = f * c_prev + g * i
    return o * np.tanh(c_next), c_next


@mistake("the old cell is not added: c_next = f * c_prev + g * i.")
def c_not_added(x, h_prev, c_prev, Wx, Wh, b):
    return lstm(x, h_prev, 0 * c_prev, Wx, Wh, b)


@mistake("f is missing: c_next = f * c_prev + g * i.")
def nothing_forgotten(x, h_prev, c_prev, Wx, Wh, b):
    _, g, i, o = gates(x, h_prev, Wx, Wh, b)
    c_next = c_prev + np.tanh(g) * sigmoid(i)
    return sigmoid(o) * np.tanh(c_next), c_next


@mistake("i is missing: c_next = f * c_prev + g * i.")
def all_let_in(x, h_prev, c_prev, Wx, Wh, b):
    f, g, _, o = gates(x, h_prev, Wx, Wh, b)
    c_next = sigmoid(f) * c_prev + np.tanh(g)
    return sigmoid(o) * np.tanh(c_next), c_next


@mistake("tanh around g is missing: g = tanh(a_g).")
def no_tanh_of_g(x, h_prev, c_prev, Wx, Wh, b):
    f, g, i, o = gates(x, h_prev, Wx, Wh, b)
    c_next = sigmoid(f) * c_prev + g * sigmoid(i)
    return sigmoid(o) * np.tanh(c_next), c_next


@mistake("the gates do not go through sigmoid: f, i and o must lie between 0 and 1.")
def no_sigmoid(x, h_prev, c_prev, Wx, Wh, b):
    f, g, i, o = gates(x, h_prev, Wx, Wh, b)
    c_next = f * c_prev + np.tanh(g) * i
    return o * np.tanh(c_next), c_next


def with_cell(says, cell=None, out=None):
    """The step with another c_next or h_next.

    cell(f, g, i, c_prev, h_prev) gives c_next, out(o, c_next, c_prev) gives h_next.
    """
    def answer(x, h_prev, c_prev, Wx, Wh, b):
        f, g, i, o = gates(x, h_prev, Wx, Wh, b)
        f, g, i, o = sigmoid(f), np.tanh(g), sigmoid(i), sigmoid(o)
        c_next = cell(f, g, i, c_prev, h_prev) if cell else f * c_prev + g * i
        return out(o, c_next, c_prev) if out else o * np.tanh(c_next), c_next

    return Mistake(says, answer)


CELLS = (("1 - f in place of f: the share f of the old cell is kept, c_next = f * c_prev + g * i.",
          lambda f, g, i, c_prev, h_prev: (1 - f) * c_prev + g * i),
         ("1 - f in place of i: what is written has a gate of its own, c_next = f * c_prev + g * i.",
          lambda f, g, i, c_prev, h_prev: f * c_prev + g * (1 - f)),
         ("h_prev is used where c_prev belongs: the cell continues by itself, c_next = f * c_prev + g * i.",
          lambda f, g, i, c_prev, h_prev: f * h_prev + g * i))
OUTS = (("sigmoid around c in place of tanh: h_next = o * tanh(c_next).", lambda o, c, c_prev: o * sigmoid(c)),
        ("o is inside tanh: it multiplies what comes out, h_next = o * tanh(c_next).",
         lambda o, c, c_prev: np.tanh(o * c)),
        ("o is missing: h_next = o * tanh(c_next).", lambda o, c, c_prev: np.tanh(c)),
        ("the old cell is shown: the new one is, h_next = o * tanh(c_next).", lambda o, c, c_prev: o * np.tanh(c_prev)))


@mistake("f, i and o go through tanh: a gate lies between 0 and 1, sigmoid(a); tanh is for g alone.")
def tanh_gates(x, h_prev, c_prev, Wx, Wh, b):
    f, g, i, o = np.tanh(gates(x, h_prev, Wx, Wh, b))
    c_next = f * c_prev + g * i
    return o * np.tanh(c_next), c_next


@mistake("tanh(c_next) is kept as the cell: the cell itself continues, tanh is only for h_next.")
def tanh_cell(x, h_prev, c_prev, Wx, Wh, b):
    h_next, c_next = lstm(x, h_prev, c_prev, Wx, Wh, b)
    return h_next, np.tanh(c_next)


@mistake("b is missing: a = x Wx + h_prev Wh + b.")
def lstm_no_b(x, h_prev, c_prev, Wx, Wh, b):
    return lstm(x, h_prev, c_prev, Wx, Wh, 0 * b)


@mistake("h_prev Wh is missing: a = x Wx + h_prev Wh + b.")
def lstm_no_memory(x, h_prev, c_prev, Wx, Wh, b):
    return lstm(x, h_prev, c_prev, Wx, 0 * Wh, b)


@mistake("the results are exchanged: return h_next, c_next, in this order.")
def exchanged(x, h_prev, c_prev, Wx, Wh, b):
    return lstm(x, h_prev, c_prev, Wx, Wh, b)[::-1]


LSTM_STEP = Exercise("forward(x, h_prev, c_prev, Wx, Wh, b)", ("h_next", "c_next"),
                     "one step of an LSTM, its gates side by side in the order f, g, i, o", 9,
                     lstm_cases, lstm,
                     (*(with_cell(says, cell=cell) for says, cell in CELLS),
                      *(with_cell(says, out=out) for says, out in OUTS), tanh_gates, tanh_cell, no_tanh_of_c, sigmoid_g,
                      c_not_added, nothing_forgotten, all_let_in, no_tanh_of_g, no_sigmoid, lstm_no_b, lstm_no_memory,
                      exchanged, *(ordered(order) for order in permutations("fgio") if order != tuple("fgio"))))
