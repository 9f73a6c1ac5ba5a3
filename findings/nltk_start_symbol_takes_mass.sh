#!/usr/bin/env bash
# Finding: nltk's language models give part of every distribution to the start symbol, which never has to be predicted.
#
# A good guess: a model made with nltk's own padding pipeline predicts words and the sentence end.
#   Its start symbol only serves as a context, as in SRILM and kenlm.
# What happens: <s> is counted as a word, so it has a share of the unigram distribution, twice a sentence for order 3.
#   Smoothing carries it into every context. On short sentences it is a fifth of the unigram mass.
# Version: nltk 3.10.4, a trigram WittenBellInterpolated on eight short sentences.
# Output seen (probability of <s>):
#   nltk 3.10.4
#   no context      0.195
#   <s>             0.452
#   zebra           0.195
#   sat on          0.022
#   perplexity of unseen sentences 12.19, with <s> left out and the rest renormalised 11.51
# Who is hurt: everyone who compares an nltk perplexity with that of another tool: nltk's is too high.
#   generate() can also write <s> in the middle of a text.
# What to do: divide each score by 1 - score(<s>) in its context, or use kenlm.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check nltk==3.10.4
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import math
import sys

import nltk
from nltk.lm import WittenBellInterpolated
from nltk.lm.preprocessing import pad_both_ends, padded_everygram_pipeline
from nltk.util import ngrams

TEXT = """the cat sat on the mat
the dog sat on the log
a cat saw the dog
a dog saw a cat on a mat
the cat ran
the old dog ran to the mat
a log lay on the mat
the dog and the cat sat on a log"""
UNSEEN = ["a dog ran on the old mat".split(), "the log saw a cat".split(), "to the dog".split()]
sentences = [line.split() for line in TEXT.splitlines()]
everygrams, words = padded_everygram_pipeline(3, sentences)
model = WittenBellInterpolated(3)
model.fit(everygrams, words)

print("nltk", nltk.__version__)
contexts = ((), ("<s>",), ("zebra",), ("sat", "on"))
shares = [model.score("<s>", context) for context in contexts]
for context, share in zip(contexts, shares):
    total = sum(model.score(word, context) for word in model.vocab)
    if abs(total - 1) > 1e-9:
        sys.exit("changed: the distribution does not sum to 1")
    print(f"{' '.join(context) or 'no context':15} {share:.3f}")

# Each sentence is padded with two start symbols: its trigrams predict its words and both end symbols.
given = plain = 0.0
count = 0
for sentence in UNSEEN:
    for *context, word in list(ngrams(pad_both_ends(sentence, n=3), 3))[: len(sentence) + 1]:
        given -= math.log(model.score(word, context))
        plain -= math.log(model.score(word, context) / (1 - model.score("<s>", context)))
        count += 1
print(
    f"perplexity of unseen sentences {math.exp(given / count):.2f},"
    f" with <s> left out and the rest renormalised {math.exp(plain / count):.2f}"
)
if shares[0] < 0.1 or shares[2] < 0.1:
    sys.exit("changed: <s> no longer takes mass")
PYTHON
