"""The rescoring command: the best sentence of each n-best list, or all with scores."""

import os
import sys
from contextlib import contextmanager

import numpy as np

from rnnlm import __version__
from rnnlm.cli.arguments import Parser
from rnnlm.cli.command import run
from rnnlm.cli.rescore_notes import Counts, note_references, note_sign, note_surface
from rnnlm.cli.rescore_options import BASES, RESCORE, SIGNS, require_possible, steps
from rnnlm.cli.screen import is_terminal, note, scoring_bar, show, without_controls
from rnnlm.cli.signals import stop_on_signal
from rnnlm.cli.slowdowns import threads_of
from rnnlm.compute.threads import Workers
from rnnlm.errors import RnnlmError, counted, one_line
from rnnlm.formats.model_file import load_model, model_sha256
from rnnlm.scoring.nbest import rescore
from rnnlm.scoring.nbest_rows import HEADING, rows
from rnnlm.scoring.tuning import candidates, require_distance, surface
from rnnlm.text.nbest_files import FORMS, read_nbest
from rnnlm.text.nbest_tables import FirstPassFile, read_references
from rnnlm.text.sources import STANDARD_INPUT, called


def build_parser(prog=None):
    """The options of the rescoring command."""
    return Parser(prog, "Score the sentences of n-best lists with a trained model, and find the best of each list, "
                  "with the scores of a first pass if there are any.", RESCORE)


def main(argv=None, prog=None):
    """The command; returns its exit code."""
    parser = build_parser(prog)

    def command(options):
        if options.nbest_format is None:
            parser.error(f"--nbest-format must be given, as the forms cannot be told apart safely: "
                         f"{', '.join(FORMS)}")
        rescore_lists(options)

    return run(command, parser, argv)


def rescore_lists(options):
    """Print the hypotheses with their scores, or what tuning found."""
    require_possible(options)
    with Workers(threads_of(options)) as workers:
        model, vocabulary = load_model(options.model, workers)
        references = _references(options)
        first_pass, counts = FirstPass(options), Counts(vocabulary, options.nbest_format)
        with _bar(options.nbest) as move:
            lists = read_nbest(options.nbest, options.nbest_format, vocabulary, options.trust_ids, move)
            found = counts.counting(rescore(model, vocabulary, lists, first_pass.function, scale=options.scale,
                                            word_penalty=options.word_penalty, carry=options.carry))
            if references is None:
                _show_rows(found, options)
            else:
                scored = candidates(found, references)
                _show_surface(scored, surface(scored, steps(options.scales), steps(options.penalties)), options)
                note_references(scored, references)
        first_pass.finish()
        counts.note()


class FirstPass:
    """The scores of the first pass that the options ask for, as natural logarithms.

    function : from a list to the scores of its hypotheses; None without a first pass.
    """

    def __init__(self, options):
        self.file = self.function = None
        self.lowest, self.highest = np.inf, -np.inf
        if options.first_pass is not None:
            self.file = FirstPassFile(options.first_pass, options.first_pass_by)
            self.factor = SIGNS[options.first_pass_sign] * BASES[options.first_pass_base]
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
        if not self.file:
            return
        note_sign(self.lowest, self.highest, self.factor)
        if left := self.file.left():
            name = one_line(called(self.file.path))
            if not self.file.by_key:
                raise RnnlmError(f"{name} must have a score for each hypothesis, it has more: give the file that goes "
                                 "with these lists")
            note(f"note: {counted(left, 'score')} of {name} without a hypothesis")


def _references(options):
    """The References to tune with; None without tuning."""
    if options.tune is None:
        return None
    require_distance()
    return read_references(options.tune, options.references_by)


@contextmanager
def _bar(path):
    """A block with a bar for a file; it yields the function to call with bytes."""
    if path == STANDARD_INPUT or not os.path.isfile(path):
        yield None
        return
    with scoring_bar(path, os.path.getsize(path)) as move:
        yield move


def _show_rows(found, options):
    heading = [*_head_lines(_head(options)), HEADING] if options.format == "tsv" else []
    for one in found:
        _show([*heading, *rows(one, options.format, options.best)])
        heading = []


def _show(lines):
    """Show lines on standard output; a signal in the middle waits for their end."""
    visible = without_controls if is_terminal(sys.stdout) else str
    with stop_on_signal("stopping after these lines") as check:
        show(visible("".join(f"{line}\n" for line in lines)))
    check()


def _head_lines(head):
    return [f"# {key}: {one_line(value)}" for key, value in head.items()]


def _head(options):
    """What must be known to read the numbers."""
    protocol, state = "sentence: each hypothesis is read on its own", "a state of zeros"
    if options.carry:
        protocol = "document: the state is carried from the best hypothesis of the list before"
        state = "that state, or zeros where a conversation begins"
    given = _first_pass_in_words(options)
    head = {"rnnlm": __version__, "model": str(options.model), "sha256": model_sha256(options.model),
            "protocol": protocol, "base": "e", "first_word": f"scored, after <eos> and from {state}",
            "first_pass": given or "none"}
    if options.tune is None or options.carry:
        head["total"] = (f"{'first_pass + ' if given else ''}scale * log_prob - word_penalty * words, with scale "
                         f"{options.scale:g} and word_penalty {options.word_penalty:g}")
    return head


def _first_pass_in_words(options):
    """Where its scores come from; "" without any."""
    if options.first_pass is not None:
        return (f"{called(options.first_pass)}: by {options.first_pass_by}, {options.first_pass_sign}, base "
                f"{options.first_pass_base}")
    return "total of the lists" if options.nbest_format == "moses" else ""


def _show_surface(scored, found, options):
    i, j = found.best
    first = "first_pass_errors" if scored.first_pass is not None else "first_of_list_errors"
    best = f"--scale {found.scales[i]:.10g} --word-penalty {found.penalties[j]:.10g}"
    head = _head(options) | {first: _of_words(scored, scored.first_pass_errors()),
                             "oracle_errors": _of_words(scored, scored.oracle_errors()),
                             "best": f"{best}: {_of_words(scored, found.errors[i, j])}"}
    _show([*_head_lines(head), "scale\tword_penalty\terrors\twer",
           *(f"{scale:.10g}\t{penalty:.10g}\t{found.errors[s, p]}\t{scored.rate(found.errors[s, p]):.2f}"
             for s, scale in enumerate(found.scales) for p, penalty in enumerate(found.penalties))])
    note_surface(found)


def _of_words(scored, errors):
    return f"{errors} of {counted(scored.reference_words, 'word')}, {scored.rate(errors):.2f} %"
