"""Wrong answers to the exercises, as readers write them, without the checker's code.

WRONG holds (exercise, words that the message must contain, the answer).
"""

import numpy as np
from more_wrong_answers import MORE
from right_answers import RIGHT, lstm_step, step, step_backward, unroll

WRONG = []


def wrong(exercise, *words):
    """List the function below as a wrong answer whose message must hold these words."""
    def listed(answer):
        WRONG.append((exercise, words, answer))
        return answer

    return listed


def changed(exercise, *edits):
    """A right answer after these edits (old, new) of its code."""
    source = CODE[exercise]
    for old, new in edits:
        assert old in source, (exercise, old)
        source = source.replace(old, new)
    names = {}
    exec(source, {"np": np, "unroll": unroll}, names)
    return names["answer"]


def edited(exercise, words, old, new):
    """List a right answer after an edit of its code as a wrong one."""
    wrong(exercise, *words)(changed(exercise, (old, new)))


CODE = {
    "step": """
def answer(x, h_prev, Wx, Wh, b):
    a = x @ Wx + h_prev @ Wh + b
    return np.tanh(a)
""",
    "unroll": """
def answer(xs, h0, Wx, Wh, b):
    N, T, D = xs.shape
    h = h0
    states = []
    for t in range(T):
        h = np.tanh(xs[:, t] @ Wx + h @ Wh + b)
        states.append(h)
    return np.stack(states, axis=1)
""",
    "loss": """
def answer(scores, targets):
    N, T, V = scores.shape
    scores = scores - scores.max(axis=2, keepdims=True)
    p = np.exp(scores) / np.exp(scores).sum(axis=2, keepdims=True)
    p_target = np.array([[p[i, t, targets[i, t]] for t in range(T)] for i in range(N)])
    return np.mean(-np.log(p_target))
""",
    "loss_backward": """
def answer(scores, targets):
    N, T, V = scores.shape
    scores = scores - scores.max(axis=2, keepdims=True)
    p = np.exp(scores) / np.exp(scores).sum(axis=2, keepdims=True)
    onehot = np.eye(V)[targets]
    return (p - onehot) / (N * T)
""",
    "step_backward": """
def answer(dh_next, x, h_prev, h_next, Wx, Wh, b):
    da = dh_next * (1 - h_next ** 2)
    dx = da @ Wx.T
    dh_prev = da @ Wh.T
    dWx = x.T @ da
    dWh = h_prev.T @ da
    db = da.sum(axis=0)
    return dx, dh_prev, dWx, dWh, db
""",
    "bptt": """
def answer(dhs, xs, h0, hs, Wx, Wh, b):
    N, T, D = xs.shape
    dxs = np.zeros_like(xs)
    dWx, dWh, db = np.zeros_like(Wx), np.zeros_like(Wh), np.zeros_like(b)
    dh = np.zeros_like(h0)
    for t in reversed(range(T)):
        h_prev = hs[:, t - 1] if t > 0 else h0
        dh = dh + dhs[:, t]
        da = dh * (1 - hs[:, t] ** 2)
        dxs[:, t] = da @ Wx.T
        dWx += xs[:, t].T @ da
        dWh += h_prev.T @ da
        db += da.sum(axis=0)
        dh = da @ Wh.T
    return dxs, dh, dWx, dWh, db
""",
    "learn": """
def answer(xs, h0, dhs, Wx, Wh, b, lr):
    hs = unroll(xs, h0, Wx, Wh, b)
    T = xs.shape[1]
    dWx, dWh, db = np.zeros_like(Wx), np.zeros_like(Wh), np.zeros_like(b)
    dh = np.zeros_like(h0)
    for t in reversed(range(T)):
        h_prev = hs[:, t - 1] if t > 0 else h0
        da = (dh + dhs[:, t]) * (1 - hs[:, t] ** 2)
        dWx += xs[:, t].T @ da
        dWh += h_prev.T @ da
        db += da.sum(axis=0)
        dh = da @ Wh.T
    return Wx - lr * dWx, Wh - lr * dWh, b - lr * db
""",
    "gradient_norms": """
def answer(dh, hs, Wh):
    T = hs.shape[1]
    norms = np.zeros(T)
    for t in reversed(range(T)):
        norms[t] = np.sqrt((dh ** 2).sum())
        dh = (dh * (1 - hs[:, t] ** 2)) @ Wh.T
    return norms
""",
    "windows": """
def answer(xs, T, Wx, Wh, b):
    N, L, D = xs.shape
    h = np.zeros((N, len(b)))
    out = []
    for start in range(0, L, T):
        hs = unroll(xs[:, start:start + T], h, Wx, Wh, b)
        h = hs[:, -1]
        out.append(hs)
    return np.concatenate(out, axis=1)
""",
    "batches": """
def answer(ids, N, T):
    L = (len(ids) - 1) // N
    rows = np.arange(N)[:, None] * L
    out = []
    for start in range(0, L, T):
        places = rows + np.arange(start, min(start + T, L))
        out.append((ids[places], ids[places + 1]))
    return out
""",
    "perplexity": """
def answer(losses, counts):
    return np.exp((losses * counts).sum() / counts.sum())
""",
    "lstm_step": """
def answer(x, h_prev, c_prev, Wx, Wh, b):
    sigmoid = lambda a: 1 / (1 + np.exp(-a))
    f, g, i, o = np.split(x @ Wx + h_prev @ Wh + b, 4, axis=1)
    f, g, i, o = sigmoid(f), np.tanh(g), sigmoid(i), sigmoid(o)
    c = f * c_prev + g * i
    return o * np.tanh(c), c
""",
    "embedding_backward": """
def answer(ids, dxs, V):
    N, T, D = dxs.shape
    dW = np.zeros((V, D))
    for i in range(N):
        for t in range(T):
            dW[ids[i, t]] += dxs[i, t]
    return dW
""",
    "last_state_backward": """
def answer(du, lengths, T):
    N, H = du.shape
    dhs = np.zeros((N, T, H))
    for i in range(N):
        dhs[i, lengths[i] - 1] = du[i]
    return dhs
""",
    "next_word": """
def answer(scores, temperature):
    scores = scores / temperature
    e = np.exp(scores - scores.max())
    return e / e.sum()
""",
}

