"""Subwords of sentencepiece; the files are made here, by the rules of protobuf."""

import copy
import pickle
import random
import struct
import sys

import numpy as np
import pytest
from conftest import REPOSITORY
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnlm.errors import DamagedError, RnnlmError
from rnnlm.files.protobuf import fields
from rnnlm.formats.model_file import load_model, save_model
from rnnlm.models import LanguageModel
from rnnlm.text.choose_tokenizer import stored_arrays, tokenizer_from
from rnnlm.text.spelled import spelled_string
from rnnlm.text.subwords.files import read_tokenizer
from rnnlm.text.subwords.sentencepieces import BYTE_NAMES, KIND, SentencePieces, merges_between
from rnnlm.text.vocabulary import EOS, Vocabulary

sys.path.insert(0, str(REPOSITORY / "tests/robustness"))

import mutate_files

PIECES = ["▁t", "he", "▁the", "at", "▁c", "▁cat", "▁▁", *"▁thecas"]  # the likeliest first
TOKENIZER = SentencePieces(PIECES)


def varint(value):
    return bytes([value]) if value < 128 else bytes([value % 128 + 128]) + varint(value // 128)


def field(number, value):
    if isinstance(value, float):
        return varint(8 * number + 5) + struct.pack("<f", value)
    if isinstance(value, int):
        return varint(8 * number) + varint(value)
    return varint(8 * number + 2) + varint(len(value)) + value


def piece(text, score=0.0, kind=None):
    return field(1, field(1, text.encode()) + field(2, score) + (b"" if kind is None else field(3, kind)))


def model(pieces=PIECES, trainer=None, normalizer=None, more=b""):
    """A file as sentencepiece writes it, with byte fallback and nothing normalised."""
    data = piece("<unk>", kind=2) + piece("<s>", kind=3) + piece("</s>", kind=3)
    data += b"".join(piece(name, kind=6) for name in BYTE_NAMES)
    data += b"".join(piece(text, -float(rank)) for rank, text in enumerate(pieces))
    for number, values in ((2, {3: 2, 35: 1} | (trainer or {})),
                           (3, {1: b"identity", 3: 0, 4: 0} | (normalizer or {}))):
        data += field(number, b"".join(field(key, value) for key, value in values.items()))
    return data + more


def file_of(folder, data):
    (folder / "bpe.model").write_bytes(data)
    return folder / "bpe.model"


def test_fields_of_every_type_are_read():
    data = field(1, 300) + field(16, b"abc") + field(2, 0.5) + varint(8 * 3 + 1) + struct.pack("<d", 0.25)
    assert list(fields(data)) == [(1, 300), (16, b"abc"), (2, 0.5), (3, 0.25)]


@pytest.mark.parametrize(("data", "rule"), [
    (b"\x0a\x05abc", "cut short"), (b"\x08\xff", "cut short"), (b"\x15ab", "cut short"), (b"\x0b", "unknown type 3"),
    (b"\x08" + b"\xff" * 10 + b"\x01", "more than 64 bits"), (b"\x0a\xff\xff\xff\xff\x0f", "cut short")])
def test_what_is_no_message_is_refused(data, rule):
    with pytest.raises(ValueError, match=rule):
        list(fields(data))


def test_the_likeliest_piece_is_merged_first():
    # "the" without a blank: t + he, and no piece is t + he; "▁t" + "he" is one
    assert TOKENIZER.split("the the cat\n") == ["t", "he", "▁the", "▁cat", "\n"]
    assert TOKENIZER.split("  é\n") == ["▁▁", "<0xC3>", "<0xA9>", "\n"]
    assert merges_between(["ab", "abc", "bc", "a", "b", "c"]).tolist() == [
        [259, 260], [256, 261], [259, 258], [260, 261]]  # ab; ab + c before a + bc; bc


def test_a_file_is_read_by_falling_scores(tmp_path):
    tokenizer, notes = read_tokenizer(file_of(tmp_path, model()))
    assert tokenizer == TOKENIZER and notes == []
    shuffled = b"".join(piece(text, -float(rank)) for rank, text in reversed(list(enumerate(PIECES))))
    assert read_tokenizer(file_of(tmp_path, model([], more=shuffled)))[0] == TOKENIZER


def test_what_is_otherwise_here_is_noted(tmp_path):
    _, notes = read_tokenizer(file_of(tmp_path, model(trainer={35: 0}, normalizer={3: 1, 4: 1})))
    assert [note.split(";")[0] for note in notes] == [
        "the tokenizer puts a blank before each text",
        "the tokenizer removes blanks at the edges, and all but one in a row",
        "the tokenizer reads characters that it lacks as <unk>"]


@pytest.mark.parametrize(("data", "rule"), [
    (model(trainer={3: 1}), "it must be a BPE model"), (model(normalizer={2: b"x"}), "it must not normalise"),
    (model(normalizer={5: 0}), "its pieces must begin with the blank"),
    (model(trainer={24: 1}), "its pieces must begin with the blank"),
    (model(more=piece("x", kind=4)), "no pieces that its user defined"), (model()[:-3], "cut short"),
    (model(["ab", "a"]), "must be made of two others, got 'ab'"), (model(["a", "a"]), "once each"),
    (model(["a▁b"]), "a piece must be a string"), (model(["a\nb"]), "a piece must be"),
    (model([""]), "a piece must be"),
    (model([EOS]), "no name of another token"), (model(["<0x41>"]), "no name of another"),
    (model(more=field(1, 7)), "it is damaged"), (model(more=field(1, field(1, b"\xff"))), "not UTF-8"),
    (model(more=field(1, field(1, 3))), "a damaged piece"), (model(more=piece("x", float("nan"))), "a damaged piece")])
def test_other_models_are_refused_in_one_line(data, rule, tmp_path):
    with pytest.raises(DamagedError, match=rule) as caught:
        read_tokenizer(file_of(tmp_path, data))
    assert str(caught.value).isprintable() and "must be a BPE model of sentencepiece" in str(caught.value)


def test_damaged_files_are_read_or_refused(tmp_path):
    choose, refused = random.Random(7), 0
    for _ in range(200):
        try:
            tokenizer, _ = read_tokenizer(file_of(tmp_path, mutate_files.mutated(model(), choose)))
            tokenizer.split("the é cat\n")
        except RnnlmError as error:
            refused += 1
            assert str(error).isprintable()
    assert 20 < refused < 200


def test_pieces_that_are_made_in_too_many_ways_are_refused():
    with pytest.raises(ValueError, match="at most 16 ways on average"):
        SentencePieces(["a" * size for size in range(1, 100)])


@settings(max_examples=100, deadline=None)
@given(st.text(st.one_of(st.sampled_from(" \t\rthecat<0x41>\n\u00a0é日👍"), st.characters(
    exclude_categories=["Cs"], exclude_characters="\0▁")), max_size=40))
def test_any_text_without_the_blank_sign_comes_back(text):
    text += "\n"
    tokens = TOKENIZER.split(text)
    assert "".join(TOKENIZER.join(tokens)) == text
    library = TOKENIZER._dictionary.encode.__self__.tokenizer
    assert tokens == [token for line in text.split("\n")[:-1]
                      for token in [*library.encode(line.replace(" ", "▁")).tokens, "\n"]]


def test_the_blank_sign_becomes_a_blank():
    assert "".join(TOKENIZER.join(TOKENIZER.split("a▁b\n"))) == "a b\n"


def test_a_blank_that_no_piece_has_comes_back():
    bare = SentencePieces(["a", "b", "ab"])
    assert bare.split("ab  b\n") == ["ab", *["<0xE2>", "<0x96>", "<0x81>"] * 2, "b", "\n"]
    assert "".join(bare.join(bare.split("ab  b\n"))) == "ab  b\n"


def test_words_have_the_blank_before_them():
    (part,) = spelled_string("the  cat é \n", Vocabulary.from_counts({EOS: 1}, TOKENIZER))
    assert part.words() == ["the", "cat", "é", EOS]
    assert [part.piece_names()[start] for start in part.starts] == ["t", " ", " ", " "]


def test_a_model_file_holds_the_pieces(tmp_path):
    vocabulary = Vocabulary.from_counts({EOS: 1}, TOKENIZER)
    save_model(tmp_path / "model.npz", LanguageModel(len(vocabulary), 1, 2, rng=np.random.default_rng(0)), vocabulary)
    loaded = load_model(tmp_path / "model.npz")[1]
    assert loaded.tokenizer == TOKENIZER and loaded.fingerprint() == vocabulary.fingerprint()
    for other in (copy.deepcopy(loaded.tokenizer), pickle.loads(pickle.dumps(loaded.tokenizer))):
        assert other == TOKENIZER and other.split("the\n") == TOKENIZER.split("the\n")


@pytest.mark.parametrize(("content", "rule"), [
    (b"\xff", "not UTF-8"), (b"", "a piece must be a string"), (b"a\na", "once each"), (b"ab", "of two others")])
def test_stored_pieces_are_read_without_trust(content, rule):
    header = {"level": "subword", "tokenizer": {"kind": KIND, "bytes": len(content)}}
    arrays = stored_arrays(header, 300)
    arrays["pieces"][...] = np.frombuffer(content, np.uint8)
    with pytest.raises(ValueError, match=rule):
        tokenizer_from(header, arrays)
    with pytest.raises(ValueError, match="bytes must be"):
        stored_arrays({"level": "subword", "tokenizer": {"kind": KIND, "bytes": 1 << 40}}, 300)
