#!/usr/bin/env bash
# Finding: for kenlm a word <UNK> of the text and the model's <unk> are one entry, and the later line of the two counts.
#
# A good guess: lmplz adds <unk> to the words of the text. A text whose rare words were replaced by <UNK> gives a model
#   with both: a frequent word, and an entry for unknown words with little mass. Reading it keeps them apart, or is an
#   error, as with a text that holds <unk>.
# What happens: both are read into one entry without a word. Which of the two lines counts depends on their order. In
#   lmplz's files <unk> is the first line, so each unknown word has the probability of <UNK>, here 300 times too high.
#   <Unk> is a word like others.
# Version: kenlm-ex 0.2.1 (the import name is kenlm).
# Output seen:
#   kenlm-ex 0.2.1
#   <unk> 0.001, then <UNK> 0.3: p(an unknown word) = 0.3, p(<UNK>) = 0.3, and the words sum to 0.999
#   <UNK> 0.3, then <unk> 0.001: p(an unknown word) = 0.001, p(<UNK>) = 0.001, and the words sum to 0.7
#   <unk> 0.001, then <Unk> 0.3: p(an unknown word) = 0.001, p(<Unk>) = 0.3, and the words sum to 1
# Who is hurt: who compares perplexities with unknown words in them, after a text was prepared with <UNK>.
# What to do: rename the word before training, for example with sed 's/<UNK>/<rare>/g'.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check kenlm-ex==0.2.1
cd "$folder"
"$folder/venv/bin/python" - 2> /dev/null <<'PYTHON'
import math
import sys
from importlib.metadata import version

import kenlm

OTHERS = {"</s>": 0.2, "a": 0.4, "b": 0.099}


def model(first, second):
    """The kenlm model of a file with these two words, in this order, and what they leave."""
    probs = {first[0]: first[1], **OTHERS, second[0]: second[1]}
    lines = ["\\data\\", f"ngram 1={len(probs) + 1}", "ngram 2=1", "", "\\1-grams:", "-99\t<s>\t0",
             *(f"{math.log10(p):.7f}\t{word}\t0" for word, p in probs.items()), "",
             "\\2-grams:", f"{math.log10(0.4):.7f}\ta a", "", "\\end\\", ""]
    with open("model.arpa", "w") as file:
        file.write("\n".join(lines))
    return kenlm.Model("model.arpa"), probs


def p(model, word):
    """The probability of a word without a context."""
    (score, _, _), *_ = model.full_scores(word, bos=False, eos=False)
    return round(10**score, 4)


print(f"kenlm-ex {version('kenlm-ex')}")
found = []
for first, second in ((("<unk>", 0.001), ("<UNK>", 0.3)), (("<UNK>", 0.3), ("<unk>", 0.001)),
                      (("<unk>", 0.001), ("<Unk>", 0.3))):
    read, probs = model(first, second)
    word = next(name for name in probs if name.lower() == "<unk>" and name != "<unk>")
    words = {"<unk>", word} if word == "<Unk>" else {word}  # what kenlm tells apart
    total = round(sum(p(read, name) for name in (*words, *OTHERS)), 4)
    found.append((p(read, "neverseen"), p(read, word), total))
    print(f"{first[0]} {first[1]:g}, then {second[0]} {second[1]:g}: p(an unknown word) = {found[-1][0]:g}, "
          f"p({word}) = {found[-1][1]:g}, and the words sum to {total:g}")
if found != [(0.3, 0.3, 0.999), (0.001, 0.001, 0.7), (0.001, 0.3, 1.0)]:
    sys.exit("changed: see above")
PYTHON