# One step
edited("step", ["h_next: b is missing"], " + b", "")
edited("step", ["h_prev Wh is missing", "memory"], " + h_prev @ Wh", "")
edited("step", ["x Wx is missing"], "x @ Wx + ", "")
edited("step", ["tanh is missing"], "np.tanh(a)", "a")
edited("step", ["product of matrices (@)", "ValueError", "line 3"], "x @ Wx", "x * Wx")
edited("step", ["Wh is transposed"], "Wh + b", "Wh.T + b")

edited("step", ["around the whole sum"], "a = x @ Wx + h_prev @ Wh + b", "return np.tanh(x @ Wx) + h_prev @ Wh + b")
edited("step", ["around the whole sum"], "a = x @ Wx + h_prev @ Wh + b", "return np.tanh(x @ Wx + h_prev @ Wh) + b")

# Unrolling
edited("unroll", ["every step shows the last state"], "h = np.tanh(xs[:, t] @ Wx + h @ Wh + b)",
       "h[...] = np.tanh(xs[:, t] @ Wx + h @ Wh + b)")
edited("unroll", ["the batch comes first: xs[:, t]"], "xs[:, t] @", "xs[t] @")
edited("unroll", ["h0 is ignored"], "h = h0", "h = np.zeros_like(h0)")
edited("unroll", ["state is not carried"], "h @ Wh", "h0 @ Wh")
edited("unroll", ["only the last state"], "np.stack(states, axis=1)", "h")
edited("unroll", ["steps come before the batch", "(N, T, H)"], "np.stack(states, axis=1)", "np.array(states)")
edited("unroll", ["h0 is in front"], "states = []", "states = [h0]")
edited("unroll", ["hs: b is missing"], " + b", "")
edited("unroll", ["tanh is missing"], "np.tanh(", "(")
edited("unroll", ["Wh is transposed"], "Wh + b", "Wh.T + b")

