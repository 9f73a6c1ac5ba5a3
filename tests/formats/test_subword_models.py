"""Models of subwords in files: what they hold, and what strangers put there."""

import json
import random
import sys
import tracemalloc

import numpy as np
import pytest
from conftest import REPOSITORY
from hostile_files import described, members_of, text_member, zipped

import rnnlm
from rnnlm.errors import DamagedError
from rnnlm.formats.model_file import load_model, model_size, save_model
from rnnlm.models import LanguageModel
from rnnlm.text.subwords.byte_level import KIND, Subwords
from rnnlm.text.vocabulary import Vocabulary

sys.path.insert(0, str(REPOSITORY / "tests/robustness"))

import mutate_files

TEXT = "the cat sat on the mat . naïve 日本 🦊\n" * 4


@pytest.fixture(scope="module")
def vocabulary():
    counts = {"<eos>": 4, "Ġ": 9}
    return Vocabulary.from_counts(counts, Subwords.train([TEXT], 275))


@pytest.fixture
def path(vocabulary, tmp_path):
    model = LanguageModel(len(vocabulary), 1, 2, rng=np.random.default_rng(0))
    save_model(tmp_path / "model.npz", model, vocabulary)
    return tmp_path / "model.npz"


def test_a_model_file_holds_its_subwords(path, vocabulary):
    model, loaded = load_model(path)
    assert loaded.words == vocabulary.words and loaded.tokenizer == vocabulary.tokenizer
    assert loaded.fingerprint() == vocabulary.fingerprint() == model.vocabulary_fingerprint
    assert loaded.tokenizer.split(TEXT) == vocabulary.tokenizer.split(TEXT)
    assert loaded.counts[:2].tolist() == [9, 4]
    with np.load(path) as arrays:
        assert arrays["merges"].shape == (18, 2) and arrays["merges"].dtype == np.int32
        assert json.loads(arrays["header"].tobytes())["tokenizer"] == {"kind": KIND, "merges": 18}
    assert model_size(model, vocabulary) == sum(
        len(content) - 128 for name, content in members_of(path.read_bytes()) if name != "header.npy") + 1


def test_the_fingerprint_tells_tokenizers_apart(vocabulary):
    other = Subwords(vocabulary.tokenizer.merges[::-1][-1:])
    assert other.fingerprint() != vocabulary.tokenizer.fingerprint() != Subwords(other.merges[:0]).fingerprint()
    assert vocabulary.fingerprint() != Vocabulary(vocabulary.words).fingerprint()


def changed(path, header=None, **members):
    """The file with other members; header: a function from the header to another."""
    found = dict(members_of(path.read_bytes()))
    if header:
        about = json.loads(found["header.npy"][128:])
        found["header.npy"] = text_member(json.dumps(header(about)))
    found |= {f"{name}.npy": content for name, content in members.items()}
    path.write_bytes(zipped([(name, content) for name, content in found.items() if content is not None]))


def merges(array, dtype="<i4"):
    array = np.asarray(array, dtype)
    return described(f"'{dtype}'", array.shape, array.tobytes())


@pytest.mark.parametrize(("about", "message"), [
    (None, "it lacks tokenizer"), ("x", "tokenizer must be an object"), ({"kind": KIND}, "tokenizer must be an object"),
    ({"kind": "unigram", "merges": 18}, "tokenizer must be an object with the kind 'byte-level BPE'"),
    ({"kind": KIND, "merges": 18, "normalizer": "NFKC"}, "tokenizer must be an object"),
    ({"kind": KIND, "merges": 10**30}, "merges must be .* from 0 to 550"),
    ({"kind": KIND, "merges": True}, "merges must be"),
    ({"kind": KIND, "merges": 17}, r"merges must be int32 \(17, 2\)"),
])
def test_a_header_that_describes_no_tokenizer_is_refused(about, message, path):
    changed(path, lambda header: {key: value for key, value in header.items() if key != "tokenizer"} | (
        {} if about is None else {"tokenizer": about}))
    with pytest.raises(DamagedError, match=f"is not a whole rnnlm model file: {message}"):
        load_model(path)


def test_arrays_that_are_no_merges_are_refused(path, vocabulary):
    good, file = vocabulary.tokenizer.merges, path.read_bytes()
    swapped, repeated, early = good[::-1].copy(), good.copy(), good.copy()
    repeated[1], early[0] = good[0], 270
    for array, message in ((swapped, "must join two pieces from before"), (repeated, "no others than those"),
                           (early, "merge 0 must join"), (good - 300, "merge 0 must join")):
        path.write_bytes(file)
        changed(path, merges=merges(array))
        with pytest.raises(DamagedError, match=message):
            load_model(path)
    for content, message in ((merges(good, "<i8"), "merges must be int32"), (None, "it lacks merges"),
                             (merges(good.astype("<f4"), "<f4"), "merges must be int32"),
                             (described("'|O'", good.shape, b"x" * good.nbytes), "merges must be int32")):
        path.write_bytes(file)
        changed(path, merges=content)
        with pytest.raises(DamagedError, match=message):
            load_model(path)


def test_a_vocabulary_must_be_that_of_the_merges(path, vocabulary):
    other = [*vocabulary.words]
    other[-1] = "surplus"
    for words, message in ((other, "nothing else"), (vocabulary.words[:-1], "does not fit the 274 words"),
                           ([*vocabulary.words[:-1], vocabulary.words[0]], "each word once")):
        changed(path, vocabulary=text_member("\n".join(words)))
        with pytest.raises(DamagedError, match=message):
            load_model(path)


def test_merges_in_a_model_of_words_are_surplus(path):
    changed(path, lambda header: {name: value for name, value in (header | {"level": "word"}).items()
                                  if name != "tokenizer"})
    with pytest.raises(DamagedError, match="arrays that do not belong there: merges"):
        load_model(path)


def test_merges_that_double_a_piece_use_no_memory(path):
    doubling = np.repeat(np.array([97, *range(256, 273)]), 2).reshape(-1, 2)
    changed(path, merges=merges(doubling))
    tracemalloc.start()
    try:
        with pytest.raises(DamagedError, match="makes a piece of 256 bytes"):
            load_model(path)
        assert tracemalloc.get_traced_memory()[1] < 5e6
    finally:
        tracemalloc.stop()


def test_damaged_models_of_subwords_load_or_are_refused(path):
    good, choose = path.read_bytes(), random.Random(23)
    damaged = path.with_name("damaged.npz")
    refused = 0
    for _ in range(100):
        damaged.write_bytes(mutate_files.mutated_archive(good, choose))
        try:
            rnnlm.load(damaged).evaluate("the cat\n")
        except rnnlm.RnnlmError as error:
            refused += 1
            assert str(error).isprintable()
    assert 50 < refused < 100  # a changed weight is no damage that can be seen
