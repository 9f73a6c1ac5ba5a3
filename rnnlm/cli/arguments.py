"""Words on a command line: values that begin with a dash, and what is meant by a name that is not there."""

import argparse

from rnnlm.errors import nearest

# What people type who know another program: the classic toolkits, PyTorch's examples, AWD-LSTM.  A name leads to an
# option only in a command that has it.
OTHER_NAMES = {
    "batch-size": "bs batch",
    "cell": "model model-type rnn-type",
    "config": "recipe",
    "corpus": "data dataset input text train train-file",
    "dropout": "dropouth",
    "epochs": "iterations iters max-epoch max-epochs n-epochs num-epochs",
    "hidden-size": "hidden-dim hidden-units n-hidden nhid num-hidden rnn-size size",
    "input-dropout": "dropouti",
    "layers": "n-layers nlayers num-layers depth",
    "length": "max-length max-new-tokens max-tokens max-words n-words num-tokens num-words words",
    "lr": "learning-rate rate",
    "lr-factor": "anneal annealing lr-decay",
    "max-grad": "clip clip-grad clip-norm clipping grad-clip gradient-clip gradient-clipping max-grad-norm max-norm",
    "max-vocab": "max-vocab-size vocab vocab-size",
    "min-count": "min-freq min-frequency",
    "optimizer": "opt update",
    "output": "log-dir out-dir output-dir save save-dir",
    "overwrite": "force replace",
    "patience": "early-stopping nonmono",
    "prompt": "prefix prime primer start",
    "resume": "continue keep-going",
    "seed": "random-seed rng",
    "threads": "cores cpus jobs n-jobs n-threads num-threads workers",
    "tied": "tie tie-weights weight-tying",
    "time-size": "bptt bptt-steps seq-len seq-length seqlen sequence-length window",
    "top-p": "nucleus",
    "weight-decay": "decay wd wdecay",
    "weight-drop": "wdrop",
    "word-dropout": "dropoute",
    "wordvec-size": "emb-dim emb-size embed-dim embed-size embedding-dim embedding-size emsize",
}
MEANT = {name: option for option, names in OTHER_NAMES.items() for name in names.split()}


def meant(name, known):
    """The end of a message about an unknown option: a question if one of the known ones is likely meant.

    name: as it was typed, with or without dashes; known: option names, as they are to be shown.
    """
    bare = {option.strip("-").replace("_", "-"): option for option in known}
    name = str(name).lstrip("-").replace("_", "-").lower()
    near = MEANT[name] if MEANT.get(name) in bare else nearest(name, bare)
    return f": did you mean {bare[near]}?" if near else ""


def with_values_joined(arguments, actions):
    """The arguments with ``--option -value`` written as ``--option=-value``, which argparse does not misread.

    actions: the parser's, by option string.  A value that looks like one of its options is left alone.
    """
    joined, rest = [], list(arguments)
    while rest:
        word = rest.pop(0)
        if word == "--":
            return [*joined, word, *rest]
        if rest and _takes_a_value(word, actions) and _is_value(rest[0], actions):
            word = f"{word}={rest.pop(0)}"
        joined.append(word)
    return joined


def _takes_a_value(word, actions):
    """Whether the word is an option, perhaps cut short, that takes one value."""
    if not word.startswith("-"):
        return False
    near = [actions[word]] if word in actions else [action for name, action in actions.items() if name.startswith(word)]
    return len(set(near)) == 1 and isinstance(near[0], argparse._StoreAction) and near[0].nargs is None


def _is_value(word, actions):
    """Whether the word begins with a dash but is no option, no beginning of one and no misspelt one."""
    name = word.split("=")[0]
    if len(word) < 2 or not word.startswith("-") or word == "--" or name in actions:
        return False
    return not name.startswith("--") or not (any(option.startswith(name) for option in actions)
                                             or nearest(name, actions, 0.8))
