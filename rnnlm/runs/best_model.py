"""The best model of a run: the first process reads its file and gives it to all."""

from rnnlm.formats.model_file import load_model
from rnnlm.models import LanguageModel


def best_model(path, workers, processes):
    """The LanguageModel of a file, in every process, and the id of <eos>.

    Parameters
    ----------
    path : of the model file, which only the first process reads.
    workers : the Workers that the model will compute on.
    processes : the Processes of the run.
    """
    form = None
    if processes.first:
        model, vocabulary = load_model(path, workers)
        form = dict(model.architecture), vocabulary.eos_id, vocabulary.fingerprint()
    architecture, eos_id, fingerprint = processes.share(form)
    if not processes.first:
        model = LanguageModel(**architecture, rng=None, workers=workers)
        model.vocabulary_fingerprint = fingerprint
    for array in model.packing.memory:
        processes.fill(array)
    model.processes = processes
    return model, eos_id
