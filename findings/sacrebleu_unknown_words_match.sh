#!/usr/bin/env bash
# Finding: sacrebleu counts each unknown word as three matching tokens.
#
# A good guess: "<unk>" in a generated text and in its reference is one token, as it is for the model.
# What happens: the default tokenizer 13a cuts it into "<", "unk" and ">". Two texts that share nothing else
#   match in single tokens, pairs and triples, and the score is nearly three times as high.
# Version: sacrebleu 2.6.0.
# Output seen (matches of 1, 2, 3 and 4 tokens; the texts share only two unknown words):
#   sacrebleu 2.6.0
#   "<unk> a b c <unk> d" against "<unk> e f g <unk> h"
#   tokenize 13a:  BLEU 26.3, matches 6 4 2 0
#   tokenize none: BLEU 9.7, matches 2 0 0 0
# Who is hurt: those who compare generated text with a corpus in Penn Treebank's form.
#   The model that writes the most unknown words wins.
# What to do: give tokenize="none" for text that is already tokens, and take unknown words out on both sides.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check sacrebleu==2.6.0
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import sys

import sacrebleu

generated, reference = "<unk> a b c <unk> d", "<unk> e f g <unk> h"
print("sacrebleu", sacrebleu.__version__)
print(f'"{generated}" against "{reference}"')
found = {}
for name in ("13a", "none"):
    score = sacrebleu.corpus_bleu([generated], [[reference]], tokenize=name)
    found[name] = score.counts
    print(f"tokenize {name + ':':5} BLEU {score.score:.1f}, matches", *score.counts)
if found["13a"] != [6, 4, 2, 0]:
    sys.exit("changed: how 13a cuts an unknown word")
if found["none"] != [2, 0, 0, 0]:
    sys.exit("changed: what tokenize none does")
PYTHON
