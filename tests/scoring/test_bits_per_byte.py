"""Bits per byte: what compares models whose tokens differ."""

import math

import numpy as np
import pytest

import rnnlm
from rnnlm.errors import ArgumentError, RnnlmError
from rnnlm.formats.loaded import Loaded
from rnnlm.models import LanguageModel
from rnnlm.scoring.spelling import Spelling
from rnnlm.text.corpus import load_corpus, read_text
from rnnlm.text.split_words import SplitWords
from rnnlm.text.subwords.byte_level import Subwords
from rnnlm.text.tokenizer import Words
from rnnlm.text.vocabulary import Vocabulary

WORDS = ["<eos>", "<unk>", "the", "dog", "caf\u00e9"]


def loaded(words=WORDS, tokenizer="word"):
    model = LanguageModel(len(words), 3, 3, rng=np.random.default_rng(0))  # output biases of 0, small weights
    return Loaded(model, Vocabulary(words, tokenizer))


def lost(path, vocabulary):
    return read_text(path, vocabulary).all_lost


@pytest.mark.parametrize(("text", "found"), [
    ("the dog\n\nthe caf\u00e9 dog\n", ()), ("the dog", ()),  # the line end that lacks counts
    ("the  dog\n", ("blanks",)), (" the dog\n", ("blanks",)), ("the\tdog \n", ("blanks",)),
    ("the dog\r\n", ("carriage returns",)), ("the dog \r\ncat\n", ("unknown words", "blanks", "carriage returns")),
    ("the cat\n", ("unknown words",)), ("the  cat\n", ("unknown words", "blanks")), ("<unk> dog\n", ()), ("\n", ())])
def test_what_the_words_do_not_tell_of_a_text(tmp_path, text, found):
    (tmp_path / "a.txt").write_bytes(text.encode())
    assert lost(tmp_path / "a.txt", Vocabulary(WORDS)) == found


def test_what_other_tokenizers_lose(tmp_path):
    (tmp_path / "a.txt").write_text("the dog\n")
    assert lost(tmp_path / "a.txt", Vocabulary(WORDS, Words(True))) == ("capitals",)
    assert lost(tmp_path / "a.txt", Vocabulary(WORDS, SplitWords())) == ("blanks",)
    assert lost(tmp_path / "a.txt", Vocabulary(WORDS, SplitWords(True))) == ("capitals", "blanks")
    (tmp_path / "b.txt").write_text("  a \t\n")
    assert lost(tmp_path / "b.txt", Vocabulary(["<eos>", "a", " ", "\t"], "char")) == ()


def test_every_tokenizer_loses_the_cr_of_crlf_and_no_other_cr(tmp_path):
    pieces = Subwords.train(["a\n"], 257)
    for text, cr in (("a a\na\r\n", ("carriage returns",)), ("a\ra\n", ())):
        (tmp_path / "a.txt").write_bytes(text.encode())
        assert lost(tmp_path / "a.txt", Vocabulary(["<eos>", "a", " ", "\r"], "char")) == cr
        assert lost(tmp_path / "a.txt", Vocabulary(["<eos>", *pieces.tokens], pieces)) == cr
        assert lost(tmp_path / "a.txt", Vocabulary(["<eos>", "a"], SplitWords())) == ("blanks", *cr)


@pytest.mark.parametrize("through_the_cache", [False, True])
def test_each_text_of_a_split_corpus_knows_what_it_lost(tmp_path, monkeypatch, through_the_cache):
    if through_the_cache:
        monkeypatch.setenv("RNNLM_CACHE", str(tmp_path / "cache"))
        monkeypatch.setattr("rnnlm.text.numbered_cache.LONG", 0)
    path = tmp_path / "a.txt"
    path.write_bytes(b"\xef\xbb\xbfa b\n" * 95 + b"\xef\xbb\xbfa b\r\n" * 5)  # each mark but the first is a character
    for _ in range(2):
        corpus = load_corpus(path, "char")
        assert [(text.bytes, text.lost) for text in (corpus.valid, corpus.test)] == [
            (35, ()), (40, ("carriage returns",))]
        assert lost(path, corpus.vocabulary) == ("carriage returns",)


def test_bits_are_spread_over_the_bytes_of_the_file(tmp_path):
    (tmp_path / "a.txt").write_text("the caf\u00e9 dog\n")
    result = loaded().evaluate(tmp_path / "a.txt")
    assert result.bytes == 14
    assert result.bits_per_byte == pytest.approx(-result.log_prob / math.log(2) / 14)
    assert (result.lost, result.spelling) == ((), None)


def test_the_spelling_of_unknown_words_is_charged_each_time(tmp_path):
    (tmp_path / "a.txt").write_text("cat the cat zoo\n")
    plain, charged = (loaded().evaluate(tmp_path / "a.txt", charge_unknown=charge) for charge in (False, True))
    spelling = Spelling(["the", "dog", "caf\u00e9"])
    nats = 2 * spelling.nats("cat") + spelling.nats("zoo")
    assert charged.spelling == pytest.approx(-nats)
    assert (plain.lost, charged.lost) == (("unknown words",), ())
    assert charged.log_prob == plain.log_prob
    assert charged.bits_per_byte - plain.bits_per_byte == pytest.approx(nats / math.log(2) / 16)


def test_rows_of_sentences_and_texts_agree_with_the_whole(tmp_path):
    (tmp_path / "a.txt").write_text("cat the\ndog\nzoo zoo\n")
    model = loaded()
    whole = model.evaluate(tmp_path / "a.txt", charge_unknown=True).bits_per_byte
    (text,) = model.score(tmp_path / "a.txt", by="text", charge_unknown=True)
    lines = model.score(tmp_path / "a.txt", by="sentence", charge_unknown=True)
    assert text["bits_per_byte"] == pytest.approx(whole, abs=1e-6)
    assert (lines["bits_per_byte"] * [8, 4, 8]).sum() == pytest.approx(20 * whole, abs=1e-5)
    plain = model.score(tmp_path / "a.txt", by="sentence")["bits_per_byte"]
    assert np.isnan(plain).tolist() == [True, False, True]


def test_without_unk_nothing_predicts_unknown_words(tmp_path):
    (tmp_path / "a.txt").write_text("the cat\n")
    model = loaded([word for word in WORDS if word != "<unk>"])
    assert model.evaluate(tmp_path / "a.txt").lost == ("unknown words",)
    with pytest.raises(RnnlmError, match="of 1 unknown word cannot be charged, as the vocabulary has no <unk>"):
        model.evaluate(tmp_path / "a.txt", charge_unknown=True)
    (tmp_path / "a.txt").write_text("the dog\n")
    assert model.evaluate(tmp_path / "a.txt", charge_unknown=True).spelling == 0
    assert np.isnan(model.score("the cat\n", by="text", charge_unknown=True)["bits_per_byte"]).all()


def test_words_have_no_bits_per_byte_of_their_own():
    with pytest.raises(ArgumentError, match="spelling of unknown words is charged in sums: give by='sentence'"):
        loaded().score("the\n", charge_unknown=True)


def test_characters_and_words_of_one_text_can_be_compared(tmp_path):
    (tmp_path / "text.txt").write_text("the dog saw the cat .\n" * 40)
    options = {"epochs": 1, "hidden_size": 8, "batch_size": 4}
    runs = [rnnlm.train(tmp_path / "text.txt", output=tmp_path / level, level=level, **options)
            for level in ("word", "char")]
    assert all(run.test.bytes in (44, 66) and run.test.lost == () for run in runs)
    assert all(0 < run.test.bits_per_byte < 8 for run in runs)
