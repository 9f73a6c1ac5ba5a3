#!/usr/bin/env bash
# Finding: surprisal's Hugging Face models leave the sentence end out of each distribution before they take -ln p.
#
# A good guess: the surprisal of a word is -ln p(word | words before), as the model gives it.
# What happens: the package pads with the sentence end, and sets the logit of the padding to minus infinity before the
#   softmax. Each surprisal is -ln(p / (1 - p(end))). Where the model expects the end, as after a full stop, a further
#   word looks cheap, and a sentence end in the text costs inf.
# Version: surprisal 0.1.7, transformers 5.24.0, torch 2.13.0.
# Output seen (GPT-2 with weights of 0, so nothing depends on the context; the end has p = 0.9, four words 0.025 each):
#   surprisal 0.1.7, transformers 5.24.0, torch 2.13.0
#   a word: -ln p = 3.689, surprisal 1.386
#   the sentence end: -ln p = 0.105, surprisal inf
# Who is hurt: models of sentences, which give the end much probability; a model of one long text hardly has one.
#   Surprisals do not add up to -ln p(sentence), and the sum differs from minicons' and from this program's.
# What to do: use minicons with bos_token=True, which leaves the end in.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check surprisal==0.1.7 transformers==5.24.0 torch==2.13.0
cd "$folder"
cat > show.py <<'PYTHON'
import math
import os
import sys
from importlib.metadata import version

os.environ["HF_HUB_OFFLINE"] = "1"
import torch
from surprisal import AutoHuggingFaceModel
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import GPT2Config, GPT2LMHeadModel, PreTrainedTokenizerFast

WORDS = ["</s>", "<unk>", "the", "cat", "sleeps"]
words = Tokenizer(models.WordLevel({word: id for id, word in enumerate(WORDS)}, unk_token="<unk>"))
words.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
tokenizer = PreTrainedTokenizerFast(tokenizer_object=words, unk_token="<unk>", bos_token="</s>", eos_token="</s>")
model = GPT2LMHeadModel(GPT2Config(vocab_size=5, n_positions=16, n_embd=4, n_layer=1, n_head=1, bos_token_id=0,
                                   eos_token_id=0))
with torch.no_grad():  # the last layer norm gives (1, 0, 0, 0) everywhere, and the end's row gives the logit ln 36
    for parameter in model.parameters():
        parameter.zero_()
    model.transformer.ln_f.bias[0] = 1
    model.transformer.wte.weight[0, 0] = math.log(36)
model.save_pretrained("model")
tokenizer.save_pretrained("model")
ids = torch.tensor([[0, *tokenizer("the cat sleeps").input_ids]])
p = model.eval()(ids).logits.double().softmax(-1)[0]

print(", ".join(f"{name} {version(name)}" for name in ("surprisal", "transformers", "torch")))
read = AutoHuggingFaceModel.from_pretrained("model", model_class="causal")
(result,) = read.surprise("the cat sleeps </s>")
*seen, end = (float(value) for value in result.surprisals)
print(f"a word: -ln p = {-math.log(p[0, 2]):.3f}, surprisal {seen[0]:.3f}")
print(f"the sentence end: -ln p = {-math.log(p[3, 0]):.3f}, surprisal {end:.3f}")
if any(abs(float(p[t, 0]) - 0.9) > 1e-6 for t in range(4)):
    sys.exit("changed: the model itself")
if any(abs(value - math.log(4)) > 1e-5 for value in seen) or end != math.inf:
    sys.exit("changed: the surprisals")
PYTHON
"$folder/venv/bin/python" show.py > shown 2> errors || { cat shown errors >&2; exit 1; }
cat shown