# The loss
edited("loss", ["sum over the positions where the mean belongs"], "np.mean", "np.sum")
edited("loss", ["sum over the steps", "N*T"], "np.mean(-np.log(p_target))", "np.sum(-np.log(p_target)) / N")
edited("loss", ["in bits", "np.log2"], "np.log(", "np.log2(")
edited("loss", ["scores around 1000", "overflow", "largest out"],
       "scores = scores - scores.max(axis=2, keepdims=True)", "pass")
edited("loss", ["overflow", "that of each position"], "scores.max(axis=2, keepdims=True)", "scores.max()")
edited("loss", ["mean of the probabilities"], "np.mean(-np.log(p_target))", "-np.log(np.mean(p_target))")
edited("loss", ["one loss for each position"], "np.mean(-np.log(p_target))", "-np.log(p_target)")
edited("loss", ["sign is wrong"], "-np.log", "np.log")
edited("loss", ["divided by V"], "np.mean(-np.log(p_target))", "np.mean(-np.log(p) * np.eye(V)[targets])")


for axis in ("axis=0", "axis=1", "axis=None"):
    edited("loss", ["softmax is over the wrong axis"], "axis=2", axis)
edited("loss", ["the logarithm of a 0", "p * onehot"], "np.mean(-np.log(p_target))",
       "-np.sum(np.log(p * np.eye(V)[targets])) / (N * T)")
edited("loss", ["keepdims=True"], "scores.max(axis=2, keepdims=True)", "scores.max(axis=2)")


@wrong("loss_backward", "not divided by N*T")
def _(scores, targets):
    return RIGHT["loss_backward"](scores, targets) * 1.0 * targets.shape[0] * targets.shape[1]


edited("loss_backward", ["divided by N only"], "(N * T)", "N")
edited("loss_backward", ["divided by T only"], "(N * T)", "T")
edited("loss_backward", ["sign is wrong: the gradient is p - onehot"], "p - onehot", "onehot - p")
edited("loss_backward", ["sign is wrong, and it is not divided"], "(p - onehot) / (N * T)", "onehot - p")
edited("loss_backward", ["onehot is not subtracted: "], "p - onehot", "p")
edited("loss_backward", ["onehot is not subtracted, and it is not divided"], "(p - onehot) / (N * T)", "p")
edited("loss_backward", ["subtracted after the division"], "(p - onehot) / (N * T)", "p / (N * T) - onehot")
edited("loss_backward", ["overflow", "largest out"],
       "scores = scores - scores.max(axis=2, keepdims=True)", "pass")
edited("loss_backward", ["overflow", "that of each position"], "scores.max(axis=2, keepdims=True)", "scores.max()")

edited("loss_backward", ["only the 1 at the target is divided"], "return (p - onehot) / (N * T)",
       "p[np.arange(N)[:, None], np.arange(T), targets] -= 1 / (N * T)\n    return p")
edited("loss_backward", ["at every target of the window"], "return (p - onehot) / (N * T)",
       "p[..., targets] -= 1\n    return p / (N * T)")
edited("loss_backward", ["indices together"], "onehot = np.eye(V)[targets]",
       "p[np.arange(N), np.arange(T), targets] -= 1")

