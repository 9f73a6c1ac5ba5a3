#!/usr/bin/env bash
# Finding: pocketsphinx takes the words of an n-gram backwards, and gives unknown words no chance though there is <unk>.
#
# A good guess: prob(["the", "cat"]) is p(cat | the), as the ARPA file has it, and a word that the file lacks has the
#   probability of <unk>.
# What happens: the first word of the list is the one that is predicted, and the context follows from near to far, so
#   prob(["the", "cat"]) is p(the | cat). Any list of words has a value, so nothing looks wrong.
#   <UNK> in capitals is the only unknown word; with <unk>, as lmplz and IRSTLM write it, an unknown word has
#   log10 p = -23314, while prob(["<unk>"]) is right.
# Version: pocketsphinx 5.1.1.
# Output seen (log10):
#   pocketsphinx 5.1.1
#   prob(["the", "cat"])         -1.5      the file: p(the | cat) -1.5, p(cat | the) -0.3
#   prob(["cat", "the"])         -0.3
#   prob(["cat", "the", "<s>"])  -0.1      the file: p(cat | <s> the) -0.1
#   prob(["dog"])                -23314.8  the file has <unk> -1.0
#   prob(["dog"])                -1.0      the file has <UNK> -1.0
# Who is hurt: who scores text with this small package in the place of kenlm: bigrams are read from right to left,
#   and one unknown word decides every sum.
# What to do: give words[::-1], and write <UNK> for <unk> in the file; values are multiples of log10(1.0001) = 4.3e-5.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check pocketsphinx==5.1.1
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import sys
from importlib.metadata import version

from pocketsphinx import Config, LogMath, NGramModel

ARPA = """\\data\\
ngram 1=5
ngram 2=4
ngram 3=1

\\1-grams:
-1.0\t<unk>
-99\t<s>\t-0.3
-0.7\t</s>
-0.5\tthe\t-0.2
-0.6\tcat\t-0.4

\\2-grams:
-0.2\t<s> the\t-0.1
-0.3\tthe cat\t-0.15
-0.25\tcat </s>
-1.5\tcat the

\\3-grams:
-0.1\t<s> the cat

\\end\\
"""
with open("small.arpa", "w") as file:
    file.write(ARPA)
with open("capitals.arpa", "w") as file:
    file.write(ARPA.replace("<unk>", "<UNK>"))
logarithm = LogMath()
small, capitals = (NGramModel(Config(), logarithm, f"{name}.arpa") for name in ("small", "capitals"))
print("pocketsphinx", version("pocketsphinx"))
for model, words, expected, remark in (
    (small, ["the", "cat"], -1.5, "the file: p(the | cat) -1.5, p(cat | the) -0.3"),
    (small, ["cat", "the"], -0.3, ""),
    (small, ["cat", "the", "<s>"], -0.1, "the file: p(cat | <s> the) -0.1"),
    (small, ["dog"], -23314.8, "the file has <unk> -1.0"),
    (capitals, ["dog"], -1.0, "the file has <UNK> -1.0"),
):
    value = logarithm.log_to_log10(model.prob(words))
    call = "prob([" + ", ".join(f'"{word}"' for word in words) + "])"
    print(f"{call:28} {value:<8.1f}  {remark}".rstrip())
    if abs(value - expected) > 0.05:
        sys.exit(f"changed: {call}")
if abs(logarithm.log_to_log10(small.prob(["<unk>"])) + 1) > 1e-3:
    sys.exit("changed: <unk>")
PYTHON
