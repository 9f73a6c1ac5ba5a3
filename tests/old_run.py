"""A small run that draws random numbers of every kind, built by public names alone."""

from contextlib import suppress

import numpy as np

from rnnlm import Adam, DivideOnPlateau, LanguageModel, Noising, Regularisation, TimeBatches, Trainer

WORDS, EPOCHS, STOP = 9, 3, 31  # STOP: the step after which the run was saved, within the second epoch


class Stopped(Exception):
    """Raised to end training between two steps."""


def old_trainer(seed):
    """The run's trainer; with another seed, one that only a checkpoint makes equal."""
    ids = (np.arange(601) ** 2 % 83 % WORDS).astype(np.int32)
    regularisation = Regularisation(dropout=0.3, input_dropout=0.1, word_dropout=0.2, weight_drop=0.3)
    model = LanguageModel(WORDS, 3, 5, 2, cell="lstm", regularisation=regularisation, rng=np.random.default_rng(seed))
    batches = TimeBatches(ids, 3, 10, random_start=True, random_length=True, noising=Noising(ids, WORDS, 0.4),
                          rng=np.random.default_rng(seed + 1))
    return Trainer(model, Adam(0.01), batches, DivideOnPlateau(0.01), max_grad=1.0)


def train(trainer, epochs, stop=None):
    """Train, up to a step where that is given; returns the records."""
    records = []

    def on_step(step):
        if trainer.iteration == stop:
            raise Stopped

    with suppress(Stopped):
        records.extend(trainer.fit(lambda: 1.0, epochs, on_step))
    return records
