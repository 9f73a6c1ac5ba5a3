"""Minimal pairs as a table and as a picture."""

import re

import pytest

from rnnlm.reports import published_pairs
from rnnlm.reports.pairs_chart import pairs_figure, plot_pairs
from rnnlm.reports.pairs_table import published_lines, table_lines
from rnnlm.reports.published_pairs import PUBLISHED, Published, published
from rnnlm.text.pairs_files import Pair


def group(accuracy, pairs=100, unknown=0, known=None, prefix=None):
    return {"accuracy": accuracy, "pairs": pairs, "ties": 0, "same_ids": 0, "with_unknown": unknown,
            "pairs_known": pairs - unknown, "accuracy_known": known, "one_prefix": prefix and group(prefix)}


def numbers(**groups):
    return group(0.625, 200, 40, 0.75) | {"by_uid": groups, "by_phenomenon": {}, "by_field": {}}


def test_a_row_for_each_group():
    summary = numbers(a=group(0.5, prefix=0.25), **{"long \x1b\tname": group(None, 0)})
    summary["by_field"] = {"a": group(1.0)}
    cells = [line.split("\t") for line in table_lines(summary)]
    assert cells == [
        ["level", "name", "pairs", "accuracy", "ties", "same_ids", "with_unknown", "pairs_known", "accuracy_known",
         "one_prefix"],
        ["uid", "a", "100", "0.500", "0", "0", "0", "100", "NA", "0.250"],
        ["uid", r"long \x1b\tname", "0", "NA", "0", "0", "0", "0", "NA", "NA"],
        ["field", "a", "100", "1.000", "0", "0", "0", "100", "NA", "NA"],
        ["all", "mean of UIDs", "200", "0.625", "0", "0", "40", "160", "0.750", "NA"]]
    lines = table_lines(summary, aligned=True)
    assert [re.split("  +", line) for line in lines] == cells
    assert len({len(line) for line in lines}) == 1  # columns are below each other
    assert lines[1].index("0.500") == lines[3].index("1.000")


def test_bars_are_the_accuracies_in_falling_order():
    mine = numbers() | {"by_phenomenon": {"low": group(0.25, 50, 10, None), "$high\ud800\n": group(0.75, 1500, 5, 1.0)}}
    axes = pairs_figure(mine, "a $title", [Published("LSTM", 0.698, 83_000_000, "x")]).axes[0]
    labels = [label.get_text() for label in axes.get_yticklabels()]
    assert labels == ["mean (200)", r"$high?\n (1,500)", "low (50)"]
    assert [bar.get_width() for bar in axes.patches] == [0.625, 0.75, 0.25, 0.75, 1.0, 0]
    assert [text.get_text() for text in axes.texts] == ["0.625", "0.750", "0.250", "0.750", "1.000", "no pair"]
    lines = {line.get_label(): line for line in axes.get_lines()}
    assert set(lines["chance"].get_xdata()) == {0.5}
    assert list(lines["LSTM: 0.698"].get_xdata()) == [0.698]


def test_without_unknown_words_and_ties_there_is_one_bar_a_row():
    axes = pairs_figure(group(0.5) | {"by_uid": {"a": group(0.5)}, "by_phenomenon": {}}, "").axes[0]
    assert len(axes.patches) == 2


def test_no_more_bars_than_can_be_read(tmp_path):
    many = numbers(**{f"u{i}": group(i / 100) for i in range(100)})
    axes = pairs_figure(many, "").axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()][:2] == ["mean (200)", "u99 (100)"]
    assert "the lowest 60 rows left out" in axes.get_xlabel()
    plot_pairs(tmp_path / "chart.png", many, "\u4e2d")  # a letter that the font lacks
    assert (tmp_path / "chart.png").read_bytes().startswith(b"\x89PNG")


def test_published_figures_are_only_those_of_the_same_pairs(monkeypatch):
    pairs = [Pair("a", "b", uid) for uid in ("y", "x", "y")]
    assert published(pairs) == ()
    monkeypatch.setattr(published_pairs, "BLIMP_PAIRS", 3)
    assert published(pairs) == ()
    digest = "9ab9de25768ac172235e119b76362ecddad33878fe9a7792cdddbe47236f9a87"  # printf 'x\ny' | sha256sum
    monkeypatch.setattr(published_pairs, "BLIMP", digest)
    assert published(pairs) == PUBLISHED
    assert published(pairs[:2]) == ()


@pytest.mark.parametrize("other", PUBLISHED)
def test_published_figures_name_the_size_of_the_training_text(other):
    line, = [line for line in published_lines(PUBLISHED, 929_589) if f"  {other.model}" in line]
    assert f"{other.accuracy:.3f}" in line
    assert ("tokens of" in line) == ("times this model's" in line) == (other.tokens is not None)


def test_published_figures_say_how_much_larger_their_training_texts_are():
    first, *lines = published_lines(PUBLISHED, 1_000_000)
    assert first.endswith("that of this model has 1,000,000 tokens:")
    assert lines[1] == "# 0.698  LSTM, 83 million tokens of Wikipedia, 83 times this model's"
    assert "8 billion tokens of WebText, estimated, 8,000 times this model's" in lines[3]
    assert "0.0027 times" in published_lines(PUBLISHED, 31_000_000_000)[2]
    first, *lines = published_lines(PUBLISHED, None)
    assert first.endswith("that of this model is not known:")
    assert lines[1] == "# 0.698  LSTM, 83 million tokens of Wikipedia"
    assert published_lines((), 5) == []
