#!/usr/bin/env bash
# Finding: in jiwer a tab or a line break does not separate words.
#
# A good guess: the word error rate is computed on words, that is on text split at white space.
# What happens: jiwer's default transformation splits at the ordinary blank only.
#   "the\tcat" is one word, so it is wrong against "the cat", and the rate is 2.
#   fastwer does the same, and takes a second blank for an empty word.
#   kaldialign gets lists from str.split() and sees no error.
# Version: jiwer 4.0.0, fastwer 0.2.0, kaldialign 0.12.0.
# Output seen (word errors of the reference "the<separator>cat" against "the cat", in per cent):
#   jiwer 4.0.0, fastwer 0.2.0, kaldialign 0.12.0
#   two blanks: jiwer 0, fastwer 33, kaldialign 0
#   tab:        jiwer 200, fastwer 200, kaldialign 0
#   line break: jiwer 200, fastwer 200, kaldialign 0
# Who is hurt: those who score transcripts in Kaldi's form, "utterance<TAB>words", or read a paragraph with line breaks.
#   The rate is too high, and differs between tools on the same two strings.
# What to do: give " ".join(text.split()) to the scorer.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check jiwer==4.0.0 fastwer==0.2.0 kaldialign==0.12.0
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import sys
from importlib.metadata import version

import fastwer
import jiwer
import kaldialign

print(*(f"{name} {version(name)}" for name in ("jiwer", "fastwer", "kaldialign")), sep=", ")
found = {}
for label, separator in (("two blanks", "  "), ("tab", "\t"), ("line break", "\n")):
    reference, hypothesis = f"the{separator}cat", "the cat"
    found[label] = (
        round(100 * jiwer.wer(reference, hypothesis)),
        round(fastwer.score_sent(hypothesis, reference)),
        round(100 * kaldialign.edit_distance(reference.split(), hypothesis.split())["err_rate"]),
    )
    print(f"{label + ':':11} jiwer {found[label][0]}, fastwer {found[label][1]}, kaldialign {found[label][2]}")
for label in ("tab", "line break"):
    if found[label] != (200, 200, 0):
        sys.exit(f"changed: a {label} between two words")
if found["two blanks"] != (0, 33, 0):
    sys.exit("changed: two blanks between two words")
PYTHON
