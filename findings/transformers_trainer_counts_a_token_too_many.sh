#!/usr/bin/env bash
# Finding: exp(eval_loss) of transformers' Trainer is no perplexity: for GPT-2 it divides by the first tokens, which are
#   not scored, and for every model it is a mean over batches, so it depends on the batch size.
#
# A good guess: eval_loss is the sum of -ln p over the scored tokens, divided by their number, whatever the class of the
#   model is called and however many rows are read at once. exp(eval_loss) is the perplexity that the examples print.
# What happens: the loss of a batch is divided by the number of labels. For classes with ForCausalLM in their name the
#   first label of each row, which has no prediction, is left out of that number. GPT2LMHeadModel and other classes with
#   another name get the same loss function by default, and their first labels are counted.
#   Then the mean of the batches is taken, weighted by rows and not by tokens.
# Version: transformers 5.24.0, accelerate 1.15.0, torch 2.13.0.
# Output seen (models made to give the word a 1/2 and the word b 1/8 everywhere; a row of 9 a, and one of 3 b):
#   transformers 5.24.0, accelerate 1.15.0, torch 2.13.0
#   by hand: 14 bits for 10 words, perplexity 2.639
#   LlamaForCausalLM  exp(eval_loss), 2 rows a batch: 2.639
#   LlamaForCausalLM  exp(eval_loss), 1 row a batch:  4.000
#   GPT2LMHeadModel   exp(eval_loss), 2 rows a batch: 2.245
#   GPT2LMHeadModel   exp(eval_loss), 1 row a batch:  2.722
# Who is hurt: who compares a model with a GPT-2 of the same texts, read line by line: with lines of 20 tokens its
#   perplexity 100 is printed as 79. Who evaluates lines of unequal length with another batch size.
# What to do: add up the losses yourself, or read the text in blocks of one length and multiply GPT-2's eval_loss by
#   n / (n - 1) for n tokens a row.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check torch==2.13.0 transformers==5.24.0 accelerate==1.15.0 \
    numpy==2.4.6 2> "$folder/install" || { cat "$folder/install" >&2; exit 1; }
cd "$folder"
cat > show.py <<'PYTHON'
import math
import os
import sys
from importlib.metadata import version

os.environ["HF_HUB_OFFLINE"] = "1"
import torch
from transformers import (
    GPT2Config, GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM, Trainer, TrainingArguments,
)

A, B, V, H = 0, 1, 5, 8
PROBABILITIES = torch.tensor([1 / 2, 1 / 8, 1 / 8, 1 / 8, 1 / 8])
ROWS = [[A] * 9, [B] * 3]
COMMON = {"vocab_size": V, "tie_word_embeddings": False, "bos_token_id": 0, "eos_token_id": 0}


def unigram(model):
    """All weights 0; the last hidden state is a vector of ones, and the output layer makes ln p of it."""
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.zero_()
        if isinstance(model, GPT2LMHeadModel):
            model.transformer.ln_f.bias.fill_(1)
        else:
            model.model.embed_tokens.weight.fill_(1)
            model.model.norm.weight.fill_(1)
        model.lm_head.weight.copy_(PROBABILITIES.log()[:, None].expand(V, H) / H)
    return model


def collate(rows):
    """Rows are filled up on the right; -100 is the label that is left out."""
    longest = max(map(len, rows))
    return {
        "input_ids": torch.tensor([row + [A] * (longest - len(row)) for row in rows]),
        "labels": torch.tensor([row + [-100] * (longest - len(row)) for row in rows]),
        "attention_mask": torch.tensor([[1] * len(row) + [0] * (longest - len(row)) for row in rows]),
    }


def evaluate(model, batch_size):
    arguments = TrainingArguments("run", per_device_eval_batch_size=batch_size, report_to=[], use_cpu=True,
                                  disable_tqdm=True)
    return math.exp(Trainer(model, arguments, data_collator=collate, eval_dataset=ROWS).evaluate()["eval_loss"])


print(", ".join(f"{name} {version(name).split('+')[0]}" for name in ("transformers", "accelerate", "torch")))
print(f"by hand: 14 bits for 10 words, perplexity {2**1.4:.3f}")
llama = LlamaConfig(hidden_size=H, intermediate_size=H, num_hidden_layers=1, num_attention_heads=1, **COMMON)
gpt2 = GPT2Config(n_embd=H, n_layer=1, n_head=1, n_positions=16, **COMMON)
for model, batch_size, bits in (
    (LlamaForCausalLM(llama), 2, 14 / 10),
    (LlamaForCausalLM(llama), 1, (8 / 8 + 6 / 2) / 2),
    (GPT2LMHeadModel(gpt2), 2, 14 / 12),
    (GPT2LMHeadModel(gpt2), 1, (8 / 9 + 6 / 3) / 2),
):
    found = evaluate(unigram(model), batch_size)
    name = type(model).__name__
    batches = f"{batch_size} row{'s' * (batch_size > 1)} a batch:"
    print(f"{name:17} exp(eval_loss), {batches:15} {found:.3f}")
    if abs(found - 2**bits) > 1e-3:
        sys.exit(f"changed: {name}, {batches[:-1]}")
PYTHON
"$folder/venv/bin/python" show.py > shown 2> errors || { cat shown errors >&2; exit 1; }
grep -v '^{' shown
