import sys

import numpy as np
import pytest

from rnnlm.reports.curves import (
    confusion_figure,
    learning_figure,
    perplexity_figure,
    plot_perplexity,
)

RECORDS = [{"epoch": e, "train_perplexity": t, "valid_perplexity": v, "lr": lr}
           for e, t, v, lr in [(1, 90.0, 80.0, 1.0), (2, 50.0, 60.0, 1.0), (3, 40.0, 61.0, 1.0), (4, None, None, 0.5)]]
TRAINING, VALIDATION = "training text, during the epoch", "validation text, after the epoch"


def lines(figure):
    return {line.get_label(): line for line in figure.axes[0].get_lines()}


def test_both_curves_the_best_epoch_the_rate_and_the_optimum_are_drawn():
    drawn = lines(perplexity_figure(RECORDS, "a title", best_possible=33.25))
    assert list(drawn[TRAINING].get_ydata()[:3]) == [90, 50, 40]
    assert list(drawn[VALIDATION].get_ydata()[:3]) == [80, 60, 61]
    star = drawn["best on the validation text: 60, epoch 2"]
    assert (list(star.get_xdata()), list(star.get_ydata())) == ([2], [60])
    assert set(drawn["best possible on the validation text: 33.25"].get_ydata()) == {33.25}
    assert set(drawn["learning rate changed"].get_xdata()) == {3.5}


def test_a_model_that_is_trained_further_is_drawn_at_epoch_0():
    figure = perplexity_figure(RECORDS, "a title", before=55.0)
    drawn = lines(figure)
    assert (list(drawn[VALIDATION].get_xdata()[:2]), list(drawn[VALIDATION].get_ydata()[:2])) == ([0, 1], [55, 80])
    assert list(drawn[TRAINING].get_xdata()) == [1, 2, 3, 4]
    assert "best on the validation text: 60, epoch 2" in drawn  # the model that is kept
    assert figure.axes[0].get_xlabel() == "epoch (0: before training)"
    assert figure.axes[0].get_xlim() == (-0.5, 4.5)
    of_characters = lines(perplexity_figure(RECORDS, "a title", level="char", before=64.0))
    assert of_characters[VALIDATION].get_ydata()[0] == 6
    too_large = lines(perplexity_figure(RECORDS, "a title", before=1e31))
    assert list(too_large[VALIDATION].get_xdata()) == [1, 2, 3, 4]


def test_what_is_not_known_is_not_drawn():
    drawn = lines(perplexity_figure(RECORDS[:2], "a title"))
    assert not any("possible" in label or "rate" in label for label in drawn)


@pytest.mark.parametrize("best_possible", [None, 1e12, 1.7e308])
@pytest.mark.parametrize("values", [[1e290], [5.0, 1e300], [1e308, 1e299, 1e308], [None]])
def test_what_is_too_large_for_ticks_is_a_gap(tmp_path, values, best_possible):
    """matplotlib's ticks overflow near the largest number; warnings are errors here."""
    records = [{"epoch": e, "train_perplexity": value, "valid_perplexity": value, "lr": 1.0}
               for e, value in enumerate(values, 1)]
    plot_perplexity(tmp_path / "picture.png", records, "t", best_possible)
    drawn = lines(perplexity_figure(records, "t", best_possible))[VALIDATION].get_ydata()
    np.testing.assert_array_equal(drawn, [5.0 if value == 5 else np.nan for value in values])


def test_the_picture_says_what_it_is_of():
    axes = perplexity_figure(RECORDS, "ptb, tanh RNN").axes[0]
    assert (axes.get_title(), axes.get_xlabel(), axes.get_ylabel()) == ("ptb, tanh RNN", "epoch", "perplexity")
    assert axes.get_legend() is not None


def test_characters_are_drawn_in_bits():
    figure = perplexity_figure(RECORDS, "char", best_possible=32, level="char")
    drawn = lines(figure)
    np.testing.assert_allclose(drawn[TRAINING].get_ydata(), [np.log2(90), np.log2(50), np.log2(40), np.nan])
    star = drawn["best on the validation text: 5.907, epoch 2"]
    np.testing.assert_allclose(star.get_ydata(), [5.9069], rtol=1e-4)  # 2^5.9069 = 60
    assert set(drawn["best possible on the validation text: 5"].get_ydata()) == {5}
    axes = figure.axes[0]
    assert (axes.get_ylabel(), axes.get_yscale()) == ("bits per character", "log")
    assert labels(axes) == ["5", "5.2", "5.4", "5.6", "5.8", "6", "6.2", "6.4"]


