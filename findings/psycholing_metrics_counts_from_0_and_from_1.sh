#!/usr/bin/env bash
# Finding: psycholing-metrics numbers words from 0 in one function and from 1 in another, so a table that counts the other
#   way has each surprisal beside the next or the last word.
#
# A good guess: a table of the words of a text, one a row, comes back with the surprisal of each word in its row.
# What happens: the words are joined with their surprisals by number, not by spelling. For the eye-tracking report IA_ID
#   has to begin with 0, though EyeLink's reports begin with 1; for tabular text wordnum has to begin with 1.
#   One row has no value then, and the others have that of a neighbour. The documentation names no start.
# Version: psycholing-metrics 2.2.6, transformers 5.24.0, torch 2.13.0.
# Output seen (a model in which the words of "the old cat sleeps here" have 1, 2, 3, 4 and 5 bits):
#   psycholing-metrics 2.2.6, transformers 5.24.0, torch 2.13.0
#   add_metrics_to_eye_tracking_report, IA_ID from 0:  1, 2, 3, 4, 5
#   add_metrics_to_eye_tracking_report, IA_ID from 1:  2, 3, 4, 5, nan
#   add_metrics_to_tabular_text, wordnum from 0:       nan, 1, 2, 3, 4
#   add_metrics_to_tabular_text, wordnum from 1:       1, 2, 3, 4, 5
# Who is hurt: who predicts reading times from surprisal. The effect of a word is taken for spillover or for preview, and
#   the row without a value drops out of the regression unseen. Lengths and frequencies are moved, too.
# What to do: compare the columns IA_LABEL_x and IA_LABEL_y, which the report then has; for tabular text count from 1.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check psycholing-metrics==2.2.6 torch==2.13.0 \
    transformers==5.24.0 tokenizers==0.23.3 spacy==3.8.18 pandas==3.1.1 2> "$folder/install" ||
    { cat "$folder/install" >&2; exit 1; }
cd "$folder"
cat > show.py <<'PYTHON'
import contextlib
import io
import math
import os
import sys
from importlib.metadata import version

os.environ["HF_HUB_OFFLINE"] = "1"
import pandas
import spacy
import torch
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import GPT2Config, GPT2LMHeadModel, PreTrainedTokenizerFast

spacy.blank("en").to_disk("en_core_web_sm")  # psycholing_metrics.eye_tracking loads it while it is imported
from psycholing_metrics import SurprisalExtractorType
from psycholing_metrics.eye_tracking import add_metrics_to_eye_tracking_report
from psycholing_metrics.tabular import add_metrics_to_tabular_text

TEXT = "the old cat sleeps here".split()
WORDS = ["</s>", "<unk>", *TEXT]
BITS = [6, 6, 1, 2, 3, 4, 5]
words = Tokenizer(models.WordLevel({word: id for id, word in enumerate(WORDS)}, unk_token="<unk>"))
words.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
tokenizer = PreTrainedTokenizerFast(tokenizer_object=words, unk_token="<unk>", bos_token="</s>", eos_token="</s>")
model = GPT2LMHeadModel(GPT2Config(vocab_size=7, n_positions=64, n_embd=4, n_layer=1, n_head=1, bos_token_id=0,
                                   eos_token_id=0))
with torch.no_grad():  # the last layer norm gives (1, 0, 0, 0) everywhere, so nothing depends on the context
    for parameter in model.parameters():
        parameter.zero_()
    model.transformer.ln_f.bias[0] = 1
    model.transformer.wte.weight[:, 0] = -math.log(2) * torch.tensor(BITS)
model.save_pretrained("gpt2-words")
tokenizer.save_pretrained("gpt2-words")
KIND = SurprisalExtractorType.CAT_CTX_LEFT


def report(start):
    table = pandas.DataFrame({"text": 1, "IA_ID": range(start, start + 5), "IA_LABEL": TEXT})
    return add_metrics_to_eye_tracking_report(table, ["gpt2-words"], ["text"], "en_core_web_sm", KIND, "re-tokenize")


def tabular(start):
    table = pandas.DataFrame({"item": 1, "wordnum": range(start, start + 5), "word": TEXT})
    return add_metrics_to_tabular_text(table, ["gpt2-words"], KIND)


print(", ".join(f"{name} {version(name)}" for name in ("psycholing-metrics", "transformers", "torch")))
right, next_word, last_word = [1, 2, 3, 4, 5], [2, 3, 4, 5, None], [None, 1, 2, 3, 4]
for name, function, start, expected in (("add_metrics_to_eye_tracking_report, IA_ID", report, 0, right),
                                        ("add_metrics_to_eye_tracking_report, IA_ID", report, 1, next_word),
                                        ("add_metrics_to_tabular_text, wordnum", tabular, 0, last_word),
                                        ("add_metrics_to_tabular_text, wordnum", tabular, 1, right)):
    with contextlib.redirect_stdout(io.StringIO()):
        bits = function(start)["gpt2-words_cat_Surprisal"] / math.log(2)
    print(f"{f'{name} from {start}:':50} {', '.join(f'{value:.3g}' for value in bits)}")
    found = [None if math.isnan(value) else round(value, 4) for value in bits]
    if found != expected:
        sys.exit(f"changed: {name} from {start}")
PYTHON
"$folder/venv/bin/python" show.py > shown 2> errors || { cat shown errors >&2; exit 1; }
cat shown
