"""All commands with subwords, as a user runs them."""

import json
import math
import sys

import numpy as np
import pytest
from conftest import REPOSITORY

import rnnlm
from rnnlm.cli.main import main
from rnnlm.formats.model_file import save_model
from rnnlm.models import LanguageModel
from rnnlm.text.subwords.byte_level import Subwords
from rnnlm.text.subwords.pieces import merges_of
from rnnlm.text.vocabulary import Vocabulary

sys.path.insert(0, str(REPOSITORY / "tests/robustness"))

from mutate_files import tokenizer_json

MERGES = merges_of([("Ġ", "c"), ("Ġc", "a"), ("a", "t"), ("t", "h")])
# p of these pieces whatever came before; the other bytes share 1/8
PROBS = {"<eos>": 1 / 8, "th": 1 / 4, "Ġca": 1 / 8, "t": 1 / 16, "e": 1 / 16, "Ġ": 1 / 8, "Ã": 1 / 16, "©": 1 / 16}


@pytest.fixture(scope="module")
def vocabulary():
    return Vocabulary.from_counts({token: 10 - i for i, token in enumerate(PROBS)}, Subwords(MERGES))


@pytest.fixture
def model(vocabulary, tmp_path, monkeypatch):
    """The path of a model with these probabilities; the current folder is its."""
    monkeypatch.chdir(tmp_path)
    model = LanguageModel(len(vocabulary), 2, 2, rng=np.random.default_rng(0))
    params = model.named_params()
    rest = (1 - sum(PROBS.values())) / (len(vocabulary) - len(PROBS))
    params["affine/W"][...] = 0
    params["affine/b"][...] = [math.log(PROBS.get(token, rest)) for token in vocabulary.words]
    save_model("model.npz", model, vocabulary)
    return "model.npz"


@pytest.fixture
def call(capsys):
    """A function of arguments of ``rnnlm`` that returns standard output and error."""

    def run(*arguments, code=0):
        assert main([*arguments]) == code
        out, err = capsys.readouterr()
        assert code == 0 or len(err.splitlines()) == 1
        return out, err

    return run


def table(text):
    lines = [line.split("\t") for line in text.splitlines() if not line.startswith("# ")]
    return [dict(zip(lines[0], line, strict=True)) for line in lines[1:]]


def test_a_word_has_the_sum_of_its_pieces_and_the_blank_before_it(model, call, tmp_path):
    (tmp_path / "text").write_text("the cat é\n\n", encoding="utf-8")
    out, err = call("score", model, "text", "--top", "1")
    rows = table(out)
    assert [row["word"] for row in rows] == ["the", "cat", "é", "<eos>", "<eos>"]
    # th + e; Ġca + t; Ġ + the two bytes of é; a line end each
    assert [float(row["surprisal"]) for row in rows] == pytest.approx([2 + 4, 3 + 4, 3 + 4 + 4, 3, 3], abs=1e-5)
    assert {row["known"] for row in rows} == {"1"} and {row["frequency"] for row in rows} == {"NA"}
    assert [row["rank"] for row in rows] == ["1", "2", "2", "2", "2"] and rows[0]["top1"] == "th"
    assert "# pieces: a blank belongs to the word after it; entropy, rank and the most probable are those of the " \
           "first subword of a word" in out
    assert err == ""


def test_pieces_are_shown_as_text_with_escapes(model, call, tmp_path):
    (tmp_path / "text").write_text("the cat é\n", encoding="utf-8")
    rows = table(call("score", model, "text", "--by", "piece")[0])
    assert [row["word"] for row in rows] == ["th", "e", " ca", "t", " ", "\\xc3", "\\xa9", "<eos>"]
    assert [row["frequency"] for row in rows] == ["9", "6", "8", "7", "5", "4", "3", "10"]


def test_totals_are_of_the_same_numbers(model, call, tmp_path):
    (tmp_path / "text").write_text("the cat é\n\n", encoding="utf-8")
    out = json.loads(call("evaluate", model, "text", "--json")[0])
    assert (out["sentences"], out["words"], out["oov"], out["targets"]) == (2, 7, 0, 9)
    assert out["log_prob"] == pytest.approx(-30 * math.log(2)) and out["bits_per_token"] == pytest.approx(30 / 9)
    (row, _) = table(call("score", model, "text", "--by", "sentence")[0])
    assert (row["words"], float(row["log_prob"])) == ("7", pytest.approx(-27, abs=1e-5))
    assert float(row["bits_per_byte"]) == pytest.approx(27 / 11, abs=1e-5)


