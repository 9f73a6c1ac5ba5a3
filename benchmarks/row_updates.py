"""Adam on a large embedding: all rows at each step, or those that the window reads.

    python benchmarks/row_updates.py
    python benchmarks/row_updates.py --rows 10000 20000 50000 --width 650

A window has 700 ids, drawn by Zipf's law.  Both ways update a matrix of their own by
the same gradients, in turns in one process.  Before that, rows miss and catch up
``--before`` steps, so that they are as far behind as in the middle of a run; dense
steps cost the same from the start, unless with --faded.  The time of a late step
includes a share of the pass over all rows that is made once in SPAN steps.  Last, how
far a smaller matrix is from that of dense steps in 64 bits: the largest distance after
--check steps.
"""

import argparse
import json
import statistics
import time

import numpy as np

from rnnlm.compute.cores import available_cores
from rnnlm.compute.row_gradient import RowGradient
from rnnlm.compute.threads import Workers
from rnnlm.training import catching_up
from rnnlm.training.optimizers import OPTIMIZERS

IDS = 700  # of a window


class Embedding:
    """A matrix, its gradient in windows that follow from the seed, and an optimizer."""

    def __init__(self, rows, width, optimizer, dtype=np.float32):
        self.rng = np.random.default_rng(0)
        self.shares = (1 / np.arange(1, rows + 1)).cumsum()
        self.W = self.rng.uniform(-0.1, 0.1, (rows, width)).astype(dtype)
        self.gradient, self.optimizer = RowGradient(self.W), OPTIMIZERS[optimizer](0.002)

    def draw(self):
        """The next window: ids and a gradient of the size that a clipped one has."""
        ids = self.shares.searchsorted(self.rng.random(IDS) * self.shares[-1])
        self.gradient.set(ids, self.rng.normal(scale=1e-4, size=(IDS, self.W.shape[1])).astype(self.W.dtype))

    def dense(self, workers):
        """A step of all rows."""
        self.optimizer.update([self.W], [self.gradient], workers=workers)

    def late(self, workers):
        """A step of the rows that the window reads."""
        self.optimizer.catch_up([self.W], [self.gradient], [self.gradient.ids], workers)
        self.dense(workers)


def seconds(function, *arguments):
    """How long it takes."""
    started = time.perf_counter()
    function(*arguments)
    return time.perf_counter() - started


def measure(rows, options, workers):
    """Medians of both ways' steps, in milliseconds."""
    dense, late = (Embedding(rows, options.width, options.optimizer) for _ in range(2))
    for _ in range(options.before):
        late.draw()
        late.late(workers)
    dense.optimizer.slots_for([dense.W])
    if options.faded:
        for slots in dense.optimizer.slots.values():
            slots[0][...] = 1e-12  # the squares fade so slowly that this takes 30,000 steps more
        dense.optimizer.slots[dense.optimizer.slot_names[0]][0][...] = 3e-44
    times = {"dense": [], "late": []}
    for _ in range(options.steps):
        for name, embedding in (("dense", dense), ("late", late)):
            embedding.draw()
            times[name].append(1000 * seconds(getattr(embedding, name), workers))
    settling = 1000 * seconds(late.optimizer.settle, [late.W], workers)
    result = {name: statistics.median(values) for name, values in times.items()}
    share = settling / catching_up.SPAN
    return {"rows": rows, "dense": result["dense"], "late": result["late"] + share, "settling": settling,
            "times": result["dense"] / (result["late"] + share)}


def distances(options, workers):
    """The largest distances between the ends of --check steps of a smaller matrix."""
    ends = {}
    for way in ("dense", "late"):
        for bits, dtype in ((64, np.float64), (32, np.float32)):
            embedding = Embedding(5000, 8, options.optimizer, dtype)
            for _ in range(options.check):
                embedding.draw()
                getattr(embedding, way)(workers)
            embedding.optimizer.settle([embedding.W], workers)
            ends[f"{way}, {bits} bits"] = embedding.W
    exact = ends.pop("dense, 64 bits")
    return {name: float(np.abs(W - exact).max()) for name, W in ends.items()} | {
        "largest weight": float(np.abs(exact).max())}


def main():
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="+", default=[10_000, 50_000, 200_000], help="sizes (words)")
    parser.add_argument("--width", type=int, default=200, help="numbers of a row (default: 200)")
    parser.add_argument("--optimizer", choices=OPTIMIZERS, default="adam")
    parser.add_argument("--before", type=int, default=3000, help="late steps that are not timed (default: 3000)")
    parser.add_argument("--steps", type=int, default=31, help="steps that are timed (default: 31)")
    parser.add_argument("--check", type=int, default=3000, help="steps after which rows are compared (default: 3000)")
    parser.add_argument("--faded", action="store_true", help="dense steps of rows that have not been met for about "
                        "900 steps: the running means in the first slot are denormal numbers")
    parser.add_argument("--threads", type=int, default=available_cores())
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args()
    catching_up.ROWS = 0
    with Workers(options.threads) as workers:
        results = [measure(rows, options, workers) for rows in options.rows]
        far = distances(options, workers)
    if options.json:
        print(json.dumps({"steps": results, "distances": far}))
        return
    print("| rows | dense, ms | late, ms | dense / late |\n|---|---|---|---|")
    for row in results:
        print(f"| {row['rows']:,} | {row['dense']:.2f} | {row['late']:.2f} | {row['times']:.1f} |")
    print(f"\n| after {options.check:,} steps | largest distance from dense, 64 bits |\n|---|---|")
    for name, distance in far.items():
        print(f"| {name} | {distance:.1e} |")


if __name__ == "__main__":
    main()
