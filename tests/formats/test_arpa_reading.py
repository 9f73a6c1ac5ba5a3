"""ARPA files as different tools write them, and files that none should write."""

import bz2
import gzip
import lzma
import math

import numpy as np
import pytest
from arpa_texts import STYLES, closed, kenlm_text, ngrams, srilm_text, text_scores

from rnnlm.errors import DamagedError, RnnlmError
from rnnlm.formats.arpa_parsing import begins_as_arpa
from rnnlm.formats.arpa_reading import read_arpa
from rnnlm.scoring.evaluation import token_log_probs
from rnnlm.text.corpus import read_text
from rnnlm.text.encoded import encode_text

LN10 = math.log(10)
LINES = [line.split() for line in ("the cat sat on the mat", "naïve dogs sat", "", "on on a_b the the 1")]
SMALL = """\\data\\
ngram 1=4
ngram 2=3

\\1-grams:
-1\t<unk>\t0
-99\t<s>\t-0.5
-0.5\ta\t-0.25
-0.75\t</s>\t0

\\2-grams:
-0.1\t<s> a
-0.2\ta a
-0.3\ta </s>

\\end\\
"""


@pytest.fixture
def read(tmp_path):
    """Read text or bytes as an ARPA file: the model, the vocabulary and the notes."""
    def of(text):
        path = tmp_path / "some.arpa"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        assert begins_as_arpa(path)
        model, vocabulary = read_arpa(path)
        return model, vocabulary, model.notes
    return of


def scores(model, vocabulary, lines=LINES):
    ids = [vocabulary.unk_id if i < 0 else i for line in lines for i in [*vocabulary.encode(line), vocabulary.eos_id]]
    return token_log_probs(model, ids, vocabulary.eos_id)


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("order", [1, 3, 4])
def test_the_files_of_each_tool_say_the_same(style, order, read):
    found = ngrams(order)
    model, vocabulary, notes = read(STYLES[style](found))
    assert model.order == order
    np.testing.assert_allclose(scores(model, vocabulary), np.array(text_scores(found, LINES, order)) * LN10, rtol=1e-6)
    assert notes == (["2 n-grams with <s> or </s> in the middle left out: no line of text has them"]
                     if style == "irstlm" else [])


def test_words_keep_the_order_of_the_file(read):
    _, vocabulary, _ = read(SMALL)
    assert vocabulary.words == ["<unk>", "<eos>", "a"]
    assert (vocabulary.unk_id, vocabulary.eos_id) == (0, 1)


def test_a_text_is_scored(read, tmp_path):
    model, vocabulary, _ = read(SMALL)
    (tmp_path / "text").write_text("a b\n")
    text = read_text(tmp_path / "text", vocabulary)
    wanted = np.array([-0.1, -0.25 - 1, -0.75]) * LN10
    np.testing.assert_allclose(token_log_probs(model, text, vocabulary.eos_id), wanted, rtol=1e-6)


@pytest.mark.parametrize("changes, wanted, note", [
    ([("-1\t<unk>\t0\n", ""), ("1=4", "1=3")], [-0.1, -0.3], "no <unk> among the words: unknown words have no prob"),
    ([("-0.75\t</s>\t0\n", ""), ("-0.3\ta </s>\n", ""), ("1=4", "1=3"), ("2=3", "2=2")], [-0.1, -99.25],
     "no </s> among the words: a line end has the log10 p -99"),
    ([("-99\t<s>\t-0.5\n", ""), ("-0.1\t<s> a\n", ""), ("1=4", "1=3"), ("2=3", "2=2")], [-0.5, -0.3],
     "no <s> among the words: the first word of a line has no context"),
    ([("-0.2\ta a", "-0.2\ta <s>")], [-0.1, -0.3], "1 n-gram with <s> or </s> in the middle left out"),
    ([("-0.2\ta a", "-0.2\t</s> a")], [-0.1, -0.3], "1 n-gram with <s> or </s> in the middle left out"),
])
def test_what_a_file_lacks_is_noted(changes, wanted, note, read):
    text = SMALL
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    model, vocabulary, notes = read(text)
    assert len(notes) == 1
    assert notes[0].startswith(note)
    np.testing.assert_allclose(scores(model, vocabulary, [["a"]]), np.array(wanted) * LN10, rtol=1e-6)


