"""Learning curves as a picture."""

import numpy as np
import pytest

from rnnlm.reports.learning_chart import (
    LONGEST_LABEL,
    MOST_LINES,
    learning_curves_figure,
    plot_learning_curves,
    short,
)
from rnnlm.reports.pairs_chart import accuracy_curves

AXES = {"tokens": "training text read (words)", "value": "surprisal (bits)"}


def drawn(curves, **more):
    figure = learning_curves_figure(curves, "a $title\n\ud800", **AXES | more)
    return figure, figure.axes[0]


def test_each_curve_goes_through_its_points():
    curves = {"a.txt": [(1000, 9.5), (2_000_000, 7.25)], "b.txt": [(1000, None), (2_000_000, float("nan"))]}
    figure, axes = drawn(curves)
    a, b = axes.get_lines()
    assert (a.get_xdata().tolist(), a.get_ydata().tolist()) == ([1000, 2_000_000], [9.5, 7.25])
    assert np.isnan(b.get_ydata()).all()
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["a.txt: 7.250", "b.txt"]
    assert (axes.get_xscale(), axes.get_yscale()) == ("log", "linear")
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("training text read (words)", "surprisal (bits)")
    assert axes.get_title() == r"a $title\n?"
    labels = [label.get_text() for label in axes.get_xticklabels()]
    assert {"1k", "10k", "1M"} <= set(labels)


def test_a_name_may_begin_with_an_underscore():
    figure, _ = drawn({"_a.txt": [(1000, 9.5)]})
    assert [text.get_text() for text in figure.legends[0].get_texts()] == [" _a.txt: 9.500"]


@pytest.mark.parametrize(("number", "text"), [(1, "1"), (500, "500"), (1000, "1k"), (20_000, "20k"), (1.5e6, "1.5M"),
                                              (10**8, "100M"), (2 * 10**9, "2G")])
def test_numbers_of_tokens_are_short(number, text):
    assert short(number) == text


def test_accuracies_have_chance_and_their_mean_in_black():
    figure, axes = drawn({"mean": [(10, 0.5)], "x": [(10, 0.25)]}, chance=0.5)
    mean, x, chance = axes.get_lines()
    assert (mean.get_color(), x.get_color()) == ("black", "C0")
    assert set(chance.get_ydata()) == {0.5}
    assert axes.get_ylim() == (0, 1.02)
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["mean: 0.500", "x: 0.250", "chance"]


@pytest.mark.parametrize("chance", [None, 0.5])
def test_no_more_lines_than_can_be_told_apart(chance):
    _, axes = drawn({f"u{i}": [(10, 0.1)] for i in range(MOST_LINES + 3)}, chance=chance)
    lines = axes.get_lines()[:MOST_LINES]
    assert len(axes.get_lines()) == MOST_LINES + (chance is not None)
    assert len({(line.get_color(), line.get_linestyle()) for line in lines}) == MOST_LINES
    assert axes.get_ylabel() == "surprisal (bits) (3 lines left out)"


def test_a_long_or_strange_name_is_cut_and_escaped():
    figure, _ = drawn({"$x\n" + 99 * "y": [(10, 0.1)]})
    (text,) = figure.legends[0].get_texts()
    assert text.get_text() == r"$x\n" + (LONGEST_LABEL - 4) * "y" + "...: 0.100"
    figure, _ = drawn({99 * "y" + "/test.txt": [(10, 0.1)]})
    (text,) = figure.legends[0].get_texts()
    assert text.get_text() == "..." + (LONGEST_LABEL - 9) * "y" + "/test.txt: 0.100"


def test_it_is_a_png_file(tmp_path):
    plot_learning_curves(tmp_path / "c.png", {"a": [(10, 1.0)]}, "t", **AXES)
    assert (tmp_path / "c.png").read_bytes().startswith(b"\x89PNG")


def numbers(accuracy, uids=(), phenomena=()):
    groups = {"by_uid": dict(uids), "by_phenomenon": dict(phenomena)}
    return {"accuracy": accuracy} | {by: {name: {"accuracy": value} for name, value in group.items()}
                                     for by, group in groups.items()}


def test_curves_of_pairs_are_the_mean_and_the_phenomena_the_highest_first():
    found = [(10, numbers(0.5, {"u": 0.5}, {"low": 0.75, "high": 0.25})),
             (20, numbers(0.6, {"u": 0.6}, {"low": 0.125, "high": 1.0}))]
    curves = accuracy_curves(found)
    assert list(curves.items()) == [("mean", [(10, 0.5), (20, 0.6)]), ("high", [(10, 0.25), (20, 1.0)]),
                                    ("low", [(10, 0.75), (20, 0.125)])]
    assert list(accuracy_curves([(10, numbers(0.5, {"u": 0.4, "mean": 0.6}))])) == ["mean", "mean of mean", "u"]
    assert list(accuracy_curves([(10, numbers(0.5, {"u": 0.5}))])) == ["mean"]
    assert list(accuracy_curves([(10, numbers(0.5, {"u": 0.5}, {"p": 0.5}))])) == ["mean"]
