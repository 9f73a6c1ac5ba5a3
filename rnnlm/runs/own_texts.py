"""The texts of a run: as its options name them, and again for a model that it left."""

import os
from contextlib import suppress
from pathlib import Path

from rnnlm.errors import DamagedError, RnnlmError, quoted
from rnnlm.formats.checkpoint import read_checkpoint_header
from rnnlm.runs.checkpoint_files import CHECKPOINTS
from rnnlm.runs.configuration import CONFIG, read_config
from rnnlm.runs.options import TRAIN
from rnnlm.runs.resuming import saved_options
from rnnlm.text.choose_tokenizer import LEARNED
from rnnlm.text.corpora import known_corpora, named
from rnnlm.text.corpus import fingerprint_of, texts_again
from rnnlm.text.documents import DOCUMENTS
from rnnlm.text.split import Split

TO_SCORE = "name a text to score"


def address_of(options):
    """Where the texts are: a path for each name of the options' corpus."""
    known = known_corpora()
    if isinstance(options.corpus, list):
        return [known.get(name, name) for name in options.corpus]
    return known.get(options.corpus, options.corpus)  # what exists is an absolute path by now


def how_split(options):
    """The arguments of load_corpus on how one text becomes three, a dict."""
    split = Split(options.split, options.split_by, options.split_shares, options.split_seed)
    return {"split": split, "apart": DOCUMENTS in (options.shuffle, options.split_by)}


def own_texts(folder, vocabulary, remedy=TO_SCORE, **watching):
    """The three texts of a run, a dict by split; and what its corpus is called.

    Parameters
    ----------
    folder : the path of the run folder.
    vocabulary : that of its model.
    remedy : what else an error advises.
    watching : ``on_file`` and ``on_long``, see ``load_corpus``.

    Raises
    ------
    RnnlmError : it is not the folder of a run, or the texts are not as they were.
    """
    options, fingerprint = _known_of(folder, remedy)
    was_learned = options.level in LEARNED and options.tokenizer is None
    try:
        texts = texts_again(address_of(options), vocabulary, options.max_tokens, was_learned, **how_split(options),
                            **watching)
    except RnnlmError as error:
        raise RnnlmError(f"the texts of the run in {folder} cannot be read again: {error}; put them back as they were, "
                         "or name a text to score") from error
    if fingerprint not in (None, fingerprint_of(vocabulary, *(text.ids for text in texts.values()))):
        raise RnnlmError(f"the run in {folder} was trained on different text from {named(options.corpus)}: put the "
                         f"text back as it was, or {remedy}")
    return texts, named(options.corpus)


def _known_of(folder, remedy):
    """The options of a run, and the fingerprint of what it read, None if not known.

    RnnlmError if there is no run.
    """
    if not os.path.isdir(folder):
        parent = os.path.dirname(folder)
        where = f" ({quoted(parent)})" if parent and os.path.exists(os.path.join(parent, CONFIG)) else ""
        raise RnnlmError(f"{folder} is a model file, which does not know the texts of its run: {remedy}, or give "
                         f"the run folder{where}")
    for name in CHECKPOINTS:
        with suppress(DamagedError):
            if os.path.exists(path := Path(folder, name)):
                header = read_checkpoint_header(path)
                return saved_options(header, folder), header["run"].get("corpus")
    config = Path(folder, CONFIG)
    if not config.exists():
        raise RnnlmError(f"{folder} holds neither a checkpoint nor {CONFIG}, so the texts of its run are not known: "
                         f"{remedy}")
    return TRAIN.resolved(read_config(config).given(str(config))), None
