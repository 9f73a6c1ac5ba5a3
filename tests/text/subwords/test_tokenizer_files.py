import json
import sys

import pytest
from conftest import REPOSITORY

from rnnlm.errors import DamagedError, RnnlmError
from rnnlm.text.subwords.byte_level import Subwords
from rnnlm.text.subwords.files import read_tokenizer

sys.path.insert(0, str(REPOSITORY / "tests/robustness"))

from mutate_files import tokenizer_json

TEXT = "the cat sat on the mat . naïve 日本 🦊\n" * 4
SUBWORDS = Subwords.train([TEXT], 275)
MERGES = [" ".join(pair) for pair in tokenizer_json(SUBWORDS)["model"]["merges"]]


def file_of(folder, value):
    path = folder / "tokenizer.json"
    path.write_text(value if isinstance(value, str) else json.dumps(value), encoding="utf-8")
    return path


def changed(**parts):
    """The good file with some parts of parts changed: model__dropout=0.1."""
    value = tokenizer_json(SUBWORDS)
    for name, part in parts.items():
        *where, last = name.split("__")
        owner = value
        for key in where:
            owner = owner[key]
        owner[last] = part
    return value


def test_what_the_library_saves_is_read(tmp_path):
    import tokenizers

    made = tokenizers.Tokenizer(tokenizers.models.BPE())
    made.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = tokenizers.decoders.ByteLevel()
    made.train_from_iterator(TEXT.split("\n"), tokenizers.trainers.BpeTrainer(
        vocab_size=274, min_frequency=2, special_tokens=["<|endoftext|>"], show_progress=False,
        initial_alphabet=tokenizers.pre_tokenizers.ByteLevel.alphabet()))
    made.save(str(tmp_path / "tokenizer.json"))
    found, notes = read_tokenizer(tmp_path / "tokenizer.json")
    line = "the naïve cat 日本 <|endoftext|> sat\n"
    made.encode_special_tokens = True
    assert found.split(line) == [*made.encode(line[:-1]).tokens, "\n"]
    assert notes == ["left out of the tokenizer, and read as any text: <|endoftext|> (1 entry)"]


@pytest.mark.parametrize("value", [
    tokenizer_json(SUBWORDS), changed(model__merges=MERGES),
    changed(post_processor={"type": "ByteLevel"}, truncation={"max_length": 3}, model__unk_token="<unk>")])
def test_a_file_gives_its_subwords(value, tmp_path):
    path = file_of(tmp_path, value)
    assert read_tokenizer(path) == (SUBWORDS, [])
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert read_tokenizer(path) == (SUBWORDS, [])


def test_a_blank_before_a_text_is_noted(tmp_path):
    _, notes = read_tokenizer(file_of(tmp_path, changed(pre_tokenizer__add_prefix_space=True)))
    assert notes == ["the tokenizer puts a blank before each text; here a line is read as it is"]


@pytest.mark.parametrize(("value", "rule"), [
    ("", "it is no JSON object"), ("[]", "it is no JSON object"), ("{", "it is not JSON"),
    ('{"a": NaN}', "it holds NaN"),
    ("{}", "it must have an object model"), ('{"model": {}, "model": {}}', "the key 'model' twice"),
    (changed(model__type="Unigram"), "its model must be BPE, found 'Unigram'"),
    (changed(model__type="WordPiece"), "its model must be BPE"),
    (changed(normalizer={"type": "NFKC"}), "its normalizer must be null, as it would change the text"),
    (changed(pre_tokenizer=None), "its pre_tokenizer must be ByteLevel with use_regex"),
    (changed(pre_tokenizer={"type": "Metaspace"}), "its pre_tokenizer must be ByteLevel"),
    (changed(pre_tokenizer__use_regex=False), "ByteLevel with use_regex"),
    (changed(model__dropout=0.1), "dropout of its model must be 0.0, found 0.1"),
    (changed(model__ignore_merges=True), "ignore_merges of its model must be False"),
    (changed(model__end_of_word_suffix="</w>"), "end_of_word_suffix of its model must be ''"),
    (changed(model__merges={}), "merges must be a list"),
    (changed(model__merges=["a b c"]), "a merge must be two pieces"),
    (changed(model__merges=[["a", 1]]), "a merge must be two pieces"), (changed(model__merges=["zz a"]), "is no byte"),
    (changed(model__merges=["a b", "a b"]), "no others than those"),
    (changed(model__vocab={}), "all 256 bytes, it lacks"),
    (changed(model__vocab={"a": 1}), "it lacks 255"),
    (changed(model__merges=["q q"]), "must hold what its merges make"),
    (changed(added_tokens=3), "its added_tokens must be a list"),
])
def test_other_files_are_refused_in_one_line(value, rule, tmp_path):
    with pytest.raises(DamagedError, match=rule) as caught:
        read_tokenizer(file_of(tmp_path, value))
    assert str(caught.value).isprintable() and "tokenizer.json with byte-level BPE" in str(caught.value)


def test_a_file_that_cannot_be_read_is_refused(tmp_path, monkeypatch):
    for path in (tmp_path / "missing", tmp_path):
        with pytest.raises(RnnlmError, match="must be a file with a tokenizer"):
            read_tokenizer(path)
    (tmp_path / "binary").write_bytes(b"\xff\xfe{")
    with pytest.raises(DamagedError, match="it is no text"):
        read_tokenizer(tmp_path / "binary")
    monkeypatch.setattr("rnnlm.text.subwords.files.LARGEST_FILE", 100)
    with pytest.raises(DamagedError, match="at most 100 bytes"):
        read_tokenizer(file_of(tmp_path, tokenizer_json(SUBWORDS)))
