"""Several networks that adapt, each with a cache, and an n-gram model as one.

    python benchmarks/several_adapting.py RUN... --mix ARPA --valid VALID --test TEST

Each network learns on by itself ("rms", with the statistics.npz of its folder, which
``rnnlm evaluate RUN TEXT --dynamic rms`` makes) and remembers by itself.  The weights
are those that make the validation text most probable (expectation-maximisation).
Settings are those of docs/mixing.md for the recipe ``lstm``.
"""

import argparse
import json
from pathlib import Path

import numpy as np

import rnnlm
from rnnlm.adapting.caches import CacheSettings
from rnnlm.adapting.dynamic import DynamicModel
from rnnlm.formats.model_file import load_model_and_sha256, model_file
from rnnlm.formats.statistics_file import load_statistics
from rnnlm.mixing.vocabularies import on_vocabulary
from rnnlm.mixing.weights import weights_by_em
from rnnlm.scoring.evaluation import token_log_probs
from rnnlm.text.corpus import read_text


def adapting(run, options):
    """The network of a run as it is, the one that adapts, and the vocabulary."""
    model, vocabulary, sha256 = load_model_and_sha256(model_file(run))
    statistics = load_statistics(Path(run) / "statistics.npz", model.architecture.shapes(), sha256, options.window)
    dynamic = DynamicModel(model, "rms", window=options.window, lr=options.lr, decay=options.decay,
                           statistics=statistics)
    cache = CacheSettings(options.cache, options.theta, options.weight, options.cache_decay)
    return model, cache.around(dynamic), vocabulary


def perplexity(rows, weights):
    """That of a mixture, from ln p of every token under each part (parts, n)."""
    return float(np.exp(-np.log(weights @ np.exp(rows)).mean()))


def main(argv=None):
    """Print the perplexities of each part and of the mixtures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("runs", nargs="+", metavar="RUN")
    for name in ("mix", "valid", "test"):
        parser.add_argument(f"--{name}", required=True, metavar="FILE")
    for name, value in {"lr": 5e-5, "decay": 0.008, "theta": 0.2, "weight": 0.0556, "cache-decay": 0.002}.items():
        parser.add_argument(f"--{name}", type=float, default=value)
    parser.add_argument("--window", type=int, default=20)
    parser.add_argument("--cache", type=int, default=2000)
    options = parser.parse_args(argv)
    static, adapted, vocabularies = zip(*[adapting(run, options) for run in options.runs], strict=True)
    ngram = rnnlm.load(options.mix)
    parts = [*static, *adapted, on_vocabulary(ngram.model, ngram.vocabulary, vocabularies[0], "the n-gram model",
                                              "the first network")[0]]
    texts = [read_text(path, vocabularies[0]) for path in (options.valid, options.test)]
    valid, test = (np.array([token_log_probs(part, text, vocabularies[0].eos_id) for part in parts]) for text in texts)
    n = len(static)
    names = [f"{kind} {i + 1}" for kind in ("static", "adapting") for i in range(n)] + ["n-gram"]
    for name, of_valid, of_test in zip(names, valid, test, strict=True):
        print(f"| {name} | {np.exp(-of_valid.mean()):.2f} | {np.exp(-of_test.mean()):.2f} |")
    found = {}
    for name, chosen in {"static": range(n), "static, n-gram": [*range(n), 2 * n], "adapting": range(n, 2 * n),
                         "adapting, n-gram": range(n, 2 * n + 1)}.items():
        weights = weights_by_em(valid[list(chosen)]).weights
        found[name] = {"weights": np.round(weights, 4).tolist(), "valid": perplexity(valid[list(chosen)], weights),
                       "test": perplexity(test[list(chosen)], weights)}
        print(f"| all, {name} | {found[name]['valid']:.2f} | {found[name]['test']:.2f} |")
    print(json.dumps(found))


if __name__ == "__main__":
    main()
