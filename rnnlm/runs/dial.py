"""One dial (``--minutes``): the options with which a run ends in time.

The rules (see ``dial_rules``) are a ladder from small and quick to large and slow.  A
few steps of a network or two say how fast this machine is, and from that follows the
highest rung whose run ends in time.  The options that it gives are the run's from then
on, as if they had been typed.
"""

import math
import os

from rnnlm.errors import RnnlmError, counted
from rnnlm.runs import dial_rules as rules
from rnnlm.runs.combinations import require_possible, require_possible_rates
from rnnlm.runs.dial_measuring import Speed
from rnnlm.runs.dial_ngram import in_words, ngram_perplexity
from rnnlm.runs.later_epochs import Pace
from rnnlm.runs.options import TRAIN

PICTURE = 2.0        # seconds for the picture and the end
SAVING = 0.05        # seconds for the files of an epoch, besides their bytes
BYTES = 2e8          # of checkpoints and models written in a second
COPIES = 6           # of the parameters that are written at the end of an epoch
AIM = 0.985          # of the time that is left
MEASURED = 0.02      # of the time, for each network that is measured
LONGEST_MEASURE = 1.0
PATIENT = 3          # times as long, where other programs come and go, or no epochs can be changed later
NETWORKS = (0.4, 1)  # to measure, for that share of it: the first only says which the second is to be
RESERVE = 0.5        # of what other programs take, which they may take again; not measured
OPERATIONS = 3e10    # in a second, before anything is measured
OF_A_TOKEN = 4e5     # operations of a token besides its products, in 20 streams
ADAPTIVE = 0.15      # of the products that a full softmax needs
MORE_EPOCHS = 1.25   # times those of the rule, where there is time and no wider network
NARROWER = 1.05
BISECTIONS = 30
SHORTEST = 1000      # tokens of a part of a text


