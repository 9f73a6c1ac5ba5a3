"""From options to the parts of a run: model, optimizer, batches, schedule, average, and the trainer that joins them."""

import numpy as np

from rnnlm.averaging import Average
from rnnlm.batches import TimeBatches
from rnnlm.initializers import log_frequencies
from rnnlm.models import LanguageModel, Regularisation, Start
from rnnlm.noising import Noising
from rnnlm.optimizers import OPTIMIZERS
from rnnlm.schedules import SCHEDULES
from rnnlm.trainer import Trainer


def build_trainer(options, corpus, workers, fresh):
    """The Trainer of a run.  fresh: whether it starts here; otherwise all weights are zeros, to be restored."""
    batches = _batches(options, corpus)
    model = _model(options, len(corpus.vocabulary), workers, np.random.default_rng(options.seed) if fresh else None)
    if fresh and options.output_start == "frequencies":
        model.output.params[1][...] = log_frequencies(np.bincount(corpus.train, minlength=len(corpus.vocabulary)))
    return Trainer(model, _optimizer(options, model), batches, _schedule(options), average=_average(options),
                   max_grad=options.max_grad, workers=workers)


def _batches(options, corpus):
    random = options.random_start or options.random_length or options.noising
    noising = Noising(corpus.train, len(corpus.vocabulary), options.noising) if options.noising else None
    return TimeBatches(corpus.train, options.batch_size, options.time_size, random_start=options.random_start,
                       random_length=options.random_length, noising=noising,
                       rng=np.random.default_rng(options.seed).spawn(2)[1] if random else None)


def _model(options, vocab_size, workers, rng):
    regularisation = Regularisation(
        dropout=options.dropout, output_dropout=options.output_dropout, input_dropout=options.input_dropout,
        word_dropout=options.word_dropout, weight_drop=options.weight_drop,
        per_window=options.dropout_mask == "window", activation_penalty=options.activation_penalty,
        slowness_penalty=options.slowness_penalty)
    start = Start(recurrent=options.recurrent_start, recurrent_gain=options.recurrent_gain, slowest=options.slowest,
                  input_gain=options.input_gain)
    return LanguageModel(vocab_size, options.wordvec_size, options.hidden_size, options.layers, cell=options.cell,
                         activation=options.activation, tied=options.tied, projection=options.projection,
                         regularisation=regularisation, start=start, rng=rng, workers=workers)


def _optimizer(options, model):
    """Its rates and weight decays by group: "matrices" have their own, "biases" do not decay."""
    groups = model.packing.groups
    factors, decays = {"matrices": options.matrix_lr_factor}, {"words": options.weight_decay,
                                                               "matrices": options.matrix_weight_decay}
    return OPTIMIZERS[options.optimizer](options.lr, factors=[factors.get(group, 1.0) for group in groups],
                                         decays=[decays.get(group, 0.0) for group in groups])


def _schedule(options):
    patience = None if options.average == "tail" else options.patience  # it begins at a share of all epochs
    special = {"factor": options.lr_factor} if options.schedule == "plateau" else {}
    return SCHEDULES[options.schedule](options.lr, warm_up=options.warm_up, patience=patience, **special)


def _average(options):
    if options.average == "none":
        return None
    return Average(start=options.average_from) if options.average == "tail" else Average(decay=options.average_decay)
