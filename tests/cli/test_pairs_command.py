"""The command for minimal pairs, as a user runs it."""

import csv
import hashlib
import json
import re

import numpy as np
import pytest

import rnnlm
from rnnlm.cli.pairs import main
from rnnlm.formats.model_file import save_model
from rnnlm.models import LanguageModel
from rnnlm.reports.published_pairs import PUBLISHED
from rnnlm.text.vocabulary import Vocabulary

WORDS = ["<eos>", "<unk>", "the", "dog", "dogs", "bark", "barks", "n't", "do"]
LINES = [{"sentence_good": f"The {word} {verb}.", "sentence_bad": f"The {word} {other}.", "UID": uid, "field": "syntax",
          "linguistics_term": "agreement", "one_prefix_prefix": f"The {word}", "one_prefix_word_good": verb,
          "one_prefix_word_bad": other}
         for uid, word, verb, other in [("one", "dog", "barks", "bark"), ("one", "dogs", "bark", "barks"),
                                        ("two", "zebra", "runs", "run"), ("two", "cat", "barks", "bark")]]


@pytest.fixture
def model_path(tmp_path):
    model, rng = LanguageModel(len(WORDS), 4, 5, rng=np.random.default_rng(2)), np.random.default_rng(2)
    for param in model.params:
        param += 0.5 * rng.standard_normal(param.shape).astype(np.float32)
    save_model(tmp_path / "model.npz", model, Vocabulary(WORDS))
    return tmp_path / "model.npz"


@pytest.fixture
def pairs(tmp_path):
    path = tmp_path / "pairs.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in LINES))
    return path


def independent_log_probs(model_path, words):
    """ln p of each word and of the end, from the file's arrays alone, in float64."""
    with np.load(model_path) as f:
        p = {name: f[name].astype(np.float64) for name in f.files if "/" in name}
    h, previous, found = np.zeros(p["rnn1/b"].size), 0, []
    for word in [*words, "<eos>"]:
        h = np.tanh(p["embedding/W"][previous] @ p["rnn1/Wx"] + h @ p["rnn1/Wh"] + p["rnn1/b"])
        scores = h @ p["affine/W"] + p["affine/b"]
        previous = WORDS.index(word) if word in WORDS else 1
        found.append(scores[previous] - np.log(np.exp(scores).sum()))
    return found


