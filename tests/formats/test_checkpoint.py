import io
import json
import zipfile
from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnlm.errors import RnnlmError
from rnnlm.formats.checkpoint import checkpoint_size, save_checkpoint
from rnnlm.formats.model_file import load_model, model_size, save_model
from rnnlm.models import CELLS, LanguageModel, Regularisation
from rnnlm.text.batches import TimeBatches
from rnnlm.text.vocabulary import Vocabulary
from rnnlm.training.averaging import Average
from rnnlm.training.optimizers import SGD, Adam
from rnnlm.training.schedules import Constant
from rnnlm.training.trainer import Trainer


def make(words=("<eos>", "the", "naïve", "\u2028", "\x1c"), level="word", layers=2, seed=0):
    model = LanguageModel(len(words), 3, 4, layers=layers, regularisation=Regularisation(dropout=0.2),
                          rng=np.random.default_rng(seed))
    return model, Vocabulary(words, level)


@pytest.mark.parametrize("level", ["word", "char"])
def test_what_is_saved_is_what_is_loaded(tmp_path, level):
    model, vocabulary = make(level=level)
    save_model(tmp_path / "model.npz", model, vocabulary)
    for place in (tmp_path / "model.npz", tmp_path):  # a model file or a run folder
        again, words = load_model(place)
        assert words.words == vocabulary.words
        assert words.level == level
        assert again.architecture == model.architecture
        for ours, theirs in zip(again.params, model.params, strict=True):
            np.testing.assert_array_equal(ours, theirs)


def test_the_file_is_what_the_document_says(tmp_path):
    model, vocabulary = make()
    save_model(tmp_path / "model.npz", model, vocabulary, {"epoch": 3})
    with np.load(tmp_path / "model.npz", allow_pickle=False) as members:
        assert sorted(members) == sorted([
            "header", "vocabulary", "embedding/W", "rnn1/Wx", "rnn1/Wh", "rnn1/b", "rnn2/Wx", "rnn2/Wh", "rnn2/b",
            "affine/W", "affine/b"])
        header = json.loads(members["header"].tobytes())
        assert header == {"format": "rnnlm model", "version": 1, "level": "word",
                          "architecture": dict(model.architecture), "training": {"epoch": 3},
                          "regularisation": {field.name: field.default for field in fields(Regularisation)}
                          | {"dropout": 0.2}}
        assert members["vocabulary"].tobytes().decode().split("\n") == vocabulary.words
        assert members["rnn1/Wx"].shape == (3, 4)


@pytest.mark.parametrize("cell", CELLS)
def test_counts_of_the_words_are_kept_in_files_of_version_3(cell, tmp_path):
    model = LanguageModel(3, 3, 4, cell=cell, rng=np.random.default_rng(0))
    save_model(tmp_path / "m", model, Vocabulary(["<eos>", "a", "b"], counts=[5, 0, 1 << 40]))
    with np.load(tmp_path / "m", allow_pickle=False) as members:
        header = json.loads(members["header"].tobytes())
        assert (header["version"], header["architecture"]["cell"]) == (3, cell)
        assert members["counts"].tolist() == [5, 0, 1 << 40]
        assert members["counts"].dtype == np.int64
    again, vocabulary = load_model(tmp_path / "m")
    assert vocabulary.counts.tolist() == [5, 0, 1 << 40]
    assert again.architecture == model.architecture
    save_model(tmp_path / "again", again, vocabulary)
    assert (tmp_path / "again").read_bytes() == (tmp_path / "m").read_bytes()
    save_model(tmp_path / "without", again, Vocabulary(vocabulary.words))
    assert load_model(tmp_path / "without")[1].counts is None


@pytest.mark.parametrize(("counts", "version", "message"), [
    ([1, 2, 3, 4, -1], 3, "counts must be whole numbers of at least 0"),
    (np.ones(4, np.int64), 3, r"counts must be int64 \(5,\), found int64 \(4,\)"),
    (np.ones(5, np.int32), 3, r"counts must be int64 \(5,\), found int32 \(5,\)"),
    (np.ones(5), 3, "counts must be int64"), (None, 3, "it lacks counts"),
    (np.ones(5, np.int64), 1, "arrays that do not belong there: counts")])
