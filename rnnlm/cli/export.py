"""The export command: a model goes out to another system."""

import os
from pathlib import Path

from rnnlm.cli.arguments import Parser
from rnnlm.cli.command import run
from rnnlm.cli.screen import note, show
from rnnlm.errors import counted, one_line, quoted, size_shown
from rnnlm.exchange.exporting import export_model
from rnnlm.exchange.targets import TARGETS
from rnnlm.runs.checks import OneOf, not_empty
from rnnlm.runs.description import described
from rnnlm.runs.option import DEBUG, FLAG, Option
from rnnlm.runs.table import Table

OVERWRITE = Option("overwrite", FLAG, "replace what an earlier call wrote there", False, meant_by="force")
EXPORT = Table({"options": (
    Option("model", not_empty, "a model file or a run folder", metavar="MODEL", argument=True),
    Option("to", OneOf(TARGETS), "; ".join(f"{name}: {target.help}" for name, target in TARGETS.items()),
           meant_by="format target type"),
    Option("output", not_empty, "the file to write, or the folder for torch and hf", metavar="PATH", meant_by="out"),
    Option("tokens", not_empty, "for onnx and onnx-streaming: tokens.txt of a recognizer, a token and its id a line; "
           "the graph takes and gives these ids", metavar="FILE", default_text="the model's own ids"),
    OVERWRITE,
    DEBUG,
)})


def build_parser(prog=None):
    """The options of the export command."""
    return Parser(prog, "Write a trained model in the form of another system.", EXPORT)


def main(argv=None, prog=None):
    """The command; returns its exit code."""
    parser = build_parser(prog)

    def command(options):
        for name in ("to", "output"):
            if getattr(options, name) is None:
                parser.error(f"{EXPORT.by_name[name].as_typed('')} must be given")
        export(options)

    return run(command, parser, argv)


def export(options):
    """Write the model, and show what was written and how to use it."""
    exported = export_model(options.model, options.to, options.output, overwrite=options.overwrite,
                            tokens=options.tokens)
    words = counted(len(exported.vocabulary), exported.vocabulary.tokenizer.unit)
    show(f"{one_line(options.output)}: {_size(Path(options.output))}, {described(exported.model)}, {words}\n")
    use = TARGETS[options.to].use.format(path=quoted(options.output), name=repr(options.output))
    note(f"to use it: {use}")


def _size(path):
    """The size of a file, or the number of files of a folder and their size."""
    if not path.is_dir():
        return size_shown(os.path.getsize(path))
    files = [file for file in path.rglob("*") if file.is_file()]
    return f"{counted(len(files), 'file')}, {size_shown(sum(map(os.path.getsize, files)))}"
