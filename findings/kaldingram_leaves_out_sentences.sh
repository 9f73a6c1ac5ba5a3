#!/usr/bin/env bash
# Finding: "kaldingram ppl" prints SRILM's lines, but one unknown word removes its whole sentence from the perplexity.
#
# A good guess: as the lines are those of SRILM, only the unknown words are left out,
#   and logprob is the sum over all other words and sentence ends.
# What happens: a sentence with an unknown word adds nothing to logprob, ppl and ppl1,
#   while "sentences" and "words" still count it. kenlm's per-word scores of the same file show what is missing.
# Version: kaldingram 0.1.2 and kenlm-ex 0.2.1 (imported as kenlm).
# Output seen (three sentences, two with one unknown word each):
#   kaldingram 0.1.2, kenlm-ex 0.2.1
#   file test.txt: 3 sentences, 17 words, 2 OOVs
#   2 zeroprobs, logprob= -3.4895 ppl= 3.1514 ppl1= 3.8158
#   kenlm, known words and sentence ends of all three: logprob= -11.5580 ppl= 4.3864
# Who is hurt: everyone who compares this number with SRILM's, kenlm's or a neural model's.
#   The more unknown words, the fewer sentences count, and the left ones are the easy ones.
# What to do: compute logprob from per-word scores, and compare models only on the same tokens.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check kaldingram==0.1.2 kenlm-ex==0.2.1
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
cat > test.txt <<'TEXT'
the cat sat on the log
a bird saw the mat
the dog and the zebra ran
TEXT
venv/bin/kaldingram train --ngram-order 3 --text train.txt --lm model.arpa 2> messages.txt || { cat messages.txt; exit 1; }
venv/bin/kaldingram ppl --lm model.arpa --text test.txt > lines.txt 2> messages.txt || { cat messages.txt; exit 1; }
venv/bin/python - 2> messages.txt <<'PYTHON' || { cat messages.txt; exit 1; }
import re
import sys
from importlib.metadata import version

import kenlm

lines = open("lines.txt").read().strip().splitlines()[-2:]
logprob = float(re.search(r"logprob= (\S+)", lines[1]).group(1))

model = kenlm.Model("model.arpa")
scores = [list(model.full_scores(line.strip())) for line in open("test.txt")]
known = [score for sentence in scores for score, _, unknown in sentence if not unknown]
complete = [score for score, _, _ in scores[0]]  # the sentence without an unknown word

print(f"kaldingram {version('kaldingram')}, kenlm-ex {version('kenlm-ex')}")
print(*lines, sep="\n")
print(
    f"kenlm, known words and sentence ends of all three: logprob= {sum(known):.4f}"
    f" ppl= {10 ** (-sum(known) / len(known)):.4f}"
)
if abs(logprob - sum(complete)) > 1e-3:
    sys.exit("changed: logprob is no longer that of the complete sentence alone")
if "3 sentences, 17 words, 2 OOVs" not in lines[0]:
    sys.exit("changed: the counts")
PYTHON
