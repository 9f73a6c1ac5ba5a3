"""The tints and the two pictures of a page."""

import re
from itertools import product

import numpy as np
import pytest
from page_rows import page_of, rows_of


def test_words_are_tinted_by_their_bits_and_unknown_ones_are_marked():
    bits = [0, 0.99, 1, 5.5, 15.99, 16, 1000, np.inf, np.nan, 3]
    page = page_of(rows_of([list("abcdefghi")], bits, known=[True] * 3 + [False] + [True] * 6))
    assert [kind for _, kind in page.words()] == ["a", "a", "b", "f unknown", "p", "q", "q", "q", "z", "d end"]


def test_the_legend_names_words_without_a_probability_where_there_are_any():
    for bits, named in (([1, 2], []), ([1, np.nan], ["In italics"])):
        assert [text for _, text in page_of(rows_of([["a"]], bits)).all("em")] == named


def test_differences_are_tinted_on_both_sides_of_nothing():
    first = [5, 5, 5, 5, 5.0, 5, 9.0, 50, np.nan, np.inf]
    other = [5, 5.24, 4.7, 5.3, 9.0, 90, 5.0, 5, 4.0, np.inf]
    page = page_of(*(rows_of([list("abcdefghi")], bits) for bits in (first, other)))
    assert [kind.split()[0] for _, kind in page.words()] == ["i", "i", "j", "h", "a", "a", "q", "q", "z", "z"]


def test_the_scale_names_every_level_that_words_can_have():
    for compared, labels in ((False, [*map(str, range(16)), "16+"]),
                             (True, "-4  -3  -2  -1  0  +1  +2  +3  +4".split(" "))):
        page = page_of(*[rows_of([["a"]])] * (1 + compared))
        scale = [(attrs["class"], text) for tag, attrs, text, around in page.elements
                 if tag == "span" and "main" not in around and attrs["class"] != "unknown"]
        assert scale == list(zip("abcdefghijklmnopq", labels, strict=True))


def test_the_bars_are_as_high_as_there_are_words():
    page = page_of(rows_of([list("abcdef")], [0.5, 0.6, 1.5, 1.6, 1.7, 1.8, 20]))
    heights = [float(attrs["height"]) for attrs, _ in page.all("rect")]
    assert len(heights) == 17
    np.testing.assert_allclose(np.array(heights) / max(heights), [0.5, 1, *[0] * 14, 0.25], atol=0.01)
    assert [text for attrs, text in page.all("title", "rect")][:2] == ["0 bits: 2", "1 bits: 4"]


def test_the_line_of_perplexity_is_the_mean_of_all_words_before():
    """Two halves of 2 and 6 bits: the line rises from 4 to 16, the local one to 64."""
    page = page_of(rows_of([["w"] * 999] * 2, [2.0] * 1000 + [6.0] * 1000))
    local, so_far = ([tuple(map(float, point.split(","))) for point in attrs["points"].split()]
                     for attrs, _ in page.all("polyline"))
    low, high = max(y for _, y in local), min(y for _, y in local)  # 2 and 6 bits; y runs downwards
    assert [y for _, y in so_far[:100]] == [low] * 100
    assert so_far[-1][1] == pytest.approx((low + high) / 2, abs=0.1)  # 4 bits
    assert so_far[180 - 1][1] == pytest.approx(low + (high - low) / 3, abs=0.2)  # after 1,500 words: 10 / 3 bits
    assert [y for _, y in local] == [low] * 60 + [high] * 60
    (label,) = (attrs["aria-label"] for attrs, _ in page.all("svg") if "Perplexity" in attrs.get("aria-label", ""))
    assert label.endswith("near the word: 64, so far: 16")


def linear(color):
    """The linear red, green and blue of a colour like #0a0b0c."""
    parts = np.array([int(color[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)


TO_LMS = np.array([[0.4122214708, 0.5363325363, 0.0514459929], [0.2119034982, 0.6806995451, 0.1073969566],
                   [0.0883024619, 0.2817188376, 0.6299787005]])  # Ottosson (2020), OKLab
TO_LAB = np.array([[0.2104542553, 0.7936177850, -0.0040720468], [1.9779984951, -2.4285922050, 0.4505937099],
                   [0.0259040371, 0.7827717662, -0.8086757660]])


def contrast(one, other):
    """WCAG 2: of two linear colours."""
    light, dark = sorted((float(np.dot(c, [0.2126, 0.7152, 0.0722])) + 0.05 for c in (one, other)), reverse=True)
    return light / dark


def test_words_can_be_read_on_every_tint_in_light_and_dark_and_tints_rise_evenly():
    ((_, style),) = page_of(rows_of([["a"]])).all("style")
    light, dark = (dict(re.findall(r"--([\w-]+): (#\w{6})", part)) for part in
                   style.split("@media (prefers-color-scheme: dark)")[:2])
    dark = {name: value for name, value in dark.items() if name in light}
    assert "in oklab, var(--near), var(--far) var(--part)" in style
    shares = [float(share) for share in re.findall(r"^\.\w\{--part:([\d.]+)%\}", style, re.M)]
    assert shares == pytest.approx(np.linspace(0, 100, 17))
    for colors, far in product((light, light | dark), ("other", "first")):
        near, end = (TO_LAB @ np.cbrt(TO_LMS @ linear(colors[name])) for name in ("paper", far))
        assert abs(near[0] - end[0]) > 0.25  # of lightness, which is seen without seeing colours
        for share in shares:
            mixed = near + (end - near) * share / 100
            tint = np.linalg.solve(TO_LMS, np.linalg.solve(TO_LAB, mixed) ** 3)
            assert contrast(tint.clip(0, 1), linear(colors["ink"])) > 4.5
    for colors in (light, light | dark):
        for name in ("ink", "quiet", "link"):
            assert contrast(linear(colors[name]), linear(colors["paper"])) > 4.5
        for name in ("other-line", "first-line"):
            assert contrast(linear(colors[name]), linear(colors["paper"])) > 3
