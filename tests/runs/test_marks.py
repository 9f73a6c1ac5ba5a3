"""Marks: the numbers of tokens at which a run keeps a model."""

import re

import pytest

from rnnlm.errors import RnnlmError
from rnnlm.runs.checks import WrongValue
from rnnlm.runs.marks import MOST, Marks, mark, marks

BABYLM = "1M-10M:1M,20M-100M:10M"


@pytest.mark.parametrize(("text", "number"), [
    ("1", 1), ("2000000", 2_000_000), ("500k", 500_000), ("1M", 10**6), ("1.5M", 1_500_000), ("1.2345k", None),
    ("1.234k", 1234), ("1000000.0", 10**6), ("0.001k", 1), ("1m", 10**6), ("2K", 2000), ("1.0", 1),
    ("999999999999", 10**12 - 1)])
def test_a_number_may_be_written_short(text, number):
    if number is None:  # no whole number
        with pytest.raises(WrongValue, match="must be a number of tokens"):
            mark(text)
    else:
        assert mark(text) == number
        assert mark(str(number)) == number  # as a checkpoint gives it back


@pytest.mark.parametrize("text", ["", "0", "0k", "0.0", "-1", "1e6", "M", "1 M", "1MM", "1G", ".5M", "1.", "x", "٣",
                                  "1,5M", "--", "9" * 400, "1000G"])
def test_what_is_no_number_of_tokens_is_refused(text):
    with pytest.raises(WrongValue, match=r"^must be a number of tokens, such as 500k, 1.5M or 2000000, got "):
        mark(text)


def test_a_number_that_no_training_reaches_is_a_slip():
    with pytest.raises(WrongValue, match="must be at most 999,999,999,999, got '1000000M'"):
        mark("1000000M")


def test_marks_of_babylm():
    assert marks(f" {BABYLM.replace(',', ' , ')}\n") == BABYLM
    assert marks(marks(BABYLM)) == BABYLM
    expected = {k * 10**6 for k in [*range(1, 11), *range(20, 101, 10)]}
    assert Marks(at=BABYLM).up_to(10**12) == expected
    assert Marks(at="1k,2k,1k,500").up_to(10**12) == {500, 1000, 2000}
    assert Marks(at="1-10:4").up_to(10**12) == {1, 5, 9}  # a range ends at or before TO


@pytest.mark.parametrize(("text", "message"), [
    ("", "must be a number of tokens"), ("1M,", "must be a number of tokens"), ("1M-2M", "must be a number of tokens"),
    ("1M:2M:3M", "must be a number"), ("2M-1M:1k", "must be numbers or ranges FROM-TO:STEP in which FROM is at most TO,"
                                       " got '2M-1M:1k'"),
    ("1-1M:1", "must be at most 1,000 numbers of tokens, got 1,000,000"), ("1M-2M:0", "must be a number of tokens"),
    ("1-999999999999:1,5", "must be at most 1,000 numbers of tokens, got 1,000,000,000,000"),
    ("1-600:1,1001-1600:1", "must be at most 1,000 numbers of tokens, got 1,200"), ("…", "must be a number of tokens")])
def test_what_are_no_marks_is_refused(text, message):
    with pytest.raises(WrongValue, match=re.escape(message)):
        marks(text)


def test_a_step_reaches_the_last_mark_within_it():
    found = Marks(every=10, at="15,31-33:1")
    assert [found.last(before, before + 7) for before in range(0, 35, 7)] == [None, 10, 20, None, 33]
    assert found.last(8, 100) == 100
    assert found.last(10, 10) is None
    assert (found.last(14, 15), found.last(15, 16)) == (15, None)  # once, at the first step at or after it
    assert Marks().last(0, 10**9) is None


def test_without_the_options_there_are_none():
    assert (Marks().up_to(10**9), Marks().count(10**9), list(Marks().notes(10**9, 5, "f"))) == (set(), 0, [])


def test_too_many_are_refused_with_a_number_that_is_not():
    message = "--keep-every 9 would keep 1,111 models in the 10,000 tokens of all epochs, and a run keeps at most"
    with pytest.raises(RnnlmError, match=message) as error:
        Marks(every=9).count(10_000)
    enough = int(re.search(r"give at least (\d+)", str(error.value))[1])
    assert Marks(every=enough).count(10_000) == MOST
    with pytest.raises(RnnlmError):
        Marks(every=enough - 1).count(10_000)
    with pytest.raises(RnnlmError, match="give at least 11, or name fewer numbers"):
        Marks(every=10, at="1-19:2").count(10_000)
    assert Marks(every=11, at="1-19:2").count(10_000) == 909 + 9  # 11 is in both


def test_the_notes_say_what_is_kept_and_what_is_not_reached():
    assert list(Marks(every=100, at="50,200,1k-8k:1k").notes(450, 2_500_000, "run/kept")) == [
        "up to 5 models of 2.5 MB each will be kept in run/kept",
        "--keep-at: the run reads at most 450 tokens, so it does not reach 1,000, 2,000, 3,000, 4,000, 5,000, ..."]
    assert list(Marks(every=100).notes(99, 5, "run/kept")) == []


def test_a_mark_that_is_asked_for_too_late_is_noted():
    had = Marks(every=100)
    assert Marks(every=100, at="300,400").note_of_late(had, 350) == ""
    assert Marks(every=50).note_of_late(had, 260) == (
        "the run has already read 260 tokens, so it cannot keep models at 50, 150, 250")
