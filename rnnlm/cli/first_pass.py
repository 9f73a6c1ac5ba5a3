"""The scores of a first pass that the rescoring command adds to those of the model."""

import math
import os

import numpy as np

from rnnlm.cli.rescore_notes import note_sign
from rnnlm.cli.rescore_options import SIGNS
from rnnlm.cli.screen import note, scoring_bar
from rnnlm.errors import counted, one_line
from rnnlm.scoring.rows import BASES
from rnnlm.text.nbest_files import read_nbest
from rnnlm.text.nbest_tables import FirstPassFile
from rnnlm.text.sources import called


class FirstPass:
    """The scores of the first pass that the options ask for, as natural logarithms.

    function : from a list to the scores of its hypotheses; None without a first pass.
    """

    def __init__(self, options):
        self.file = self.function = None
        self.lowest, self.highest = np.inf, -np.inf
        if options.first_pass is not None:
            self.file = FirstPassFile(options.first_pass, options.first_pass_by)
            self.factor = SIGNS[options.first_pass_sign] * math.log(BASES[options.first_pass_base])
            self.function = self._of_file
        elif options.nbest_format == "moses":
            self.function = self._of_lists

    def _of_file(self, one):
        scores = np.array(self.file.scores_of(one))
        self.lowest, self.highest = min(self.lowest, scores.min()), max(self.highest, scores.max())
        return self.factor * scores

    def _of_lists(self, one):
        return np.array([hypothesis.first_pass for hypothesis in one.hypotheses])

    def finish(self):
        """Note what is strange; RnnlmError if the file has too many lines."""
        if self.file:
            self.file.require_end()
            note_sign(self.lowest, self.highest, self.factor)
            if left := self.file.left():
                note(f"note: {counted(left, 'score')} of {one_line(called(self.file.path))} without a hypothesis")


def require_whole(options, vocabulary):
    """Read the lists, and their scores of the first pass, before any is scored.

    So nothing is printed where a line is wrong or a score missing.  Standard input,
    which can be read only once, is left out.

    RnnlmError for what is wrong.
    """
    if not os.path.isfile(options.nbest):
        return
    of_file = options.first_pass is not None and os.path.isfile(options.first_pass)
    scores = FirstPassFile(options.first_pass, options.first_pass_by) if of_file else None
    with scoring_bar(options.nbest, os.path.getsize(options.nbest), "checking") as move:
        for one in read_nbest(options.nbest, options.nbest_format, vocabulary, options.trust_ids, move):
            if scores:
                scores.scores_of(one)
    if scores:
        scores.require_end()
