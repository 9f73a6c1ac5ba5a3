"""From options to the parts of a run: model, optimizer, batches, schedule, average, and the trainer that joins them."""

import numpy as np

from rnnlm.cli.train_options import OF_THE_RULE
from rnnlm.models import UNGATED, LanguageModel, Regularisation, Start
from rnnlm.models.initializers import log_frequencies
from rnnlm.text.batches import TimeBatches
from rnnlm.text.noising import Noising
from rnnlm.text.vocabulary import occurrences
from rnnlm.training.averaging import Average
from rnnlm.training.optimizers import OPTIMIZERS
from rnnlm.training.schedules import SCHEDULES
from rnnlm.training.trainer import Trainer


def build_trainer(options, corpus, workers, fresh):
    """The Trainer of a run.  fresh: whether it starts here; otherwise all weights are zeros, to be restored."""
    batches = _batches(options, corpus)
    model = _model(options, len(corpus.vocabulary), workers, np.random.default_rng(options.seed) if fresh else None)
    if fresh and options.output_start == "frequencies":
        model.output.params[1][...] = log_frequencies(occurrences(corpus.train, len(corpus.vocabulary)))
    return Trainer(model, _optimizer(options, model), batches, _schedule(options), average=_average(options),
                   max_grad=options.max_grad or np.inf, workers=workers)


def _batches(options, corpus):
    random = options.random_start or options.random_length or options.noising
    noising = Noising(corpus.train, len(corpus.vocabulary), options.noising) if options.noising else None
    return TimeBatches(corpus.train, options.batch_size, options.time_size, random_start=options.random_start,
                       random_length=options.random_length, noising=noising,
                       rng=np.random.default_rng(options.seed).spawn(2)[1] if random else None)


def architecture_of(options, vocab_size):
    """The architecture (LanguageModel.architecture) of the model that the options ask for, without building it."""
    projection = options.projection or (options.tied and options.wordvec_size != options.hidden_size)
    return {"cell": options.cell, "vocab_size": vocab_size, "wordvec_size": options.wordvec_size,
            "hidden_size": options.hidden_size, "layers": options.layers, "activation": options.activation,
            "tied": options.tied, "projection": projection}


def _model(options, vocab_size, workers, rng):
    regularisation = Regularisation(
        dropout=options.dropout, output_dropout=options.output_dropout, input_dropout=options.input_dropout,
        word_dropout=options.word_dropout, weight_drop=options.weight_drop, dropout_start=options.dropout_start,
        per_window=options.dropout_mask == "window", activation_penalty=options.activation_penalty,
        slowness_penalty=options.slowness_penalty)
    start = None if rng is None else Start(recurrent=options.recurrent_start, recurrent_gain=options.recurrent_gain,
                                           slowest=options.slowest, input_gain=options.input_gain)
    return LanguageModel(**architecture_of(options, vocab_size), regularisation=regularisation, start=start, rng=rng,
                         workers=workers)


def _optimizer(options, model):
    """Its rates by group: "matrices" have their own."""
    factors = [options.matrix_lr_factor if group == "matrices" else 1.0 for group in model.packing.groups]
    numbers = {name: getattr(options, name) for name in OF_THE_RULE[options.optimizer]}
    return OPTIMIZERS[options.optimizer](options.lr, factors=factors, decays=_decays(options, model), **numbers)


def _decays(options, model):
    """The weight decays by group: "matrices" have their own, "biases" none, nor has the diagonal of an RNN's Wh.

    The diagonal is each unit's hold on its own state, the memory of the network where it starts from many time scales
    or from the identity.  A decay would take it to 0, whatever the text asks for.
    """
    by_group = {"words": options.weight_decay, "matrices": options.matrix_weight_decay, "biases": 0.0}
    packing = model.packing
    decays = [by_group[group] for group in packing.groups]
    if options.cell in UNGATED and options.matrix_weight_decay:
        at = packing.groups.index("matrices")
        decays[at] = np.full_like(packing.params[at], options.matrix_weight_decay)
        for name, decay in packing.parts(at, decays[at]).items():
            if name.endswith("/Wh"):
                np.fill_diagonal(decay, 0)
    return decays


def _schedule(options):
    patience = None if options.average == "tail" else options.patience  # it begins at a share of all epochs
    special = {"factor": options.lr_factor} if options.schedule == "plateau" else {}
    return SCHEDULES[options.schedule](options.lr, warm_up=options.warm_up, patience=patience, **special)


def _average(options):
    if options.average == "none":
        return None
    return Average(start=options.average_from) if options.average == "tail" else Average(decay=options.average_decay)
