"""The table of what each target can hold."""

from importlib import import_module

import pytest
from conftest import REPOSITORY

from rnnlm.errors import ArgumentError
from rnnlm.exchange.holds import ALL, PARTS, not_held, parts_of, require
from rnnlm.exchange.targets import TARGETS
from rnnlm.models import CELLS
from rnnlm.models.architecture import RNN_ACTIVATIONS, Architecture
from rnnlm.text.split_words import SplitWords
from rnnlm.text.tokenizer import CHARACTERS, WORDS, Tokenizer, Words
from rnnlm.text.vocabulary import Vocabulary

PAGE = (REPOSITORY / "docs/exchange.md").read_text(encoding="utf-8")
WORDS_VOCABULARY = Vocabulary(["<eos>", "a", "b"])


def test_every_cell_and_activation_has_its_row():
    assert {*CELLS, *RNN_ACTIVATIONS} - {"rnn"} <= PARTS.keys()


def test_rows_name_targets_and_targets_name_all_others():
    assert ALL.split() == list(TARGETS)
    for part in PARTS.values():
        assert {*part.held_by.split()} <= TARGETS.keys()
    for name, target in TARGETS.items():
        assert sorted([name, *target.nearest]) == sorted(TARGETS)


@pytest.mark.parametrize(("architecture", "tokenizer", "expected"), [
    (Architecture("rnn", 9, 3, 4, 1), WORDS, ["tanh", "one layer", "words"]),
    (Architecture("rnn", 9, 3, 4, 2, "relu", tied=True), Words(lowercase=True),
     ["relu", "layers", "tied", "projection", "lower-case words"]),
    (Architecture("lstm", 9, 3, 4, 1, softmax="adaptive", cutoffs=(5,)), CHARACTERS,
     ["lstm", "one layer", "adaptive", "characters"]),
    (Architecture("mrnn", 9, 3, 4, 1, "relu"), SplitWords(lowercase=True), ["mrnn", "one layer", "split words"]),
])
def test_parts_of_a_model(architecture, tokenizer, expected):
    assert list(parts_of(architecture, tokenizer)) == expected


def test_the_error_names_all_that_is_lacking_and_the_nearest_target_that_can():
    with pytest.raises(ArgumentError) as error:
        require("torch", Architecture("gru-textbook", 3, 3, 4, 1), WORDS_VOCABULARY)
    assert str(error.value) == "--to torch cannot hold a model with textbook GRU units: --to hf can"
    with pytest.raises(ArgumentError, match=r"with LSTM units and several recurrent layers: --to onnx can$"):
        require("text", Architecture("lstm", 3, 3, 4, 2), WORDS_VOCABULARY)


def test_what_nobody_can_hold_keeps_its_model_file(monkeypatch):
    nobody = Vocabulary(["<eos>", "a"], type("Strange", (Tokenizer,), {"level": "strange", "unit": "glyph"})())
    assert not_held("hf", Architecture("lstm", 2, 3, 4, 1), nobody.tokenizer) == ["glyph"]
    with pytest.raises(ArgumentError, match=r"with glyph: no other target can either, so keep the model file$"):
        require("hf", Architecture("lstm", 2, 3, 4, 1), nobody)


@pytest.mark.parametrize("name", TARGETS)
def test_a_target_has_its_module_and_its_row(name):
    assert callable(import_module(f"rnnlm.exchange.{TARGETS[name].module}").export)
    assert f"`{name}`" in PAGE.split("## What goes where")[0]


def test_the_page_says_what_each_target_holds():
    """The lines that belong there are in the message if they differ."""
    rows = [[part.title, *("yes" if part.is_held_by(name) else "no" for name in TARGETS)] for part in PARTS.values()]
    rows.insert(0, ["a model with", *(f"`{name}`" for name in TARGETS)])
    lines = [f"| {' | '.join(row)} |" for row in rows]
    lines.insert(1, "|---" * len(rows[0]) + "|")
    assert "\n".join(lines) in PAGE
