#!/usr/bin/env bash
# Finding: for pyctcdecode the words of an ARPA file that have no back-off weight are unknown words.
#
# A good guess: the words of the file are the vocabulary. SRILM writes a back-off weight only where a longer n-gram
#   begins with the word, and kenlm reads a missing weight as 0, so both files are the same model.
# What happens: pyctcdecode reads the list of words itself, and takes a line with three fields only. A word without a
#   weight is not in the list: its score is 10 lower (unk_score_offset, base 10 here; 23 in natural logarithms). Those
#   are the words that end sentences, and after pruning many more. kenlm's own scores of the two files are equal.
# Version: pyctcdecode 0.5.0, kenlm-ex 0.2.1 (the import name is kenlm).
# Output seen (sounds that fit "the cat" and "the cab" equally well):
#   pyctcdecode 0.5.0, kenlm-ex 0.2.1
#   "cat" with the weight 0: heard "the cat", its score -2.77
#   "cat" without a weight:  heard "the cab", the score of "the cat" -25.8
#   kenlm's log10 p(the cat): -1.204 with the weight, -1.204 without
# Who is hurt: who decodes speech with a model of SRILM, or of another tool that leaves weights out. The warning about a
#   small list of words comes below 1000 words only.
# What to do: pass unigrams= with all words of the file, or write the weight 0 where there is none.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check pyctcdecode==0.5.0 kenlm-ex==0.2.1 numpy==1.26.4
cd "$folder"
"$folder/venv/bin/python" - 2> errors <<'PYTHON' || { cat errors >&2; exit 1; }
import math
import sys
from importlib.metadata import version

import kenlm
import numpy as np
from pyctcdecode import build_ctcdecoder

LABELS = ["", " ", *"abceht"]  # the blank is ""


def write(name, weight):
    """A model of "the cat" and "the cab"; only "cat" begins no bigram."""
    lines = ["\\data\\", "ngram 1=6", "ngram 2=4", "", "\\1-grams:",
             "-99\t<s>\t-0.30103", "-2\t<unk>", "-0.60206\t</s>", "-0.60206\tthe\t-0.30103", f"-0.60206\tcat{weight}",
             "-0.60206\tcab\t-0.1", "", "\\2-grams:",
             "-0.30103\t<s> the", "-0.30103\tthe cat", "-0.60206\tthe cab", "-0.7\tcab </s>", "", "\\end\\", ""]
    with open(name, "w") as file:
        file.write("\n".join(lines))


def sounds():
    """ln p of the labels: certain up to the last letter, which is t or b."""
    rows = []
    for letters in (*"the ca", "tb"):
        for heard in (letters, [""]):
            row = np.full(len(LABELS), -30.0)
            row[[LABELS.index(letter) for letter in heard]] = -math.log(len(heard))
            rows.append(row)
    return np.array(rows)


print(f"pyctcdecode {version('pyctcdecode')}, kenlm-ex {version('kenlm-ex')}")
found, own = [], []
for name, weight in (("with.arpa", "\t0"), ("without.arpa", "")):
    write(name, weight)
    decoder = build_ctcdecoder(LABELS, kenlm_model_path=name, alpha=1.0, beta=0.0)
    beams = decoder.decode_beams(sounds(), beam_prune_logp=-100)
    scores = {beam[0]: beam[-1] - beam[-2] for beam in beams}  # of the language model
    found.append((beams[0][0], round(float(scores["the cat"]), 2)))
    own.append(round(kenlm.Model(name).score("the cat"), 3))
print(f'"cat" with the weight 0: heard "{found[0][0]}", its score {found[0][1]:.3g}')
print(f'"cat" without a weight:  heard "{found[1][0]}", the score of "the cat" {found[1][1]:.3g}')
print(f"kenlm's log10 p(the cat): {own[0]} with the weight, {own[1]} without")
by_hand = -0.30103 - 0.30103 - 0.60206  # <s> the, the cat, then </s> without a weight
if own != [round(by_hand, 3)] * 2 or found[0] != ("the cat", round(by_hand * math.log(10), 2)):
    sys.exit("changed: the model with all weights")
if found[1] != ("the cab", round((by_hand - 10) * math.log(10), 2)):
    sys.exit("changed: a word without a weight")
PYTHON