# One step backward
edited("step_backward", ["dWh: h_next is used where h_prev belongs"], "h_prev.T @ da", "h_next.T @ da")
edited("step_backward", ["derivative of tanh is taken at h_prev"], "h_next ** 2", "h_prev ** 2")
edited("step_backward", ["tanh is applied twice", "1 - h**2"], "h_next ** 2", "np.tanh(h_next) ** 2")
edited("step_backward", ["derivative of tanh is missing"], " * (1 - h_next ** 2)", "")
edited("step_backward", ["dx, dh_prev, dWx, dWh, db: the sign is wrong"], "1 - h_next ** 2", "h_next ** 2 - 1")
edited("step_backward", ["dWx: the sign is wrong"], "x.T @ da", "-x.T @ da")
edited("step_backward", ["square is missing"], "h_next ** 2", "h_next")
edited("step_backward", ["derivative of the sigmoid"], "(1 - h_next ** 2)", "h_next * (1 - h_next)")
edited("step_backward", ["dh_prev: Wh is not transposed"], "Wh.T", "Wh")
edited("step_backward", ["dWx: transposed", "shape (4, 2), must be (2, 4)"], "x.T @ da", "da.T @ x")
edited("step_backward", ["dWh: transposed"], "h_prev.T @ da", "da.T @ h_prev")
edited("step_backward", ["is a factor transposed", "inner sizes"], "da @ Wx.T", "da @ Wx")
edited("step_backward", ["db: a missing sum over the batch", "shape (3, 4), must be (4,)"], "da.sum(axis=0)", "da")
edited("step_backward", ["db: averaged over the batch"], "da.sum(axis=0)", "da.mean(axis=0)")
edited("step_backward", ["db: only one row of the batch"], "da.sum(axis=0)", "da[0]")
edited("step_backward", ["db: the numbers are right, the shape is wrong: (1, 4)"],
       "da.sum(axis=0)", "da.sum(axis=0, keepdims=True)")

edited("step_backward", ["another order", "dh_prev is in place of dx, dx is in place of dh_prev",
                         "return dx, dh_prev, dWx, dWh, db"], "return dx, dh_prev", "return dh_prev, dx")
edited("step_backward", ["another order"], "dx, dh_prev, dWx, dWh, db\n", "dWx, dWh, db, dx, dh_prev\n")

# A window backward: the six mistakes of published solutions are in test_six_mistakes.py
edited("bptt", ["derivative of tanh is missing"], " * (1 - hs[:, t] ** 2)", "")
edited("bptt", ["square is missing"], "hs[:, t] ** 2", "hs[:, t]")
edited("bptt", ["derivative of the sigmoid"], "(1 - hs[:, t] ** 2)", "hs[:, t] * (1 - hs[:, t])")
edited("bptt", ["dWh: only one step's gradient is left", "+= in place of ="], "dWh +=", "dWh =")
edited("bptt", ["gradient of the next step is not added"], "dh = dh + dhs[:, t]", "dh = dhs[:, t]")
edited("bptt", ["dWx, dWh, db: averaged over the steps"],
       "dh, dWx, dWh, db\n", "dh, dWx / T, dWh / T, db / T\n")
edited("bptt", ["dWx, dWh: averaged over the batch:"], "dh, dWx, dWh, db\n", "dh, dWx / N, dWh / N, db\n")
edited("bptt", ["averaged over the batch and the steps"],
       "dh, dWx, dWh, db\n", "dh, dWx / (N * T), dWh / (N * T), db / (N * T)\n")
edited("bptt", ["only the last step's gradient from above"], "dhs[:, t]", "(dhs[:, t] if t == T - 1 else 0)")
edited("bptt", ["dWh: off by one"], "h_prev.T", "hs[:, t].T")
edited("bptt", ["dWh: h0 is ignored"], "else h0", "else np.zeros_like(h0)")
edited("bptt", ["time loop runs forwards"], "reversed(range(T))", "range(T)")
edited("bptt", ["Wh is not transposed"], "da @ Wh.T", "da @ Wh")

edited("bptt", ["hs[:, t - 1] is the last state"], "hs[:, t - 1] if t > 0 else h0", "hs[:, t - 1]")
edited("bptt", ["the first step is left out"], "reversed(range(T))", "reversed(range(1, T))")
edited("bptt", ["dh piles up"], "dh = da @ Wh.T", "dh = dh + da @ Wh.T")

