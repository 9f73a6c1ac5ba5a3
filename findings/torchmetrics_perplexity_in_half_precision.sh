#!/usr/bin/env bash
# Finding: torchmetrics' Perplexity adds up a batch in the precision of the logits, so float16 gives inf.
#
# A good guess: a metric takes float16 logits, as its documentation says, and adds in float32, as its state does.
# What happens: the softmax, its logarithm and the sum over the batch are all in float16 or bfloat16. The state is
#   float32, but gets the rounded sum. In float16 a batch of more than 65504 nats is infinite, and so is one word of
#   probability below 3e-8. In bfloat16 a sum has 8 bits, so perplexity is off by per cents, up or down with the size
#   of the batch.
# Version: torchmetrics 1.9.0, torch 2.13.0.
# Output seen (2000 equally likely words, so the perplexity is 2000, in batches of 4000, 7000 and 9000 words):
#   torchmetrics 1.9.0, torch 2.13.0
#   float32:  2000, 2000, 2000
#   float16:  1998, 2003, inf
#   bfloat16: 1966, 2012, 1932
#   one word of ten has the logit -18, float16: inf (float32: 12099)
# Who is hurt: who evaluates under autocast or with a model in half precision. The loss beside it is right.
# What to do: give it logits.float().
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check torchmetrics==1.9.0 torch==2.13.0 numpy
cd "$folder"
cat > show.py <<'PYTHON'
import math
import sys
from importlib.metadata import version

import torch
from torchmetrics.text import Perplexity


def perplexity(logits, dtype):
    metric = Perplexity()
    metric.update(logits.to(dtype), torch.zeros(1, logits.shape[1], dtype=torch.long))
    return metric.compute().item()


print(f"torchmetrics {version('torchmetrics')}, torch {version('torch')}")
found = {}
for dtype in (torch.float32, torch.float16, torch.bfloat16):
    name = str(dtype).removeprefix("torch.")
    found[name] = [perplexity(torch.zeros(1, words, 2000), dtype) for words in (4000, 7000, 9000)]
    print(f"{name + ':':9} {', '.join(f'{value:.0f}' for value in found[name])}")
logits = torch.zeros(1, 10, 2000)
logits[0, 0, 0] = -18
rare = [perplexity(logits, dtype) for dtype in (torch.float16, torch.float32)]
print(f"one word of ten has the logit -18, float16: {rare[0]:.0f} (float32: {rare[1]:.0f})")

by_hand = math.exp((9 * math.log(2000) + math.log(1999 + math.exp(-18)) + 18) / 10)
if any(abs(value / 2000 - 1) > 1e-4 for value in found["float32"]) or abs(rare[1] / by_hand - 1) > 1e-4:
    sys.exit("changed: float32")
if found["float16"][2] != math.inf or rare[0] != math.inf:
    sys.exit("changed: float16")
if not (found["bfloat16"][0] < 1980 and found["bfloat16"][1] > 2005):
    sys.exit("changed: bfloat16")
PYTHON
"$folder/venv/bin/python" show.py 2> errors || { cat errors >&2; exit 1; }
