#!/bin/sh
# A run of --cell gru as it was when that was the textbook's form: made with the commit before the new one (8f7be2a).
#
#     pip install git+FOLDER@8f7be2a && sh tests/golden/make_earlier_gru.sh
#
# leaves in earlier-gru/ the run's folder after one epoch, model-2.npz and metrics.jsonl of the run that went on for two.
set -e
cd "$(dirname "$0")"
folder=earlier-gru
rm -rf "$folder"
options="--cell gru --hidden-size 4 --wordvec-size 3 --max-tokens 400 --max-vocab 20 --batch-size 4 --time-size 10 \
--dropout 0 --input-dropout 0 --lr 0.01 --threads 1"
rnnlm train $options --epochs 2 --output "$folder"
mv "$folder/model.npz" model-2.npz
mv "$folder/metrics.jsonl" metrics-2.jsonl
rnnlm train $options --epochs 1 --output "$folder" --overwrite
mv model-2.npz metrics-2.jsonl "$folder"
rm -f "$folder"/metrics.jsonl "$folder"/perplexity.png "$folder"/checkpoint-previous.npz "$folder"/.rnnlm.lock