# An update
for sign in ("", "-"):
    edited("learn", ["these are the changes"], "return Wx - lr * dWx, Wh - lr * dWh, b - lr * db",
           f"return {sign}lr * dWx, {sign}lr * dWh, {sign}lr * db")
edited("learn", ["uphill"], "Wx - lr * dWx, Wh - lr * dWh, b - lr * db", "Wx + lr * dWx, Wh + lr * dWh, b + lr * db")
edited("learn", ["rate is not applied"],
       "Wx - lr * dWx, Wh - lr * dWh, b - lr * db", "Wx - dWx, Wh - dWh, b - db")
edited("learn", ["averaged over the steps"],
       "Wx - lr * dWx, Wh - lr * dWh, b - lr * db", "Wx - lr * dWx / T, Wh - lr * dWh / T, b - lr * db / T")
edited("learn", ["averaged over the batch:"], "return Wx", "lr = lr / len(h0)\n    return Wx")
edited("learn", ["nothing has changed"], "Wx - lr * dWx, Wh - lr * dWh, b - lr * db", "Wx, Wh, b")
edited("learn", ["these are the gradients"], "Wx - lr * dWx, Wh - lr * dWh, b - lr * db", "dWx, dWh, db")
edited("learn", ["tanh is applied twice"], "hs[:, t] ** 2", "np.tanh(hs[:, t]) ** 2")
edited("learn", ["gradient of the next step is not added"], "(dh + dhs[:, t])", "dhs[:, t]")
edited("learn", ["Wh: off by one"], "h_prev.T", "hs[:, t].T")
edited("learn", ["time loop runs forwards"], "reversed(range(T))", "range(T)")


@wrong("learn", "multiplied instead of summed over time")
def _(xs, h0, dhs, Wx, Wh, b, lr):
    hs, dh = unroll(xs, h0, Wx, Wh, b), 0
    products = [1, 1, 1]
    for t in reversed(range(xs.shape[1])):
        _, dh, *grads = step_backward(dhs[:, t] + dh, xs[:, t], hs[:, t - 1] if t else h0, hs[:, t], Wx, Wh, b)
        products = [product * grad for product, grad in zip(products, grads, strict=True)]
    return tuple(W - lr * product for W, product in zip((Wx, Wh, b), products, strict=True))


@wrong("learn", "update inside the time loop")
def _(xs, h0, dhs, Wx, Wh, b, lr):
    """The weights change within the backward loop, before the gradient is passed on."""
    hs, dh = unroll(xs, h0, Wx, Wh, b), 0
    for t in reversed(range(xs.shape[1])):
        da = (dhs[:, t] + dh) * (1 - hs[:, t] ** 2)
        Wx = Wx - lr * xs[:, t].T @ da
        Wh = Wh - lr * (hs[:, t - 1] if t else h0).T @ da
        b = b - lr * da.sum(axis=0)
        dh = da @ Wh.T
    return Wx, Wh, b


@wrong("learn", "update inside the time loop")
def _(xs, h0, dhs, Wx, Wh, b, lr):
    """The weights change within the backward loop, after the gradient has gone on."""
    hs, dh = unroll(xs, h0, Wx, Wh, b), 0
    for t in reversed(range(xs.shape[1])):
        _, dh, dWx, dWh, db = step_backward(dhs[:, t] + dh, xs[:, t], hs[:, t - 1] if t else h0, hs[:, t], Wx, Wh, b)
        Wx, Wh, b = Wx - lr * dWx, Wh - lr * dWh, b - lr * db
    return Wx, Wh, b


@wrong("learn", "update inside the time loop")
def _(xs, h0, dhs, Wx, Wh, b, lr):
    """The sums so far are subtracted again in every step."""
    hs, dh, totals, weights = unroll(xs, h0, Wx, Wh, b), 0, [0, 0, 0], [Wx, Wh, b]
    for t in reversed(range(xs.shape[1])):
        _, dh, *grads = step_backward(dhs[:, t] + dh, xs[:, t], hs[:, t - 1] if t else h0, hs[:, t], *weights)
        totals = [total + grad for total, grad in zip(totals, grads, strict=True)]
        weights = [W - lr * total for W, total in zip(weights, totals, strict=True)]
    return tuple(weights)


