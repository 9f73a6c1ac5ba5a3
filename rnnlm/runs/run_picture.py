"""perplexity.png: the picture of a run in its folder, drawn anew while it trains."""

import time

from rnnlm.errors import RnnlmError
from rnnlm.reports.curves import plot_perplexity
from rnnlm.runs.metrics import as_json

PICTURE = "perplexity.png"
REDRAW_SECONDS = 30  # a long run's picture can be looked at while it trains; a short one is drawn once


class HasPicture:
    """The part of a RunFolder that draws.

    records: each epoch's Record; title: above the curves; best_possible: the lowest
    validation perplexity that there can be, None: not known; level: of the text;
    before_training: the validation perplexity of the model that the run began from,
    None: not known; test: the test perplexity of the best model, None: not known yet.
    """

    def __init__(self):
        self.records, self.title, self.level = [], "", "word"
        self.best_possible = self.before_training = self.test = None
        self.drawn = time.monotonic()

    def redraw_at_times(self):
        """``redraw`` if the picture is old."""
        if time.monotonic() - self.drawn > REDRAW_SECONDS:
            self.redraw()

    def redraw(self):
        """Draw the picture if there is something to draw; note if it is not written."""
        if self.held.lost:
            return
        try:
            self.draw()
        except RnnlmError as error:
            self.observer.on_note(str(error))

    def draw(self):
        """perplexity.png, from all records so far; returns whether there is one now.

        RnnlmError if it cannot be written; other trouble is only reported.
        """
        self.drawn = time.monotonic()
        if not self.records:
            return False
        records = [as_json(record) for record in self.records]
        try:
            with self.held.writing():
                plot_perplexity(self.held.file(PICTURE), records, self.title, self.best_possible, self.level,
                                self.before_training, self.test)
        except RnnlmError:
            raise
        except Exception as error:  # whatever matplotlib meets: fonts, a broken installation
            self.observer.on_note(f"{PICTURE} could not be drawn: {error}")
            return False
        return True
