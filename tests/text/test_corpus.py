import gzip
import json

import numpy as np
import pytest

from rnnlm.errors import RnnlmError
from rnnlm.text.corpora import known_corpora
from rnnlm.text.corpus import load_corpus, read_text
from rnnlm.text.encoded import encode_text
from rnnlm.text.vocabulary import Vocabulary

KNOWN = ", ".join(sorted(known_corpora()))


def folder(tmp_path, train, valid="a\n", test="a\n", names="{}.txt"):
    for split, text in (("train", train), ("valid", valid), ("test", test)):
        (tmp_path / names.format(split)).write_text(text, encoding="utf-8")
    return tmp_path


def words(corpus, ids):
    return " ".join(corpus.vocabulary.words[i] for i in ids)


@pytest.mark.parametrize("names", ["{}.txt", "ptb.{}.txt", "wiki.{}.tokens"])
def test_a_folder_is_read_and_every_line_end_is_eos(tmp_path, names):
    corpus = load_corpus(str(folder(tmp_path, "b a\na b a\n", "b\n\na", "a a\n", names)))
    assert corpus.vocabulary.words == ["a", "b", "<eos>"]
    assert words(corpus, corpus.train) == "b a <eos> a b a <eos>"
    assert words(corpus, corpus.valid.ids) == "b <eos> <eos> a <eos>"
    assert (corpus.valid.words, corpus.valid.sentences, corpus.valid.oov) == (2, 3, 0)
    assert corpus.train.dtype == np.int32
    assert corpus.name == tmp_path.name


def test_the_vocabulary_comes_from_the_training_text_alone(tmp_path):
    corpus = load_corpus(str(folder(tmp_path, "a a\n", "z z z a\n", "z\n")))
    assert corpus.vocabulary.words == ["a", "<eos>"]


def test_words_seen_once_become_unk_and_it_is_said(tmp_path):
    corpus = load_corpus(str(folder(tmp_path, "a a rare\n", "a new\n")))
    assert words(corpus, corpus.train) == "a a <unk> <eos>"
    assert words(corpus, corpus.valid.ids) == "a <unk> <eos>"
    assert corpus.valid.is_oov.tolist() == [False, True, False]
    assert corpus.valid.oov == 1
    assert any("1 word of the training text became <unk>: seen fewer than 2 times" in n for n in corpus.notes)
    assert "1 of the 2 words in the validation text is not in the vocabulary: read as <unk>" in corpus.notes


def test_a_text_with_unk_keeps_its_rare_words_unless_told_otherwise(tmp_path):
    path = str(folder(tmp_path, "a a <unk> rare\n", "a <unk> new\n"))
    corpus = load_corpus(path)
    assert words(corpus, corpus.train) == "a a <unk> rare <eos>"
    assert corpus.valid.is_oov.tolist() == [False, False, True, False]  # <unk> as written is an ordinary word
    assert load_corpus(path, min_count=2).vocabulary.words == ["a", "<unk>", "<eos>"]


def test_without_unk_unknown_words_are_counted_and_left_out(tmp_path):
    corpus = load_corpus(str(folder(tmp_path, "a a\nb b\n", "a new b\n")))
    assert corpus.vocabulary.unk_id is None
    assert words(corpus, corpus.valid.ids) == "a b <eos>"
    assert (corpus.valid.words, corpus.valid.sentences, corpus.valid.oov) == (3, 1, 1)
    assert any("left out" in note for note in corpus.notes)


def test_the_size_of_the_vocabulary_can_be_limited(tmp_path):
    corpus = load_corpus(str(folder(tmp_path, "a a a b b c\n")), max_vocab=3)
    assert set(corpus.vocabulary.words) == {"a", "<eos>", "<unk>"}
    assert words(corpus, corpus.train) == "a a a <unk> <unk> <unk> <eos>"


def test_max_tokens_cuts_the_training_text_before_the_vocabulary_is_made(tmp_path):
    corpus = load_corpus(str(folder(tmp_path, "a a\nb b\n")), max_tokens=3)
    assert words(corpus, corpus.train) == "a a <eos>"
    assert corpus.vocabulary.words == ["a", "<eos>"]


