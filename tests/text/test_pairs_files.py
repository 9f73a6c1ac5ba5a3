"""Files of minimal pairs: what is read, and what is refused, by file and line."""

import gzip
import io
import json
import lzma
import tarfile

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rnnlm.errors import RnnlmError
from rnnlm.text.pairs_files import Pair, as_pairs, read_pairs

BLIMP = {"sentence_good": "Dogs bark.", "sentence_bad": "Dogs barks.", "field": "morphology",
         "linguistics_term": "agreement", "UID": "agreement_1", "one_prefix_prefix": "Dogs",
         "one_prefix_word_good": "bark", "one_prefix_word_bad": "barks", "pairID": "0", "simple_LM_method": True}


def written(folder, content, name="pairs.jsonl"):
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def line(**changes):
    return json.dumps({key: value for key, value in (BLIMP | changes).items() if value is not ...})


def test_all_that_blimp_says_of_a_pair_is_kept(tmp_path):
    path = written(tmp_path, line() + "\n\n" + line(pairID="1"))
    pair = Pair("Dogs bark.", "Dogs barks.", "agreement_1", "agreement", "morphology", "Dogs", "bark", "barks",
                str(path), 1)
    assert read_pairs(path) == [pair, pair._replace(line=3)]


@pytest.mark.parametrize("missing", ["one_prefix_prefix", "one_prefix_word_good", "one_prefix_word_bad"])
def test_what_may_be_missing(tmp_path, missing):
    (pair,) = read_pairs(written(tmp_path, line(UID=..., field=..., linguistics_term=None, **{missing: ...})))
    assert (pair.uid, pair.phenomenon, pair.field, pair.prefix, pair.word_good) == ("pairs", None, None, None, None)


def test_the_first_word_of_a_sentence_has_an_empty_prefix(tmp_path):
    assert read_pairs(written(tmp_path, line(one_prefix_prefix="")))[0].prefix == ""


@pytest.mark.parametrize("header", ["", "good\tbad\n", "sentence_good\tsentence_bad\r\n"])
def test_two_columns(tmp_path, header):
    path = written(tmp_path, f"\ufeff{header}dogs bark\tdogs barks\r\n\n{{ a\tb", "mine.v2.tsv")
    first, second = read_pairs(path)
    number = 2 if header else 1
    assert first == Pair("dogs bark", "dogs barks", "mine", file=str(path), line=number)
    assert (second.good, second.bad, second.line) == ("{ a", "b", number + 2)


@pytest.mark.parametrize("packed", [gzip.compress, lzma.compress])
def test_compressed_files_and_folders(tmp_path, packed):
    written(tmp_path, packed((line(UID="b") + "\n").encode()), "b.jsonl.gz")
    written(tmp_path, line(UID="a"), "a.jsonl")
    written(tmp_path, "no pair", "README.md")
    assert [pair.uid for pair in read_pairs(tmp_path)] == ["a", "b"]


def test_standard_input(monkeypatch):
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"a b\ta c\n")))
    assert read_pairs("-") == [Pair("a b", "a c", "standard input", file="-", line=1)]


@pytest.mark.parametrize(("content", "message"), [
    ("[1]", "must hold a good and a bad sentence with one tab between them, it has 0 tabs"),
    ("a\tb\tc", "it has 2 tabs"),
    ("a\t ", "line 1: bad sentence must have a word, it is empty"),
    ("\tb", "line 1: good sentence must have a word, it is empty"),
    ("", "must hold at least one pair, but it is empty"),
    ("\n \n", "must hold at least one pair, but it is empty"),
    (line() + "\na\tb", "line 2 must be a JSON object: it is not JSON"),
    (line() + "\n7", r"line 2 must be a JSON object, got 7"),
    ("{" * 100_000, "line 1 must be a JSON object: it is n"),
    ('{"a": NaN}', "line 1 must be a JSON object: it is not JSON: it holds NaN"),
    (line()[:-1] + ', "UID": "x"}', "holds the key 'UID' twice"),
    (line(sentence_good=...), "line 1 must have sentence_good, it has none"),
    (line(sentence_bad=None), "line 1 must have sentence_bad, it has none"),
    (line(sentence_bad=["Dogs"]), "line 1: sentence_bad must be a string, got a list"),
    (line(sentence_bad=""), "line 1: sentence_bad must have a word, it is empty"),
    (line(sentence_good="a\nb"), "line 1: sentence_good must be one line without a NUL"),
    (line(sentence_good="a\0b"), "line 1: sentence_good must be one line without a NUL"),
    (line(one_prefix_prefix=3), "line 1: one_prefix_prefix must be a string, got 3"),
    (line(one_prefix_word_bad=" "), "line 1: one_prefix_word_bad must have a word"),
    (line(UID=5), "line 1: UID must be a string, got 5"),
    (line(field=[]), "line 1: field must be a string, got a list"),
    (b"\xff\tb", "must be UTF-8"),
    ("a\tb\0", "must be text: line 1 .* holds a NUL"),
    ("x" * (1 << 21), "line 1 must have at most 1,048,576 characters"),
    (line() + "\n" + "x " * (1 << 20), "line 2 must have at most 1,048,576 characters"),
])
def test_what_is_no_pair_is_named_by_file_and_line(tmp_path, content, message):
    with pytest.raises(RnnlmError, match=message) as error:
        read_pairs(written(tmp_path, content))
    assert "pairs.jsonl" in str(error.value)
    assert len(str(error.value).splitlines()) == 1


