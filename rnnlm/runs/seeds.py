"""Several seeds (``--seeds``): the same run with each, and what they reach together.

Each is a run as any other, in a folder of its own.  One that diverges leaves the others
alone, and what has ended is not trained again.
"""

from contextlib import contextmanager
from pathlib import Path

from rnnlm.errors import DivergenceError, RnnlmError, one_line
from rnnlm.runs.choose_folder import RUNS
from rnnlm.runs.combinations import require_effect, require_possible
from rnnlm.runs.configuration import read_config
from rnnlm.runs.description import described
from rnnlm.runs.dialling import dialled_apart
from rnnlm.runs.ended_run import ended_run, require_run_of
from rnnlm.runs.initial_model import resolved
from rnnlm.runs.newest import is_of_seeds, newest_run
from rnnlm.runs.one_run import carry_out_one
from rnnlm.runs.options import TRAIN
from rnnlm.runs.request import Request
from rnnlm.runs.resuming import changed_options, require_same_options
from rnnlm.runs.seed_list import MOST
from rnnlm.runs.seed_results import SeedRun
from rnnlm.runs.seeds_folder import seeds_folder
from rnnlm.runs.stopping import Stop
from rnnlm.text.corpora import named, settled


def asks_for_seeds(request, observer):
    """Whether a Request is for several seeds; it then has their folder, if it resumes.

    RnnlmError if it resumes seeds, and there are none in runs/.
    """
    options = request.options
    if not options.resume:
        return bool(options.seeds)
    if options.output:
        return bool(options.seeds) or is_of_seeds(Path(options.output))
    such = is_of_seeds if options.seeds else (lambda path: True)
    found = next(filter(None, (newest_run(RUNS, corpus, such) for corpus in request.corpora or [None])), None)
    if found and is_of_seeds(found):
        observer.on_note(f"resuming the newest run in {RUNS}: {found}")
        options.output = str(found)
    elif options.seeds:
        raise RnnlmError(f"there are no runs of several seeds in {RUNS} to resume: give their folder with --output, or "
                         "leave out --resume")
    return bool(found) and is_of_seeds(found)


def carry_out_seeds(request, observer, stopping, may_begin=True):
    """Do what a Request for several seeds asks for, in their folder; returns the Seeds.

    Parameters are those of ``rnnlm.runs.run.carry_out``.  A run that diverges, or whose
    folder is damaged, is among the ``failed`` of the result.
    """
    for line in [] if request.options.resume else request.require_possible():
        observer.on_note(line)
    with seeds_folder(request.options, observer) as folder:
        options, seeds = _asked(request, folder, observer, may_begin)
        kept = None if request.options.resume else request.keep_standard_input(observer)
        if kept:
            options.corpus = request.options.corpus
        pace = None
        if request.budget:
            options, pace = dialled_apart(options, request.budget, observer)
            options = _without_seed(options)
        folder.begin(options, seeds)
        _adopt(folder, options)
        observer.on_seeds(seeds, [seed for seed in seeds if folder.ended(seed, options)], folder.path)
        try:
            _train_all(folder, options, request.options.save_splits, observer, stopping)
        except Stop as stop:
            stop.add_note(f"All seeds: rnnlm.train(output={str(folder.path)!r}, resume=True) continues them.")
            raise
        except RnnlmError:
            if not any(map(folder.holds, seeds)):  # nothing was trained, so nothing stays
                folder.clear()
                if kept:
                    observer.on_note(f"there is no run, so {kept} is removed")
                    Path(kept).unlink(missing_ok=True)
            raise
        _tell_end(folder, pace, observer)
        return folder.results


def _tell_end(folder, pace, observer):
    """Tell what all seeds reached; pace: the KeptPace of --minutes, or None."""
    results = folder.results
    observer.on_seeds_end(results, folder.draw())
    if pace and results.finished and (line := pace.note_at_end(results.valid.mean)):
        observer.on_note(line)


def _asked(request, folder, observer, may_begin):
    """The options of all runs, without a seed, and the seeds, a list."""
    options = request.options
    if not options.resume:
        folder.require_free(": --overwrite replaces one run, not those of several seeds: remove their folder, or "
                            "choose another --output" if options.overwrite else
                            ": choose another --output, or continue them with --resume")
    elif folder.holds_options():
        folder.require_no_run()
        return _resumed(request, folder)
    elif not may_begin:
        raise RnnlmError(f"{one_line(str(folder.path))} holds no runs to resume: give the folder of several seeds, or "
                         "leave out resume to begin new ones")
    else:
        folder.require_free(", but no config.toml with their options: resume each of them, or choose another --output")
        request.require_possible()
        options = resolved(request.given, request.typed, request.config)
        options.corpus = request.options.corpus
        observer.on_note(f"{folder.path} holds no runs yet: training starts from the beginning, on "
                         f"{named(options.corpus)}")
    return _without_seed(options), options.seeds