@wrong("learn", "update inside the time loop")
def _(xs, h0, dhs, Wx, Wh, b, lr):
    """A step forward, a step backward, an update, and on."""
    h = h0
    for t in range(xs.shape[1]):
        h_next = step(xs[:, t], h, Wx, Wh, b)
        da = dhs[:, t] * (1 - h_next**2)
        Wx, Wh, b = Wx - lr * xs[:, t].T @ da, Wh - lr * h.T @ da, b - lr * da.sum(axis=0)
        h = h_next
    return Wx, Wh, b


@wrong("learn", "update inside the time loop", "Also", "changed its arguments Wx, Wh, b")
def _(xs, h0, dhs, Wx, Wh, b, lr):
    """The weights themselves are written into within the loop."""
    hs, dh = unroll(xs, h0, Wx, Wh, b), 0
    for t in reversed(range(xs.shape[1])):
        _, dh, dWx, dWh, db = step_backward(dhs[:, t] + dh, xs[:, t], hs[:, t - 1] if t else h0, hs[:, t], Wx, Wh, b)
        Wx -= lr * dWx
        Wh -= lr * dWh
        b -= lr * db
    return Wx, Wh, b


# Norms of the gradient
edited("gradient_norms", ["in reversed order"], "return norms", "return norms[::-1]")
edited("gradient_norms", ["derivative of tanh is missing"], " * (1 - hs[:, t] ** 2)", "")
edited("gradient_norms", ["tanh is applied twice"], "hs[:, t] ** 2", "np.tanh(hs[:, t]) ** 2")
edited("gradient_norms", ["Wh is not transposed"], "Wh.T", "Wh")
edited("gradient_norms", ["a mean of the rows' norms"],
       "np.sqrt((dh ** 2).sum())", "np.sqrt((dh ** 2).sum(axis=1)).mean()")
edited("gradient_norms", ["the norm of da"], "(dh ** 2).sum()", "((dh * (1 - hs[:, t] ** 2)) ** 2).sum()")
edited("gradient_norms", ["squares of the norms"], "np.sqrt((dh ** 2).sum())", "(dh ** 2).sum()")


@wrong("gradient_norms", "off by one")
def _(dh, hs, Wh):
    norms = []
    for h in hs.swapaxes(0, 1)[::-1]:
        dh = (dh * (1 - h**2)) @ Wh.T
        norms.append(np.linalg.norm(dh))
    return norms[::-1]


# Windows of a long text
edited("windows", ["state starts from zeros in each window: carry"], "h = hs[:, -1]", "pass")
edited("windows", ["last window is dropped because"], "range(0, L, T)", "range(0, L - T + 1, T)")


