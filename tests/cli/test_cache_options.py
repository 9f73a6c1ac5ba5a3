"""The options of caches and temperature, in the commands that take them."""

import json
import math
from importlib import import_module

import numpy as np
import pytest

from rnnlm.adapting.cache import Cache
from rnnlm.adapting.caches import CacheSettings
from rnnlm.formats.model_file import load_model, save_model
from rnnlm.models import LanguageModel
from rnnlm.scoring.evaluation import token_log_probs
from rnnlm.text.corpus import read_text
from rnnlm.text.vocabulary import Vocabulary

CHOSEN = ["--cache", "7", "--cache-theta", "0.3", "--cache-weight", "0.2", "--cache-decay", "0.05",
          "--unigram-cache", "9", "--unigram-cache-weight", "0.125", "--softmax-temperature", "1.5"]
SETTINGS = CacheSettings(7, 0.3, 0.2, 0.05, 9, 0.125, 1.5)


@pytest.fixture
def model_path(tmp_path, rng):
    words = ["<eos>", "<unk>", "the", "cat", "sat", "on", "mat"]
    model = LanguageModel(len(words), 4, 5, layers=2, rng=rng)
    for param in model.params:
        param += 0.5 * rng.standard_normal(param.shape).astype(np.float32)
    model.params[-1][0] += 1.5  # lines end
    save_model(tmp_path / "model.npz", model, Vocabulary(words))
    return str(tmp_path / "model.npz")


@pytest.fixture
def text(tmp_path):
    path = tmp_path / "text.txt"
    path.write_text("the cat sat\nthe dog sat on\n\nthe mat\nthe mat sat\n" * 5, encoding="utf-8")
    return str(path)


def run(command, *arguments):
    return import_module(f"rnnlm.cli.{command}").main(list(arguments))


def by_library(settings, model_path, text):
    """ln p of all words from the library."""
    model, vocabulary = load_model(model_path)
    return token_log_probs(settings.around(model), read_text(text, vocabulary), vocabulary.eos_id)


def printed(capsys):
    """The rows of the table on standard output, dicts, and the heading."""
    lines = capsys.readouterr().out.splitlines()
    head = dict(line[2:].split(": ", 1) for line in lines if line.startswith("# "))
    names, *rows = (line.split("\t") for line in lines if not line.startswith("#"))
    return head, [dict(zip(names, row, strict=True)) for row in rows]


def test_evaluate_scores_what_the_library_does(model_path, text, capsys):
    assert run("evaluate", model_path, text, "--json", *CHOSEN) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["log_prob"] == pytest.approx(by_library(SETTINGS, model_path, text).sum(dtype=np.float64), rel=1e-5)


@pytest.mark.parametrize("flags, settings", [
    (["--cache", "5"], CacheSettings(5)), (["--unigram-cache", "5"], CacheSettings(unigram_size=5)),
    (["--softmax-temperature", "0.5"], CacheSettings(temperature=0.5)),
    (["--cache", "5", "--cache-theta", "0"], CacheSettings(5, 0)),
    (["--cache", "5", "--unigram-cache", "9", "--weights-follow", "3"], CacheSettings(5, unigram_size=9, follow=3))])
def test_what_is_not_given_has_its_default(flags, settings, model_path, text, capsys):
    assert run("evaluate", model_path, text, "--json", *flags) == 0
    log_prob = json.loads(capsys.readouterr().out)["log_prob"]
    assert log_prob == pytest.approx(by_library(settings, model_path, text).sum(dtype=np.float64), rel=1e-5)


def test_score_has_surprisals_with_and_without_adaptation(model_path, text, capsys):
    assert run("score", model_path, text, "--log-base", "e", *CHOSEN) == 0
    head, rows = printed(capsys)
    assert head["softmax_temperature"] == "1.5"
    assert head["cache"] == "7 states, theta 0.3, weight 0.2, decay 0.05"
    assert head["unigram_cache"] == "9 words, weight 0.125"
    adapted, static = ([float(row[name]) for row in rows] for name in ("surprisal", "surprisal_static"))
    np.testing.assert_allclose(adapted, -by_library(SETTINGS, model_path, text), atol=1e-5)
    np.testing.assert_allclose(static, -by_library(CacheSettings(temperature=1.5), model_path, text), atol=1e-5)


