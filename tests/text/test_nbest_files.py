import bz2
import gzip

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnlm.errors import RnnlmError
from rnnlm.text.nbest_files import FORMS, read_nbest, words_of
from rnnlm.text.vocabulary import Vocabulary

WORDS = Vocabulary(["<eos>", "<unk>", "the", "cat", "sat", "7"])


def read(path, form, **options):
    return list(read_nbest(path, form, WORDS, **options))


def as_pairs(lists):
    return [(one.utterance, [(h.number, h.text) for h in one.hypotheses]) for one in lists]


@pytest.fixture
def file(tmp_path):
    def write(text, name="lists"):
        (tmp_path / name).write_bytes(text.encode() if isinstance(text, str) else text)
        return tmp_path / name

    return write


def test_classic_lists(file):
    lists = read(file("u1 the cat\nu1 the  cat\tsat \nu1\nu2 cat"), "classic")
    assert as_pairs(lists) == [("u1", [("1", "the cat"), ("2", "the cat sat"), ("3", "")]), ("u2", [("1", "cat")])]
    assert [h.line for one in lists for h in one.hypotheses] == [1, 2, 3, 4]
    assert [one.position for one in lists] == [0, 1]
    assert lists[0].key(lists[0].hypotheses[1]) == "u1-2"


def test_the_last_hyphen_of_a_kaldi_key_ends_the_utterance(file):
    lists = read(file("sw-b-1 the\nsw-b-10 cat\nsw-c-1\n"), "kaldi")
    assert as_pairs(lists) == [("sw-b", [("1", "the"), ("10", "cat")]), ("sw-c", [("1", "")])]


def test_moses_lists_have_fields_and_a_total(file):
    line = "3 ||| the cat  ||| LM= -1.5 D= 2 ||| -2.5 ||| 0-0 1-1"
    (first, second) = read(file(f"{line}\n4 |||  ||| -1 2 ||| 1e2\n"), "moses")
    assert as_pairs([first, second]) == [("3", [("1", "the cat")]), ("4", [("1", "")])]
    assert first.hypotheses[0].fields == ("3", "the cat", "LM= -1.5 D= 2", "-2.5", "0-0 1-1")
    assert (first.position, first.hypotheses[0].first_pass, second.hypotheses[0].first_pass) == (3, -2.5, 100.0)


def test_empty_lines_separate_plain_lists_and_a_second_one_conversations(file):
    lists = read(file("the cat\ncat\n \nsat\n\n\nthe\n\n"), "plain")
    assert as_pairs(lists) == [("1", [("1", "the cat"), ("2", "cat")]), ("2", [("1", "sat")]), ("3", [("1", "the")])]
    assert [one.new_conversation for one in lists] == [False, False, True]


def test_an_empty_line_between_lists_with_ids_begins_a_conversation(file):
    lists = read(file("u1 the\n\nu1 cat\nu2 cat\n\nu3 sat\n"), "classic")
    assert [(one.utterance, one.new_conversation) for one in lists] == [("u1", False), ("u2", False), ("u3", True)]
    assert len(lists[0].hypotheses) == 2


@pytest.mark.parametrize("change", [
    lambda text: text.replace(b"\n", b"\r\n"), lambda text: text.rstrip(b"\n"), lambda text: b"\xef\xbb\xbf" + text,
    gzip.compress, bz2.compress])
def test_line_ends_marks_and_compression_change_nothing(file, change):
    text = b"u1-1 the cat\nu1-2\nu2-1 sat\n"
    assert as_pairs(read(file(change(text)), "kaldi")) == as_pairs(read(file(text, "other"), "kaldi"))


def test_lists_are_read_one_after_another(file, monkeypatch):
    monkeypatch.setattr("rnnlm.text.nbest_files.BLOCK", 16)
    path, lines = file("".join(f"u{i} the cat\n" for i in range(1000))), []
    lists = read_nbest(path, "classic", WORDS, on_bytes=lines.append)
    next(lists)
    assert sum(lines) < 1000  # of some 13,000 bytes
    assert sum(1 for _ in lists) == 999


def test_only_ascii_blanks_separate_words(file):
    (one,) = read(file("u1 the\u00a0cat\u2003sat\x0bsat"), "classic")
    assert words_of(one.hypotheses[0].text) == ["the\u00a0cat\u2003sat", "sat"]
    assert words_of("") == []