def test_pairs_lists_and_pages(model, call, tmp_path):
    (tmp_path / "pairs").write_text(json.dumps({"sentence_good": "the cat", "sentence_bad": "the cats"}) + "\n")
    assert json.loads(call("pairs", model, "pairs", "--json")[0])["accuracy"] == 1
    assert call("pairs", model, "pairs", "--split-punctuation", code=1)[1].endswith(
        "--split-punctuation must be left out: a model of subwords reads punctuation as it is\n")
    (tmp_path / "lists").write_text("u-1 the cat é\nu-2 the cat\n")
    rows = table(call("rescore", model, "lists", "--nbest-format", "kaldi")[0])
    assert [(row["words"], float(row["log_prob"])) for row in rows] == [
        ("3", pytest.approx(-27 * math.log(2), abs=1e-4)), ("2", pytest.approx(-16 * math.log(2), abs=1e-4))]
    (tmp_path / "text").write_text("the cat é\n", encoding="utf-8")
    call("page", model, "text", "--output", "page.html")
    for form in ("classic", "kenlm"):
        assert "has the ids of words, and the model does not read whole words" in call(
            "score", model, "text", "--format", form, code=1)[1]
    assert "é" in (tmp_path / "page.html").read_text(encoding="utf-8")


def test_what_is_written_after_a_part_of_a_word(model, call):
    out, _ = call("generate", model, "--prompt", "the c", "--temperature", "0", "--length", "3")
    assert out == "the cththth\n"
    (line,) = (json.loads(line) for line in call(
        "generate", model, "--prompt", "é", "--beam", "1", "--max-length", "4", "--json", "--scores")[0].splitlines())
    assert line["prompt"] == "é" and line["tokens"][-1] == "<eos>"
    call("generate", model, "--seed", "1", "--samples", "3", "--length", "30", "--repetition-penalty", "1.2")
    _, err = call("generate", model, "--ban", "cat", code=1)
    assert err.endswith("--ban must be left out for a model of subwords, which can write a word as one piece or as "
                        "several: got 'cat'\n")


def test_what_is_written_can_be_read_again(model):
    found = rnnlm.load(model)
    for seed in range(20):  # these draw halves of characters and bytes that are none
        text = found.generate(length=40, seed=seed)
        if text.strip():
            assert found.evaluate(text).sentences == text.count("\n") + (not text.endswith("\n"))
    assert found.next_words("the", 3)[1][0] in ("<eos>", " ca", " ")


def test_a_run_on_subwords(run, tmp_path, monkeypatch):
    code, out, err = run("--level", "subword", "--vocab-size", "290", "--epochs", "1")
    assert code == 0 and "vocabulary 290" in err + out
    assert "note: no <unk>: every text can be written in the 289 subwords" in err + out
    model = rnnlm.load(tmp_path / "run")
    assert len(model.vocabulary) == 290 and model.vocabulary.level == "subword"
    assert "Ġthe" in model.vocabulary.words and model.vocabulary.counts.sum() == 1000
    with monkeypatch.context() as patched:
        patched.setattr(Subwords, "train", None)  # nothing is learned again
        assert run("--level", "subword", "--vocab-size", "290", "--resume", "--epochs", "2")[0] == 0
    uninterrupted = run("--level", "subword", "--vocab-size", "290", "--epochs", "2", output="whole")
    assert uninterrupted[0] == 0
    for name, array in rnnlm.load(tmp_path / "whole").model.named_params().items():
        assert np.array_equal(array, rnnlm.load(tmp_path / "run").model.named_params()[name])


