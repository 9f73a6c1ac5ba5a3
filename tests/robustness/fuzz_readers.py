"""Coverage-guided fuzzing of the two readers of strange files: models and texts.

    pip install atheris
    python tests/robustness/fuzz_readers.py model FOLDER -max_total_time=600
    python tests/robustness/fuzz_readers.py text FOLDER -max_total_time=600

FOLDER keeps what the fuzzer finds worth keeping, from run to run.  Anything but success
or RnnlmError ends it, with the input in a file crash-*; findings are kept in
tests/hostile_files.py and the table in docs/when-things-go-wrong.md.
"""

import os
import random
import sys
import tempfile
import zipfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["rnnlm", "zipfile", "json"]):
    from rnnlm import RnnlmError, load_model, read_text
    from rnnlm.text.vocabulary import Vocabulary

import mutate_files

PATH = Path(tempfile.mkdtemp()) / "case"
VOCABULARIES = [Vocabulary(["<eos>", "<unk>", "the", "fox"]), Vocabulary(["<eos>", "t", "h", "é"], "char")]


def read_model(data):
    """A model file, or RnnlmError."""
    PATH.write_bytes(data)
    try:
        model, vocabulary = load_model(PATH)
    except RnnlmError as error:
        assert str(error).isprintable(), error
        return
    assert len(vocabulary) == model.params[0].shape[0]


def read_a_text(data):
    """A text, or RnnlmError; its tokens come back from their ids."""
    PATH.write_bytes(data[1:])
    vocabulary = VOCABULARIES[data[0] % 2 if data else 0]
    try:
        text = read_text(PATH, vocabulary)
    except RnnlmError as error:
        assert str(error).isprintable(), error
        return
    assert text.ids.size == text.words + text.sentences - (text.oov if vocabulary.unk_id is None else 0)
    assert text.ids.size == 0 or 0 <= text.ids.min() <= text.ids.max() < len(vocabulary)


def changed(data, max_size, seed):
    """Some of libFuzzer's changes, some that keep the sums of an archive right."""
    choose = random.Random(seed)
    if choose.random() < 0.5:
        try:
            return mutate_files.mutated_archive(data, choose)[:max_size]
        except (zipfile.BadZipFile, NotImplementedError, RuntimeError, ValueError, EOFError, OSError, IndexError):
            pass
    return atheris.Mutate(data, max_size)


def main():
    """Hand over to libFuzzer."""
    target, folder, *options = sys.argv[1:]
    os.makedirs(folder, exist_ok=True)
    with tempfile.TemporaryDirectory() as place:
        good = mutate_files.made(Path(place))
    if target == "model":
        for name in ("word", "char"):
            (Path(folder) / name).write_bytes(good[name])
        atheris.Setup([sys.argv[0], folder, "-max_len=9000", *options], read_model, custom_mutator=changed)
    else:
        (Path(folder) / "text").write_bytes(b"\0" + mutate_files.TEXT.encode())
        atheris.Setup([sys.argv[0], folder, "-max_len=2000", *options], read_a_text)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
