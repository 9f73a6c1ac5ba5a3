#!/usr/bin/env bash
# Finding: surprisal's KenLMModel looks up "don't" as three unknown words, and answers in base 10.
#
# A good guess: the words are what stands between blanks, as in lmplz, which made the model, and as surprisal's
#   documentation says; and "surprisal" has one unit in the package of that name.
# What happens: its tokenizer splits at punctuation, so "don't", "'s", "mr." and "<unk>" are looked up in parts that the
#   model does not have. KenLMModel returns -log10 p, the package's other models -ln p.
# Version: surprisal 0.1.7, kenlm-ex 0.2.1 (the import name is kenlm).
# Output seen (a model in which "i", "don't" and "know" have the probability 1/4 each):
#   surprisal 0.1.7, kenlm-ex 0.2.1
#   kenlm:      i 0.60, don't 0.60, know 0.60, the end 0.90; sum 2.71
#   KenLMModel: i 0.60, don 2.00, ' 2.00, t 2.00, know 0.60, the end 0.90; sum 8.11
#   in bits:    2, 2, 2 and 3 for kenlm's four
# Who is hurt: who compares an n-gram model with a neural one in this package. The text of Penn Treebank is full of "n't",
#   "'s" and "<unk>", and the numbers of the two models differ by the factor 2.3 before that.
# What to do: use kenlm's full_scores, and multiply by -ln 10; or set model.tokenizer to WhitespaceSplit() of tokenizers.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check surprisal==0.1.7 kenlm-ex==0.2.1 transformers==5.24.0 \
    tokenizers==0.23.3 2> "$folder/install" || { cat "$folder/install" >&2; exit 1; }
cd "$folder"
"$folder/venv/bin/python" - 2> errors <<'PYTHON' || { cat errors >&2; exit 1; }
import math
import sys
from importlib.metadata import version

import kenlm
from surprisal import KenLMModel
from tokenizers.pre_tokenizers import WhitespaceSplit

TEXT = "i don't know"
UNIGRAMS = {"<unk>": 0.01, "</s>": 1 / 8, "i": 1 / 4, "don't": 1 / 4, "know": 1 / 4}
lines = ["\\data\\", f"ngram 1={len(UNIGRAMS) + 1}", "ngram 2=1", "", "\\1-grams:", "-99\t<s>\t0",
         *(f"{math.log10(p):.7f}\t{word}\t0" for word, p in UNIGRAMS.items()), "",
         "\\2-grams:", "-0.30103\tknow know", "", "\\end\\", ""]
with open("model.arpa", "w") as file:
    file.write("\n".join(lines))

print(f"surprisal {version('surprisal')}, kenlm-ex {version('kenlm-ex')}")
own = [-score for score, _, _ in kenlm.Model("model.arpa").full_scores(TEXT)]
model = KenLMModel("model.arpa")
(result,) = model.surprise(TEXT)
for name, words, scores in (("kenlm:", TEXT.split(), own), ("KenLMModel:", result.tokens, list(result.surprisals))):
    listed = ", ".join(f"{word} {score:.2f}" for word, score in zip((*words, "the end"), scores, strict=True))
    print(f"{name:11} {listed}; sum {sum(scores):.2f}")
print("in bits:    2, 2, 2 and 3 for kenlm's four")


def near(scores, *ps):
    """Whether these are -log10 of the probabilities."""
    return len(scores) == len(ps) and all(abs(s + math.log10(p)) < 1e-5 for s, p in zip(scores, ps))


if not near(own, 1 / 4, 1 / 4, 1 / 4, 1 / 8):
    sys.exit("changed: kenlm's scores")
if tuple(result.tokens) != ("i", "don", "'", "t", "know") or not near(result.surprisals, 1 / 4, .01, .01, .01, 1 / 4, 1 / 8):
    sys.exit("changed: KenLMModel's words or its base")
model.tokenizer = WhitespaceSplit()
if not near(model.surprise(TEXT)[0].surprisals, 1 / 4, 1 / 4, 1 / 4, 1 / 8):
    sys.exit("changed: what another tokenizer does")
PYTHON
