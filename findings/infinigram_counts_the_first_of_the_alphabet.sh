#!/usr/bin/env bash
# Finding: after a context that occurs more than 10,000 times, infinigram knows only the continuations that come first in
#   the alphabet.
#
# A good guess: predict() and score() use the counts of the whole corpus, for "every prediction traces to actual corpus
#   occurrences"; or, as the documentation of continuations() says, of a sample of 10,000 occurrences.
# What happens: the sample is the first 10,000 entries of the suffix array, and these are sorted by what follows.
#   The letters at the end of the alphabet have the probability 0, and the first ones share theirs.
#   predict() and score() have no parameter to change this.
# Version: py-infinigram 0.7.0 (the import name is infinigram).
# Output seen (a text of single letters with blanks between, all 26 equally frequent; what follows a blank):
#   py-infinigram 0.7.0
#    7800 blanks: 26 letters, a 0.038, z 0.038, score(" z") -8.80
#   26000 blanks: 10 letters, a 0.100, z 0.000, score(" z") -37.78
#   counted:      26 letters, a 0.038, z 0.038, score(" z") -8.80
# Who is hurt: who takes it as an n-gram baseline for characters or bytes. A text of 60,000 characters has 10,000 blanks
#   already, and a short context is the rule wherever a text leaves the corpus. More text makes the model worse.
# What to do: divide the counts of model.continuations(context, limit=None) by their sum yourself.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check py-infinigram==0.7.0
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import math
import sys
from importlib.metadata import version
from string import ascii_lowercase as LETTERS

from infinigram import Infinigram


def report(name, probabilities, score):
    known = sum(p > 0 for p in probabilities.values())
    a, z = (probabilities.get(ord(letter), 0.0) for letter in "az")
    print(f"{name:13} {known} letters, a {a:.3f}, z {z:.3f}, score(\" z\") {score:.2f}")


print(f"py-infinigram {version('py-infinigram')}")
found = {}
for repeats in (300, 1000):
    text = "".join(f" {letter}" for letter in LETTERS * repeats)
    blanks = text.count(" ")
    with Infinigram(text) as model:
        found[repeats] = model.predict(b" ", top_k=256), model.score(b" z")
        report(f"{blanks:5} blanks:", *found[repeats])
        counts = model.continuations(b" ", limit=None)
    if counts != {ord(letter): repeats for letter in LETTERS} or blanks != 26 * repeats:
        sys.exit("changed: the counts without a limit")
counted = {byte: count / sum(counts.values()) for byte, count in counts.items()}
score = math.log(1 / 256) + math.log(counted[ord("z")])  # the first symbol of a text always has 1/256
report("counted:", counted, score)

few, many = (found[repeats][0] for repeats in (300, 1000))
if any(abs(few.get(ord(letter), 0) - 1 / 26) > 1e-9 for letter in LETTERS) or abs(found[300][1] - score) > 1e-6:
    sys.exit("changed: fewer than 10,000 occurrences")
if set(many) != set(LETTERS[:10].encode()) or any(abs(p - 0.1) > 1e-9 for p in many.values()):
    sys.exit("changed: the letters that follow a frequent context")
if found[1000][1] > -30:
    sys.exit("changed: score()")
PYTHON
