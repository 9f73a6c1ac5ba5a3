"""How the layers of a language model are put together, on memory that exists."""

from dataclasses import dataclass

from rnnlm.layers import (
    Layer,
    TimeActivationPenalty,
    TimeAffine,
    TimeDropout,
    TimeEmbedding,
    TimeOutput,
    TimeRecurrent,
    TimeSlownessPenalty,
    TimeWordDropout,
    WeightDrop,
)
from rnnlm.layers.fast import FastAffine, FastEmbedding, FastOutput


@dataclass
class Wiring:
    """The layers of a model; ``layers`` go from the ids to the inputs of ``output``."""

    layers: list[Layer]
    embedding: Layer
    recurrent: list[TimeRecurrent]
    projection: Layer | None
    output: Layer


def wire(architecture, regularisation, packing, *, rng, plain, workers):
    """The Wiring of a model.

    Parameters
    ----------
    architecture : the Architecture.
    regularisation : the Regularisation, which decides about dropout and penalties.
    packing : Packing, the memory of the architecture's parameters; the layers get views
        of it.
    rng : numpy.random.Generator that dropout draws from.
    plain : take the layers to read, not the fast ones.
    workers : the Workers of the fast layers.
    """
    r, build = regularisation, _Builder(architecture, packing, plain, workers)
    embedding, recurrent = build.embedding(), []
    layers = [TimeWordDropout(embedding, r.word_dropout, rng=rng) if r.word_dropout else embedding]

    def drop(ratio):
        layers.append(TimeDropout(ratio, rng=rng, per_window=r.per_window))

    for number in range(1, architecture.layers + 1):
        drop(r.dropout if recurrent else r.input_dropout)
        recurrent.append(build.recurrent(number, WeightDrop(r.weight_drop, rng=rng) if r.weight_drop else None))
        layers.append(recurrent[-1])
    if r.slowness_penalty:
        layers.append(TimeSlownessPenalty(r.slowness_penalty))
    drop(r.dropout if r.output_dropout is None else r.output_dropout)
    if r.activation_penalty:
        layers.append(TimeActivationPenalty(r.activation_penalty))
    projection = build.projection() if architecture.projection else None
    if projection:
        layers.append(projection)
    return Wiring(layers, embedding, recurrent, projection, build.output())


class _Builder:
    """Makes the layers that have parameters, each on its part of the memory."""

    def __init__(self, architecture, packing, plain, workers):
        self.architecture, self.packing, self.plain = architecture, packing, plain
        self.threads = {} if plain else {"workers": workers}

    def embedding(self):
        """The word vectors; if tied, the output has the memory of the gradient."""
        W, grads = self.packing.of("embedding")
        return (TimeEmbedding if self.plain else FastEmbedding)(*W, grads=None if self.architecture.tied else grads)

    def recurrent(self, number, weight_drop):
        """The recurrent layer of this number, from 1."""
        a = self.architecture
        kind = a.row.layer(self.plain)
        options = self.threads if kind is a.row.fast else {}
        if not a.row.gated:
            options = options | {"activation": a.activation}
        params, grads = self.packing.of(a.layer_name(number))
        return kind(*params, stateful=True, weight_drop=weight_drop, grads=grads, **options)

    def projection(self):
        """From the hidden size to that of the word vectors."""
        params, grads = self.packing.of("projection")
        return (TimeAffine if self.plain else FastAffine)(*params, grads=grads, **self.threads)

    def output(self):
        """Scores and loss; tied weights are the word vectors, transposed."""
        params, grads = self.packing.of("affine")
        if self.architecture.tied:
            (W,), (dW,) = self.packing.of("embedding")
            params, grads = [W.T, *params], [dW.T, *grads]
        return (TimeOutput if self.plain else FastOutput)(*params, grads=grads, **self.threads)
