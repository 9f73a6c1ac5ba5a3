"""Write the corpus "stories": three texts drawn from a known grammar.

`python datasets/stories/make_stories.py` writes train.txt, valid.txt, test.txt,
test.truth.tsv and corpus.json beside this file. The same seed gives the same bytes
everywhere: the only source of chance is `random.Random(integer).random()`, whose stream
Python keeps from version to version.

The best possible perplexity is exp(-log P / targets), where P is the exact probability
of the text under the grammar it was drawn from, and every word and every line end is a
target. It is computed from the written text by `Grammar.score`, which does not know how
the text was drawn.
"""

import argparse
import json
import math
import os
import random
import sys
from collections import Counter
from pathlib import Path

from grammar import EOS, Grammar  # the files next to this one
from truth import truth_table

HERE = Path(__file__).resolve().parent
SIZES = {"train": 100_000, "valid": 10_000, "test": 10_000}  # in tokens; the last story is finished
SEED = 1
CLOSING = ["today", ".", EOS]  # ends every story, and occurs nowhere else
DESCRIPTION = (
    "Short fairy tales drawn from a grammar with memory: where a story plays and who it is about decide "
    "words many sentences later, and the best possible perplexity is known exactly."
)


def draw_split(grammar, size, seed):
    """Independent stories, (tokens, log probability); at least `size` tokens in all."""
    stream, stories, tokens = random.Random(seed), [], 0
    while tokens < size:
        stories.append(grammar.draw(stream.random))
        tokens += len(stories[-1][0])
    return stories


def to_text(tokens):
    """Tokens as the corpus shows them: a sentence a line, single spaces, `\\n`."""
    return "".join(token if token == EOS else token + " " for token in tokens).replace(" " + EOS, "\n")


def from_text(text):
    """The inverse of `to_text`: words, with EOS for each line end."""
    return [token for line in text.splitlines() for token in [*line.split(), EOS]]


def split_stories(tokens):
    """Cut a text after each closing; what follows the last one is a piece, too."""
    stories, start = [], 0
    for end in range(1, len(tokens) + 1):
        if tokens[max(start, end - len(CLOSING)) : end] == CLOSING:
            stories.append(tokens[start:end])
            start = end
    return stories + ([tokens[start:]] if start < len(tokens) else [])


def best_possible(grammar, tokens):
    """A split's exact log probability, its targets, its best possible perplexity."""
    log_prob = math.fsum(grammar.score(story).log_prob for story in split_stories(tokens))
    # Six decimals: more could differ in the last bit between two machines' logarithms.
    return {
        "log_prob": round(log_prob, 6),
        "targets": len(tokens),
        "perplexity": round(math.exp(-log_prob / len(tokens)), 6),
    }


def check(splits):
    """Assert what the corpus promises of its words, whatever the grammar has become."""
    seen = Counter(splits["train"])
    rare = {word: count for word, count in seen.items() if count < 10}
    assert not rare, f"every word must occur 10 times in train: {rare}"
    new = {*splits["valid"], *splits["test"]} - {word for word, count in seen.items() if count > 1}
    assert not new, f"every word of valid and test must occur twice in train: {sorted(new)}"
    assert 250 <= len(seen) <= 450, f"the vocabulary should have 250 to 450 words, it has {len(seen)}"


def describe(grammar, splits, seed):
    """The content of corpus.json."""
    return {
        "name": "stories",
        "title": "Stories with a known optimum",
        "description": DESCRIPTION,
        "licence": "MIT",
        "seed": seed,
        "vocabulary": len(set(splits["train"])),
        "tokens": {name: len(tokens) for name, tokens in splits.items()},
        "best_possible": {name: best_possible(grammar, tokens) for name, tokens in splits.items()},
    }


def write(path, text):
    """Write a whole file or nothing: under another name first, then under its own."""
    beside = path.with_name(path.name + ".part")
    beside.write_bytes(text.encode("utf-8"))
    os.replace(beside, path)


def make(folder, seed=SEED, sizes=SIZES):
    """Draw, check and write all files; returns what corpus.json holds."""
    grammar, splits = Grammar.read(HERE / "stories.grammar"), {}
    for index, (name, size) in enumerate(sizes.items()):  # each split has a stream of its own
        stories = draw_split(grammar, size, len(sizes) * seed + index)
        splits[name] = [token for tokens, _ in stories for token in tokens]
    check(splits)
    facts = describe(grammar, splits, seed)
    folder.mkdir(parents=True, exist_ok=True)
    for name, tokens in splits.items():
        write(folder / f"{name}.txt", to_text(tokens))
    write(folder / "test.truth.tsv", truth_table(grammar, splits["test"], "test.txt", seed))
    write(folder / "corpus.json", json.dumps(facts, indent=2) + "\n")
    return facts


def main(arguments=None):
    """The command line."""
    parser = argparse.ArgumentParser(description="Write the corpus 'stories'.")
    parser.add_argument("--output", type=Path, default=HERE, help="folder to write to (default: this one)")
    parser.add_argument("--seed", type=int, default=SEED, help="default: %(default)s, the shipped corpus")
    options = parser.parse_args(arguments)
    facts = make(options.output, options.seed)
    for name, best in facts["best_possible"].items():
        print(f"{name}: {best['targets']:,} tokens, best possible perplexity {best['perplexity']:.3f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