@pytest.mark.parametrize("first, second", [("<unk>", "<UNK>"), ("<UNK>", "<unk>")])
def test_of_both_unknown_words_the_later_one_counts_as_for_kenlm(first, second, read, tmp_path):
    """lmplz writes both for a text with the word <UNK>."""
    text = SMALL.replace("-1\t<unk>\t0\n", f"-1\t{first}\t0\n").replace("\n\n\\2", f"\n-0.6\t{second}\t-0.2\n\n\\2")
    text = text.replace("1=4", "1=5").replace("-0.2\ta a", "-0.2\ta <UNK>")
    model, vocabulary, notes = read(text)
    assert vocabulary.words == ["<eos>", "a", "<unk>"]
    assert notes == ["<unk> and <UNK> are one word here, as for KenLM: its probability is that of line 10"]
    lines = [["a", "<unk>", "a"], ["<unk>"]]
    found = scores(model, vocabulary, lines) / LN10
    (tmp_path / "both.arpa").write_text(text, encoding="utf-8")
    peer = pytest.importorskip("kenlm").Model(str(tmp_path / "both.arpa"))
    wanted = [p for line in lines for p, *_ in peer.full_scores(" ".join("zebra" if w == "<unk>" else w for w in line))]
    np.testing.assert_allclose(found, wanted, rtol=1e-5)


def test_the_line_end_may_be_called_eos(read):
    text = SMALL.replace("-99\t<s>\t-0.5\n", "").replace("</s>\t0", "<eos>\t-0.5").replace("1=4", "1=3")
    model, vocabulary, notes = read(text.replace("<s>", "<eos>").replace("</s>", "<eos>"))
    assert vocabulary.words == ["<unk>", "a", "<eos>"]
    assert not notes
    np.testing.assert_allclose(scores(model, vocabulary, [["a"]]), np.array([-0.1, -0.3]) * LN10, rtol=1e-6)


@pytest.mark.parametrize("old, new", [
    ("-0.2\ta a", "-2e-1 \t a\ta "), ("-0.2\ta a", "-.2\ta a"), ("-0.2\ta a", "-0.2\ta a\t0"), ("\n\n", "\n \t\n\n"),
    ("\n\n\\end\\\n", "\n\\end\\"), ("\\end\\\n", "\\end\\\n\n \n"), ("ngram 2=3", "ngram  2 =\t3 "),
    ("ngram 2=3\n", "ngram 2=3\nngram 3=0\n"), ("-0.2\ta a\n", "-0.2\ta a\n\n"), ("-99\t<s>", "0\t<s>"),
    ("\\data\\", "\ufeff\\data\\"), ("\\data\\", "# some words\n\nmore\n\\data\\ "), ("\n", "\r\n"),
    ("-0.1\t<s> a\n-0.2\ta a\n-0.3\ta </s>", "-0.3\ta </s>\n-0.2\ta a\n-0.1\t<s> a"),
])
def test_liberties_change_nothing(old, new, read):
    assert old in SMALL
    model, vocabulary, notes = read(SMALL.replace(old, new))
    assert not notes
    np.testing.assert_allclose(scores(model, vocabulary, [["a", "a"], []]),
                               np.array([-0.1, -0.2, -0.3, -0.5 - 0.75]) * LN10, rtol=1e-6)


def test_orders_without_ngrams_are_left_out(read):
    for section in ("", "\\3-grams:\n\n", "\\3-grams:\n"):
        text = SMALL.replace("ngram 2=3\n", "ngram 2=3\nngram 3=0\n").replace("\\end\\", f"{section}\\end\\")
        assert read(text)[0].order == 2


def test_a_probability_of_0_is_very_small(read):
    model, vocabulary, _ = read(SMALL.replace("-0.2\ta a", "-inf\ta a"))
    assert scores(model, vocabulary, [["a", "a"]])[1] == pytest.approx(-99 * LN10, rel=1e-6)


