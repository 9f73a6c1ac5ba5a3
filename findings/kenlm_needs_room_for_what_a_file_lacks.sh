#!/usr/bin/env bash
# Finding: kenlm refuses a small pruned model, and reads a larger one that is pruned in the same way.
#
# A good guess: an ARPA file need not have the last words of each n-gram as an n-gram of their own; pruning leaves them
#   out, and kenlm is known to put them in. Whether it can must not depend on the size of the model.
# What happens: its tables have room for half as many entries again as the file declares. What a file lacks is put into
#   that room. A small vocabulary with many such n-grams fills it, and the model cannot be loaded (ProbingSizeException).
# Version: kenlm-ex 0.2.1 (the import name is kenlm).
# Output seen:
#   kenlm-ex 0.2.1
#   10 words, nothing missing: loaded
#   10 words, last two words of trigrams missing as bigrams: OSError, ProbingSizeException
#   20 words, last two words of trigrams missing as bigrams: loaded
# Who is hurt: who prunes a model of characters, or of few words, with a tool that leaves such n-grams out.
# What to do: put the missing n-grams in, each with the probability that backing off gives it and no back-off weight.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check kenlm-ex==0.2.1
cd "$folder"
"$folder/venv/bin/python" - 2> /dev/null <<'PYTHON'
import sys
from importlib.metadata import version

import kenlm


def arpa(size, complete):
    """A trigram model of so many words; complete: the last two words of each trigram are a bigram."""
    words = [f"w{i}" for i in range(size)]
    trigrams = [(a, b, c) for a in words for b in words[:3] for c in words[3:9]]
    bigrams = {(a, b) for a in words for b in words[:3]} | ({one[1:] for one in trigrams} if complete else set())
    lines = ["\\data\\", f"ngram 1={size + 3}", f"ngram 2={len(bigrams)}", f"ngram 3={len(trigrams)}", "",
             "\\1-grams:", "-1\t<unk>", "-99\t<s>\t-0.1", "-1\t</s>", *(f"-2\t{word}\t-0.1" for word in words), "",
             "\\2-grams:", *(f"-1\t{' '.join(one)}\t-0.1" for one in sorted(bigrams)), "",
             "\\3-grams:", *(f"-0.5\t{' '.join(one)}" for one in trigrams), "", "\\end\\", ""]
    return "\n".join(lines)


def loaded(size, complete):
    """What becomes of the file, in words."""
    with open("model.arpa", "w") as file:
        file.write(arpa(size, complete))
    try:
        kenlm.Model("model.arpa")
    except OSError as error:
        return f"OSError, {'ProbingSizeException' if 'ProbingSizeException' in str(error) else 'another one'}"
    return "loaded"


print(f"kenlm-ex {version('kenlm-ex')}")
found = []
for size, complete in ((10, True), (10, False), (20, False)):
    found.append(loaded(size, complete))
    what = "nothing missing" if complete else "last two words of trigrams missing as bigrams"
    print(f"{size} words, {what}: {found[-1]}")
if found != ["loaded", "OSError, ProbingSizeException", "loaded"]:
    sys.exit("changed: see above")
PYTHON
