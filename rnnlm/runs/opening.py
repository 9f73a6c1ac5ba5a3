"""Opens a session of a run: its texts, threads and trainer."""

from rnnlm.compute.processes import processes
from rnnlm.compute.threads import Workers
from rnnlm.errors import RnnlmError
from rnnlm.runs.assembly import build_trainer, settle_cutoffs
from rnnlm.runs.dialling import dialled
from rnnlm.runs.elsewhere import Elsewhere
from rnnlm.runs.gpus import own_device
from rnnlm.runs.initial_model import BEFORE, initial_model, perplexity_in
from rnnlm.runs.observer import Observer
from rnnlm.runs.options import of_the_run
from rnnlm.runs.resuming import require_architecture, require_same_texts
from rnnlm.runs.run_texts import read_texts
from rnnlm.runs.session import Session


def train(options, folder, observer, stopping, header=None, budget=None):
    """Train in a RunFolder; returns the Evaluation of the test text.

    stopping(): a block that yields ``check``, a function that is called between two
    steps and ends the session by raising Stop.  header: that of the checkpoint to
    resume from, if any.  budget: the Budget of --minutes for a new run, or None.
    """
    if header is not None:  # before anything is read or made that the options ask for
        require_architecture(header, options, header["architecture"]["vocab_size"], folder.path)
    if processes().size > 1 and budget:
        raise RnnlmError("--minutes is for one process: start rnnlm train without mpiexec")
    device = own_device(options.device)
    initial = initial_model(options, folder, header)
    corpus = read_texts(options, folder, observer, initial, header)
    threads = options.threads or processes().cores()
    observer.on_threads(threads)
    with Workers(threads) as workers:
        pace = None
        if budget:
            options, corpus, pace = dialled(options, corpus, budget, observer, workers, device, initial)
        session = _session(options, corpus, folder, observer, header, workers, initial, device)
        session.pace = pace
        return session.carry_out(stopping, resumed=header is not None)


def follow(stopping):
    """What a process but the first does in a run: its part of all work on the model.

    Returns the Elsewhere, with all records, and the Evaluation of the test text.
    """
    options, corpus, run, path, resumed = processes().share(None)
    with Workers(options.threads or processes().cores()) as workers:
        trainer = build_trainer(options, corpus, workers, fresh=False, device=own_device(options.device))
        folder = Elsewhere(path, options)
        return folder, Session(options, corpus, trainer, folder, Observer(), run).carry_out(stopping, resumed)


def _session(options, corpus, folder, observer, header, workers, initial, device):
    """All parts of the run; nothing is written yet."""
    settle_cutoffs(options, corpus)
    run = {**of_the_run(options), "corpus": corpus.fingerprint(), "threads": workers.threads}
    if initial:
        run["init_from"] = initial.in_header()
        run[BEFORE] = header and perplexity_in(header)
    if header is not None:
        if line := require_same_texts(header, run, options, folder.path):
            observer.on_note(line)
        require_architecture(header, options, len(corpus.vocabulary), folder.path)
    if processes().size > 1:
        run["processes"] = processes().size
    processes().share((options, corpus, run, folder.path, header is not None))
    trainer = build_trainer(options, corpus, workers, fresh=header is None, initial=initial, device=device)
    return Session(options, corpus, trainer, folder, observer, run)
