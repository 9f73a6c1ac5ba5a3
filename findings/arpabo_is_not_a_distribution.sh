#!/usr/bin/env bash
# Finding: the ARPA files of arpabo hold no probability distributions: the words after a context sum to as much as 2.
#
# A good guess: a tool that offers Good-Turing, Katz and Kneser-Ney smoothing writes models that sum to 1 in each context,
#   since that is what back-off weights are for.
# What happens: with the default, Good-Turing, all back-off weights of the bigram model below are 0 (a factor of 1),
#   so the mass of the lower order is added to what is already full. Kneser-Ney sums to more than 1, too.
#   Its perplexities therefore look better than those of any real model.
# Version: arpabo 0.3.0, read by kenlm-ex 0.2.1 after its blanks were replaced by tabs and its first line removed,
#   because neither kenlm nor arpa reads the file as written.
# Output seen (sum of the probabilities of all words and the sentence end; trained on eight short sentences):
#   arpabo 0.3.0, kenlm-ex 0.2.1
#   good_turing, order 2: after "<s>" 1.380, after "on" 1.525, after "log" 1.956
#   kneser_ney, order 2: after "<s>" 1.577, after "on" 1.465, after "log" 1.353
#   back-off weights other than 0 in the good_turing model: 0
# Who is hurt: those who take this baseline for the n-gram part of an interpolation or of a table.
#   A neural model loses against numbers that are no probabilities.
# What to do: sum an n-gram model over its vocabulary in a few contexts before you quote a perplexity.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check arpabo==0.3.0 kenlm-ex==0.2.1
cd "$folder"
cat > train.txt <<'TEXT'
the cat sat on the mat
the dog sat on the log
a cat saw the dog
a dog saw a cat on a mat
the cat ran
the old dog ran to the mat
a log lay on the mat
the dog and the cat sat on a log
TEXT
"$folder/venv/bin/python" - 2> messages.txt <<'PYTHON' || { cat messages.txt; exit 1; }
import sys
from importlib.metadata import version

import kenlm
from arpabo import ArpaBoLM


def written(method):
    """The lines of the ARPA file that arpabo writes, from the line of \\data\\ on."""
    model = ArpaBoLM(max_order=2, smoothing_method=method)
    with open("train.txt") as file:
        model.read_corpus(file)
    model.compute()
    model.write_file("written.arpa")
    lines = open("written.arpa").read().splitlines()
    return lines[lines.index("\\data\\"):]


def with_tabs(lines):
    order = 0
    for line in lines:
        if line.endswith("-grams:"):
            order = int(line[1])
        elif order and line and not line.startswith("\\"):
            probability, *rest = line.split()
            line = "\t".join([probability, " ".join(rest[:order]), *rest[order:]])
        yield line


def unigrams(lines):
    start, end = lines.index("\\1-grams:"), lines.index("\\2-grams:")
    return [line.split() for line in lines[start + 1 : end] if line]


def total(model, context, words):
    empty, state, after = kenlm.State(), kenlm.State(), kenlm.State()
    if context == "<s>":
        model.BeginSentenceWrite(state)
    else:
        model.NullContextWrite(empty)
        model.BaseScore(empty, context, state)
    return sum(10 ** model.BaseScore(state, word, after) for word in words)


print(f"arpabo {version('arpabo')}, kenlm-ex {version('kenlm-ex')}")
for method in ("good_turing", "kneser_ney"):
    lines = written(method)
    with open("model.arpa", "w") as file:
        file.write("\n".join(with_tabs(lines)) + "\n")
    model = kenlm.Model("model.arpa")
    words = [entry[1] for entry in unigrams(lines) if entry[1] != "<s>"]
    sums = {context: total(model, context, words) for context in ("<s>", "on", "log")}
    print(f"{method}, order 2: " + ", ".join(f'after "{c}" {s:.3f}' for c, s in sums.items()))
    if min(sums.values()) < 1.05:
        sys.exit(f"changed: {method} sums to 1")
    if method == "good_turing":
        weights = sum(float(entry[2]) != 0 for entry in unigrams(lines) if len(entry) > 2)
print("back-off weights other than 0 in the good_turing model:", weights)
PYTHON
