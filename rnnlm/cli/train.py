"""The training command: text in, perplexity falling, a model file out."""

import argparse
import math
from dataclasses import asdict

import numpy as np
from tqdm import tqdm

from rnnlm.batches import TimeBatches
from rnnlm.checkpoint import load_model, save_model
from rnnlm.cli.command import add_debug, encoding_bar, file_bar, note, run, say, stop_on_signal, threads_of
from rnnlm.cli.options import (
    HelpFormatter,
    above_one,
    add_threads,
    apply_config,
    at_least,
    below_one,
    not_empty,
    positive,
)
from rnnlm.cli.run_folder import RunFolder, check_output
from rnnlm.cli.slowdowns import Watch
from rnnlm.corpus import load_corpus
from rnnlm.errors import RnnlmError
from rnnlm.evaluation import evaluate
from rnnlm.models import LanguageModel
from rnnlm.optimizers import OPTIMIZERS
from rnnlm.schedules import DivideOnPlateau
from rnnlm.text import LEVELS
from rnnlm.trainer import Trainer
from rnnlm.workers import Workers

DEFAULT_LR = {"sgd": 1.0, "momentum": 0.1, "adam": 0.002}


def build_parser(prog=None):
    """All options of the training command; their names are also the keys of --config and config.toml."""
    parser = argparse.ArgumentParser(
        prog=prog, description="Train a recurrent language model; writes a run folder with the best model.",
        formatter_class=HelpFormatter)
    add = parser.add_argument_group("text").add_argument
    add("--corpus", default="stories", metavar="NAME|FOLDER|FILE", help="a known name (stories, ptb), a folder with "
        "train, valid and test texts, or one text file, which is split 90/5/5")
    add("--level", choices=LEVELS, default="word", help="what a token is")
    add("--min-count", type=at_least(1), metavar="K", help="words of the training text seen fewer times become <unk> "
        "(default: 2; 1 for characters and for a text that has <unk> already)")
    add("--max-vocab", type=at_least(3), metavar="K", help="the most entries of the vocabulary (default: no limit)")
    add("--max-tokens", type=at_least(1), metavar="K", help="train on the first K tokens only (default: all)")
    add = parser.add_argument_group("model").add_argument
    add("--layers", type=at_least(1), default=1, metavar="L", help="recurrent layers")
    add("--wordvec-size", type=at_least(1), metavar="D", help="size of a word's vector (default: the hidden size)")
    add("--hidden-size", type=at_least(1), default=200, metavar="H", help="size of the hidden state")
    add("--dropout", type=below_one, default=0.5, metavar="P", help="share of the recurrent layers' outputs left out "
        "in training")
    add("--input-dropout", type=below_one, default=0.1, metavar="P", help="share of the word vectors' values left out "
        "in training")
    add = parser.add_argument_group("training").add_argument
    add("--batch-size", type=at_least(1), default=20, metavar="N", help="places in the text read side by side")
    add("--time-size", type=at_least(1), default=35, metavar="T", help="steps the gradient goes back")
    add("--epochs", type=at_least(1), default=40, metavar="E", help="passes over the text at most")
    add("--optimizer", choices=tuple(OPTIMIZERS), default="adam", help="update rule")
    add("--lr", type=positive, help="learning rate (default: " + ", ".join(
        f"{rate:g} for {name}" for name, rate in DEFAULT_LR.items()) + ")")
    add("--lr-factor", type=above_one, default=2.0, metavar="F", help="divide the rate by F after each epoch in "
        "which validation stalled")
    add("--patience", type=at_least(1), default=3, metavar="K", help="stop after K epochs in a row in which "
        "validation stalled")
    add("--max-grad", type=positive, default=0.25, metavar="NORM", help="clip the global norm of the gradient")
    add("--seed", type=at_least(0), default=1, metavar="S", help="seed of everything random")
    add = parser.add_argument_group("run").add_argument
    add("--output", type=not_empty, metavar="FOLDER",
        help="the run folder (default: runs/CORPUS, numbered if that is taken)")
    add_threads(add)
    add("--overwrite", action="store_true", help="replace the run in the output folder or runs/CORPUS")
    add("--config", metavar="FILE.toml", help="read options from a file; the command line comes before it")
    add_debug(parser)
    return parser


def main(argv=None, prog=None):
    """The command; returns its exit code."""
    return run(lambda options: train(_resolved(options, argv, prog)), build_parser(prog), argv)


def _resolved(options, argv, prog):
    """The options with the config file and the dependent defaults filled in."""
    if options.config:
        parser = build_parser(prog)
        apply_config(parser, options.config)
        options = parser.parse_args(argv)
    options.wordvec_size = options.wordvec_size or options.hidden_size
    options.lr = options.lr or DEFAULT_LR[options.optimizer]
    return options


def train(options):
    """One run from the text to the picture; returns the exit code."""
    check_output(options)
    corpus = load_corpus(options.corpus, options.level, options.min_count, options.max_vocab, options.max_tokens,
                         on_file=file_bar("fetching"), on_long=encoding_bar)
    batches = TimeBatches(corpus.train, options.batch_size, options.time_size)
    with Workers(threads_of(options)) as workers:
        return _train(options, corpus, batches, workers)


