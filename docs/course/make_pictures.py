"""The pictures of the course: drawings of the network, and measurements that the chapters print as numbers.

    python docs/course/make_pictures.py

Writes them into the folder ``images`` beside it (``--output`` elsewhere), in a few seconds.  The same seeds as in the
chapters, so the same numbers.
"""

import argparse
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Circle, FancyBboxPatch, Rectangle

from rnnlm import (
    Adam,
    LanguageModel,
    OrthogonalInitializer,
    TimeBatches,
    TimeGRU,
    TimeLSTM,
    TimeRNN,
    Trainer,
    load_corpus,
    softmax,
)

FORWARD, BACKWARD, INPUT, OUTPUT, CELL = "tab:blue", "tab:red", "tab:green", "tab:purple", "tab:orange"
QUIET = "dimgray"
LARGE, SMALL = 13, 10.5  # sizes of the letters in drawings
STEPS, STREAMS = 35, 20


def drawing(width, height, x, y):
    """A Figure without axes whose coordinates run over x and y, equal units; and its axes."""
    figure = Figure(figsize=(width, height), dpi=120)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=x, ylim=y, aspect="equal")
    axes.axis("off")
    return figure, axes


def plot(width=8, height=4.8):
    """A Figure with axes for curves."""
    figure = Figure(figsize=(width, height), dpi=120, layout="constrained")
    return figure, figure.add_subplot()


def arrow(axes, start, end, color, label="", at=(0, 0), **style):
    """An arrow from start to end, its label beside the middle, moved by ``at``."""
    axes.annotate("", end, start, arrowprops={"arrowstyle": "-|>", "color": color, "lw": 1.8, "shrinkA": 0,
                                              "shrinkB": 0, "mutation_scale": 15} | style)
    middle = np.add(start, end) / 2 + at
    axes.text(*middle, label, color=color, size=SMALL, ha="center", va="center")


def box(axes, x, y, text, color, width=1.0, height=0.62):
    """A box with rounded corners around (x, y)."""
    axes.add_patch(FancyBboxPatch((x - width / 2, y - height / 2), width, height, facecolor="white", edgecolor=color,
                                  lw=1.8, boxstyle="round,pad=0,rounding_size=0.12"))
    axes.text(x, y, text, color=color, size=LARGE, ha="center", va="center")


def ball(axes, x, y, text, color, radius=0.42, size=LARGE):
    """A circle around (x, y)."""
    axes.add_patch(Circle((x, y), radius, facecolor="white", edgecolor=color, lw=1.8))
    axes.text(x, y, text, color=color, size=size, ha="center", va="center")


def state(axes, x, name):
    """The state of a step."""
    ball(axes, x, 1.7, f"$h_{name}$", FORWARD)


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
    """A text in three streams, and their windows; places and targets are those of TimeBatches."""
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


def norms(radius, activation="tanh", size=0.1, N=STREAMS, T=STEPS, D=10, H=100):
    """The norm of the gradient at h_1 ... h_T, from one of norm 1 at h_T: the function of chapter 5."""
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


def arriving(cell, gates, bias=0.0, N=STREAMS, T=STEPS, D=10, H=100):
    """The norm of the gradient at each input over that at the last one: the function of chapter 9."""
    rng = np.random.default_rng(0)
    Wx = rng.normal(size=(D, gates * H)) / np.sqrt(D)
    Wh = np.hstack([OrthogonalInitializer()((H, H), rng) for _ in range(gates)])
    b = np.zeros(gates * H)
    b[:H] = bias
    layer = cell(Wx, Wh, b)
    layer.forward(rng.normal(size=(N, T, D)))
    dhs = np.zeros((N, T, H))
    dhs[:, -1] = rng.normal(size=(N, H))
    found = np.linalg.norm(layer.backward(dhs), axis=(0, 2))
    return found / found[-1]


def gated_norms():
    """How much of the gradient arrives at each input, by cell and gate."""
    figure, axes = plot()
    for label, color, *cell in (("LSTM, forget gates open (bias 3)", "tab:red", TimeLSTM, 4, 3),
                                ("GRU, update gates closed (bias -3)", "tab:purple", TimeGRU, 3, -3),
                                ("LSTM, bias 1", "tab:orange", TimeLSTM, 4, 1),
                                ("RNN", "tab:blue", TimeRNN, 1, 0),
                                ("LSTM, half open (bias 0)", "tab:green", TimeLSTM, 4, 0)):
        axes.plot(np.arange(1, STEPS + 1), arriving(*cell), "o-", ms=3.5, color=color, label=label)
    axes.set(yscale="log", xlabel="step t (the gradient comes in at 35 and goes to the left)",
             ylabel="gradient at $x_t$, over that at $x_{35}$", xlim=(0, 36), ylim=(1e-7, 10))
    axes.grid(alpha=0.3)
    axes.legend(loc="lower right")
    return figure


