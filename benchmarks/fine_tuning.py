"""How soon a trained model knows another text, next to one that starts from nothing.

    rnnlm train --config lstm-quick --corpus ptb --output news
    python benchmarks/fine_tuning.py news

The text comes with every Python: its language reference, 100 kB of it to train on.  It
is prepared as the Penn Treebank is: lower case, no punctuation, N for numbers, and
<unk> for words that occur once.  So all models read the same tokens, and their
perplexities compare.  All have the cell and the sizes of the model.
"""

import argparse
import json
import re
import tempfile
from collections import Counter
from pathlib import Path

import numpy as np

import rnnlm

SIZES = {"train": 100_000, "valid": 50_000, "test": 50_000}  # bytes of each text
SECONDS = (5, 15, 30, 60, 120, 300)  # when the perplexity so far is looked at
WORD = re.compile(r"[a-z]+(?:'s|n't)?|\d[\d.,]*")
REGULARISATION = {"input_dropout": 0.4, "output_dropout": 0.5, "dropout_mask": "window", "weight_decay": 0.1}
TRAINING = {"optimizer": "adamw", "batch_size": 10, "time_size": 35, "random_start": True, "max_grad": 1.0,
            "average": "exponential", "average_decay": 0.98, **REGULARISATION}
SHAPE = ("cell", "hidden_size", "layers", "wordvec_size", "tied", "projection")


def runs(model):
    """The runs by name: the options of rnnlm.train."""
    shape = {name: rnnlm.load(model).model.architecture[name] for name in SHAPE}
    fine = {**TRAINING, "init_from": model, "extend_vocab": True, "epochs": 16, "lr": 0.005}
    return {
        "from nothing": {**TRAINING, **shape, "output_start": "frequencies", "epochs": 40, "lr": 0.01, "patience": 6},
        "fine-tuned": fine,
        "fine-tuned, word vectors frozen": {**fine, "freeze": "embedding"},
    }


def sentences():
    """Yield the topics of Python's language reference: lists of sentences."""
    from pydoc_data.topics import topics

    for name in sorted(topics):
        paragraphs = topics[name].split("\n\n")
        prose = [" ".join(part.split()) for part in paragraphs if part and not part.startswith((" ", "*", "=", "-"))]
        found = [WORD.findall(line.lower()) for part in prose for line in re.split(r"(?<=[.:?!]) ", part)]
        yield [["N" if word[0].isdigit() else word for word in words] for words in found if len(words) > 2]


def write_texts(folder, sizes, seed):
    """Write train.txt, valid.txt and test.txt, each of whole topics."""
    topics = list(sentences())
    np.random.default_rng(seed).shuffle(topics)
    texts = {}
    for split, size in sizes.items():
        lines = []
        while topics and sum(len(" ".join(words)) + 1 for words in lines) < size:
            lines += topics.pop()
        texts[split] = lines
    counts = Counter(word for words in texts["train"] for word in words)
    for split, lines in texts.items():
        known = "\n".join(" ".join(word if counts[word] > 1 else "<unk>" for word in words) for words in lines)
        (Path(folder) / f"{split}.txt").write_text(known[: sizes[split]].rpartition("\n")[0] + "\n", encoding="utf-8")


class Curve(rnnlm.Observer):
    """Keeps the validation perplexity before training."""

    before = None

    def on_initial_validation(self, evaluation):
        self.before = evaluation.perplexity


def measured(corpus, options, folder, threads, epochs):
    """A run as numbers: the perplexities after seconds, and that of the test text."""
    curve = Curve()
    options = options | ({"epochs": epochs} if epochs else {})
    run = rnnlm.train(corpus=corpus, observer=curve, output=folder, threads=threads, **options)
    points = [(record.seconds, record.valid_perplexity) for record in run.records]
    return {"before": curve.before, "points": points, "test": run.test.perplexity, "best": run.best.valid_perplexity,
            "seconds_to_best": run.best.seconds}


def after(points, seconds):
    """The lowest perplexity within so many seconds, None before the first."""
    return min((perplexity for second, perplexity in points if second <= seconds), default=None)


def table(results):
    """The results as a Markdown table."""
    heads = ["", "before training", *(f"{seconds} s" for seconds in SECONDS), "best (seconds)", "test"]
    lines = [f"| {' | '.join(heads)} |", "|---|" + "---:|" * (len(heads) - 1)]
    for name, result in results.items():
        cells = [result["before"], *(after(result["points"], seconds) for seconds in SECONDS)]
        shown = ["-" if value is None else f"{value:.1f}" for value in cells]
        shown += [f"{result['best']:.1f} ({result['seconds_to_best']:.0f})", f"{result['test']:.1f}"]
        lines.append(f"| {name} | {' | '.join(shown)} |")
    return "\n".join(lines)


def main(argv=None):
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("model", help="a model file or a run folder")
    parser.add_argument("--corpus", help="a folder with texts that are prepared already")
    parser.add_argument("--only", nargs="*", help="names of the runs")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--epochs", type=int, help="of each run, for a quick look")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true", help="print all numbers")
    args = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as folder:
        corpus = args.corpus or folder
        if not args.corpus:
            write_texts(folder, SIZES, args.seed)
        results = {name: measured(corpus, options | {"seed": args.seed}, Path(folder) / name, args.threads, args.epochs)
                   for name, options in runs(args.model).items() if not args.only or name in args.only}
    print(json.dumps(results, indent=1) if args.json else table(results))


if __name__ == "__main__":
    main()
