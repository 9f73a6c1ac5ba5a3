"""How fast this machine is: a few steps of a network, and a part of a text scored.

Other programs make it slower, nobody knows for how long; so they are looked at, too.
"""

import math
from copy import copy
from dataclasses import replace
from typing import NamedTuple

from rnnlm.compute.load import Load, slow_down
from rnnlm.runs.assembly import build_trainer, settle_cutoffs
from rnnlm.runs.stopping import Stop
from rnnlm.scoring.evaluation import evaluate

FIRST_STEPS = 2  # which make buffers and wake threads
FEWEST_STEPS = 2
SCORED = 2048    # tokens


class Speed(NamedTuple):
    """How fast a network is.

    Attributes
    ----------
    training, scoring : seconds for a token.
    others : cores that other programs kept busy meanwhile; 0 if they slow nothing down.
    """

    training: float
    scoring: float
    others: float = 0.0


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
    began, load = [], Load()

    def on_step(step):
        if trainer.iteration == FIRST_STEPS:
            began.extend((clock(), trainer.tokens))
            load.look()
        if trainer.iteration >= FIRST_STEPS + FEWEST_STEPS and clock() - began[0] >= seconds:
            raise _Enough

    try:
        for _ in trainer.fit(lambda: math.inf, math.inf, on_step):
            pass
    except _Enough:
        pass
    training = (clock() - began[0]) / (trainer.tokens - began[1])
    others = load.others()
    text = first_of(corpus.valid, SCORED)
    started = clock()
    evaluate(trainer.model, text, corpus.vocabulary.eos_id)
    scoring = (clock() - started) / len(text.ids)
    return Speed(training, scoring, others if slow_down(others, workers.threads) else 0.0)


def first_of(text, count):
    """The first tokens of an EncodedText."""
    return replace(text, ids=text.ids[:count], is_oov=text.is_oov[:count])
