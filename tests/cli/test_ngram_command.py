"""The command rnnlm ngram: a corpus in, an ARPA file and three lines out."""

import json
import re
import signal
import sys
from pathlib import Path

import numpy as np
import pytest
from conftest import REPOSITORY

from rnnlm.cli import ngram as module
from rnnlm.cli.main import main
from rnnlm.cli.ngram import is_earlier
from rnnlm.formats.arpa_reading import read_arpa
from rnnlm.formats.model_file import save_model
from rnnlm.models import LanguageModel
from rnnlm.scoring.evaluation import evaluate
from rnnlm.text.corpus import load_corpus, read_text
from rnnlm.text.subwords.byte_level import Subwords
from rnnlm.text.subwords.pieces import merges_of
from rnnlm.text.vocabulary import Vocabulary

sys.path.insert(0, str(REPOSITORY / "tests/robustness"))

from mutate_files import tokenizer_json

TEXT = "the cat sat on the mat .\nthe dog ran .\n\na bird sang in the tree .\nThe DOG's cat sat , too .\n"


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    lines = TEXT.splitlines(keepends=True)
    rng = np.random.default_rng(0)
    (tmp_path / "text.txt").write_text("".join(lines[i] for i in rng.integers(0, 5, 400)), encoding="utf-8")
    return tmp_path


def made(*arguments, output="out.arpa", text="text.txt"):
    """The model and the vocabulary that the command makes."""
    assert main(["ngram", text, *(["--output", output] if output else []), *arguments]) == 0
    return read_arpa(output)


def refused(capsys, *arguments, code=1):
    """The line on standard error; nothing was written."""
    try:
        assert main(["ngram", *arguments]) == code
    except SystemExit as error:
        assert error.code == code == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    return captured.err.splitlines()[-1]


def test_it_says_what_it_made(capsys):
    model, vocabulary = made("--order", "3", "--min-count", "1")
    out, err = capsys.readouterr()
    sizes, discounts, valid = out.splitlines()
    counts = " ".join(f"{order.keys.size:,}" for order in model.tables.orders)
    assert sizes == f"n-grams of order 1 to 3: {counts}"
    assert re.fullmatch(r"discounts of each order:( [\d.]+ [\d.]+ [\d.]+;?){3}", discounts)
    corpus = load_corpus("text.txt", min_count=1)
    assert corpus.vocabulary.words == vocabulary.words
    expected = evaluate(model, corpus.valid, vocabulary.eos_id)
    assert valid == f"validation text of text: perplexity {expected.perplexity:.6g}, {expected.targets:,} targets"
    assert 1 < expected.perplexity < 4
    assert "note: the training text has too few n-grams to estimate discounts of order 1" in err
    assert "they are 0.5, 1, 1.5" in err
    assert re.fullmatch(r"the n-gram model is in out\.arpa, [\d.]+ kB; to score a text: rnnlm evaluate out\.arpa TEXT",
                        err.splitlines()[-1])
    lines = Path("out.arpa").read_text(encoding="utf-8").splitlines()
    assert lines[0].endswith(": interpolated modified Kneser-Ney, --order 3")
    assert lines[1] == f"# corpus text: {corpus.train.size:,} tokens"


def test_the_file_reads_text_with_the_tokenizer_of_its_own(folder):
    (folder / "other.txt").write_text("The dog's cat ran, too.\n", encoding="utf-8")
    _, vocabulary = made("--lowercase", "--split-punctuation", "--min-count", "1")
    text = read_text("other.txt", vocabulary)
    assert vocabulary.decode(text.ids) == ["the", "dog", "'s", "cat", "ran", ",", "too", ".", "\n"]
    assert text.oov == 0


@pytest.mark.parametrize(("arguments", "unit"), [
    (["--level", "char"], "character"), (["--level", "subword", "--vocab-size", "300"], "subword")])
def test_every_level_has_models(arguments, unit):
    model, vocabulary = made(*arguments, "--order", "6")
    assert vocabulary.tokenizer.unit == unit
    assert model.order == 6
    assert vocabulary.tokenizer == load_corpus("text.txt", arguments[1], vocab_size=300 if "subword" in arguments
                                               else None).vocabulary.tokenizer


def test_subwords_come_from_a_file_too(folder):
    tokenizer = Subwords(merges_of([("c", "a"), ("t", "h")]))
    (folder / "t.json").write_text(json.dumps(tokenizer_json(tokenizer)), encoding="utf-8")
    _, vocabulary = made("--level", "subword", "--tokenizer", "t.json")
    assert vocabulary.tokenizer == tokenizer


