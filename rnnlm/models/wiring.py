"""How the layers of a language model are put together, on memory that exists."""

from dataclasses import dataclass

from rnnlm.compute.device import HOST
from rnnlm.layers import (
    Layer,
    TimeActivationPenalty,
    TimeAdaptiveEmbedding,
    TimeAdaptiveOutput,
    TimeAffine,
    TimeDropout,
    TimeEmbedding,
    TimeOutput,
    TimeRecurrent,
    TimeSlownessPenalty,
    TimeWordDropout,
    WeightDrop,
)
from rnnlm.layers.cuda import (
    CudaAdaptiveEmbedding,
    CudaAdaptiveOutput,
    CudaAffine,
    CudaDropout,
    CudaEmbedding,
    CudaOutput,
    CudaWeightDrop,
    CudaWordDropout,
)
from rnnlm.layers.fast import FastAdaptiveEmbedding, FastAdaptiveOutput, FastAffine, FastEmbedding, FastOutput


@dataclass
class Wiring:
    """The layers of a model; ``layers`` go from the ids to the inputs of ``output``.

    ``shared`` has pairs of gradients: one of the embedding's, and the one of the same
    array to which it is added, which the output has filled.
    """

    layers: list[Layer]
    embedding: Layer
    recurrent: list[TimeRecurrent]
    projection: Layer | None
    output: Layer
    shared: list[tuple]


def wire(architecture, regularisation, packing, *, rng, plain, workers, device=HOST):
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
    device : the Device that has the memory.
    """
    r, build = regularisation, _Builder(architecture, packing, plain, workers, device)
    embedding, recurrent = build.embedding(), []
    layers = [build.word_dropout(embedding, r.word_dropout, rng) if r.word_dropout else embedding]

    def drop(ratio):
        layers.append(build.kinds["dropout"](ratio, rng=rng, per_window=r.per_window, **build.on))

    for number in range(1, architecture.layers + 1):
        drop(r.dropout if recurrent else r.input_dropout)
        weight_drop = build.kinds["weight_drop"](r.weight_drop, rng=rng, **build.on) if r.weight_drop else None
        recurrent.append(build.recurrent(number, weight_drop))
        layers.append(recurrent[-1])
    if r.slowness_penalty:
        layers.append(TimeSlownessPenalty(r.slowness_penalty))
    drop(r.dropout if r.output_dropout is None else r.output_dropout)
    if r.activation_penalty:
        layers.append(TimeActivationPenalty(r.activation_penalty))
    projection = build.projection() if architecture.projection else None
    if projection:
        layers.append(projection)
    adds = architecture.tied and not (build.kind == "cuda" and isinstance(embedding, CudaEmbedding))
    shared = list(zip(embedding.grads, build.vectors(packing.grad), strict=True)) if adds else []
    return Wiring(layers, embedding, recurrent, projection, build.output(), shared)


PLAIN = {"embedding": TimeEmbedding, "adaptive_embedding": TimeAdaptiveEmbedding, "affine": TimeAffine,
         "output": TimeOutput, "adaptive_output": TimeAdaptiveOutput, "dropout": TimeDropout,
         "word_dropout": TimeWordDropout, "weight_drop": WeightDrop}
FAST = PLAIN | {"embedding": FastEmbedding, "adaptive_embedding": FastAdaptiveEmbedding, "affine": FastAffine,
                "output": FastOutput, "adaptive_output": FastAdaptiveOutput}
CUDA = {"embedding": CudaEmbedding, "adaptive_embedding": CudaAdaptiveEmbedding, "affine": CudaAffine,
        "output": CudaOutput, "adaptive_output": CudaAdaptiveOutput, "dropout": CudaDropout,
        "word_dropout": CudaWordDropout, "weight_drop": CudaWeightDrop}


class _Builder:
    """Makes the layers that have parameters, each on its part of the memory."""

    def __init__(self, architecture, packing, plain, workers, device):
        self.architecture, self.packing = architecture, packing
        self.tails = [f"tail{number}" for number in range(1, len(architecture.cutoffs) + 1)]
        self.kind, self.kinds, self.options = "plain", PLAIN, {}
        self.on = {} if device is HOST else {"device": device}  # what layers without products take, too
        if device is not HOST:
            self.kind, self.kinds, self.options = "cuda", CUDA, self.on
        elif not plain:
            self.kind, self.kinds, self.options = "fast", FAST, {"workers": workers}

    def embedding(self):
        """The word vectors; if tied, the output has the memory of the gradient."""
        if self.architecture.tied and self.tails:
            return self.kinds["adaptive_embedding"](*self.vectors(self.packing.param), **self.on)
        W, grads = self.packing.of("embedding")
        if self.architecture.tied and self.kind == "cuda":  # it adds to what the output has written
            return self.kinds["embedding"](*W, grads=grads, adds=True, **self.on)
        return self.kinds["embedding"](*W, grads=None if self.architecture.tied else grads, **self.on)

    def word_dropout(self, embedding, ratio, rng):
        """The embedding, which leaves out some words."""
        return self.kinds["word_dropout"](embedding, ratio, rng=rng, vocab_size=self.architecture.vocab_size, **self.on)

    def vectors(self, arrays):
        """The embedding's part of arrays by name, which a tied model's output has."""
        W = arrays["embedding/W"]
        if not self.tails:
            return [W]
        frequent = W[: self.architecture.cutoffs[0]]  # the other rows are the clusters'
        return [frequent, *(arrays[f"{tail}/{name}"].T for tail in self.tails for name in "PW")]

    def recurrent(self, number, weight_drop):
        """The recurrent layer of this number, from 1."""
        a = self.architecture
        kind = a.row.layer(self.kind)
        options = {} if kind is a.row.plain else self.options
        if not a.row.gated:
            options = options | {"activation": a.activation}
        params, grads = self.packing.of(a.layer_name(number))
        return kind(*params, stateful=True, weight_drop=weight_drop, grads=grads, **options)

    def projection(self):
        """From the hidden size to that of the word vectors."""
        params, grads = self.packing.of("projection")
        return self.kinds["affine"](*params, grads=grads, **self.options)

    def output(self):
        """Scores and loss; tied weights are the word vectors, transposed."""
        params, grads = self.packing.of("affine")
        if self.architecture.tied:
            (W,), (dW,) = self.packing.of("embedding")
            params, grads = [W.T, *params], [dW.T, *grads]
        for tail in self.tails:
            of_tail, its_grads = self.packing.of(tail)
            params, grads = [*params, *of_tail], [*grads, *its_grads]
        return self.kinds["adaptive_output" if self.tails else "output"](*params, grads=grads, **self.options)