def _train(options, corpus, batches, workers):
    """The run itself, once it is clear that it can begin."""
    model = LanguageModel(len(corpus.vocabulary), options.wordvec_size, options.hidden_size, options.layers,
                          options.dropout, options.input_dropout, rng=np.random.default_rng(options.seed),
                          workers=workers)
    unit = "" if options.level == "word" else "characters, "
    folder = RunFolder(options, f"{corpus.name}, {unit}{_describe(model)}", corpus.best_possible.get("valid"))
    _introduce(corpus, model, folder)
    with stop_on_signal("stopping after this step; once more to leave at once") as stop:
        try:
            _fit(options, corpus, batches, model, folder, workers, stop)
        finally:  # after a divergence or a second signal too
            if folder.records:
                folder.draw()
    del model  # the best one is read from its file: a large vocabulary leaves no room for both
    _conclude(corpus, folder, workers)
    return 128 + stop.signum if stop() else 0


def _fit(options, corpus, batches, model, folder, workers, stop):
    """All epochs, each printed, kept in the run folder and, if it is the best, saved as the model."""
    eos_id = corpus.vocabulary.eos_id
    trainer = Trainer(model, OPTIMIZERS[options.optimizer](options.lr), options.max_grad, workers)
    schedule = DivideOnPlateau(options.lr, options.lr_factor, options.patience)

    say(f"{'epoch':>5} {'train':>9} {'valid':>9} {'lr':>9} {'tokens/s':>9} {'seconds':>8}")
    with tqdm(total=options.epochs * batches.targets, unit="token", unit_scale=True, leave=False, disable=None,
              dynamic_ncols=True, smoothing=0.05) as bar:
        progress = _Progress(bar, options.epochs, Watch(workers.threads))

        def validate():
            bar.set_postfix_str("validating")
            result = evaluate(model, corpus.valid, eos_id)
            return -result.log_prob / result.targets

        for record in trainer.fit(batches, validate, schedule, options.epochs, progress, stop):
            if record.improved:
                save_model(folder.model, model, corpus.vocabulary,
                           {"epoch": record.epoch, "valid_perplexity": _json_number(record.valid_perplexity)})
            folder.add({key: _json_number(value) for key, value in asdict(record).items()})
            with bar.external_write_mode():
                say(_row(record))
            progress.next_epoch()
    if schedule.stop:
        say(f"stopped: validation gained less than {schedule.threshold:g} nats in each of {schedule.patience} epochs")


def _row(record):
    return (f"{record.epoch:5} {record.train_perplexity:9.4g} {record.valid_perplexity:9.4g} {record.lr:9.3g} "
            f"{record.tokens_per_second:9,.0f} {record.seconds:8.1f}{' *' if record.improved else ''}"
            f"{'' if record.finished else ' (cut short)'}")


class _Progress:
    """The bar of a run: how far, how fast, how long at most, and the perplexity of the epoch so far."""

    def __init__(self, bar, epochs, watch):
        self.bar, self.epochs, self.watch, self.epoch = bar, epochs, watch, 0
        self.next_epoch()

    def next_epoch(self):
        self.epoch, self.nats, self.targets = self.epoch + 1, 0.0, 0
        self.bar.set_description(f"epoch {min(self.epoch, self.epochs)}/{self.epochs}", refresh=False)

    def __call__(self, step):
        self.nats += step.loss * step.targets
        self.targets += step.targets
        self.bar.set_postfix_str(f"perplexity {math.exp(min(self.nats / self.targets, 700)):.4g}", refresh=False)
        self.bar.update(step.targets)
        for line in self.watch.lines():
            with self.bar.external_write_mode():
                note(f"note: {line}")


def _introduce(corpus, model, folder):
    size = sum(p.size for p in model.params)
    say(f"corpus {corpus.name}: {corpus.train.size:,} tokens to train, {corpus.valid.ids.size:,} to validate, "
        f"{corpus.test.ids.size:,} to test; vocabulary {len(corpus.vocabulary):,}")
    for line in corpus.notes:
        note(f"note: {line}")
    say(f"model: {_describe(model)}, {size:,} parameters; run folder {folder.path}")


def _describe(model):
    a = model.architecture
    depth = "" if a["layers"] == 1 else f"{a['layers']} x "
    return f"{depth}tanh RNN of {a['hidden_size']}, word vectors of {a['wordvec_size']}"


def _conclude(corpus, folder, workers):
    """The best model's test perplexity, read once, and where everything is."""
    if not folder.model.exists():
        raise RnnlmError("no epoch gave a finite validation perplexity, so there is no model: lower --lr")
    model, vocabulary = load_model(folder.model, workers)
    best = [record for record in folder.records if record["improved"]][-1]
    result = evaluate(model, corpus.test, vocabulary.eos_id)
    say(f"best validation perplexity {best['valid_perplexity'] or math.inf:.5g} after epoch {best['epoch']}")
    line = f"test perplexity {result.perplexity:.5g}"
    if "test" in corpus.best_possible:
        optimum = corpus.best_possible["test"]
        line += f", best possible {optimum:.5g} ({100 * (result.perplexity / optimum - 1):.1f} % above)"
    say(line)
    note(f"model, metrics and picture are in {folder.path}; let it write: rnnlm generate {folder.path}")


def _json_number(value):
    """JSON has no inf and no nan: null stands for them."""
    return None if isinstance(value, float) and not math.isfinite(value) else value
