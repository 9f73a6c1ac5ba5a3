"""The options about the run itself: where it is kept, and how it goes on."""

from rnnlm.compute.cuda import DEVICES
from rnnlm.runs.checks import OneOf, not_empty, positive
from rnnlm.runs.marks import MOST, mark, marks
from rnnlm.runs.option import DEBUG, FLAG, OF_THE_COMMAND, OF_THE_LINE, SWITCH, THREADS, Option

WHERE = (
    Option("output", not_empty, "the run folder", metavar="FOLDER", scope=OF_THE_COMMAND,
           default_text="runs/CORPUS, numbered if that is taken", meant_by="log-dir out-dir output-dir save save-dir"),
    Option("config", not_empty, "read options from a TOML file, a run folder or a shipped recipe; command-line options "
           "override them", metavar="FILE|RUN|RECIPE", scope=OF_THE_LINE, meant_by="recipe"),
    Option("recipes", FLAG, "list the recipes and exit", False, scope=OF_THE_LINE),
)
HOW = (
    Option("overwrite", FLAG, "replace the run in the output folder or runs/CORPUS", False, scope=OF_THE_COMMAND,
           meant_by="force replace"),
    THREADS,
    Option("device", OneOf(DEVICES), "what computes: the processor, a GPU, or a GPU with products in TF32, which are "
           "faster and less exact", "cpu", may_change=True, meant_by="accelerator backend cuda gpu use-gpu"),
    Option("checkpoint_minutes", positive, "save a checkpoint every M minutes within an epoch, in addition to the one "
           "at its end", 10.0, "M", may_change=True),
    Option("keep_every", mark, "keep a model in the folder kept of the run folder each time training has read K tokens "
           f"more, line ends included, such as 500k or 1M; at most {MOST:,} models, each as large as model.npz",
           metavar="K", may_change=True, meant_by="save-every save-steps checkpoint-every eval-every"),
    Option("keep_at", marks, "keep a model in the folder kept of the run folder when training has read these numbers "
           "of tokens, line ends included, or ranges FROM-TO:STEP of them: 100k,500k,1M-10M:1M", metavar="K,K,...",
           may_change=True, meant_by="save-at checkpoint-at checkpoints"),
    Option("discard_checkpoints", SWITCH, "remove the last checkpoint, too, when the run has ended: it cannot be "
           "resumed with more epochs then", False, may_change=True,
           meant_by="delete-checkpoints no-checkpoints remove-checkpoints"),
    Option("on_divergence", OneOf(("stop", "rollback")), "what to do when a loss or gradient is not finite: stop, or "
           "return to the last checkpoint and halve the learning rate", "stop", may_change=True),
    DEBUG,
)


def run_options(others):
    """All of them, a tuple; others: the options of the other groups."""
    return (*WHERE, _resume((*others, *HOW)), *HOW)


def _resume(others):
    """The record of --resume, whose help names the options that may change."""
    free = ", ".join(option.flag for option in others if option.may_change)
    return Option("resume", FLAG, "continue the run in --output, by default the newest in runs/ (with --corpus: on "
                  f"that corpus), with its own options; these may change: {free}", False, scope=OF_THE_COMMAND,
                  meant_by="continue keep-going")
