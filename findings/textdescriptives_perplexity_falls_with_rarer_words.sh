#!/usr/bin/env bash
# Finding: in textdescriptives the perplexity of a text is the higher, the more frequent its words are, and the longer
#   the text is.
#
# A good guess: perplexity is exp of the mean of -ln p over the words, with the word frequencies for p. Rare words raise
#   it, and a text that is repeated keeps it.
# What happens: -p ln p is summed over the words of the text. That is no entropy: they are not all the words there are,
#   and may come more than once. exp of this sum is called perplexity: 1 and a little for rare words, with p near 0.
#   A text that is repeated n times has the n-th power. per_word_perplexity is that number over the number of words.
# Version: textdescriptives 2.8.4, spacy 3.8.18.
# Output seen (with ln p of the words as in spaCy's English table):
#   textdescriptives 2.8.4, spacy 3.8.18
#   text                      perplexity  per word  exp(mean of -ln p)
#   the                             1.11     1.109                  34
#   dog                             1.00     1.001                8434
#   quark                           1.00     1.000             2785673
#   the the the the                 1.51     0.378                  34
#   the dog                         1.11     0.555                 536
#   the dog, 20 times               8.09     0.202                 536
# Who is hurt: who sets this number beside the perplexity of a language model, or takes it for the difficulty of a text:
#   easy and long texts look hard.
# What to do: take the mean of -token.prob over the tokens, or a language model.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
# The frequency table itself, spacy-lookups-data, is left out: the few numbers that are used stand below.
"$folder/venv/bin/pip" install -q --disable-pip-version-check spacy==3.8.18 numpy==1.26.4 pandas==3.0.6 ftfy==6.3.1 \
    pyphen==0.18.1
"$folder/venv/bin/pip" install -q --disable-pip-version-check --no-deps textdescriptives==2.8.4
cd "$folder"
cat > show.py <<'PYTHON'
import math
import sys
from importlib.metadata import version

import spacy
import textdescriptives  # noqa: F401 (it makes its components known to spacy)

LOG_P = {"the": -3.53, "dog": -9.04, "quark": -14.84}
nlp = spacy.blank("en")
nlp.vocab.lookups.add_table("lexeme_prob", LOG_P)
nlp.add_pipe("textdescriptives/information_theory")
print(f"textdescriptives {version('textdescriptives')}, spacy {version('spacy')}")
print(f"{'text':25} {'perplexity':>10} {'per word':>9} {'exp(mean of -ln p)':>19}")
found = {}
for name, text in (
    ("the", "the"),
    ("dog", "dog"),
    ("quark", "quark"),
    ("the the the the", "the the the the"),
    ("the dog", "the dog"),
    ("the dog, 20 times", " ".join(["the dog"] * 20)),
):
    words = text.split()
    doc = nlp(text)
    found[name] = doc._.perplexity
    usual = math.exp(-sum(LOG_P[word] for word in words) / len(words))
    print(f"{name:25} {doc._.perplexity:10.2f} {doc._.per_word_perplexity:9.3f} {usual:19.0f}")
    expected = math.exp(-sum(math.exp(LOG_P[word]) * LOG_P[word] for word in words))
    if abs(doc._.perplexity - expected) > 1e-3 or abs(doc._.per_word_perplexity - expected / len(words)) > 1e-3:
        sys.exit(f"changed: {name}")
if not found["the"] > found["dog"] > found["quark"] or abs(found["the dog, 20 times"] - found["the dog"] ** 20) > 1e-2:
    sys.exit("changed: the order")
PYTHON
"$folder/venv/bin/python" show.py 2> errors || { cat errors >&2; exit 1; }
