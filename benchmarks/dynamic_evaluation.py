"""What dynamic evaluation costs, compared with static scoring in the same windows.

    python benchmarks/dynamic_evaluation.py --corpus ptb

The test text is one stream.  Both read the same windows of it in turns, in one process,
so that what else the machine does meets both.  The weights are random, and the rates so
small that they stay so: the work is the same.  Also measured: the mean squares of the
gradients, for each token of a training text, compared with training on it.
"""

import argparse
import json
import time

import numpy as np

from rnnlm.adapting.dynamic import DynamicModel
from rnnlm.adapting.gradient_statistics import gradient_statistics
from rnnlm.compute.cores import available_cores
from rnnlm.compute.threads import Workers
from rnnlm.models import LanguageModel
from rnnlm.text.batches import TimeBatches
from rnnlm.text.corpus import load_corpus
from rnnlm.training.optimizers import Adam
from rnnlm.training.trainer import Trainer

LR = 1e-9
TOKENS = 14_000  # of the training text, for the statistics and for a piece of an epoch


def interleaved(model, statistics, ids, window, method, repeats):
    """Seconds a window of static and of dynamic scoring, (repeats, 2)."""
    dynamic = DynamicModel(model, method, window=window, lr=LR, statistics=statistics if method == "rms" else None)
    turns = np.array_split(np.arange((len(ids) - 1) // window), repeats + 1)
    seconds = []
    with model.fresh_state(), dynamic.fresh_state():
        for windows in turns:
            seconds.append([read(predictor, ids, windows, window) for predictor in (model, dynamic)])
    return np.array(seconds[1:])  # the first turn warms up


def read(predictor, ids, windows, window):
    """Seconds a window."""
    started = time.perf_counter()
    for start in windows * window:
        predictor.log_probs(ids[np.newaxis, start : start + window], ids[np.newaxis, start + 1 : start + window + 1])
    return (time.perf_counter() - started) / len(windows)


def statistics_and_training(model, ids):
    """The GradientStatistics, and how many times a piece of an epoch they take."""
    started = time.perf_counter()
    statistics = gradient_statistics(model, ids)
    seconds = time.perf_counter() - started
    V, D, H, layers = (model.architecture[name] for name in ("vocab_size", "wordvec_size", "hidden_size", "layers"))
    trained = LanguageModel(V, D, H, layers, cell=model.architecture["cell"], rng=np.random.default_rng(0),
                            workers=model.workers)
    trainer = Trainer(trained, Adam(0.001))
    started = time.perf_counter()
    for xs, ts in TimeBatches(ids, 20, 35):
        trainer.step(xs, ts)
    return statistics, seconds / (time.perf_counter() - started)


def measure(options):
    """The figures, a dict."""
    corpus = load_corpus(options.corpus)
    train, ids = corpus.train[: TOKENS], corpus.test.ids[: options.tokens]
    with Workers(options.threads or available_cores()) as workers:
        model = LanguageModel(len(corpus.vocabulary), options.hidden_size, options.hidden_size, options.layers,
                              cell=options.cell, rng=np.random.default_rng(0), workers=workers)
        model.set_training(False)
        statistics, of_training = statistics_and_training(model, train)
        figures = {"statistics": {"over_training": of_training}}
        for window in options.windows:
            for method in ("sgd", "rms"):
                seconds = interleaved(model, statistics, ids, window, method, options.repeats)
                static, dynamic = np.median(seconds, axis=0) * 1000
                figures[f"{method}, windows of {window}"] = {
                    "static_ms": static, "dynamic_ms": dynamic,
                    "over_static": float(np.median(seconds[:, 1] / seconds[:, 0]))}
        return figures


def main():
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", default="ptb", help="a known name, a folder or a file (default: ptb)")
    parser.add_argument("--cell", default="rnn")
    parser.add_argument("--hidden-size", type=int, default=200)
    parser.add_argument("--layers", type=int, default=2)
    parser.add_argument("--windows", type=int, nargs="+", default=(5, 20))
    parser.add_argument("--tokens", type=int, default=20_000, help="of the test text (default: 20000)")
    parser.add_argument("--repeats", type=int, default=9, help="turns (default: 9)")
    parser.add_argument("--threads", type=int, help="threads (default: the cores there are)")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    options = parser.parse_args()
    figures = measure(options)
    if options.json:
        print(json.dumps(figures))
        return
    print("| what | static, ms a window | dynamic | times |\n|---|---|---|---|")
    over = figures.pop("statistics")["over_training"]
    for name, row in figures.items():
        print(f"| {name} | {row['static_ms']:.2f} | {row['dynamic_ms']:.2f} | {row['over_static']:.2f} |")
    print(f"\nMean squares of the gradients: {over:.2f} times as long as training on the same text.")


if __name__ == "__main__":
    main()
