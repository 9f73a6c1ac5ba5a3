"""``--minutes`` in a run: the dial turned, and the options that the run then has."""

from copy import copy

from rnnlm.compute.cores import available_cores
from rnnlm.compute.threads import Workers
from rnnlm.errors import counted
from rnnlm.runs.configuration import config_text
from rnnlm.runs.dial import Dial
from rnnlm.runs.dial_measuring import measure
from rnnlm.runs.dial_ngram import note_at_end
from rnnlm.runs.gpus import own_device
from rnnlm.runs.later_epochs import changed, epochs_at
from rnnlm.runs.options import of_the_run
from rnnlm.runs.run_texts import read_corpus


def dialled(options, corpus, budget, observer, workers, device, initial=None):
    """Choose the options of a run; returns them, its Corpus and its KeptPace.

    The corpus is read again where the time is enough for a part of it only.
    """
    def turned(options, corpus, whole=None):
        dial = Dial(options, corpus, budget, lambda candidate, seconds: measure(
            candidate, corpus, workers, device, seconds, budget.clock), whole)
        return dial, dial.choose()

    dial, chosen = turned(options, corpus)
    if chosen.max_tokens != options.max_tokens:  # its part has other words, and so another speed
        options = copy(options)
        options.max_tokens, options.given = chosen.max_tokens, [*options.given, "max_tokens"]
        options.save_splits = None  # they are saved
        whole, corpus = len(corpus.train), read_corpus(options, observer, initial, None)
        dial, chosen = turned(options, corpus, whole)
    observer.on_choice([*dial.lines(chosen)])
    return chosen, corpus, KeptPace(dial.pace(chosen), dial.perplexity, not dial.leaves_time(chosen))


def dialled_apart(options, budget, observer):
    """The options of the runs of several seeds, all the same, and a KeptPace.

    One of them is measured, and none changes its epochs, so the KeptPace keeps nothing.
    """
    one = copy(options)
    one.seed, one.save_splits = options.seeds[0], None  # the first run saves the splits
    observer.on_note(f"{counted(len(options.seeds), 'seed')} of {budget.minutes:g} minutes each take about "
                     f"{len(options.seeds) * budget.minutes:g} minutes in all; all have the same number of epochs, "
                     "which no seed changes on the way")
    corpus = read_corpus(one, observer, None, None)
    with Workers(options.threads or available_cores()) as workers:
        chosen, _, pace = dialled(one, corpus, budget, observer, workers, own_device(options.device))
    return chosen, pace


class KeptPace:
    """A Pace whose changes a Session keeps.

    ngram : the validation perplexity of an n-gram model of the same text, or of its
        beginning.
    time_helps : whether more minutes would give another run.
    """

    def __init__(self, pace, ngram, time_helps):
        self.pace, self.ngram, self.time_helps = pace, ngram, time_helps

    def note_at_end(self, best):
        """What there is to say of a run with this best perplexity, a line; or None."""
        return note_at_end(self.ngram, best, self.time_helps)

    def keep(self, session):
        """At an epoch's end, before it is saved: change the epochs if they must be."""
        options, epoch, saver = session.options, session.trainer.epoch, session.saver
        before = epochs_at(options, epoch)
        epochs = self.pace.epochs(epoch, before)
        if epochs == before:
            return
        options.later_epochs = changed(options, epoch, epochs)
        if "later_epochs" not in options.given:
            options.given.append("later_epochs")
        saver.run.update(of_the_run(options))
        session.folder.config = config_text(session.folder.path, options, saver.run.get("init_from"))
        session.observer.on_changed_epochs(epochs, f"{'less' if epochs < before else 'more'} time is left than "
                                           f"measured: {epochs} epochs instead of {before}")
