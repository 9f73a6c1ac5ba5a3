"""The benchmarks run and say what they measured; how fast anything is, is no test."""

import json
import math
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from conftest import REPOSITORY
from launching import needs_mpi
from stories_corpus import FOLDER, grammar
from training_runs import QuickPicture

from rnnlm.cli.main import main as command
from rnnlm.formats.model_file import save_model
from rnnlm.models import LanguageModel
from rnnlm.text.vocabulary import Vocabulary

BENCHMARKS = REPOSITORY / "benchmarks"


def run(name, *arguments):
    done = subprocess.run([sys.executable, BENCHMARKS / name, "--corpus", "stories", "--repeats", "1", *arguments],
                          capture_output=True, text=True, env=os.environ | {"PYTHONPATH": str(REPOSITORY)})
    assert done.returncode == 0, done.stderr
    return done


@pytest.fixture
def on_path(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))


@pytest.fixture
def here(on_path, monkeypatch, tmp_path):
    """A function (name, arguments) that runs a benchmark and returns what it prints.

    It runs in a process of its own: some set what the package computes with.
    """
    monkeypatch.setenv("PYTHONPATH", str(REPOSITORY))
    monkeypatch.setenv("RNNLM_CACHE", str(tmp_path / "cache"))

    def started(name, *arguments):
        done = subprocess.run([sys.executable, BENCHMARKS / name, *map(str, arguments)], capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(done.stderr)
        return done.stdout

    return started


STORIES = ["--corpus", "stories", "--repeats", "1"]


@pytest.mark.slow
def test_training_speed(tmp_path):
    subjects = ["--sizes", "tiny", "--subjects", "rnnlm", "plain", "limit"]
    done = run("training_speed.py", *subjects, "--json", "--chart", str(tmp_path / "speed.png"))
    rows = json.loads(done.stdout)["tiny"]
    assert list(rows) == ["rnnlm", "plain", "limit"]
    for row in rows.values():
        assert row["lowest"] <= row["tokens_per_second"] <= row["highest"]
        assert row["peak_memory_mb"] > 20
    assert rows["limit"]["of_limit"] == 1
    assert rows["rnnlm"]["of_limit"] > 0
    assert (tmp_path / "speed.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.slow
def test_scoring_speed(here):
    rows = json.loads(here("scoring_speed.py", *STORIES, "--hidden-size", "8", "--layers", "1", "--json"))
    assert {"rnnlm"} <= rows["evaluate"].keys()
    assert {"rnnlm", "output product"} <= rows["generate"].keys()


@pytest.mark.slow
def test_cache_speed(here):
    sizes = ["--hidden-size", "8", "--layers", "1", "--sizes", "20", "300"]
    figures = json.loads(here("cache_speed.py", *STORIES, *sizes, "--json"))
    assert list(figures) == ["static", "cache of 20", "cache of 300", "unigram cache of 300"]
    assert all(row["ratio"] * figures["static"]["seconds"] == pytest.approx(row["seconds"])
               for row in figures.values())


@pytest.mark.slow
def test_sentence_scores(here):
    names = ["limit", "sentences", "sentences, details and top 5", "stream"]
    sizes = ["--hidden-size", "8", "--layers", "1"]
    figures = json.loads(here("sentence_scores.py", *STORIES, *sizes, "--subjects", *names, "--json"))
    assert list(figures) == names
    assert all(row["fastest"] == row["seconds"] > 0 for row in figures.values())
    from sentence_scores import table

    seconds = {"torch, 9 sentences": 4, "torch, 8 sentences": 8, "sentences": 2}
    figures = {name: {"seconds": s, "fastest": s, "slowest": s} for name, s in seconds.items()}
    assert table(figures | {"limit": {"seconds": 1, "fastest": 0.5, "slowest": 3}}, 1000).splitlines()[2:] == [
        "| torch, 9 sentences | 4.00 (4.00 to 4.00) | 250 | 1.00 | 2.00 | 0.25 |",
        "| torch, 8 sentences | 8.00 (8.00 to 8.00) | 125 | 2.00 | 4.00 | 0.12 |",
        "| sentences | 2.00 (2.00 to 2.00) | 500 | 0.50 | 1.00 | 0.50 |",
        "| limit | 1.00 (0.50 to 3.00) | 1,000 | 0.25 | 0.50 | 1.00 |"]


@pytest.mark.slow
def test_ngram_speed(here):
    figures = json.loads(here("ngram_speed.py", *STORIES, "--order", "3", "--json"))
    assert list(figures) == ["rnnlm", "score"]
    assert figures["rnnlm"]["seconds"] > figures["score"]["seconds"] > 0
    assert 1 < figures["score"]["perplexity"] < 20
    from ngram_speed import compare, table

    results = {name: [{"seconds": seconds, "peak_memory_mb": 30, "perplexity": 9.0}]
               for name, seconds in (("rnnlm", 1), ("score", 3), ("lmplz", 2), ("query", 2))}
    assert [line.split("|")[3] for line in table(compare(results)).splitlines()[2:]] == [" 0.50 ", " 1.50 ", "  ", "  "]


@pytest.mark.slow
def test_nbest_speed(here):
    sizes = ["--utterances", "20", "--hypotheses", "5", "--hidden-size", "8", "--layers", "1"]
    rows = json.loads(here("nbest_speed.py", *STORIES, *sizes, "--json"))
    assert list(rows) == ["sentences", "rescore", "carry"]
    assert rows["sentences"]["over_sentences"] == 1
    for row in rows.values():
        assert row["words_per_second"] * row["seconds"] == pytest.approx(
            rows["carry"]["words_per_second"] * rows["carry"]["seconds"])
        assert row["peak_memory_mb"] > 20


@pytest.mark.slow
def test_arpa_speed(here):
    rows = json.loads(here("arpa_speed.py", *STORIES, "--order", "3", "--json"))
    assert {"text", "cached"} <= rows.keys()
    for row in rows.values():
        assert row["seconds"] > 0
        assert row["log10_p"] == pytest.approx(rows["text"]["log10_p"], rel=1e-6)


@pytest.mark.slow
def test_the_text_of_the_large_inputs_is_read_and_found_again(tmp_path, on_path, monkeypatch):
    from large_inputs import write_text

    path = tmp_path / "text.txt"
    write_text(path, 100)
    lines = path.read_text().splitlines()
    assert len(lines) == 2 * 200_000 / 20
    assert len(set(" ".join(lines).split())) == 200_000
    done = subprocess.run([sys.executable, BENCHMARKS / "large_inputs.py", "--measure", "load", path],
                          capture_output=True, text=True, env=os.environ | {"PYTHONPATH": str(REPOSITORY)})
    assert json.loads(done.stdout)["tokens"] == 2 * 200_000 + len(lines)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells what memory is a process's own")
def test_a_large_corpus_is_shuffled_killed_and_resumed(tmp_path):
    done = subprocess.run([sys.executable, BENCHMARKS / "large_corpus.py", "--bytes", "10000", "--steps", "9",
                           "--folder", tmp_path, "--", "--hidden-size", "8"],
                          capture_output=True, text=True, env=os.environ | {"PYTHONPATH": str(REPOSITORY)})
    assert done.returncode == 0, done.stderr
    rows = [line.split("|")[1:-1] for line in done.stdout.splitlines() if line.startswith("| ")]
    assert [row[0].strip() for row in rows] == ["process", "encoding, one step", "not interrupted", "killed", "resumed"]
    assert all(float(row[2].split()[0]) > 20 for row in rows[1:])
    assert "The checkpoints are equal." in done.stdout
    assert not list(tmp_path.iterdir())


def test_ratios_are_those_of_medians_and_the_table_shows_them(on_path):
    from training_speed import compare, table

    results = {name: [{"seconds": s, "peak_memory_mb": 100} for s in seconds] for name, seconds in {
        "rnnlm": [0.5, 9.0, 1.0], "limit": [0.5, 0.5, 0.5], "torch": [2.0, 2.0, 3.0]}.items()}
    rows = compare(results, tokens=700)
    assert rows["rnnlm"]["tokens_per_second"] == 700
    assert (rows["rnnlm"]["lowest"], rows["rnnlm"]["highest"]) == (700 / 9, 1400)
    assert (rows["rnnlm"]["over_torch"], rows["rnnlm"]["of_limit"]) == (2, 0.5)
    assert "| 2x200 | rnnlm | 700 (78 to 1,400) | 2.00 | 0.50 | 100 MB |" in table({"2x200": rows})


def test_a_subject_that_fails_is_left_out_and_said(on_path):
    from side_by_side import interleave

    lines = []
    good = ["-c", "print('{\"seconds\": 1}')"]
    results = interleave({"good": good, "bad": ["-c", "raise SystemExit('no such module')"]}, 2, lines.append)
    assert results == {"good": [{"seconds": 1}] * 2}
    assert sum("bad is left out: no such module" in line for line in lines) == 1


@pytest.mark.slow
def test_recipes(here, tmp_path):
    for name, lowest in (("one", 150.0), ("worse", 155.0)):
        (tmp_path / f"{name}.jsonl").write_text("".join(json.dumps(
            {"epoch": e, "valid_perplexity": v, "seconds": 60.0 * e, "tokens_per_second": 1000.0 * e}) + "\n"
            for e, v in ((1, None), (2, lowest), (3, 160.0))))
    out = here("recipes.py", tmp_path / "one.jsonl", tmp_path / "worse.jsonl", "--chart", tmp_path / "chart.png")
    rows = out.splitlines()[2:]
    assert rows == ["| worse | 3 | 155 | 2 | 3.0 | 2,000 |", "| one | 3 | 150 | 2 | 3.0 | 2,000 |"]
    assert (tmp_path / "chart.png").read_bytes().startswith(b"\x89PNG")


def test_runs_are_rows_of_their_own_under_the_names_of_their_folders(on_path, tmp_path, monkeypatch, capsys):
    import recipes

    lowest = {"a": 150.0, "b": 140.0, "other/a": 130.0, "none": None}
    for folder, perplexity in lowest.items():
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "metrics.jsonl").write_text(json.dumps(
            {"epoch": 1, "valid_perplexity": perplexity, "seconds": 60.0, "tokens_per_second": 1000.0}) + "\n")
    monkeypatch.chdir(tmp_path)
    recipes.main(["a/metrics.jsonl", "b/metrics.jsonl", "a/metrics.jsonl", "none/metrics.jsonl"])
    assert capsys.readouterr().out.splitlines()[2:] == [
        "| a | 1 | 150 | 1 | 1.0 | 1,000 |", "| b | 1 | 140 | 1 | 1.0 | 1,000 |"]
    recipes.main(["a/metrics.jsonl", "other/a/metrics.jsonl"])
    rows = [line.split(" | ")[0] for line in capsys.readouterr().out.splitlines()[2:]]
    assert rows == ["| a/metrics.jsonl", "| other/a/metrics.jsonl"]
    monkeypatch.chdir(tmp_path / "b")  # the folder has a name even where none was typed
    recipes.main(["metrics.jsonl"])
    assert "\n| b | 1 |" in capsys.readouterr().out


def test_the_chart_of_the_recipes_has_a_part_for_each_text(on_path):
    """Curves of the validation text, and points and lines of the test text."""
    import recipes

    def records(*perplexities):
        return [{"epoch": e, "valid_perplexity": v, "seconds": 60.0 * e} for e, v in enumerate(perplexities, 1)]

    figure = recipes.figure_of({"lstm": records(None, 90.0, 80.0), "mine": records(200.0)})
    left, right = figure.axes
    assert [axes.get_title() for axes in figure.axes] == ["validation text, after each epoch",
                                                         "test text, read once at the end"]
    curves = {line.get_label(): line.get_xydata().tolist() for line in left.get_lines()}
    assert curves["lstm: 80"] == [[2, 90], [3, 80]]
    assert curves["mine: 200"] == [[1, 200]]
    points = {tuple(line.get_xydata()[0]) for line in right.get_lines() if len(line.get_xydata()) == 1}
    assert points == {(3, 70.6), (4.7, 164.3), (1.5, 161.4), (11, 143.9)}  # the recipe says 70.6; mine is no recipe
    levels = {line.get_ydata()[0] for line in right.get_lines() if len(set(line.get_ydata())) == 1}
    assert levels >= {97.7, 82.7, 78.4}
    assert {label.get_text() for label in right.texts} >= {"lstm: 70.6", "classic C++: 143.9"}


@pytest.mark.slow
def test_random_schemes_are_compared():
    done = subprocess.run([sys.executable, BENCHMARKS / "random_schemes.py", "--seeds", "1", "2", "--", "--epochs", "1",
                           "--hidden-size", "9", "--time-size", "5", "--max-tokens", "20000", "--noising", "0.2"],
                          capture_output=True, text=True, env=os.environ | {"PYTHONPATH": str(REPOSITORY)}, check=True)
    rows = [line.split("|")[1:-1] for line in done.stdout.splitlines() if line.startswith("| ")]
    assert [row[0].strip() for row in rows] == ["seed", "1", "2", "mean", "standard deviation"]
    for row in rows[1:3]:
        assert float(row[1]) != float(row[2])
    assert "difference of the means " in done.stdout


@pytest.mark.slow
def test_without_workers():
    done = subprocess.run(
        [sys.executable, BENCHMARKS / "without_workers.py", "--sizes", "tiny", "--repeats", "1", "--scale", "0.002",
         "--tasks", "fit", "evaluate", "--subjects", "command", "python", "--busy", "0", "--json"],
        capture_output=True, text=True, env=os.environ | {"PYTHONPATH": str(REPOSITORY)})
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout)
    assert list(figures) == ["idle", "busy"]
    assert list(figures["idle"]["tiny"]) == ["fit", "evaluate"]
    for rows in figures["busy"]["tiny"].values():
        assert list(rows) == ["command", "python"]
        assert rows["command"]["of_command"] == 1
        assert rows["python"]["lowest"] > 0


