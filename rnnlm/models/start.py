"""Where the weights start: what can be chosen, and each kind of first values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from rnnlm.compute import arguments
from rnnlm.errors import ArgumentError
from rnnlm.models.initializers import RECURRENT, log_frequencies, scaled_normal, scales, time_scales, uniform

if TYPE_CHECKING:
    from rnnlm.models.cells import Cell

SMALLEST, LARGEST = 1e-30, 1e30  # a gain: within these, first weights are neither all zeros nor infinite in float32


@dataclass(frozen=True)
class Start:
    """What can be chosen about the first weights.

    Parameters
    ----------
    recurrent : str, optional
        "time-scales" (for a cell without gates only), "orthogonal", "identity" or
        "normal"; None: "time-scales" for a cell without gates, else "orthogonal".
    recurrent_gain : float
        Factor of the recurrent weights; with "time-scales", of their random part.
    slowest : float
        With "time-scales", the share of its state that the slowest unit keeps at each
        step.
    input_gain : float
        Factor of the first layer's input weights: their standard deviation is
        input_gain / sqrt(inputs), with "time-scales" less for the inputs of slow units.
        Only the first layer has it, because word vectors start small, and what later
        layers read does not.

    Raises
    ------
    ArgumentError
        At once, for a start that no weights in float32 can have.
    """

    recurrent: str | None = None
    recurrent_gain: float = 1.0
    slowest: float = 0.95
    input_gain: float = 1.0

    def __post_init__(self) -> None:
        if self.recurrent is not None:
            arguments.one_of("recurrent", self.recurrent, ("time-scales", *RECURRENT))
        for name in ("recurrent_gain", "input_gain"):
            arguments.number(name, getattr(self, name), f"that is 0 or from {SMALLEST:g} to {LARGEST:g}",
                             lambda x: x == 0 or SMALLEST <= x <= LARGEST)
        arguments.number("slowest", self.slowest, "from 0 to 1", lambda x: 0 <= x <= 1)

    def kind(self, cell: Cell) -> str:
        """Which recurrent weights a cell (a row of CELLS) starts with.

        ArgumentError for a kind that the cell cannot have.
        """
        if cell.gated and self.recurrent == "time-scales":
            raise ArgumentError("a start with time scales is for cells without gates: choose orthogonal")
        return self.recurrent or ("orthogonal" if cell.gated else "time-scales")


def fill(architecture, arrays, start, rng):
    """Write the first values of a model into its arrays, a dict by name.

    What a seed means depends on the order of the draws: layer after layer, in each the
    input weights and then the recurrent ones, with time scales the other way round.
    """
    second = "inputs" if start.kind(architecture.row) == "time-scales" else "recurrent"
    for parameter in sorted(architecture.parameters(), key=lambda p: (p.turn, p.first == second)):
        FIRST_VALUES[parameter.first](arrays[parameter.name], parameter, architecture.row, start, rng)


def fill_frequencies(out, counts, architecture):  # (V,) or, with clusters, (c_0 + k,); (V,)
    """Write log_frequencies into the output biases.

    ArgumentError unless the counts can be those of the words.
    """
    counts, V = arguments.floats("counts", counts), architecture.vocab_size
    if counts.shape != (V,) or not (np.isfinite(counts) & (counts >= 0)).all():
        raise arguments.wrong("counts", f"numbers of at least 0, of shape ({V},)", counts,
                              "numpy.bincount(ids, minlength=vocab_size) gives them")
    if architecture.cutoffs:
        starts = [*range(architecture.cutoffs[0]), *architecture.cutoffs]  # a cluster counts as one word
        counts = np.add.reduceat(counts + 1, starts) - 1
    out[...] = log_frequencies(counts)


def _vectors(out, parameter, cell, start, rng):
    uniform(out, rng)


def _normal(out, parameter, cell, start, rng):
    scaled_normal(out, rng)


def _zeros(out, parameter, cell, start, rng):
    out[...] = 0


def _inputs(out, parameter, cell, start, rng):  # (D, kH)
    """Wx.  A slow unit adds up many inputs, and so takes less of each."""
    gain = start.input_gain if parameter.turn == 1 else 1.0
    if start.kind(cell) != "time-scales":
        scaled_normal(out, rng, gain)
        return
    into_the_state, *others = np.split(out, cell.plain.input_blocks, axis=1)
    scaled_normal(into_the_state, rng, gain, np.sqrt(1 - scales(into_the_state.shape[1], start.slowest) ** 2))
    for block in others:
        scaled_normal(block, rng, gain)


def _recurrent(out, parameter, cell, start, rng):  # (H, jH)
    """Wh; a gated cell's gates start independently."""
    if start.kind(cell) == "time-scales":
        time_scales(out, rng, start.slowest, 0.3 * start.recurrent_gain)
        return
    for block in np.split(out, cell.plain.state_blocks, axis=1):
        RECURRENT[start.kind(cell)](block, rng, start.recurrent_gain)


def _biases(out, parameter, cell, start, rng):  # (kH,)
    """Zeros, or for each block what the cell's row says."""
    blocks = cell.biases.get(parameter.name.split("/")[1], (0,))
    out[...] = np.repeat(blocks, len(out) // len(blocks))


FIRST_VALUES = {"vectors": _vectors, "inputs": _inputs, "recurrent": _recurrent, "biases": _biases,
                "normal": _normal, "zeros": _zeros}  # (out, parameter, cell, start, rng)
