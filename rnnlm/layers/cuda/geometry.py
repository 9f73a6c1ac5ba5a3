"""How a window's recurrence is divided among the blocks of a kernel."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

MOST_STREAMS = 10        # of a group
COLUMNS = (2, 3, 5, 10)  # of a thread
LANES, ROWS = 8, 4       # see recurrent.cu
STEP = 4 * LANES
THREADS = 384            # of a block at most: each then has 168 registers
HOLDERS = 320            # threads of a block that holds its weights in registers, at most
REGISTERS = 125          # of a thread, for weights, sums and inputs
WAIT = 2000              # cycles until all blocks of a group have heard of each other


@dataclass(frozen=True)
class Division:
    """Groups of blocks share the streams, the blocks of a group the units.

    Parameters
    ----------
    groups : how many.
    streams : of a group; the last may have fewer.
    units : of a block; each has one column of the weights, or one for each gate.
    blocks : of a group.
    columns : of a thread.
    column_warps : warps that share a block's columns.
    parts : warps that share the inputs of the same columns.
    held : for how many reads of STEP inputs a thread has the weights in registers, if a
        group is one block; 0: it reads them from shared memory in each step.
    shared : bytes of shared memory of a block.
    cycles : roughly, how long a step takes.
    """

    groups: int
    streams: int
    units: int
    blocks: int
    columns: int
    column_warps: int
    parts: int
    held: int
    shared: int
    cycles: int

    @property
    def threads(self) -> int:
        """The threads of a block."""
        return 32 * self.column_warps * self.parts


@lru_cache(maxsize=256)
def launches(N: int, *sizes: int | bool) -> tuple[int, Division] | None:
    """How many streams a launch reads, all N if they fit, and their Division.

    Parameters
    ----------
    N : the number of streams.
    sizes : the other arguments of ``division``.
    """
    for pieces in range(1, N + 1):
        count = -(-N // pieces)
        part = division(count, *sizes)
        if part is not None:
            return count, part
    return None


@lru_cache(maxsize=256)
def division(N: int, H: int, gates: int, backward: bool, processors: int, shared_bytes: int) -> Division | None:
    """The fastest Division of N streams of H units; None if the weights do not fit.

    Parameters
    ----------
    N, H : the numbers of streams and of units.
    gates : blocks of H in the columns of Wh.
    backward : whether a unit's inputs are all gates of all units, not all units.
    processors : blocks that run at once.
    shared_bytes : of a block at most.
    """
    unit_columns, inputs = (1, gates * H) if backward else (gates, H)
    found = []
    for groups in range(1, min(N, processors) + 1):
        streams = -(-N // groups)
        # As many blocks as there are, or one, which waits for no other.
        for units in {-(-H // (processors // groups)), H} if streams <= MOST_STREAMS else ():
            for columns in COLUMNS:
                found += _with_threads(groups, streams, units, -(-H // units), columns, units * unit_columns, inputs)
    found = [part for part in found if part.shared <= shared_bytes]
    return min(found, key=lambda one: (one.cycles, one.groups), default=None)


def _with_threads(groups, streams, units, blocks, columns, wide, inputs):
    """The Division with these blocks, in a list: an empty one if they are too small.

    A block has ``wide`` columns and as many rows as there are ``inputs``.
    """
    width = -(-inputs // STEP) * STEP
    steps, column_warps = width // STEP, -(-wide // (ROWS * columns))

    def divided(most):  # threads
        rounds = -(-steps // max(1, most // 32 // column_warps))
        parts = -(-steps // rounds)
        while 32 * column_warps * parts < streams * units:  # a thread for each unit of each stream
            parts += 1
        return rounds, parts, 32 * column_warps * parts <= most

    sums, weights, partials = streams * columns, wide * (width + 4), wide * streams
    if blocks == 1:
        held, parts, fits = divided(HOLDERS)
        if fits and 4 * columns * held + sums + 4 * streams <= REGISTERS + 25:  # other things need fewer
            shared = 4 * (weights + 2 * width * streams + parts * partials)
            cycles = _cycles(sums, streams, column_warps * steps, column_warps * parts, 1)
            return [Division(groups, streams, units, 1, columns, column_warps, parts, held, shared, cycles)]
    _, parts, fits = divided(THREADS)
    if not fits or sums + 8 * streams + 2 * columns > REGISTERS:
        return []
    shared = 4 * (weights + parts * partials)
    cycles = _cycles(sums, streams + columns, column_warps * steps, column_warps * parts, blocks)
    return [Division(groups, streams, units, blocks, columns, column_warps, parts, 0, shared, cycles)]


def _cycles(sums, loads, warp_steps, warps, blocks):
    """Roughly, the cycles of a step.

    A multiprocessor issues 4 instructions of a warp in a cycle and reads 128 bytes of
    shared memory; 4 numbers for each lane take 4 cycles.

    Parameters
    ----------
    sums, loads : of a thread.
    warp_steps : how often a warp reads STEP inputs, all warps together.
    warps : of a block.
    blocks : of a group.
    """
    products = max(-(-warp_steps // 4) * (4 * sums + 30), warp_steps * 4 * loads)
    additions = warps * sums
    return products + additions + (WAIT if blocks > 1 else 300)
