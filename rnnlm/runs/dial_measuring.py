"""How fast this machine is: a few steps of a network, and a part of a text scored."""

import math
from copy import copy
from dataclasses import replace
from typing import NamedTuple

from rnnlm.runs.assembly import build_trainer, settle_cutoffs
from rnnlm.runs.stopping import Stop
from rnnlm.scoring.evaluation import evaluate

FIRST_STEPS = 2  # which make buffers and wake threads
FEWEST_STEPS = 2
SCORED = 2048    # tokens


class Speed(NamedTuple):
    """Seconds for a token: to train on it, and to score it."""

    training: float
    scoring: float


class _Enough(Stop):
    """Enough steps were measured."""


def measure(options, corpus, workers, device, seconds, clock):
    """The Speed of a network with these options, from about so many seconds of steps.

    The weights are zeros: products and exponentials of those take as long.
    """
    options = copy(options)
    options.dropout_start = 1.0  # so that what is dropped at the end is dropped
    settle_cutoffs(options, corpus)
    trainer = build_trainer(options, corpus, workers, fresh=False, device=device)
    began = []

    def on_step(step):
        if trainer.iteration == FIRST_STEPS:
            began.extend((clock(), trainer.tokens))
        if trainer.iteration >= FIRST_STEPS + FEWEST_STEPS and clock() - began[0] >= seconds:
            raise _Enough

    try:
        for _ in trainer.fit(lambda: math.inf, math.inf, on_step):
            pass
    except _Enough:
        pass
    training = (clock() - began[0]) / (trainer.tokens - began[1])
    text = first_of(corpus.valid, SCORED)
    started = clock()
    evaluate(trainer.model, text, corpus.vocabulary.eos_id)
    return Speed(training, (clock() - started) / len(text.ids))


def first_of(text, count):
    """The first tokens of an EncodedText."""
    return replace(text, ids=text.ids[:count], is_oov=text.is_oov[:count])