@wrong("windows", "zeros in each window, and the last window")
def _(xs, T, Wx, Wh, b):
    zeros = np.zeros((len(xs), len(b)))
    return np.concatenate([unroll(xs[:, k * T : k * T + T], zeros, Wx, Wh, b) for k in range(xs.shape[1] // T)], axis=1)


# Batches
edited("batches", ["ts: the targets are not shifted"], "ids[places + 1]", "ids[places]")
edited("batches", ["xs and ts are exchanged"], "(ids[places], ids[places + 1])", "(ids[places + 1], ids[places])")
edited("batches", ["window 2 has 1 row, the window before has 4", "(N, T), not (T, N)"],
       "(ids[places], ids[places + 1])", "(ids[places].T, ids[places + 1].T)")
edited("batches", ["streams are not offset"], "* L\n    out", "* 0\n    out")
edited("batches", ["last window is dropped"], "range(0, L, T)", "range(0, L - T + 1, T)")
edited("batches", ["last id is used as an input"], "(len(ids) - 1) // N\n",
       "len(ids) // N\n    ids = np.append(ids, ids[0])\n")


@wrong("batches", "rows continue each other")
def _(ids, N, T):
    count = (len(ids) - 1) // (N * T)
    xs = ids[: count * N * T].reshape(count, N, T)
    ts = ids[1 : count * N * T + 1].reshape(count, N, T)
    return list(zip(xs, ts, strict=True))


@wrong("batches", "streams are interleaved")
def _(ids, N, T):
    L = (len(ids) - 1) // N
    xs, ts = ids[: N * L].reshape(-1, N).T, ids[1 : N * L + 1].reshape(-1, N).T
    return [(xs[:, t : t + T], ts[:, t : t + T]) for t in range(0, L, T)]


@wrong("batches", "cut before shifted")
def _(ids, N, T):
    rows = np.array_split(ids[: len(ids) // N * N], N)
    xs, ts = np.array([row[:-1] for row in rows]), np.array([row[1:] for row in rows])
    return [(xs[:, t : t + T], ts[:, t : t + T]) for t in range(0, xs.shape[1], T)]


# Perplexity
edited("perplexity", ["loss is a mean already"], "(losses * counts).sum()", "losses.sum()")
edited("perplexity", ["sign is wrong in the exponent"], "np.exp(", "np.exp(-")
edited("perplexity", ["a mean of perplexities"],
       "np.exp((losses * counts).sum() / counts.sum())", "np.exp(losses).mean()")
edited("perplexity", ["a short window counts as much as a long one: weigh"],
       "(losses * counts).sum() / counts.sum()", "losses.mean()")
edited("perplexity", ["2 ** where exp belongs: "], "np.exp(", "2 ** (")
edited("perplexity", ["2 ** where exp belongs, and"],
       "np.exp((losses * counts).sum() / counts.sum())", "2 ** losses.mean()")
edited("perplexity", ["exp is missing"], "np.exp(", "(")

# A step of an LSTM
for order in ("i, f, g, o", "f, i, g, o", "i, f, o, g", "f, g, o, i"):
    edited("lstm_step", [f"order {order}: here the columns are f, g, i, o"],
           "f, g, i, o = np.split", f"{order} = np.split")
edited("lstm_step", ["h_next: tanh around c is missing"], "o * np.tanh(c)", "o * c")
edited("lstm_step", ["g goes through sigmoid"], "np.tanh(g)", "sigmoid(g)")
edited("lstm_step", ["old cell is not added"], "f * c_prev + g * i", "g * i")
edited("lstm_step", ["f is missing"], "f * c_prev", "c_prev")
edited("lstm_step", ["i is missing"], "g * i", "g")
edited("lstm_step", ["tanh around g is missing"], "np.tanh(g)", "g")
edited("lstm_step", ["do not go through sigmoid"], "1 / (1 + np.exp(-a))", "a")
edited("lstm_step", ["or f and i are exchanged in c_next"], "f * c_prev + g * i", "i * c_prev + g * f")
edited("lstm_step", ["b is missing"], " + b", "")
edited("lstm_step", ["h_prev Wh is missing"], " + h_prev @ Wh", "")


@wrong("lstm_step", "results are exchanged")
def _(*args):
    h_next, c_next = lstm_step(*args)
    return c_next, h_next


# The gradient of the embedding
edited("embedding_backward", ["keeps one gradient only", "np.add.at"], "dW[ids[i, t]] +=", "dW[ids[i, t]] =")
edited("embedding_backward", ["twice in one row of the batch", "np.add.at"],
       "for t in range(T):\n            dW[ids[i, t]] += dxs[i, t]", "dW[ids[i]] += dxs[i]")
edited("embedding_backward", ["in two rows at one step", "np.add.at"],
       "for i in range(N):\n        for t in range(T):\n            dW[ids[i, t]] += dxs[i, t]",
       "for t in range(T):\n        dW[ids[:, t]] += dxs[:, t]")
edited("embedding_backward", ["one row for each position"], "return dW", "return dxs.reshape(-1, D)")
edited("embedding_backward", ["one row for each word that occurs"], "return dW", "return dW[np.unique(ids)]")
edited("embedding_backward", ["averaged"], "return dW",
       "return np.array([np.mean(dxs[ids == v], axis=0) if (ids == v).any() else np.zeros(D) for v in range(V)])")
edited("embedding_backward", ["transposed: shape (2, 7), must be (7, 2)"], "return dW", "return dW.T")


@wrong("embedding_backward", "keeps one gradient only", "both overwrite")
def _(ids, dxs, V):
    dW = np.zeros((V, dxs.shape[2]))
    dW[ids] += dxs
    return dW


# The next word
edited("next_word", ["multiplied by the temperature"], "scores / temperature", "scores * temperature")
edited("next_word", ["temperature is ignored"], "scores / temperature", "scores")
edited("next_word", ["probabilities, which no longer add up to 1"],
       "scores = scores / temperature\n    e = np.exp(scores - scores.max())\n    return e / e.sum()",
       "e = np.exp(scores - scores.max())\n    return e / e.sum() / temperature")
edited("next_word", ["probabilities add up to ", "not to 1"], "e / e.sum()", "e")
edited("next_word", ["overflow", "what goes into exp"],
       "scores = scores / temperature\n    e = np.exp(scores", "e = np.exp(scores / temperature")
edited("next_word", ["overflow", "largest out"], "scores - scores.max()", "scores")


# The gradient of the last states
LAST = "dhs[i, lengths[i] - 1] = du[i]"
edited("last_state_backward", ["last step of the window", "padding"], LAST, "dhs[i, -1] = du[i]")
edited("last_state_backward", ["at every step of a sequence"], LAST, "dhs[i, : lengths[i]] = du[i]")
edited("last_state_backward", ["at every step of the window"], LAST, "dhs[i] = du[i]")
edited("last_state_backward", ["shared out to all steps"], LAST, "dhs[i, : lengths[i]] = du[i] / lengths[i]")
edited("last_state_backward", ["one step too late"], LAST, "dhs[i, lengths[i]] = du[i]")
edited("last_state_backward", ["only the gradient of the last state"], "return dhs", "return du")
edited("last_state_backward", ["the sign is wrong"], LAST, "dhs[i, lengths[i] - 1] = -du[i]")


# What is met less often
edited("step", ["h_next: every number is 2 times what it must be"], "np.tanh(a)", "2 * np.tanh(a)")
edited("windows", ["the steps come before the batch"], "np.concatenate(out, axis=1)",
       "np.concatenate(out, axis=1).swapaxes(0, 1)")
edited("perplexity", ["a mean of perplexities"], "np.exp((losses * counts).sum() / counts.sum())",
       "(np.exp(losses) * counts).sum() / counts.sum()")
edited("loss", ["mean of the probabilities"], "np.mean(-np.log(p_target))", "1 - np.mean(p_target)")
edited("loss", ["mean of the probabilities"], "np.mean(-np.log(p_target))", "np.mean(p_target)")
edited("unroll", ["h0 is in front"], "np.stack(states, axis=1)", "np.stack([h0, *states[:-1]], axis=1)")
edited("next_word", ["probabilities, which no longer add up to 1"],
       "scores = scores / temperature\n    e = np.exp(scores - scores.max())\n    return e / e.sum()",
       "e = np.exp(scores - scores.max())\n    return (e / e.sum()) ** (1 / temperature)")


@wrong("batches", "rows continue each other")
def _(ids, N, T):
    """The same with a last, shorter window."""
    L = (len(ids) - 1) // N
    windows = []
    for start in range(0, L, T):
        length = min(T, L - start)
        places = start * N + np.arange(N * length).reshape(N, length)
        windows.append((ids[places], ids[places + 1]))
    return windows


for name, edits in MORE.items():
    for said, *edit in edits:
        edited(name, [said], *edit)
