"""One page in one file: a text with the surprisal of every word.

The page loads nothing, and its content-security policy lets no browser load anything
for it.  docs/scores.md says what is on it.
"""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING

import numpy as np

from rnnlm.errors import RnnlmError
from rnnlm.reports.surprisal_page import tints
from rnnlm.reports.surprisal_page.charts import histogram, line_names, perplexity_line
from rnnlm.reports.surprisal_page.markup import as_data, escaped, policy
from rnnlm.reports.surprisal_page.packed import page_data
from rnnlm.reports.surprisal_page.reading import difference, require_same_text
from rnnlm.reports.surprisal_page.running_text import running_text
from rnnlm.reports.surprisal_page.sections import hardest, head, unknown_words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rnnlm.reports.surprisal_page.reading import Reading

MOST_ROWS = 1_000_000
GENERATOR = '<meta name="generator" content="rnnlm page">'
HELP = ("Point at a word, tap it, or press Tab and then the arrow keys: ← → by words, ↑ ↓ by sentences, Home and End "
        "to the ends of the sentence, with Ctrl of the text. Escape closes the card. The browser's search finds every "
        "word.")


def surprisal_page(readings: list[Reading], title: str, facts: dict[str, str] | None = None) -> Iterator[str]:
    """Yield the page, piece by piece; encode it as UTF-8.

    Parameters
    ----------
    readings : one Reading, or two of the same text: then tints show their difference,
        the surprisal of the first minus that of the second.
    title : of the page.
    facts : what the head says besides, from label to text.

    Raises
    ------
    RnnlmError : no row, more than MOST_ROWS, or two readings of different texts.
    """
    _require_possible(readings)
    return _pieces(readings, title, facts or {})


def _require_possible(readings):
    rows = len(readings[0].rows)
    if not 0 < rows <= MOST_ROWS:
        raise RnnlmError(f"a page must have 1 to {MOST_ROWS:,} words and line ends, the text has {rows:,}: "
                         f"{'give a part of it' if rows else 'give a text with words'}")
    if len(readings) == 2:
        require_same_text(*readings)


def _pieces(readings, title, facts):
    compared = len(readings) == 2
    style, script = _file("page.css") + tints.style(), _file("page.js")
    rows, bits = readings[0].rows, difference(*readings) if compared else readings[0].bits
    levels = (tints.difference_levels if compared else tints.levels)(bits)
    unknown = np.any([reading.unknown for reading in readings], axis=0)
    yield _opening(title, style, script, compared)
    yield head(readings, facts)
    yield _pictures(readings, levels, compared)
    yield _section("Where the models differ most" if compared else "Hardest sentences",
                   hardest(rows, bits, compared))
    yield _section("Unknown words", unknown_words(rows, unknown))
    yield _legend(readings, compared)
    yield '<main id=text lang="">\n'  # of a language that is not known
    yield from running_text(rows, tints.letters(levels), unknown)
    yield '</main>\n<div id=card hidden></div><div id=said role="status"></div>\n'
    yield f'<script type="application/json" id=data>{as_data(page_data(readings))}</script>\n'
    yield f"<script>{script}</script>\n</body>\n</html>\n"


def _opening(title, style, script, compared):
    return (f'<!doctype html>\n<html lang=en>\n<head>\n<meta charset="utf-8">\n{GENERATOR}\n'
            f'<meta http-equiv="Content-Security-Policy" content="{policy(style, script)}">\n'
            '<meta name="viewport" content="width=device-width,initial-scale=1">\n'
            '<meta name="color-scheme" content="light dark">\n'
            f"<title>{escaped(title)}</title>\n<style>{style}</style>\n</head>\n"
            f'<body{" class=compared" if compared else ""}>\n<header>\n<a class=skip href="#text">To the text</a>\n'
            f"<h1>{escaped(title)}</h1>\n")


def _pictures(readings, levels, compared):
    return ("</header>\n<div class=pictures>\n"
            f"<figure><figcaption>{'Difference' if compared else 'Surprisal'}: words by bits</figcaption>"
            f"{histogram(levels, compared)}</figure>\n"
            f"<figure><figcaption>Perplexity: {line_names(readings)}</figcaption>"
            f"{perplexity_line(readings)}</figure>\n</div>\n")


def _section(title, content):
    return f"<details open><summary>{title}</summary>\n{content}\n</details>\n"


def _legend(readings, compared):
    """The tints with their bits; it stays in sight above the text."""
    swatches = "".join(f"<span class={letter}>{label}</span>"
                       for letter, label in zip(tints.LETTERS, tints.labels(compared), strict=True))
    what = (f"Bits, first minus second: left, {escaped(readings[0].name)} expects the word better; right, "
            f"{escaped(readings[1].name)}" if compared else "Surprisal in bits")
    missing = "" if all(reading.scored.all() for reading in readings) else " <em>In italics</em>: no probability."
    return (f"<p class=help>{HELP}</p>\n"
            f"<div class=legend><p>{what}. <span class=unknown>Underlined</span>: unknown words.{missing}</p>"
            f"<div class=scale>{swatches}</div></div>\n")


def _file(name):
    return (files("rnnlm.reports.surprisal_page") / name).read_text(encoding="utf-8").replace("\r\n", "\n")
