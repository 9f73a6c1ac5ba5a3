"""More wrong answers, as in wrong_answers.py, by exercise: (words, old, new).

An edit of the right answer's code; the message must contain the words.
"""

PART = "around the whole sum"
SUM = "x @ Wx + h_prev @ Wh + b"
SLOPES = {"the square belongs to h alone": "(1 - H) ** 2", "the sign of the square is wrong": "1 + H ** 2",
          "tanh is applied twice, and the square is missing": "1 - np.tanh(H)", "derivative of ReLU": "(H > 0)",
          "the 1 is missing": "H ** 2"}


def slopes(code):
    """Wrong derivatives of tanh in an answer that has the right one as this code."""
    h = code.removeprefix("1 - ").removesuffix(" ** 2")
    return [(words, code, slope.replace("H", h)) for words, slope in SLOPES.items()]


MEAN = "np.mean(-np.log(p_target))"
ONEHOT = "np.eye(V)[targets]"
INSIDE = "dh = dh + dhs[:, t]\n        da = dh * (1 - hs[:, t] ** 2)"
ROOT = "np.sqrt((dh ** 2).sum())"
PERPLEXITY = "np.exp((losses * counts).sum() / counts.sum())"
GATES = "f, g, i, o = sigmoid(f), np.tanh(g), sigmoid(i), sigmoid(o)"
LAST = "dhs[i, lengths[i] - 1] = du[i]"

