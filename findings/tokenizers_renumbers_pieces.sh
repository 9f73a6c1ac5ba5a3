#!/usr/bin/env bash
# Finding: training a WordPiece or Unigram tokenizer again gives the same pieces other ids.
#
# A good guess: the same text and options give the same vocabulary; at the worst, ties are broken differently
#   and then the pieces differ, too, so that one notices.
# What happens with tokenizers' trainers: the set of pieces is the same, and some pieces have exchanged their ids.
#   It happens in one process, and with a single thread as well. BPE and WordLevel give the same ids every time.
# Version: tokenizers 0.23.3. Reported upstream as tokenizers#1794.
# Output seen (five trainings each, compared with the first; the counts vary from run to run):
#   tokenizers 0.23.3
#   WordPiece pieces in both: 300 of 300, with another id: 15
#   Unigram   pieces in both: 300 of 300, with another id: 15
#   BPE       pieces in both: 300 of 300, with another id: 0
#   WordLevel pieces in both: 300 of 300, with another id: 0
# Who is hurt: those who keep the model and train the tokenizer again from the text. Size and pieces agree,
#   every text is cut in the same way, and some pieces get the embeddings of others.
# What to do: save the tokenizer with the model, and compare a checksum of the vocabulary in its order.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check tokenizers==0.23.3 numpy==2.4.6
cd "$folder"
TOKENIZERS_PARALLELISM=false RAYON_NUM_THREADS=1 "$folder/venv/bin/python" - <<'PYTHON'
import sys

import numpy as np
import tokenizers
from tokenizers import Tokenizer, models, pre_tokenizers, trainers

rng = np.random.default_rng(0)
syllables = ["ba", "ke", "mo", "ti", "ru", "sa", "no", "li", "da", "fe"]
words = ["".join(rng.choice(syllables, rng.integers(1, 5))) for _ in range(2000)]
shares = 1 / np.arange(1, 2001)
lines = [" ".join(rng.choice(words, 10, p=shares / shares.sum())) for _ in range(3000)]
options = {"vocab_size": 300, "show_progress": False, "special_tokens": ["<unk>"]}


def vocabulary(kind):
    made = {
        "WordPiece": lambda: (models.WordPiece(unk_token="<unk>"), trainers.WordPieceTrainer(**options)),
        "Unigram": lambda: (models.Unigram(), trainers.UnigramTrainer(unk_token="<unk>", **options)),
        "BPE": lambda: (models.BPE(unk_token="<unk>"), trainers.BpeTrainer(**options)),
        "WordLevel": lambda: (models.WordLevel(unk_token="<unk>"), trainers.WordLevelTrainer(**options)),
    }
    model, trainer = made[kind]()
    tokenizer = Tokenizer(model)
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.train_from_iterator(lines, trainer)
    return tokenizer.get_vocab()


print("tokenizers", tokenizers.__version__)
for kind, steady in (("WordPiece", False), ("Unigram", False), ("BPE", True), ("WordLevel", True)):
    first, *others = [vocabulary(kind) for _ in range(5)]
    common = min(len(first.keys() & other.keys()) for other in others)
    moved = max(sum(first[piece] != other.get(piece) for piece in first) for other in others)
    print(f"{kind:9} pieces in both: {common} of {len(first)}, with another id: {moved}")
    if (moved == 0) != steady:
        sys.exit(f"changed: ids of {kind}")
PYTHON