def test_characters(tmp_path):
    corpus = load_corpus(str(folder(tmp_path, "ab a\n", "b a\n", "aé\n")), level="char")
    assert corpus.vocabulary.words == ["a", "b", " ", "<eos>"]
    assert corpus.vocabulary.unk_id is None
    assert (corpus.test.words, corpus.test.oov, corpus.test.ids.size) == (2, 1, 2)


def test_one_file_is_split_in_order_at_line_ends_and_it_is_said(tmp_path):
    path = tmp_path / "book.txt"
    path.write_text("".join(f"{'a b c d'}\n" for _ in range(200)))
    corpus = load_corpus(str(path))
    assert (corpus.train.size, corpus.valid.ids.size, corpus.test.ids.size) == (900, 50, 50)
    assert corpus.name == "book"
    for ids in (corpus.train, corpus.valid.ids, corpus.test.ids):
        assert corpus.vocabulary.words[ids[-1]] == "<eos>"
    assert corpus.notes[0] == "one file, split in order at line ends 90/5/5"


def test_one_long_line_is_split_between_words(tmp_path):
    path = tmp_path / "line.txt"
    path.write_text("a b " * 50)
    corpus = load_corpus(str(path))
    assert (corpus.train.size, corpus.valid.ids.size, corpus.test.ids.size) == (90, 5, 6)
    assert "between words, because it has few line ends" in corpus.notes[0]
    assert "the test text has only 6 tokens: its perplexity is unreliable" in corpus.notes
    assert "<eos>" in corpus.vocabulary.words


@pytest.mark.parametrize(("prepare", "message"), [
    (lambda path: folder(path, ""), "the training text is empty"),
    (lambda path: folder(path, "a\n", valid=""), "the validation text is empty; it must hold"),
    (lambda path: folder(path, "a\n", names="{}.text"), "must hold one text named train.txt.* found none"),
    (lambda path: (folder(path, "a\n"), (path / "corpus.json").write_text("{")), "corpus.json must be JSON"),
    (lambda path: (path / "corpus.json").write_text("[" * 100_000),
     "corpus.json must be JSON: it is nested too deeply"),
    (lambda path: (path / "corpus.json").write_text(" " * (1 << 20) + "{}"), "corpus.json must be at most 1,048,576"),
    *((lambda path, text=text: (path / "corpus.json").write_text(text), "is not a valid corpus.json") for text in
      ("[]", '"x"', '{"name": 1}', '{"best_possible": null}', '{"best_possible": {"test": 3}}', '{"files": 3}',
       '{"best_possible": {"test": {"perplexity": Infinity}}}',
       '{"best_possible": {"test": {"perplexity": 1' + "0" * 400 + "}}}",
       '{"best_possible": {"test": {"perplexity": true}}}', '{"best_possible": {"test": {"perplexity": 2e12}}}',
       '{"address": "http://x/", "files": [{"name": "\\u0000", "bytes": 1, "sha256": "0"}]}',
       '{"files": [{}]}', '{"files": [{"name": "a", "bytes": 1, "sha256": "0"}]}',
       '{"address": "http://x/", "files": [{"name": "../a", "bytes": 1, "sha256": "0"}]}')),
])
def test_a_corpus_that_cannot_be_used_is_said_in_one_line(tmp_path, prepare, message):
    prepare(tmp_path)
    with pytest.raises(RnnlmError, match=message):
        load_corpus(str(tmp_path))


@pytest.mark.parametrize(("text", "rule"), [
    ("null", "a value is of another kind than it must be"), ('{"files": [{"name": "a"}]}', "'address' is missing"),
    ('{"best_possible": {"valid": {"perplexity": "5"}}}',
     "best_possible of valid must be a perplexity from 1 to 1e+12")])
def test_what_is_wrong_with_a_corpus_json_is_said_without_python(tmp_path, text, rule):
    (tmp_path / "corpus.json").write_text(text)
    with pytest.raises(RnnlmError) as caught:
        load_corpus(str(tmp_path))
    assert f"is not a valid corpus.json ({rule}); see" in str(caught.value)


def test_a_byte_order_mark_in_a_corpus_json_is_dropped(tmp_path):
    folder(tmp_path, "a b\n" * 3)
    (tmp_path / "corpus.json").write_text('{"name": "mine"}', encoding="utf-8-sig")
    assert load_corpus(str(tmp_path)).name == "mine"


