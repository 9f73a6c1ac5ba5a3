"""The command that compares training runs: a table, and a picture of their curves."""

import json

from rnnlm.cli.arguments import Parser
from rnnlm.cli.command import run
from rnnlm.cli.screen import note, show
from rnnlm.reports.curves import require_picture
from rnnlm.reports.runs_chart import AXES, plot_runs
from rnnlm.reports.runs_table import options_lines, runs_csv, runs_lines
from rnnlm.runs.checks import OneOf, not_empty
from rnnlm.runs.option import DEBUG, FLAG, Option
from rnnlm.runs.table import Table

UNITS = {"word": "words", "char": "characters", "subword": "subwords"}  # of a level

COMPARE = Table({"options": (
    Option("runs", not_empty, "the folder of a training run, finished or not", metavar="RUN", argument=True, many=True),
    Option("output", not_empty, "PNG file for a picture of the runs' curves on the validation text; it may replace an "
           "earlier picture, but no other file", metavar="FILE.png", meant_by="chart plot picture png out"),
    Option("x", OneOf(tuple(AXES)), "what the picture's horizontal axis shows", "epochs", meant_by="axis over"),
    Option("json", FLAG, "print one JSON object instead of the table", False, excludes="csv"),
    Option("csv", FLAG, "print the table as CSV, with all digits", False),
    DEBUG,
)})


def build_parser(prog=None):
    """The reader of the command's line."""
    return Parser(prog, "Compare training runs: the options that differ, the best epoch and what it reached.", COMPARE)


def main(argv=None, prog=None):
    """The command; returns its exit code."""
    return run(show_comparison, build_parser(prog), argv)


def show_comparison(options):
    """Print what the runs reached, and draw their curves."""
    from rnnlm.runs.comparison import compare
    from rnnlm.runs.comparison_curves import curves

    if options.output:
        require_picture(options.output)
    found = compare(options.runs)
    notes = list(found.notes)
    if options.output:
        drawn, value, about = curves(found, options.x)
        notes += about
        plot_runs(options.output, drawn, _title(found), x=options.x, value=value)
    for line in notes:
        note(f"note: {line}")
    rows = found.rows()
    if options.json:
        show(json.dumps({"options": found.options, "notes": notes, "texts": list(map(_text, found.groups)),
                         "runs": [_for_json(row) for row in rows]}, allow_nan=False) + "\n")
    else:
        show(runs_csv(rows) if options.csv else "".join(f"{line}\n" for line in _tables(found, rows)))


def _tables(found, rows):
    """Yield the lines of a table for each group, then of the options if many differ."""
    for number, group in enumerate(found.groups, 1):
        if number > 1:
            yield ""
        if len(found.groups) > 1:
            yield _heading(group)
        yield from runs_lines([row for row in rows if row["text"] == number])
    if lines := options_lines(rows):
        yield from ("", *lines)


def _heading(group):
    """What the runs of a group have in common, in words."""
    about = _text(group)
    corpus, level = about["corpus"] or "a text that is not on record", about["level"]
    size = f", vocabulary {about['vocabulary']:,}" if about["vocabulary"] else ""
    targets = f", {about['valid_targets']:,} targets to validate" if about["valid_targets"] else ""
    return f"{corpus}{f': {UNITS.get(level, level)}' if level else ''}{size}{targets}"


def _title(found):
    return "\n".join(map(_heading, found.groups[:3])) + ("\n..." if len(found.groups) > 3 else "")


def _text(group):
    """The texts of a group, a dict; None is what is not known."""
    first = next((run for run in group if run.summary), group[0])
    valid = first.summary and first.summary.valid
    return {"corpus": first.corpus, "level": first.options.level if first.knows("level") else None,
            "vocabulary": first.vocabulary, "valid_targets": valid and valid.targets,
            "valid_bytes": valid and valid.bytes, "unk_share": first.unk_share}


def _for_json(row):
    """A row without numbers that JSON lacks."""
    return {key: None if value in (float("inf"),) else value for key, value in row.items()}
