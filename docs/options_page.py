"""Writes docs/options.md, the page of all options, from the commands' tables.

Run it with: python docs/options_page.py
"""

from importlib import import_module
from pathlib import Path

from rnnlm.cli.main import COMMANDS
from rnnlm.runs.option import OF_THE_LINE, SWITCH
from rnnlm.runs.options import free

PAGE = Path(__file__).with_name("options.md")
HEAD = """# All options

This page is written from the records of the options (`rnnlm/runs/options.py`): `python docs/options_page.py` makes it.
`rnnlm train --help` shows the same, without the remarks on what an option works with.

An option of `rnnlm train` is also a key of the TOML files that `--config` reads: `hidden-size = 100`, `tied = true`.
Options marked ¹ are for the command line only, and options marked ² may change when a run is resumed.
"""


def page():
    """The text of the page."""
    text = HEAD
    for command in COMMANDS:
        parser = import_module(f"rnnlm.cli.{command}").build_parser(f"rnnlm {command}")
        about = parser.about.replace(". ", ".\n")
        text += f"\n## {parser.prog}\n\n{about}\n"
        for title, options in parser.table.groups.items():
            heading = f"\n### {title[0].upper()}{title[1:]}\n" if len(parser.table.groups) > 1 else ""
            text += f"{heading}\n| option | default | |\n|---|---|---|\n"
            text += "".join(_row(option, command == "train") for option in options)
    return text


def _row(option, of_training):
    marks = ""
    if of_training:
        marks = "¹" * (option.scope == OF_THE_LINE) + "²" * (option.name in free({}))
    also = "".join(f", `--{alias}`" for alias in option.aliases.split())
    help = option.help + (f"; works only with {option.acts_with}" if option.acts_with not in option.help else "")
    help += "; may be given several times" * option.can_be_repeated
    cells = f"`{_name(option)}`{also}{marks}", option.default_in_words, help
    return "| " + " | ".join(_escaped(cell) for cell in cells) + " |\n"


def _name(option):
    if option.argument:
        return option.metavar
    if option.check == SWITCH:
        return f"{option.flag}`, `--no-{option.key}"
    return f"{option.flag} {option.value_in_words}".rstrip()


def _escaped(cell):
    return cell.replace("|", "\\|").replace("<unk>", "`<unk>`")


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
