#!/usr/bin/env bash
# Finding: compute-wer drops the vowel signs of Hindi and its neighbours, and counts one word as several.
#
# A good guess: a word error rate counts the words between blanks, and two words that differ are an error.
#   The program names scripts without blanks that it splits into characters; Hindi and Tamil are not among them.
# What happens: a word ends at each sign that Unicode calls a mark, and the mark itself is in no word.
#   "पानी" (water) and "पाना" (to get) become the same two pieces, so this error counts as two right words.
#   An accent that is a character of its own (form NFD) is dropped, too, and splits its word.
#   Signs are words: "<unk>" is three of them, so each unknown word that agrees is three right words.
# Version: compute-wer 0.2.5.
# Output seen (errors / words as printed, then as counted between blanks):
#   compute-wer 0.2.5
#   Hindi noun   0 / 5   1 / 3
#   Hindi verb   0 / 4   1 / 3
#   Tamil verb   0 / 4   1 / 2
#   accent, NFC  1 / 4   1 / 4
#   accent, NFD  2 / 5   1 / 4
#   <unk>        1 / 8   1 / 6
# Who is hurt: everyone who compares recognisers or n-best lists in Hindi, Marathi, Bengali, Tamil or pointed Hebrew,
#   and everyone whose texts keep <unk>.  The rate can be 0 where a third of the words is wrong.
# What to do: for these scripts use a tool that splits at blanks, as jiwer does.
#   Write accents in form NFC, and give <unk> a name of letters only.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check compute-wer==0.2.5
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import os
import re
import subprocess
import sys
import unicodedata
from importlib.metadata import version

# reference, hypothesis, form, and what was seen: errors and words, and the true ones
TEXTS = {
    "Hindi noun": ("मुझे पानी है", "मुझे पाना है", "NFC", (0, 5, 1, 3)),
    "Hindi verb": ("वह जाता है", "वह जाती है", "NFC", (0, 4, 1, 3)),
    "Tamil verb": ("அவன் வந்தான்", "அவன் வந்தேன்", "NFC", (0, 4, 1, 2)),
    "accent, NFC": ("the résumé is here", "the resume is here", "NFC", (1, 4, 1, 4)),
    "accent, NFD": ("the résumé is here", "the resume is here", "NFD", (2, 5, 1, 4)),
    "<unk>": ("the <unk> sat on the mat", "the <unk> sat on a mat", "NFC", (1, 8, 1, 6)),
}


def distance(a, b):
    """The least number of words to replace, leave out or put in."""
    row = list(range(len(b) + 1))
    for i, word in enumerate(a, 1):
        previous, row = row, [i]
        for j, other in enumerate(b, 1):
            row.append(min(previous[j] + 1, row[-1] + 1, previous[j - 1] + (word != other)))
    return row[-1]


def counted(reference, hypothesis):
    """Errors and words as the program prints them."""
    for name, text in (("reference.txt", reference), ("hypothesis.txt", hypothesis)):
        with open(name, "w", encoding="utf-8") as file:
            file.write(f"u1 {text}\n")
    command = [os.path.join(os.path.dirname(sys.executable), "compute-wer"), "reference.txt", "hypothesis.txt"]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", check=True,
                          env=dict(os.environ, PYTHONIOENCODING="utf-8", PYTHONUTF8="1"))
    words, *errors = re.search(r"Overall -> .*N=(\d+) Cor=\d+ Sub=(\d+) Del=(\d+) Ins=(\d+)", done.stdout).groups()
    return sum(map(int, errors)), int(words)


print("compute-wer", version("compute-wer"))
for name, (*pair, form, expected) in TEXTS.items():
    reference, hypothesis = (unicodedata.normalize(form, text) for text in pair)
    words = reference.split()
    seen = *counted(reference, hypothesis), distance(words, hypothesis.split()), len(words)
    print(f"{name:11}  {seen[0]} / {seen[1]}   {seen[2]} / {seen[3]}")
    if seen != expected:
        sys.exit(f"changed: {name}")
PYTHON