@pytest.mark.slow
def test_divergence_from_truth(here, tmp_path):
    """A model that expects all V words alike: KL is log2 V less the true entropy."""
    words = ["<eos>", *dict.fromkeys((FOLDER / "train.txt").read_text(encoding="utf-8").split()), "another"]
    save_model(tmp_path / "uniform.npz", LanguageModel(len(words), 2, 3, rng=None), Vocabulary(words))
    *kinds, whole = json.loads(here("divergence_from_truth.py", tmp_path / "uniform.npz", "--json")).values()
    table = [line.split("\t") for line in (FOLDER / "test.truth.tsv").read_text(encoding="utf-8").splitlines()]
    surprisals, entropies = zip(*((float(row[3]), float(row[4])) for row in table if row[0].isdigit()), strict=True)
    assert whole["positions"] == len(entropies) == sum(row["positions"] for row in kinds)
    assert whole["entropy"] == pytest.approx(sum(entropies) / len(entropies))
    assert whole["divergence"] == pytest.approx(math.log2(371) - sum(entropies) / len(entropies))
    assert whole["excess"] == pytest.approx(math.log2(371) - sum(surprisals) / len(surprisals))
    gaps = sum((s - h) ** 2 for s, h in zip(surprisals, entropies, strict=True))
    assert whole["by_chance"] == pytest.approx(math.sqrt(gaps) / len(entropies))
    assert sum(row["share"] for row in kinds) == pytest.approx(1)
    assert sorted(row["share"] for row in kinds) == [row["share"] for row in kinds[::-1]]


