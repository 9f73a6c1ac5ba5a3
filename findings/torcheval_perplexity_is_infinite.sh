#!/usr/bin/env bash
# Finding: torcheval's perplexity is infinite after one surprising word, and needs memory for each pair of tokens.
#
# A good guess: a perplexity is made of log-softmaxes, as in cross_entropy, so that -ln p of 110 counts as 110;
#   and its memory is that of the logits.
# What happens: the softmax is taken first and the logarithm after it. In float32 a probability below 1e-45 is 0 and its
#   logarithm infinite, and so is the perplexity of all texts that are added later.
#   The probabilities of the targets are the diagonal of a matrix that has a row and a column for each token.
# Version: torcheval 0.0.7, torch 2.13.0 (CPU).
# Output seen (5 words, all logits 0; 100 tokens, of which one is 110 below another):
#   torcheval 0.0.7, torch 2.13.0
#   100 tokens:   exp(cross_entropy) 14.78, torcheval inf; after 100 more without the surprise: inf
#   16384 tokens: perplexity 5.00, logits of 0.3 MB, memory grown by 500 MB or more: True
# Who is hurt: who evaluates a network that is sure of itself; dynamic evaluation and networks trained for long are.
#   A test set of 82,430 tokens, as that of Penn Treebank, in one call would take 27 GB.
# What to do: add up cross_entropy(reduction="sum") and the tokens. Giving log-softmaxes for logits changes nothing.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check torch==2.13.0 torcheval==0.0.7 numpy==2.4.6
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import math
import resource
import sys
from importlib.metadata import version

import torch
from torch.nn.functional import cross_entropy
from torcheval.metrics import Perplexity


def peak():
    """The most memory this process has held, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


print(f"torcheval {version('torcheval')}, torch {version('torch').split('+')[0]}")
logits, targets = torch.zeros(1, 100, 5), torch.ones(1, 100, dtype=torch.long)
logits[0, 0, 0] = 110
right = cross_entropy(logits[0], targets[0]).exp().item()
metric = Perplexity()
metric.update(logits, targets)
found = metric.compute().item()
metric.update(logits * 0, targets)
later = metric.compute().item()
shown = f"exp(cross_entropy) {right:.2f}, torcheval {found:.2f}; after 100 more without the surprise: {later:.2f}"
print("100 tokens:  ", shown)
if abs(right - math.exp((110 + 99 * math.log(5)) / 100)) > 1e-2 or found != math.inf or later != math.inf:
    sys.exit("changed: the surprising word")
before = peak()
logits = torch.zeros(1, 16384, 5)
metric = Perplexity()
metric.update(logits, torch.ones(1, 16384, dtype=torch.long))
grown = peak() - before >= 500
size = logits.numel() * 4 / 1e6
shown = f"perplexity {metric.compute().item():.2f}, logits of {size:.1f} MB, memory grown by 500 MB or more: {grown}"
print("16384 tokens:", shown)
if not grown:
    sys.exit("changed: memory")
PYTHON
