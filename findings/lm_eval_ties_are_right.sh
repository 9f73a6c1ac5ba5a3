#!/usr/bin/env bash
# Finding: in lm-eval a model that finds every sentence equally probable has accuracy 1.0 on pairs such as BLiMP's.
#
# A good guess: a tie is wrong, or half right; a model that cannot tell the sentences apart has 0 or 0.5.
# What happens: of equal scores the first choice is taken, and BLiMP's tasks put the good sentence first.
#   A tie is right there, and wrong where the target is the second choice.
# Version: lm-eval 0.4.13.
# Output seen (a model that gives every sentence the same score):
#   lm-eval 0.4.13
#   good sentence first:  accuracy 1.0
#   good sentence second: accuracy 0.0
# Who is hurt: small vocabularies. Two sentences whose words are unknown become the same ids, which tie exactly;
#   so do scores in half precision. The fewer words a model knows, the better it looks.
# What to do: count the ties in the logged samples (--log_samples), and report accuracy without them.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check lm-eval==0.4.13
cd "$folder"
HF_HOME="$folder/cache" "$folder/venv/bin/python" - <<'PYTHON' 2>errors || { cat errors >&2; exit 1; }
import importlib.metadata
import json
import os
import sys
from pathlib import Path

from lm_eval import simple_evaluate
from lm_eval.api.model import LM
from lm_eval.tasks import TaskManager

with open("pairs.jsonl", "w") as file:
    for noun in ("cat", "dog", "bird"):
        file.write(json.dumps({"sentence_good": f"The {noun} sleeps.", "sentence_bad": f"The {noun} sleep."}) + "\n")
for name, choices, target in (("first", "[sentence_good, sentence_bad]", 0), ("second", "[sentence_bad, sentence_good]", 1)):
    Path(f"{name}.yaml").write_text(f"""\
task: {name}
dataset_path: json
dataset_kwargs: {{data_files: {{test: {os.path.abspath("pairs.jsonl")}}}}}
test_split: test
output_type: multiple_choice
doc_to_text: ""
doc_to_target: {target}
doc_to_choice: "{{{{{choices}}}}}"
""")


class Indifferent(LM):
    def loglikelihood(self, requests, **options):
        return [(-10.0, False) for _ in requests]

    def loglikelihood_rolling(self, requests, **options):
        raise NotImplementedError

    def generate_until(self, requests, **options):
        raise NotImplementedError


done = simple_evaluate(Indifferent(), tasks=["first", "second"], task_manager=TaskManager(include_path="."),
                       bootstrap_iters=0)
accuracy = {name: float(done["results"][name]["acc,none"]) for name in ("first", "second")}
print("lm-eval", importlib.metadata.version("lm-eval"))
print("good sentence first:  accuracy", accuracy["first"])
print("good sentence second: accuracy", accuracy["second"])
if accuracy != {"first": 1.0, "second": 0.0}:
    sys.exit("changed: what a tie counts")
PYTHON
