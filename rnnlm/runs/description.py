"""A model and its texts in a few words, for titles and lines."""

import math

import numpy as np

from rnnlm.errors import listed
from rnnlm.text.vocabulary import UNK


def described(model):
    """The kind and the sizes of a network, or of an n-gram model, in a few words.

    Of a mixture, those of its first part; of a model with a cache, those of the model.
    """
    if hasattr(model, "parts"):
        return described(model.parts[0])
    if not hasattr(model, "architecture"):
        if hasattr(model, "model"):
            return described(model.model)
        return f"n-gram model of order {model.order}"
    return ", ".join([_layers(model), *_softmax(model)])


def _layers(model):
    a = model.architecture
    depth = "" if a.layers == 1 else f"{a.layers} x "
    cell = a.row.title
    if not a.row.gated:
        cell = f"{ {'tanh': 'tanh', 'relu': 'ReLU'}[a.activation]} {cell}"
    tied = "tied " if a.tied else ""
    return f"{depth}{cell} of {a.hidden_size}, {tied}word vectors of {a.wordvec_size}"


def bits_per_byte(bits, lost):
    """The bits per byte of a text, in words; "" where they are not known (nan).

    lost: what the bits leave out; then they are a lower bound.
    """
    return "" if math.isnan(bits) else f"{'at least ' if lost else ''}{bits:.4f} bits per byte"


def _softmax(model):
    """A list of what there is to say of the output: nothing of a full softmax."""
    cutoffs = [f"{cutoff:,}" for cutoff in model.architecture.cutoffs]
    return [f"adaptive softmax with cutoffs at {listed(cutoffs)}"] if cutoffs else []


def unknown_share(text, rest):
    """The share of <unk> among an EncodedText's targets, in percent, then ``rest``.

    It is empty where there is none.  The more targets are <unk>, the less a perplexity
    says.
    """
    percent = 100 * text.unk_share
    shown = f"{percent:.1f}" if percent >= 0.05 else "less than 0.1"
    return f"{shown} % {rest} {UNK}" if text.unk else ""


def unknown_in_validation(corpus):
    """A line on the share of <unk> in a Corpus's validation text; empty without any."""
    return unknown_share(corpus.valid, "of the validation targets are")


def title(corpus, model):
    """The title of a run's picture: corpus, model, share of <unk> in validation.

    Two or three lines: one would be wider than the picture.
    """
    unit = "" if corpus.vocabulary.tokenizer.unit == "word" else f"{corpus.vocabulary.tokenizer.unit}s, "
    lines = [f"{corpus.name}, {unit}{_layers(model)}", *_softmax(model), unknown_in_validation(corpus)]
    return "\n".join(lines).rstrip()


def shuffled(batches, unit):
    """A line on what TimeBatches shuffle; empty if nothing.

    unit: "documents" or "lines".
    """
    if batches.shuffled is None:
        return ""
    lengths = np.diff(batches.shuffled.bounds)
    return (f"{len(lengths):,} {unit} of {lengths.mean():,.0f} tokens on average, {lengths.max():,} at most: each "
            "epoch reads them in a new random order")
