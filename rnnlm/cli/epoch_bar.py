"""The bar of an epoch: progress, time left and speed, as the terminal has room.

tqdm is loaded with this module, so it is imported where a bar is made.
"""

import sys

from tqdm import tqdm

from rnnlm.cli.screen import is_terminal

FORMS = {  # from so many columns on
    100: "{desc}{percentage:3.0f}%|{bar}| {remaining} left, {rate_fmt}, at most {whole_run} in all",
    76: "{desc}{percentage:3.0f}%|{bar}| {remaining} left, {rate_fmt}",
    56: "{desc}{percentage:3.0f}%|{bar}| {remaining} left",
    0: "{desc}{remaining} left",
}
USUAL = 79  # columns for a bar on the usual terminal, which has one more


class EpochBar(tqdm):
    """Moves by an epoch's targets.

    The time left is that of the epoch, as few runs use up all their epochs.
    """

    def __init__(self, trainer, epochs):
        self.trainer, self.epochs = trainer, epochs
        super().__init__(total=trainer.batches.targets, unit=" tokens", unit_scale=True, leave=False,
                         dynamic_ncols=True, disable=not is_terminal(sys.stderr))

    def move_to(self, targets):
        """Show so many targets of the epoch as read, wherever the bar was before."""
        self.n = self.last_print_n = targets

    @property
    def format_dict(self):
        """What tqdm shows, in the form for this width, at the speed of the table."""
        values = super().format_dict
        columns = max(values["ncols"] or 0, 0) or USUAL  # a terminal that was told no width says -1
        form = next(form for least, form in FORMS.items() if columns >= least)
        sums = self.trainer.sums
        speed = sums.targets / sums.seconds if sums.seconds else None
        return values | {"ncols": columns, "bar_format": form, "rate": speed, "whole_run": self._whole_run()}

    def _whole_run(self):
        """Time for all epochs left at the run's speed so far, validation included."""
        trainer = self.trainer
        if not trainer.tokens:
            return "?"
        left = self.epochs * trainer.batches.targets - trainer.tokens
        return self.format_interval(left * trainer.seconds / trainer.tokens)
