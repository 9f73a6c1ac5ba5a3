"""PyTorch's recurrent layers by the equations of its documentation, in float64.

    nn.RNN   h = act(W_ih x + b_ih + W_hh h + b_hh)
    nn.LSTM  i, f, g, o = W_ih x + b_ih + W_hh h + b_hh;  c = s(f) c + s(i) tanh(g);
             h = s(o) tanh(c)
    nn.GRU   r, z = s(W_ih x + b_ih + W_hh h + b_hh);
             n = tanh(W_in x + b_in + r (W_hn h + b_hn));  h = (1 - z) n + z h

Nothing of rnnlm is used here.
"""

import numpy as np


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


def step(cell, activation, arrays, layer, x, state):
    """The next state (h, c) of a layer."""
    h, c = state
    W_ih, W_hh, b_ih, b_hh = (arrays[f"rnn.{name}_l{layer}"].astype(np.float64)
                              for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"))
    a, u = W_ih @ x + b_ih, W_hh @ h + b_hh
    if cell == "rnn":
        return np.tanh(a + u) if activation == "tanh" else np.maximum(a + u, 0), c
    if cell == "lstm":
        i, f, g, o = np.split(a + u, 4)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        return sigmoid(o) * np.tanh(c), c
    (a_r, a_z, a_n), (u_r, u_z, u_n) = np.split(a, 3), np.split(u, 3)
    r, z = sigmoid(a_r + u_r), sigmoid(a_z + u_z)
    n = np.tanh(a_n + r * u_n)
    return (1 - z) * n + z * h, c


def logits(cell, activation, layers, arrays, ids):
    """Scores (T, V) of every word after each of the ids (T,)."""
    H = arrays["rnn.weight_hh_l0"].shape[1]
    states, rows = [(np.zeros(H), np.zeros(H))] * layers, []
    for i in ids:
        x = arrays["encoder.weight"][i].astype(np.float64)
        for layer in range(layers):
            states[layer] = step(cell, activation, arrays, layer, x, states[layer])
            x = states[layer][0]
        if "projection.weight" in arrays:
            x = arrays["projection.weight"].astype(np.float64) @ x + arrays["projection.bias"]
        W = arrays.get("decoder.weight", arrays["encoder.weight"]).astype(np.float64)
        rows.append(W @ x + arrays["decoder.bias"])
    return np.array(rows)


def random_arrays(blocks, V, D, H, layers=1, rng=None, dtype=np.float32):
    """Arrays of such a model, none of them zeros; blocks: 1, 3 or 4."""
    rng = rng or np.random.default_rng(0)
    shapes = {"encoder.weight": (V, D), "decoder.weight": (V, H), "decoder.bias": (V,)}
    for layer in range(layers):
        shapes |= {f"rnn.weight_ih_l{layer}": (blocks * H, H if layer else D),
                   f"rnn.weight_hh_l{layer}": (blocks * H, H),
                   f"rnn.bias_ih_l{layer}": (blocks * H,), f"rnn.bias_hh_l{layer}": (blocks * H,)}
    return {name: rng.standard_normal(shape).astype(dtype) for name, shape in shapes.items()}
