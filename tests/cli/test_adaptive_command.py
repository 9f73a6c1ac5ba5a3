"""Every command with an adaptive softmax, and the options that make one."""

import json
import math
import tomllib
from pathlib import Path

import numpy as np
import pytest
from independent_scores import Model, expected_rows
from training_runs import metrics, options_of

import rnnlm
from rnnlm.cli.main import main
from rnnlm.formats.model_file import save_model
from rnnlm.models import LanguageModel
from rnnlm.runs.description import described
from rnnlm.text.vocabulary import Vocabulary

WORDS = ["<eos>", "<unk>", "the", "cat", "sat", "#1", "dog", "ran", "mat", "on"]
TEXT = "the cat sat\nthe dög #1 sat\n\n<unk> cat ran on the mat\n"
OUTPUTS = {"untied": {}, "projection": {"projection": True}, "tied": {"tied": True, "wordvec_size": 4}}


@pytest.fixture(params=OUTPUTS)
def path(request, tmp_path, monkeypatch):
    """The name of a model file in the current folder, which also has a text, t.txt."""
    options = {"wordvec_size": 6, "hidden_size": 8, "layers": 2, "cell": "lstm"} | OUTPUTS[request.param]
    model = LanguageModel(len(WORDS), **options, softmax="adaptive", cutoffs=[3, 6], rng=np.random.default_rng(0))
    for param in model.params:
        param += 0.4 * np.random.default_rng(1).standard_normal(param.shape).astype(np.float32)
    save_model(tmp_path / "m.npz", model, Vocabulary(WORDS, "word", range(17, 17 - len(WORDS), -1)))
    (tmp_path / "t.txt").write_text(TEXT, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return "m.npz"


def logs_of(path, *words):
    """ln p of each word, from the arrays alone."""
    model, found = Model(path), []
    for word in words:
        i = WORDS.index(word if word in WORDS else "<unk>")
        found.append(model.log_probs[i])
        model.read(i)
    return found


def printed(capsys, *arguments):
    assert main(list(arguments)) == 0
    return capsys.readouterr().out


@pytest.mark.parametrize("protocol", ["stream", "document", "sentence"])
def test_the_rows_of_a_text_are_those_from_the_arrays_alone(path, protocol):
    rows = rnnlm.load(path).score(Path("t.txt"), protocol, top=3, log_base="e")
    expected = expected_rows(path, TEXT, protocol, math.e)
    assert len(rows) == len(expected)
    for row, wanted in zip(rows, expected, strict=True):
        for name in ("log_prob", "surprisal", "entropy", "entropy_reduction"):
            assert row[name] == pytest.approx(wanted[name], abs=1e-5, nan_ok=True)
        assert row["frequency"] == wanted["frequency"]
        if wanted["p"] is not None:
            assert wanted["p"].sum() == pytest.approx(1, rel=1e-12)
            assert wanted["ranks"][0] <= row["rank"] <= wanted["ranks"][1]
            best = np.argsort(-wanted["p"])[:3]
            assert [row[f"top{k}"] for k in (1, 2, 3)] == [WORDS[i] for i in best]
            assert [row[f"p{k}"] for k in (1, 2, 3)] == pytest.approx(wanted["p"][best], rel=1e-5)


def test_totals_pairs_and_lists_are_those_from_the_arrays_alone(path, tmp_path, capsys):
    total = sum(row["log_prob"] for row in expected_rows(path, TEXT, base=math.e))
    found = json.loads(printed(capsys, "evaluate", path, "t.txt", "--json"))
    assert (found["log_prob"], found["targets"]) == (pytest.approx(total, abs=1e-4), 17)
    (tmp_path / "p.jsonl").write_text(json.dumps({"sentence_good": "the cat sat", "sentence_bad": "the cat mat",
                                                  "UID": "u", "field": "f", "linguistics_term": "l"}) + "\n")
    (item,) = json.loads(printed(capsys, "pairs", path, "p.jsonl", "--json"))["items"]
    for side, word in (("good", "sat"), ("bad", "mat")):
        assert item[f"log_prob_{side}"] == pytest.approx(sum(logs_of(path, "the", "cat", word, "<eos>")), abs=1e-5)
    (tmp_path / "lists").write_text("u-1 the dog ran\nu-2 mat\nu-3 xx #1\n")
    out = printed(capsys, "rescore", path, "lists", "--nbest-format", "kaldi", "--format", "kaldi")
    for line, words in zip(out.splitlines(), (["the", "dog", "ran"], ["mat"], ["xx", "#1"]), strict=True):
        costs = [-float(cost) for cost in line.split()[1:]]
        assert costs == pytest.approx(logs_of(path, *words, "<eos>"), abs=1e-4)
    printed(capsys, "page", path, "t.txt", "--output", "page.html")
    assert "adaptive softmax with cutoffs at 3 and 6" in (tmp_path / "page.html").read_text(encoding="utf-8")


def test_what_is_written_has_the_probabilities_of_the_arrays(path):
    model = rnnlm.load(path)
    assert repr(model).startswith("<rnnlm model: 2 x lstm of 8")
    independent = Model(path)
    for i in map(WORDS.index, ("the", "mat")):
        independent.read(i)
    assert dict(model.next_words("the mat", k=99)) == pytest.approx(
        dict(zip(WORDS, np.exp(independent.log_probs), strict=True)), rel=1e-4)
    for options in ({}, {"temperature": 0.7, "top_k": 4}, {"top_p": 0.8}, {"ban": ["mat"], "repetition_penalty": 1.3}):
        for text in model.samples("the", count=5, seed=3, scores=True, length=6, **options):
            said = logs_of(path, "the", *text.tokens)[1:]
            assert text.log_probs == pytest.approx(said, abs=1e-4)
            assert not set(options.get("ban", ())) & set(text.tokens) and "<unk>" not in text.tokens
    for text in model.beam("the", 3, scores=True, max_length=4):
        assert text.log_probs == pytest.approx(logs_of(path, "the", *text.tokens)[1:], abs=1e-4)
    line = {"temperature": 0, "min_length": 5, "max_length": 5, "seed": 1}
    for text in [model.generate("the", **line), model.samples("the", count=2, **line)[1].text]:
        words = text.split()
        for at in range(1, 5):
            best = [word for word, _ in model.next_words(" ".join(words[:at]), 3) if word not in ("<eos>", "<unk>")]
            assert words[at] == best[0]


def test_words_are_drawn_as_often_as_they_are_probable(path):
    """In 600 texts of a word, side by side; within 5 standard deviations."""
    texts = rnnlm.load(path).samples("the cat", count=600, length=1, seed=1, allow_unk=True)
    independent = Model(path)
    for i in map(WORDS.index, ("the", "cat")):
        independent.read(i)
    drawn = [text.tokens[0] for text in texts]
    for word, p in zip(WORDS, np.exp(independent.log_probs), strict=True):
        assert abs(drawn.count(word) - 600 * p) < 5 * math.sqrt(600 * p) + 1, word


def test_a_run_says_its_cutoffs_keeps_them_and_repeats_them(run, tmp_path):
    code, out, _ = run("--epochs", "1", "--softmax", "adaptive", "--cutoffs", "4, 9", output="given")
    assert code == 0 and "adaptive softmax with cutoffs at 4 and 9, " in out
    assert tomllib.loads((tmp_path / "given/config.toml").read_text())["cutoffs"] == [4, 9]
    assert run.bare("--config", "given", "--output", "again")[0] == 0
    first = (tmp_path / "given/model.npz").read_bytes()
    assert (tmp_path / "again/model.npz").read_bytes() == first
    small = {"hidden_size": 12, "batch_size": 4, "time_size": 7, "lr": 0.02, "dropout": 0.1, "input_dropout": 0.1}
    for number, cutoffs in enumerate(((np.int64(4), 9), np.array([4, 9]))):
        done = rnnlm.train(run.corpus, epochs=1, softmax="adaptive", cutoffs=cutoffs, output=f"r{number}", **small)
        assert (done.folder / "model.npz").read_bytes() == first
    (tmp_path / "c.toml").write_text('softmax = "adaptive"\ncutoffs = "4,9"\n')
    assert run("--epochs", "1", "--config", "c.toml")[0] == 0
    assert (tmp_path / "run/model.npz").read_bytes() == first


@pytest.mark.parametrize(("cutoffs", "said"), [
    ([4], "4"), ([4, 1500], "4 and 1,500"), ([3, 4, 1500], "3, 4 and 1,500")])
def test_the_line_of_a_model_names_its_cutoffs(cutoffs, said):
    model = LanguageModel(2000, 2, 3, softmax="adaptive", cutoffs=cutoffs, rng=None)
    assert described(model) == f"tanh RNN of 3, word vectors of 2, adaptive softmax with cutoffs at {said}"


def test_cutoffs_that_are_chosen_stay_the_runs_own(run, tmp_path):
    code, out, _ = run("--epochs", "1", "--softmax", "adaptive")
    chosen = options_of(tmp_path / "run")["cutoffs"]
    assert code == 0 and all(f"{cutoff}" in out.partition("cutoffs at")[2] for cutoff in chosen)
    config = (tmp_path / "run/config.toml").read_text()
    assert f"# cutoffs = {chosen}" in config and "cutoffs" not in tomllib.loads(config)
    code, out, _ = run("--epochs", "2", "--softmax", "adaptive", "--resume")
    assert code == 0 and len(metrics(tmp_path / "run")) == 2
    assert options_of(tmp_path / "run")["cutoffs"] == chosen
    for options, was in ((["--cutoffs", "5"], f"--cutoffs is [5], was {chosen}"),
                         (["--softmax", "full"], "--softmax is full, was adaptive")):
        code, _, err = run("--epochs", "3", *options, "--resume")
        assert code == 1 and was in err
    config = (tmp_path / "run/config.toml").read_text() + "\ncutoffs = [2, 8]\n"
    (tmp_path / "run/config.toml").write_text(config)
    _, _, err = run("--epochs", "3", "--softmax", "adaptive", "--resume")
    assert f"cutoffs = [2, 8] (checkpoint: {chosen})" in err and "--cutoffs 2,8" in err


@pytest.mark.parametrize(("arguments", "message"), [
    (["--cutoffs", "5"], "--cutoffs does nothing here: it works only with --softmax adaptive"),
    (["--softmax", "adaptive", "--cutoffs", "4,900"], "cutoffs must be 1 to 20 rising whole numbers below the size of "
     "the vocabulary, 16, got [4, 900]")])
def test_what_cannot_be_is_refused_before_anything_is_written(arguments, message, run, tmp_path):
    code, _, err = run(*arguments)
    assert code == 1 and message in err and len(err.splitlines()) == 1
    assert not (tmp_path / "run/model.npz").exists()


@pytest.mark.parametrize("text", ["", "4,", "9,4", "4,4", "0", "-1", "1e3", "4;9", "9" * 400, "a"])
def test_what_is_no_list_of_cutoffs_is_a_wrong_usage(text, run, capsys):
    with pytest.raises(SystemExit) as left:
        run("--softmax", "adaptive", f"--cutoffs={text}")
    assert left.value.code == 2
    err = capsys.readouterr().err
    assert "--cutoffs: must be " in err and len(err.splitlines()) == 1 and len(err) < 400


@pytest.mark.parametrize("text", ["[]", "[4, 'a']", "[4, 4]", "[[4]]", "[true]", "4.5", "{a = 1}", "true", "[4.5]",
                                  "[0x" + "f" * 5000 + "]"])
def test_a_file_says_it_in_one_line_too(text, run, tmp_path):
    (tmp_path / "c.toml").write_text(f'softmax = "adaptive"\ncutoffs = {text}\n')
    code, _, err = run("--config", "c.toml")
    assert code == 1 and "c.toml: cutoffs must be " in err and len(err.splitlines()) == 1 and len(err) < 500
