"""How far a model of the stories is from the grammar they were drawn from.

    python benchmarks/divergence_from_truth.py runs/stories

The Kullback-Leibler divergence from the truth p to the model q, before each word:

    KL = sum over words of p (log2 p - log2 q)                      bits

It is what the model's surprisal exceeds the true one by, on average over the words that
could come.  The mean excess surprisal is the same over the words that did come: it
needs no grammar, but differs from the mean divergence by chance.  The test text is read
as `rnnlm evaluate` reads it, as one stream.

A position belongs to the kind of word that was most probably due, in truth: what did
come would favour the positions where the model was lucky.
"""

import argparse
import json
import math
import sys
from pathlib import Path

import numpy as np

STORIES = Path(__file__).resolve().parent.parent / "datasets/stories"
WINDOW = 1024
KINDS = {"kind and name of the hero": ("kind", "kinds", "boy", "girl", "pair"),
         "home, lost thing, companion": ("home", "thing", "companion"),
         "pronouns and verb forms": ("he", "him", "his", "was", "lives", "my"), "deadline": ("deadline",),
         "words of one world": ("place", "folk", "object", "food", "walked")}  # columns of the grammar's tables
LINE_END, OTHER = "line end", "words of all worlds"


def kinds_of_words(rules):
    """{word: kind}: by the columns it fills, itself or as an alternative of a rule."""
    kinds = {name: kind for kind, names in KINDS.items() for name in names}
    found = {}
    for table in rules.values():
        for row in table.choices if table.columns else ():
            for name, cell in zip(table.columns, row, strict=True):
                for symbol in cell:  # the first column counts: autumn is a deadline, then part of the homecoming
                    found.setdefault(symbol, kinds.get(name, OTHER))
    for name, rule in rules.items():
        if not rule.columns:  # a word of a rule that no table names belongs to no table, such as "and"
            found.update({symbol: found.get(name, OTHER) for choice in rule.choices for symbol in choice})
    return found | {"/": LINE_END}


def truth_of(reader, tokens, ids, kinds):
    """(probabilities (T, V), the kind that is due (T,)) before each of the tokens."""
    probs, due = np.zeros((len(tokens), max(ids.values()) + 1)), []
    for row, token in zip(probs, tokens, strict=True):
        shares = {}
        for word, p in reader.distribution.items():
            row[ids[word]] = p
            shares[kinds[word]] = shares.get(kinds[word], 0) + p
        due.append(max(shares, key=shares.get))
        reader.read(token)
    return probs, due


def divergences(model, tokens, ids, reader, kinds):
    """Rows (kind, entropy, KL, excess surprisal), bits, one for each token."""
    xs = np.array([ids["/"], *(ids[token] for token in tokens)])
    with model.fresh_state():
        for start in range(0, len(tokens), WINDOW):
            part = tokens[start : start + WINDOW]
            T = len(part)
            p, due = truth_of(reader, part, ids, kinds)
            log_q = log2_softmax(model.predict(xs[np.newaxis, start : start + T])[0])[:, : p.shape[1]]
            log_p = np.log2(p, where=p > 0, out=np.zeros_like(p))
            words = np.arange(T), xs[start + 1 : start + 1 + T]
            yield from zip(due, -(p * log_p).sum(axis=1), (p * (log_p - log_q)).sum(axis=1),
                           (log_p - log_q)[words], strict=True)


def log2_softmax(scores):
    """Binary logarithms of softmax, in float64."""
    scores = scores.astype(np.float64)
    scores -= scores.max(axis=1, keepdims=True)
    return (scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))) / math.log(2)


def summary(rows):
    """{kind: figures}, the largest share of KL first, and those of all at the end."""
    kinds, numbers = np.array([row[0] for row in rows]), np.array([row[1:] for row in rows])
    total = numbers[:, 1].sum()
    figures = {kind: _figures(numbers[kinds == kind], total) for kind in dict.fromkeys(kinds.tolist())}
    ordered = sorted(figures.items(), key=lambda item: -item[1]["share"])
    return dict(ordered) | {"all": _figures(numbers, total)}


def _figures(numbers, total):
    entropy, divergence, excess = numbers.mean(axis=0)
    gaps = numbers[:, 2] - numbers[:, 1]  # of mean 0, given all before: their squares add up
    return {"positions": len(numbers), "entropy": float(entropy), "divergence": float(divergence),
            "excess": float(excess), "by_chance": math.sqrt((gaps**2).sum()) / len(numbers),
            "share": float(numbers[:, 1].sum() / total)}


def table(figures):
    """The figures as a Markdown table."""
    lines = ["| what was due | positions | true entropy | divergence | share of it | excess surprisal (± by chance) |",
             "|---|---|---|---|---|---|"]
    for kind, row in figures.items():
        lines.append(f"| {kind} | {row['positions']:,} | {row['entropy']:.3f} | {row['divergence']:.4f} | "
                     f"{row['share']:.0%} | {row['excess']:.4f} ± {row['by_chance']:.4f} |")
    return "\n".join(lines)


def measure(path):
    """The figures of a model file or run folder on the test text of the stories."""
    sys.path.insert(0, str(STORIES))  # its modules import each other by name
    from grammar import EOS, Grammar
    from make_stories import from_text
    from next_words import NextWords

    import rnnlm

    loaded, grammar = rnnlm.load(path), Grammar.read(STORIES / "stories.grammar")
    kinds = kinds_of_words(grammar.rules)
    train, tokens = (from_text((STORIES / f"{name}.txt").read_text(encoding="utf-8")) for name in ("train", "test"))
    ids = {"/" if word == "<eos>" else word: i for word, i in loaded.vocabulary.ids.items() if word != EOS}
    if missing := sorted(set(train) - ids.keys()):
        raise SystemExit(f"{path} must know all words of the stories, it lacks {len(missing)}, such as {missing[0]}: "
                         "train it on --corpus stories")
    return summary(list(divergences(loaded.model, tokens, ids, NextWords(grammar), kinds)))


def main(argv=None):
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", metavar="MODEL", help="a model file or run folder, trained on stories")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    options = parser.parse_args(argv)
    figures = measure(options.model)
    print(json.dumps(figures, indent=1) if options.json else table(figures))


if __name__ == "__main__":
    main()
