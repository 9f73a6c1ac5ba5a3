"""How many words a second are written: one text, and many side by side.

    python benchmarks/writing_speed.py

Weights are random: the work is the same.  Every subject runs in a process of its own,
in turns.  "floor" is what many texts cannot do without: for each word of all of them
the product with the output matrix, the exponentials and their sums, by all threads.
Nothing else should run meanwhile.
"""

import argparse
import json
import time

import numpy as np
from side_by_side import interleave, report, summary

WAYS = {"one": {}, "one, top 40": {"top_k": 40}, "many": {}, "many, top 40": {"top_k": 40},
        "many, top 0.9": {"top_p": 0.9}, "many, greedy": {"temperature": 0}, "many, with scores": {"scores": True},
        "floor": {}}


def subject(name, config):
    """Words, and the seconds they took, of one subject."""
    from rnnlm.compute.blas import blas_threads
    from rnnlm.compute.cores import available_cores
    from rnnlm.compute.threads import Workers
    from rnnlm.models import LanguageModel
    from rnnlm.text.vocabulary import Vocabulary

    V, H, threads = config["vocab_size"], config["hidden_size"], config["threads"] or available_cores()
    workers, count, words = Workers(threads), config["samples"], config["words"]
    model = LanguageModel(V, H, H, config["layers"], cell=config["cell"], rng=np.random.default_rng(0),
                          workers=workers)
    vocabulary = Vocabulary(["<eos>", *(f"w{i}" for i in range(1, V))])
    if name.startswith("one"):
        with blas_threads(threads):
            write_one(model, 20, WAYS[name])
            return words, seconds(lambda: write_one(model, words, WAYS[name]))
    with workers:
        if name == "floor":
            work = output_alone(model, count, workers)
            return count * words, seconds(lambda: [work() for _ in range(words)])
        write_many(model, vocabulary, count, 5, WAYS[name])
        return count * words, seconds(lambda: write_many(model, vocabulary, count, words, WAYS[name]))


def write_one(model, words, way):
    """Words, one after the other."""
    from itertools import islice

    from rnnlm.scoring.generation import generate

    return list(islice(generate(model, [0], rng=np.random.default_rng(0), **way), words))


def write_many(model, vocabulary, count, words, way):
    """So many texts of so many words."""
    from rnnlm.scoring.writing import write_samples

    return list(write_samples(model, vocabulary, count=count, rng=np.random.default_rng(0), length=words, **way))


def output_alone(model, count, workers):
    """A function: the arithmetic of the output for a word of each text."""
    from rnnlm.compute.threads import slices

    rows = np.random.default_rng(0).random((count, model.architecture["hidden_size"]), np.float32)

    def work(part):
        products = model.output.products_by_word(rows[part])
        np.exp(products, out=products)
        return np.ones(len(products), products.dtype) @ products

    return lambda: workers.each(work, slices(count, min(32, -(-count // workers.threads))))


def seconds(work):
    """How long work() takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def main():
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--vocab-size", type=int, default=10_000)
    parser.add_argument("--hidden-size", type=int, default=200)
    parser.add_argument("--layers", type=int, default=2)
    parser.add_argument("--cell", default="rnn")
    parser.add_argument("--samples", type=int, default=64, help="texts side by side (default: 64)")
    parser.add_argument("--words", type=int, default=1000, help="words of each text (default: 1000)")
    parser.add_argument("--subjects", nargs="+", choices=tuple(WAYS), default=list(WAYS))
    parser.add_argument("--repeats", type=int, default=5, help="turns (default: 5)")
    parser.add_argument("--threads", type=int, help="threads (default: the cores there are)")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    parser.add_argument("--measure", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        name, config = options.measure
        words, taken = subject(name, json.loads(config))
        report(words=words, seconds=taken)
        return
    config = json.dumps({name: getattr(options, name) for name in
                         ("vocab_size", "hidden_size", "layers", "cell", "samples", "words", "threads")})
    results = interleave({name: [__file__, "--measure", name, config] for name in options.subjects}, options.repeats)
    figures = compare(results)
    print(json.dumps(figures, indent=1) if options.json else table(figures))


def compare(results):
    """Each subject's words per second: median, range, and ratio to one text's."""
    figures = {}
    for name, result in results.items():
        median, fastest, slowest = summary(result, "seconds")
        words = result[0]["words"]
        figures[name] = {"words_per_second": words / median, "lowest": words / slowest, "highest": words / fastest}
    for row in figures.values():
        row["over_one"] = row["words_per_second"] / figures["one"]["words_per_second"] if "one" in figures else None
    return figures


def table(figures):
    """The figures as a Markdown table."""
    lines = ["| texts | words/s (lowest to highest) | over one text |", "|---|---|---|"]
    for name, row in figures.items():
        ratio = "" if row["over_one"] is None else f"{row['over_one']:.1f}"
        lines.append(f"| {name} | {row['words_per_second']:,.0f} ({row['lowest']:,.0f} to {row['highest']:,.0f}) | "
                     f"{ratio} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