def test_a_model_of_other_words_has_no_divergence_from_the_stories(here, tmp_path):
    save_model(tmp_path / "other.npz", LanguageModel(2, 2, 3, rng=None), Vocabulary(["<eos>", "once"]))
    with pytest.raises(SystemExit, match="it lacks 368, such as ''"):
        here("divergence_from_truth.py", tmp_path / "other.npz")


def test_words_of_the_stories_have_the_kinds_of_their_columns(on_path):
    from divergence_from_truth import KINDS, LINE_END, OTHER, kinds_of_words

    found = kinds_of_words(grammar.Grammar.read(FOLDER / "stories.grammar").rules)
    expected = dict(zip(KINDS, ("marina kim mice fox", "cabin mirror owl", "her their he", "autumn spring",
                                "waves thieves dived cakes buckets"), strict=True))
    expected |= {OTHER: "bravely once before and two a home", LINE_END: "/"}
    for kind, words in expected.items():
        assert {found[word] for word in words.split()} == {kind}, kind


@pytest.mark.slow
def test_writing_speed(here):
    sizes = "--vocab-size 50 --hidden-size 4 --samples 3 --words 4 --repeats 1".split()
    rows = json.loads(here("writing_speed.py", *sizes, "--subjects", "one", "many", "floor", "--json"))
    assert list(rows) == ["one", "many", "floor"]
    assert rows["one"]["over_one"] == 1
    assert rows["many"]["words_per_second"] > 0


