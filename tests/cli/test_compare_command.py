"""rnnlm compare: what it prints, draws and refuses."""

import csv
import io
import json

import pytest

from rnnlm.cli.compare import main as compare


@pytest.fixture
def compared(run, capsys):
    """A function of arguments: exit code, output, errors; there are two runs."""
    run("--epochs", "2", output="runs/wide")
    run("--epochs", "1", "--hidden-size", "5", output="runs/narrow")

    def call(*arguments):
        code = compare(list(arguments))
        return code, *capsys.readouterr()

    return call


def test_two_runs_are_a_table_the_best_first(compared):
    code, out, err = compared("runs/narrow", "runs/wide")
    assert (code, err) == (0, "")
    head, *lines = [line.split("  ") for line in out.splitlines()]
    assert [line[0] for line in lines] == ["wide", "narrow"]
    assert [cell.strip() for cell in head if cell.strip()] == [
        "run", "hidden-size", "valid perplexity", "test perplexity", "bits/byte", "best epoch", "epochs", "minutes",
        "parameters"]


def test_json_and_csv_have_the_same_numbers(compared):
    printed = json.loads(compared("runs/narrow", "runs/wide", "--json")[1])
    table = list(csv.DictReader(io.StringIO(compared("runs/narrow", "runs/wide", "--csv")[1])))
    assert printed["options"] == ["hidden_size"]
    (text,) = printed["texts"]
    assert (text["corpus"], text["level"], text["valid_targets"]) == ("small", "word", 96)
    for row, line in zip(printed["runs"], table, strict=True):
        assert line["run"] == row["run"]
        assert line["hidden-size"] == str(row["options"]["hidden_size"])
        for key in ("valid_perplexity", "test_perplexity", "bits_per_byte", "minutes", "parameters", "best_epoch"):
            assert float(line[key]) == row[key]


@pytest.mark.parametrize("x", ["epochs", "tokens", "minutes"])
def test_a_picture_is_drawn_next_to_the_table(compared, tmp_path, monkeypatch, x):
    titles = []
    monkeypatch.setattr("rnnlm.cli.compare.plot_runs", lambda path, curves, title, **how: titles.append(
        (path, list(curves), title, how)))
    code, out, _ = compared("runs/wide", "runs/narrow", "--output", "all.png", "--x", x)
    assert code == 0
    assert "narrow" in out
    assert titles == [("all.png", ["wide", "narrow"], "small: words, vocabulary 16, 96 targets to validate",
                       {"x": x, "value": "perplexity of the validation text"})]


def test_a_picture_is_a_png(compared, tmp_path):
    assert compared("runs/wide", "--output", "one.png")[0] == 0
    assert (tmp_path / "one.png").read_bytes().startswith(b"\x89PNG")
    (tmp_path / "text.png").write_text("mine")
    code, out, err = compared("runs/wide", "--output", "text.png")
    assert (code, out) == (1, "")
    assert "text.png exists and is not a PNG picture" in err
    assert (tmp_path / "text.png").read_text() == "mine"


def test_other_texts_are_tables_of_their_own(compared, run):
    run("--epochs", "1", "--level", "char", output="runs/letters")
    code, out, err = compared("runs/wide", "runs/narrow", "runs/letters")
    assert code == 0
    assert out.split("\n\n")[1].startswith("small: characters, vocabulary ")
    assert out.startswith("small: words, vocabulary 16, 96 targets to validate\nrun")
    assert "note: the runs predict different texts, or have different vocabularies" in err
    assert "note: bits per byte can be compared across the tables" in err
    printed = json.loads(compared("runs/wide", "runs/letters", "--json")[1])
    assert [row["text"] for row in printed["runs"]] == [1, 2]
    assert len(printed["notes"]) == 2


def test_a_text_that_is_not_on_record_is_said(compared, tmp_path):
    for name in ("checkpoint.npz", "config.toml", "summary.json"):
        (tmp_path / "runs/narrow" / name).unlink()
    _, out, _ = compared("runs/wide", "runs/narrow")
    assert out.split("\n\n")[1].startswith("a text that is not on record: words, vocabulary 16\nrun")
    (tmp_path / "runs/narrow/model.npz").unlink()
    _, out, _ = compared("runs/wide", "runs/narrow")
    assert out.split("\n\n")[1].startswith("a text that is not on record\nrun")


def test_a_loss_whose_perplexity_is_no_number_is_null(compared, tmp_path):
    path = tmp_path / "runs/narrow/metrics.jsonl"
    (line,) = map(json.loads, path.read_text().splitlines())
    path.write_text(json.dumps(line | {"valid_loss": 800.0}) + "\n")
    (row,) = json.loads(compared("runs/narrow", "--json")[1])["runs"]
    assert (row["valid_loss"], row["valid_perplexity"]) == (800, None)
    assert compared("runs/narrow")[1].splitlines()[1].split()[1] == "inf"


@pytest.mark.parametrize(("arguments", "message"), [
    (["nowhere"], "nowhere does not exist: give the folders of runs"),
    (["small"], "small holds no run: give the folders of runs, such as small/*"),
    (["runs"], "runs holds no run: give the folders of runs, such as runs/*"),
    (["runs/wide", "--output", "none/x.png"], "none/x.png could not be written")])
def test_what_is_wrong_is_one_line(compared, arguments, message):
    code, out, err = compared(*arguments)
    assert (code, out) == (1, "")
    assert message in err
    assert len(err.splitlines()) == 1


def test_a_usage_that_is_wrong(compared, capsys):
    for arguments, message in (([], "the following arguments are required: RUN"),
                               (["runs/wide", "--json", "--csv"], "not allowed with"),
                               (["runs/wide", "--x", "days"], "--x"), (["runs/wide", "--chart", "a.png"], "--output")):
        with pytest.raises(SystemExit):
            compare(arguments)
        assert message in capsys.readouterr().err
