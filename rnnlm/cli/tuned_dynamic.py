"""The grid of dynamic evaluation on validation text, as a command prints it."""

from rnnlm.adapting.tuning_dynamic import tune_dynamic
from rnnlm.cli.screen import note
from rnnlm.cli.signals import computing_until_signal


def tuned(read, method, tuning, numbers, statistics):
    """The best lr and decay, a dict; what was given is kept.

    Parameters
    ----------
    read : Read, whose model is the network.
    method : a name of METHODS.
    tuning : EncodedText.
    numbers : window, lr, decay, eps and recurrent, as they were given.
    statistics : GradientStatistics or None.
    """
    if None not in (numbers["lr"], numbers["decay"]):
        return {}
    note("dynamic evaluation on the validation text: perplexity by learning rate and decay")
    with computing_until_signal("stopping after these words") as check:

        def on_tried(tried):
            check()  # a divergence has ended the point before its next words
            note(f"  lr {tried.lr:g}, decay {tried.decay:g}: {tried.perplexity:.6g}")
        best, *_ = tune_dynamic(read.model, tuning.ids, read.vocabulary.eos_id, method, window=numbers["window"],
                                lrs=_only(numbers["lr"]), decays=_only(numbers["decay"]), eps=numbers["eps"],
                                recurrent=numbers["recurrent"], statistics=statistics, on_tried=on_tried,
                                on_window=lambda _: check())
    usual = {"window": None, "eps": None, "recurrent": 1.0}
    chosen = {"lr": best.lr, "decay": best.decay} | {name: numbers[name] for name in usual
                                                     if numbers[name] != usual[name]}
    note(f"chosen: --dynamic {method} " + " ".join(f"--dynamic-{name} {value:g}" for name, value in chosen.items()))
    return {"lr": best.lr, "decay": best.decay}


def _only(value):
    """A grid of the value that was given; None: not given."""
    return None if value is None else [value]