def test_the_vocabulary_of_a_model_is_taken_with_its_words_that_the_text_lacks(folder, rng):
    words = ["<eos>", "<unk>", "the", "cat", "zebra"]
    save_model(folder / "model.npz", LanguageModel(5, 4, 4, rng=rng), Vocabulary(words))
    model, vocabulary = made("--vocabulary-of", "model.npz")
    assert vocabulary.words == words
    unigrams = np.exp(model.tables.orders[0].log_probs)
    assert 0 < unigrams[4] < unigrams[[0, 1, 2, 3]].min()
    assert unigrams.sum() == pytest.approx(1, abs=1e-6)


def test_the_vocabulary_may_be_that_of_an_arpa_file(folder):
    _, first = made("--lowercase", "--max-vocab", "9", output="first.arpa")
    (folder / "other.txt").write_text("THE zebra sat\n" * 40, encoding="utf-8")
    _, vocabulary = made("--vocabulary-of", "first.arpa", text="other.txt")
    assert vocabulary.words == first.words
    assert vocabulary.tokenizer == first.tokenizer


def test_its_help_names_no_option_that_it_lacks(capsys):
    with pytest.raises(SystemExit):
        main(["ngram", "--help"])
    named = set(re.findall(r"--[a-z-]+", re.sub(r"\n\s+", " ", capsys.readouterr().out)))
    assert named <= {f"--{prefix}{option.name.replace('_', '-')}" for option in module.NGRAM.options
                     for prefix in ("", "no-")} | {"--help"}


def test_a_text_of_one_word_has_no_long_ngrams(folder, capsys):
    (folder / "one.txt").write_text("a\n" * 30, encoding="utf-8")
    model, vocabulary = made("--order", "6", text="one.txt")
    assert capsys.readouterr().out.startswith("n-grams of order 1 to 6: 2 2 1 0 0 0\n")
    assert vocabulary.words == ["a", "<eos>"]
    assert model.order == 3


def test_limits_of_the_vocabulary_and_the_text_are_those_of_training():
    _, vocabulary = made("--max-vocab", "6")
    assert vocabulary.words == load_corpus("text.txt", max_vocab=6).vocabulary.words
    _, vocabulary = made("--max-tokens", "7")
    assert set(vocabulary.words) <= {*TEXT.split(), "<eos>", "<unk>"}


@pytest.mark.parametrize("arguments", [["--split", "random", "--split-seed", "3"], ["--split-by", "documents"],
                                       ["--split-shares", "60/20/20"]])
def test_a_text_is_split_as_for_training(arguments, capsys):
    made(*arguments, "--save-splits", "parts")
    first = capsys.readouterr().out
    made(text="parts")
    assert capsys.readouterr().out.splitlines()[:2] == first.splitlines()[:2]


def test_pruning_leaves_ngrams_out_and_says_so(capsys):
    whole, _ = made("--min-count", "1")
    capsys.readouterr()
    for arguments in (["--prune", "0,0,75"], ["--prune-entropy", "0.01"], ["--prune=0 75", "--prune-entropy", "1e-4"]):
        pruned, _ = made("--min-count", "1", *arguments)
        line = capsys.readouterr().out.splitlines()[0]
        sizes = [[order.keys.size for order in model.tables.orders] for model in (pruned, whole)]
        assert sum(sizes[0]) < sum(sizes[1])
        assert line.endswith(f", pruned from {' '.join(map(str, sizes[1]))}")
        assert arguments[0].split("=")[0] in Path("out.arpa").read_text(encoding="utf-8").splitlines()[0]


def test_unigrams_without_interpolation_lose_a_share_that_is_told(capsys):
    model, _ = made("--min-count", "1", "--no-interpolate-unigrams")
    total = float(np.exp(model.tables.orders[0].log_probs).sum())
    assert total < 0.99
    assert f"without interpolation {1 - total:.2%} of the words' own probability" in capsys.readouterr().err
    assert "--no-interpolate-unigrams" in Path("out.arpa").read_text(encoding="utf-8").splitlines()[0]


def test_little_memory_changes_nothing(monkeypatch):
    made(output="one.arpa")
    monkeypatch.setattr(module, "MEGABYTE", 3000)
    made("--memory", "1", output="two.arpa")
    assert Path("one.arpa").read_bytes() == Path("two.arpa").read_bytes()


