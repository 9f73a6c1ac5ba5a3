"""What the training command shows: lines, a bar, and a row for each epoch."""

import math

from rnnlm.cli.final_score import score_lines
from rnnlm.cli.screen import encoding_bar, file_bar, note, say
from rnnlm.cli.slowdowns import Watch, note_slowdowns
from rnnlm.errors import one_line, quoted, shown
from rnnlm.runs.description import described, unknown_in_validation
from rnnlm.runs.observer import Observer
from rnnlm.runs.run_folder import resume_command

HEAD = f"{'epoch':>5} {'train':>9} {'valid':>9} {'lr':>9} {'tokens/s':>9} {'seconds':>8}"


def row(record):
    """The line of an epoch; * marks the best so far."""
    train, valid = _digits(record.train_perplexity), _digits(record.valid_perplexity)
    return (f"{record.epoch:5} {train:>9} {valid:>9} {record.lr:9.3g} "
            f"{record.tokens_per_second:9,.0f} {record.seconds:8.1f}{' *' if record.improved else ''}")


def _digits(perplexity):
    """Four significant digits, zeros at the end included, so that columns align."""
    return f"{perplexity:#.4g}" if perplexity < 999.5 else f"{perplexity:.4g}"


class Screen(Observer):
    """The observer of the training command.

    Results go to standard output, all else to standard error.
    """

    on_fetching = staticmethod(file_bar("fetching"))
    on_encoding = staticmethod(encoding_bar)

    def __init__(self):
        self.threads, self.progress = 1, None

    def on_note(self, line):
        self._write(note, f"note: {line}")

    def on_threads(self, threads):
        self.threads = threads
        note_slowdowns(threads)

    def on_choice(self, lines):
        for line in lines:
            self._write(say, line)

    def on_corpus(self, corpus):
        say(f"corpus {shown(corpus.name)}: {corpus.train.size:,} tokens to train, {corpus.valid.ids.size:,} to "
            f"validate, {corpus.test.ids.size:,} to test; vocabulary {len(corpus.vocabulary):,}")
        for line in corpus.notes:
            self.on_note(line)
        if unknown := unknown_in_validation(corpus):
            say(unknown)

    def on_model(self, model, folder):
        sizes = {name: param.size for name, param in model.named_params().items()}
        frozen = sum(sizes[name] for name in model.frozen)
        without = f", of which {frozen:,} are frozen ({', '.join(sorted(model.frozen))})" if frozen else ""
        say(f"model: {described(model)}, {sum(sizes.values()):,} parameters{without}; run folder "
            f"{one_line(str(folder))}")

    def on_initial_model(self, path, sha256):
        say(f"begins from {one_line(path)}, SHA-256 {one_line(sha256)}")

    def on_resumed(self, saved):
        say(f"resumed after step {saved.step:,}, {when(saved)}")

    def on_complete(self, option):
        further = f"; to train further, give a larger --{option}" if option else ""
        self.on_note(f"training is already complete{further}")

    def on_initial_validation(self, evaluation):
        say(f"before training: validation perplexity {evaluation.perplexity:.5g}")

    def on_training(self, trainer, epochs):
        say(HEAD)
        self.progress = Progress(trainer, epochs, self.threads)

    def on_step(self, step):
        for line in self.progress.move(step):
            self.on_note(line)

    def on_validation(self):
        self.progress.validating()

    def on_epoch(self, record):
        self._write(say, row(record))
        self.progress.update()

    def on_changed_epochs(self, epochs, line):
        self.on_note(line)
        self.progress.change_epochs(epochs)

    def on_rollback(self, error, step, lr):
        self.on_note(f"{error}; returned to step {step:,}, base learning rate {lr:g}")
        self.progress.update()

    def on_training_over(self):
        self.progress.close()
        self.progress = None

    def on_stalled(self, schedule):
        epochs = "the last epoch" if schedule.patience == 1 else f"each of {schedule.patience} epochs"
        say(f"stopped: the validation loss fell by less than {schedule.threshold:g} nats in {epochs}")

    def on_test(self, evaluation, best, corpus):
        for line in score_lines(evaluation, best, corpus):
            say(line)

    def on_end(self, folder, drawn):
        files = "model, metrics and picture" if drawn else "model and metrics"
        note(f"{files} are in {one_line(str(folder))}; to write text: rnnlm generate {quoted(folder)}")

    def on_stop(self, saved, folder, best):
        note(f"stopped after step {saved.step:,}, {when(saved)}; all of the run is saved in {one_line(str(folder))}")
        if best:
            note(f"best model so far: validation perplexity {best.valid_perplexity:.5g} after epoch {best.epoch}")
        note(f"to resume: {resume_command(folder)}")

    def _write(self, write, line):
        """A line by ``note`` or ``say``, above the bar if there is one."""
        if self.progress is None:
            write(line)
            return
        with self.progress.bar.external_write_mode():
            write(line)


def when(saved):
    """Where a SavePoint is, in words."""
    if saved.when == "over":
        return "training is over, but the test text is not scored"
    return f"{saved.when} epoch {saved.epoch}"


class Progress:
    """The bar of a run: epoch, perplexity so far, progress, time left, speed.

    which: what stands before that, such as the seed.
    """

    def __init__(self, trainer, epochs, threads, which=""):
        from rnnlm.cli.epoch_bar import EpochBar

        self.which = which
        self.trainer, self.epochs, self.watch = trainer, epochs, Watch(threads)
        self.bar = EpochBar(trainer, epochs)
        self.update()

    def update(self):
        """Show where the trainer is, wherever it was before."""
        self.bar.move_to(self.trainer.sums.targets)
        self._describe("")

    def move(self, step):
        """Show a step; returns lines on what slows the run down, if anything does."""
        sums = self.trainer.sums
        self._describe(f", perplexity {math.exp(min(sums.nats / sums.targets, 700)):.4g}")
        self.bar.update(step.targets)
        return self.watch.lines()

    def change_epochs(self, epochs):
        """Show so many epochs in all."""
        self.epochs = self.bar.epochs = epochs
        self.update()

    def validating(self):
        """Say that the bar stands still for a while."""
        self._describe(", validating")
        self.bar.refresh()

    def _describe(self, what):
        """In front of the bar, where a narrow terminal cuts nothing off."""
        epoch = min(self.trainer.epoch + 1, self.epochs)
        self.bar.set_description(f"{self.which}epoch {epoch}/{self.epochs}{what}", refresh=False)

    def close(self):
        """Take the bar off the screen."""
        self.bar.close()