@pytest.mark.slow
def test_adaptive_softmax(on_path):
    names = ["exact", "adaptive"]
    done = run("adaptive_softmax.py", "--sizes", "small", "--optimizers", "sgd", "--subjects", *names, "--steps", "2",
               "--json")
    rows = json.loads(done.stdout)["small, sgd"]
    assert list(rows) == names
    assert "small: vocabulary 370, cutoffs [190]" in done.stderr
    for row in rows.values():
        assert sum(row["parts"].values()) <= 1.5 * row["seconds"]
        assert all(seconds > 0 for seconds in row["parts"].values())
    assert rows["adaptive"]["over"] == {"exact": rows["exact"]["seconds"] / rows["adaptive"]["seconds"]}
    from adaptive_softmax import compare, table, zipf

    results = {name: [{"seconds": s, "peak_memory_mb": 100} for s in seconds] for name, seconds in {
        "exact": [2.0, 3.0, 2.0], "adaptive": [0.25, 0.5, 9.0], "torch, dense": [5.0], "torch, sparse": [1.0]}.items()}
    lines = table({("large", "adam"): compare(results, tokens=700)}).splitlines()[2:]
    assert lines[1] == ("| large | adam | adaptive | 500.0 (250.0 to 9000.0) | 1,400 | 4.0 | 2.00 |" + 5 * "  |"
                        + " 100 MB |")
    ids, counts = zipf(50, 20_000)
    assert ids.min() == 0
    assert ids.max() == 49
    assert (ids == 0).mean() == pytest.approx(counts[0] / counts.sum(), abs=0.01)


