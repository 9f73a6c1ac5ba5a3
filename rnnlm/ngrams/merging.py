"""Sorted runs as one: the counts of keys that several runs have are added up."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rnnlm.ngrams.storage import let_go

if TYPE_CHECKING:
    from collections.abc import Iterator

BLOCK = 1 << 22  # rows in memory at a time

Run = tuple[np.ndarray, np.ndarray, np.ndarray]


def merged(runs: list[Run], block: int = BLOCK) -> Iterator[Run]:
    """Yield the rows of sorted runs in rising order of their keys, block by block.

    Parameters
    ----------
    runs : list of (keys, counts, values), the keys of each rising.  Equal keys have
        equal values.
    block : about how many rows are in memory at a time.
    """
    size = max(1, block // len(runs))
    offsets = [0] * len(runs)
    while True:
        ahead = [run[0][offset : offset + size] for run, offset in zip(runs, offsets, strict=True)]
        ends = [keys[-1] for keys in ahead if keys.size]
        if not ends:
            return
        limit = min(ends)  # up to here, all rows of all runs are at hand
        parts = []
        for i, (run, keys) in enumerate(zip(runs, ahead, strict=True)):
            stop = offsets[i] + int(np.searchsorted(keys, limit, side="right"))
            parts.append([column[offsets[i] : stop] for column in run])
            offsets[i] = stop
        yield _added_up(*map(np.concatenate, zip(*parts, strict=True)))
        for run in runs:
            let_go(*run)


def _added_up(keys, counts, values):
    order = np.argsort(keys, kind="stable")
    keys = keys[order]
    (first,) = np.nonzero(np.append(True, keys[1:] != keys[:-1]))
    return keys[first], np.add.reduceat(counts[order], first), values[order[first]]
