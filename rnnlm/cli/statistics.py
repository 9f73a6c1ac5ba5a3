"""The statistics for dynamic evaluation: from their file, or made and kept there."""

import os
from pathlib import Path

from rnnlm.adapting.gradient_statistics import gradient_statistics
from rnnlm.adapting.methods import WINDOW
from rnnlm.cli.screen import encoding_bar, file_bar, note, scoring_bar
from rnnlm.cli.signals import computing_until_signal
from rnnlm.errors import RnnlmError, quoted
from rnnlm.files.whole import require_replaceable
from rnnlm.formats.statistics_file import (
    STATISTICS_NAME,
    OtherStatisticsError,
    load_statistics,
    save_statistics,
)
from rnnlm.runs.own_texts import own_texts
from rnnlm.text.corpus import fingerprint_of

REMEDY = "name a file of its statistics with --statistics"


def statistics_for(read, options):
    """The GradientStatistics of a Read's model, for the window of the options.

    They come from the file of --statistics or of the run folder.  If it is not there,
    they are computed over the training text of the run, and kept there; those of a kept
    model are not.

    RnnlmError if a named file is of something else, or the training text is not known.
    """
    window = options.dynamic_window or WINDOW
    in_folder = os.path.isdir(options.model) and read.tokens is None  # a kept model is not the one of the folder
    path = options.statistics or (Path(options.model, STATISTICS_NAME) if in_folder else None)
    if path is not None and os.path.exists(path):
        shapes = {name: param.shape for name, param in read.model.named_params().items()}
        try:
            return load_statistics(path, shapes, read.sha256, window)
        except OtherStatisticsError:
            if options.statistics:
                raise
        except RnnlmError as error:
            remove = "" if options.statistics else "remove it, so that it is made anew, or "  # it may be anything
            raise RnnlmError(f"{error}; {remove}name another file with --statistics, which is then made") from error
    elif options.statistics:
        require_replaceable(path, lambda _: False, "a file of statistics")  # now, not after they were computed
    texts, corpus = own_texts(options.model, read.vocabulary, REMEDY, on_file=file_bar("fetching"),
                              on_long=encoding_bar)
    found = _compute(read.model, texts["train"].ids, window, corpus, path is not None)
    if path is not None:
        _keep(path, found, read, fingerprint_of(read.vocabulary, texts["train"].ids))
    return found


def _compute(model, ids, window, corpus, kept):
    """The statistics, under a bar; a signal ends the command.

    kept: whether they will be.
    """
    once = ", once" if kept else ""
    note(f"note: computing the mean squares of the gradients over the training text of {corpus}{once}")
    with computing_until_signal("stopping after this window") as check, \
            scoring_bar("gradients", len(ids), "reading") as move:

        def on_window(targets):
            move(targets)
            check()

        return gradient_statistics(model, ids, window, on_window=on_window)


def _keep(path, statistics, read, text):
    """Write them; where the run folder cannot be written, say so."""
    try:
        save_statistics(path, statistics, read.sha256, text)
    except RnnlmError as error:
        note(f"note: the statistics are not kept ({error}); --statistics FILE keeps them elsewhere")
        return
    note(f"note: the statistics are in {quoted(path)}; later commands read them from there")
