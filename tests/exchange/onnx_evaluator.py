"""The operators of our ONNX graphs in NumPy, in float64, as the standard defines them.

It is the referee of the quick tests.  The evaluator of the package onnx is none: it
leaves out inputs and attributes of recurrent operators (findings/).
"""

import numpy as np


def evaluate(model, feeds):
    """The results of a ModelProto by name, from its inputs by name."""
    values = dict(feeds)
    _run(model.graph, values)
    return {result.name: values[result.name] for result in model.graph.output}


def _run(graph, values):
    """Add the results of a graph to the values."""
    from onnx import numpy_helper

    for constant in graph.initializer:
        values[constant.name] = _wide(numpy_helper.to_array(constant))
    for node in graph.node:
        options = {attribute.name: _attribute(attribute) for attribute in node.attribute}
        inputs = [values[name] if name else None for name in node.input]
        if node.op_type == "Scan":
            results = _scan(values, *inputs, **options)
        else:
            results = OPERATORS[node.op_type](*inputs, **options)
        results = results if isinstance(results, list) else [results]
        values.update(zip(node.output, results, strict=False))


def _wide(array):
    return array.astype(np.float64) if array.dtype == np.float32 else array


def _attribute(attribute):
    from onnx import helper, numpy_helper

    value = helper.get_attribute_value(attribute)
    if attribute.type == attribute.TENSOR:
        return numpy_helper.to_array(value)
    return [item.decode() for item in value] if attribute.type == attribute.STRINGS else value


def _scan(outer, *inputs, body, num_scan_inputs):
    """One state, several lists of inputs, one list of results."""
    state, *lists = inputs
    assert len(lists) == num_scan_inputs
    rows = []
    for row in zip(*lists, strict=True):
        values = dict(outer)
        values.update(zip([one.name for one in body.input], [state, *row], strict=True))
        _run(body, values)
        state, result = (values[one.name] for one in body.output)
        rows.append(result)
    return [state, np.array(rows)]


def _gather(data, indices, axis=0):
    size = data.shape[axis]
    if np.any((indices < -size) | (indices >= size)):
        raise IndexError(f"an index is outside of [{-size}, {size - 1}]")
    return np.take(data, indices, axis=axis)


def _gather_elements(data, indices, axis):
    return np.take_along_axis(data, indices, axis=axis)


def _split(value, sizes, axis=0):
    assert sum(sizes) == value.shape[axis]
    return np.split(value, np.cumsum(sizes)[:-1], axis=axis)


def _slice(value, starts, ends, axes):
    picked = [slice(None)] * value.ndim
    for start, end, axis in zip(starts, ends, axes, strict=True):
        picked[axis] = slice(start, end)
    return value[tuple(picked)]


def _gemm(a, b, c, transB=0):
    return a @ (b.T if transB else b) + c


def _log_softmax(x, axis):
    x = x - x.max(axis=axis, keepdims=True)
    return x - np.log(np.exp(x).sum(axis=axis, keepdims=True))


def _sigmoid(x):
    return 1 / (1 + np.exp(-x))


FUNCTIONS = {"Tanh": np.tanh, "Relu": lambda x: np.maximum(x, 0), "Sigmoid": _sigmoid}


def _recurrent(step, X, W, R, B, h0, c0=None, hidden_size=0, gates=1):
    """One direction: X (T, N, D), W (1, kH, D), R (1, kH, H), B (1, 2kH)."""
    if not len(X) or not X.shape[1]:
        raise ValueError("no step or no row: runtimes end the process")
    assert W.shape == (1, gates * hidden_size, X.shape[2])
    h = np.zeros((X.shape[1], hidden_size)) if h0 is None else h0[0]
    state, Y = [h, np.zeros_like(h) if c0 is None else c0[0]], []
    Wb, Rb = np.split(B[0], 2)
    for x in X:
        state = step(x @ W[0].T + Wb, state, R[0], Rb)
        Y.append(state[0])
    return [np.array(Y)[:, np.newaxis], state[0][np.newaxis], state[1][np.newaxis]]


def _rnn(X, W, R, B, sequence_lens, h0=None, *, hidden_size, activations):
    assert sequence_lens is None

    def step(a, state, R, Rb):
        return [FUNCTIONS[activations[0]](a + state[0] @ R.T + Rb), state[1]]

    return _recurrent(step, X, W, R, B, h0, hidden_size=hidden_size)


def _lstm(X, W, R, B, sequence_lens, h0=None, c0=None, *, hidden_size):
    assert sequence_lens is None

    def step(a, state, R, Rb):
        h, c = state
        i, o, f, g = np.split(a + h @ R.T + Rb, 4, axis=1)
        c = _sigmoid(f) * c + _sigmoid(i) * np.tanh(g)
        return [_sigmoid(o) * np.tanh(c), c]

    return _recurrent(step, X, W, R, B, h0, c0, hidden_size, 4)


def _gru(X, W, R, B, sequence_lens, h0=None, *, hidden_size, linear_before_reset):
    assert sequence_lens is None

    def step(a, state, R, Rb):
        h = state[0]
        (a_z, a_r, a_h), (R_z, R_r, R_h), (b_z, b_r, b_h) = np.split(a, 3, 1), np.split(R, 3), np.split(Rb, 3)
        z, r = _sigmoid(a_z + h @ R_z.T + b_z), _sigmoid(a_r + h @ R_r.T + b_r)
        inner = r * (h @ R_h.T + b_h) if linear_before_reset else (r * h) @ R_h.T + b_h
        return [(1 - z) * np.tanh(a_h + inner) + z * h, state[1]]

    return _recurrent(step, X, W, R, B, h0, hidden_size=hidden_size, gates=3)


def _reshape(value, shape, allowzero):
    assert allowzero
    return value.reshape(shape)


def _pad(value, pads, fill):
    before, after = np.split(pads, 2)
    return np.pad(value, list(zip(before, after, strict=True)), constant_values=fill)


def _concat(*values, axis):
    return np.concatenate(values, axis=axis)


OPERATORS = {
    "Add": np.add, "Mul": np.multiply, "MatMul": np.matmul, "Neg": np.negative, "Identity": lambda x: x,
    "Tanh": np.tanh, "Relu": FUNCTIONS["Relu"], "Less": np.less, "Greater": np.greater, "Equal": np.equal,
    "Where": np.where, "Range": np.arange, "Shape": lambda x: np.array(x.shape, np.int64), "Expand":
    lambda x, shape: np.broadcast_to(x, np.broadcast_shapes(x.shape, tuple(shape))),
    "Cast": lambda x, to: x.astype(np.int64), "ConstantOfShape": lambda shape, value: np.full(shape, value[0]),
    "Transpose": lambda x, perm: x.transpose(perm), "Reshape": _reshape, "Concat": _concat, "Gather": _gather,
    "GatherElements": _gather_elements, "Split": _split, "Slice": _slice, "Gemm": _gemm, "LogSoftmax": _log_softmax,
    "Squeeze": lambda x, axes: np.squeeze(x, tuple(axes)), "Unsqueeze": lambda x, axes: np.expand_dims(x, tuple(axes)),
    "Flatten": lambda x, axis: x.reshape(int(np.prod(x.shape[:axis])), -1 if x.size else x.shape[-1]),
    "ReduceSum": lambda x, axes, keepdims: x.sum(tuple(axes), keepdims=bool(keepdims)),
    "Pad": _pad, "RNN": _rnn, "LSTM": _lstm, "GRU": _gru,
}
