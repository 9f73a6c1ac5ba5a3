"""First weights that come from another model, whose vocabulary may have been smaller.

The other model reads a word that it lacks as <unk>, and predicts <unk> in its place.
So a new word gets the vector and the output weights of <unk>.  Its bias is that of
<unk>, moved so that <unk> and the new words share the probability that <unk> had, each
by how often it occurs, one added to every count.  Before the first step every old word
has the probability that it had, and a known text is as probable as before.
"""

import numpy as np

from rnnlm.models.initializers import log_frequencies

RAREST = 10  # without <unk>, a new word starts as the mean of one in so many words, the rarest


def begin_from(arrays, weights, old_size, occurrences, unk_id, counts=None):
    """Write another model's weights into the arrays of a model.

    Parameters
    ----------
    arrays : the model's, by name.
    weights : the other model's, by the same names.
    old_size : how many words it has; they are the first ones here.
    occurrences : (V,), how often each word occurs in the text to come.
    unk_id : the id of <unk> in its vocabulary; None: it has none.
    counts : how often each of its words occurred in the text of the other model; None:
        not known.
    """
    rarest = None if unk_id is not None else _rarest(old_size, counts)
    for name, array in arrays.items():
        _copy(array, weights[name], rarest if unk_id is None else [unk_id], old_size)
    bias = arrays["affine/b"]
    if old_size < len(occurrences) == len(bias):  # with an adaptive softmax new words are in a cluster, without biases
        if unk_id is not None:
            _share(bias, unk_id, old_size, occurrences)
        elif counts is not None:
            bias[old_size:] += log_frequencies(occurrences)[old_size:] - log_frequencies(counts)[rarest].mean()


def _rarest(size, counts):
    """The ids of the rarest words; without counts the last ones, as ids are sorted."""
    number = max(1, size // RAREST)
    return np.arange(size - number, size) if counts is None else np.argsort(counts, kind="stable")[:number]


def _copy(array, weights, like, vocab_size):
    """Copy weights; words that they lack get the mean of those with the ids ``like``.

    An array that has only some of the words, such as a cluster of the rarest, gives
    them the mean of its own last ones.
    """
    if array.shape == weights.shape:
        array[...] = weights
        return
    (axis,) = (axis for axis, size in enumerate(weights.shape) if size != array.shape[axis])
    array, weights = np.moveaxis(array, axis, 0), np.moveaxis(weights, axis, 0)
    array[: len(weights)] = weights
    if len(weights) != vocab_size:
        like = _rarest(len(weights), None)
    array[len(weights) :] = weights[like].mean(axis=0)


def _share(bias, unk_id, old_size, occurrences):
    """Divide the probability of <unk> among it and the words after ``old_size``."""
    heirs = np.append(np.arange(old_size, len(bias)), unk_id)
    bias[heirs] = bias[unk_id] + log_frequencies(occurrences[heirs])
