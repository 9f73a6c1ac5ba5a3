"""The share of <unk>, and the best possible, next to every perplexity they explain."""

import json

import pytest
from training_runs import rows

from rnnlm.cli.evaluate import main as evaluate

LINE = "the cat <unk> on the mat .\n"  # one of eight targets


@pytest.fixture
def drawn(monkeypatch):
    """The arguments with which the picture was drawn."""
    import rnnlm.runs.run_picture

    calls = []
    monkeypatch.setattr(rnnlm.runs.run_picture, "plot_perplexity", lambda *arguments: calls.append(arguments))
    return calls


def test_the_share_of_unk_is_next_to_each_perplexity(run, small_corpus, drawn, capsys):
    (small_corpus / "train.txt").write_text(LINE * 40)
    (small_corpus / "valid.txt").write_text(LINE * 4)
    (small_corpus / "test.txt").write_text(LINE + "a dog sat\n")
    code, out, _ = run("--epochs", "1")
    assert code == 0
    lines = out.splitlines()
    table = next(i for i, line in enumerate(lines) if line.startswith("epoch"))
    assert lines.index("12.5 % of the validation targets are <unk>") < table
    assert lines[-2].startswith("best validation perplexity")
    assert lines[-2].endswith(" after epoch 1, 12.5 % of the targets are <unk>")
    assert lines[-1].startswith("test perplexity")
    assert lines[-1].endswith(", 33.3 % of the targets are <unk>")
    assert drawn[-1][2].endswith("\n12.5 % of the validation targets are <unk>")
    assert max(map(len, rows(out))) <= 80
    assert evaluate(["run", str(small_corpus / "test.txt")]) == 0
    assert capsys.readouterr().out.splitlines()[1].endswith(" 12 targets, 33.3 % of them <unk>, one stream")
    assert evaluate(["run", str(small_corpus / "test.txt"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["unk_share"] == 4 / 12


def test_where_there_is_no_unk_nothing_is_said_of_it(run, small_corpus, drawn, capsys):
    _, out, _ = run("--epochs", "1")
    assert "<unk>" not in out
    assert "<unk>" not in drawn[-1][2]
    assert evaluate(["run", str(small_corpus / "test.txt")]) == 0
    assert "<unk>" not in capsys.readouterr().out
    assert evaluate(["run", str(small_corpus / "test.txt"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["unk_share"] == 0


def test_a_share_that_rounds_to_nothing_is_not_nothing(run, small_corpus):
    (small_corpus / "train.txt").write_text(LINE * 2000)
    (small_corpus / "valid.txt").write_text("the cat the on the mat .\n" * 400 + LINE)
    _, out, _ = run("--epochs", "1")
    assert "less than 0.1 % of the validation targets are <unk>" in out


def test_each_best_possible_perplexity_is_that_of_the_text_it_is_next_to(run, small_corpus, drawn):
    best = {"valid": {"perplexity": 1.25}, "test": {"perplexity": 1.5}}
    (small_corpus / "corpus.json").write_text(json.dumps({"name": "tiny", "best_possible": best}))
    _, out, _ = run("--epochs", "1")
    valid, test = out.splitlines()[-2:]
    assert valid.startswith("best validation perplexity")
    assert ", best possible 1.25 (" in valid
    assert test.startswith("test perplexity")
    assert ", best possible 1.5 (" in test
    assert drawn[-1][3] == 1.25
