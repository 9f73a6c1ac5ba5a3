import sys

import pytest

from rnnlm.plotting import perplexity_figure, plot_perplexity

RECORDS = [{"epoch": e, "train_perplexity": t, "valid_perplexity": v, "lr": lr}
           for e, t, v, lr in [(1, 90.0, 80.0, 1.0), (2, 50.0, 60.0, 1.0), (3, 40.0, 61.0, 1.0), (4, None, None, 0.5)]]


def lines(figure):
    return {line.get_label(): line for line in figure.axes[0].get_lines()}


def test_both_curves_the_best_epoch_the_rate_and_the_optimum_are_drawn():
    drawn = lines(perplexity_figure(RECORDS, "a title", best_possible=33.25))
    assert list(drawn["training"].get_ydata()[:3]) == [90, 50, 40]
    assert list(drawn["validation"].get_ydata()[:3]) == [80, 60, 61]
    star = drawn["best: 60 after epoch 2"]
    assert (list(star.get_xdata()), list(star.get_ydata())) == ([2], [60])
    assert set(drawn["best possible: 33.25"].get_ydata()) == {33.25}
    assert set(drawn["learning rate changed"].get_xdata()) == {3.5}


def test_what_is_not_known_is_not_drawn():
    drawn = lines(perplexity_figure(RECORDS[:2], "a title"))
    assert not any("possible" in label or "rate" in label for label in drawn)


def test_the_picture_says_what_it_is_of():
    axes = perplexity_figure(RECORDS, "ptb, tanh RNN").axes[0]
    assert (axes.get_title(), axes.get_xlabel(), axes.get_ylabel()) == ("ptb, tanh RNN", "epoch", "perplexity")
    assert axes.get_legend() is not None


@pytest.mark.parametrize("title", ["d$x_{$", "b\udcff", "\u65e5\u672c"])
def test_a_corpus_may_be_called_anything(tmp_path, title):
    plot_perplexity(tmp_path / "p.png", RECORDS, title)
    assert (tmp_path / "p.png").exists()


@pytest.mark.parametrize("records", [RECORDS, RECORDS[:1], RECORDS[3:]])
def test_a_png_is_written_without_pyplot(tmp_path, records):
    sys.modules.pop("matplotlib.pyplot", None)
    plot_perplexity(tmp_path / "p.png", records, "t", 30)
    assert (tmp_path / "p.png").read_bytes().startswith(b"\x89PNG")
    assert "matplotlib.pyplot" not in sys.modules
