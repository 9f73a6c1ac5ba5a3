"""What the folder of one seed tells: whether it is the run of that seed, and has ended.

So its test text is not read again where the results of several seeds were lost, or the
program was killed just before they were written.
"""

import math
from pathlib import Path

from rnnlm.errors import RnnlmError, one_line
from rnnlm.runs.checkpoint_files import CHECKPOINTS
from rnnlm.runs.compared_run import read_run
from rnnlm.runs.options import TRAIN, of_the_run
from rnnlm.runs.resuming import OPTIONS, differences
from rnnlm.runs.seed_results import SeedRun


def ended_run(seed, path, options):
    """The SeedRun and the Summary of a run that has ended; None: nothing tells that.

    Parameters
    ----------
    path : of its folder.
    options : those of all seeds; a run with others does not count.
    """
    try:
        run = read_run(path)
    except RnnlmError:
        return None
    summary, best, own = run.summary, run.best, run.options
    if summary is None or best is None or summary.test_epoch != best.epoch or other_options(own, seed, options) or (
            (own.epochs, own.patience) != (options.epochs, options.patience)):
        return None
    test_loss = math.inf if summary.test_loss is None else summary.test_loss
    return SeedRun(seed, path, None, options.epochs, options.patience, best.epoch, run.records[-1].seconds, test_loss,
                   [record.valid_loss for record in run.records]), summary


def require_run_of(seed, path, options):
    """RnnlmError if a checkpoint in the folder is of a run with other options."""
    if not any(Path(path, name).exists() for name in CHECKPOINTS):
        return
    try:
        own = read_run(path).options
    except RnnlmError:  # whoever resumes it says what is wrong
        return
    if names := other_options(own, seed, options):
        raise RnnlmError(f"{one_line(str(path))} holds a run with other options than the other seeds ({names}): remove "
                         "it, and it is trained again")


def other_options(own, seed, options):
    """The flags of options in which a run is not that of a seed, in words; or "".

    Only those count that were given: the others follow, or come from a model.
    """
    names = {*own.given, *options.given, "seed"}
    found = differences(*({OPTIONS: of_the_run(each)[OPTIONS]} for each in (own, options)))
    wrong = [TRAIN.by_name[difference.name].flag for difference in found if difference.name in names
             and not (own.seed == seed if difference.name == "seed" else difference.allowed)]
    return ", ".join(wrong)
