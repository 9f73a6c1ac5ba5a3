"""The page of surprisal: what is in it, and what cannot get out of its place."""

import hashlib
import math
import re
from base64 import b64encode
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from page_reading import Page

from rnnlm.errors import RnnlmError
from rnnlm.reports.surprisal_page import GENERATOR, Reading, surprisal_page
from rnnlm.reports.surprisal_page.markup import visible

HOSTILE = ["</script><b>x", "<!--", "<script>", "]]>", "&amp;", '"onfocus="a', "'", "</style>", "</title>", "\u202egnp",
           "\u2066a\u2069",
           "\x1b[31m", "a\u2028b", "\u200e", "\ufeff", "\ud800", "\x85", "</main>", "`${a}`", "\\u003c"]


def rows_of(lines, bits=None, known=None, top=("the", "cat"), seed=0):
    """Rows of lines of words, as a model's scores have them."""
    words = [(number, word) for number, line in enumerate(lines, 1) for word in [*line, "<eos>"]]
    rng = np.random.default_rng(seed)
    fields = [("sentence", np.int64), ("word", object), ("known", bool), ("surprisal", float), ("entropy", float),
              ("rank", np.int64)]
    rows = np.zeros(len(words), fields + [field for k in range(1, len(top) + 1)
                                          for field in ((f"top{k}", object), (f"p{k}", float))])
    rows["sentence"], rows["word"] = [number for number, _ in words], [word for _, word in words]
    rows["known"] = True if known is None else known
    rows["surprisal"] = rng.uniform(0, 20, len(words)) if bits is None else bits
    rows["entropy"], rows["rank"] = rng.uniform(0, 10, len(words)), rng.integers(1, 70_000, len(words))
    for k, word in enumerate(top, 1):
        rows[f"top{k}"], rows[f"p{k}"] = word, rng.random(len(words)) / 2**k
    return rows


def reading(rows, name="a model"):
    return Reading(name, "ab" * 32, rows, 70_000, "LSTM of 3")


def page_of(*rows, title="a title", names=("a model", "another"), **options):
    readings = [reading(of_model, name) for of_model, name in zip(rows, names, strict=False)]
    return Page("".join(surprisal_page(readings, title, **options)))


def test_each_row_is_a_word_of_the_text_in_order():
    lines = [["the", "cat"], [], ["sat"]]
    page = page_of(rows_of(lines))
    assert [(attrs["id"], attrs["data-number"], attrs["data-row"], words) for attrs, words in page.paragraphs()] == [
        ("s1", "1", "0", ["the", "cat", "↵"]), ("s2", "2", "3", ["↵"]), ("s3", "3", "4", ["sat", "↵"])]


def test_a_word_that_is_spelt_like_a_line_end_is_a_word():
    """A model of characters reads such a word."""
    page = page_of(rows_of([["a", "<eos>"]]))
    assert [text for text, _ in page.words()] == ["a", "<eos>", "↵"]


def test_long_sentences_and_many_empty_ones_are_in_parts_that_a_browser_can_skip():
    page = page_of(rows_of([["w"] * 1000, *[[]] * 1000, ["last"]]))
    first_rows = [int(attrs["data-row"]) for attrs, _ in page.paragraphs()]
    sizes = [len(words) for _, words in page.paragraphs()]
    assert first_rows == np.cumsum([0, *sizes[:-1]]).tolist()
    assert (len(page.words()), max(sizes)) == (2003, 300)
    assert [attrs.get("class") for attrs, _ in page.paragraphs()][:5] == [None, "more", "more", "more", None]
    assert len({attrs["id"] for attrs, _ in page.paragraphs() if "id" in attrs}) == 1002
    assert 2003 / 300 < len(page.all("div", "main")) < 12


