"""One network or several that adapt, each with a cache, and an n-gram model as one.

    python benchmarks/several_adapting.py RUN... --mix ARPA --valid VALID --test TEST

Each network learns on by itself ("rms", with the statistics.npz of its folder, which
``rnnlm evaluate RUN TEXT --dynamic rms`` makes) and remembers by itself.  ``--beside``
names networks that are partners as they are.  The weights are those that make the
validation text most probable (expectation-maximisation), and with ``--follow`` they
follow the text from there.  Settings are those of docs/mixing.md for the recipe
``lstm``.  ``--rows`` keeps ln p of every token under each part: arrays "valid" and
"test" (parts, tokens), and "names".
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
from rnnlm.scoring.following import FollowingWeights
from rnnlm.text.corpus import read_text


def adapting(run, options):
    """The network of a run as it is, the one that adapts, and the vocabulary."""
    model, vocabulary, sha256 = load_model_and_sha256(model_file(run))
    statistics = load_statistics(Path(run) / "statistics.npz", model.architecture.shapes(), sha256,
                                 options.statistics_window or options.window)
    dynamic = DynamicModel(model, "rms", window=options.window, lr=options.lr, decay=options.decay, eps=options.eps,
                           statistics=statistics, recurrent=options.recurrent)
    cache = CacheSettings(options.cache, options.theta, options.weight, options.cache_decay,
                          follow=options.follow or None)
    return model, cache.around(dynamic), vocabulary


def perplexity(rows, weights, follow=0):
    """That of a mixture, from ln p of every token under each part (parts, n)."""
    if follow:
        weights = FollowingWeights(weights, follow).take(rows)
        return float(np.exp(-np.log((weights * np.exp(rows)).sum(axis=0)).mean()))
    return float(np.exp(-np.log(weights @ np.exp(rows)).mean()))


def mixtures(n, beside):
    """Which parts are mixed, by name.

    The parts are n networks, those ``beside`` them, the n again, adapting, and the
    n-gram model.
    """
    m, last = n + beside, 2 * n + beside
    others = {"adapting, beside, n-gram": range(n, last + 1)} if beside else {}
    return {"static": range(n), "static, n-gram": [*range(n), last], "adapting": range(m, last),
            "adapting, n-gram": range(m, last + 1), **others,
            f"static, adapting, {'beside, ' * bool(beside)}n-gram": range(last + 1)}


def parsed(argv):
    """The options."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("runs", nargs="+", metavar="RUN")
    for name in ("mix", "valid", "test"):
        parser.add_argument(f"--{name}", required=True, metavar="FILE")
    parser.add_argument("--beside", action="append", default=[], metavar="RUN")
    parser.add_argument("--rows", metavar="FILE.npz")
    for name, value in {"lr": 5e-5, "decay": 0.008, "eps": 2e-5, "recurrent": 1.0, "theta": 0.2, "weight": 0.0556,
                        "cache-decay": 0.002}.items():
        parser.add_argument(f"--{name}", type=float, default=value)
    for name, value in {"window": 20, "statistics-window": 0, "cache": 2000, "follow": 0}.items():
        parser.add_argument(f"--{name}", type=int, default=value)
    return parser.parse_args(argv)


def main(argv=None):
    """Print the perplexities of each part and of the mixtures."""
    options = parsed(argv)
    static, adapted, vocabularies = zip(*[adapting(run, options) for run in options.runs], strict=True)
    ngram, beside = rnnlm.load(options.mix), [load_model_and_sha256(model_file(run))[0] for run in options.beside]
    parts = [*static, *beside, *adapted, on_vocabulary(ngram.model, ngram.vocabulary, vocabularies[0],
                                                       "the n-gram model", "the first network")[0]]
    n, m = len(static), len(static) + len(beside)
    names = [f"{kind} {i + 1}" for kind, count in (("static", n), ("beside", m - n), ("adapting", n))
             for i in range(count)] + ["n-gram"]
    texts = [read_text(path, vocabularies[0]) for path in (options.valid, options.test)]
    valid, test = (np.array([token_log_probs(part, text, vocabularies[0].eos_id) for part in parts]) for text in texts)
    if options.rows:
        np.savez_compressed(options.rows, names=names, valid=valid, test=test)
    for name, of_valid, of_test in zip(names, valid, test, strict=True):
        print(f"| {name} | {np.exp(-of_valid.mean()):.2f} | {np.exp(-of_test.mean()):.2f} |")
    found = {}
    for name, chosen in mixtures(n, m - n).items():
        rows = valid[list(chosen)], test[list(chosen)]
        weights = weights_by_em(rows[0]).weights
        found[name] = {"weights": np.round(weights, 4).tolist()}
        for kind, follow in {"": 0, ", following": options.follow}.items() if options.follow else (("", 0),):
            found[name + kind] = found.get(name + kind, {}) | {
                text: perplexity(of, weights, follow) for text, of in zip(("valid", "test"), rows, strict=True)}
            print(f"| all, {name}{kind} | {found[name + kind]['valid']:.2f} | {found[name + kind]['test']:.2f} |")
    print(json.dumps(found))


if __name__ == "__main__":
    main()
