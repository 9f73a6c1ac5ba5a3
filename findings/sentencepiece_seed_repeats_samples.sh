#!/usr/bin/env bash
# Finding: with a seed, sentencepiece samples a list of texts in the same way in every call.
#
# A good guess: set_random_generator_seed starts one stream of random numbers, once. Each later call goes on in it, so
#   each epoch sees other segmentations, which is the point of subword regularization.
# What happens: encode of a list starts new threads in each call, and each thread starts the stream from the seed. So
#   all epochs get the same segmentations, and within a call each thread begins with the same ones. A string instead of
#   a list uses the stream of the calling thread, which goes on.
# Version: sentencepiece 0.2.3.
# Output seen (a text sampled in 50 calls; how many segmentations came up):
#   sentencepiece 0.2.3
#   encode(text), seed 1:       about 10 segmentations in 50 calls
#   encode([text]), seed 1:     1 segmentation in 50 calls
#   encode([text]), no seed:    about 10 segmentations in 50 calls
# Who is hurt: who sets a seed for the sake of reproducible runs, and trains on lists: subword regularization
#   becomes one fixed segmentation, without a word.
# What to do: encode strings one by one in one thread, or sample in Python from nbest_encode.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check sentencepiece==0.2.3
cd "$folder"
cat > sample.py <<'PYTHON'
import random
import sys

import sentencepiece

TEXT, OPTIONS = "the talker talks slowly", dict(enable_sampling=True, alpha=0.1, nbest_size=-1, out_type=str)

if sys.argv[1] == "train":
    words = "the cat dog sleeps running walked walking talker talks slowly quickly better".split()
    draw = random.Random(0)
    with open("text", "w") as file:
        file.writelines(" ".join(draw.choices(words, k=6)) + "\n" for _ in range(400))
    sentencepiece.SentencePieceTrainer.train(input="text", model_prefix="model", vocab_size=36, minloglevel=2)
    sys.exit()
if sys.argv[2] != "none":
    sentencepiece.set_random_generator_seed(int(sys.argv[2]))
read = sentencepiece.SentencePieceProcessor(model_file="model.model")
if sys.argv[1] == "string":
    calls = [read.encode(TEXT, **OPTIONS) for _ in range(50)]
else:
    calls = [read.encode([TEXT], **OPTIONS)[0] for _ in range(50)]
if any("".join(pieces) != "\u2581" + TEXT.replace(" ", "\u2581") for pieces in calls):
    sys.exit("changed: the pieces are not those of the text")
print(len({tuple(pieces) for pieces in calls}))
PYTHON
python="$folder/venv/bin/python"
"$python" sample.py train
"$python" -c 'from importlib.metadata import version; print("sentencepiece", version("sentencepiece"))'
strings=$("$python" sample.py string 1)
lists=$("$python" sample.py list 1)
unseeded=$("$python" sample.py list none)
echo "encode(text), seed 1:       $strings segmentations in 50 calls"
echo "encode([text]), seed 1:     $lists segmentation in 50 calls"
echo "encode([text]), no seed:    $unseeded segmentations in 50 calls"
if [ "$strings" -le 5 ] || [ "$unseeded" -le 5 ]; then echo "changed: strings, or lists without a seed" >&2; exit 1; fi
if [ "$lists" != 1 ]; then echo "changed: lists with a seed" >&2; exit 1; fi
for seed in 2 3; do
    [ "$("$python" sample.py list $seed)" = 1 ] || { echo "changed: lists with the seed $seed" >&2; exit 1; }
done