def test_an_archive_a_folder_without_pairs_and_a_bomb(tmp_path, monkeypatch):
    with tarfile.open(tmp_path / "blimp.tar.xz", "w:xz") as archive:
        archive.add(written(tmp_path, line()), "a.jsonl")
    with pytest.raises(RnnlmError, match="it is a tar archive: unpack it first"):
        read_pairs(tmp_path / "blimp.tar.xz")
    (tmp_path / "empty").mkdir()
    with pytest.raises(RnnlmError, match=r"must hold files of pairs called NAME\.jsonl, it has none"):
        read_pairs(tmp_path / "empty")
    with pytest.raises(RnnlmError, match="could not be read"):
        read_pairs(tmp_path / "none.tsv")
    monkeypatch.setattr("rnnlm.text.pairs_files.MOST_TEXT", 1 << 16)
    bomb = written(tmp_path, gzip.compress(b"a\tb\n" * (1 << 15)), "bomb.tsv.gz")
    with pytest.raises(RnnlmError, match=r"at most 65,536 characters together, those up to .*bomb.* have more: split"):
        read_pairs(bomb)
    half = written(tmp_path, gzip.compress(b"a\tb\n" * (1 << 13)), "half.tsv.gz")
    assert len(read_pairs(half)) == 1 << 13
    with pytest.raises(RnnlmError, match="at most 65,536 characters together"):
        read_pairs(half, half, half)
    monkeypatch.setattr("rnnlm.text.pairs_files.MOST_EMPTY", 1000)
    with pytest.raises(RnnlmError, match="line 1001: there must be at most 1,000 empty lines"):
        read_pairs(written(tmp_path, gzip.compress(b"\n" * (1 << 15)), "lines.tsv.gz"))


def test_no_more_pairs_than_memory_holds(tmp_path, monkeypatch):
    monkeypatch.setattr("rnnlm.text.pairs_files.MOST_PAIRS", 4)
    two, three = written(tmp_path, "a\tb\n" * 2, "two.tsv"), written(tmp_path, "a\tb\n" * 3, "three.tsv")
    assert [pair.uid for pair in read_pairs(two, two)] == ["two"] * 4
    with pytest.raises(RnnlmError, match=r"at most 4 pairs together, .*three\.tsv: line 3 is one more: split them"):
        read_pairs(two, three)


def test_pairs_of_ones_own():
    mine = Pair("a", "b", uid="x")
    assert as_pairs([("a", "b"), mine]) == [Pair("a", "b", line=1), mine]


@pytest.mark.parametrize(("pairs", "message"), [
    ([], "pairs must hold at least one pair"), (7, "pairs must be a list of pairs"),
    (["ab"], "pair 1 must be two sentences"), ([("a", "b"), ("a",)], "pair 2 must be two sentences"),
    ([("a", "")], "pair 1: bad must have a word"), ([("a", 3)], "pair 1: bad must be a string, got 3"),
    ([(None, "a")], "pair 1 must have good"), ([("a\nb", "a")], "pair 1: good must be one line"),
    ([Pair("a", "b", prefix="c")], "must have word_good, it has none")])
def test_what_is_no_list_of_pairs_is_refused(pairs, message):
    with pytest.raises(RnnlmError, match=message):
        as_pairs(pairs)


JUNK = st.sampled_from([None, True, 3, 0.5, "", " ", "\u00a0", "a\tb", "a\n", "\ud800", "\0", [], ["a"], {"a": 1}])
NAMES = st.sampled_from([*BLIMP, "x"])


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.one_of(st.binary(max_size=60),
                 st.dictionaries(NAMES, JUNK).map(lambda changes: json.dumps(BLIMP | changes).encode()),
                 st.text("a \t\n\r{}\"\ud800\u2028", max_size=30).map(lambda text: text.encode("utf-8", "ignore"))))
def test_any_bytes_are_pairs_or_an_error_of_one_line(tmp_path, content):
    try:
        pairs = read_pairs(written(tmp_path, content))
    except RnnlmError as error:
        assert str(error).isprintable()
    else:
        assert as_pairs(pairs) == pairs
        assert all(pair.good.strip(" \t\r") and pair.bad.strip(" \t\r") for pair in pairs)