@pytest.mark.parametrize("old, new, message", [
    ("\\data\\\n", "", "line 15 ends a file without a line"),
    ("ngram 1=4\n", "", "line 2 must be ngram 1=COUNT, it is ngram 2=3"),
    ("ngram 1=4\nngram 2=3\n", "", "line 3 must come after a line ngram 1=COUNT"),
    ("ngram 1=4", "ngram 1=0", "line 5 must come after a line ngram 1=COUNT"),
    ("ngram 1=4", "ngram 1=four", "line 2 must be ngram 1=COUNT, it is ngram 1=four"),
    ("ngram 1=4", "ngram 1=-4", "line 2 must be ngram 1=COUNT"),
    ("ngram 2=3", "ngram 3=3", "line 3 must be ngram 2=COUNT"),
    ("ngram 1=4", "ngram 1=5", "line 11 ends the 1-grams: the file declares 5, and there are 4"),
    ("ngram 1=4", f"ngram 1={10**17}", "the file declares 100,000,000,000,000,000, and there are 4"),
    ("ngram 1=4", f"ngram 1={10**30}", "line 2 must be ngram 1=COUNT"),
    ("ngram 1=4", "ngram 1=3", "line 9 is one n-gram more than the 3 of order 1"),
    ("ngram 2=3", "ngram 2=2", "line 14 is one n-gram more than the 2 of order 2"),
    ("ngram 2=3", "ngram 2=4", "the file declares 4, and there are 3"),
    ("ngram 2=3\n", "ngram 2=3\nngram 3=1\n", r"line 17 must be \\3-grams:, it is \\end\\"),
    ("\\2-grams:", "\\3-grams:", r"line 11 must be \\2-grams:, it is \\3-grams:"),
    ("\\1-grams:\n", "", r"must be \\1-grams:"),
    ("-0.2\ta a", "-0.2\ta", "line 13 must be a number, 2 words and a back-off weight or none, it has 2 parts"),
    ("-0.2\ta a", "-0.2\ta a a 0 0", "line 13 must be a number, 2 words and a back-off weight or none, it has 6 parts"),
    ("-0.2\ta a", "-0.2\ta a a", "line 13 has a for a number"),
    ("-0.2\ta a", "x\ta a", "line 13 has x for a number"),
    ("-0.2\ta a", "-1_0\ta a", "line 13 has -1_0 for a number"),
    ("-0.2\ta a", "0.2\ta a", "line 13 has 0.2 for the logarithm of a probability, which is never above 0"),
    ("-0.2\ta a", "nan\ta a", "line 13 has nan for a number"),
    ("-0.2\ta a", "-1e400\ta a", None),
    ("-0.2\ta a", "-1e40\ta a", "line 13 has -1e40 for a number"),
    ("a\t-0.25", "a\tinf", "line 8 has inf for a number"),
    ("a\t-0.25", "a\tnan", "line 8 has nan for a number"),
    ("-0.2\ta a", "-0.2\ta b", "line 13 has the word b, which is none of the unigrams"),
    ("-0.2\ta a", "-0.1\t<s> a", "line 13 gives an n-gram again"),
    ("-0.5\ta\t", "-0.5\t<s>\t", "line 8 gives the word <s> again"),
    ("-0.5\ta\t", "-0.5\t<unk>\t", "line 8 gives the word <unk> again"),
    ("-0.5\ta\t-0.25", "-0.5", "line 8 must be a number, 1 word and a back-off weight or none, it has 1 parts"),
    ("-0.5\ta\t", "-0.5\t<eos>\t", "line 8 gives <eos>, which is the line end here, and the file has </s> and <s>"),
    ("-0.5\ta\t", "-0.5\t\udcff\t", "line 8 must be UTF-8, the word is .*: convert the file"),
    ("\\end\\", "", "must be .end., the file ends: is it cut off"),
    ("-0.3\ta </s>\n\n\\end\\\n", "", "and there are 2"),
    ("\\end\\\n", "\\end\\\nmore\n", "line 17 comes after .end.: more"),
    ("-0.2\ta a", "-0.2\ta a\0", "line 13 holds a NUL"), ("-0.5\ta", "-0.5\ta\0", "line 8 holds a NUL"),
    ("\\end\\", "\\endless\\", "must be .end., it is "),
    ("\\data\\", "iARPA\n\n\\data\\", "line 1 says iARPA, a form of IRSTLM: convert it with compile-lm"),
    ("\\data\\", "# rnnlm: {\n\\data\\", "line 2 ends a damaged heading"),
    ("\\data\\", "# rnnlm: 3\n\\data\\", "line 2 ends a damaged heading"),
    ("\\data\\", '# rnnlm: {"level": "letters"}\n\\data\\', "its heading and its words do not fit"),
    ("\\data\\", '# rnnlm: {"level": "subword", "tokenizer": {"kind": "byte-level BPE", "merges": 9}}\n\\data\\',
     "its heading and its words do not fit"),
])
def test_faults_are_named_by_their_line(old, new, message, tmp_path):
    assert old in SMALL
    path = tmp_path / "some.arpa"
    path.write_bytes(SMALL.replace(old, new).encode("utf-8", "surrogateescape"))
    if message is None:
        read_arpa(path)
        return
    with pytest.raises(DamagedError, match=message) as caught:
        read_arpa(path)
    assert len(str(caught.value).splitlines()) == 1
    assert str(caught.value).startswith(f"{path} is no ARPA file that can be read: ")


