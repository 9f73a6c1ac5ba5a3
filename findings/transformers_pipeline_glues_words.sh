#!/usr/bin/env bash
# Finding: transformers' text-generation pipeline glues the first new word to the prompt, if tokens hold no blanks.
#
# A good guess: "generated_text" is the prompt and what the model wrote after it, as tokenizer.decode has it.
# What happens: the pipeline decodes the new tokens alone and appends them to the prompt.
#   A tokenizer of words puts its blanks between two tokens, so there is none before the first new word.
#   Version 4 decoded all tokens and was right.
# Version: transformers 5.24.0, tokenizers 0.23.3, torch 2.13.0.
# Output seen:
#   transformers 5.24.0
#   decoded:  the cat sat sat
#   pipeline: the catsat sat
# Who is hurt: models of words, and all whose tokenizers decode without a blank at the start.
#   One word of each text is wrong, in what is read and in what is scored again.
# What to do: call model.generate and tokenizer.decode, or give return_full_text=False and join the two texts.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check transformers==5.24.0 tokenizers==0.23.3 torch==2.13.0
cd "$folder"
HF_HOME="$folder/cache" "$folder/venv/bin/python" - <<'PYTHON' 2>errors || { cat errors >&2; exit 1; }
import sys

import tokenizers
import torch
import transformers
from transformers import GPT2Config, GPT2LMHeadModel, PreTrainedTokenizerFast, pipeline

words = tokenizers.Tokenizer(tokenizers.models.WordLevel({"<unk>": 0, "<eos>": 1, "the": 2, "cat": 3, "sat": 4}, "<unk>"))
words.pre_tokenizer = tokenizers.pre_tokenizers.WhitespaceSplit()
tokenizer = PreTrainedTokenizerFast(tokenizer_object=words, unk_token="<unk>", eos_token="<eos>", pad_token="<unk>")
model = GPT2LMHeadModel(GPT2Config(vocab_size=5, n_embd=8, n_layer=1, n_head=1, n_positions=16, bos_token_id=1,
                                   eos_token_id=1, tie_word_embeddings=False))
with torch.no_grad():  # it writes "sat", whatever it has read
    model.transformer.ln_f.weight.zero_()
    model.transformer.ln_f.bias.fill_(1)
    model.lm_head.weight.zero_()
    model.lm_head.weight[4] = 1

ids = model.generate(**tokenizer("the cat", return_tensors="pt"), max_new_tokens=2, do_sample=False)
decoded = tokenizer.decode(ids[0])
(made,) = pipeline("text-generation", model=model, tokenizer=tokenizer)("the cat", max_new_tokens=2, do_sample=False)
print("transformers", transformers.__version__)
print("decoded: ", decoded)
print("pipeline:", made["generated_text"])
if decoded != "the cat sat sat":
    sys.exit("changed: how the tokens are decoded")
if made["generated_text"] != "the catsat sat":
    sys.exit("changed: how the pipeline joins prompt and text")
PYTHON
