"""Which options go together.

An option that does nothing with the others is refused, as are numbers that undo each
other.
"""

import numpy as np

from rnnlm.errors import ArgumentError, RnnlmError, counted
from rnnlm.models import UNGATED, Architecture
from rnnlm.runs.assembly import architecture_of, frozen_names
from rnnlm.runs.options import AVERAGE_DECAY, TRAIN
from rnnlm.text.batches import MORE, SHORTEST

LARGE = 1 << 20  # any number of words, to ask what a model's parameters are called
SMALLEST_NORMAL = float(np.finfo(np.float32).tiny)
SMALLEST_CHANGE = 3e-8  # of 1 in 32 bits: a little more than half of what the next smaller number is away


def require_possible(options):
    """RnnlmError where two options can never go together, wherever they were given."""
    if options.lr is None:
        raise RnnlmError(f"--optimizer {options.optimizer} has no learning rate of its own: give --lr")
    if options.random_length and options.time_size < SHORTEST:
        raise RnnlmError(f"--random-length needs a --time-size of at least {SHORTEST}, got {options.time_size}")
    if options.freeze:
        _require_frozen_parts(options)
    if options.init_from:
        return  # the model has the cell that it has
    if options.cell not in UNGATED:
        for name, value, instead in (("activation", "relu", "tanh"), ("recurrent_start", "time-scales", "orthogonal")):
            if getattr(options, name) == value:
                flag = TRAIN.by_name[name].flag
                raise RnnlmError(f"{flag} {value} is for --cell {' or '.join(UNGATED)}, not for {options.cell}: "
                                 f"leave it out, or give {flag} {instead} if a file sets it")


def _require_frozen_parts(options):
    """RnnlmError if the model has no parts of the names that are to be frozen."""
    try:
        architecture = architecture_of(options, LARGE)
    except ArgumentError:  # of a softmax whose clusters follow from the text: the model asks again
        return
    frozen_names(options, architecture)


def require_effect(options, typed):
    """RnnlmError for an option of ``typed``, a dict, that does nothing here."""
    for option in map(TRAIN.by_name.get, typed):
        if option.acts and not option.acts(options):
            raise RnnlmError(f"{option.flag} does nothing here: it works only with {option.acts_with}; leave it out")
    if "dropout" in typed and options.layers == 1 and options.output_dropout != options.dropout:
        raise RnnlmError("--dropout does nothing here: the only layer is the last one, whose dropout is "
                         f"--output-dropout, now {options.output_dropout:g}; give that instead")
    if typed.get("projection") is False and options.tied and options.wordvec_size != options.hidden_size:
        raise RnnlmError(f"--no-projection cannot be combined with --tied where word vectors ({options.wordvec_size}) "
                         f"and states ({options.hidden_size}) differ in size: leave it out, or give --wordvec-size "
                         f"{options.hidden_size}")


def require_possible_rates(options):
    """RnnlmError for a rate that is 0 in 32 bits, or a decay of all or nothing."""
    matrix_rate = options.lr * options.matrix_lr_factor
    if not SMALLEST_NORMAL < matrix_rate < 1 / SMALLEST_NORMAL:
        raise RnnlmError(f"--lr times --matrix-lr-factor must be a 32-bit number, got {matrix_rate:g}: change one of "
                         "them")
    longest = 1 + MORE / options.time_size if options.random_length else 1
    for name, rate in (("weight_decay", options.lr), ("matrix_weight_decay", matrix_rate)):
        _require_possible_decay(TRAIN.by_name[name].flag, getattr(options, name), rate * longest,
                                ", the rate of the longest window" if options.random_length else "")


def _require_possible_decay(flag, decay, rate, which):
    product = f"{flag} times the rate"
    if decay * rate >= 1:
        raise RnnlmError(f"{product} must be below 1, because each step shrinks the weights by that share; got "
                         f"{decay:g} times {rate:g}{which}: lower the decay or --lr")
    if decay and np.float32(1 - decay * rate) == 1:
        enough = 1.06 * SMALLEST_CHANGE / rate  # so that it is still enough when it is rounded
        raise RnnlmError(f"{product} must be 0 or at least {SMALLEST_CHANGE:g}, because less changes no 32-bit weight; "
                         f"got {decay:g} times {rate:g}{which}: give 0 or at least {enough:.2g}")


def notes_on_freezing(options, model):
    """Yield a line on each thing that a frozen part freezes besides, or does not."""
    of_words = _of_words(model.architecture)
    if "embedding/W" in model.frozen and options.tied:
        yield "with tied weights, the frozen embedding is the output weights, too: they do not train either"
        if others := [name for name in of_words - model.frozen if name.startswith("tail")]:
            yield f"embedding/W has only the most frequent words: those in {' and '.join(sorted(others))} train"
    if options.extend_vocab and (still := sorted(model.frozen & of_words)):
        yield f"new words keep the values in {' and '.join(still)} with which they start, because it is frozen"


def _of_words(architecture):
    """The names of the parameters that a larger vocabulary would make larger."""
    larger = Architecture(**{**architecture, "vocab_size": architecture["vocab_size"] + 1}).shapes()
    return {name for name, shape in architecture.shapes().items() if larger[name] != shape}


def notes_on_length(options, steps):
    """Yield a line on each option that does little, or too much, in so many steps."""
    if options.warm_up > steps / 5:
        yield (f"the learning rate rises over the first {options.warm_up:,} of about {counted(steps, 'step')}, which "
               f"leaves little time to learn: try --warm-up {steps // 10}")
    from_here = 10 / (1 - options.average_decay) - 9  # see Average: before, its other rule decides
    if options.average == "exponential" and options.average_decay != AVERAGE_DECAY and steps <= from_here:
        yield (f"--average-decay {options.average_decay:g} does nothing here: it takes effect after {from_here:,.0f} "
               f"steps, and the run has about {counted(steps, 'step')}: leave it out, or give a lower one")