def test_a_run_with_the_subwords_of_a_file(run, tmp_path):
    (tmp_path / "t.json").write_text(json.dumps(tokenizer_json(Subwords(MERGES))), encoding="utf-8")
    code, *said = run("--level", "subword", "--tokenizer", "t.json", "--epochs", "1")
    assert code == 0 and "vocabulary 261" in "".join(said)
    assert rnnlm.load(tmp_path / "run").vocabulary.tokenizer == Subwords(MERGES)
    assert str(tmp_path / "t.json") in (tmp_path / "run/config.toml").read_text()  # a run is resumed from anywhere
    (tmp_path / "t.json").unlink()
    assert run.bare("--resume", "--output", "run", "--epochs", "2")[0] == 0  # the checkpoint has the subwords
    code, _, err = run("--level", "subword", "--tokenizer", "missing.json", output="other")
    assert code == 1 and "must be a file with a tokenizer" in err and not (tmp_path / "other").exists()


def test_too_small_a_text_gives_fewer_subwords(run):
    _, *said = run("--level", "subword", "--epochs", "1")
    assert "of 8,000 subwords: no other pair occurs twice" in "".join(said)


@pytest.mark.parametrize(("options", "message"), [
    ("--vocab-size 300", "--vocab-size does nothing here: it works only with --level subword"),
    ("--level char --tokenizer x", "--tokenizer does nothing here: it works only with --level subword"),
    ("--level subword --vocab-size 300 --tokenizer x", "--vocab-size does nothing here"),
    ("--level subword --max-vocab 300", "--max-vocab does nothing here: it works only with "),
    ("--level subword --min-count 2", "--min-count does nothing here")])
def test_options_that_do_nothing_are_refused(options, message, run):
    code, _, err = run(*options.split())
    assert code == 1 and message in err


def test_python_has_the_same(small_corpus, tmp_path):
    found = rnnlm.train(small_corpus, output=tmp_path / "run", level="subword", vocab_size=280, epochs=1,
                        hidden_size=3, batch_size=4)
    corpus = rnnlm.load_corpus(small_corpus, level="subword", vocab_size=280)
    assert corpus.vocabulary.fingerprint() == found.model.vocabulary.fingerprint()


def test_the_commands_of_the_page_run(tmp_path, monkeypatch, capsys):
    page = (REPOSITORY / "docs/using-it.md").read_text(encoding="utf-8").split("### Subwords")[1].split("## Recipes")[0]
    commands = [line.removeprefix("python scripts/train_rnnlm.py ").split() for line in page.splitlines()
                if line.startswith("python scripts/")]
    assert len(commands) == 2
    monkeypatch.chdir(tmp_path)
    (tmp_path / "book.txt").write_text("“Don't!” said the cat.\nThe naïve dog  didn't.\n" * 30, encoding="utf-8")
    (tmp_path / "tokenizer.json").write_text(json.dumps(tokenizer_json(Subwords(MERGES))), encoding="utf-8")
    for command in commands:
        assert main(["train", *command, "--epochs", "1", "--hidden-size", "4", "--batch-size", "2"]) == 0
    text = "“Don't!” said\u00a0the  naïve 🦊\n"
    for name in ("pieces", "theirs"):
        tokenizer = rnnlm.load(f"runs/{name}").vocabulary.tokenizer
        assert "".join(tokenizer.join(tokenizer.split(text))) == text


def test_subwords_of_a_model_need_no_new_words(run, tmp_path):
    assert run("--level", "subword", "--vocab-size", "260", "--epochs", "1", output="base")[0] == 0
    code, _, err = run("--init-from", "base", "--extend-vocab", output="more")
    assert code in (1, 2)
    assert "--extend-vocab does nothing here: it works only with --init-from, and a model of words or characters" in err


def test_one_text_with_subwords_is_cut_again_where_it_was(run, tmp_path):
    lines = [f"the {'cat' * (i % 7)} sat {i} times on the mat .\n" for i in range(300)]
    (tmp_path / "one.txt").write_text("".join(lines))
    options = ["--level", "subword", "--vocab-size", "300"]
    assert run(*options, "--epochs", "1", corpus="one.txt")[0] == 0
    assert run.bare("--resume", "--output", "run", "--epochs", "2")[0] == 0
    assert run(*options, "--epochs", "2", corpus="one.txt", output="whole")[0] == 0
    for name, array in rnnlm.load(tmp_path / "whole").model.named_params().items():
        assert np.array_equal(array, rnnlm.load(tmp_path / "run").model.named_params()[name])
