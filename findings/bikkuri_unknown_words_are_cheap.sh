#!/usr/bin/env bash
# Finding: in bikkuri an unknown word can cost less than nearly every known one, and a distribution sums to more than 2.
#
# A good guess: the probabilities after a context sum to 1, and a word that the texts never had is the most surprising.
# What happens: a word that followed the context has its share there, which leaves nothing over. All other known words
#   have their whole share of the unigrams besides, and an unknown word has 1/(count of the context + 1).
#   After a context seen once, each unknown word costs 1 bit.
# Version: bikkuri 0.3.2, NGramFrequencySurprisal(2), whose values are in bits.
# Output seen (after "zebra", which the texts have once, before "ran"):
#   bikkuri 0.3.2
#   ran 0.00, cat 3.64, the 1.84, qwerty 1.00
#   the known words and one unknown word sum to 2.38
# Who is hurt: who takes it as the n-gram baseline for surprisals, as of reading times. The rarer the context, the
#   cheaper are misspelt and new words, and a sum of surprisals is not -log2 p of a sentence.
# What to do: use kenlm; or keep to NGramFrequencySurprisal(1), and leave out unknown words.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check bikkuri==0.3.2
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import math
import sys
from collections import Counter
from importlib.metadata import version

from bikkuri.ngram import NGramFrequencySurprisal

TEXT = """the cat sat on the mat
the dog sat on the log
a zebra ran
the old dog ran to the mat
the cat ran"""
sentences = [line.split() for line in TEXT.splitlines()]
counts = Counter(word for sentence in sentences for word in sentence)
model = NGramFrequencySurprisal(2)
model.fit(sentences)


def after_zebra(word):
    (scores,) = model.surprisal([["a", "zebra", word]])
    return scores[-1][1]


print(f"bikkuri {version('bikkuri')}")
print(", ".join(f"{word} {abs(after_zebra(word)):.2f}" for word in ("ran", "cat", "the", "qwerty")))
total = sum(2 ** -after_zebra(word) for word in (*counts, "qwerty"))
print(f"the known words and one unknown word sum to {total:.2f}")

words = counts.total()
expected = {word: -math.log2(count / words) for word, count in counts.items()} | {"ran": 0.0, "qwerty": 1.0}
for word, bits in expected.items():
    if abs(after_zebra(word) - bits) > 1e-9:
        sys.exit(f"changed: {word}")
if not after_zebra("qwerty") < min(after_zebra(word) for word in counts if word != "ran") or total < 2:
    sys.exit("changed: unknown words")
PYTHON