def test_bits_of_characters_have_plain_labels_after_a_long_fall():
    records = [{"epoch": e, "train_perplexity": 2 ** (1.3 + 4 / e), "valid_perplexity": 2 ** (1.4 + 3 / e), "lr": 1}
               for e in range(1, 25)]
    assert labels(perplexity_figure(records, "t", level="char").axes[0]) == ["1.5", "2", "2.5", "3", "4", "5"]


def test_a_text_without_surprises_has_no_bits_and_is_drawn():
    records = [{"epoch": 1, "train_perplexity": 1.0, "valid_perplexity": 1.0, "lr": 1.0}]
    axes = perplexity_figure(records, "t", level="char", test=1.0).axes[0]
    assert axes.get_yscale() == "linear"
    assert [list(line.get_ydata()) for line in axes.get_lines()] == [[0]] * 4


def test_the_test_score_is_drawn_where_the_model_was_kept():
    drawn = lines(perplexity_figure(RECORDS, "t", test=58.25))
    point = drawn["this model on the test text: 58.25"]
    assert (list(point.get_xdata()), list(point.get_ydata())) == ([2], [58.25])
    bits = lines(perplexity_figure(RECORDS, "t", level="char", test=64.0))
    assert list(bits["this model on the test text: 6"].get_ydata()) == [6]
    for unknown in (None, 1e31):
        assert not any("test" in label for label in lines(perplexity_figure(RECORDS, "t", test=unknown)))


def labels(axes):
    """The labels of the perplexity axis that are within the picture."""
    low, high = axes.get_ylim()
    return [label.get_text() for label in axes.get_yticklabels() if low <= label.get_position()[1] <= high]


@pytest.mark.parametrize(("first", "last", "expected"), [
    (900, 130, ["150", "200", "300", "500", "700"]), (110, 102, ["102", "104", "106", "108", "110"]),
    (5.2, 2.9, ["3", "4", "5"]), (9e4, 1.5, ["10", "100", "1000", "10000", "100000"]),
    (2.5, 2.5, ["1.5", "2", "3", "5"]), (None, None, ["1", "10"])])
def test_a_perplexity_axis_has_several_plain_labels_whatever_its_range(first, last, expected):
    records = [RECORDS[0] | {"epoch": i, "train_perplexity": value, "valid_perplexity": value}
               for i, value in enumerate((first, last), 1)]
    shown = labels(perplexity_figure(records, "a title").axes[0])
    assert set(expected) <= set(shown)
    assert 5 <= len(shown) <= 12


def test_epochs_are_whole_numbers_even_where_there_is_one():
    axes = perplexity_figure(RECORDS[:1], "a title").axes[0]
    assert [tick for tick in axes.get_xticks() if 0.5 <= tick <= 1.5] == [1]


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


def test_a_rate_that_changes_at_every_epoch_is_not_marked():
    drawn = lines(perplexity_figure([record | {"lr": 1 / record["epoch"]} for record in RECORDS], "a title"))
    assert not any("rate" in label for label in drawn)


def test_the_curves_of_a_classifier():
    drawn = lines(learning_figure({"training": [2.0, 1.0, 0.5], "validation": [2.0, 1.5, 1.25]}, "digits"))
    assert list(drawn["training: 0.5 at the end"].get_ydata()) == [2, 1, 0.5]
    assert list(drawn["validation: 1.25 at the end"].get_xdata()) == [1, 2, 3]


def test_a_confusion_matrix_shows_every_count_but_zeros():
    axes = confusion_figure(np.array([[5, 1], [0, 7]]), ["a", "b"], "right").axes[0]
    assert {(text.get_position(), text.get_text()) for text in axes.texts} == {
        ((0, 0), "5"), ((1, 0), "1"), ((1, 1), "7")}
    assert [label.get_text() for label in axes.get_yticklabels()] == ["a", "b"]
    assert (axes.get_ylabel(), axes.get_xlabel()) == ("true", "predicted")