def test_counts_that_cannot_be_are_one_line(tmp_path, counts, version, message):
    def change(arrays):
        header(version=version)(arrays)
        if counts is not None:
            arrays["counts"] = np.asarray(counts)

    with pytest.raises(RnnlmError, match=f"not a whole rnnlm model file: .*{message}"):
        load_model(rewritten(tmp_path, change))


def test_a_loaded_model_scores_without_dropout_and_is_trained_with_that_of_its_run(tmp_path):
    words = ["<eos>", *"abcdefgh"]
    regularisation = Regularisation(dropout=0.5, input_dropout=0.2, word_dropout=0.1, weight_drop=0.3, per_window=True,
                                    activation_penalty=2.0)
    model = LanguageModel(9, 5, 6, regularisation=regularisation, rng=np.random.default_rng(0))
    save_model(tmp_path / "m", model, Vocabulary(words))
    loaded, _ = load_model(tmp_path / "m")
    assert loaded.regularisation == regularisation
    xs, ts = np.random.default_rng(1).integers(0, 9, (2, 3, 4))
    model.set_training(False)
    assert loaded.forward(xs, ts) == model.forward(xs, ts)  # nothing is left out
    losses = []
    for each in (loaded, model):
        each.dropout_rng.bit_generator.state = np.random.PCG64(3).state
        each.reset_state()
        trainer = Trainer(each, SGD(0.5))
        losses.append([trainer.step(xs, ts).loss for _ in range(3)])
    assert losses[0] == losses[1]
    bare = LanguageModel(9, 5, 6, rng=np.random.default_rng(0))
    assert Trainer(bare, SGD(0.5)).step(xs, ts).loss != losses[0][0]


def test_the_dropout_of_a_loaded_model_can_be_another_one(tmp_path):
    save_model(tmp_path / "m", *make())
    other = Regularisation(weight_drop=0.4)
    assert load_model(tmp_path / "m", regularisation=other)[0].regularisation == other
    with pytest.raises(RnnlmError, match=r"^regularisation must be a Regularisation, got 0.4$"):
        load_model(tmp_path / "m", regularisation=0.4)


def test_a_file_that_says_nothing_of_dropout_is_trained_without(tmp_path):
    path = rewritten(tmp_path, lambda arrays: None)
    with np.load(path) as members:
        arrays = dict(members)
    content = json.loads(arrays["header"].tobytes())
    del content["regularisation"]
    np.savez(path, **arrays | {"header": np.frombuffer(json.dumps(content).encode(), dtype=np.uint8)})
    assert load_model(path)[0].regularisation == Regularisation()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_sizes_and_numbers_of_any_type_of_numpy_are_saved(tmp_path, dtype):
    sizes = (np.int64(3), np.int32(4), np.uint8(5))
    model = LanguageModel(*sizes, np.int64(2), tied=np.True_, rng=np.random.default_rng(0), dtype=dtype,
                          regularisation=Regularisation(dropout=np.float32(0.5)))
    save_model(tmp_path / "m", model, Vocabulary(["<eos>", "a", "b"]))
    again, _ = load_model(tmp_path / "m")
    for ours, theirs in zip(again.params, model.params, strict=True):
        np.testing.assert_array_equal(ours, theirs.astype(np.float32))


def test_a_model_is_saved_with_its_own_vocabulary_only(tmp_path):
    model, vocabulary = make()
    for words, message in [(["<eos>", "a"], "must have a word for each of the model's 5 ids, it has 2"),
                           (["<eos>", "a\nb", "c", "d", "e"], r"words must be without a line end.*, got 'a\\nb'"),
                           (["<eos>", "a", "c", "d", "\ud800"], r"must be text that UTF-8 can encode, got \\ud800")]:
        with pytest.raises(RnnlmError, match=message):
            save_model(tmp_path / "m", model, Vocabulary(words))
    assert not (tmp_path / "m").exists()
    save_model(tmp_path / "m", model, vocabulary)
    loaded, _ = load_model(tmp_path / "m")
    with pytest.raises(RnnlmError, match="the model uses the ids of another vocabulary"):
        save_model(tmp_path / "m", loaded, Vocabulary(vocabulary.words[::-1]))


