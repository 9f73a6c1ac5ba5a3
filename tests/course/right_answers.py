"""Right answers to the exercises, as readers write them: loops, without the package."""

import math

import numpy as np


def step(x, h_prev, Wx, Wh, b):
    return np.tanh(np.dot(x, Wx) + np.dot(h_prev, Wh) + b)


def unroll(xs, h0, Wx, Wh, b):
    h, hs = h0, []
    for t in range(xs.shape[1]):
        h = np.tanh(xs[:, t] @ Wx + h @ Wh + b)
        hs.append(h)
    return np.stack(hs, axis=1)


def loss(scores, targets):
    total = 0.0
    for row, targets_of_row in zip(scores, targets, strict=True):
        for s, target in zip(row, targets_of_row, strict=True):
            e = np.exp(s - max(s))
            total -= math.log(e[target] / sum(e))
    return total / targets.size


def loss_backward(scores, targets):
    N, T, _ = scores.shape
    e = np.exp(scores - np.max(scores, axis=2, keepdims=True))
    p = e / np.sum(e, axis=2, keepdims=True)
    for i in range(N):
        for t in range(T):
            p[i, t, targets[i, t]] -= 1
    return p / (N * T)


def step_backward(dh_next, x, h_prev, h_next, Wx, Wh, b):
    da = dh_next * (1 - h_next * h_next)
    return np.dot(da, Wx.T), np.dot(da, Wh.T), np.dot(x.T, da), np.dot(h_prev.T, da), np.sum(da, axis=0)


def bptt(dhs, xs, h0, hs, Wx, Wh, b):
    dxs, dWx, dWh, db = np.zeros(xs.shape), np.zeros(Wx.shape), np.zeros(Wh.shape), np.zeros(b.shape)
    dh_next = np.zeros(h0.shape)
    for t in range(xs.shape[1] - 1, -1, -1):
        h_prev = h0 if t == 0 else hs[:, t - 1]
        da = (dhs[:, t] + dh_next) * (1 - hs[:, t] ** 2)
        dxs[:, t] = da @ Wx.T
        dWx += xs[:, t].T @ da
        dWh += h_prev.T @ da
        db += da.sum(axis=0)
        dh_next = da @ Wh.T
    return dxs, dh_next, dWx, dWh, db


def learn(xs, h0, dhs, Wx, Wh, b, lr):
    _, _, dWx, dWh, db = bptt(dhs, xs, h0, unroll(xs, h0, Wx, Wh, b), Wx, Wh, b)
    return Wx - lr * dWx, Wh - lr * dWh, b - lr * db


def gradient_norms(dh, hs, Wh):
    norms = [np.linalg.norm(dh)]
    for t in range(hs.shape[1] - 1, 0, -1):
        dh = (dh * (1 - hs[:, t] ** 2)) @ Wh.T
        norms.insert(0, np.linalg.norm(dh))
    return np.array(norms)


def windows(xs, T, Wx, Wh, b):
    h, parts = np.zeros((len(xs), len(Wh))), []
    for start in range(0, xs.shape[1], T):
        hs = unroll(xs[:, start : start + T], h, Wx, Wh, b)
        h = hs[:, -1]
        parts.append(hs)
    return np.concatenate(parts, axis=1)


def batches(ids, N, T):
    L = (len(ids) - 1) // N
    xs = np.array([ids[i * L : (i + 1) * L] for i in range(N)])
    ts = np.array([ids[i * L + 1 : (i + 1) * L + 1] for i in range(N)])
    return [(xs[:, t : t + T], ts[:, t : t + T]) for t in range(0, L, T)]


def perplexity(losses, counts):
    nats = sum(loss * count for loss, count in zip(losses, counts, strict=True))
    return math.exp(nats / sum(counts))


def lstm_step(x, h_prev, c_prev, Wx, Wh, b):
    a = x @ Wx + h_prev @ Wh + b
    H = h_prev.shape[1]
    f, i, o = (1 / (1 + np.exp(-a[:, k * H : (k + 1) * H])) for k in (0, 2, 3))
    g = np.tanh(a[:, H : 2 * H])
    c_next = f * c_prev + g * i
    return o * np.tanh(c_next), c_next


def embedding_backward(ids, dxs, V):
    dW = np.zeros((V, dxs.shape[2]))
    np.add.at(dW, ids, dxs)
    return dW


def next_word(scores, temperature):
    s = scores / temperature
    e = np.exp(s - s.max())
    return e / e.sum()


def last_state_backward(du, lengths, T):
    dhs = np.zeros((len(du), T, du.shape[1]))
    for i, length in enumerate(lengths):
        dhs[i, length - 1] = du[i]
    return dhs


RIGHT = {"step": step, "unroll": unroll, "loss": loss, "loss_backward": loss_backward, "step_backward": step_backward,
         "bptt": bptt, "learn": learn, "gradient_norms": gradient_norms, "windows": windows, "batches": batches,
         "perplexity": perplexity, "lstm_step": lstm_step, "embedding_backward": embedding_backward,
         "next_word": next_word, "last_state_backward": last_state_backward}
