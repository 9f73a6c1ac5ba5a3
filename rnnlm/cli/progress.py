"""What a training run shows while it works: a bar on the screen, a row for each epoch."""

import math

from rnnlm.cli.screen import note, say
from rnnlm.cli.slowdowns import Watch
from rnnlm.models import UNGATED
from rnnlm.text.vocabulary import UNK

HEAD = f"{'epoch':>5} {'train':>9} {'valid':>9} {'lr':>9} {'tokens/s':>9} {'seconds':>8}"


def row(record):
    """The line of an epoch; * marks the best so far."""
    train, valid = _digits(record.train_perplexity), _digits(record.valid_perplexity)
    return (f"{record.epoch:5} {train:>9} {valid:>9} {record.lr:9.3g} "
            f"{record.tokens_per_second:9,.0f} {record.seconds:8.1f}{' *' if record.improved else ''}")


def _digits(perplexity):
    """Four digits that count, zeros at the end included, so that they stand in columns."""
    return f"{perplexity:#.4g}" if perplexity < 999.5 else f"{perplexity:.4g}"


def bits_per_character(nats):
    """What to say beside the perplexity of characters, in the unit of their field."""
    return f" ({nats / math.log(2):.4f} bits per character)"


def unknown_share(text, rest):
    """The share of <unk> among the targets of an EncodedText, in percent, then ``rest``; empty where there is none.

    The more targets are <unk>, the less does a perplexity say.
    """
    percent = 100 * text.unk_share
    shown = f"{percent:.1f}" if percent >= 0.05 else "less than 0.1"
    return f"{shown} % {rest} {UNK}" if text.unk else ""


def described(model):
    """The kind and the sizes of a model in a few words."""
    a = model.architecture
    depth = "" if a["layers"] == 1 else f"{a['layers']} x "
    cell = {"rnn": "RNN", "mrnn": "multiplicative RNN"}.get(a["cell"], a["cell"].upper())
    if a["cell"] in UNGATED:
        cell = f"{ {'tanh': 'tanh', 'relu': 'ReLU'}[a['activation']]} {cell}"
    tied = "tied " if a["tied"] else ""
    return f"{depth}{cell} of {a['hidden_size']}, {tied}word vectors of {a['wordvec_size']}"


class Progress:
    """The bar of a run: which epoch, its perplexity so far, how far it is, how long it takes still, how fast it goes.

    To be called after each step; a line where something slows the run down is a part of it.
    """

    def __init__(self, trainer, epochs, threads):
        from rnnlm.cli.epoch_bar import EpochBar

        self.trainer, self.epochs, self.watch = trainer, epochs, Watch(threads)
        self.bar = EpochBar(trainer, epochs)
        self.update()

    def update(self):
        """Show where the trainer is, wherever it was before."""
        self.bar.move_to(self.trainer.sums.targets)
        self._describe("")

    def __call__(self, step):
        sums = self.trainer.sums
        self._describe(f", perplexity {math.exp(min(sums.nats / sums.targets, 700)):.4g}")
        self.bar.update(step.targets)
        for line in self.watch.lines():
            self.note(f"note: {line}")

    def validating(self):
        """Say that the bar stands still for a while."""
        self._describe(", validating")
        self.bar.refresh()

    def _describe(self, what):
        """In front of the bar, where a narrow terminal cuts nothing off."""
        epoch = min(self.trainer.epoch + 1, self.epochs)
        self.bar.set_description(f"epoch {epoch}/{self.epochs}{what}", refresh=False)

    def note(self, line):
        """A line for the person at the screen, above the bar."""
        with self.bar.external_write_mode():
            note(line)

    def say(self, line):
        """A line of results, above the bar."""
        with self.bar.external_write_mode():
            say(line)

    def close(self):
        """Take the bar off the screen."""
        self.bar.close()
