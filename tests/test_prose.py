"""The prose of the documents: short sentences, one a line; a short README, its map."""

import re

import prose
import pytest
from conftest import REPOSITORY

DOCUMENTS = prose.documents()
README = (REPOSITORY / "README.md").read_text(encoding="utf-8")
FOLDERS = {"scripts", "datasets", "docs", "tests", "benchmarks", "findings"}
each = pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(REPOSITORY)))


@each
def test_a_line_holds_one_sentence(path):
    assert prose.crowded(path.read_text(encoding="utf-8")) == []


@each
def test_no_line_of_prose_is_longer_than_250_characters(path):
    lines = [line for paragraph in prose.paragraphs(path.read_text(encoding="utf-8")) for line in paragraph]
    assert [(number, line) for number, line in lines if len(line) > 250] == []


def test_sentences_are_short():
    """Under 2 % over 30 words in all; median 12 words is the aim, 13 are allowed."""
    sentences, median, long = prose.measure("\n\n".join(path.read_text(encoding="utf-8") for path in DOCUMENTS))
    assert sentences > 1000
    assert long / sentences < 0.02
    assert median <= 13


def test_the_readme_has_at_most_700_words_before_its_map():
    assert 300 < len(README[: README.index("| where | what |")].split()) <= 700


def test_the_map_names_every_wing_and_nothing_that_is_not_there():
    (table,) = re.findall(r"\| where \| what \|\n.*?\n\n", README, re.S)
    rows = [row.split("|")[1] for row in table.strip().splitlines()[2:]]
    named = [name for row in rows for name in re.findall(r"`([^`]+)/`", row)]
    wings = {f"rnnlm/{path.name}" for path in (REPOSITORY / "rnnlm").iterdir()
             if any(path.glob("*.py")) or any(path.glob("*.toml"))}
    assert sorted(named) == sorted(wings | FOLDERS)
    for name in re.findall(r"`([\w/]+/)`", table):
        assert (REPOSITORY / name).is_dir() or (REPOSITORY / "rnnlm" / name).is_dir(), name


def test_the_measure_counts_as_a_reader_does():
    text = ("# Title. Not prose\n\nOne two `a b` three. Four five.\n\n    code. Code\n\n| a. B | c |\n\n"
            "- **Lead.** Six (Elman et al., 1990) seven\n  eight. Nine.\n\n```\nfenced. Code\n```\n")
    assert [prose.words(sentence) for sentence in prose.sentences_of(text)] == [4, 2, 7, 1]
    assert [number for number, _ in prose.crowded(text)] == [3, 9, 10]
    assert prose.measure(text) == (4, 3, 0)
