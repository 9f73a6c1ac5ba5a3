"""Truth files: read without trust, joined word by word, and summed."""

import gzip
import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnlm.errors import RnnlmError
from rnnlm.scoring.truth import Excess, Truth

TABLE = """\
# anything: at all
# base: 2
sentence\tposition\tword\tsurprisal\tentropy
1\t1\tthe\t1.5\t2
1\t2\tfox\tNA\t0.25
1\t3\t<eos>\t0\tNA
"""
WORDS = ["the", "fox", "<eos>"]
LN2 = math.log(2)


@pytest.fixture
def truth_of(tmp_path):
    """A Truth of a table, given as text or bytes."""
    numbers = itertools.count()

    def write(table):
        path = tmp_path / f"{next(numbers)}.tsv"
        path.write_bytes(table if isinstance(table, bytes) else table.encode())
        return Truth(path)

    return write


def numbers(truth):
    return [(word, surprisal / LN2, entropy / LN2) for _, word, surprisal, entropy, _ in truth.rows]


def test_rows_are_in_nats_and_know_their_lines(truth_of):
    rows = list(truth_of(TABLE).rows)
    assert [(row.line, row.word) for row in rows] == [(4, "the"), (5, "fox"), (6, "<eos>")]
    np.testing.assert_allclose([row.surprisal for row in rows], [1.5 * LN2, math.nan, 0])
    np.testing.assert_allclose([row.entropy for row in rows], [2 * LN2, 0.25 * LN2, math.nan])


@pytest.mark.parametrize("base, nats", [("2", LN2), ("e", 1.0), ("10", math.log(10))])
def test_every_base_is_understood(base, nats, truth_of):
    (row,) = truth_of(f"# base: {base}\nword\tsurprisal\nfox\t3\n").rows
    assert row.surprisal == pytest.approx(3 * nats)
    assert math.isnan(row.entropy)


def test_log_probabilities_are_surprisals_with_the_other_sign(truth_of):
    (row,) = truth_of("# base: e\nlog_prob\tword\n-1.25\tfox\n").rows
    assert row.surprisal == 1.25
    (row,) = truth_of("# base: e\nlog_prob\tword\tsurprisal\n-1.25\tfox\t1.26\n").rows  # both, as `rnnlm score` prints
    assert row.surprisal == 1.26


@pytest.mark.parametrize("change", [
    lambda table: table.replace("\n", "\r\n").encode(), lambda table: b"\xef\xbb\xbf" + table.encode(),
    lambda table: table.rstrip("\n").encode(), lambda table: gzip.compress(table.encode()),
    lambda table: table.replace("# base: 2", "#base:2").encode()])
def test_the_same_table_in_other_bytes(change, truth_of):
    np.testing.assert_equal(list(truth_of(change(TABLE)).rows), list(truth_of(TABLE).rows))


def test_a_word_may_begin_with_the_sign_of_a_comment(truth_of):
    assert numbers(truth_of("# base: 2\nword\tsurprisal\tentropy\n#\t1\t1\n#base:\t2\t2\n")) == [
        ("#", 1, 1), ("#base:", 2, 2)]


def test_a_row_longer_than_a_block_is_one_row(truth_of):
    long = "x" * (5 << 20)
    table = f"# base: 2\nignored\tword\tsurprisal\tentropy\n{long} {long}\tfox\t1\t2\n-\tdog\t3\t4\n"
    assert numbers(truth_of(table)) == [("fox", 1, 2), ("dog", 3, 4)]


@pytest.mark.parametrize("table, message", [
    ("", "must have the columns word and surprisal"),
    ("# base: 2\n", "it has no line without # among its first 1,000"),
    ("# base: 2\n" * 1000 + "word\tsurprisal\n", "it has no line without # among its first 1,000"),
    ("the fox .\n", r"its first line after the # lines is the fox \."),
    ("# base: 2\nword\tentropy\n", r"its first line after the # lines is word\|entropy"),
    ("# base: 2\nsurprisal\tentropy\n", "must have the columns word"),
    ("# base: 2\nword\tword\tsurprisal\n", "must have each column once, it has word 2 times"),
    ("word\tsurprisal\nfox\t1\n", "must say the base of its logarithms, it does not: begin it with the line"),
    ("# base: 3\nword\tsurprisal\n", "must name one base, 2, e or 10: line 1 has 3"),
    ("# base: 2\n# base: e\nword\tsurprisal\n", "line 2 has e, after 2"),
    ("# base: \x1b[31m2\nword\tsurprisal\n", r"line 1 has \\x1b\[31m2"),
    (b"\xff\xfe#\0", "must be UTF-8"),
    (b"# base: 2\nword\tsurprisal\nfox\0\t1\n", "holds a NUL"),
    (b"PK\x03\x04", "ZIP archive"),
])
def test_a_header_that_cannot_be_understood(table, message, truth_of):
    with pytest.raises(RnnlmError, match=message) as caught:
        truth_of(table)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("row, message", [
    ("fox\t1", "must have 3 cells in each row, as many as columns: line 4 has 2"),
    ("fox\t1\t2\t3", "line 4 has 4"),
    ("", "line 4 has 1"),
    ("fox\tone\t2", "must have finite numbers or NA: line 4 has one"),
    ("fox\tnan\t2", "line 4 has nan"),
    ("fox\t1\tinf", "line 4 has inf"),
    ("fox\t1e999\t2", "line 4 has 1e999"),
    ("fox\t1_000\t2", "line 4 has 1_000"),
    ("fox\t१\t2", "line 4 has"),
    ("fox\t\t2", "line 4 has "),
    ("fox\t\x1b[2J\t2", r"line 4 has \\x1b\[2J"),
    ("fox\t-1\t2", "surprisals of at least 0 and log-probabilities of at most 0: line 4 has -1; correct its sign"),
])
def test_a_row_that_cannot_be_understood(row, message, truth_of):
    truth = truth_of(f"# base: 2\nword\tsurprisal\tentropy\nthe\t1\t1\n{row}\ndog\t1\t1\n")
    with pytest.raises(RnnlmError, match=message) as caught:
        list(truth.rows)
    assert str(caught.value).isprintable()


