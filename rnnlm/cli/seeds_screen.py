"""What the training command shows of several seeds: a table of all, a line for each."""

import math

from rnnlm.cli.progress import HEAD, Progress, Screen, row, when
from rnnlm.cli.screen import note, say
from rnnlm.errors import counted, one_line
from rnnlm.runs.run_folder import resume_command
from rnnlm.runs.seed_list import in_ranges


class SeedsScreen(Screen):
    """The screen of a run, or of the runs of several seeds.

    What is the same for all seeds is told once, and rows and notes say their seed.
    """

    def __init__(self):
        super().__init__()
        self.whole = self.seed = None  # the folder of all seeds, and the seed at work
        self.told, self.width = set(), 0

    def on_seeds(self, seeds, ended, folder):
        done = f", of which {len(ended)} {'has' if len(ended) == 1 else 'have'} ended" if ended else ""
        say(f"{counted(len(seeds), 'seed')}, {in_ranges(seeds)}{done}; their runs are in {one_line(str(folder))}")
        self.whole, self.width = folder, max(map(len, map(str, [*seeds, "seed"])))

    def on_seed(self, seed, folder):
        self.seed = seed

    def on_seed_end(self, run):
        self.seed = None
        if run.error is None:
            say(f"seed {run.seed}: best validation perplexity {run.valid_perplexity:.5g} after epoch {run.best_epoch}, "
                f"test perplexity {run.test_perplexity:.5g}")
        else:
            note(f"note: seed {run.seed} ended early: {run.error}")

    def on_seeds_end(self, results, drawn):
        finished, all_seeds = results.finished, len(results.seeds)
        if finished:
            number = len(finished)
            which = f"{counted(all_seeds, 'seed')}" if number == all_seeds else f"{number} of {all_seeds} seeds"
            said = "" if number == 1 else " (of a sample, n - 1)"
            say(f"{which}: mean best validation perplexity {_spread(results.valid)}{said}")
            say(f"{which}: mean test perplexity {_spread(results.test)}{said}")
        files = "seeds.json and a picture" if drawn else "seeds.json"
        note(f"all runs, {files} are in {one_line(str(results.folder))}")

    def on_seeds_stop(self, folder):
        note(f"stopped between two seeds; all is saved in {one_line(str(folder))}")
        note(f"to resume: {resume_command(folder)}")

    def on_note(self, line):
        if self.whole is None:
            super().on_note(line)
        elif line not in self.told:
            self.told.add(line)
            super().on_note(line if self.seed is None else f"seed {self.seed}: {line}")

    def on_threads(self, threads):
        if self._is_new("threads"):
            super().on_threads(threads)

    def on_corpus(self, corpus):
        if self._is_new("corpus"):
            seed, self.seed = self.seed, None  # its notes are about the text, which all seeds read
            super().on_corpus(corpus)
            self.seed = seed

    def on_model(self, model, folder):
        if self._is_new("model"):
            super().on_model(model, self.whole or folder)

    def on_initial_model(self, path, sha256):
        if self._is_new("initial model"):
            super().on_initial_model(path, sha256)

    def on_initial_validation(self, evaluation):
        if self._is_new("initial validation"):
            super().on_initial_validation(evaluation)

    def _is_new(self, what):
        """Whether this is told for the first time; always, of one run."""
        if self.whole is None or (self.whole, what) not in self.told:
            self.told.add((self.whole, what))
            return True
        return False

    def on_training(self, trainer, epochs):
        if self.seed is None:
            super().on_training(trainer, epochs)
            return
        if self._is_new("head"):
            say(f"{'seed':>{self.width}} {HEAD}")
        self.progress = Progress(trainer, epochs, self.threads, f"seed {self.seed}, ")

    def on_resumed(self, saved):
        if self.seed is None:
            super().on_resumed(saved)
        else:
            say(f"seed {self.seed} resumed after step {saved.step:,}, {when(saved)}")

    def on_epoch(self, record):
        if self.seed is None:
            super().on_epoch(record)
            return
        self._write(say, f"{self.seed:>{self.width}} {row(record)}")
        self.progress.update()

    def on_test(self, evaluation, best, corpus):
        if self.seed is None:
            super().on_test(evaluation, best, corpus)

    def on_end(self, folder, drawn):
        if self.seed is None:
            super().on_end(folder, drawn)

    def on_stop(self, saved, folder, best):
        super().on_stop(saved, self.whole or folder, best)


def _spread(spread):
    """A Spread in words; one run has no deviation."""
    deviation = spread.standard_deviation
    return f"{spread.mean:.5g}" + ("" if math.isnan(deviation) else f", standard deviation {deviation:.3g}")