def test_a_file_too_short_to_split_is_refused(tmp_path):
    (tmp_path / "short.txt").write_text("a b c\n")
    with pytest.raises(RnnlmError, match="at least 20 tokens to be split into three texts, got 4"):
        load_corpus(str(tmp_path / "short.txt"))


@pytest.mark.parametrize(("spec", "message"), [
    ("ptbb", rf"no corpus 'ptbb'.*\({KNOWN}\): did you mean ptb\?$"), ("no/such", rf"no corpus.*\({KNOWN}\)$")])
def test_a_corpus_that_is_not_there_lists_the_known_names(spec, message):
    with pytest.raises(RnnlmError, match=message):
        load_corpus(spec)


def test_the_best_possible_perplexity_is_given_only_for_the_text_as_written(tmp_path):
    folder(tmp_path, "a a b b\n", "a\n", "a z\n")
    best = {"valid": {"perplexity": 1.5}, "test": {"perplexity": 2.5}}
    (tmp_path / "corpus.json").write_text(json.dumps({"best_possible": best}))
    assert load_corpus(str(tmp_path)).best_possible == {"valid": 1.5}  # test has an unknown word
    assert load_corpus(str(tmp_path), level="char").best_possible == {}


def test_reading_a_text_with_a_fixed_vocabulary(tmp_path):
    path = tmp_path / "t.txt"
    path.write_text("b z a\n\n")
    text = read_text(path, Vocabulary(["<eos>", "a", "b"]))
    assert text.ids.tolist() == [2, 1, 0, 0]
    assert (text.words, text.sentences, text.oov) == (3, 2, 1)
    text = read_text(path, Vocabulary(["<eos>", "a", "b", "<unk>"]))
    assert text.ids.tolist() == [2, 3, 1, 0, 0]
    assert text.is_oov.tolist() == [False, True, False, False, False]
    path.write_text("")
    with pytest.raises(RnnlmError, match="must hold at least one line of text, but it is empty"):
        read_text(path, Vocabulary(["<eos>"]))


def test_corpora_known_by_name():
    assert {"ptb", "stories"} <= known_corpora().keys()


def test_penn_treebank_is_recorded_as_published():
    about = json.loads((known_corpora()["ptb"] / "corpus.json").read_text())
    assert [(entry["name"], entry["bytes"], entry["sha256"][:8]) for entry in about["files"]] == [
        ("ptb.train.txt", 5101618, "fcea919f"), ("ptb.valid.txt", 399782, "c9fe6985"),
        ("ptb.test.txt", 449945, "dd65dff3")]
    assert about["address"].startswith("https://")


def test_a_folder_of_corpora_that_cannot_be_read_knows_none(monkeypatch):
    import pathlib

    from rnnlm.text.corpora import known_corpora

    def forbidden(path, pattern):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(pathlib.Path, "glob", forbidden)
    assert known_corpora() == {}


MARK = b"\xef\xbb\xbf"


@pytest.mark.parametrize(("data", "size"), [
    (b"a b\nc\n", 6), (b"a b\nc", 6), (b"a\r\nb\r\n", 6), (MARK + b"a\n", 2), (MARK + b"a", 2), (b"\n\n", 2),
    ("ä  € \n".encode(), 9), (b" ", 2), (b"a\r", 3), (b"x" * 50 + b" y\n", 53), (b"a\n" + MARK, 6)])
@pytest.mark.parametrize("level", ["word", "char"])
def test_the_bytes_of_a_text_are_those_of_its_file(data, size, level, tmp_path, monkeypatch):
    vocabulary = Vocabulary(["<eos>", "a"], level)
    path = tmp_path / "t"
    path.write_bytes(data)
    assert read_text(path, vocabulary).bytes == size
    assert encode_text(data.decode(), vocabulary).bytes == size
    monkeypatch.setenv("RNNLM_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("rnnlm.text.numbered_cache.LONG", 0)
    for _ in range(2):  # encoded, then found in the cache
        assert read_text(path, vocabulary).bytes == size
    path.write_bytes(gzip.compress(data))
    assert read_text(path, vocabulary).bytes == size
