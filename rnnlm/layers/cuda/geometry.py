"""How a window's recurrence is divided among the blocks of a kernel."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

SHARED = 232_448         # bytes of shared memory that a block can have on an H100: 227 KB
THREADS = 384            # of a block at most: each then has 168 registers
TILES = (1, 2, 4, 5, 8)  # numbers of streams of a group for which there are kernels
LANES, ROWS = 8, 4       # see recurrent.cu
STEP = 4 * LANES
HOLDERS = 320            # threads of a block that holds its weights in registers, at most
REGISTERS = 150          # of a thread for weights, sums and inputs
WAIT = 2000              # cycles until all blocks of a group have heard of each other


@dataclass(frozen=True)
class Division:
    """Groups of blocks share the streams, the blocks of a group the units.

    Parameters
    ----------
    groups : how many; each has an equal number of streams, the last may have fewer.
    tile : the number of streams, of those for which there is a kernel.
    units : of a block; each has ``columns`` of the weights.
    blocks : of a group.
    column_warps : warps that share a block's columns.
    parts : warps that share the inputs of the same columns.
    held : how many reads of STEP inputs a thread has weights for in registers, where
        a group is one block; 0: it reads them from shared memory in each step.
    shared : bytes of shared memory of a block.
    cycles : roughly, how long a step takes.
    """

    groups: int
    tile: int
    units: int
    blocks: int
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
def division(N: int, H: int, gates: int, backward: bool, processors: int) -> Division | None:
    """The fastest Division of N streams of H units; None if the weights do not fit.

    Parameters
    ----------
    N, H : the numbers of streams and of units.
    gates : blocks of H in the columns of Wh.
    backward : whether a unit's inputs are all gates of all units, not all units.
    processors : blocks that run at once.
    """
    columns, inputs = (1, gates * H) if backward else (gates, H)
    found = []
    for groups in range(1, min(N, processors) + 1):
        streams = -(-N // groups)
        tile = next((size for size in TILES if size >= streams), None)
        # As many blocks as there are, or one, which waits for no other.
        for units in {-(-H // (processors // groups)), H}:
            if tile is not None:
                found += _with_threads(groups, streams, tile, units, -(-H // units), columns, inputs)
    return min(found, key=lambda one: (one.cycles, one.groups), default=None)


def thread_columns(tile: int, columns: int) -> int:
    """How many columns a thread has, of a block in which a unit has ``columns``."""
    return 10 if columns > 1 and tile <= 5 else 5


def _with_threads(groups, streams, tile, units, blocks, columns, inputs):
    """The Division with these blocks, in a list: an empty one if they are too small."""
    width, wide = -(-inputs // STEP) * STEP, units * columns
    steps, of_thread = width // STEP, thread_columns(tile, columns)
    column_warps = -(-wide // (ROWS * of_thread))

    def divided(most):  # threads
        rounds = -(-steps // max(1, most // 32 // column_warps))
        parts = -(-steps // rounds)
        while 32 * column_warps * parts < streams * units:  # a thread for each unit of each stream
            parts += 1
        return rounds, parts, 32 * column_warps * parts <= most

    shared = wide * (width + 4)
    if blocks == 1:
        held, parts, fits = divided(HOLDERS)
        if fits and 4 * of_thread * held + tile * (of_thread + 4) <= REGISTERS:
            shared = 4 * (shared + (2 * width + parts * wide) * tile)
            cycles = _cycles(tile * of_thread, tile, column_warps * steps, column_warps * parts, 1)
            return [Division(groups, tile, units, 1, column_warps, parts, held, shared, cycles)] * (shared <= SHARED)
    _, parts, fits = divided(THREADS)
    shared = 4 * (shared + parts * wide * tile)
    cycles = _cycles(tile * of_thread, tile + of_thread, column_warps * steps, column_warps * parts, blocks)
    return [Division(groups, tile, units, blocks, column_warps, parts, 0, shared, cycles)] * (fits and shared <= SHARED)


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
