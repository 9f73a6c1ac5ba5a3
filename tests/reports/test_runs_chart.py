import math

import pytest

from rnnlm.reports.runs_chart import AXES, plot_runs, runs_figure

CURVES = {"one": [(1, 90.0), (2, 60.0), (3, 61.0)], "_other": [(1, math.nan), (2, 70.0), (3, 55.0)]}


def drawn(figure):
    """The curves by their labels, and the stars, lists of points."""
    lines = figure.axes[0].get_lines()
    return ({line.get_label(): line.get_xydata().tolist() for line in lines if line.get_marker() == "o"},
            [tuple(line.get_xydata()[0]) for line in lines if line.get_marker() == "*"])


def test_each_run_is_a_curve_with_its_lowest_value_in_the_legend():
    figure = runs_figure(CURVES, "ptb: words", x="epochs", value="perplexity of the validation text")
    curves, stars = drawn(figure)
    assert list(curves) == ["one: 60", " _other: 55"]  # a label that begins with _ would be left out
    assert curves["one: 60"] == [[1, 90], [2, 60], [3, 61]]
    assert stars == [(2, 60), (3, 55)]
    axes = figure.axes[0]
    assert (axes.get_title(), axes.get_ylabel()) == ("ptb: words", "perplexity of the validation text")
    assert (axes.get_xlabel(), axes.get_xscale(), axes.get_yscale()) == ("epochs of training", "linear", "log")
    assert [text.get_text() for text in figure.legends[0].get_texts()] == list(curves)
    colors = [line.get_color() for line in axes.get_lines()]
    assert colors[0] == colors[1] != colors[2] == colors[3]


@pytest.mark.parametrize(("x", "points", "label"), [
    ("tokens", [(500, 2.0), (2_000_000, 1.5)], "100k"), ("minutes", [(0.5, 2.0), (50, 1.5)], "10")])
def test_tokens_and_minutes_are_drawn_in_logarithms_with_plain_labels(x, points, label):
    axes = runs_figure({"a": points}, "t", x=x, value="bits").axes[0]
    assert (axes.get_xscale(), axes.get_xlabel()) == ("log", AXES[x][0])
    assert label in [text.get_text() for text in axes.get_xticklabels()]


@pytest.mark.parametrize("points", [[(1, 0.0)], [(1, math.nan)], [(1, 1e300), (2, 5.0)], [(1, math.inf)]])
def test_what_cannot_be_drawn_is_a_gap(tmp_path, points):
    """Warnings are errors here."""
    plot_runs(tmp_path / "p.png", {"a": points}, "t", x="minutes", value="bits")
    assert (tmp_path / "p.png").read_bytes().startswith(b"\x89PNG")


def test_more_runs_than_can_be_told_apart_are_counted():
    figure = runs_figure({f"run-{i}": [(1, i + 2.0)] for i in range(23)}, "t", x="epochs", value="bits")
    assert len(drawn(figure)[0]) == 20
    assert figure.axes[0].get_ylabel() == "bits (3 runs left out)"


def test_the_legend_shows_the_style_of_a_line_beside_its_point():
    """A dash and a gap are 5.3 times as long as the line is wide."""
    figure = runs_figure({f"run {i}": [(1, 2.0 + i)] for i in range(11)}, "t", x="epochs", value="bits")
    handle = figure.legends[0].get_lines()[10]
    assert handle.get_linestyle() == "--"
    length = max(handle.get_xdata()) - min(handle.get_xdata())  # points
    assert (length - handle.get_markersize()) / 2 > 5.3 * handle.get_linewidth()


def test_names_and_titles_may_be_anything(tmp_path):
    plot_runs(tmp_path / "p.png", {"d$x_{$\udcff\n": [(1, 2.0)], "x" * 500: [(1, 3.0)]}, "a$\nb\udcff", x="epochs",
              value="bits")
    assert (tmp_path / "p.png").exists()


@pytest.mark.parametrize(("lowest", "scale"), [(0.02, "log"), (0.005, "linear"), (0.0, "linear")])
def test_next_to_nothing_is_drawn_in_a_linear_scale(lowest, scale):
    """Below a hundredth of a bit a logarithm shows noise."""
    figure = runs_figure({"a": [(1, 1.0), (2, lowest)]}, "t", x="epochs", value="bits")
    assert figure.axes[0].get_yscale() == scale