@pytest.mark.parametrize(("place", "name"), [
    ("rnnlm.ngrams.training.count_ngrams", "SIGTERM"), ("rnnlm.ngrams.training.smoothed", "SIGINT"),
    ("rnnlm.ngrams.training.prune_by_entropy", "SIGTERM"), ("rnnlm.cli.ngram.write_arpa", "SIGHUP"),
    ("rnnlm.formats.arpa_writing.WordCells", "SIGINT")])
def test_a_signal_ends_it_between_two_pieces_and_leaves_the_earlier_file(place, name, monkeypatch, capsys, folder):
    """Whatever it is at, it neither goes on nor leaves half a file."""
    made()
    before, there = Path("out.arpa").read_bytes(), sorted(folder.iterdir())
    number = getattr(signal, name, signal.SIGTERM)
    owner, attribute = place.rsplit(".", 1)
    plain = getattr(sys.modules[owner], attribute)

    def signalled(*arguments, **options):
        signal.raise_signal(number)
        return plain(*arguments, **options)

    monkeypatch.setattr(place, signalled)
    capsys.readouterr()
    assert main(["ngram", "text.txt", "--order", "2", "--output", "out.arpa", "--prune-entropy", "1e-9"]
                ) == 128 + number
    out, err = capsys.readouterr()
    assert out == "" and err.endswith("rnnlm ngram: stopped\n")
    assert Path("out.arpa").read_bytes() == before
    assert sorted(folder.iterdir()) == there


@pytest.mark.parametrize(("arguments", "message"), [
    (["text.txt", "--output", "text.txt"], "text.txt exists and is not an ARPA file, so it is not replaced"),
    (["missing.txt", "--output", "x.arpa"], "missing.txt"),
    (["text.txt", "--output", "no/x.arpa"], "the folder does not exist"),
    (["text.txt", "--output", "-"], "- is not the name of a file to write"),
    (["text.txt", "--output", "x.arpa", "--order", "2", "--prune", "0,0,1"], "--prune must be at most 2 whole numbers"),
    (["text.txt", "--output", "x.arpa", "--vocab-size", "300"], "--vocab-size does nothing here: it works only with"),
    (["text.txt", "--output", "x.arpa", "--vocabulary-of", "text.txt"], "text.txt"),
    (["text.txt", "--output", "x.arpa", "--vocabulary-of", "m", "--level", "char"],
     "--level does nothing here: it works only with a new vocabulary, without --vocabulary-of"),
    (["text.txt", "--output", "x.arpa", "--vocabulary-of", "m", "--min-count", "2"], "--min-count does nothing"),
    (["text.txt", "--output", "x.arpa", "--split-seed", "2"], "--split-seed does nothing"),
    (["text.txt", "--output", "x.arpa", "--level", "char", "--lowercase"], "--lowercase does nothing")])
def test_errors_are_one_line(arguments, message, capsys, folder):
    line = refused(capsys, *arguments)
    assert line.startswith("rnnlm ngram: error: ")
    assert message in line
    assert not list(folder.glob("x*"))


@pytest.mark.parametrize(("arguments", "message"), [
    (["text.txt"], "--output FILE must be given"), (["text.txt", "--output", "x", "--order", "7"], "from 1 to 6"),
    (["text.txt", "--output", "x", "--prune", "1,2"], "0 first"),
    (["text.txt", "--output", "x", "--prune", "0,2,1"], "none smaller than the one before, as in 0,0,1, got '0,2,1'"),
    (["text.txt", "--output", "x", "--prune", "some"], "must be whole numbers with commas between them"),
    (["text.txt", "--output", "x", "--prune-entropy", "1"], "below 1")])
def test_wrong_usage_is_told(arguments, message, capsys):
    assert message in refused(capsys, *arguments, code=2)


@pytest.mark.parametrize(("content", "expected"), [
    (b"\\data\\\n", True), (b"# some\n\n\\data\\\r\n", True), (b"", False), (b"the cat\n\\data\\\n", False),
    (b"#\n" * 5000, False), (b"x" * 200_000, False),
    (b"# " + b"x" * 200_000 + b"\n\\data\\\n", True), (b"# " + b"x" * 65_534 + b"\\data\\", False)])
def test_an_arpa_file_is_known_by_its_first_lines(content, expected, tmp_path):
    (tmp_path / "file").write_bytes(content)
    with (tmp_path / "file").open("rb") as file:
        assert is_earlier(file) == expected