def test_the_memory_is_kept_where_the_state_is_forgotten(model_path, text, capsys):
    assert run("score", model_path, text, "--log-base", "e", "--protocol", "sentence", "--cache", "7",
               "--columns", "word,surprisal,surprisal_static") == 0
    head, rows = printed(capsys)
    assert head["cache"] == "7 states, theta 0.1, weight 0.1, kept where the state is forgotten"
    model, vocabulary = load_model(model_path)
    cache, ids = Cache(model, 7, 0.1, 0.1), read_text(text, vocabulary).ids
    expected = {"surprisal": [], "surprisal_static": []}
    with cache.fresh_state():
        for sentence in np.split(ids, np.flatnonzero(ids == vocabulary.eos_id) + 1)[:-1]:
            cache.forget()
            xs = np.array([[vocabulary.eos_id, *sentence[:-1]]])
            expected["surprisal"].extend(-cache.log_probs(xs, sentence[np.newaxis])[0])
    for sentence in np.split(ids, np.flatnonzero(ids == vocabulary.eos_id) + 1)[:-1]:
        expected["surprisal_static"].extend(-token_log_probs(model, sentence, vocabulary.eos_id))
    for name, values in expected.items():
        np.testing.assert_allclose([float(row[name]) for row in rows], values, atol=1e-5)


def test_a_table_of_a_model_that_does_not_adapt_has_no_column_for_it(model_path, text, capsys):
    assert run("score", model_path, text, "--softmax-temperature", "1.2") == 0
    assert "surprisal_static" not in printed(capsys)[1][0]
    assert run("score", model_path, text, "--columns", "word,surprisal_static") == 1
    assert "there is no column 'surprisal_static'" in capsys.readouterr().err


def test_tuning_chooses_what_was_not_given_and_prints_what_to_give(model_path, text, capsys):
    assert run("evaluate", model_path, text, "--json", "--cache", "tune", "--unigram-cache", "4",
               "--softmax-temperature", "tune", "--tune", text) == 0
    out, err = capsys.readouterr()
    assert "cache  theta  weight  decay  unigram cache  weight  temperature  perplexity" in err
    chosen = next(line for line in err.splitlines() if line.startswith("chosen"))
    tuned, perplexity = json.loads(out), float(chosen.split()[2].rstrip(":"))
    assert tuned["perplexity"] == pytest.approx(perplexity, rel=1e-4)
    flags = chosen.split(": ")[1].split()
    assert flags[flags.index("--unigram-cache") + 1] == "4"
    assert run("evaluate", model_path, text, "--json", *flags) == 0
    assert json.loads(capsys.readouterr().out)["log_prob"] == pytest.approx(tuned["log_prob"], rel=1e-4)
    assert math.exp(-by_library(CacheSettings(), model_path, text).mean()) > perplexity


def test_a_number_at_the_edge_of_the_grid_has_a_note(model_path, text, capsys, monkeypatch):
    for temperatures, said in (((1.0, 60.0), False), ((60.0, 90.0), True)):
        monkeypatch.setattr("rnnlm.cli.cache_options.TEMPERATURES", temperatures)
        assert run("evaluate", model_path, text, "--softmax-temperature", "tune", "--tune", text) == 0
        note = "note: this temperature is the smallest of those tried: --softmax-temperature gives others\n"
        assert (note in capsys.readouterr().err) == said


@pytest.mark.parametrize("arguments", [[], CHOSEN, ["--softmax-temperature", "2"],
                                       ["--mix", "MODEL", "--weights", "0.5,0.5"],
                                       ["--dynamic", "sgd", "--dynamic-lr", "1", "--dynamic-decay", "0"]])
def test_tuning_needs_something_to_choose(arguments, model_path, text, capsys):
    arguments = [model_path if argument == "MODEL" else argument for argument in arguments]
    assert run("evaluate", model_path, text, *arguments, "--tune", text) == 1
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1 and "--tune has nothing to choose" in err


def test_what_was_given_is_not_tuned_beside_what_is(model_path, text, capsys):
    assert run("evaluate", model_path, text, *CHOSEN, "--mix", model_path, "--tune", text) == 0
    err = capsys.readouterr().err
    assert "weights chosen on" in err and "before" not in err


def test_json_has_what_was_used(model_path, text, capsys):
    assert run("evaluate", model_path, text, "--json", "--cache", "7", "--cache-theta", "0.3", "--unigram-cache", "9",
               "--softmax-temperature", "1.5", "--tune", text) == 0
    out, err = capsys.readouterr()
    found, chosen = json.loads(out), err.splitlines()[-1]
    weight = chosen.partition("--cache-weight ")[2].split()[0]
    assert found["cache"].startswith(f"7 states, theta 0.3, weight {weight}")
    assert found["unigram_cache"].startswith("9 words, weight ") and found["softmax_temperature"] == "1.5"


