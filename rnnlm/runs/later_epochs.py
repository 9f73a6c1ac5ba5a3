"""A number of epochs that changes on the way, at the end of an epoch.

``--minutes`` fixes the epochs after measuring.  Where the machine turns out slower or
faster, it changes them, and the option ``--later-epochs`` records it, so that the run
can be repeated: "5:9" makes them 9 at the end of epoch 5.
"""

import re
from collections import deque
from itertools import pairwise

from rnnlm.errors import shown
from rnnlm.runs.checks import WrongValue, at_least, positive
from rnnlm.runs.option import OF_THE_COMMAND, Option

_CHANGE = re.compile(r"(\d+):(\d+)", re.ASCII)
LATEST = 5       # epochs whose mean time is expected of the next ones
TOLERATED = 0.03  # of the time asked for


def changes(text):
    """A check: changes such as 5:9,7:8, the epochs at whose end they are ascending.

    The value is the text without blanks.
    """
    text = "".join(text.split())
    try:
        pairs = _pairs(text)
    except WrongValue:
        pairs = []
    if not pairs or any(a[0] >= b[0] for a, b in pairwise(pairs)) or any(after > epochs for after, epochs in pairs):
        raise WrongValue("must be changes AFTER:EPOCHS with commas between them, such as 5:9, in which AFTER rises and "
                         f"is at most EPOCHS, got {shown(repr(text))}")
    return text


def _pairs(text):
    """The changes that a text names, a list of pairs."""
    found = [_CHANGE.fullmatch(part) for part in text.split(",")]
    if not all(found):
        raise WrongValue("")
    one = at_least(1)
    return [(one(match[1]), one(match[2])) for match in found]


MINUTES = Option(
    "minutes", positive, "end the run after about M minutes from the start of the command: look at the text, measure "
    "this machine for a few seconds, and choose all options that are not given", metavar="M", scope=OF_THE_COMMAND,
    default_text="as long as the options take", meant_by="max-time time budget time-budget duration max-minutes")
LATER_EPOCHS = Option(
    "later_epochs", changes, "change the number of epochs on the way: 5:9 makes them 9 when epoch 5 ends; --minutes "
    "records so what it changed", metavar="AFTER:EPOCHS,...", default_text="no change")


def epochs_at(options, epoch):
    """How many epochs the run has in all, as it is known when ``epoch`` has ended."""
    known = [epochs for after, epochs in _pairs(options.later_epochs or "") if after <= epoch] if (
        options.later_epochs) else []
    return known[-1] if known else options.epochs


def fit(trainer, validate, options, on_step):
    """As ``Trainer.fit``, with ``epochs_at``; yields a Record for each epoch.

    What the reader of a Record changes in the options counts for the next epoch.
    """
    while True:
        epochs = epochs_at(options, trainer.epoch)
        for record in trainer.fit(validate, epochs, on_step):
            yield record
            if epochs_at(options, trainer.epoch) != epochs:
                break
        else:
            return


class Pace:
    """Watches the time of a run that must end in time.

    Parameters
    ----------
    clock : () -> seconds.
    deadline : on that clock, when the last epoch is to end.
    seconds : the time that was asked for, of which a share is tolerated.
    most : how many epochs there may be at most.
    """

    def __init__(self, clock, deadline, seconds, most):
        self.clock, self.deadline, self.tolerated, self.most = clock, deadline, TOLERATED * seconds, most
        self.ends = deque([clock()], maxlen=LATEST + 1)

    def epochs(self, epoch, epochs):
        """How many epochs there are to be, at the end of one; called at each end.

        Parameters
        ----------
        epoch : how many have ended.
        epochs : how many there were to be so far.
        """
        self.ends.append(self.clock())
        if epoch >= epochs:
            return epochs
        seconds = (self.ends[-1] - self.ends[0]) / (len(self.ends) - 1)
        left = self.deadline - self.ends[-1]
        late = (epochs - epoch) * seconds - left
        if abs(late) <= max(self.tolerated, seconds / 2):
            return epochs
        return max(epoch + 1, min(epoch + round(left / seconds), self.most))


def changed(options, epoch, epochs):
    """The value of --later-epochs with one more change; the earlier ones stay."""
    return ",".join(filter(None, (options.later_epochs, f"{epoch}:{epochs}")))
