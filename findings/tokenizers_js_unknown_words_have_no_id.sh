#!/usr/bin/env bash
# Finding: in @huggingface/tokenizers, the JavaScript library under transformers.js, an unknown word of a word-level
#   tokenizer has no id, though tokenizer.json names <unk>.
#
# A good guess: tokenizer.json holds all that encoding depends on, as for the Python library: the model, its words, and
#   "unk_token": "<unk>" inside of the model. Or a missing setting is an error.
# What happens: a WordLevel model, which is not among the models that the library lists, is read without a message, and
#   the unknown token is taken from tokenizer_config.json alone. Where that has no unk_token, unknown words get the id
#   undefined, which becomes 0 in an Int32Array: another word.
#   decode() glues marks to the words before them unless tokenizer_config.json says no.
# Version: @huggingface/tokenizers 0.2.0 (needs node and npm), tokenizers 0.23.3.
# Output seen:
#   @huggingface/tokenizers 0.2.0, tokenizers 0.23.3
#   the words: the 0, cat 1, sat 2, . 3, <unk> 4; the text: "the dog sat ."
#   Python                                   ids 0 4 2 3          decoded "the <unk> sat ."
#   JavaScript, no settings                  ids 0 undefined 2 3  decoded "the cat sat."  (0 1 2 3)
#     as Int32Array                          ids 0 0 2 3          decoded "the the sat."
#   JavaScript, unk_token                    ids 0 4 2 3          decoded "the <unk> sat."
#   JavaScript, unk_token and no clean-up    ids 0 4 2 3          decoded "the <unk> sat ."
# Who is hurt: who brings a model of words to the browser: each unknown word is scored as the most frequent one, or the
#   conversion to int64 fails. Text of Penn Treebank or WikiText that is decoded and encoded again has other words,
#   as "sat." is unknown.
# What to do: write "unk_token" and "clean_up_tokenization_spaces": false into tokenizer_config.json.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check tokenizers==0.23.3
npm install --silent --no-audit --no-fund --prefix "$folder" @huggingface/tokenizers@0.2.0
cd "$folder"
cat > by_python.py <<'PYTHON'
import json
from importlib.metadata import version

from tokenizers import Tokenizer, models, pre_tokenizers

tokenizer = Tokenizer(models.WordLevel({"the": 0, "cat": 1, "sat": 2, ".": 3, "<unk>": 4}, unk_token="<unk>"))
tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
tokenizer.save("tokenizer.json")
ids = tokenizer.encode("the dog sat .").ids
with open("python.json", "w") as file:
    json.dump({"version": version("tokenizers"), "ids": ids, "text": tokenizer.decode(ids)}, file)
PYTHON
cat > by_javascript.mjs <<'JAVASCRIPT'
import fs from "node:fs";
import { Tokenizer } from "@huggingface/tokenizers";

const read = (name) => JSON.parse(fs.readFileSync(name));
const python = read("python.json");
const library = read("node_modules/@huggingface/tokenizers/package.json").version;
const show = (name, ids, text, remark = "") =>
  console.log(`${name.padEnd(40)} ids ${ids.map(String).join(" ").padEnd(16)} decoded "${text}"${remark}`);
const fail = (what) => {
  console.error(`changed: ${what}`);
  process.exit(1);
};

console.log(`@huggingface/tokenizers ${library}, tokenizers ${python.version}`);
console.log('the words: the 0, cat 1, sat 2, . 3, <unk> 4; the text: "the dog sat ."');
show("Python", python.ids, python.text);
if (python.ids.join() !== "0,4,2,3" || python.text !== "the <unk> sat .") fail("Python");
const plain = new Tokenizer(read("tokenizer.json"), {});
const ids = plain.encode("the dog sat .").ids;
const known = plain.decode([0, 1, 2, 3]);
show("JavaScript, no settings", ids, known, "  (0 1 2 3)");
if (ids[1] !== undefined || known !== "the cat sat.") fail("no settings");
const numbers = Array.from(Int32Array.from(ids));
const text = plain.decode(numbers);
show("  as Int32Array", numbers, text);
if (text !== "the the sat.") fail("Int32Array");
for (const [name, settings, expected] of [
  ["unk_token", { unk_token: "<unk>" }, "the <unk> sat."],
  ["unk_token and no clean-up", { unk_token: "<unk>", clean_up_tokenization_spaces: false }, "the <unk> sat ."],
]) {
  const tokenizer = new Tokenizer(read("tokenizer.json"), settings);
  const found = tokenizer.encode("the dog sat .").ids;
  show(`JavaScript, ${name}`, found, tokenizer.decode(found));
  if (found.join() !== "0,4,2,3" || tokenizer.decode(found) !== expected) fail(name);
}
JAVASCRIPT
"$folder/venv/bin/python" by_python.py
node by_javascript.mjs
