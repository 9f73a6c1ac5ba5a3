"""Where the weights start."""

from dataclasses import dataclass
from functools import partial

import numpy as np

from rnnlm.compute import arguments
from rnnlm.errors import ArgumentError
from rnnlm.models.initializers import RECURRENT, scaled_normal, time_scales, uniform

SMALLEST, LARGEST = 1e-30, 1e30  # a gain: within these, first weights are neither all zeros nor infinite in float32


@dataclass(frozen=True)
class Start:
    """recurrent: one of "time-scales" (of a cell without gates only), "orthogonal", "identity" and "normal", or None
    for the first where it can be had and the second otherwise.

    recurrent_gain: what the recurrent weights are multiplied by (with "time-scales": what is random in them);
    slowest: with "time-scales", the share of its state that the slowest unit keeps at each step;
    input_gain: standard deviation of the first layer's input weights, over 1 / sqrt(inputs) (with "time-scales" less
    for what is added to slow units): word vectors start small, and what later layers read does not.

    ArgumentError, at once, for a start that no weights in float32 can have.
    """

    recurrent: str | None = None
    recurrent_gain: float = 1.0
    slowest: float = 0.95
    input_gain: float = 1.0

    def __post_init__(self):
        if self.recurrent is not None:
            arguments.one_of("recurrent", self.recurrent, ("time-scales", *RECURRENT))
        for name in ("recurrent_gain", "input_gain"):
            arguments.number(name, getattr(self, name), f"that is 0 or from {SMALLEST:g} to {LARGEST:g}",
                             lambda x: x == 0 or SMALLEST <= x <= LARGEST)
        arguments.number("slowest", self.slowest, "from 0 to 1", lambda x: 0 <= x <= 1)


def recurrent_values(inputs, H, cell, start, input_gain, rng):
    """The params of a recurrent layer, float32; a gated cell's gates start independently.

    The forget gate of an LSTM starts at bias 1: open (Gers et al., 2000; Jozefowicz et al., 2015).
    """
    kind = start.recurrent or ("time-scales" if cell.state_blocks == 1 else "orthogonal")
    k, j = cell.input_blocks, cell.state_blocks
    b = np.zeros(k * H, np.float32)
    if kind == "time-scales":
        if j > 1:
            raise ArgumentError("a start with time scales is for cells without gates: choose orthogonal")
        Wh, a = time_scales(H, rng, start.slowest, 0.3 * start.recurrent_gain)
        Wx = [scaled_normal((inputs, H), rng, input_gain) for _ in range(k)]
        Wx[0] *= np.sqrt(1 - a**2)  # a slow unit adds up many inputs: a smaller share keeps the size of the sum
        return np.hstack(Wx), Wh, b
    Wx = scaled_normal((inputs, k * H), rng, input_gain)
    Wh = np.hstack([RECURRENT[kind]((H, H), rng, start.recurrent_gain) for _ in range(j)])
    if "c" in cell.state_names:
        b[:H] = 1
    more = [np.zeros(shape, np.float32) for shape in list(cell.param_shapes(inputs, H).values())[3:]]
    return Wx, Wh, b, *more


def first_values(architecture, cell, start, rng):
    """The embedding, the params of each recurrent layer, the output weights and the projection's, before training.

    The last two are None where the output weights are tied, and where there is no projection.
    rng None: zeros, in memory that is not touched before it is filled.
    """
    V, D, H, layers = (architecture[name] for name in ("vocab_size", "wordvec_size", "hidden_size", "layers"))
    tied, projection = architecture["tied"], architecture["projection"]
    E, sizes = D if projection else H, [D] + [H] * (layers - 1)
    if rng is None:
        zeros = partial(np.zeros, dtype=np.float32)
        recurrent = [[zeros(shape) for shape in cell.param_shapes(inputs, H).values()] for inputs in sizes]
        return zeros((V, D)), recurrent, None if tied else zeros((V, E)).T, zeros((H, D)) if projection else None
    embedding = uniform((V, D), rng)
    gains = [start.input_gain] + [1.0] * (layers - 1)
    recurrent = [recurrent_values(inputs, H, cell, start, gain, rng)
                 for inputs, gain in zip(sizes, gains, strict=True)]
    output = None if tied else scaled_normal((E, V), rng)
    return embedding, recurrent, output, scaled_normal((H, D), rng) if projection else None