def test_lines_are_numbered_across_blocks_and_empty_lines(tmp_path, monkeypatch):
    monkeypatch.setattr("rnnlm.formats.arpa_lines.BLOCK", 30)
    lines = srilm_text(ngrams()).replace("\n\\2", "\n\n\n\\2").split("\n")
    path = tmp_path / "some.arpa"
    path.write_text("\n".join(lines))
    whole = read_arpa(path)[0]
    assert len(whole.tables.orders[1].keys) > 20
    for number in (len(lines) - 4, len(lines) - 40):
        lines[number - 1 : number - 1] = ["", " "]
        path.write_text("\n".join([*lines[: number + 1], lines[number + 1] + "x", *lines[number + 2 :]]))
        with pytest.raises(DamagedError, match=rf"line {number + 2} has the word \S+x, which|line {number + 2} has .*x "
                                               "for a number"):
            read_arpa(path)


def test_a_line_that_does_not_end_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("rnnlm.formats.arpa_lines.BLOCK", 1 << 10)
    monkeypatch.setattr("rnnlm.formats.arpa_parsing.LONGEST_START", 1 << 12)
    monkeypatch.setattr("rnnlm.formats.arpa_parsing.MOST_START", 1000)
    path = tmp_path / "some.arpa"
    path.write_text(SMALL.replace("a a", "a" * 2000 + " a"))
    with pytest.raises(DamagedError, match="line 13 must be shorter than"):
        read_arpa(path)
    for start in ("x" * 10_000, "x\n" * 5_000, "\n" * 5_000):
        path.write_text(start + SMALL)
        with pytest.raises(DamagedError, match=r"line [\d,]+ (must be shorter than|is far from the start)"):
            read_arpa(path)
        assert not begins_as_arpa(path) or len(start) < 1 << 16


@pytest.mark.parametrize("compress", [gzip.compress, bz2.compress, lzma.compress])
def test_compressed_files_are_read(compress, read):
    model, vocabulary, _ = read(compress(SMALL.encode()))
    assert scores(model, vocabulary, [["a"]]) == pytest.approx([-0.1 * LN10, -0.3 * LN10], rel=1e-6)


def test_other_files_are_none(tmp_path):
    (tmp_path / "text").write_text("some words\n" * 1000)
    assert not begins_as_arpa(tmp_path / "text")
    assert not begins_as_arpa(tmp_path / "none")
    assert not begins_as_arpa(tmp_path)
    with pytest.raises(RnnlmError, match="could not be read: no such file"):
        read_arpa(tmp_path / "none")
    with pytest.raises(RnnlmError, match="could not be read"):
        read_arpa(tmp_path)
    (tmp_path / "cut.gz").write_bytes(gzip.compress(SMALL.encode())[:-12])
    with pytest.raises(RnnlmError, match="is damaged and cannot be decompressed"):
        read_arpa(tmp_path / "cut.gz")


def test_kenlm_says_the_same(tmp_path):
    kenlm = pytest.importorskip("kenlm")
    found = closed(ngrams(4))
    assert {len(ngram) for ngram in found} == {1, 2, 3, 4}
    path = tmp_path / "some.arpa"
    path.write_text(kenlm_text(found))
    model, vocabulary = read_arpa(path)
    theirs = [row[0] for line in LINES for row in kenlm.Model(str(path)).full_scores(" ".join(line))]
    np.testing.assert_allclose(scores(model, vocabulary) / LN10, theirs, atol=1e-5)


def test_without_unk_kenlm_says_the_same_of_words_after_unknown_ones(tmp_path):
    kenlm = pytest.importorskip("kenlm")
    found = {ngram: values for ngram, values in closed(ngrams(4)).items() if "<unk>" not in ngram}
    path, lines = tmp_path / "some.arpa", ["the zebra cat sat", "zebra sat on zebra zebra the cat", "zebra", "the cat"]
    path.write_text(kenlm_text(found), encoding="utf-8")
    model, vocabulary = read_arpa(path)
    text = encode_text("".join(f"{line}\n" for line in lines), vocabulary)
    ours = token_log_probs(model, text, vocabulary.eos_id) / LN10
    theirs = np.array([row[0] for line in lines for row in kenlm.Model(str(path)).full_scores(line)])
    assert np.flatnonzero(np.isnan(ours)).tolist() == np.flatnonzero(theirs < -90).tolist() == [1, 5, 8, 9, 13]
    np.testing.assert_allclose(ours[theirs > -90], theirs[theirs > -90], atol=1e-5)