def _resumed(request, folder):
    """The options and seeds with which a SeedsFolder continues; see ``_asked``.

    RnnlmError if what is asked for cannot be had in these runs.
    """
    if "seed" in request.typed:
        raise RnnlmError(f"{folder.path} holds the runs of several seeds: leave out --seed, or resume one of them with "
                         f"--output {folder.run_path(request.typed['seed'])}")
    folder.read()
    saved = _saved(folder)
    options = changed_options(saved, request.given)
    options.corpus = settled(options.corpus, request.corpus_typed and request.corpus != saved.corpus)
    require_same_options(_without_seed(saved), _without_seed(changed_options(saved, request.stated)), folder.path,
                         request.typed)
    require_possible(options)
    require_effect(options, request.typed)
    seeds = sorted({*folder.results.seeds, *(saved.seeds or []), *(options.seeds or [])})
    if len(seeds) > MOST:
        raise RnnlmError(f"--seeds must be at most {MOST} seeds with those of {folder.path}, got {len(seeds)}")
    for seed in filter(folder.finished, seeds):  # before anything is written
        if not (folder.ended(seed, options) or ended_run(seed, folder.run_path(seed), options)):
            folder.require_checkpoint(seed)
    return _without_seed(options), seeds


def _saved(folder):
    """The options in the config.toml of a SeedsFolder, as resolved."""
    given = read_config(folder.config).given(str(folder.config))
    try:
        return resolved(given, config=str(folder.config))
    except RnnlmError:  # the model of --init-from is gone, and runs that have begun do not need it
        return TRAIN.resolved(given)


def _without_seed(options):
    """The options; no seed is one of them."""
    options.seed, options.given = None, [name for name in options.given if name != "seed"]
    return options


def _adopt(folder, options):
    """Take in what has ended without being in the results; see ``ended_run``."""
    for seed in folder.results.seeds:
        found = None if folder.ended(seed, options) else ended_run(seed, folder.run_path(seed), options)
        if found and folder.corpus in (None, found[1].corpus_sha256):
            run, summary = found
            folder.know(summary.corpus_sha256, summary.corpus, summary.model)
            folder.add(run)


def _train_all(folder, options, save_splits, observer, stopping):
    """Train with each seed that has not ended.

    save_splits: a folder for the three texts, or None; the first run writes them.
    """
    for seed in folder.results.seeds:
        if folder.ended(seed, options):
            if options.discard_checkpoints:
                folder.discard_checkpoints(seed)
            continue
        folder.held.require_own()
        observer.on_seed(seed, folder.run_path(seed))
        late = []  # a stop that came after the last step of a run
        run = _run_of(folder, seed, options, save_splits, _Watched(observer, folder), _noting(stopping, late))
        folder.add(run)
        observer.on_seed_end(run)
        save_splits = None
        if late:
            observer.on_seeds_stop(folder.path)
            raise late[0]


def _run_of(folder, seed, options, save_splits, observer, stopping):
    """The SeedRun of a run that is carried out here; its error if it ends early."""
    resumes = folder.holds(seed)
    typed = {"config": str(folder.config), "seed": seed, "output": str(folder.run_path(seed))}
    request = Request(typed | ({"resume": True} if resumes else {"save_splits": save_splits} if save_splits else {}))
    ended = {"seed": seed, "folder": folder.run_path(seed), "epochs": options.epochs, "patience": options.patience}
    try:
        require_run_of(seed, ended["folder"], options)
        run = carry_out_one(request, observer, stopping)
    except RnnlmError as error:
        damaged = resumes and not folder.finished(seed) and not isinstance(error.__cause__, OSError)
        if not (damaged or isinstance(error, DivergenceError)):
            raise  # it would be the same with the next seed, or would lose a result
        folder.held.require_own()
        return SeedRun(**ended, error=one_line(str(error)))
    return SeedRun(**ended, best_epoch=run.best.epoch, seconds=run.records[-1].seconds,
                   test_loss=-run.test.log_prob / run.test.targets,
                   valid_losses=[record.valid_loss for record in run.records])


class _Watched:
    """An observer that is told all, after a look at what the run reads."""

    def __init__(self, observer, folder):
        self.observer, self.folder = observer, folder

    def __getattr__(self, name):
        return getattr(self.observer, name)

    def on_corpus(self, corpus):
        """RnnlmError if the text is not that of the other seeds."""
        fingerprint = corpus.fingerprint()
        if self.folder.corpus not in (None, fingerprint):
            raise RnnlmError(f"the other seeds in {self.folder.path} were trained on different text from "
                             f"{named(corpus.name)}: pass their original --corpus, or choose another --output")
        self.corpus, self.fingerprint = corpus, fingerprint
        self.observer.on_corpus(corpus)

    def on_model(self, model, folder):
        """Keep what all seeds have in common."""
        self.folder.know(self.fingerprint, self.corpus.name, described(model))
        self.observer.on_model(model, folder)


def _noting(stopping, late):
    """``stopping``, of which a stop after the last step is put into ``late``."""

    @contextmanager
    def block():
        with stopping() as check:
            yield check
            try:
                check()
            except Stop as stop:
                late.append(stop)

    return block
