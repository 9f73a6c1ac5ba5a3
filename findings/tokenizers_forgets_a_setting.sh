#!/usr/bin/env bash
# Finding: tokenizers does not save encode_special_tokens, so a reloaded tokenizer cuts the same text differently.
#
# A good guess: tokenizer.json holds all that encoding depends on; a reloaded or copied tokenizer is the same.
# What happens: encode_special_tokens=True makes a literal "<unk>" or "<eos>" in a text ordinary characters.
#   The setting is not in the file. After loading, unpickling or copying it is off, without a message.
# Version: tokenizers 0.23.3.
# Output seen (pieces of the text "<eos>"):
#   tokenizers 0.23.3
#   in memory: < e o s >
#   loaded:    <eos>
#   pickled:   <eos>
#   copied:    <eos>
# Who is hurt: text that contains such words, as Penn Treebank's "<unk>" or a page about markup.
#   Training saw characters; scoring, and each worker process, sees the sentence end in the middle of a line.
# What to do: set it again after every load and in every worker, or keep special words out of the tokenizer.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check tokenizers==0.23.3
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import copy
import pickle
import sys

import tokenizers
from tokenizers import Tokenizer, models

tokenizer = Tokenizer(models.BPE({"<": 0, "e": 1, "o": 2, "s": 3, ">": 4}, []))
tokenizer.add_special_tokens(["<eos>"])
tokenizer.encode_special_tokens = True
tokenizer.save("tokenizer.json")

found = {
    "in memory": tokenizer,
    "loaded": Tokenizer.from_file("tokenizer.json"),
    "pickled": pickle.loads(pickle.dumps(tokenizer)),
    "copied": copy.deepcopy(tokenizer),
}
print("tokenizers", tokenizers.__version__)
for label, one in found.items():
    found[label] = one.encode("<eos>").tokens
    print(f"{label + ':':10}", *found[label])
if found["in memory"] != ["<", "e", "o", "s", ">"]:
    sys.exit("changed: what encode_special_tokens does")
if any(found[label] != ["<eos>"] for label in ("loaded", "pickled", "copied")):
    sys.exit("changed: the setting is kept")
PYTHON
