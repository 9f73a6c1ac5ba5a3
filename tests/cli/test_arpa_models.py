"""An ARPA file where the commands ask for a model."""

import json
import math

import pytest
from arpa_texts import ngrams, srilm_text, text_scores

from rnnlm.cli.evaluate import main as evaluate
from rnnlm.cli.generate import main as generate
from rnnlm.cli.pairs import main as pairs
from rnnlm.cli.score import main as score

LINES = ["the cat sat on the mat", "naïve mat"]


@pytest.fixture
def arpa(tmp_path, monkeypatch):
    """A model, and the path of its file; a text is beside it."""
    monkeypatch.chdir(tmp_path)
    found = ngrams(unknown=False)
    (tmp_path / "some.arpa").write_text(srilm_text(found), encoding="utf-8")
    (tmp_path / "text").write_text("".join(f"{line}\n" for line in LINES), encoding="utf-8")
    return found


def test_texts_are_evaluated_and_scored(arpa, capsys):
    wanted = text_scores(arpa, [line.split() for line in LINES])
    assert evaluate(["some.arpa", "text", "--json"]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["log_prob"] == pytest.approx(sum(wanted) * math.log(10), rel=1e-6)
    assert "note: some.arpa: no <unk> among the words: unknown words have no probability" in err
    assert score(["some.arpa", "text", "--log-base", "10", "--top", "1"]) == 0
    rows = [line.split("\t") for line in capsys.readouterr().out.splitlines() if not line.startswith("#")]
    assert [float(row[rows[0].index("log_prob")]) for row in rows[1:]] == pytest.approx(wanted, abs=1e-5)


def test_pairs_are_told_apart_and_texts_written(arpa, tmp_path, capsys):
    (tmp_path / "pairs.tsv").write_text(f"{LINES[0]}\tmat the on sat cat the\n", encoding="utf-8")
    assert pairs(["some.arpa", "pairs.tsv", "--json"]) == 0
    better = text_scores(arpa, [LINES[0].split()]), text_scores(arpa, ["mat the on sat cat the".split()])
    assert json.loads(capsys.readouterr().out)["accuracy"] == float(sum(better[0]) > sum(better[1]))
    for options in (["--samples", "2", "--sentences", "1"], ["--beam", "2"], ["--sentences", "1"]):
        assert generate(["some.arpa", "--prompt", "the", "--max-length", "9", *options]) == 0
        assert "the" in capsys.readouterr().out


def test_a_damaged_file_is_refused_in_one_line(arpa, tmp_path, capsys):
    text = (tmp_path / "some.arpa").read_text(encoding="utf-8")
    (tmp_path / "some.arpa").write_text(text[:-6], encoding="utf-8")
    assert evaluate(["some.arpa", "text"]) == 1
    err = capsys.readouterr().err
    assert "error: some.arpa is no ARPA file that can be read: line 142 must be" in err
    assert err.count("\n") == 1