@pytest.mark.parametrize(("form", "text", "message"), [
    ("classic", "", "lists must hold at least one n-best list, but it is empty"),
    ("plain", "\n \n\n", "lists must hold at least one n-best list, but it is empty"),
    ("classic", "u1 the\nu2 the\nu1 cat\n", "line 3: the lines of an utterance must follow one another, 'u1' comes"),
    ("kaldi", "u1-1 the\nthe cat\n", "line 2: the first word must be a key, UTTERANCE-NUMBER, got 'the'"),
    ("kaldi", "well-known cat\n", "line 1: the first word must be a key, UTTERANCE-NUMBER, got 'well-known'"),
    ("kaldi", "-1 cat\n", "line 1: the first word must be a key"),
    ("kaldi", "u-1 cat\nu-2 cat\nu-1 the\n", "line 3: each key must be there once, 'u-1' comes again"),
    ("moses", "0 ||| the cat ||| 1\n", "line 1: must be ID ||| words ||| features ||| total, got 3 fields"),
    ("moses", "x ||| the ||| 1 ||| 2\n", "line 1: the id must be a whole number, got 'x'"),
    ("moses", "9" * 400 + " ||| the ||| 1 ||| 2\n", "line 1: the id must be a whole number"),
    ("moses", "0 ||| the ||| 1 ||| nan\n", "line 1: the total must be a number, got 'nan'"),
    ("moses", "0 ||| the ||| 1 ||| \n", "line 1: the total must be a number, got ''"),
    ("classic", "u1 the <eos> cat\n", "line 1: holds the word <eos>"),
    ("plain", "the\n<eos>\n", "line 2: holds the word <eos>"),
    ("plain", b"the\n\xff\n", "must be UTF-8: line 2"),
    ("plain", b"the\0\n", "must be text: line 1")])
def test_what_is_wrong_is_said_with_its_line(file, form, text, message):
    with pytest.raises(RnnlmError) as error:
        read(file(text), form)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_an_unprintable_id_is_shown_escaped(file):
    with pytest.raises(RnnlmError, match=r"got '\\x1b\[2J'"):
        read(file("\x1b[2J the\n"), "kaldi")


def test_ids_that_are_words_are_named_and_never_eaten(file):
    path = file("the cat sat\nthe cat\n\nsnow cat sat\n")
    with pytest.raises(RnnlmError, match=r"first column must be ids, but 1 of the first 2 ids are words .* \('the'\)"):
        read(path, "classic")
    assert [one.utterance for one in read(path, "classic", trust_ids=True)] == ["the", "snow"]


def test_a_word_of_the_hypotheses_is_a_word_even_where_the_model_lacks_it(file):
    with pytest.raises(RnnlmError, match=r"1 of the first 2 ids are words of the text \('snow'\)"):
        read(file("snow fell\nhail and snow fell\n"), "classic")


def test_numbers_may_be_ids_and_words(file):
    assert len(read(file("7 7 the\n8 7\n9 8\n"), "classic")) == 3


def test_ids_of_which_a_few_are_words_are_ids(file):
    assert len(read(file("cat the\nspk1 sat\nspk2 the\n"), "classic")) == 3


def test_trusted_kaldi_keys_may_end_in_anything(file):
    assert as_pairs(read(file("u-best the\n"), "kaldi", trust_ids=True)) == [("u", [("best", "the")])]
    with pytest.raises(RnnlmError, match="must be a key"):
        read(file("u- the\n"), "kaldi", trust_ids=True)


def test_a_list_is_bounded_before_memory_is(file, monkeypatch):
    monkeypatch.setattr("rnnlm.text.nbest_files.MOST_HYPOTHESES", 5)
    read(file("u the\n" * 5), "classic")
    with pytest.raises(RnnlmError, match=r"line 6: a list must have at most 5 hypotheses .* that of 'u' has more"):
        read(file("u the\n" * 6), "classic")
    monkeypatch.setattr("rnnlm.text.nbest_files.LARGEST_LIST", 1 << 20)
    with pytest.raises(RnnlmError, match="line 1: a line must be at most 1 MB long"):
        read(file(gzip.compress(b"u the " + b"cat " * (1 << 20))), "classic")
    with pytest.raises(RnnlmError, match="line 2: a list must have at most 5 hypotheses and 1 MB"):
        read(file(("u the " + "cat " * 150_000 + "\n") * 2), "classic")


@pytest.mark.parametrize("form", FORMS)
def test_a_file_of_empty_lines_ends_soon(file, monkeypatch, form):
    monkeypatch.setattr("rnnlm.text.nbest_files.MOST_EMPTY", 100)
    with pytest.raises(RnnlmError, match="line 101: there must be at most 100 empty lines in a row"):
        read(file(gzip.compress(b" \n" * 10_000)), form)


def test_plain_lists_may_be_many(file):
    assert [one.utterance for one in read(file("the\n\n" * 30), "plain")] == [str(i + 1) for i in range(30)]


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(sorted(FORMS)), st.binary(max_size=60) | st.text("u1-|. \n\r\tthe\0é", max_size=40))
def test_any_bytes_are_lists_or_an_error_of_one_line(tmp_path_factory, form, content):
    path = tmp_path_factory.mktemp("any") / "lists"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    try:
        lists = read(path, form)
    except RnnlmError as error:
        assert "\n" not in str(error)
    else:
        words = sum(len(words_of(h.text)) for one in lists for h in one.hypotheses)
        assert words <= len(path.read_bytes().split())
