#!/usr/bin/env bash
# Finding: texterrors takes <unk> out of the hypothesis and leaves it in the reference.
#
# A good guess: <unk> is a word as any other, or it is a wrong word wherever it stands, or it is left out on both sides.
# What happens: the reader of hypotheses drops each <unk> and the reader of references keeps it; the options and the
#   output do not mention it. An inserted <unk> costs nothing, and the same text on both sides has errors.
#   The functions that take lists of words count <unk> as any other word.
# Version: texterrors 1.1.9, jiwer 4.0.0.
# Output seen (word error rates in per cent):
#   texterrors 1.1.9, jiwer 4.0.0
#   reference        hypothesis               texterrors  jiwer
#   the cat sat      the <unk> cat <unk> sat         0.0   66.7
#   the <unk> sat    the <unk> sat                  33.3    0.0
#   the cat sat      the <unk> sat                  33.3   33.3
# Who is hurt: who rescores with a model of words: its n-best lists hold <unk>, and a system that writes it between the
#   right words looks perfect. Penn Treebank and WikiText have <unk> in the references, which nothing can match.
# What to do: give another spelling to <unk> in both files first.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check texterrors==1.1.9 jiwer==4.0.0
cd "$folder"
cat > show.py <<'PYTHON'
import re
import subprocess
import sys
from importlib.metadata import version

import jiwer

print(f"texterrors {version('texterrors')}, jiwer {version('jiwer')}")
print(f"{'reference':16} {'hypothesis':23} {'texterrors':>11} {'jiwer':>6}")
for reference, hypothesis, expected in (
    ("the cat sat", "the <unk> cat <unk> sat", ("0.0", "66.7")),
    ("the <unk> sat", "the <unk> sat", ("33.3", "0.0")),
    ("the cat sat", "the <unk> sat", ("33.3", "33.3")),
):
    for name, text in (("reference", reference), ("hypothesis", hypothesis)):
        with open(name, "w") as file:
            file.write(text + "\n")
    printed = subprocess.run([sys.argv[1], "reference", "hypothesis"], check=True, capture_output=True, text=True)
    found = re.search(r"WER: (\S+)", printed.stdout)[1], f"{100 * jiwer.wer(reference, hypothesis):.1f}"
    print(f"{reference:16} {hypothesis:23} {found[0]:>11} {found[1]:>6}")
    if found != expected:
        sys.exit("changed")
PYTHON
"$folder/venv/bin/python" show.py "$folder/venv/bin/texterrors"
