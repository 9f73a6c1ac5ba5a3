"""Long texts and large vocabularies: time and memory.

    python benchmarks/large_inputs.py --bytes 1000000000

Writes a text of so many bytes, words drawn by Zipf's law from 200,000, and reads it
twice on one core: the first time it is encoded into a cache, the second time found
there.  Then times training steps (1 layer of 200, batch 20, window 35) with
vocabularies of 10,000 and 200,000 words.  Last, builds models of 50 million weights:
the most memory that the process takes meanwhile, over the bytes of the weights; and the
most that Python's allocators hand out, over the bytes of weights and gradients (the
system gives the latter when they are first written).  Every measurement in a process of
its own.
"""

import argparse
import os
import tempfile
import time
import tracemalloc
from pathlib import Path

import numpy as np
from side_by_side import interleave, median_seconds, peak_memory_mb, report, summary

WORDS = 200_000


def write_text(path, size):
    """Lines of 20 words: each word twice, then random ones by Zipf's law."""
    words = np.array([f"w{i:x}" for i in range(WORDS)], dtype=object)
    shares = (1 / np.arange(1, WORDS + 1)).cumsum()
    rng = np.random.default_rng(0)
    with open(path, "w", encoding="ascii") as file:
        lines = np.concatenate([words, words])
        while file.tell() < size:
            file.write("\n".join(map(" ".join, lines.reshape(-1, 20).tolist())) + "\n")
            lines = words[shares.searchsorted(rng.random(400_000) * shares[-1])]


def load(path):
    """Seconds to load a text as a corpus, on one core."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    from rnnlm.text.corpus import load_corpus

    started = time.perf_counter()
    corpus = load_corpus(path)
    seconds = time.perf_counter() - started
    tokens = corpus.train.size + corpus.valid.ids.size + corpus.test.ids.size
    report(seconds=seconds, tokens=tokens)


def step(vocab_size, optimizer):
    """Seconds for a training step."""
    from rnnlm.compute.cores import available_cores
    from rnnlm.compute.threads import Workers
    from rnnlm.models import LanguageModel
    from rnnlm.training.optimizers import OPTIMIZERS
    from rnnlm.training.trainer import Trainer

    rng = np.random.default_rng(0)
    shares = (1 / np.arange(1, vocab_size + 1)).cumsum()
    ids = shares.searchsorted(rng.random((12, 20, 36)) * shares[-1]).astype(np.int32)
    with Workers(available_cores()) as workers:
        model = LanguageModel(vocab_size, 200, 200, rng=rng, workers=workers)
        trainer = Trainer(model, OPTIMIZERS[optimizer](0.001), max_grad=0.25, workers=workers)
        report(seconds=median_seconds(lambda k: trainer.step(ids[k, :, :-1], ids[k, :, 1:]), 9, 3))


MODELS = {"rnn, 100,000 words": {"vocab_size": 100_000, "wordvec_size": 250, "hidden_size": 250},
          "rnn, tied, 100,000 words": {"vocab_size": 100_000, "wordvec_size": 480, "hidden_size": 480, "tied": True},
          "lstm, 10,000 words": {"cell": "lstm", "vocab_size": 10_000, "wordvec_size": 1500, "hidden_size": 1500}}


def build(name, traced):
    """A model's weights, seconds to build it on one core, and the peaks of memory."""
    from rnnlm.compute.threads import Workers
    from rnnlm.models import LanguageModel

    LanguageModel(9, 3, 4, rng=np.random.default_rng(0))  # what is loaded at first use
    before = peak_memory_mb()
    if traced:
        tracemalloc.start()
    started = time.perf_counter()
    with Workers(1):
        packing = LanguageModel(**MODELS[name], rng=np.random.default_rng(0)).packing
    seconds = time.perf_counter() - started
    weights = sum(param.nbytes for param in packing.params)
    gradients = sum(grad.nbytes for grad in packing.grads if isinstance(grad, np.ndarray))
    report(seconds=seconds, weights=weights // 4, process=1e6 * (peak_memory_mb() - before) * 1.048576 / weights,
           traced=tracemalloc.get_traced_memory()[1] / (weights + gradients))


def show_models():
    """Measure and print what building takes."""
    print("\n| model | weights | seconds | memory of the process / weights | traced / weights and gradients |")
    print("|---|---|---|---|---|")
    for name in MODELS:
        commands = {kind: [__file__, "--measure", "build", name, kind] for kind in ("process", "traced")}
        results = {kind: rows[0] for kind, rows in interleave(commands, 1).items()}
        print(f"| {name} | {results['process']['weights']:,} | {results['process']['seconds']:.2f} | "
              f"{results['process']['process']:.3f} | {results['traced']['traced']:.3f} |", flush=True)


def main():
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bytes", type=int, default=1_000_000_000, help="size of the text (default: 1000000000)")
    parser.add_argument("--repeats", type=int, default=3, help="turns of the training steps (default: 3)")
    parser.add_argument("--measure", nargs="+", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        what, *arguments = options.measure
        if what == "load":
            load(*arguments)
        elif what == "step":
            step(int(arguments[0]), arguments[1])
        else:
            build(arguments[0], arguments[1] == "traced")
        return
    with tempfile.TemporaryDirectory() as folder:
        os.environ["RNNLM_CACHE"] = str(Path(folder) / "cache")
        text = Path(folder) / "text.txt"
        write_text(text, options.bytes)
        print("| | seconds | tokens/s | peak memory |\n|---|---|---|---|")
        for name in ("encoded", "found in the cache"):
            (result,) = interleave({name: [__file__, "--measure", "load", text]}, 1)[name]
            print(f"| {result['tokens']:,} tokens, {name} | {result['seconds']:.1f} | "
                  f"{result['tokens'] / result['seconds']:,.0f} | {result['peak_memory_mb']} MB |", flush=True)
    print("\n| vocabulary | optimizer | microseconds per token | per token and 1,000 words | peak memory |")
    print("|---|---|---|---|---|")
    names = [(size, rule) for size in (10_000, WORDS) for rule in ("sgd", "adam")]
    results = interleave({f"{size} {rule}": [__file__, "--measure", "step", size, rule] for size, rule in names},
                         options.repeats)
    for size, rule in names:
        result = results[f"{size} {rule}"]
        per_token = 1e6 * summary(result, "seconds")[0] / 700
        print(f"| {size:,} | {rule} | {per_token:,.0f} | {1000 * per_token / size:.2f} | "
              f"{summary(result, 'peak_memory_mb')[0]:,.0f} MB |")
    show_models()


if __name__ == "__main__":
    main()
