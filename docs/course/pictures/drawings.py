"""Drawings: the network unrolled, forward and back, windows, batches, an LSTM step."""

import numpy as np
from matplotlib.patches import Rectangle
from pictures.canvas import (
    BACKWARD,
    CELL,
    FORWARD,
    INPUT,
    LARGE,
    OUTPUT,
    QUIET,
    SMALL,
    arrow,
    ball,
    box,
    drawing,
    state,
)

from rnnlm import TimeBatches


def unrolled():
    """Three steps, drawn side by side."""
    figure, axes = drawing(8, 3.9, (-0.9, 7.9), (-0.5, 3.75))
    state(axes, 0, 0)
    for t in (1, 2, 3):
        x = 2.2 * t
        state(axes, x, t)
        box(axes, x, 0, f"$x_{t}$", INPUT)
        box(axes, x, 3.3, f"scores$_{t}$", OUTPUT, width=1.4)
        arrow(axes, (x - 1.78, 1.7), (x - 0.42, 1.7), FORWARD, "$\\mathit{Wh}$", (0, 0.25))
        arrow(axes, (x, 0.31), (x, 1.28), INPUT, "$\\mathit{Wx}$", (0.3, 0))
        arrow(axes, (x, 2.12), (x, 2.99), OUTPUT, "$W$", (0.25, 0))
    arrow(axes, (7.02, 1.7), (7.7, 1.7), FORWARD)
    return figure


def backward():
    """The same three steps, and the gradients that go back through them."""
    figure, axes = drawing(8, 4.1, (-0.9, 7.9), (-0.5, 3.95))
    state(axes, 0, 0)
    for t in (1, 2, 3):
        x = 2.2 * t
        state(axes, x, t)
        box(axes, x, 0, f"$x_{t}$", INPUT)
        box(axes, x, 3.4, f"scores$_{t}$", OUTPUT, width=1.4)
        arrow(axes, (x - 1.79, 1.84), (x - 0.41, 1.84), FORWARD)
        arrow(axes, (x - 0.41, 1.56), (x - 1.79, 1.56), BACKWARD, f"$da_{t}\\,\\mathit{{Wh}}^T$", (0, -0.27))
        arrow(axes, (x - 0.14, 0.31), (x - 0.14, 1.29), FORWARD)
        arrow(axes, (x + 0.14, 1.29), (x + 0.14, 0.31), BACKWARD, f"$da_{t}\\,\\mathit{{Wx}}^T$", (0.55, -0.1))
        arrow(axes, (x - 0.14, 2.11), (x - 0.14, 3.09), FORWARD)
        arrow(axes, (x + 0.14, 3.09), (x + 0.14, 2.11), BACKWARD, f"$dhs_{t}$", (0.4, 0))
    axes.text(-0.75, 3.4, "forward", color=FORWARD, size=LARGE, va="center")
    axes.text(-0.75, 2.95, "backward", color=BACKWARD, size=LARGE, va="center")
    return figure


def truncation():
    """Two windows of three steps: states cross the border, gradients do not."""
    figure, axes = drawing(9, 3, (-0.1, 12.5), (-0.55, 3.65))
    for t in range(1, 7):
        x = 1.9 * (t - 0.5)
        state(axes, x, t)
        box(axes, x, 0, f"$x_{t}$", INPUT, width=0.9)
        arrow(axes, (x, 0.31), (x, 1.28), INPUT)
        arrow(axes, (x + 0.41, 1.84), (x + 1.49, 1.84), FORWARD)
        if t in (3, 6):
            axes.plot([x + 0.95] * 2, [1.34, 1.78], color=BACKWARD, lw=4, solid_capstyle="butt")
            arrow(axes, (x + 1.49, 1.56), (x + 1.02, 1.56), BACKWARD)
        else:
            arrow(axes, (x + 1.49, 1.56), (x + 0.41, 1.56), BACKWARD)
    for k in (0, 1):
        axes.text(5.7 * k + 2.85, 3.25, f"window {k + 1}", size=LARGE, ha="center", color=QUIET)
        axes.plot([5.7 * (k + 1)] * 2, [-0.4, 1.25], color=QUIET, ls="--", lw=1.2)
        axes.plot([5.7 * (k + 1)] * 2, [2.0, 3.5], color=QUIET, ls="--", lw=1.2)
    axes.text(5.85, 2.75, "the state goes on", color=FORWARD, size=SMALL, va="center")
    axes.text(5.85, 2.38, "the gradient stops", color=BACKWARD, size=SMALL, va="center")
    return figure