@pytest.mark.parametrize("compared", [False, True])
def test_strange_words_stay_text_wherever_they_are(compared):
    words = " ".join(HOSTILE)
    plain, strange = (page_of(
        *[rows_of([list(texts)] * 2, known=False, top=texts[:5], seed=seed) for seed in range(1 + compared)],
        title=" ".join(texts), names=(texts[0], " ".join(texts)), facts={texts[3]: " ".join(texts)})
        for texts in (["harmless"] * len(HOSTILE), HOSTILE))
    assert visible(words) == strange.all("title", "head")[0][1] == strange.all("h1")[0][1]
    assert strange.head()[HOSTILE[3]] == [visible(words)]
    assert [text for text, _ in strange.words()] == [*map(visible, HOSTILE), "↵"] * 2
    assert strange.data()["words"] == ["", *map(visible, HOSTILE[:5])]
    listed = len(HOSTILE) - 1  # more words are in the list of unknown ones, each with three elements
    kinds = {name: [element[0] for element in page.elements] for name, page in (("p", plain), ("s", strange))}
    for tag in set(kinds["p"] + kinds["s"]):
        more = listed if tag in ("li", "a", "bdi") else 0
        assert kinds["s"].count(tag) == kinds["p"].count(tag) + more, tag
    names = {name for _, attrs, *_ in strange.elements for name in attrs}
    assert names == {name for _, attrs, *_ in plain.elements for name in attrs}


@settings(max_examples=20, deadline=None)
@given(st.lists(st.text(), min_size=1, max_size=4))
def test_any_words_come_back_as_they_went_in(words):
    page = page_of(rows_of([words], known=False, top=words), title=words[0], names=words[:1])
    assert [text for text, _ in page.words()] == [*map(visible, words), "↵"]
    assert page.all("title", "head")[0][1] == visible(words[0])
    data = page.data()
    told = [data["words"][i] for i in data["models"][0]["columns"]["expected"][: len(words)]]
    assert told == ["␣" * len(word) if visible(word).isspace() else visible(word) for word in words]


def test_nothing_that_moves_or_hides_what_is_around_it_is_in_a_page():
    page = page_of(rows_of([HOSTILE]), title="".join(HOSTILE), names=["".join(HOSTILE)])
    left = {char for char in page.html if not char.isprintable() and char != "\n"}
    assert left == set()
    for code in [*range(0x20), *range(0x7f, 0xa0), 0xad, 0x61c, 0x200b, 0x200e, 0x200f, *range(0x2028, 0x202f),
                 *range(0x2060, 0x2070), 0xfeff, 0xd800, 0xdfff, 0xe0001, 0xe0041]:
        shown = visible(f"a{chr(code)}b")
        assert shown.isascii() and shown.startswith("a\\") and f"{code:x}"[-2:] in shown + "tnr0a09d", hex(code)


def test_joiners_and_letters_of_all_scripts_are_shown_as_they_are():
    for text in ("שלום", "क्\u200dष", "👩\u200d🚀", "e\u0301", "日本語", "\u00a0", "naïve"):
        assert visible(text) == text


def test_the_policy_allows_the_style_and_the_script_of_the_page_and_nothing_else():
    page = page_of(rows_of([HOSTILE]))
    (policy,) = (attrs["content"] for attrs, _ in page.all("meta") if attrs.get("http-equiv"))
    ((_, style),) = page.all("style")
    (script,) = (text for attrs, text in page.all("script") if "type" not in attrs)
    digests = ["sha256-" + b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in (style, script)]
    assert policy.split("; ") == ["default-src 'none'", f"style-src '{digests[0]}'", f"script-src '{digests[1]}'",
                                  "base-uri 'none'", "form-action 'none'"]
    order = [attrs.get("http-equiv") or tag for tag, attrs, *_ in page.elements]
    assert order.index("Content-Security-Policy") < min(order.index("style"), order.index("script"))


