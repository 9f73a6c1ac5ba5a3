#!/usr/bin/env bash
# Finding: sacremoses joins its own tokens again with straight quotation marks, but not with curly ones.
#
# A good guess: what the Moses tokenizer splits, its detokenizer joins; curly marks are marks, as straight ones are.
# What happens: a closing curly mark counts as a word of its own and gets a blank before it, and a curly apostrophe gets
#   two. Both were split off by the tokenizer of the same package. Straight marks come back exactly.
# Version: sacremoses 0.2.0.
# Output seen:
#   sacremoses 0.2.0
#   She said, "I am late," and isn't.  ->  She said, "I am late," and isn't.
#   She said, “I am late,” and isn’t.  ->  She said, “I am late, ” and isn ’ t.
# Who is hurt: who tokenizes books or web pages, most of which have curly marks, and joins what a model writes.
# What to do: replace curly marks by straight ones before joining, and put them back by position.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check sacremoses==0.2.0
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import sys
from importlib.metadata import version

from sacremoses import MosesDetokenizer, MosesTokenizer

tokenizer, detokenizer = MosesTokenizer("en"), MosesDetokenizer("en")
straight = 'She said, "I am late," and isn\'t.'
curly = "She said, \u201cI am late,\u201d and isn\u2019t."


def again(sentence):
    return detokenizer.detokenize(tokenizer.tokenize(sentence, escape=False), unescape=False)


print(f"sacremoses {version('sacremoses')}")
for sentence in (straight, curly):
    print(f"{sentence}  ->  {again(sentence)}")
if again(straight) != straight:
    sys.exit("changed: straight marks do not come back either")
if again(curly) != "She said, \u201cI am late, \u201d and isn \u2019 t.":
    sys.exit("changed: curly marks are joined in another way")
PYTHON
