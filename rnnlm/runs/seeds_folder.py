"""The folder of several seeds: a run folder for each, their results, one picture.

config.toml holds the options of all of them, as that of a run does, and their seeds.
"""

import json
import math
from contextlib import suppress

from rnnlm.errors import RnnlmError, one_line, shown
from rnnlm.files.lock import held, sweep
from rnnlm.files.strict_json import loads
from rnnlm.files.whole import reason, write_text, written
from rnnlm.formats.model_file import MODEL_NAME
from rnnlm.formats.seed_names import SEEDS, seed_folder, seed_folders
from rnnlm.reports.seeds_chart import plot_seeds
from rnnlm.runs.checkpoint_files import CHECKPOINTS, CheckpointFiles, without_checkpoints
from rnnlm.runs.choose_folder import holds_a_run, prepared_folder
from rnnlm.runs.configuration import CONFIG, config_text, toml
from rnnlm.runs.run_picture import PICTURE
from rnnlm.runs.seed_list import in_ranges
from rnnlm.runs.seed_results import Seeds
from rnnlm.runs.summary import read_summary

NAMES = (CONFIG, SEEDS, PICTURE)
LARGEST_RESULTS = 1 << 28  # bytes


def seeds_folder(options, observer):
    """A block with the SeedsFolder of --output, or a new one under runs/.

    It is locked.  RnnlmError if it cannot be that of several seeds.
    """
    return prepared_folder(options, [], observer, SeedsFolder)


class SeedsFolder:
    """The folder of several seeds.

    Attributes
    ----------
    path : of the folder.
    results : the Seeds so far.
    corpus, title : the SHA-256 of what the runs read, and the title of the picture;
        None: not known yet.
    """

    def __init__(self, held, observer):
        self.held, self.path, self.observer = held, held.path, observer
        self.results, self.begun = Seeds(held.path, [], []), False
        self.corpus, self.title, self.level = None, None, "word"
        sweep(held, NAMES)

    def is_unused(self):
        """Whether no run began, and the folder still has its name."""
        return not self.begun and self.held.has_its_name()

    @property
    def config(self):
        """The path of config.toml."""
        return self.path / CONFIG

    def holds_options(self):
        """Whether options of several seeds are here."""
        return self.held.file(CONFIG).exists()

    def require_free(self, remedy):
        """RnnlmError if runs are here already, of several seeds or of one."""
        if any(self.held.file(name).exists() for name in NAMES) or any(map(holds_a_run, seed_folders(self.path))):
            raise RnnlmError(f"{self.path} already holds runs{remedy}")
        self.require_no_run()

    def require_no_run(self):
        """RnnlmError if it is the folder of one run."""
        if not self.held.file(SEEDS).exists() and self.held.file(MODEL_NAME).exists():
            raise RnnlmError(f"{self.path} holds the run of one seed: choose another --output")

    def read(self):
        """Take the results from seeds.json, if it is there.

        RnnlmError if it is not what this program writes.
        """
        file = self.held.file(SEEDS)
        if not file.exists():
            return
        try:
            with file.open("rb") as opened:
                content = opened.read(LARGEST_RESULTS + 1)
            if len(content) > LARGEST_RESULTS:
                raise ValueError(f"it has more than {LARGEST_RESULTS:,} bytes")
            values = loads(content.decode("utf-8"), "it")
            self.results = Seeds.from_json(self.path, values, seed_folder)
            self.corpus, self.title = (values.get(key) for key in ("corpus_sha256", "title"))
            if not all(isinstance(value, str | None) for value in (self.corpus, self.title)):
                raise ValueError("corpus_sha256 and title must be strings")
        except OSError as error:
            raise RnnlmError(f"{file} could not be read: {reason(error)}") from error
        except ValueError as error:
            raise RnnlmError(f"{file} must be the results of several seeds: {shown(str(error))}; remove it, and "
                             "--resume makes it again") from error

    def begin(self, options, seeds):
        """Make the folder that of these seeds, of runs with these options."""
        self.begun, self.level = True, options.level
        self.results = Seeds(self.path, seeds, self.results.runs)
        text, rest = config_text(self.path, options).split("\n", 1)
        with self.held.writing():
            write_text(self.held.file(CONFIG), f"{text}\n{toml({'seeds': in_ranges(seeds)})}{rest}")
        self.write()

    def clear(self):
        """Remove what ``begin`` wrote, where no run has begun."""
        self.begun = False
        for name in NAMES:
            file = self.held.file(name)
            with written(file):
                file.unlink(missing_ok=True)
        for folder in seed_folders(self.path):
            self.held.remove_inside(folder.name)

    def write(self):
        """Write seeds.json."""
        values = self.results.as_json() | {"corpus_sha256": self.corpus, "title": self.title}
        with self.held.writing():
            write_text(self.held.file(SEEDS), json.dumps(values, indent=1, allow_nan=False) + "\n")

    def know(self, corpus, name, model):
        """Keep what all runs have in common: what they read, its name, their model."""
        self.corpus, self.title = corpus, f"{name}, {model}"
        self.write()

    def run_path(self, seed):
        """The path of a seed's run folder."""
        return self.path / seed_folder(seed)

    def holds(self, seed):
        """Whether a run of this seed has begun."""
        return holds_a_run(self.run_path(seed))

    def finished(self, seed):
        """The SeedRun of this seed if it has ended without an error, or None."""
        return next((run for run in self.results.finished if run.seed == seed), None)

    def ended(self, seed, options):
        """Whether the run of this seed has ended, with these options, and is there.

        Not if it was continued since, by itself.
        """
        run = self.finished(seed)
        return (run is not None and (run.epochs, run.patience) == (options.epochs, options.patience)
                and (run.folder / MODEL_NAME).exists() and not _was_continued(run))

    def require_checkpoint(self, seed):
        """RnnlmError if the run of a seed has ended, and left no checkpoint."""
        path = self.run_path(seed)
        if (path / MODEL_NAME).exists() and not any((path / name).exists() for name in CHECKPOINTS):
            raise without_checkpoints(path)

    def discard_checkpoints(self, seed):
        """Remove those of a run that has ended."""
        path = self.run_path(seed)
        if any((path / name).exists() for name in CHECKPOINTS):
            with written(path), held(path) as folder, folder.writing():
                CheckpointFiles(folder).discard(keep=0)

    def add(self, run):
        """Take the SeedRun of a run that ended into the results and the picture."""
        runs = {other.seed: other for other in self.results.runs} | {run.seed: run}
        self.results.runs = [runs[seed] for seed in sorted(runs)]
        self.write()
        self.draw()

    def draw(self):
        """Draw the picture; a note if that fails.  Returns whether there is one."""
        if not self.results.finished:
            return False
        try:
            with self.held.writing():
                plot_seeds(self.held.file(PICTURE), self.results.finished, self.title or "", self.level == "char")
        except RnnlmError:
            raise
        except Exception as error:  # whatever matplotlib meets: fonts, a broken installation
            self.observer.on_note(f"{PICTURE} could not be drawn: {one_line(str(error))}")
            return False
        return True


def _was_continued(run):
    """Whether the folder of a SeedRun says that its test score is another one."""
    with suppress(RnnlmError):
        if summary := read_summary(run.folder):
            test_loss = math.inf if summary.test_loss is None else summary.test_loss
            return (summary.test_epoch, test_loss) != (run.best_epoch, run.test_loss)
    return False
