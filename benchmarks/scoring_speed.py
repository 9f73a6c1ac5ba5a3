"""How fast a text is scored and how fast words are drawn, compared with PyTorch.

    python benchmarks/scoring_speed.py --corpus ptb

Scoring reads the test text as one stream, batch 1; drawing writes one word after the
other.  Both with random weights: the work is the same.  Every subject runs in a process
of its own, in turns.  "output product" is the product with the output matrix alone, as
often as it is needed: what drawing cannot do without.
"""

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from side_by_side import FOLDER, interleave, report, summary

WORDS = 4000
TASKS = {"evaluate": ("rnnlm", "torch"), "generate": ("rnnlm", "output product", "torch")}


def subject(task, name, config):
    """Seconds of one subject of this project."""
    from itertools import islice

    from rnnlm.compute.blas import blas_threads
    from rnnlm.compute.cores import available_cores
    from rnnlm.compute.threads import Workers
    from rnnlm.models import LanguageModel
    from rnnlm.scoring.evaluation import token_log_probs
    from rnnlm.scoring.generation import generate

    V, H, threads = config["vocab_size"], config["hidden_size"], config["threads"] or available_cores()
    if name == "output product":
        h, W, out = np.ones((1, H), np.float32), np.ones((V, H), np.float32), np.empty((1, V), np.float32)
        with blas_threads(threads):
            return seconds(lambda: [np.matmul(h, W.T, out=out) for _ in range(config["words"])])
    workers = Workers(threads)
    model = LanguageModel(V, H, H, config["layers"], rng=np.random.default_rng(0), workers=workers)
    if task == "generate":
        with blas_threads(threads):
            return seconds(lambda: list(islice(generate(model, [0], rng=np.random.default_rng(0)), config["words"])))
    ids = np.load(config["ids"])
    with workers:
        return seconds(lambda: token_log_probs(model, ids, 0))


def seconds(work):
    """How long work() takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def main():
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", default="ptb", help="a known name, a folder or a file (default: ptb)")
    parser.add_argument("--hidden-size", type=int, default=200)
    parser.add_argument("--layers", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=5, help="turns (default: 5)")
    parser.add_argument("--threads", type=int, help="threads of rnnlm (default: the cores there are)")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    parser.add_argument("--measure", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        task, name, config = options.measure
        report(seconds=subject(task, name, json.loads(config)))
        return
    from rnnlm.text.corpus import load_corpus

    corpus = load_corpus(options.corpus)
    figures = {}
    with tempfile.TemporaryDirectory() as folder:
        ids = Path(folder) / "test.npy"
        np.save(ids, corpus.test.ids)
        config = json.dumps({
            "ids": str(ids), "vocab_size": len(corpus.vocabulary), "hidden_size": options.hidden_size, "window": 256,
            "layers": options.layers, "words": WORDS, "threads": options.threads})
        for task, names in TASKS.items():
            count = corpus.test.ids.size if task == "evaluate" else WORDS
            print(f"{task}: {count:,} words", file=sys.stderr)
            results = interleave({
                name: [FOLDER / "torch_peer.py", task, config] if name == "torch"
                else [__file__, "--measure", task, name, config] for name in names}, options.repeats)
            figures[task] = {name: dict(zip(("seconds", "fastest", "slowest"), summary(result, "seconds"), strict=True))
                             | {"words_per_second": count / summary(result, "seconds")[0]}
                             for name, result in results.items()}
    print(json.dumps(figures, indent=1) if options.json else table(figures))


def table(figures):
    """The figures as a Markdown table."""
    lines = ["| | | seconds (fastest to slowest) | words/s | PyTorch's time over it | output product's share |",
             "|---|---|---|---|---|---|"]
    for task, rows in figures.items():
        for name, row in rows.items():
            ratio = f"{rows['torch']['seconds'] / row['seconds']:.2f}" if "torch" in rows else ""
            product = rows.get("output product")
            share = f"{product['seconds'] / row['seconds']:.2f}" if product else ""
            lines.append(f"| {task} | {name} | {row['seconds']:.2f} ({row['fastest']:.2f} to {row['slowest']:.2f}) | "
                         f"{row['words_per_second']:,.0f} | {ratio} | {share} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