def test_the_same_model_is_the_same_file(tmp_path):
    for name in ("a", "b"):
        save_model(tmp_path / name, *make())
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def rewritten(tmp_path, change):
    """A model file whose members ``change`` has altered."""
    save_model(tmp_path / "model.npz", *make())
    with np.load(tmp_path / "model.npz") as members:
        arrays = dict(members)
    change(arrays)
    np.savez(tmp_path / "model.npz", **arrays)
    return tmp_path / "model.npz"


def header(**values):
    def change(arrays):
        content = json.loads(arrays["header"].tobytes()) | values
        arrays["header"] = np.frombuffer(json.dumps(content).encode(), dtype=np.uint8)

    return change


@pytest.mark.parametrize(("change", "message"), [
    (lambda a: a.pop("header"), "it lacks header"),
    (lambda a: a.pop("rnn2/Wh"), "it lacks rnn2/Wh"),
    (lambda a: a.update(extra=np.ones(1)), "arrays that do not belong there: extra"),
    (lambda a: a.update({"affine/b": np.ones(3, np.float32)}), r"b must be float32 \(5,\), found float32 \(3,\)"),
    (lambda a: a.update({"affine/b": np.ones(5)}), "affine/b must be float32 .* found float64"),
    (lambda a: a["affine/W"].fill(np.nan), "affine/W holds numbers that are not finite"),
    (lambda a: a.update(vocabulary=np.frombuffer(b"a\na\n<eos>\nb\nc", np.uint8)), "each word once"),
    (lambda a: a.update(vocabulary=np.frombuffer(b"<eos>\nb", np.uint8)), "does not fit the 2 words"),
    (lambda a: a.update(vocabulary=np.frombuffer(b"\xff", np.uint8)), "vocabulary is not UTF-8"),
    (lambda a: a.update(header=np.frombuffer(b"[]", np.uint8)), "not a whole rnnlm model file"),
    (lambda a: a.update(header=np.array("{}")), "not a whole rnnlm model file"),
    (header(regularisation=[]), "regularisation must be an object with some of activation_penalty, dropout"),
    (header(regularisation={"dropout": 1.0}), "dropout must be a number of at least 0 and below 1, got 1.0"),
    (header(regularisation={"dropout": "0.5"}), "dropout must be a number of at least 0 and below 1, got '0.5'"),
    (header(regularisation={"activation_penalty": 1e300}), "activation_penalty must be .* float32 can hold, got 1e"),
    (header(regularisation={"per_window": 1}), "per_window must be True or False, got 1"),
    (header(regularisation={"drop": 0.1}), "a key of regularisation must be one of .*, got 'drop'"),
    (header(version=99), "version 99; this program reads 'rnnlm model', version 1"),
    (header(level="line"), "level must be one of word, char, subword, got 'line'"),
    (header(architecture={}), f"object with one of the cells {', '.join(CELLS)}, got {{}}"),
    (header(architecture={"cell": "rnn"}), "architecture must have the keys cell, vocab_size"),
    *((header(architecture={"cell": "rnn", "vocab_size": 5, "wordvec_size": 3, "hidden_size": 4, "layers": 2} | change),
       message) for change, message in [
        ({"layers": 10**30}, "whole number from 1 to 500"), ({"layers": 0}, "whole number from 1 to 500"),
        ({"layers": 10**9}, "layers must be a whole number from 1 to 500, got 1000000000"),
        ({"hidden_size": -1}, "whole number of at least 1"), ({"hidden_size": 2.0}, "whole number of at least 1"),
        ({"hidden_size": True}, "whole number of at least 1"), ({"cell": "elman"}, "one of the cells rnn, "),
        ({"activation": "cosine"}, "activation must be one of tanh, relu, got 'cosine'"),
        ({"tied": 1}, "tied must be True or False, got 1"),
        ({"tied": True}, "tied needs a projection where the sizes differ"),
        ({"projection": True}, "projection/W"), ({"cell": "lstm"}, "lstm1/Wx"),
        ({"hidden_size": 10**9}, r"rnn1/Wx must be float32 \(3, 1000000000\)"), ({"surprise": 1}, "surprise")]),
])
def test_a_model_file_that_does_not_fit_together_is_named_in_one_line(tmp_path, change, message):
    path = rewritten(tmp_path, change)
    with pytest.raises(RnnlmError, match=message) as caught:
        load_model(path)
    assert "\n" not in str(caught.value)
    assert "model.npz" in str(caught.value)
    assert "pickle" not in str(caught.value)


