"""The picture of several seeds: their curves, the mean, the band."""

import math
from types import SimpleNamespace

import numpy as np
import pytest

from rnnlm.reports.seeds_chart import MOST_NAMED, plot_seeds, seeds_figure


def run_of(seed, perplexities, best):
    return SimpleNamespace(seed=seed, best_epoch=best, valid_losses=[math.log(value) if value < math.inf else math.inf
                                                                     for value in perplexities])


def drawn(runs, **options):
    axes = seeds_figure(runs, "a $title\n\ud800", **options).axes[0]
    return axes, [text.get_text() for text in axes.get_legend().get_texts()]


def test_each_curve_the_mean_and_one_deviation_to_either_side():
    axes, labels = drawn([run_of(1, [100, 50], 2), run_of(2, [104, 54, 52], 3), run_of(7, [108, 58, 59], 2)])
    *curves, mean = axes.get_lines()
    np.testing.assert_allclose(curves[1].get_ydata(), [104, 54, 52])
    assert [line.get_xdata().tolist() for line in curves] == [[1, 2], [1, 2, 3], [1, 2, 3]]
    np.testing.assert_allclose(mean.get_ydata(), [104, 54])  # the epochs that all have
    corners = axes.collections[0].get_paths()[0].vertices
    assert (corners[:, 1].min(), corners[:, 1].max()) == (pytest.approx(50), pytest.approx(108))  # 4 is the deviation
    assert labels == ["seed 1: 50", "seed 2: 52", "seed 7: 58", "mean ± standard deviation (n - 1)", "mean of 3 seeds"]
    assert (axes.get_yscale(), axes.get_ylabel()) == ("log", "perplexity of the validation text")
    assert axes.get_title() == "a $title\n?"


def test_characters_have_bits():
    axes, labels = drawn([run_of(1, [8, 4], 2), run_of(2, [8, 2], 2)], in_bits=True)
    np.testing.assert_allclose(axes.get_lines()[0].get_ydata(), [3, 2])
    assert labels[:2] == ["seed 1: 2", "seed 2: 1"]
    assert axes.get_ylabel() == "bits per character of the validation text"


def test_one_seed_has_no_band():
    axes, labels = drawn([run_of(3, [9, 8], 2)])
    assert labels == ["seed 3: 8"]
    assert not axes.collections


def test_a_curve_may_have_gaps_and_no_surprises(tmp_path):
    drawn([run_of(1, [math.inf, 50], 2), run_of(2, [1e40, 54], 2)])
    axes, _ = drawn([run_of(1, [1.0], 1), run_of(2, [1.0], 1)], in_bits=True)
    assert axes.get_yscale() == "linear"
    plot_seeds(tmp_path / "x.png", [run_of(1, [math.inf, 50], 2), run_of(2, [1e9, 54], 2)], "title")
    assert (tmp_path / "x.png").read_bytes().startswith(b"\x89PNG")


def test_many_seeds_are_not_all_named():
    axes, labels = drawn([run_of(seed, [9], 1) for seed in range(MOST_NAMED + 3)])
    assert len(labels) == MOST_NAMED + 2
    assert axes.get_legend().get_title().get_text() == "lowest of each, 3 more not named"
