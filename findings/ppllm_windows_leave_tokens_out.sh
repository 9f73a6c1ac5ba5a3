#!/usr/bin/env bash
# Finding: with a window, ppllm leaves tokens out of the sum and counts them all the same, so perplexity is too low.
#
# A good guess: a window limits what the model sees, and each token is still scored once; ppllm's documentation gives
#   --window=64 as its example. Its perplexity is exp(sum / L) over the L tokens whose probability is taken.
# What happens: at each step of half a window one token is scored by neither window. A tokenizer that has a <s> and
#   does not put it in front, as GPT-2's, has its first token left out of the sum, too, but not out of L.
#   all_indices, which says whose losses all_losses holds, steps by 1 for each batch where it should by its size.
# Version: ppllm 0.2.3, transformers 5.24.0, torch 2.13.0, tokenizers 0.23.3.
# Output seen (GPT-2 with weights of 0, so each of 5 tokens has the probability 1/5; a text of 100 tokens):
#   ppllm 0.2.3, transformers 5.24.0, torch 2.13.0
#   no window: 99 tokens scored, perplexity 4.92
#   window 64: 97 tokens scored, perplexity 4.76
#   window 8:  76 tokens scored, perplexity 3.40
#   window 4:  51 tokens scored, perplexity 2.27
#   window 2:   1 token scored, perplexity 1.02
#   texts of 5, 4, 3 and 2 tokens in batches of 2: the losses are said to be of the texts 0 0 0 0 1 1 1 1 1 1 2 2
# Who is hurt: who compares perplexities with another tool's, or between windows: the smaller the window, the better a
#   model looks. In Python, who groups all_losses by all_indices gets the surprisals of other texts.
# What to do: leave the window out, put <s> in front with the tokenizer's post-processor, and use batches of 1.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
# ppllm also asks for vllm, seaborn and ipython, which it does not import here.
"$folder/venv/bin/pip" install -q --disable-pip-version-check torch==2.13.0 transformers==5.24.0 tokenizers==0.23.3 \
    jsonargparse==4.41.0 datasets==5.2.0 2> "$folder/install" || { cat "$folder/install" >&2; exit 1; }
"$folder/venv/bin/pip" install -q --disable-pip-version-check --no-deps ppllm==0.2.3
cd "$folder"
cat > show.py <<'PYTHON'
import math
import os
import sys
from importlib.metadata import version

os.environ["HF_HUB_OFFLINE"] = "1"
import torch
from ppllm.ppl import LoaderKwargs, compute_metrics, compute_ppl
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import GPT2Config, GPT2LMHeadModel, PreTrainedTokenizerFast

WORDS = ["<s>", "</s>", "the", "cat", "sleeps"]
words = Tokenizer(models.WordLevel({word: id for id, word in enumerate(WORDS)}))
words.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
tokenizer = PreTrainedTokenizerFast(tokenizer_object=words, bos_token="<s>", eos_token="</s>", pad_token="</s>")
model = GPT2LMHeadModel(GPT2Config(vocab_size=5, n_positions=128, n_embd=4, n_layer=1, n_head=1, bos_token_id=0,
                                   eos_token_id=1)).eval()
with torch.no_grad():
    for parameter in model.parameters():
        parameter.zero_()


def score(texts, window=None, batch_size=1):
    return compute_ppl([{"text": text} for text in texts], model, tokenizer, window=window,
                       loader_kwargs=LoaderKwargs(batch_size=batch_size, num_workers=0))


print(", ".join(f"{name} {version(name)}" for name in ("ppllm", "transformers", "torch")))
text = " ".join(["the cat sleeps the"] * 25)
SCORED = {None: 99, 64: 97, 8: 76, 4: 51, 2: 1}
for window, expected in SCORED.items():
    out = score([text], window)
    scored = float(out["total_losses"].sum()) / math.log(5)
    perplexity = compute_metrics(out["total_losses"], out["total_chars"], out["total_tokens"])["ppl"]
    name = f"window {window}:" if window else "no window:"
    print(f"{name:10} {scored:2.0f} token{'s' * (scored > 1.5)} scored, perplexity {perplexity:.2f}")
    if abs(scored - expected) > 1e-3 or abs(perplexity - 5 ** (expected / 100)) > 1e-3:
        sys.exit(f"changed: {name[:-1]}")
out = score(["the cat sleeps the cat", "the cat sleeps the", "the cat sleeps", "the cat"], batch_size=2)
indices = out["all_indices"].tolist()
print("texts of 5, 4, 3 and 2 tokens in batches of 2: the losses are said to be of the texts", *indices)
if indices != [0] * 4 + [1] * 4 + [1] * 2 + [2] * 2:
    sys.exit("changed: all_indices")
PYTHON
"$folder/venv/bin/python" show.py > shown 2> errors || { cat shown errors >&2; exit 1; }
cat shown
