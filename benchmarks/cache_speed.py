"""What a cache over hidden states costs: scoring with one and without, in turns.

    python benchmarks/cache_speed.py --corpus ptb

The test text is scored as one stream by a network with random weights: the work is the
same.  All ways take turns in one process, so that what else the machine does falls on
all of them.  The ratio is that of the medians.
"""

import argparse
import json
import statistics
import sys
import time

import numpy as np

from rnnlm.adapting.cache import Cache
from rnnlm.adapting.unigram_cache import UnigramCache
from rnnlm.compute.cores import available_cores
from rnnlm.compute.threads import Workers
from rnnlm.models import LanguageModel
from rnnlm.scoring.evaluation import token_log_probs
from rnnlm.text.corpus import load_corpus


def main():
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", default="ptb", help="a known name, a folder or a file (default: ptb)")
    parser.add_argument("--hidden-size", type=int, default=200)
    parser.add_argument("--layers", type=int, default=2)
    parser.add_argument("--sizes", type=int, nargs="+", default=[500, 2000], help="words (default: 500 2000)")
    parser.add_argument("--repeats", type=int, default=5, help="turns (default: 5)")
    parser.add_argument("--threads", type=int, help="threads (default: the cores there are)")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    options = parser.parse_args()
    corpus = load_corpus(options.corpus)
    with Workers(options.threads or available_cores()) as workers:
        model = LanguageModel(len(corpus.vocabulary), options.hidden_size, options.hidden_size, options.layers,
                              rng=np.random.default_rng(0), workers=workers)
        ways = {"static": model} | {f"cache of {size:,}": Cache(model, size) for size in options.sizes}
        ways[f"unigram cache of {options.sizes[-1]:,}"] = UnigramCache(model, options.sizes[-1])
        figures = measured(ways, corpus.test.ids, corpus.vocabulary.eos_id, options.repeats)
    print(json.dumps(figures, indent=1) if options.json else table(figures))


def measured(ways, ids, eos_id, repeats):
    """The seconds of each way, and their ratio to the first."""
    seconds = {name: [] for name in ways}
    for turn in range(repeats):
        print(f"turn {turn + 1} of {repeats}", file=sys.stderr)
        for name, model in ways.items():
            started = time.perf_counter()
            token_log_probs(model, ids, eos_id)
            seconds[name].append(time.perf_counter() - started)
    medians = {name: statistics.median(times) for name, times in seconds.items()}
    return {name: {"seconds": medians[name], "fastest": min(times), "slowest": max(times),
                   "ratio": medians[name] / next(iter(medians.values()))} for name, times in seconds.items()}


def table(figures):
    """The figures as a Markdown table."""
    lines = ["| | seconds (fastest to slowest) | over static scoring |", "|---|---|---|"]
    lines += [f"| {name} | {row['seconds']:.2f} ({row['fastest']:.2f} to {row['slowest']:.2f}) | {row['ratio']:.2f} |"
              for name, row in figures.items()]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
