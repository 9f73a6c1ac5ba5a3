"""What the pictures are drawn with: figures, colours, arrows, boxes, circles."""

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Circle, FancyBboxPatch

FORWARD, BACKWARD, INPUT, OUTPUT, CELL = "tab:blue", "tab:red", "tab:green", "tab:purple", "tab:orange"
QUIET = "dimgray"
LARGE, SMALL = 13, 10.5  # sizes of the letters in drawings


def drawing(width, height, x, y):
    """A Figure without axes, with coordinates x and y of equal units; and its axes."""
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
    """An arrow from start to end, its label next to the middle, moved by ``at``."""
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