def as_json(arguments, capsys):
    assert main([*map(str, arguments), "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_every_pair_is_reproduced_from_the_arrays_alone(model_path, pairs, capsys):
    printed = as_json([model_path, pairs, "--lowercase", "--split-punctuation"], capsys)
    right, right_prefix = [], []
    for item, line in zip(printed["items"], LINES, strict=True):
        words = [line[f"sentence_{which}"].lower().rstrip(".").split() for which in ("good", "bad")]
        good, bad = (independent_log_probs(model_path, sentence) for sentence in words)
        assert item["log_prob_good"] == pytest.approx(sum(good), abs=1e-5)
        assert item["log_prob_bad"] == pytest.approx(sum(bad), abs=1e-5)
        assert item["one_prefix_log_prob_good"] == pytest.approx(good[2], abs=1e-5)
        assert item["one_prefix_log_prob_bad"] == pytest.approx(bad[2], abs=1e-5)
        right.append(sum(good) > sum(bad))
        right_prefix.append(good[2] > bad[2])
    assert right[2] == 0  # two unknown words are the same to the model: a tie
    assert printed["items"][2]["same_ids"]
    assert (printed["items"][2]["file"], printed["items"][2]["line"]) == (str(pairs), 3)
    assert (printed["items"][3]["unknown_good"], printed["items"][3]["unknown_bad"]) == (1, 1)
    assert printed["accuracy"] == sum(right) / 4
    assert printed["one_prefix"]["accuracy"] == sum(right_prefix) / 4
    assert {name: printed[name] for name in ("pairs", "ties", "same_ids", "with_unknown", "pairs_known")} == {
        "pairs": 4, "ties": 1, "same_ids": 1, "with_unknown": 2, "pairs_known": 2}
    assert printed["accuracy_known"] == sum(right[:2]) / 2
    assert list(printed["by_uid"]) == ["one", "two"]
    assert printed["published"] == []


def test_the_options_do_what_they_say(model_path, pairs, capsys):
    plain = as_json([model_path, pairs], capsys)
    lower = as_json([model_path, pairs, "--lowercase"], capsys)
    assert [item["unknown_good"] for item in plain["items"]] == [2, 2, 3, 3]  # The, and the verb with its full stop
    assert [item["unknown_good"] for item in lower["items"]] == [1, 1, 2, 2]
    assert (plain["about"]["text"], lower["about"]["text"]) == ("as it is", "lowercase")
    split = [model_path, pairs, "--lowercase", "--split-punctuation"]
    whole, without = as_json(split, capsys), as_json([*split, "--without-end"], capsys)
    for item, other, line in zip(whole["items"], without["items"], LINES, strict=True):
        end = independent_log_probs(model_path, line["sentence_good"].lower().rstrip(".").split())[-1]
        assert item["log_prob_good"] - other["log_prob_good"] == pytest.approx(end, abs=1e-5)
    assert without["about"]["sentence_end"] == "not scored"


def test_as_lm_eval_counts(model_path, pairs, capsys):
    """There a tie is right, and the end is left out."""
    arguments = [model_path, pairs, "--lowercase", "--split-punctuation", "--without-end"]
    wrong, half, right = (as_json([*arguments, "--ties", ties], capsys) for ties in ("wrong", "half", "right"))
    assert right["accuracy"] - wrong["accuracy"] == pytest.approx(wrong["ties"] / wrong["pairs"])
    assert half["accuracy"] == pytest.approx((right["accuracy"] + wrong["accuracy"]) / 2)
    assert right["accuracy_known"] == wrong["accuracy_known"]
    assert right["about"]["ties"] == "right"


def test_the_table_says_the_same(model_path, pairs, capsys):
    printed = as_json([model_path, pairs], capsys)
    assert main([str(model_path.parent), str(pairs)]) == 0
    lines = capsys.readouterr().out.splitlines()
    header = [line for line in lines if line.startswith("#")]
    assert f"# sha256: {hashlib.sha256(model_path.read_bytes()).hexdigest()}" in header
    assert "# protocol: sentence: each sentence is read on its own" in header
    assert printed["about"]["first_word"].startswith("scored, after <eos>")
    assert {"# base: e", "# log_prob: natural logarithm of a sentence's probability",
            "# accuracy: fraction of the pairs, from 0 to 1"} <= set(header)
    rows = list(csv.DictReader(lines[len(header):], delimiter="\t"))
    assert [(row["level"], row["name"]) for row in rows] == [
        ("uid", "one"), ("uid", "two"), ("phenomenon", "agreement"), ("field", "syntax"), ("all", "mean of UIDs")]
    assert (rows[-1]["pairs"], rows[-1]["accuracy"]) == ("4", f"{printed['accuracy']:.3f}")


def test_a_terminal_gets_columns_below_each_other(model_path, pairs, capsys, monkeypatch):
    monkeypatch.setattr("rnnlm.cli.pairs.is_terminal", lambda stream: True)
    assert main([str(model_path), str(pairs)]) == 0
    rows = [line for line in capsys.readouterr().out.splitlines() if re.match("level|uid|all", line)]
    assert len(rows) == 4
    assert len({len(row) for row in rows}) == 1
    assert "\t" not in "".join(rows)


UNKNOWN = "note: 4 of 4 pairs with unknown words, read as <unk>, such as"
ASKED = "is the training text prepared in another way? try"


@pytest.mark.parametrize(("arguments", "notes"), [
    ([], f"{UNKNOWN} The barks. bark. zebra runs.: {ASKED} --lowercase --split-punctuation\n"),
    (["--lowercase"], f"{UNKNOWN} barks. bark. zebra runs. run.: {ASKED} --split-punctuation\n"),
    (["--split-punctuation"], f"{UNKNOWN} The zebra runs run cat: {ASKED} --lowercase\n"),
    (["--lowercase", "--split-punctuation"], "note: 2 of 4 pairs with unknown words, read as <unk>, such as zebra runs "
     "run cat\n")])
def test_unknown_words_are_noted_with_what_may_make_them_known(model_path, pairs, capsys, arguments, notes):
    assert main([str(model_path), str(pairs), *arguments]) == 0
    assert capsys.readouterr().err == notes


def test_what_cannot_make_words_known_is_not_proposed(tmp_path, capsys):
    (tmp_path / "pairs.tsv").write_text("the zebra\tzebra the\n")
    for words, level, fate in ((["<eos>", "<unk>", "The", "dog"], "word", "read as <unk>, such as the zebra"),
                               (["<eos>", "the"], "word", "with probability 0, such as zebra"),
                               (["<eos>", " ", *"theb"], "char", "with probability 0, such as z r a")):
        model = LanguageModel(len(words), 2, 2, rng=np.random.default_rng(0))
        save_model(tmp_path / "m.npz", model, Vocabulary(words, level))
        assert main([str(tmp_path / "m.npz"), str(tmp_path / "pairs.tsv")]) == 0
        assert capsys.readouterr().err == f"note: 1 of 1 pair with unknown words, {fate}\n"
    (tmp_path / "pairs.tsv").write_text("the\thet\n")
    assert main([str(tmp_path / "m.npz"), str(tmp_path / "pairs.tsv")]) == 0
    assert capsys.readouterr().err == ""


def test_the_size_of_the_training_text_is_that_of_the_counts(model_path, pairs, capsys, monkeypatch):
    monkeypatch.setattr("rnnlm.cli.pairs.published", lambda pairs: PUBLISHED)
    assert as_json([model_path, pairs], capsys)["training_tokens"] is None
    save_model(model_path, LanguageModel(len(WORDS), 2, 2, rng=np.random.default_rng(0)),
               Vocabulary(WORDS, counts=np.arange(len(WORDS))))
    assert as_json([model_path, pairs], capsys)["training_tokens"] == 36
    assert main([str(model_path), str(pairs)]) == 0
    assert "that of this model has 36 tokens:" in capsys.readouterr().out


def test_several_files_a_folder_and_columns(model_path, pairs, tmp_path, capsys):
    columns = tmp_path / "mine.tsv"
    columns.write_text("the dog barks\tthe dog bark")
    printed = as_json([model_path, columns, tmp_path], capsys)
    assert {uid: group["pairs"] for uid, group in printed["by_uid"].items()} == {"mine": 1, "one": 2, "two": 2}
    accuracies = [group["accuracy"] for group in printed["by_uid"].values()]
    assert printed["accuracy"] == pytest.approx(sum(accuracies) / 3)


def test_repeated_pairs_are_counted_and_noted(model_path, pairs, capsys):
    assert main([str(model_path), str(pairs), str(pairs)]) == 0
    err = capsys.readouterr().err
    assert "4 pairs repeated; all are counted" in err
    assert f"{pairs}: line 1 repeats {pairs}: line 1" in err


def test_a_chart_is_drawn(model_path, pairs, tmp_path, capsys):
    assert main([str(model_path), str(pairs), "--chart", str(tmp_path / "chart.png")]) == 0
    assert (tmp_path / "chart.png").read_bytes().startswith(b"\x89PNG")
    (tmp_path / "chart.png").write_bytes(b"\x89PNG\r\n\x1a\n an earlier picture")
    assert main([str(model_path), str(pairs), "--chart", str(tmp_path / "chart.png")]) == 0
    assert len((tmp_path / "chart.png").read_bytes()) > 1000


@pytest.mark.parametrize(("chart", "message"), [
    ("model.npz", "model.npz exists and is not a PNG picture, so it is not replaced: choose another name"),
    ("link", "link exists and is not a PNG picture"), ("pairs.jsonl", "is not a PNG picture"),
    (".", "is not a regular file, so it is not replaced"), ("-", "- is not the name of a file"),
    ("none/chart.png", "none/chart.png could not be written: no such file or directory; the folder does not exist")])
def test_a_chart_replaces_no_other_file_and_this_is_told_first(model_path, pairs, monkeypatch, capsys, chart, message):
    monkeypatch.chdir(model_path.parent)
    (model_path.parent / "link").symlink_to(model_path)
    before = model_path.read_bytes(), pairs.read_bytes()
    assert main(["model.npz", "pairs.jsonl", "--chart", chart]) == 1
    out, err = capsys.readouterr()
    assert message in err
    assert (out, len(err.splitlines())) == ("", 1)
    assert (model_path.read_bytes(), pairs.read_bytes()) == before


@pytest.mark.parametrize(("arguments", "message"), [
    (["model.npz", "none.tsv"], "none.tsv could not be read"),
    (["model.npz", "bad.tsv"], "bad.tsv: line 2 must hold a good and a bad sentence"),
    (["model.npz", "-", "-"], "standard input (-) can be read only once"),
    (["none.npz", "bad.tsv"], "no such file")])
def test_an_error_is_one_line(model_path, monkeypatch, capsys, arguments, message):
    monkeypatch.chdir(model_path.parent)
    (model_path.parent / "bad.tsv").write_text("a\tb\nc\n")
    assert main(arguments) == 1
    out, err = capsys.readouterr()
    assert message in err
    assert (out, len(err.splitlines())) == ("", 1)


def test_what_is_not_finite_is_null(tmp_path, pairs, capsys):
    words = ["<eos>", "the", "dog", "barks", "bark"]
    save_model(tmp_path / "m.npz", LanguageModel(5, 3, 3, rng=np.random.default_rng(1)), Vocabulary(words))
    printed = as_json([tmp_path / "m.npz", pairs, "--lowercase", "--split-punctuation"], capsys)
    assert printed["items"][2]["log_prob_good"] is None  # zebra has no probability
    assert printed["items"][0]["log_prob_good"] < 0


def test_a_loaded_model_scores_the_same(model_path, pairs, capsys):
    printed = as_json([model_path, pairs, "--lowercase", "--split-punctuation", "--ties", "half"], capsys)
    model = rnnlm.load(model_path)
    found = model.pairs(pairs, lowercase=True, split_punctuation=True, ties="half")
    assert found.accuracy == printed["accuracy"]
    assert found.summary()["by_field"] == printed["by_field"]
    sentences = [(line["sentence_good"], line["sentence_bad"]) for line in LINES]
    own = model.pairs(sentences, lowercase=True, split_punctuation=True)
    np.testing.assert_array_equal(own.sentence.log_probs, found.sentence.log_probs)
    assert not own.one_prefix.scored.any()
    assert model.pairs(sentences, with_end=False).sentence.log_probs[0, 0] > model.pairs(
        sentences).sentence.log_probs[0, 0]
    with pytest.raises(rnnlm.RnnlmError, match=r"pairs must be a list of pairs \(good, bad\) or a pathlib.Path"):
        model.pairs(str(pairs))
