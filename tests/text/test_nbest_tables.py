import gzip

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnlm.errors import RnnlmError
from rnnlm.text.nbest_files import Hypothesis, NBestList
from rnnlm.text.nbest_tables import FirstPassFile, read_references


@pytest.fixture
def file(tmp_path):
    def write(content):
        (tmp_path / "table").write_bytes(content.encode() if isinstance(content, str) else content)
        return tmp_path / "table"

    return write


def a_list(utterance, numbers, position=0):
    return NBestList(utterance, position, hypotheses=[Hypothesis("", 0, number) for number in numbers])


def test_scores_by_key_may_have_any_order(file):
    scores = FirstPassFile(file("u-2 -3\nv-1 1e1\n\nu-1  4.5\nw-1 0"), "key")
    assert scores.scores_of(a_list("u", "12")) == [4.5, -3.0]
    assert scores.scores_of(a_list("v", "1")) == [10.0]
    assert scores.left() == 1


def test_scores_in_order_are_a_number_a_line(file):
    scores = FirstPassFile(file(gzip.compress(b"1\n2\n3\n\n \n")), "order")
    assert [scores.scores_of(a_list("u", "12")), scores.left()] == [[1.0, 2.0], 0]
    with pytest.raises(RnnlmError, match="must have a score for each hypothesis, it has more: give the file that"):
        scores.require_end()
    scores = FirstPassFile(file("1\n2"), "order")
    assert scores.scores_of(a_list("u", "12")) == [1.0, 2.0]
    scores.require_end()


@pytest.mark.parametrize(("content", "by", "message"), [
    ("u-1 1\nu-2\n", "key", "line 2: must be a key and a number, got 1 word: u-2"),
    ("u-1 1 2\n", "key", "line 1: must be a key and a number, got 3 words"),
    ("u-1 one\n", "key", "line 1: the score must be a number, got 'one'"),
    ("u-1 inf\n", "key", "line 1: the score must be a number, got 'inf'"),
    ("u-1 1\nu-1 1\n", "key", "line 2: each key must be there once, 'u-1' comes again"),
    ("u-1 1\n", "key", "must have a score for each hypothesis, it has none for the key 'u-2'"),
    ("1\nu-2 2\n", "order", "line 2: the score must be a number, got 'u-2 2'"),
    ("1\n\n2\n", "order", "line 2: the score must be a number, but the line is empty, so it is not clear"),
    ("\n1\n2\n", "order", "line 1: the score must be a number, but the line is empty"),
    ("u-1 1_0\n", "key", "line 1: the score must be a number, got '1_0'"),
    ("1_0\n2\n", "order", "line 1: the score must be a number, got '1_0'"),
    ("\u0661\n2\n", "order", "line 1: the score must be a number, got '\u0661'"),
    ("1\n", "order", "must have a score for each hypothesis, it has none for 'u-2'"),
    ("", "order", "it has none for 'u-1'")])
def test_wrong_scores_are_said(file, content, by, message):
    with pytest.raises(RnnlmError) as error:
        FirstPassFile(file(content), by).scores_of(a_list("u", "12"))
    assert message in str(error.value)


def test_references_by_key(file):
    found = read_references(file("u the  cat\nv\n\nu the cat\nw sat\n"), "key")
    assert (found.texts, found.repeated) == ({"u": "the cat", "v": "", "w": "sat"}, 1)
    assert found.name(a_list("v", "1", 7)) == "v"


def test_references_in_order_may_be_empty(file):
    found = read_references(file("the cat\n\nsat"), "order")
    assert found.texts == {0: "the cat", 1: "", 2: "sat"}
    assert found.name(a_list("v", "1", 7)) == 7


def test_wrong_references_are_said(file):
    with pytest.raises(RnnlmError, match="line 3: an utterance must have one reference, 'u' comes again with other"):
        read_references(file("u a\nv b\nu c\n"), "key")
    for by in ("key", "order"):
        with pytest.raises(RnnlmError, match="must hold at least one reference, but it is empty"):
            read_references(file(""), by)


def test_a_table_is_bounded(file, monkeypatch):
    monkeypatch.setattr("rnnlm.text.nbest_tables.MOST_LINES", 3)
    with pytest.raises(RnnlmError, match="at most 3 lines"):
        FirstPassFile(file("a 1\nb 1\nc 1\nd 1\n"), "key")
    monkeypatch.setattr("rnnlm.text.nbest_tables.LARGEST_TABLE", 10)
    with pytest.raises(RnnlmError, match="at most 3 lines and 0 MB"):
        read_references(file("a longer line\n"), "order")


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(["key", "order"]), st.binary(max_size=40) | st.text("u-1 .e\n\tinfa\0", max_size=30))
def test_any_bytes_are_a_table_or_an_error_of_one_line(tmp_path_factory, by, content):
    path = tmp_path_factory.mktemp("any") / "table"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    for read in (lambda: FirstPassFile(path, by).scores_of(a_list("u", "1")), lambda: read_references(path, by).texts):
        try:
            assert read()
        except RnnlmError as error:
            assert "\n" not in str(error)