@pytest.mark.slow
def test_dial(tmp_path):
    text = tmp_path / "text.txt"
    text.write_text((FOLDER / "train.txt").read_text(encoding="utf-8"))
    done = subprocess.run(
        [sys.executable, BENCHMARKS / "dial.py", "--texts", text, "--bytes", "20000", "--minutes", "0.1", "--subjects",
         "dial", "defaults", "3-gram", "--json", "--", "--threads", "1"],
        capture_output=True, text=True, env=os.environ | {"PYTHONPATH": str(REPOSITORY)})
    assert done.returncode == 0, done.stderr
    rows = {row["subject"]: row for row in json.loads(done.stdout)}
    for row in rows.values():
        assert 1 < row["valid"] < 370 and 1 < row["test"] < 370, row
    assert "why: " in rows["dial"]["said"][2]
    assert rows["dial"]["minutes"] > 0


def test_dial_has_a_row_for_a_run_without_a_finite_number(on_path, tmp_path):
    from dial import reached, row

    lines = [{"valid_perplexity": perplexity} for perplexity in (None, 7.0, 8.0)]
    (tmp_path / "metrics.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    (tmp_path / "summary.json").write_text('{"test_loss": null}')
    assert reached(tmp_path) == {"valid": 7.0, "test": math.inf}
    assert row("a", 1, "dial", reached(tmp_path)) == "| a | 1 | dial | 7.00 | inf |  |  |"


def test_dial_takes_the_beginnings_of_two_texts_with_one_name(on_path, tmp_path):
    from dial import beginning

    paths = [tmp_path / name / "text.txt" for name in "ab"]
    for path in paths:
        path.parent.mkdir()
        path.write_text(f"{path.parent.name}\n" * 9)
    found = [beginning(path, 3, tmp_path) for path in paths]
    assert [Path(path).read_text() for path in found] == ["a\na\n", "b\nb\n"]


@pytest.mark.slow
def test_dial_until_training():
    arguments = ["--texts", FOLDER / "train.txt", "--minutes", "0.1", "--first-line", "--repeats", "1", "--json"]
    done = subprocess.run([sys.executable, BENCHMARKS / "dial.py", *arguments, "--", "--threads", "1"],
                          capture_output=True, text=True, env=os.environ | {"PYTHONPATH": str(REPOSITORY)})
    assert done.returncode == 0, done.stderr
    (found,) = json.loads(done.stdout)
    assert found["with_config"] > 0
    assert found["more"] == found["with_minutes"] - found["with_config"]


@pytest.mark.slow
def test_row_updates(here):
    sizes = "--rows 300 --width 4 --before 20 --steps 3 --check 70 --threads 1".split()
    figures = json.loads(here("row_updates.py", *sizes, "--json"))
    assert figures["steps"][0]["rows"] == 300
    assert figures["steps"][0]["times"] > 0
    assert 0 < figures["distances"]["late, 64 bits"] < 1e-8 < figures["distances"]["late, 32 bits"] < 1e-6


@pytest.mark.slow
def test_fine_tuning_next_to_a_start_from_nothing(on_path, tmp_path, monkeypatch, capsys):
    import fine_tuning

    words = ["the", "<unk>", "<eos>", "a", "of"]
    model = LanguageModel(len(words), 4, 5, tied=True, cell="lstm", rng=np.random.default_rng(0))
    save_model(tmp_path / "model.npz", model, Vocabulary(words))
    monkeypatch.setattr(fine_tuning, "SIZES", {"train": 4000, "valid": 800, "test": 800})
    monkeypatch.setattr("rnnlm.reports.curves.perplexity_figure", QuickPicture)
    fine_tuning.main([str(tmp_path / "model.npz"), "--epochs", "1", "--json"])
    results = json.loads(capsys.readouterr().out)
    assert list(results) == ["from nothing", "fine-tuned", "fine-tuned, word vectors frozen"]
    assert [result["before"] is None for result in results.values()] == [True, False, False]
    for result in results.values():
        assert len(result["points"]) == 1
        assert 1 < result["best"] < 500
    rows = fine_tuning.table(results).splitlines()
    assert [row.split(" | ")[0] for row in rows[2:]] == [f"| {name}" for name in results]


def test_the_texts_for_fine_tuning_have_each_word_twice_in_training(on_path, tmp_path):
    import fine_tuning

    sizes = {"train": 9000, "valid": 2000, "test": 2000}
    fine_tuning.write_texts(tmp_path, sizes, 1)
    texts = {split: (tmp_path / f"{split}.txt").read_text() for split in sizes}
    known = set(texts["train"].split())
    for split, text in texts.items():
        assert 0.7 * sizes[split] < len(text) <= sizes[split]
        assert set(text.split()) <= known
        assert not set(text) - set("abcdefghijklmnopqrstuvwxyzN<>' \n")
    assert fine_tuning.after([(3, 90.0), (8, 70.0), (9, 80.0)], 8.5) == 70
    assert fine_tuning.after([(3, 90.0)], 2) is None


@pytest.mark.slow
def test_subword_speed(tmp_path):
    (tmp_path / "text.txt").write_text("the cat sat on the mat\nthe dog\n" * 9, encoding="utf-8")
    command = [sys.executable, BENCHMARKS / "subword_speed.py", tmp_path / "text.txt", "--repeats", "1",
               "--subjects", "rnnlm", "tokenizers"]
    tables = [subprocess.run([*command, *copies], capture_output=True, text=True, check=True).stdout.splitlines()[2:]
              for copies in ([], ["--copies", "3"])]
    once, thrice = ([int(row.split("|")[3]) for row in rows] for rows in tables)
    assert once[0] == once[1] and thrice == [3 * count for count in once]


@pytest.mark.slow
def test_dynamic_evaluation(here):
    sizes = ["--hidden-size", "8", "--layers", "1", "--tokens", "300", "--windows", "5"]
    figures = json.loads(here("dynamic_evaluation.py", *STORIES, *sizes, "--json"))
    assert list(figures) == ["statistics", "sgd, windows of 5", "rms, windows of 5"]
    assert figures["rms, windows of 5"]["over_static"] > 1
    assert figures["statistics"]["over_training"] > 0


@pytest.mark.slow
def test_several_networks_that_adapt_are_better_together(here, small_corpus, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    valid, test = (str(small_corpus / f"{name}.txt") for name in ("valid", "test"))
    for seed in ("1", "2"):
        assert command(["train", "--corpus", str(small_corpus), "--hidden-size", "8", "--epochs", "2", "--seed", seed,
                        "--output", f"run{seed}"]) == 0
        assert command(["evaluate", f"run{seed}", valid, "--dynamic", "rms", "--dynamic-window", "5"]) == 0
    assert command(["ngram", str(small_corpus), "--order", "2", "--output", "two.arpa"]) == 0
    numbers = "--window 5 --lr 1e-5 --cache 50 --recurrent 0.3 --follow 20".split()
    out = here("several_adapting.py", "run1", "run2", "--mix", "two.arpa", "--valid", valid, "--test", test, *numbers,
               "--beside", "run2", "--rows", "rows.npz")
    found = json.loads(out.splitlines()[-1])
    groups = ("static", "static, n-gram", "adapting", "adapting, n-gram", "adapting, beside, n-gram",
              "static, adapting, beside, n-gram")
    assert list(found) == [name + kind for name in groups for kind in ("", ", following")]
    assert found["adapting, n-gram"]["valid"] < found["static"]["valid"]
    assert sum(found["adapting, n-gram"]["weights"]) == pytest.approx(1, abs=1e-3)
    with np.load("rows.npz") as rows:
        assert rows["names"].tolist() == ["static 1", "static 2", "beside 1", "adapting 1", "adapting 2", "n-gram"]
        assert np.exp(-rows["valid"][-1].mean()) == pytest.approx(1.55824, rel=1e-5)  # as ngram said


def test_mixtures_without_networks_beside_do_not_name_them(on_path):
    import several_adapting

    found = {name: list(parts) for name, parts in several_adapting.mixtures(2, 0).items()}
    assert found == {"static": [0, 1], "static, n-gram": [0, 1, 4], "adapting": [2, 3], "adapting, n-gram": [2, 3, 4],
                     "static, adapting, n-gram": [0, 1, 2, 3, 4]}
    assert list(several_adapting.mixtures(1, 1)["adapting, beside, n-gram"]) == [1, 2, 3]


def test_texts_of_other_kinds_are_made_of_packages(on_path):
    import dial_texts

    page = "<head><title>No</title></head><p>One\n  two. Three <b>&amp;</b> four?</p><script>no</script>Five<li>Six"
    assert dial_texts.sentences(page) == ["One two.", "Three & four?", "Five", "Six"]
    assert dial_texts.code("int a; // no\n/* no\nno */ if (a>=1)\n") == ["int a ;", "if ( a > = 1 )"]
    assert dial_texts.tune("T: no\nM: 3/4\n% no\n|:^c2d/2 z|]\n") == ["M: 3/4", "|: ^c2 d/2 z |]"]
    assert dial_texts.saying("Time\tflies. \n%\nna\u00efve\n") == ["Time flies."]


@pytest.mark.slow
def test_exchange_torch(tmp_path):
    pytest.importorskip("torch")
    pytest.importorskip("safetensors")
    vocabulary = Vocabulary(["<eos>", "<unk>", "the", "dog"])
    model = LanguageModel(4, 3, 5, cell="gru", tied=True, rng=np.random.default_rng(0))
    save_model(tmp_path / "model.npz", model, vocabulary)
    text = tmp_path / "test.txt"
    text.write_text("the dog\nthe cat\n")
    (tmp_path / "train.txt").write_text("the dog <unk>\n" * 500)
    done = subprocess.run([sys.executable, BENCHMARKS / "exchange_torch.py", text, "--models", tmp_path / "model.npz",
                           "--train", tmp_path, "--seconds", "0.1"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [row["model"] for row in rows[1:]] == ["lstm, tied", "gru", "tanh", "relu"]
    assert rows[0]["arrays_return"] and all(row["tied_found"] and row["relative"] < 1e-5 for row in rows[1:])


@pytest.mark.slow
def test_exchange_hf(tmp_path):
    pytest.importorskip("torch")
    pytest.importorskip("transformers")
    model = LanguageModel(4, 3, 5, cell="gru", tied=True, rng=np.random.default_rng(0))
    save_model(tmp_path / "model.npz", model, Vocabulary(["<eos>", "<unk>", "the", "dog"]))
    text = tmp_path / "test.txt"
    text.write_text("the dog\nthe cat\n" * 300)  # more than one window
    done = subprocess.run([sys.executable, BENCHMARKS / "exchange_hf.py", tmp_path / "model.npz", "--text", text],
                          capture_output=True, text=True, env=os.environ | {"HF_HOME": str(tmp_path / "cache")})
    assert done.returncode == 0, done.stderr
    (row,) = map(json.loads, done.stdout.splitlines())
    assert row["relative"] < 1e-5


@needs_mpi
@pytest.mark.slow
def test_processes():
    done = run("mpi.py", "--sizes", "tiny", "--steps", "4")
    for line in ("train, 2 x 16", "  2 processes, messages", "  reduction", "score, 2 x 16", "  2 threads"):
        assert line in done.stdout


def test_the_model_of_many_processes_is_the_table_of_its_page(here):
    out = here("mpi.py", "--paper")
    rows = [line.split() for line in out.splitlines() if line.split()[0] in ("2", "64", "1024")]
    page = (REPOSITORY / "docs/scaling.md").read_text(encoding="utf-8").replace(",", "")
    assert len(rows) == 3
    for row in rows:
        assert f"| {' | '.join(row)} |" in page
