#!/usr/bin/env bash
# Finding: nltk's interpolated Kneser-Ney gives more than probability 1 to the first words of sentences.
#
# A good guess: the scores of all words of the vocabulary sum to 1 in every context, as for nltk's Witten-Bell and absolute discounting.
# What happens: after the start symbols the sum is above 1, and it grows with the discount. Other contexts sum to 1.
# Version: nltk 3.10.4, KneserNeyInterpolated of order 3 on eight short sentences.
# Output seen (sum of the scores):
#   nltk 3.10.4
#   discount 0.1   after <s> <s> 1.0012   after <s> 1.0500   after on the 1.0000
#   discount 0.75  after <s> <s> 1.0703   after <s> 1.3750   after on the 1.0000
# Who is hurt: comparisons of perplexity. The first word of each sentence is scored too well,
#   which counts most where sentences are short.
# What to do: sum the distribution once before you trust a perplexity; use kenlm for Kneser-Ney.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check nltk==3.10.4
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import sys

import nltk
from nltk.lm import KneserNeyInterpolated
from nltk.lm.preprocessing import padded_everygram_pipeline

TEXT = """the cat sat on the mat
the dog sat on the log
a cat saw the dog
a dog saw a cat on a mat
the cat ran
the old dog ran to the mat
a log lay on the mat
the dog and the cat sat on a log"""
sentences = [line.split() for line in TEXT.splitlines()]

print("nltk", nltk.__version__)
for discount in (0.1, 0.75):
    everygrams, words = padded_everygram_pipeline(3, sentences)
    model = KneserNeyInterpolated(3, discount=discount)
    model.fit(everygrams, words)
    sums = {
        context: sum(model.score(word, context) for word in model.vocab)
        for context in (("<s>", "<s>"), ("<s>",), ("on", "the"))
    }
    columns = [f"after {' '.join(context)} {total:.4f}" for context, total in sums.items()]
    print(f"discount {discount:<5}", "   ".join(columns))
    if sums["<s>", "<s>"] < 1.001 or sums["<s>",] < 1.01:
        sys.exit("changed: the start of a sentence sums to 1")
    if abs(sums["on", "the"] - 1) > 1e-9:
        sys.exit("changed: another context does not sum to 1")
PYTHON
