"""The page of surprisal: what it says of a text."""

import math
import re
from dataclasses import replace

import numpy as np
import pytest
from page_reading import Page
from page_rows import page_of, reading, rows_of

from rnnlm.errors import RnnlmError
from rnnlm.reports.surprisal_page import GENERATOR, surprisal_page


def text_of(page):
    """The text of the paragraphs that are no sentences."""
    return " ".join(text for _, text in page.all("p"))


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


def test_the_head_counts_and_the_perplexity_is_that_of_the_scored_words():
    rows = rows_of([["a", "b"], ["c"]], [1, np.nan, 2, 3, 4], [True, False, True, True, True])
    head = page_of(rows, facts={"Protocol": "stream"}).head()
    assert head["Length"] == ["2 sentences, 3 words"]
    assert (head["Model"], head["SHA-256"], head["Kind"]) == (["a model"], ["ab" * 32], ["LSTM of 3"])
    assert head["Unknown words"] == ["1 (33.3 %)"]
    assert head["Perplexity"] == ["5.6569"]  # 2 ** 2.5
    assert head["Mean surprisal"] == ["2.5000 bits, without 1 row that had no probability"]
    assert head["Protocol"] == ["stream"]


def test_the_head_says_that_a_model_reads_characters_and_has_its_perplexity_by_the_word():
    first, other = (replace(reading(rows_of([["a", "b", "c"]], bits)), unit=unit) for bits, unit in
                    (([1, 2, 2, 3], "word"), ([2, 4, 5, 5], "character")))
    head = Page("".join(surprisal_page([first, other], "t"))).head()
    assert head["Kind"] == ["LSTM of 3", "LSTM of 3, reads characters"]
    assert head["Perplexity"] == ["4", "16 per word"]


def test_the_head_of_two_models_has_the_mean_difference():
    first, other = (rows_of([["a", "b", "c"]], bits) for bits in ([1, 2, np.nan, 3], [2, 4, 5, 6]))
    head = page_of(first, other).head()
    assert head["Perplexity"] == ["4", f"{2 ** 4.25:.5g}"]
    assert head["Mean difference"] == ["-2.0000 bits (first minus second), without 1 row that had no probability: a "
                                       "model expects the text better"]


@pytest.mark.parametrize(("unknown", "lost", "but"), [
    ([0], (), ""), ([0, 1], (), ", but without the spelling of unknown words"),
    ([0], ("blanks", "capitals"), ", but without capitals"),
    ([1], ("capitals", "hyphens"), ", but without the spelling of unknown words, capitals and hyphens")])
def test_the_verdict_names_what_the_better_model_alone_does_not_read(unknown, lost, but):
    """The worse one loses blanks, and does not know the first word."""
    readings = []
    for bits, unknown_words, what in (([1, 2, 3, 4], unknown, lost), ([5, 6, 7, 8], [0], ("blanks",))):
        rows = rows_of([["a", "b", "c"]], bits)
        rows["known"][unknown_words] = False
        readings.append(replace(reading(rows), lost=what))
    told = Page("".join(surprisal_page(readings, "t"))).head()["Mean difference"]
    assert told == [f"-4.0000 bits (first minus second): a model expects the text better{but}"]


def test_the_hardest_sentences_are_those_with_the_highest_mean_and_are_linked():
    lines = [["a"] * 4, ["rare"], ["b"] * 4, ["c"] * 4]
    bits = [1] * 5 + [30, 30] + [4, 4, 4, 4, 6] + [2] * 5  # a word and its line end alone are too short
    page = page_of(rows_of(lines, bits))
    assert [attrs["href"] for attrs, text in page.all("a", "ol")] == ["#s3", "#s4", "#s1"]
    assert [text for _, text in page.all("b", "ol")] == ["4.40", "2.00", "1.00"]
    assert [text for _, text in page.all("bdi", "ol")] == ["b b b b", "c c c c", "a a a a"]
    assert "Mean bits per word. Not listed: 1 sentence with fewer than 5 words that have a probability" in text_of(page)


def test_words_without_a_probability_do_not_count_in_a_hard_sentence_and_the_page_says_so():
    lines, unscored = [["a"] * 4, ["b"] * 4, ["c"] * 4], [np.nan] + [9] * 4
    told = text_of(page_of(rows_of(lines, [1] * 5 + unscored + unscored)))
    assert "Not listed: 2 sentences with fewer than 5 words that have a probability, the sentence end" in told
    assert "Not listed" not in text_of(page_of(rows_of(lines)))
    assert "Not listed" not in text_of(page_of(rows_of([["a"], ["b"]])))  # where all are short, all are listed


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


@pytest.mark.parametrize("bits", [0.0, np.nan, np.inf, 1e-12, 60.0, 5000.0, 4.9e38])
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


def test_bits_of_the_head_agree_with_natural_logarithms():
    rows = rows_of([["a"] * 9], -np.log2(np.full(10, 0.1)))
    assert page_of(rows).head()["Perplexity"] == ["10"]
    assert reading(rows).mean_bits == pytest.approx(math.log(10) / math.log(2))
