"""Which options of the training command do something beside which others; one that does nothing is refused."""

from rnnlm.cli.train_options import AVERAGE_DECAY, NUMBERS, OF_THE_RULE
from rnnlm.errors import RnnlmError, counted
from rnnlm.models import UNGATED
from rnnlm.schedules import SCHEDULES


def _drops_values(options):
    return any((options.input_dropout, options.dropout if options.layers > 1 else 0, options.output_dropout))


EFFECTS = {  # options that do nothing but with certain others: when they do something, and with what
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
    """RnnlmError for an option of the command line (``given``, a dict) that does nothing beside the others."""
    for name, (does_something, with_what) in EFFECTS.items():
        if name in given and not does_something(options):
            raise RnnlmError(f"--{name.replace('_', '-')} does nothing here, it is for {with_what}: leave it out")
    if "dropout" in given and options.layers == 1 and options.output_dropout != options.dropout:
        raise RnnlmError("--dropout does nothing here, the one layer is the last, and for that --output-dropout is "
                         f"{options.output_dropout:g}: give that instead")
    if given.get("projection") is False and options.tied and options.wordvec_size != options.hidden_size:
        raise RnnlmError(f"--no-projection does not go with --tied and word vectors of {options.wordvec_size} beside "
                         f"states of {options.hidden_size}: leave it out, or give --wordvec-size {options.hidden_size}")


def notes_on_length(options, steps):
    """Yield what to say of options that do little, or too much, in a run of about so many steps."""
    if options.warm_up > steps / 5:
        yield (f"the rate rises over the first {options.warm_up:,} of about {counted(steps, 'step')}: --warm-up "
               f"{steps // 10} would leave more of them to learn in")
    from_here = 10 / (1 - options.average_decay) - 9  # see Average: before, its other rule decides
    if options.average == "exponential" and options.average_decay != AVERAGE_DECAY and steps <= from_here:
        yield (f"--average-decay {options.average_decay:g} does nothing here: it counts after {from_here:,.0f} steps, "
               f"and the run has about {counted(steps, 'step')}: leave it out, or give a lower one")
