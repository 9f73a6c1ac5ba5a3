"""The observer of a training run: it is told what happens, and decides what anybody sees of it."""


class Observer:
    """Hears what happens in a training run.  Every method does nothing; a subclass overrides those it wants.

    The methods are called in the thread that trains, in about the order in which they
    are listed here.  What they are given is the run's own: to look at, not to change.
    What a method raises ends the run, which can be resumed from its last checkpoint.
    """

    def on_note(self, line):
        """Tell of something that was decided on the way or looks odd: a sentence, on one line."""

    def on_fetching(self, name, size):
        """A file of ``size`` bytes is fetched: may return a function to be called with each further number of bytes."""

    def on_encoding(self, name, size):
        """A long text of ``size`` bytes is encoded: may return a function as that of ``on_fetching``."""

    def on_threads(self, threads):
        """The run computes on so many threads."""

    def on_corpus(self, corpus):
        """The texts are read: a Corpus, whose ``notes`` say what was decided about them, a line each."""

    def on_model(self, model, folder):
        """The run begins: its LanguageModel and the path of its folder."""

    def on_resumed(self, saved):
        """The run continues from this SavePoint."""

    def on_complete(self, option):
        """No epoch is left; a larger value of this option (None: of no option) would add some."""

    def on_training(self, trainer, epochs):
        """Training begins or continues: the Trainer, and the largest number of epochs."""

    def on_step(self, step):
        """A Step was made: its loss, targets and gradient norm."""

    def on_validation(self):
        """The validation text is about to be scored."""

    def on_epoch(self, record):
        """An epoch is over and saved: its Record."""

    def on_rollback(self, error, step, lr):
        """Training diverged (a DivergenceError) and returned to this step with this base learning rate."""

    def on_training_over(self):
        """Training has ended, or was ended by a stop or an error."""

    def on_stalled(self, schedule):
        """The schedule ended the training, as the validation loss no longer fell."""

    def on_test(self, evaluation, best, corpus):
        """The best model, of the Record ``best``, has read the test text of the Corpus: its Evaluation."""

    def on_end(self, folder, drawn):
        """The run is over: the path of its folder, and whether there is a picture in it."""

    def on_stop(self, saved, folder, best):
        """The run was stopped: its last SavePoint, the path of its folder, the best Record so far or None."""