def zip_of(**members):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return buffer.getvalue()


@pytest.mark.parametrize("data", [
    b"", b"x", b"PK\x03\x04", b"\x80\x04N.", b"\x93NUMPY\x01\x00", zip_of(a="b"), zip_of()])
def test_what_is_no_model_file_is_named_in_one_line(tmp_path, data):
    (tmp_path / "m").write_bytes(data)
    with pytest.raises(RnnlmError, match="m is not a whole rnnlm model file") as caught:
        load_model(tmp_path / "m")
    assert "pickle" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_pickled_members_are_never_opened(tmp_path):
    path = rewritten(tmp_path, lambda a: a.update({"affine/b": np.array([print], dtype=object)}))
    with pytest.raises(RnnlmError, match=r"affine/b must be float32 \(5,\), found object"):
        load_model(path)


def test_a_member_that_claims_to_be_encrypted_is_one_line(tmp_path):
    save_model(tmp_path / "m", *make())
    data = bytearray((tmp_path / "m").read_bytes())
    data[data.index(b"PK\x01\x02") + 8] |= 1
    (tmp_path / "m").write_bytes(data)
    with pytest.raises(RnnlmError, match="encrypted"):
        load_model(tmp_path / "m")


@pytest.mark.parametrize("name", ["none.npz", ""])
def test_a_place_without_a_model_is_said(tmp_path, name):
    with pytest.raises(RnnlmError, match=r"no such file|holds no model\.npz"):
        load_model(tmp_path / name)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_any_damage_is_noticed_or_harmless(tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("damage")
    save_model(folder / "m", *make())
    original = (folder / "m").read_bytes()
    kind = data.draw(st.sampled_from(["flip", "cut"]))
    position = data.draw(st.integers(0, len(original) - 1))
    damaged = bytearray(original) if kind == "flip" else original[:position]
    if kind == "flip":
        damaged[position] ^= 1 << data.draw(st.integers(0, 7))
    (folder / "m").write_bytes(damaged)
    try:
        model, _ = load_model(folder / "m")
    except RnnlmError:
        return
    for ours, theirs in zip(model.params, make()[0].params, strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("average", [False, True])
@pytest.mark.parametrize(("cell", "optimizer", "frozen"), [("lstm", Adam, ()), ("rnn", SGD, ()),
                                                           ("gru", Adam, ["embedding", "gru1/Wh"])])
def test_the_sizes_of_files_are_known_before_they_are_written(tmp_path, cell, optimizer, frozen, average):
    model = LanguageModel(50, 30, 40, layers=2, cell=cell, tied=True, frozen=frozen, rng=np.random.default_rng(0))
    batches = TimeBatches(np.random.default_rng(0).integers(0, 50, 200), 4, 7)
    trainer = Trainer(model, optimizer(0.01), batches, Constant(0.01), average=Average(decay=0.5) if average else None)
    vocabulary = Vocabulary(["<eos>", *map(str, range(49))], counts=range(50) if average else None)
    kept = vocabulary if frozen else None
    size = checkpoint_size(trainer, kept)
    with pytest.raises(KeyboardInterrupt):  # within an epoch, when a checkpoint has the states, too
        next(trainer.fit(lambda: 1.0, 1, on_step=lambda step: (_ for _ in ()).throw(KeyboardInterrupt)))
    save_checkpoint(tmp_path / "c.npz", trainer, {}, [], kept)
    save_model(tmp_path / "m.npz", model, vocabulary)
    for path, expected in ((tmp_path / "c.npz", size), (tmp_path / "m.npz", model_size(model, vocabulary))):
        with zipfile.ZipFile(path) as file:
            arrays = [name for name in file.namelist() if name not in ("header.npy", "records.npy")]
            headers = 128 * len(arrays)  # of the arrays, as NumPy writes them
            held = sum(file.getinfo(name).file_size for name in arrays) - headers
        assert held <= expected <= held + 8
