#!/usr/bin/env bash
# Finding: the "wer" of kaldialign's bootstrap_wer_ci is not the word error rate, and its interval can be below 0.
#
# A good guess: "wer" is the error rate of the data, all errors over all words; only the interval is resampled.
# What happens: "wer" is the mean over the resampled sets of their rates. Where utterances differ in length it is biased.
#   The interval is that mean plus and minus 1.96 standard deviations, so it can leave the possible range.
# Version: kaldialign 0.12.0. The documentation calls the value an estimate of the mean.
# Output seen (one utterance of 40 words, all right, and five of one word, all wrong):
#   kaldialign 0.12.0
#   errors over words: 0.111
#   bootstrap_wer_ci:  0.387, from -0.461 to 1.236
# Who is hurt: those who report both numbers of this call for a small test set with short and long utterances.
# What to do: take the rate from the error counts, and give the quantiles of your own resampling.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check kaldialign==0.12.0
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import sys
from importlib.metadata import version

import kaldialign

references = [["word"] * 40] + [["yes"]] * 5
hypotheses = [["word"] * 40] + [["no"]] * 5
errors = sum(kaldialign.edit_distance(r, h)["total"] for r, h in zip(references, hypotheses))
rate = errors / sum(map(len, references))
found = kaldialign.bootstrap_wer_ci(references, hypotheses)
print("kaldialign", version("kaldialign"))
print(f"errors over words: {rate:.3f}")
print(f"bootstrap_wer_ci:  {found['wer']:.3f}, from {found['ci95min']:.3f} to {found['ci95max']:.3f}")
if abs(found["wer"] - rate) < 0.1:
    sys.exit("changed: wer is the error rate of the data")
if found["ci95min"] >= 0:
    sys.exit("changed: the interval is within the possible range")
PYTHON
