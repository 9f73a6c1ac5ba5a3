"""A vocabulary as arrays of a file: its words, its tokenizer's and, if known, counts.

Model files, checkpoints, the cache of ARPA files and exports store it in the same way.
"""

import numpy as np

from rnnlm.compute import arguments
from rnnlm.errors import ArgumentError, counted, shown
from rnnlm.files.archive import as_bytes
from rnnlm.text.choose_tokenizer import stored_arrays, tokenizer_from
from rnnlm.text.vocabulary import Vocabulary

VOCABULARY, COUNTS = "vocabulary", "counts"  # names of arrays


def vocabulary_arrays(vocabulary):
    """The arrays that a file has of a vocabulary, by name.

    ArgumentError unless the words are the same when they are read.
    """
    words = "\n".join(vocabulary.words)
    if words.count("\n") != len(vocabulary) - 1:
        found = next(word for word in vocabulary.words if "\n" in word)
        raise arguments.wrong("words", "without a line end, which separates them in the file", found)
    counts = {} if vocabulary.counts is None else {COUNTS: vocabulary.counts}
    try:
        return {VOCABULARY: as_bytes(words), **vocabulary.tokenizer.arrays(), **counts}
    except UnicodeEncodeError as error:
        raise ArgumentError(f"words must be text that UTF-8 can encode, got {shown(words[error.start])}") from None


def vocabulary_size(vocabulary):
    """Bytes of the arrays that a file has of a vocabulary."""
    counts = 0 if vocabulary.counts is None else vocabulary.counts.nbytes
    stored = sum(array.nbytes for array in vocabulary.tokenizer.arrays().values())
    return counts + stored + sum(len(word.encode()) + 1 for word in vocabulary.words)


def read_vocabulary(archive, header, size, with_counts):
    """The Vocabulary of an open file; ValueError unless it has ``size`` words.

    header: what describes its tokenizer.  with_counts: whether the file has their
    counts.
    """
    if with_counts:
        archive.require({COUNTS: (size,)}, np.int64)
    words = archive.text(VOCABULARY)
    count = words.count("\n") + 1
    if count != size:  # before a list of them is made
        raise ValueError(f"vocab_size is {size}, which does not fit the {counted(count, 'word')} of the vocabulary")
    tokenizer = read_tokenizer(archive, header, stored_arrays(header, size))
    if not with_counts:
        return Vocabulary(words.split("\n"), tokenizer)
    counts = np.empty(size, np.int64)
    archive.read(COUNTS, counts)
    return Vocabulary(words.split("\n"), tokenizer, counts)


def read_tokenizer(archive, header, stored):
    """The Tokenizer that a header describes, its arrays filled from the archive."""
    for name, array in stored.items():
        archive.read(name, array)
    return tokenizer_from(header, stored)
