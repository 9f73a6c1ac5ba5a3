"""Measurements of gradients over 35 steps: they vanish and explode; what gates do."""

import numpy as np
from pictures.canvas import QUIET, plot

from rnnlm import OrthogonalInitializer, TimeGRU, TimeLSTM, TimeRNN

STEPS, STREAMS = 35, 20


def norms(radius, activation="tanh", size=0.1, N=STREAMS, T=STEPS, D=10, H=100):
    """The norms of the gradient at h_1 ... h_T, from norm 1 at h_T (chapter 5)."""
    rng = np.random.default_rng(0)
    Wh = rng.normal(size=(H, H))
    Wh *= radius / np.abs(np.linalg.eigvals(Wh)).max()
    Wx = rng.normal(size=(D, H)) / np.sqrt(D)
    layer = TimeRNN(Wx, Wh, np.zeros(H), activation=activation)
    hs = layer.forward(size * rng.normal(size=(N, T, D)))
    dh = rng.normal(size=(N, H))
    dh /= np.linalg.norm(dh)
    found = [np.linalg.norm(dh)]
    for t in reversed(range(1, T)):
        dh = (dh * layer.slope(hs[:, t])) @ Wh.T
        found.append(np.linalg.norm(dh))
    return np.array(found[::-1])


def gradient_norms():
    """Three spectral radii over 35 steps, with tanh and without."""
    figure, axes = plot()
    steps = np.arange(1, STEPS + 1)
    for radius, color in ((2.0, "tab:red"), (1.0, "tab:green"), (0.5, "tab:blue")):
        axes.plot(steps, norms(radius, "identity"), "--", lw=1.2, color=color)
        axes.plot(steps, norms(radius), "o-", ms=3.5, color=color, label=f"spectral radius {radius}")
    axes.plot([], [], "--", lw=1.2, color=QUIET, label="the same without tanh")
    axes.set(yscale="log", xlabel="step t (the gradient comes in at 35 and goes to the left)",
             ylabel="norm of the gradient at $h_t$", xlim=(0, 36), ylim=(1e-12, 1e12))
    axes.axhline(1, color=QUIET, lw=0.8)
    axes.grid(alpha=0.3)
    axes.legend(loc="upper right")
    return figure


def arriving(cell, gates, bias=0.0, N=STREAMS, T=STEPS, D=10, H=100):
    """The norm of the gradient at each input, over that at the last one (chapter 9)."""
    rng = np.random.default_rng(0)
    Wx = rng.normal(size=(D, gates * H)) / np.sqrt(D)
    Wh = np.hstack([OrthogonalInitializer()((H, H), rng) for _ in range(gates)])
    b = np.zeros(gates * H)
    b[:H] = bias
    layer = cell(Wx, Wh, b, np.zeros(H)) if cell is TimeGRU else cell(Wx, Wh, b)
    layer.forward(rng.normal(size=(N, T, D)))
    dhs = np.zeros((N, T, H))
    dhs[:, -1] = rng.normal(size=(N, H))
    found = np.linalg.norm(layer.backward(dhs), axis=(0, 2))
    return found / found[-1]


def gated_norms():
    """How much of the gradient arrives at each input, by cell and gate."""
    figure, axes = plot()
    for label, color, *cell in (("LSTM, forget gates open (bias 3)", "tab:red", TimeLSTM, 4, 3),
                                ("GRU, update gates open (bias 3)", "tab:purple", TimeGRU, 3, 3),
                                ("LSTM, bias 1", "tab:orange", TimeLSTM, 4, 1),
                                ("RNN", "tab:blue", TimeRNN, 1, 0),
                                ("LSTM, half open (bias 0)", "tab:green", TimeLSTM, 4, 0)):
        axes.plot(np.arange(1, STEPS + 1), arriving(*cell), "o-", ms=3.5, color=color, label=label)
    axes.set(yscale="log", xlabel="step t (the gradient comes in at 35 and goes to the left)",
             ylabel="gradient at $x_t$, over that at $x_{35}$", xlim=(0, 36), ylim=(1e-7, 10))
    axes.grid(alpha=0.3)
    axes.legend(loc="lower right")
    return figure
