"""The import command: a model of another system becomes a folder like that of a run.

Python's word ``import`` is no name of a module for a program, but it is one for
``import_module``, by which the commands are found.
"""

from rnnlm.cli.arguments import Parser
from rnnlm.cli.command import run
from rnnlm.cli.export import OVERWRITE
from rnnlm.cli.screen import note, show
from rnnlm.errors import counted, one_line, quoted
from rnnlm.exchange.importing import import_model
from rnnlm.exchange.output import require_free, whole_folder
from rnnlm.formats.model_file import MODEL_NAME, save_model
from rnnlm.models import RNN_ACTIVATIONS
from rnnlm.runs.checks import OneOf, not_empty
from rnnlm.runs.description import described
from rnnlm.runs.option import DEBUG, Option
from rnnlm.runs.table import Table

IMPORT = Table({"options": (
    Option("path", not_empty, "a safetensors file with the names of PyTorch's word_language_model example, or a folder "
           "that rnnlm export --to torch or --to hf wrote", metavar="PATH", argument=True),
    Option("output", not_empty, "the folder to write; it will hold a model file", metavar="FOLDER", meant_by="out"),
    Option("vocabulary", not_empty, "text file with a word a line, in the order of their ids; or the folder with the "
           "texts by which PyTorch's word_language_model example numbered its words", metavar="FILE",
           default_text="that of the export", meant_by="dict dictionary vocab words"),
    Option("activation", OneOf(RNN_ACTIVATIONS), "what the units of an nn.RNN compute, which no file of PyTorch says",
           default_text="what the export says, or tanh", meant_by="nonlinearity"),
    Option("eos", not_empty, "which word of the vocabulary ends a sentence", metavar="WORD",
           default_text="the usual one that is there", meant_by="end"),
    Option("unk", not_empty, "which word of the vocabulary stands for unknown ones", metavar="WORD",
           default_text="the usual one that is there", meant_by="oov unknown"),
    OVERWRITE,
    DEBUG,
)})


def build_parser(prog=None):
    """The options of the import command."""
    return Parser(prog, "Make a model of what another system trained, or of what rnnlm export wrote. Nothing in the "
                  "file or the folder is run.", IMPORT)


def main(argv=None, prog=None):
    """The command; returns its exit code."""
    parser = build_parser(prog)

    def command(options):
        if options.output is None:
            parser.error("--output FOLDER must be given")
        read(options)

    return run(command, parser, argv)


def read(options):
    """Read the model, write the folder, and show what it is."""
    require_free(options.output, is_folder=True, overwrite=options.overwrite)
    loaded = import_model(options.path, options.vocabulary, activation=options.activation, eos=options.eos,
                          unk=options.unk)
    with whole_folder(options.output) as folder:
        save_model(folder / MODEL_NAME, loaded.model, loaded.vocabulary)
    words = counted(len(loaded.vocabulary), loaded.vocabulary.tokenizer.unit)
    show(f"{one_line(options.output)}: {described(loaded.model)}, {words}\n")
    note(f"to score a text: rnnlm evaluate {quoted(options.output)} TEXT")
