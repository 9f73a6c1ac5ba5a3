#!/usr/bin/env bash
# Finding: jiwer and kaldialign agree on the number of word errors, but not on what the errors are.
#
# A good guess: both look for the alignment with the fewest errors, so substitutions, insertions and deletions agree.
# What happens: several alignments have the fewest errors, and the two tools choose differently.
#   jiwer tends to report substitutions, kaldialign to keep right words in place.
#   Of 3,000 random pairs of up to six words from three, 165 differed.
# Version: jiwer 4.0.0, kaldialign 0.12.0.
# Output seen:
#   jiwer 4.0.0, kaldialign 0.12.0
#   reference "a b c c", hypothesis "c c a": 3 errors of 4 words in both
#   jiwer:      2 substitutions, 0 insertions, 1 deletions, 1 words right
#   kaldialign: 0 substitutions, 1 insertions, 2 deletions, 2 words right
# Who is hurt: studies that report the kinds of errors, or the words that a language model repaired in rescoring.
#   A table of substitutions made by one tool cannot be compared with a table made by another.
# What to do: compare only the total between tools; name the tool where you report kinds of errors.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check jiwer==4.0.0 kaldialign==0.12.0
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import sys
from importlib.metadata import version

import jiwer
import kaldialign

reference, hypothesis = "a b c c", "c c a"
one = jiwer.process_words(reference, hypothesis)
two = kaldialign.edit_distance(reference.split(), hypothesis.split())
counts = {
    "jiwer": (one.substitutions, one.insertions, one.deletions),
    "kaldialign": (two["sub"], two["ins"], two["del"]),
}
print(*(f"{name} {version(name)}" for name in counts), sep=", ")
print(f'reference "{reference}", hypothesis "{hypothesis}": {two["total"]} errors of 4 words in both')
for name, (substitutions, insertions, deletions) in counts.items():
    print(
        f"{name + ':':11} {substitutions} substitutions, {insertions} insertions, {deletions} deletions,"
        f" {4 - substitutions - deletions} words right"
    )
if sum(counts["jiwer"]) != sum(counts["kaldialign"]):
    sys.exit("changed: even the totals differ")
if counts["jiwer"] == counts["kaldialign"]:
    sys.exit("changed: the kinds of errors agree")
PYTHON