class Dial:
    """Chooses the options of a run.

    Parameters
    ----------
    options : as resolved so far; those in ``budget.given`` are kept.
    corpus : the Corpus.
    budget : the Budget.
    speed_of : function of options and seconds, the Speed of such a network.
    whole : how many tokens the training text has, of which the corpus is a part, as the
        time is not enough for all; None: the corpus is all.
    """

    def __init__(self, options, corpus, budget, speed_of, whole=None):
        self.whole = whole
        self.options, self.corpus, self.budget, self.speed_of = options, corpus, budget, speed_of
        self.tokens, self.vocab_size = max(1, len(corpus.train)), len(corpus.vocabulary)
        # Seconds for an operation, in training and in scoring.
        self.training = self.scoring = 1 / OPERATIONS
        self.perplexity = ngram_perplexity(corpus)
        self.measured = Speed(self.training, self.scoring)

    def choose(self):
        """The options that end in time, resolved, after measuring."""
        for share in NETWORKS:
            self._measure(self._in_time(self._available()), share)
        chosen = self._in_time(self._available())
        require_possible(chosen)
        require_possible_rates(chosen)
        return chosen

    def _available(self):
        return AIM * (self.budget.left - PICTURE)

    def _measure(self, options, share):
        patient = PATIENT if self.measured.others or self.options.seeds else 1
        seconds = min(LONGEST_MEASURE * patient, MEASURED * 60 * self.budget.minutes)
        self.measured = self.speed_of(options, share * seconds)
        operations = self._operations(options)
        self.training, self.scoring = (speed / operations for speed in self.measured[:2])

    def _in_time(self, seconds):
        """The options of the highest rung that takes so many seconds."""
        low, high = rules.ladder(self.options.level)[0].hidden_size, self._high()
        if self.latest(self.at(low, 1)) > seconds:
            return self.at(low, 1) if self.whole else self._of_a_part(low, seconds)
        width = self._widest(low, high, seconds, None)
        epochs = max(1, round(self.at(width).epochs))
        if self.latest(self.at(low, epochs)) > seconds:  # sizes that were given, or rounding up
            epochs = self._epochs(low, seconds)
        width = self._widest(low, high, seconds, epochs)
        return self.at(width, min(self._most(width, epochs), max(epochs, self._epochs(width, seconds))))

    def _high(self):
        """The largest width for this text: a wider network would soon memorise it."""
        low, high = rules.ladder(self.options.level)[0].hidden_size, rules.widest(self.options.level, self.tokens)
        while high > low and (rules.parameters(self.at(high, 1), self.vocab_size)
                              > rules.MOST_PARAMETERS * self.tokens):
            high = max(low, high / NARROWER)
        return high

    def _most(self, width, epochs):
        """How many epochs there may be at a width, where there were to be so many."""
        options = self.at(width)
        limit = rules.most_epochs(options.level, self.tokens, rules.parameters(options, self.vocab_size))
        return max(epochs, round(min(limit, MORE_EPOCHS * options.epochs)))

    def _widest(self, low, high, seconds, epochs):
        """The largest width, between two, of a run that takes so many seconds."""
        if self.latest(self.at(high, epochs)) <= seconds:
            return high
        for _ in range(BISECTIONS):
            middle = math.sqrt(low * high)
            low, high = (middle, high) if self.latest(self.at(middle, epochs)) <= seconds else (low, middle)
        return low

    def _epochs(self, width, seconds):
        """How many epochs of a network take so many seconds."""
        once, twice = (self.latest(self.at(width, epochs)) for epochs in (1, 2))
        return max(1, 1 + int((seconds - once) / (twice - once)))

    def _of_a_part(self, width, seconds):
        """The options where not even one epoch ends in time: a part of the text."""
        options = self.at(width, 1)
        ending = self._scoring_seconds(options, 2)
        share = (seconds - ending) / (self.latest(options) - ending)
        if share <= 0 or "max_tokens" in self.budget.given or share * self.tokens < SHORTEST:
            enough = (self.budget.minutes * 60 + self.latest(options) - seconds) / 60
            raise RnnlmError(f"--minutes {self.budget.minutes:g} is too short: one epoch of a small network on this "
                             f"text, its validation and test would end after about {enough:.2g} minutes here: give "
                             "more minutes, or less text")
        return self._resolved(self._chosen(width, 1) | {"max_tokens": int(share * self.tokens)})

    def at(self, width, epochs=None):
        """The options at a width of the ladder, resolved; epochs: None: as the rule."""
        return self._resolved(self._chosen(width, epochs))

    def _chosen(self, width, epochs):
        """The options that the rules choose at a width, a dict."""
        options, tokens = self.options, self.tokens
        rung = rules.between(rules.ladder(options.level), "hidden_size", width)
        no_projection = "projection" in self.budget.given and not options.projection
        chosen = {**rules.rate(rung.lr * rules.by_length(options.level, tokens).lr, options),
                  **rules.sizes(rung, False if no_projection else None),
                  "batch_size": rules.batch_size(rung, tokens, options.time_size)}
        if self.vocab_size >= rules.LARGE_VOCABULARY and options.device == "cpu":
            chosen["softmax"] = "adaptive"
        sized = self._resolved(chosen)
        parameters = rules.parameters(sized, self.vocab_size)
        epochs = epochs or rules.epochs_for(rung, options.level, tokens, parameters)
        steps = epochs * tokens / (sized.batch_size * sized.time_size)
        chosen |= rules.dropped(parameters * epochs / tokens, options.level)
        chosen |= {"epochs": epochs, "warm_up": int(min(rules.MOST_STEPS, steps / 10))}
        return chosen | rules.average(options, steps)

    def _resolved(self, chosen):
        """The options with those of ``chosen`` that were not given, resolved."""
        options, of_the_model = self.options, rules.OF_THE_MODEL if self.options.init_from else ()
        known = {name: getattr(options, name) for name in ("corpus", *options.given, *of_the_model)}
        free = {name: value for name, value in chosen.items()
                if name not in self.budget.given and name not in of_the_model}
        resolved = TRAIN.resolved(known | free)
        resolved.given = [name for name in resolved.given if name in options.given or name in free]
        return resolved

    def latest(self, options):
        """How long it may take, if other programs take half as much again as now.

        The epochs are changed at the end of one, so that is about the last one, or
        about all where they stay as they are, which is so with several seeds.
        """
        uncertain, shared = options.epochs if options.seeds else 1, min(1.0, self.measured.others / os.cpu_count())
        return self.seconds(options) + RESERVE * shared * uncertain * self._epoch_seconds(options)

    def _epoch_seconds(self, options):
        """How long it takes to train for one epoch."""
        return min(self.tokens, options.max_tokens or self.tokens) * self.training * self._operations(options)

    def seconds(self, options):
        """How long a run with these options takes from now on, the test included."""
        training = self._epoch_seconds(options)
        size = 4 * COPIES * rules.parameters(options, self.vocab_size)
        return (options.epochs * (training + SAVING + size / BYTES)
                + self._scoring_seconds(options, options.epochs + len(self.corpus.test.ids) / self._valid))

    @property
    def _valid(self):
        return max(1, len(self.corpus.valid.ids))

    def _scoring_seconds(self, options, times):
        """How long it takes to score the validation text so many times."""
        return times * self._valid * self.scoring * self._operations(options)

    def _operations(self, options):
        """About how many operations a token takes, in training."""
        H, D = options.hidden_size, options.wordvec_size
        output = (D if options.tied or options.projection else H) * self.vocab_size
        inside = rules.parameters(options, 0)
        full = 1 if options.softmax == "full" else ADAPTIVE
        return 6 * (inside + full * output) + OF_A_TOKEN * 20 / options.batch_size

    def pace(self, options):
        """The Pace of the run with the options that were chosen."""
        ending = PICTURE + self._scoring_seconds(options, len(self.corpus.test.ids) / self._valid)
        return Pace(self.budget.clock, self.budget.deadline - ending, 60 * self.budget.minutes,
                    self._most(options.hidden_size, options.epochs))

    def leaves_time(self, options):
        """Whether twice the time would change nothing, and all of the text is read."""
        longer = self._in_time(2 * self._available())
        return not self.whole and (longer.hidden_size, longer.epochs) == (options.hidden_size, options.epochs)

    def _ends_after(self, options):
        """Seconds from the start of the command to the end of the run."""
        return 60 * self.budget.minutes - self.budget.left + self.seconds(options) + PICTURE

    def lines(self, options):
        """What was chosen and why, three lines."""
        o, minutes = options, self.budget.minutes
        part = f"; only the first {self.tokens:,} of {self.whole:,} tokens can be read in that time" if (
            self.whole) else ""
        others = (f"; other programs keep {self.measured.others:.1f} of {counted(os.cpu_count(), 'core')} busy, so it "
                  "may end earlier or later") if self.measured.others else ""
        spare = "; a longer time would hardly help with a text of this length" if self.leaves_time(o) else ""
        yield (f"--minutes {minutes:g}: {counted(self.tokens, 'token')} to train, vocabulary {self.vocab_size:,}; "
               f"{in_words(self.tokens)} has a validation perplexity of {self.perplexity:.4g}")
        yield (f"chosen: {o.cell} of {o.hidden_size}, word vectors of {o.wordvec_size}, batches of {o.batch_size}; "
               f"{counted(o.epochs, 'epoch')} at a rate of {o.lr:g}, dropout up to {o.dropout:g}, of inputs "
               f"{o.input_dropout:g}, of words {o.word_dropout:g}, of weights {o.weight_drop:g}")
        yield (f"why: this machine trains such a network on {1 / (self.training * self._operations(o)):,.0f} tokens a "
               f"second, so the run ends after about {self._ends_after(o) / 60:.3g} minutes{others}{part}{spare}")
