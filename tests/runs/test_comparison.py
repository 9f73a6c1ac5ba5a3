"""Runs side by side: what is compared, what is not, and what of a folder is refused."""

import itertools
import json
import math
import os
import shutil
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from training_runs import QuickPicture

import rnnlm
from rnnlm.errors import RnnlmError
from rnnlm.formats.model_file import save_model
from rnnlm.models import LanguageModel
from rnnlm.runs.comparison import Comparison, compare, differing_options
from rnnlm.runs.comparison_curves import curves
from rnnlm.runs.options import TRAIN
from rnnlm.runs.summary import SUMMARY

SMALL = {"hidden_size": 6, "batch_size": 4, "time_size": 7, "lr": 0.02, "dropout": 0.1, "epochs": 2}


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A folder with the folders of several runs on one text, and the text."""
    folder = tmp_path_factory.mktemp("runs")
    corpus = folder / "small"
    corpus.mkdir()
    cycle = "the cat sat on the mat .\nthe dog ran to the door .\n"
    for split, text in (("train", cycle * 30 + "a Rose .\n"), ("valid", cycle * 3), ("test", cycle * 2 + "a cat .\n")):
        (corpus / f"{split}.txt").write_text(text)
    monkeypatch = pytest.MonkeyPatch()
    monkeypatch.setattr("rnnlm.reports.curves.perplexity_figure", QuickPicture)
    for name, options in (("one", {}), ("two", {"hidden_size": 9, "epochs": 3}), ("rate", {"lr": 0.001, "tied": True}),
                          ("letters", {"level": "char"}), ("fewer", {"max_vocab": 8})):
        rnnlm.train(corpus, output=folder / name, **{**SMALL, **options})
    monkeypatch.undo()
    return folder


@pytest.fixture
def runs(trained, tmp_path):
    """A copy of these folders."""
    shutil.copytree(trained, tmp_path / "runs")
    return tmp_path / "runs"


def by_name(comparison):
    """The rows by the names of their runs."""
    return {row["run"]: row for row in comparison.rows()}


def records(folder):
    return [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]


def test_the_numbers_are_those_of_the_run(runs):
    """Parameters of one layer by hand: embedding, Wx, Wh, b, affine W and b."""
    row = by_name(compare([runs / "two", runs / "one"]))["two"]
    lines = records(runs / "two")
    best = min(lines, key=lambda line: line["valid_loss"])
    assert (row["best_epoch"], row["epochs"], row["of_epochs"]) == (best["epoch"], 3, 3)
    assert row["valid_perplexity"] == pytest.approx(best["valid_perplexity"])
    assert row["minutes"] == lines[-1]["seconds"] / 60
    V, H = row_vocabulary(runs / "two"), 9
    assert row["parameters"] == V * H + H * H + H * H + H + H * V + V
    model = rnnlm.load(runs / "two")
    assert row["test_perplexity"] == pytest.approx(model.perplexity(runs / "small/test.txt"), rel=1e-5)
    evaluation = model.evaluate(runs / "small/valid.txt")
    assert row["bits_per_byte"] == pytest.approx(evaluation.bits_per_byte, rel=1e-5)
    assert row["bits_per_character"] is None


def test_a_run_whose_epochs_were_changed_on_the_way_has_those(trained, tmp_path):
    rnnlm.train(trained / "small", output=tmp_path / "less", **SMALL | {"epochs": 4, "later_epochs": "1:2"})
    (row,) = compare([tmp_path / "less"]).rows()
    assert (row["epochs"], row["of_epochs"]) == (2, 2)


def row_vocabulary(folder):
    return len(rnnlm.load(folder).vocabulary)


def test_the_options_that_differ_are_named_but_for_what_follows_from_another(runs):
    found = compare([runs / "one", runs / "two", runs / "rate"])
    assert found.options == ["hidden_size", "tied", "lr"]  # not the size of the word vectors, nor the epochs
    assert by_name(found)["rate"]["options"] == {"hidden_size": 6, "tied": True, "lr": 0.001}
    assert compare([runs / "one"]).options == []


def test_what_changes_the_minutes_is_named_and_what_changes_nothing_is_not():
    given = ({}, {"threads": 2, "device": "cuda", "checkpoint_minutes": 7.0})
    runs = [SimpleNamespace(options=TRAIN.resolved(options), knows=lambda name: True) for options in given]
    assert differing_options(runs) == ["threads", "device"]


def test_a_projection_that_follows_from_other_options_is_not_named(runs):
    words = rnnlm.load(runs / "one").vocabulary
    model = LanguageModel(len(words), 4, 6, tied=True, projection=True, rng=np.random.default_rng(0))
    save_model(runs / "rate/model.npz", model, words)
    for name in (SUMMARY, "checkpoint.npz"):
        (runs / "rate" / name).unlink()
    assert compare([runs / "one", runs / "rate"]).options == ["tied", "lr"]


def test_the_best_run_comes_first(runs):
    perplexities = [row["valid_perplexity"] for row in compare([runs / "rate", runs / "one", runs / "two"]).rows()]
    assert perplexities == sorted(perplexities)


def test_other_vocabularies_are_compared_in_bits_per_byte_alone(runs):
    found = compare([runs / "one", runs / "letters", runs / "fewer"])
    assert [[found.names[run.path] for run in group] for group in found.groups] == [["one"], ["letters"], ["fewer"]]
    assert found.same_bytes
    assert found.notes[0].startswith("the runs predict different texts, or have different vocabularies: perplexities")
    assert "the validation text is the same" in found.notes[1]
    assert found.notes[2].startswith(">= marks a lower bound: the tokens leave out unknown words")
    rows = by_name(found)
    assert [rows[name]["bits_per_byte_is_lower_bound"] for name in ("one", "letters", "fewer")] == [False, False, True]
    assert rows["letters"]["bits_per_character"] == pytest.approx(math.log2(rows["letters"]["valid_perplexity"]))
    assert rows["letters"]["bits_per_byte"] == pytest.approx(rows["letters"]["bits_per_character"])  # of ASCII
    assert rows["one"]["unk_share"] == 0 < rows["fewer"]["unk_share"] < 1
    drawn, value, notes = curves(found)
    assert value == "bits per byte of the validation text"
    assert set(drawn) == {"one", "letters", "fewer (at least)"}
    assert drawn["one"][-1][1] == pytest.approx(
        records(runs / "one")[-1]["valid_loss"] / math.log(2) * 48 / (runs / "small/valid.txt").stat().st_size)
    assert notes == []
    assert set(curves(compare([runs / "fewer"]))[0]) == {"fewer"}  # the bound is that of bits per byte


@pytest.mark.parametrize("key", ["bytes", "sentences"])
def test_other_validation_texts_are_said(runs, key):
    path = runs / "letters" / SUMMARY
    values = json.loads(path.read_text())
    values["valid"][key] += 1
    path.write_text(json.dumps(values))
    found = compare([runs / "one", runs / "letters"])
    assert not found.same_bytes
    said = any(line.startswith("bits per byte are of different validation texts") for line in found.notes)
    assert said == (key == "bytes")
    assert curves(found)[1] == "bits per byte of each run's own validation text"


def test_the_test_text_belongs_to_what_is_compared(runs):
    path = runs / "two" / SUMMARY
    values = json.loads(path.read_text())
    values["test"]["sha256"] = "other"
    path.write_text(json.dumps(values))
    assert len(compare([runs / "one", runs / "two"]).groups) == 2


def test_a_run_of_an_earlier_version_is_known_by_its_checkpoint(runs):
    for name in ("one", "letters"):
        (runs / name / SUMMARY).unlink()
    found = compare([runs / "one", runs / "two", runs / "letters"])
    assert [len(group) for group in found.groups] == [2, 1]
    row = by_name(found)["one"]
    assert (row["test_perplexity"], row["unk_share"], row["bits_per_byte"]) == (None, None, None)
    V, H = row_vocabulary(runs / "one"), 6
    assert row["parameters"] == V * H + H * H + H * H + H + H * V + V
    assert by_name(found)["letters"]["bits_per_character"] > 0
    assert "bits per byte are not known of one and letters: the bytes" in " ".join(found.notes)
    drawn, _, notes = curves(found)
    assert set(drawn) == {"two"}
    assert notes[0].startswith("not in the picture: one and letters: different texts or vocabularies")
    assert not any(line.startswith("bits per byte are of different") for line in found.notes)
    assert not compare([runs / "one", runs / "letters"]).same_bytes


def test_a_run_without_checkpoints_and_summary_is_known_by_its_options_and_model(runs):
    for name in ("one", "letters"):
        (runs / name / SUMMARY).unlink()
        (runs / name / "checkpoint.npz").unlink()
    found = compare([runs / "two", runs / "one", runs / "letters"])
    assert [len(group) for group in found.groups] == [2, 1]
    assert found.notes[0].startswith("there is no record of the texts of one: they are taken to be those of")
    assert found.options == ["level", "hidden_size"]
    assert by_name(found)["one"]["parameters"] == by_name(compare([runs / "one"]))["one"]["parameters"] > 0


def test_a_run_without_a_record_of_its_texts_does_not_part_those_with_one(runs):
    """Whatever the order: one has begun, two and rate have no options in common."""
    for path in (runs / "one").iterdir():
        if path.name != "config.toml":
            path.unlink()
    (runs / "two/checkpoint.npz").unlink()
    for name in ("checkpoint.npz", "config.toml"):
        (runs / "rate" / name).unlink()
    for order in itertools.permutations(("one", "two", "rate")):
        found = compare([runs / name for name in order])
        assert [len(group) for group in found.groups] == [3]
        assert found.notes == ["there is no record of the texts of one: they are taken to be those of the other runs "
                               "with the same --corpus and options of the text"]


def test_a_run_belongs_where_any_run_of_the_table_has_its_texts(runs):
    """Two runs with the same words to predict, but different words to learn from."""
    path = runs / "two" / SUMMARY
    values = json.loads(path.read_text()) | {"corpus_sha256": "other"}
    path.write_text(json.dumps(values))
    (runs / "rate" / SUMMARY).unlink()
    assert [len(compare([runs / name for name in order]).groups) for order in (
        ("one", "two", "rate"), ("two", "one", "rate"), ("rate", "two", "one"))] == [1, 1, 1]


@pytest.mark.parametrize("summary", [True, False])
def test_options_that_no_file_tells_are_not_taken_for_the_defaults(runs, summary):
    for name in ["checkpoint.npz", "config.toml"] + ([] if summary else [SUMMARY]):
        (runs / "two" / name).unlink()
    found = compare([runs / "one", runs / "two", runs / "rate"])
    row = by_name(found)["two"]
    assert row["options"] == {"hidden_size": 9, "tied": False, "lr": "NA"}  # the model tells its sizes
    assert row["of_epochs"] is None
    assert [len(group) for group in found.groups] == ([3] if summary else [2, 1])
    (runs / "two/model.npz").unlink()
    found = compare([runs / "one", runs / "two", runs / "rate"])
    assert by_name(found)["two"]["options"] == {"tied": "NA", "lr": "NA"}
    assert {run.corpus for group in found.groups for run in group} == {"small"} | (set() if summary else {None})


def test_a_picture_with_too_many_runs_has_the_best_of_each_text(runs):
    of_a_text, alone = compare([runs / "one"]).groups[0][0], compare([runs / "letters"]).groups[0][0]
    many = [replace(of_a_text, path=f"run-{i:02}") for i in range(30)]
    found = Comparison([many, [alone]], {run.path: run.path for run in [*many, alone]}, [], [], True)
    drawn = [*curves(found)[0]]
    assert drawn[:20] == [*(f"run-{i:02}" for i in range(19)), alone.path]
    assert len(drawn) == 31


def test_a_run_that_has_only_begun_has_its_row(runs):
    for name in ("metrics.jsonl", "model.npz"):
        (runs / "two" / name).unlink()
    found = compare([runs / "two", runs / "one"])
    assert [row["run"] for row in found.rows()] == ["one", "two"]
    row = found.rows()[1]
    assert (row["best_epoch"], row["epochs"], row["of_epochs"], row["valid_perplexity"]) == (None, 0, 3, None)
    assert (row["test_perplexity"], row["minutes"], row["bits_per_byte"]) == (None, None, None)
    drawn, _, notes = curves(found, "minutes")
    assert (set(drawn), notes) == ({"one"}, ["not in the picture: two: no epoch has a finite validation loss yet"])
    with pytest.raises(RnnlmError, match="two cannot be drawn: no epoch has a finite validation loss yet"):
        curves(compare([runs / "two"]))


def test_a_line_that_is_being_written_is_left_out(runs):
    path = runs / "two/metrics.jsonl"
    content = path.read_bytes()
    path.write_bytes(content[:-20])
    assert by_name(compare([runs / "two"]))["two"]["epochs"] == 2


def test_a_test_score_of_another_model_is_not_told(runs):
    """The best epoch is a later one than that whose model was scored."""
    lines = (runs / "two/metrics.jsonl").read_text().splitlines()
    later = json.loads(lines[-1]) | {"epoch": 4, "improved": True}
    (runs / "two/metrics.jsonl").write_text("\n".join([*lines, json.dumps(later)]) + "\n")
    assert by_name(compare([runs / "two"]))["two"]["test_perplexity"] is None


@pytest.mark.parametrize("x", ["epochs", "tokens", "minutes"])
def test_curves_have_a_point_for_each_epoch(runs, x):
    drawn, value, _ = curves(compare([runs / "two"]), x)
    keys = {"epochs": lambda line: line["epoch"], "tokens": lambda line: line["tokens"],
            "minutes": lambda line: line["seconds"] / 60}
    assert value == "perplexity of the validation text"
    assert drawn["two"] == [(keys[x](line), pytest.approx(line["valid_perplexity"])) for line in records(runs / "two")]
    bits, value, _ = curves(compare([runs / "letters"]), x)
    assert value == "bits per character of the validation text"
    assert bits["letters"][0][1] == pytest.approx(records(runs / "letters")[0]["valid_loss"] / math.log(2))


def test_runs_of_one_name_are_called_by_their_paths_and_each_is_there_once(runs):
    (runs / "more").mkdir()
    shutil.copytree(runs / "one", runs / "more/one")
    found = compare([runs / "one", runs / "more/one", f"{runs}/../runs/one"])
    assert sorted(found.names.values()) == sorted([str(runs / "one"), str(runs / "more/one")])


def test_what_holds_no_run_is_left_out_with_a_note(runs):
    (runs / "a.log").write_text("x")
    found = compare([runs / "one", runs / "a.log", runs / "small"])
    assert found.notes == [f"left out, because there is no run: {runs}/a.log and {runs}/small"]
    assert len(found.rows()) == 1


@pytest.mark.parametrize(("given", "message"), [
    ([], "runs must name at least one run folder"), ("one", "runs must be a list of the paths of run folders"),
    (["nowhere"], "nowhere does not exist: give the folders of runs"), (["small"], "small holds no run: give"),
    (["."], r"\. holds no run: give the folders of runs, such as \./\*$")])
def test_what_is_no_run_is_one_line(runs, monkeypatch, given, message):
    monkeypatch.chdir(runs)
    with pytest.raises(RnnlmError, match=message):
        compare(given)


@pytest.mark.parametrize("line", [
    b"\xff", b"7", b"{}", b"[" * 100_000, b"NaN", b'{"epoch": 1}'])
def test_what_is_no_metrics_is_one_line(runs, line):
    (runs / "one/metrics.jsonl").write_bytes(line + b"\n")
    with pytest.raises(RnnlmError, match=r"metrics.jsonl must be the metrics of a run: ") as told:
        compare([runs / "one"])
    assert len(str(told.value)) < 700
    assert str(told.value).isprintable()


@pytest.mark.parametrize(("key", "value"), [
    ("epoch", 3), ("epoch", "1"), ("tokens", -1), ("tokens", 1e300), ("train_loss", None), ("valid_loss", -1),
    ("valid_loss", [1]), ("seconds", None), ("lr", "x")])
def test_epochs_that_no_run_can_have_had_are_one_line(runs, key, value):
    line = records(runs / "one")[0] | {key: value}
    (runs / "one/metrics.jsonl").write_text(json.dumps(line) + "\n")
    with pytest.raises(RnnlmError, match=r"metrics.jsonl must be the metrics of a run: "):
        compare([runs / "one"])


def test_a_validation_loss_that_was_not_finite_leaves_a_gap(runs):
    lines = records(runs / "two")
    lines[0] |= {"valid_loss": None, "valid_perplexity": None, "improved": False}
    (runs / "two/metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    found = compare([runs / "two"])
    first, second, _ = curves(found)[0]["two"]
    assert math.isnan(first[1]) and second[1] > 1


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs pipes with names")
@pytest.mark.parametrize("name", [SUMMARY, "metrics.jsonl", "config.toml"])
def test_a_pipe_into_which_nobody_writes_is_one_line(runs, name):
    (runs / "one/checkpoint.npz").unlink()
    (runs / "one" / name).unlink()
    os.mkfifo(runs / "one" / name)
    with pytest.raises(RnnlmError, match=rf"{name} must be .*: it is not a regular file"):
        compare([runs / "one"])


def test_metrics_that_are_too_long_are_one_line(runs, monkeypatch):
    monkeypatch.setattr("rnnlm.runs.metrics.LARGEST_METRICS", 100)
    with pytest.raises(RnnlmError, match=r"metrics.jsonl must be the metrics of a run: it has more than 100 bytes"):
        compare([runs / "one"])


def test_a_damaged_checkpoint_is_passed_over_and_a_false_one_is_one_line(runs):
    (runs / "one/checkpoint.npz").write_bytes(b"x")
    assert by_name(compare([runs / "one"]))["one"]["options"] == {}
    (runs / "two/config.toml").write_text("epochs = 'x'\n")
    (runs / "two/checkpoint.npz").unlink()
    with pytest.raises(RnnlmError, match="must be a whole number"):
        compare([runs / "two"])