@pytest.mark.parametrize("compared", [False, True])
def test_no_address_is_in_a_page_but_places_of_its_own(compared):
    rows = rows_of([["a", "b"]] * 3, known=[False, True, True] * 3)
    page = page_of(*[rows] * (1 + compared))
    assert not re.search(r"https?:|ftp:|url\(|@import|import\(|fetch\(|XMLHttp|WebSocket|eval\(|innerHTML", page.html)
    names = {attr for _, attrs, *_ in page.elements for attr in attrs}
    assert not names & {"src", "srcset", "action", "style", "data", "poster", "background", "ping", "xlink:href"}
    assert not [name for name in names if name.startswith("on")]
    targets = {attrs["href"] for attrs, _ in page.all("a")}
    assert targets == {"#text", "#s1", "#s2", "#s3"}
    assert targets <= {f"#{attrs['id']}" for _, attrs, *_ in page.elements if "id" in attrs}


@pytest.mark.parametrize("top", [("the", "cat", "<unk>", "sat", "<eos>"), (), ("the", None), (" ", "e")])
def test_the_script_reads_the_numbers_of_the_rows(top):
    rows = rows_of([["w"] * 300, ["x"]], top=top)
    rows["surprisal"][:3], rows["entropy"][0], rows["rank"][1] = (np.nan, 300, np.inf), np.nan, -1
    for k in range(1, len(top) + 1):
        rows[f"p{k}"][:3] = 0, np.nan, 1
    (model,) = page_of(rows).data()["models"]
    columns = model["columns"]
    np.testing.assert_array_equal(columns["surprisal"], rows["surprisal"].astype(np.float32))
    np.testing.assert_array_equal(columns["known"], rows["known"])
    np.testing.assert_array_equal(columns["rank"], np.maximum(rows["rank"], 0))
    assert columns["entropy"][0] == 0xffff
    np.testing.assert_allclose(columns["entropy"][1:] / 1024, rows["entropy"][1:], atol=1 / 2048)
    assert (model["count"], model["size"], model["name"]) == (len(top), 70_000, "a model")
    chances = columns["chances"].reshape(len(rows), len(top))
    assert (chances[:2] == 0xffff).all() and (chances[2] == 0).all()
    for k in range(1, len(top) + 1):
        np.testing.assert_allclose(0.5 ** (chances[3:, k - 1] / 1024.0), rows[f"p{k}"][3:], rtol=4e-4)
    words = page_of(rows).data()["words"]
    assert [[words[i] for i in row] for row in columns["expected"].reshape(len(rows), len(top))] == [
        [{None: "", " ": "␣"}.get(word, word) for word in top]] * len(rows)


def test_words_are_tinted_by_their_bits_and_unknown_ones_are_marked():
    bits = [0, 0.99, 1, 5.5, 15.99, 16, 1000, np.inf, np.nan, 3]
    page = page_of(rows_of([list("abcdefghi")], bits, known=[True] * 3 + [False] + [True] * 6))
    assert [kind for _, kind in page.words()] == ["a", "a", "b", "f unknown", "p", "q", "q", "q", "z", "d end"]


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


def test_the_head_counts_and_the_perplexity_is_that_of_the_scored_words():
    rows = rows_of([["a", "b"], ["c"]], [1, np.nan, 2, 3, 4], [True, False, True, True, True])
    head = page_of(rows, facts={"Protocol": "stream"}).head()
    assert head["Length"] == ["2 sentences, 3 words"]
    assert (head["Model"], head["SHA-256"], head["Kind"]) == (["a model"], ["ab" * 32], ["LSTM of 3"])
    assert head["Unknown words"] == ["1 (33.3%)"]
    assert head["Perplexity"] == ["5.6569"]  # 2 ** 2.5
    assert head["Mean surprisal"] == ["2.5000 bits, without 1 row that had no probability"]
    assert head["Protocol"] == ["stream"]


def test_the_head_of_two_models_has_the_mean_difference():
    first, other = (rows_of([["a", "b", "c"]], bits) for bits in ([1, 2, np.nan, 3], [2, 4, 5, 6]))
    head = page_of(first, other).head()
    assert head["Perplexity"] == ["4", f"{2 ** 4.25:.5g}"]
    assert head["Mean difference"] == ["-2.0000 bits (first less second), without 1 row that had no probability: a "
                                       "model expects the text better"]


