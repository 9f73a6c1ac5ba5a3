#!/usr/bin/env bash
# Finding: the ARPA reader "arpa" drops the exponent of a back-off weight, and kenlm reads the same file right.
#
# A good guess: a number such as -4.34e-05 is read, or the line is refused.
# What happens: the part "e-05" is dropped. The back-off weight becomes -4.34, a factor of 20,000,
#   and dumps() writes the wrong number to the next file. Probabilities keep their exponent.
# Version: arpa 0.1.0b4; kenlm-ex 0.2.1 (imported as kenlm).
# Output seen:
#   arpa 0.1.0b4, kenlm-ex 0.2.1
#   log10 p(a | <s> a) by back-off from a, weight -4.34e-05:
#   kenlm -0.3980
#   arpa  -4.7379
#   written again by arpa: -0.39794 a -4.34
# Who is hurt: everyone who reads the ARPA file of a tool that prints with %g, as small weights then have exponents.
#   A weight near 0 means "no discount"; it becomes a heavy one. The perplexity is wrong without an error.
# What to do: write back-off weights with a fixed number of decimals, and read with kenlm.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check arpa==0.1.0b4 kenlm-ex==0.2.1
cd "$folder"
"$folder/venv/bin/python" - 2> messages.txt <<'PYTHON' || { cat messages.txt; exit 1; }
import sys
from importlib.metadata import version

import arpa
import kenlm

with open("model.arpa", "w") as file:
    file.write(
        "\\data\\\nngram 1=4\nngram 2=1\n\n"
        "\\1-grams:\n-1.0\t<unk>\n-99\t<s>\t-0.3\n-0.7\t</s>\n-0.39794\ta\t-4.34e-05\n\n"
        "\\2-grams:\n-0.2\t<s> a\n\n\\end\\\n"
    )

after_a, unused = kenlm.State(), kenlm.State()
right_model = kenlm.Model("model.arpa")
start = kenlm.State()
right_model.BeginSentenceWrite(start)
right_model.BaseScore(start, "a", after_a)
right = right_model.BaseScore(after_a, "a", unused)

wrong_model = arpa.loadf("model.arpa")[0]
wrong = wrong_model.log_p("a a")
written = next(line for line in arpa.dumps(wrong_model).splitlines() if line.startswith("-0.39794"))

print(f"arpa {version('arpa')}, kenlm-ex {version('kenlm-ex')}")
print("log10 p(a | <s> a) by back-off from a, weight -4.34e-05:")
print(f"kenlm {right:.4f}")
print(f"arpa  {wrong:.4f}")
print("written again by arpa:", written.replace("\t", " "))
if abs(right + 0.39798) > 1e-3:
    sys.exit("changed: kenlm reads another number")
if abs(wrong + 4.73794) > 1e-3 or not written.endswith("-4.34"):
    sys.exit("changed: arpa reads the exponent")
PYTHON