def learning():
    """Training perplexity over three epochs of the stories, and what simpler models reach: chapters 8 and 10."""
    corpus = load_corpus("stories")
    model = LanguageModel(len(corpus.vocabulary), 64, 64, rng=np.random.default_rng(0))
    trainer, losses = Trainer(model, Adam(0.005), max_grad=0.25), []
    batches = TimeBatches(corpus.train, 20, 35)
    for _ in range(3):
        model.reset_state()
        losses += [trainer.step(xs, ts).loss for xs, ts in batches]
    means = np.array(losses).reshape(-1, 12).mean(axis=1)  # 432 updates, 12 to a point
    figure, axes = plot()
    axes.plot(3 * (np.arange(len(means)) + 0.5) / len(means), np.exp(means), "o-", ms=3.5, color="tab:blue",
              label="recurrent network, training perplexity")
    lines = {"all words equally likely": len(corpus.vocabulary), "best possible": corpus.best_possible["valid"]}
    for label, value in (lines | counted(corpus)).items():
        axes.axhline(value, color=QUIET, ls="--", lw=1.2)
        axes.text(2.98, value * 1.03, f"{label}: {value:.4g}", color=QUIET, size=SMALL, ha="right", va="bottom")
    axes.set(yscale="log", xlabel="epoch", ylabel="perplexity", xlim=(0, 3), ylim=(3.5, 520))
    axes.xaxis.get_major_locator().set_params(integer=True)
    ticks = [5, 10, 20, 50, 100, 200, 500]
    axes.set_yticks(ticks, [str(tick) for tick in ticks])
    axes.set_yticks([], minor=True)
    axes.grid(alpha=0.3, axis="y")
    axes.legend(loc="upper right", bbox_to_anchor=(1, 0.72))
    return figure


def counted(corpus):
    """The perplexities of chapter 8 on the validation text, by counting words and pairs."""
    V, train, valid = len(corpus.vocabulary), corpus.train, corpus.valid.ids
    shares = np.bincount(train, minlength=V) / len(train)
    pairs = np.zeros((V, V))
    np.add.at(pairs, (train[:-1], train[1:]), 1)
    after = (pairs + 5 * shares) / (pairs.sum(axis=1, keepdims=True) + 5)
    previous = np.concatenate([[corpus.vocabulary.eos_id], valid[:-1]])
    return {"word frequencies": np.exp(-np.log(shares[valid]).mean()),
            "one word of context": np.exp(-np.log(after[previous, valid]).mean())}


def temperature():
    """The words after "she" at three temperatures: chapter 11."""
    corpus = load_corpus("stories")
    words, she = corpus.vocabulary.words, corpus.vocabulary.ids["she"]
    counts = np.bincount(corpus.train[1:][corpus.train[:-1] == she], minlength=len(words))
    seen = np.argsort(-counts, kind="stable")[: np.count_nonzero(counts)]
    figure, axes = plot(9, 4.5)
    for k, (value, color) in enumerate(((0.5, "tab:blue"), (1.0, "tab:orange"), (2.0, "tab:red"))):
        probs = softmax(np.log(counts[seen]) / value)
        axes.bar(np.arange(12) + 0.27 * (k - 1), probs[:12], 0.25, color=color,
                 label=f"temperature {value}; the other {len(seen) - 12} words together {probs[12:].sum():.2f}")
    axes.set_xticks(range(12), [words[i] for i in seen[:12]], rotation=30, ha="right")
    axes.set(ylabel='probability after "she"')
    axes.grid(alpha=0.3, axis="y")
    axes.legend(loc="upper right")
    return figure


PICTURES = {"unrolled": unrolled, "backward": backward, "truncation": truncation, "batch": batch,
            "gradient-norms": gradient_norms, "lstm": lstm, "gated-norms": gated_norms, "learning": learning,
            "temperature": temperature}


def main(argv=None):
    """Draw all the pictures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=Path(__file__).with_name("images"), metavar="FOLDER")
    folder = parser.parse_args(argv).output
    folder.mkdir(parents=True, exist_ok=True)
    for name, picture in PICTURES.items():
        picture().savefig(folder / f"{name}.png")


if __name__ == "__main__":
    main()