MORE = {
    "step": [
        ("sigmoid in place of tanh", "np.tanh(a)", "1 / (1 + np.exp(-a))"),
        ("ReLU in place of tanh", "np.tanh(a)", "np.maximum(a, 0)"),
        ("tanh is applied twice", "np.tanh(a)", "np.tanh(np.tanh(a))"),
        ("b is subtracted", " + b", " - b"),
        ("the old state itself is added", "np.tanh(a)", "h_prev + np.tanh(a)"),
        (PART, "np.tanh(a)", "np.tanh(x @ Wx + b) + h_prev @ Wh"),
        (PART, "np.tanh(a)", "np.tanh(x @ Wx) + np.tanh(h_prev @ Wh + b)"),
        (PART, "np.tanh(a)", "np.tanh(x @ Wx) + np.tanh(h_prev @ Wh) + b"),
    ],
    "unroll": [
        ("sigmoid in place of tanh", "np.tanh(xs[:, t] @ Wx + h @ Wh + b)",
         "1 / (1 + np.exp(-(xs[:, t] @ Wx + h @ Wh + b)))"),
        ("ReLU in place of tanh", "np.tanh(", "np.maximum(0, "),
        ("the old state itself is added", "h = np.tanh(", "h = h + np.tanh("),
        ("every step reads the first input", "xs[:, t]", "xs[:, 0]"),
        ("read from its end", "range(T)", "reversed(range(T))"),
    ],
    "loss": [
        ("this is the perplexity", MEAN, f"np.exp({MEAN})"),
        ("this is 2 ** loss", MEAN, f"2 ** {MEAN}"),
        ("base 10", "np.log(", "np.log10("),
        ("squared errors", MEAN, f"np.mean((p - {ONEHOT}) ** 2)"),
        ("squared errors", MEAN, f"np.sum((p - {ONEHOT}) ** 2) / (N * T)"),
        ("loss of two classes", MEAN, f"-np.sum({ONEHOT} * np.log(p) + (1 - {ONEHOT}) * np.log(1 - p)) / (N * T)"),
        ("loss of two classes", MEAN, f"-np.mean({ONEHOT} * np.log(p) + (1 - {ONEHOT}) * np.log(1 - p))"),
        ("of the likeliest word", MEAN, "np.mean(-np.log(p.max(axis=2)))"),
        ("the entropy", MEAN, "-np.sum(p * np.log(p)) / (N * T)"),
        ("softmax is missing", "scores = scores - scores.max(axis=2, keepdims=True)",
         "return -np.sum(scores * np.eye(V)[targets]) / (N * T)"),
    ],
    "loss_backward": [
        ("softmax is missing", "scores = scores - scores.max(axis=2, keepdims=True)",
         "return (scores - np.eye(V)[targets]) / (N * T)"),
        ("-1/p", "(p - onehot)", "(-onehot / p)"),
        ("p is missing", "(p - onehot)", "(-onehot)"),
    ],
    "step_backward": [
        *slopes("1 - h_next ** 2"),
        ("db: summed over the wrong axis", "sum(axis=0)", "sum(axis=1)"),
        ("db: summed over the wrong axis", "sum(axis=0)", "sum()"),
        ("dh_prev: Wh is missing on the way back", "da @ Wh.T", "da"),
        ("dh_prev: dh_next itself is added", "da @ Wh.T", "da @ Wh.T + dh_next"),
        ("dWx: the derivative of tanh is missing", "x.T @ da", "x.T @ dh_next"),
    ],
    "bptt": [
        *slopes("1 - hs[:, t] ** 2"),
        ("dxs, dh0, dWx, dWh, db: the derivative of tanh is taken at h_{t-1}", "1 - hs[:, t] ** 2", "1 - h_prev ** 2"),
        ("Wh is missing on the way back", "dh = da @ Wh.T", "dh = da"),
        ("has not gone through tanh", "dh = da @ Wh.T", "dh = dh @ Wh.T"),
        ("applied twice for each step", "dh = da @ Wh.T", "dh = da @ Wh.T * (1 - h_prev ** 2)"),
        ("a part of the gradient only", INSIDE, "da = dhs[:, t] * (1 - hs[:, t] ** 2) + dh"),
        ("a part of the gradient only", INSIDE, "da = dhs[:, t] + dh * (1 - hs[:, t] ** 2)"),
        ("dh0: dh0 is the gradient of h_1", "dh = da @ Wh.T", "dh = da @ Wh.T if t else dh"),
        ("dxs: dxs is in reversed order", "return dxs", "return dxs[:, ::-1]"),
        ("dWx: x_{t-1} is used where x_t belongs", "xs[:, t].T", "xs[:, t - 1].T"),
        ("the last step is left out", "range(T)", "range(T - 1)"),
        ("the last state's gradient counts twice", "dh = np.zeros_like(h0)", "dh = dhs[:, -1]"),
    ],
    "learn": [
        *slopes("1 - hs[:, t] ** 2"),
        ("the derivative of tanh is taken at h_{t-1}", "1 - hs[:, t] ** 2", "1 - h_prev ** 2"),
        ("Wh is missing on the way back", "dh = da @ Wh.T", "dh = da"),
        ("divided by the rate", "return Wx", "lr = 1 / lr\n    return Wx"),
    ],
    "gradient_norms": [
        *slopes("1 - hs[:, t] ** 2"),
        ("the largest number of each gradient", ROOT, "np.abs(dh).max()"),
        ("a sum without squares", ROOT, "np.abs(dh).sum()"),
        ("a mean without squares", ROOT, "np.abs(dh).mean()"),
        ("the root of the mean of the squares", ROOT, "np.sqrt((dh ** 2).mean())"),
        ("by which the matrix stretches", ROOT, "np.linalg.norm(dh, 2)"),
        ("Wh is missing on the way back", " @ Wh.T", ""),
        ("taken at the state before", "hs[:, t] ** 2", "hs[:, t - 1] ** 2"),
    ],
    "windows": [("the first state of a window is carried", "hs[:, -1]", "hs[:, 0]")],
    "perplexity": [
        ("nats are not divided", PERPLEXITY, "np.exp((losses * counts).sum())"),
        ("nats are not divided", PERPLEXITY, "np.exp(losses.sum())"),
        ("divided by the number of windows", PERPLEXITY, "np.exp((losses * counts).sum() / len(losses))"),
        ("10 ** where exp belongs", "np.exp(", "10 ** ("),
        ("one perplexity for each window", PERPLEXITY, "np.exp(losses)"),
        ("exp is missing, and a short window", PERPLEXITY, "losses.mean()"),
    ],
    "lstm_step": [
        ("f, i and o go through tanh", GATES, "f, g, i, o = np.tanh([f, g, i, o])"),
        ("1 - f in place of f", "f * c_prev", "(1 - f) * c_prev"),
        ("1 - f in place of i", "g * i", "g * (1 - f)"),
        ("h_prev is used where c_prev belongs", "f * c_prev", "f * h_prev"),
        ("h_next: sigmoid around c", "o * np.tanh(c)", "o * sigmoid(c)"),
        ("h_next: o is inside tanh", "o * np.tanh(c)", "np.tanh(o * c)"),
        ("h_next: o is missing", "o * np.tanh(c)", "np.tanh(c)"),
        ("h_next: the old cell is shown", "np.tanh(c)", "np.tanh(c_prev)"),
        ("c_next: tanh(c_next) is kept as the cell", "np.tanh(c), c", "np.tanh(c), np.tanh(c)"),
    ],
    "next_word": [
        ("logarithms of the probabilities", "e / e.sum()", "np.log(e / e.sum())"),
        ("all of it on the likeliest word", "e / e.sum()", "np.eye(len(e))[e.argmax()]"),
        ("the likeliest word itself", "e / e.sum()", "int(e.argmax())"),
        ("upside down", "scores - scores.max()", "scores.min() - scores"),
    ],
    "last_state_backward": [
        ("the first step", LAST, "dhs[i, 0] = du[i]"),
        ("one step too early", LAST, "dhs[i, lengths[i] - 2] = du[i]"),
        ("all steps of the window, padding included", LAST, "dhs[i] = du[i] / T"),
    ],
    "embedding_backward": [("N = 3 times too small", "return dW", "return dW / N")],
}