def test_rounding_may_leave_a_surprisal_just_below_zero(truth_of):
    (row,) = truth_of("# base: 2\nword\tsurprisal\nfox\t-0.0001\n").rows
    assert row.surprisal == pytest.approx(-0.0001 * LN2)


def test_a_missing_file_and_a_folder(tmp_path):
    for path in (tmp_path / "none.tsv", tmp_path):
        with pytest.raises(RnnlmError, match="could not be read"):
            Truth(path)


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_are_rows_or_an_error_of_one_line(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / "any.tsv"
    for head in (b"", b"# base: 2\nword\tsurprisal\n"):
        path.write_bytes(head + content)
        try:
            for row in Truth(path).rows:
                assert not math.isinf(row.surprisal)
        except RnnlmError as error:
            assert str(error).isprintable()


# ---- joined to a text ----


def test_columns_are_the_truth_and_the_distance_from_it(truth_of):
    """In bits: the model has 2.5, 1, 0.5 where the truth has 1.5, NA, 0."""
    truth = truth_of(TABLE)
    found = truth.columns(WORDS, -LN2 * np.array([2.5, 1, 0.5]))
    assert list(found) == ["true_surprisal", "true_entropy", "true_entropy_reduction", "excess"]
    np.testing.assert_allclose(found["true_surprisal"] / LN2, [1.5, np.nan, 0])
    np.testing.assert_allclose(found["true_entropy"] / LN2, [2, 0.25, np.nan])
    np.testing.assert_allclose(found["excess"] / LN2, [1, np.nan, 0.5])
    truth.finish()
    assert (truth.excess.rows, truth.excess.compared) == (3, 2)
    assert truth.excess.mean(2) == pytest.approx((1 + 0.5) / 2)
    assert truth.excess.mean() == pytest.approx((1 + 0.5) / 2 * LN2)
    assert truth.excess.mean(10) == pytest.approx((1 + 0.5) / 2 * math.log10(2))


def test_a_text_in_parts_is_the_text_at_once(truth_of):
    once, parts, log_probs = truth_of(TABLE), truth_of(TABLE), np.array([-1.0, -2.0, -3.0])
    whole = once.columns(WORDS, log_probs)
    first, nothing, second = (parts.columns(WORDS[part], log_probs[part])
                              for part in (slice(0, 1), slice(1, 1), slice(1, 3)))
    for name, column in whole.items():
        np.testing.assert_equal(np.concatenate([first[name], nothing[name], second[name]]), column)
    assert parts.excess == once.excess
    parts.finish()


def test_a_word_without_a_score_is_not_compared(truth_of):
    truth = truth_of(TABLE)
    found = truth.columns(WORDS, np.array([np.nan, -1, -1.0], np.float32))
    assert np.isnan(found["excess"]).tolist() == [True, True, False]
    assert (truth.excess.rows, truth.excess.compared, truth.excess.model, truth.excess.truth) == (3, 1, 1, 0)


def test_a_model_that_excludes_a_word_is_infinitely_far(truth_of):
    truth = truth_of(TABLE)
    truth.columns(WORDS, np.array([-np.inf, -1, -1]))
    assert truth.excess.mean() == math.inf


def test_nothing_compared_has_no_mean():
    assert math.isnan(Excess().mean())


@pytest.mark.parametrize("words, message", [
    (["the", "dog", "<eos>"], 'at word 2 its line 5 has "fox" where the text has "dog"; give the truth of this text'),
    (["The"], 'at word 1 its line 4 has "the" where the text has "The"'),
    (["the", "fox", "<eos>", "\x1b[2J"], r'at word 4 it ends where the text has "\\x1b\[2J"'),
    (["the", "fox"], 'at word 3 its line 6 has "<eos>" where the text ends'),
    ([], 'at word 1 its line 4 has "the" where the text ends'),
])
def test_the_first_row_that_differs_is_named(words, message, truth_of):
    truth = truth_of(TABLE)
    with pytest.raises(RnnlmError, match=message) as caught:
        truth.columns(words, np.zeros(len(words)))
        truth.finish()
    assert str(caught.value).isprintable()