@pytest.mark.parametrize("arguments", [["--samples", "3", "--sentences", "4", "--seed", "1"],
                                       ["--sentences", "4", "--seed", "2"], ["--beam", "3"]])
def test_each_text_is_written_with_a_memory_of_its_own(arguments, model_path, capsys):
    """What was written is as probable as it is when it is scored."""
    assert run("generate", model_path, *arguments, "--json", "--scores", "--allow-unk", *CHOSEN) == 0
    texts = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    model, vocabulary = load_model(model_path)
    for text in texts:
        ids = np.array([vocabulary.ids[token] for token in text["tokens"]])
        found = token_log_probs(SETTINGS.around(model), ids, vocabulary.eos_id)
        np.testing.assert_allclose(text["log_probs"], found, atol=1e-4)
    assert len(texts) == (1 if "2" in arguments else 3)


def test_pairs_and_lists_start_afresh(model_path, tmp_path, capsys):
    """A sentence scores what it scores alone, with a memory of its own words."""
    pairs, lists = tmp_path / "pairs.tsv", tmp_path / "lists.txt"
    pairs.write_text("the cat sat the cat\tthe mat on on\nthe cat the cat\tsat the mat\n", encoding="utf-8")
    assert run("pairs", model_path, str(pairs), "--json", *CHOSEN) == 0
    items = json.loads(capsys.readouterr().out)["items"]
    found = [items[0]["log_prob_good"], items[0]["log_prob_bad"], items[1]["log_prob_bad"]]
    lists.write_text("1 the cat sat the cat\n1 the mat on on\n2 sat the mat\n", encoding="utf-8")
    assert run("rescore", model_path, str(lists), "--nbest-format", "classic", *CHOSEN) == 0
    _, rows = printed(capsys)
    lines = "the cat sat the cat", "the mat on on", "sat the mat"
    wanted = []
    for line in lines:
        (tmp_path / "line.txt").write_text(line + "\n", encoding="utf-8")
        wanted.append(by_library(SETTINGS, model_path, tmp_path / "line.txt").sum())
    np.testing.assert_allclose(found, wanted, rtol=1e-5)
    np.testing.assert_allclose([float(row["log_prob"]) for row in rows], wanted, rtol=1e-5)


def test_the_largest_decay_is_taken(model_path, text, capsys):
    arguments = "--cache", "5", "--json", "--cache-decay", "0.1"
    assert run("evaluate", model_path, text, *arguments) == 0
    wanted = by_library(CacheSettings(5, decay=0.1), model_path, text).sum()
    assert json.loads(capsys.readouterr().out)["log_prob"] == pytest.approx(wanted, rel=1e-5)


@pytest.mark.parametrize("flags, message", [
    (["--cache-theta", "1"], "--cache-theta needs --cache"),
    (["--cache-weight", "0.1"], "--cache-weight needs --cache"),
    (["--unigram-cache-weight", "0.1"], "--unigram-cache-weight needs --unigram-cache"),
    (["--cache", "tune"], "--cache tune needs a text to be chosen on"),
    (["--softmax-temperature", "tune"], "--softmax-temperature tune needs a text"),
    (["--cache", "5", "--tune", "missing.txt"], "missing.txt")])
def test_what_does_not_go_together_is_one_line(flags, message, model_path, text, capsys):
    assert run("evaluate", model_path, text, *flags) == 1
    out, err = capsys.readouterr()
    assert message in err and err.count("\n") == 1 and not out


@pytest.mark.parametrize("flags, message", [
    (["--cache", "0"], "must be a whole number of at least 1 or 'tune', got '0'"),
    (["--cache", "many"], "or 'tune', got 'many'"), (["--cache", "1000000000"], "must be at most 10,000,000 or 'tune'"),
    (["--unigram-cache", "1.5"], "or 'tune', got '1.5'"), (["--cache-theta", "-1"], "of at least 0"),
    (["--cache-decay", "0.5"], "must be a number from 0 to 0.1, got '0.5'"), (["--cache-weight", "1"], "below 1"),
    (["--unigram-cache-weight", "-0.1"], "below 1"),
    (["--softmax-temperature", "0"], "must be a number above 0 or 'tune', got '0'"),
    (["--softmax-temperature", "nan"], "above 0")])
def test_bad_values_are_wrong_usage(flags, message, model_path, text, capsys):
    with pytest.raises(SystemExit) as exit:
        run("evaluate", model_path, text, *flags)
    assert exit.value.code == 2
    assert message in capsys.readouterr().err
