#!/usr/bin/env bash
# Finding: lm-eval's word_perplexity counts the blank before the first word and that after the last as words.
#
# A good guess: a text of n words has n words, however many blanks are around them; str.split() and wc say so, too.
# What happens: lm-eval splits at white space with a regular expression, which finds an empty word before a leading
#   blank and another after a trailing one. A line with both has n + 2 words, an empty one 1. The sum of log-probabilities
#   is divided by that number, so perplexity is too low, the more so the shorter the lines.
# Version: lm-eval 0.4.13.
# Output seen (a model that gives each word the probability 1/100, so its perplexity is 100; lines of 4 words):
#   lm-eval 0.4.13
#   "a b c d":      word_perplexity 100.0
#   "a b c d\n":    word_perplexity 39.8
#   " a b c d \n":  word_perplexity 21.5
# Who is hurt: the lines of Penn Treebank and WikiText-2 begin and end with a blank. With 21 words a line and the
#   perplexity 100, lm-eval reports 67.
# What to do: give lm-eval stripped texts, or take bits_per_byte of equal texts, or divide the sum by your own count.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check lm-eval==0.4.13
cd "$folder"
HF_HOME="$folder/cache" "$folder/venv/bin/python" - <<'PYTHON' 2>errors || { cat errors >&2; exit 1; }
import importlib.metadata
import json
import math
import os
import sys
from pathlib import Path

from lm_eval import simple_evaluate
from lm_eval.api.model import LM
from lm_eval.tasks import TaskManager

LINES = {"plain": "a b c d", "trailing": "a b c d\n", "both": " a b c d \n"}
for name, line in LINES.items():
    Path(f"{name}.jsonl").write_text(f"{json.dumps({'text': line})}\n" * 3)
    Path(f"{name}.yaml").write_text(f"""\
task: {name}
dataset_path: json
dataset_kwargs: {{data_files: {{test: {os.path.abspath(name)}.jsonl}}}}
test_split: test
output_type: loglikelihood_rolling
doc_to_text: ""
doc_to_target: "{{{{text}}}}"
metric_list: [{{metric: word_perplexity}}]
""")


class Uniform(LM):
    """Each word has the probability 1/100, and nothing else costs anything."""

    def loglikelihood(self, requests, **options):
        raise NotImplementedError

    def loglikelihood_rolling(self, requests, **options):
        return [len(request.args[0].split()) * math.log(1 / 100) for request in requests]

    def generate_until(self, requests, **options):
        raise NotImplementedError


done = simple_evaluate(Uniform(), tasks=list(LINES), task_manager=TaskManager(include_path="."), bootstrap_iters=0)
found = {name: round(float(done["results"][name]["word_perplexity,none"]), 1) for name in LINES}
print("lm-eval", importlib.metadata.version("lm-eval"))
for name, line in LINES.items():
    print(f"{json.dumps(line) + ':':15} word_perplexity {found[name]}")
if found != {"plain": 100.0, "trailing": round(100 ** (4 / 5), 1), "both": round(100 ** (4 / 6), 1)}:
    sys.exit("changed: what counts as a word")
PYTHON
