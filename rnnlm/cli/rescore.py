"""The rescoring command: the best sentence of each n-best list, or all with scores."""

import os
import sys
from contextlib import contextmanager

from rnnlm.cli.arguments import Parser
from rnnlm.cli.command import run
from rnnlm.cli.first_pass import FirstPass, require_whole
from rnnlm.cli.heading import first_word, heading, protocol_in_words
from rnnlm.cli.partners import partners_in_words, read_predictor
from rnnlm.cli.rescore_notes import Counts, note_references, note_surface
from rnnlm.cli.rescore_options import RESCORE, require_possible, steps
from rnnlm.cli.screen import is_terminal, note, scoring_bar, show, without_controls
from rnnlm.cli.signals import stop_on_signal
from rnnlm.cli.slowdowns import threads_of
from rnnlm.compute.threads import Workers
from rnnlm.errors import counted
from rnnlm.reports.heading import heading_lines
from rnnlm.scoring.nbest import rescore
from rnnlm.scoring.nbest_rows import HEADING, rows
from rnnlm.scoring.tuning import candidates, require_distance, surface
from rnnlm.text.nbest_files import FORMS, read_nbest
from rnnlm.text.nbest_tables import read_references
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
        model, vocabulary, sha256, *_ = read_predictor(options, workers)
        head, references = _head(options, sha256, model), _references(options)
        require_whole(options, vocabulary)
        first_pass, counts, best = FirstPass(options), Counts(vocabulary, options.nbest_format), None
        with _bar(options.nbest) as move:
            lists = read_nbest(options.nbest, options.nbest_format, vocabulary, options.trust_ids, move)
            found = counts.counting(rescore(model, vocabulary, lists, first_pass.function, scale=options.scale,
                                            word_penalty=options.word_penalty, carry=options.carry))
            if references is None:
                _show_rows(found, head, options)
            else:
                best = _tune(found, references, head, options)
        first_pass.finish()
        counts.note()
    if best:
        note(f"note: best: {best}")


def _references(options):
    """The References to tune with; None without tuning."""
    if options.tune is None:
        return None
    require_distance()
    return read_references(options.tune, options.references_by)


@contextmanager
def _bar(path):
    """A block with a bar for a file; it yields the function to call with bytes.

    There is none if it can get between the rows.
    """
    if path == STANDARD_INPUT or not os.path.isfile(path) or is_terminal(sys.stdout):
        yield None
        return
    with scoring_bar(path, os.path.getsize(path)) as move:
        yield move


def _show_rows(found, head, options):
    start = [HEADING] if options.format == "tsv" else []
    for one in found:
        _show([*start, *rows(one, options.format, options.best)], head if start else {})
        start = []


def _show(lines, head):
    """Show lines on standard output; a signal in the middle waits for their end.

    Before them, the dict ``head`` is shown.
    """
    visible = without_controls if is_terminal(sys.stdout) else str
    with stop_on_signal("stopping after these lines") as check:
        show(visible(heading_lines(head) + "".join(f"{line}\n" for line in lines)))
    check()


def _head(options, sha256, model):
    """What must be known to read the numbers."""
    protocol, state = "sentence: each hypothesis is read on its own", "a state of zeros"
    if options.carry:
        protocol = protocol_in_words("document", model,
                                     said="the state is carried from the best hypothesis of the list before")
        state = "that state, or zeros where a conversation begins"
    given = _first_pass_in_words(options)
    head = heading(options.model, sha256, protocol, "e", first_word(model, state=state))
    head |= partners_in_words(options)
    head |= {"log_prob": "natural logarithm, of the words and the sentence end", "first_pass": given or "none"}
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


def _tune(found, references, head, options):
    """Print what tuning found; returns the best scale and penalty in words."""
    scored = candidates(found, references)
    tried = surface(scored, steps(options.scales), steps(options.penalties))
    i, j = tried.best
    best = (f"--scale {tried.scales[i]:.10g} --word-penalty {tried.penalties[j]:.10g}: "
            f"{_of_words(scored, tried.errors[i, j])}")
    first = "first_pass_errors" if scored.first_pass is not None else "first_of_list_errors"
    head = head | {first: _of_words(scored, scored.first_pass_errors()),
                   "oracle_errors": _of_words(scored, scored.oracle_errors()), "best": best}
    _show(["scale\tword_penalty\terrors\twer_percent",
           *(f"{scale:.10g}\t{penalty:.10g}\t{tried.errors[s, p]}\t{scored.rate(tried.errors[s, p]):.2f}"
             for s, scale in enumerate(tried.scales) for p, penalty in enumerate(tried.penalties))], head)
    note_surface(tried)
    note_references(scored, references)
    return best


def _of_words(scored, errors):
    return f"{errors} of {counted(scored.reference_words, 'word')}, {scored.rate(errors):.2f} %"
