#!/usr/bin/env bash
# Finding: PyTorch's adaptive softmax can give its rare words a projection to 0 numbers, and then never tells them apart.
#
# A good guess: the width of a cluster, in_features / div_value^i, is at least 1, or the constructor refuses the cutoffs.
# What happens: it is rounded down, to 0 where the features are few. The last cluster's scores are all 0, so its words
#   share one probability whatever the features are, and it has no weight to learn. Probabilities still sum to 1.
# Version: torch 2.13.0 (CPU).
# Output seen:
#   torch 2.13.0: 8 features, 1000 classes, cutoffs [10, 100], div_value 4
#   widths of the clusters: 2, 0
#   weights of the last cluster: 0
#   different log-probabilities of its 900 words: 1
#   ln p of the cluster's words less ln of its mass: -6.8024, -ln 900: -6.8024
# Who is hurt: who takes a small model with three or more cutoffs for a large vocabulary. It trains, its loss falls, and
#   its rare words stay equally likely. The only sign is a warning about "zero-element tensors".
# What to do: choose div_value so that in_features / div_value^(number of cutoffs) is at least 1.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check numpy torch==2.13.0
cd "$folder"
"$folder/venv/bin/python" -W ignore - <<'PYTHON'
import math
import sys

import torch

torch.manual_seed(0)
layer = torch.nn.AdaptiveLogSoftmaxWithLoss(8, 1000, [10, 100], div_value=4.0)
widths = [tail[0].weight.shape[0] for tail in layer.tail]
weights = sum(parameter.numel() for parameter in layer.tail[-1].parameters())
with torch.no_grad():
    log_probs = layer.log_prob(torch.randn(1, 8))[0, 100:]
different = len(set(log_probs.tolist()))
within = float(log_probs[0] - torch.logsumexp(log_probs, 0))
print(f"torch {torch.__version__.split('+')[0]}: 8 features, 1000 classes, cutoffs [10, 100], div_value 4")
print("widths of the clusters:", ", ".join(map(str, widths)))
print("weights of the last cluster:", weights)
print("different log-probabilities of its 900 words:", different)
print(f"ln p of the cluster's words less ln of its mass: {within:.4f}, -ln 900: {-math.log(900):.4f}")
if widths != [2, 0] or weights or different != 1:
    sys.exit("changed: the last cluster has a width")
PYTHON
