import copy
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sacremoses import MosesDetokenizer, MosesTokenizer

from rnnlm.errors import ArgumentError, RnnlmError
from rnnlm.formats.model_file import load_model, save_model
from rnnlm.models import LanguageModel
from rnnlm.text import split_words
from rnnlm.text.choose_tokenizer import tokenizer_from, words_tokenizer
from rnnlm.text.split_words import SplitWords
from rnnlm.text.tokenizer import CHARACTERS, WORDS, Words
from rnnlm.text.vocabulary import Vocabulary

SPLIT = SplitWords()


@pytest.mark.parametrize(("text", "tokens"), [
    ('"I don\'t," said Mr. Smith, "know (yet)."', '" I don \'t , " said Mr. Smith , " know ( yet ) . "'),
    ("It cost $3.88, or 1,000.5; the end. He left", "It cost $ 3.88 , or 1,000.5 ; the end . He left"),
    ("the end. he left", "the end. he left"),  # a small letter follows: an abbreviation
    ("pp. 12 and No. 7", "pp. 12 and No. 7"),
    ("well-known -- but... e.g. U.S. 'x' dogs' it's", "well-known -- but ... e.g. U.S. ' x ' dogs ' it 's"),
    ("Don\u2019t \u201cgo\u201d", "Don \u2019t \u201c go \u201d"),  # curly marks as straight ones
    ("<unk> <eos> a\u00a0b, \x01c! DOTDOTMULTI", "<unk> < eos > a b , \x01c! DOTDOTMULTI"),
])
def test_words_and_punctuation_come_apart(text, tokens):
    assert SPLIT.split(text + "\n\n") == [*tokens.split(" "), "\n", "\n"]


def test_lower_case_comes_after_the_split():
    split = words_tokenizer(True, True).split("Mr. EOS <EOS> Don't\n")
    assert split == ["mr.", "eos", "<", "eos", ">", "don", "'t", "\n"]
    assert words_tokenizer(True).split("Mr. <EOS> Don't \u0130\n") == ["mr.", "<EOS>", "don't", "i\u0307", "\n"]


SENTENCES = """The man's dog, which (he said) "never barks", barked. Then 3.5 of 1,000 dogs did! Wasn't it No. 5?
Dr. Who isn't here; she's gone -- e.g. to the U.S. or to 'Rome'. "Really?" asked O'Neill.
""".splitlines()


def test_the_tokens_are_those_of_the_package_but_for_marks_at_the_edges_of_a_line():
    moses = MosesTokenizer("en")
    for line in SENTENCES:
        assert SPLIT.split(f"x {line} X\n")[1:-2] == moses.tokenize(f"x {line} X", escape=False)[1:-1]


@settings(max_examples=150, deadline=None)
@given(st.text(st.sampled_from("aB 1.,'\"-\u2019!?()$\n\t")))
def test_no_letter_is_lost_and_each_word_owns_its_tokens(text):
    text += "\n"
    tokens, starts = SPLIT.split(text), SPLIT.word_starts(text).tolist()
    words = ["".join(tokens[start:stop]) for start, stop in zip(starts, [*starts[1:], None], strict=True)]
    assert words == WORDS.split(text)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from(["a", "dogs", "'", '"', "'s", *".,()$\u201c-", "``", "--", "<unk>"])))
def test_tokens_are_joined_as_the_package_joins_the_whole_line(tokens):
    assert "".join(SPLIT.join([*tokens, "\n"])) == MosesDetokenizer("en").detokenize(tokens, unescape=False) + "\n"


@settings(max_examples=300, deadline=None)
@given(st.text(st.sampled_from("aB1.,'\"-\u2019!?()$"), min_size=1))
def test_only_a_full_stop_at_its_end_lets_a_word_depend_on_the_next(word):
    """So a text may be cut after any other character (rnnlm/text/lines.py)."""
    split = [split_words._split(word, following) for following in "x0X"]
    assert word.endswith(".") or split[0] == split[1] == split[2]


def test_what_is_joined_is_the_usual_english():
    for line in SENTENCES:
        assert "".join(SPLIT.join(SPLIT.split(f"{line}\n{line}\n"))) == f"{line}\n{line}\n"


@pytest.mark.parametrize("line", [
    "\u201cCurly quotes,\u201d she said, \u201caren\u2019t so easy.\u201d",
    "\u2018Yes,\u2019 he said; \u2018a dog\u2019s life.\u2019"])
def test_curly_marks_are_joined_as_straight_ones(line):
    assert "".join(SPLIT.join(SPLIT.split(f"{line}\n"))) == f"{line}\n"


def test_no_token_is_changed_by_joining():  # the package takes @-@ as its own mark for -
    assert list(SPLIT.join(["a", "@-@", "b", "\n"])) == ["a", "@-@", "b", "\n"]


def test_words_that_were_seen_are_kept_up_to_a_limit(monkeypatch):
    monkeypatch.setattr(split_words, "MOST_KNOWN", 3)
    tokenizer = SplitWords()
    assert tokenizer.split("a, b, c, d, a,\n") == [*"a,b,c,d,a,", "\n"]
    assert len(tokenizer._known) <= 3


def test_a_tokenizer_is_known_by_what_it_does():
    kinds = [WORDS, CHARACTERS, Words(True), SPLIT, SplitWords(True)]
    assert len({kind.fingerprint() for kind in kinds}) == len(set(kinds)) == 5
    for kind in kinds:
        assert tokenizer_from(kind.description()) == kind == pickle.loads(pickle.dumps(kind)) == copy.deepcopy(kind)
    assert words_tokenizer() is WORDS
    with pytest.raises(ArgumentError, match="lowercase must be True or False"):
        Words("yes")


@pytest.mark.parametrize("header", [
    {"level": "char", "tokenizer": {"lowercase": True}}, {"level": "word", "tokenizer": {}},
    {"level": "word", "tokenizer": ["lowercase"]}, {"level": "word", "tokenizer": {"lowercase": False}},
    {"level": "word", "tokenizer": {"lowercase": True, "punctuation": "ptb"}}])
def test_an_unknown_tokenizer_is_refused(header):
    with pytest.raises(ArgumentError, match="tokenizer must be one that this version of rnnlm knows, got"):
        tokenizer_from(header)


@pytest.mark.parametrize("counts", [None, [3, 2, 1]])
@pytest.mark.parametrize("tokenizer", [Words(True), SPLIT, SplitWords(True)])
def test_a_model_file_has_the_tokenizer(tmp_path, tokenizer, counts):
    model = LanguageModel(3, 2, 2, rng=np.random.default_rng(0), cell="gru-textbook")
    save_model(tmp_path / "m.npz", model, Vocabulary(["<eos>", "a", ","], tokenizer, counts))
    again, vocabulary = load_model(tmp_path / "m.npz")
    assert vocabulary.tokenizer == tokenizer
    assert (vocabulary.counts is None) == (counts is None)
    assert dict(again.architecture) == dict(model.architecture)


def test_without_the_package_one_line_names_the_extra(monkeypatch):
    split_words._moses.cache_clear()
    monkeypatch.setitem(__import__("sys").modules, "sacremoses", None)
    with pytest.raises(RnnlmError, match=r"^--split-punctuation needs the package sacremoses, which is not "
                                          r"installed: pip install 'numpy-rnnlm\[punctuation\]'$"):
        SplitWords().split("a, b\n")
    split_words._moses.cache_clear()