def batch():
    """A text in three streams, and their windows; offsets are those of TimeBatches."""
    text = ("once a fox lived here . <eos> she sold her red hat . <eos> "
            "a hen found it and wept . <eos> the end .").split()
    figure, axes = drawing(9.5, 4.1, (-1.75, 9.35), (-0.95, 3.85))
    place = 0
    for k, (xs, ts) in enumerate(TimeBatches(np.arange(len(text)), batch_size=3, time_size=3)):
        color = ("tab:blue", "tab:orange", "tab:green")[k]
        left = place + 0.3 * k
        for i, t in np.ndindex(xs.shape):
            x, y = left + t, 2.2 - 1.2 * i
            axes.add_patch(Rectangle((x, y), 1, 0.95, facecolor=color, alpha=0.22, edgecolor="none"))
            axes.add_patch(Rectangle((x, y), 1, 0.95, facecolor="none", edgecolor="white", lw=2))
            axes.text(x + 0.06, y + 0.83, xs[i, t], size=8, color=QUIET, va="center")
            axes.text(x + 0.5, y + 0.55, text[xs[i, t]], size=LARGE, ha="center", va="center")
            axes.text(x + 0.5, y + 0.2, f"→ {text[ts[i, t]]}", size=9, color=BACKWARD, ha="center", va="center")
        steps = f"steps {place}-{place + xs.shape[1] - 1}"
        axes.text(left + xs.shape[1] / 2, 3.42, f"window {k + 1}: {steps}", size=SMALL, ha="center", color=QUIET)
        place += xs.shape[1]
        if place < 8:
            for i in range(3):
                arrow(axes, (left + xs.shape[1] - 0.03, 2.68 - 1.2 * i), (left + xs.shape[1] + 0.33, 2.68 - 1.2 * i),
                      QUIET, lw=1.5)
    for i in range(3):
        axes.text(-0.2, 2.68 - 1.2 * i, f"stream {i}\nfrom {8 * i}", size=SMALL, ha="right", va="center", color=QUIET)
    axes.text(0, -0.65, "small number: place in the text      ", size=SMALL, color=QUIET, va="center")
    axes.text(3.6, -0.65, "→ word: the target", size=SMALL, color=BACKWARD, va="center")
    axes.text(6.1, -0.65, "arrow between windows: the state", size=SMALL, color=QUIET, va="center")
    return figure


def lstm():
    """The step of an LSTM: the cell runs straight through."""
    figure, axes = drawing(8.6, 5, (-0.9, 10.1), (-1.15, 5.25))
    top, gate = 4.4, 1.2
    for x, y, text in ((1.6, top, r"$\times$"), (4.2, top, "$+$"), (4.2, 3.1, r"$\times$"), (8.0, 2.5, r"$\times$")):
        ball(axes, x, y, text, FORWARD, 0.3, 15)
    for x, name, function, side in ((1.6, "f", "sigmoid", -1), (3.4, "g", "tanh", -1), (5.0, "i", "sigmoid", 1),
                                    (6.6, "o", "sigmoid", -1)):
        box(axes, x, gate, function, QUIET, width=1.35)
        arrow(axes, (x, 0.15), (x, gate - 0.31), QUIET)
        axes.text(x + 0.22 * side, gate + 0.55, f"${name}$", color=FORWARD, size=LARGE, ha="center", va="center")
    axes.plot([0.53, 6.6], [0.15, 0.15], color=QUIET, lw=1.8)
    box(axes, -0.1, -0.6, "$x$", INPUT)
    box(axes, -0.1, 0.15, "$h_{prev}$", FORWARD, width=1.25)
    axes.plot([0.4, 1.0, 1.0], [-0.6, -0.6, 0.15], color=QUIET, lw=1.8)
    axes.text(1.25, -0.42, "$a = x\\,\\mathit{Wx} + h_{prev}\\,\\mathit{Wh} + b$", color=QUIET, size=LARGE, va="center")
    box(axes, -0.1, top, "$c_{prev}$", CELL, width=1.25)
    box(axes, 9.3, top, "$c_{next}$", CELL, width=1.25)
    box(axes, 9.3, 2.5, "$h_{next}$", FORWARD, width=1.25)
    for start, end in (((0.53, top), (1.3, top)), ((1.9, top), (3.9, top)), ((4.5, top), (8.67, top))):
        arrow(axes, start, end, CELL, lw=3)
    arrow(axes, (1.6, 1.51), (1.6, top - 0.3), FORWARD)
    arrow(axes, (3.4, 1.51), (4.02, 2.85), FORWARD)
    arrow(axes, (5.0, 1.51), (4.38, 2.85), FORWARD)
    arrow(axes, (4.2, 3.4), (4.2, top - 0.3), FORWARD)
    axes.plot([6.6, 6.6], [1.51, 2.5], color=FORWARD, lw=1.8)
    arrow(axes, (6.6, 2.5), (7.7, 2.5), FORWARD)
    box(axes, 8.0, 3.5, "tanh", QUIET, width=0.95)
    arrow(axes, (8.0, top), (8.0, 3.81), FORWARD)
    arrow(axes, (8.0, 3.19), (8.0, 2.8), FORWARD)
    arrow(axes, (8.3, 2.5), (8.67, 2.5), FORWARD)
    axes.text(1.9, 4.9, "scaled by $f$", color=CELL, size=SMALL, ha="center")
    axes.text(4.3, 4.9, "added to: $g\\,i$", color=CELL, size=SMALL, ha="center")
    return figure
