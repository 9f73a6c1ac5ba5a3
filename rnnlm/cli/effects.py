"""Which options of the training command have an effect only with certain others; one without effect is refused."""

from rnnlm.cli.train_options import AVERAGE_DECAY, NUMBERS, OF_THE_RULE
from rnnlm.errors import RnnlmError, counted
from rnnlm.models import UNGATED
from rnnlm.training.schedules import SCHEDULES


def _drops_values(options):
    return any((options.input_dropout, options.dropout if options.layers > 1 else 0, options.output_dropout))


EFFECTS = {  # of options that do nothing but with certain others: when they do something, and with what
    "slowest": (lambda o: o.cell in UNGATED and o.recurrent_start in (None, "time-scales"),
                "--recurrent-start time-scales of the cells " + " and ".join(UNGATED)),
    "dropout_mask": (lambda o: _drops_values(o) and o.time_size > 1, "a dropout above 0 and a --time-size above 1"),
    "slowness_penalty": (lambda o: o.time_size > 1 or not o.slowness_penalty, "a --time-size above 1"),
    "dropout_start": (lambda o: _drops_values(o) or o.word_dropout or o.weight_drop,
                      "a dropout or a weight drop above 0"),
    "lr_factor": (lambda o: o.schedule == "plateau", "--schedule plateau"),
    "patience": (lambda o: SCHEDULES[o.schedule].stops_early and o.average != "tail",
                 "--schedule plateau or constant, without a tail average"),
    "average_from": (lambda o: o.average == "tail", "--average tail"),
    "average_decay": (lambda o: o.average == "exponential", "--average exponential"),
    **{name: (lambda o, name=name: name in OF_THE_RULE[o.optimizer],
              "--optimizer " + " or ".join(rule for rule, names in OF_THE_RULE.items() if name in names))
       for name in NUMBERS},
}


def require_effect(options, given):
    """RnnlmError for an option of the command line (``given``, a dict) that does nothing with the others."""
    for name, (does_something, with_what) in EFFECTS.items():
        if name in given and not does_something(options):
            option = f"--{name.replace('_', '-')}"
            raise RnnlmError(f"{option} does nothing here: it works only with {with_what}; leave it out")
    if "dropout" in given and options.layers == 1 and options.output_dropout != options.dropout:
        raise RnnlmError("--dropout does nothing here: the only layer is the last one, whose dropout is "
                         f"--output-dropout, now {options.output_dropout:g}; give that instead")
    if given.get("projection") is False and options.tied and options.wordvec_size != options.hidden_size:
        raise RnnlmError(f"--no-projection cannot be combined with --tied where word vectors ({options.wordvec_size}) "
                         f"and states ({options.hidden_size}) differ in size: leave it out, or give --wordvec-size "
                         f"{options.hidden_size}")


def notes_on_length(options, steps):
    """Yield what to say of options that do little, or too much, in a run of about so many steps."""
    if options.warm_up > steps / 5:
        yield (f"the learning rate rises over the first {options.warm_up:,} of about {counted(steps, 'step')}, which "
               f"leaves little time to learn: try --warm-up {steps // 10}")
    from_here = 10 / (1 - options.average_decay) - 9  # see Average: before, its other rule decides
    if options.average == "exponential" and options.average_decay != AVERAGE_DECAY and steps <= from_here:
        yield (f"--average-decay {options.average_decay:g} does nothing here: it takes effect after {from_here:,.0f} "
               f"steps, and the run has about {counted(steps, 'step')}: leave it out, or give a lower one")
