#!/usr/bin/env bash
# Finding: gensim changes the order of word vectors when it saves them, and invents counts when it loads them.
#
# A good guess: row i of the file is the vector of word i, so the row numbers can go on serving as word ids.
#   Counts that the format does not store are absent after loading.
# What happens: once the words have counts, save_word2vec_format writes the most frequent word first.
#   After loading, each word has a count that falls by one from row to row, as if it had been measured.
# Version: gensim 4.4.0 with NumPy 2.4.6, text and binary format.
# Output seen:
#   gensim 4.4.0
#   in memory:            <unk> the of cat, counts 5 9 7 1
#   saved and loaded:     the of <unk> cat, counts 4 3 2 1
#   the same as binary:   the of <unk> cat
# Who is hurt: those who take the rows as the embedding of a model whose ids come from the old order:
#   every word gets the vector of another word. Subsampling by the counts works on numbers that nobody counted.
# What to do: save with sort_attr="none" and look words up by name, never by row; keep counts in a file of their own.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check gensim==4.4.0 numpy==2.4.6
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import sys

import gensim
import numpy as np
from gensim.models import KeyedVectors


def counts(vectors):
    return [int(vectors.get_vecattr(word, "count")) for word in vectors.index_to_key]


words = ["<unk>", "the", "of", "cat"]
vectors = KeyedVectors(3)
vectors.add_vectors(words, np.arange(12, dtype=np.float32).reshape(4, 3))
for word, count in zip(words, (5, 9, 7, 1)):
    vectors.set_vecattr(word, "count", count)

vectors.save_word2vec_format("vectors.txt")
text = KeyedVectors.load_word2vec_format("vectors.txt")
vectors.save_word2vec_format("vectors.bin", binary=True)
binary = KeyedVectors.load_word2vec_format("vectors.bin", binary=True)
vectors.save_word2vec_format("unsorted.txt", sort_attr="none")
unsorted = KeyedVectors.load_word2vec_format("unsorted.txt")

print("gensim", gensim.__version__)
print("in memory:           ", *words[:-1], words[-1] + ", counts", *counts(vectors))
print("saved and loaded:    ", *text.index_to_key[:-1], text.index_to_key[-1] + ", counts", *counts(text))
print("the same as binary:  ", *binary.index_to_key)
if text.index_to_key == words or binary.index_to_key == words:
    sys.exit("changed: the order is kept")
if counts(text) != [4, 3, 2, 1]:
    sys.exit("changed: the counts after loading")
if unsorted.index_to_key != words:
    sys.exit('changed: sort_attr="none" no longer keeps the order')
PYTHON
