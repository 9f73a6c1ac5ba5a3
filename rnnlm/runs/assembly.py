"""From options to the parts of a run: model, optimizer, batches, schedule, trainer."""

from dataclasses import fields

import numpy as np

from rnnlm.compute.device import HOST
from rnnlm.compute.processes import processes
from rnnlm.models import Architecture, LanguageModel, Regularisation, Start
from rnnlm.models.cutoffs import cutoffs_for
from rnnlm.models.freezing import frozen_parameters
from rnnlm.runs.rule_options import OF_THE_RULE
from rnnlm.text.batches import TimeBatches
from rnnlm.text.documents import NOTHING, starts_to_shuffle
from rnnlm.text.noising import Noising
from rnnlm.text.vocabulary import occurrences
from rnnlm.training.averaging import Average
from rnnlm.training.decay import weight_decays
from rnnlm.training.optimizers import OPTIMIZERS
from rnnlm.training.schedules import SCHEDULES
from rnnlm.training.trainer import Trainer


def build_trainer(options, corpus, workers, fresh, initial=None, device=HOST):
    """The Trainer of a run.

    fresh : whether the run starts here; otherwise all weights are zeros, to be
        restored.
    initial : the InitialModel, whose weights it starts with; None: there is none.
    device : the Device that trains.
    """
    batches = _batches(options, corpus)
    model = _model(options, len(corpus.vocabulary), workers, np.random.default_rng(options.seed) if fresh else None)
    if fresh and initial:
        initial.fill(model, corpus)
    elif fresh and options.output_start == "frequencies":
        model.start_at_frequencies(occurrences(corpus.train, len(corpus.vocabulary)))
    model.move_to(device)
    model.processes = processes()
    return Trainer(model, _optimizer(options, model), batches, _schedule(options), average=_average(options),
                   max_grad=options.max_grad or np.inf, workers=workers, sync_every=options.sync_every)


def _batches(options, corpus):
    starts = _starts(options, corpus)
    random = options.random_start or options.random_length or options.noising or starts is not None
    noising = Noising(corpus.train, len(corpus.vocabulary), options.noising) if options.noising else None
    return TimeBatches(corpus.train, options.batch_size, options.time_size, random_start=options.random_start,
                       random_length=options.random_length, noising=noising, documents=starts,
                       rng=np.random.default_rng(options.seed).spawn(2)[1] if random else None)


def _starts(options, corpus):
    """Where the documents to be shuffled start; None if none are."""
    if options.shuffle == NOTHING:
        return None
    return starts_to_shuffle(corpus.train, corpus.vocabulary.eos_id, options.shuffle)


def architecture_of(options, vocab_size):
    """The Architecture of the model that the options ask for."""
    cutoffs = options.cutoffs or () if options.softmax == "adaptive" else ()
    return _of_same_names(Architecture, options, vocab_size=vocab_size, cutoffs=cutoffs)


def settle_cutoffs(options, corpus):
    """Choose the cutoffs of an adaptive softmax by the counts, if none are given."""
    if options.softmax == "adaptive" and options.cutoffs is None:
        size = options.wordvec_size if options.tied or options.projection else options.hidden_size
        options.cutoffs = list(cutoffs_for(corpus.vocabulary.counts, size))


def _model(options, vocab_size, workers, rng):
    regularisation = _of_same_names(Regularisation, options, per_window=options.dropout_mask == "window")
    start = None if rng is None else _of_same_names(Start, options, recurrent=options.recurrent_start)
    architecture = architecture_of(options, vocab_size)
    return LanguageModel(**architecture, regularisation=regularisation, start=start, rng=rng, workers=workers,
                         frozen=frozen_names(options, architecture))


def frozen_names(options, architecture):
    """The names of the parameters that --freeze means; RnnlmError for another name."""
    return frozen_parameters(architecture, options.freeze or (), "--freeze")


def _of_same_names(kind, options, **others):
    """A dataclass whose fields are options of the same names, but for the others."""
    return kind(**{field.name: getattr(options, field.name) for field in fields(kind) if field.name not in others},
                **others)


def _optimizer(options, model):
    """Its rates and decays by group: "matrices" have their own."""
    factors = [options.matrix_lr_factor if group == "matrices" else 1.0 for group in model.packing.groups]
    decays = weight_decays(model, options.weight_decay, options.matrix_weight_decay)
    numbers = {name: getattr(options, name) for name in OF_THE_RULE[options.optimizer]}
    return OPTIMIZERS[options.optimizer](options.lr, factors=factors, decays=decays, **numbers)


def _schedule(options):
    patience = None if options.average == "tail" else options.patience  # it begins at a share of all epochs
    special = {"factor": options.lr_factor} if options.schedule == "plateau" else {}
    return SCHEDULES[options.schedule](options.lr, warm_up=options.warm_up, patience=patience, **special)


def _average(options):
    if options.average == "none":
        return None
    return Average(start=options.average_from) if options.average == "tail" else Average(decay=options.average_decay)