def test_the_hardest_sentences_are_those_with_the_highest_mean_and_are_linked():
    lines = [["a"] * 4, ["rare"], ["b"] * 4, ["c"] * 4]
    bits = [1] * 5 + [30, 30] + [4, 4, 4, 4, 6] + [2] * 5  # a word and its line end alone are too short
    page = page_of(rows_of(lines, bits))
    assert [attrs["href"] for attrs, text in page.all("a", "ol")] == ["#s3", "#s4", "#s1"]
    assert [text for _, text in page.all("b", "ol")] == ["4.40", "2.00", "1.00"]
    assert [text for _, text in page.all("bdi", "ol")] == ["b b b b", "c c c c", "a a a a"]


def test_sentences_that_differ_most_in_either_direction_come_first():
    lines = [list("abcd"), list("efgh"), list("ijkl")]
    first, other = rows_of(lines, [5.0] * 15), rows_of(lines, [4.0] * 5 + [8.0] * 5 + [5.0] * 5)
    page = page_of(first, other)
    assert [attrs["href"] for attrs, _ in page.all("a", "ol")] == ["#s2", "#s1", "#s3"]
    assert [text for _, text in page.all("b", "ol")] == ["-3.00", "+1.00", "+0.00"]


def test_unknown_words_are_listed_by_number_with_their_first_place():
    lines = [["a", "x"], ["y", "y"], ["x", "y", "a"]]
    known = [True, False, True, False, False, True, False, False, True, True]
    page = page_of(rows_of(lines, known=known))
    assert [attrs["href"] for attrs, _ in page.all("a", "ul")] == ["#s2", "#s1"]
    assert [text for _, text in page.all("bdi", "ul")] == ["y", "x"]
    assert [text.strip() for _, text in page.all("li", "ul")] == ["3", "2"]


def test_a_text_without_unknown_words_says_so_and_many_are_cut():
    assert ("", "None.") in [(attrs.get("class", ""), text) for attrs, text in page_of(rows_of([["a"]])).all("p")]
    page = page_of(rows_of([[f"w{i}" for i in range(302)]], known=False))
    assert page.all("li", "ul")[-1][1] == "and 3 more"  # <eos> is one of them here


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


@pytest.mark.parametrize("bits", [0.0, np.nan, np.inf, 1e-12, 60.0, 5000.0])
def test_a_page_of_one_word_is_a_page_whatever_its_number(bits):
    for rows in (rows_of([[]], bits), rows_of([["a"]], [bits, bits])):
        for page in (page_of(rows), page_of(rows, rows)):
            assert [text for text, _ in page.words()][-1] == "↵"
            assert "nan" not in " ".join(attrs["points"] for attrs, _ in page.all("polyline"))


def test_what_is_no_text_for_a_page_is_refused_in_a_line(monkeypatch):
    monkeypatch.setattr("rnnlm.reports.surprisal_page.page.MOST_ROWS", 3)
    rows = rows_of([["a", "b"]])
    assert page_of(rows).words()
    for texts, message in (([rows[:0]], "the text has 0: give a text with words"),
                           ([rows_of([["a", "b", "c"]])], "1 to 3 words and line ends, the text has 4: give a part"),
                           ([rows, rows[:2]], "same words, a model has 3 rows and another 2"),
                           ([rows, rows_of([["a", "c"]])], "row 2 of a model and of another differ"),
                           ([rows, rows_of([["a"], []])], "row 2 of a model and of another differ")):
        with pytest.raises(RnnlmError, match=re.escape(message)) as error:
            page_of(*texts)
        assert "\n" not in str(error.value)


def test_a_page_tells_early_that_it_is_one():
    assert GENERATOR in page_of(rows_of([["a"]])).html[:500]


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


def test_bits_of_the_head_agree_with_natural_logarithms():
    rows = rows_of([["a"] * 9], -np.log2(np.full(10, 0.1)))
    assert page_of(rows).head()["Perplexity"] == ["10"]
    assert reading(rows).mean_bits == pytest.approx(math.log(10) / math.log(2))
