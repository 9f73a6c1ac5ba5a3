"""An ARPA file where the commands ask for a model."""

import gzip
import hashlib
import html
import io
import json
import math
import os
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from arpa_texts import ngrams, srilm_text, text_scores

from rnnlm.cli.evaluate import main as evaluate
from rnnlm.cli.generate import main as generate
from rnnlm.cli.ngram import main as ngram
from rnnlm.cli.page import main as page
from rnnlm.cli.pairs import main as pairs
from rnnlm.cli.rescore import main as rescore
from rnnlm.cli.score import main as score
from rnnlm.formats.arpa_reading import read_arpa
from rnnlm.formats.model_file import save_model
from rnnlm.models import LanguageModel
from rnnlm.text.vocabulary import Vocabulary

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


@contextmanager
def piped(content, name, monkeypatch):
    """What to give as MODEL: standard input or a pipe, with this content."""
    read, write = os.pipe()
    os.write(write, content)
    os.close(write)
    try:
        if name == "-":
            monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(content)))
        yield name if name == "-" else f"/dev/fd/{read}"
    finally:
        os.close(read)


@pytest.mark.parametrize("packed", [bytes, gzip.compress])
@pytest.mark.parametrize("name", ["-", "/dev/fd"])
def test_a_model_comes_from_a_pipe(arpa, name, packed, monkeypatch, capsys):
    content = packed(Path("some.arpa").read_bytes())
    with piped(content, name, monkeypatch) as model:
        assert score([model, "text", "--log-base", "10"]) == 0
    out = capsys.readouterr().out
    assert f"# sha256: {hashlib.sha256(content).hexdigest()}\n" in out
    rows = [line.split("\t") for line in out.splitlines() if not line.startswith("#")]
    wanted = text_scores(arpa, [line.split() for line in LINES])
    assert [float(row[rows[0].index("log_prob")]) for row in rows[1:]] == pytest.approx(wanted, abs=1e-5)
    with piped(content, name, monkeypatch) as other:
        assert evaluate(["some.arpa", "text", "--mix", other, "--json"]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["log_prob"] == pytest.approx(sum(wanted) * math.log(10), rel=1e-6)
    assert f"note: {'standard input' if name == '-' else other}: no <unk> among the words" in err


@pytest.mark.parametrize(("content", "message"), [
    (b"no model\n", "is no ARPA file that can be read: line 1 ends a file without a line"),
    (b"", "is no ARPA file that can be read: it is empty"),
    (None, "only an ARPA file can come from a pipe: give a network by the name of its file"),
])
@pytest.mark.parametrize("name", ["-", "/dev/fd"])
def test_what_is_no_arpa_file_is_refused_from_a_pipe(arpa, name, content, message, monkeypatch, capsys):
    if content is None:
        save_model("rnn.npz", LanguageModel(3, 2, 2, rng=np.random.default_rng(0)), Vocabulary(["<unk>", "<eos>", "a"]))
        content = Path("rnn.npz").read_bytes()
    with piped(content, name, monkeypatch) as model:
        assert evaluate([model, "text"]) == 1
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1 and message in err


@pytest.mark.parametrize(("command", "arguments"), [
    (evaluate, ["-", "-"]), (evaluate, ["-", "text", "--mix", "-"]), (score, ["-", "-"]), (pairs, ["-", "-"]),
    (score, ["some.arpa", "-", "--mix", "-"]), (generate, ["-", "--prompt-file", "-"]),
    (rescore, ["-", "-", "--nbest-format", "plain"]), (page, ["-", "-"]), (page, ["-", "text", "--compare", "-"]),
    (ngram, ["-", "--vocabulary-of", "-", "--order", "2", "--output", "new.arpa"]),
])
def test_standard_input_is_read_once(arpa, command, arguments, capsys):
    assert command(arguments) == 1
    assert "standard input (-) can be read only once: give - once, or a file\n" in capsys.readouterr().err


def test_a_damaged_file_is_refused_in_one_line(arpa, tmp_path, capsys):
    text = (tmp_path / "some.arpa").read_text(encoding="utf-8")
    (tmp_path / "some.arpa").write_text(text[:-6], encoding="utf-8")
    assert evaluate(["some.arpa", "text"]) == 1
    err = capsys.readouterr().err
    assert "error: some.arpa is no ARPA file that can be read: line 142 must be" in err
    assert err.count("\n") == 1


OF_LINES = "an n-gram model's history begins anew at every line end"
NOTE = "note: some.arpa: no <unk> among the words: unknown words have no probability"


@pytest.fixture
def network(arpa, rng):
    """The name of a network's file, with the words of some.arpa."""
    _, vocabulary = read_arpa("some.arpa")
    save_model("model.npz", LanguageModel(len(vocabulary), 2, 2, rng=rng), vocabulary)
    return "model.npz"


def headings(out):
    """What the lines with # before a table say, by their first words."""
    return dict(line[2:].split(": ", 1) for line in out.splitlines() if line.startswith("# "))


@pytest.mark.parametrize(("protocol", "said"), [
    ("stream", f"stream: {OF_LINES}"), ("document", f"document: blank lines are not scored; {OF_LINES}"),
    ("sentence", f"sentence: {OF_LINES}")])
def test_a_heading_says_what_an_ngram_model_remembers(arpa, protocol, said, capsys):
    assert score(["some.arpa", "text", "--protocol", protocol]) == 0
    head = headings(capsys.readouterr().out)
    assert (head["protocol"], head["first_word"]) == (said, "scored, after <eos>")


def test_a_heading_of_a_mixture_says_what_each_kind_remembers(network, capsys):
    for models in (["model.npz", "--mix", "some.arpa"], ["some.arpa", "--mix", "model.npz"]):
        assert score([models[0], "text", *models[1:]]) == 0
        head = headings(capsys.readouterr().out)
        assert head["protocol"] == f"stream: the state is carried through each text; {OF_LINES}"
        assert head["first_word"] == "scored, after <eos> and from a state of zeros"
    for options in (["--mix", "some.arpa"], ["--unigram-cache", "9"]):
        assert score(["some.arpa", "text", *options]) == 0
        assert headings(capsys.readouterr().out)["first_word"] == "scored, after <eos>"


def test_lists_and_pairs_say_that_there_is_no_state(arpa, tmp_path, capsys):
    (tmp_path / "lists").write_text("u-1 the cat\nu-2 cat the\n", encoding="utf-8")
    (tmp_path / "pairs.tsv").write_text("the cat\tcat the\n", encoding="utf-8")
    assert rescore(["some.arpa", "lists", "--nbest-format", "kaldi"]) == 0
    assert headings(capsys.readouterr().out)["first_word"] == "scored, after <eos>"
    assert rescore(["some.arpa", "lists", "--nbest-format", "kaldi", "--carry"]) == 0
    head = headings(capsys.readouterr().out)
    assert (head["protocol"], head["first_word"]) == (f"document: {OF_LINES}", "scored, after <eos>")
    assert pairs(["some.arpa", "pairs.tsv"]) == 0
    assert headings(capsys.readouterr().out)["first_word"] == "scored, after <eos>"


def test_a_page_shows_an_ngram_model_alone_and_beside_a_network(network, capsys):
    assert page(["some.arpa", "text", "--output", "one.html"]) == 0
    assert capsys.readouterr().err.strip() == NOTE
    shown = html.unescape(Path("one.html").read_text(encoding="utf-8"))
    assert "n-gram model of order 3" in shown
    assert f"stream: {OF_LINES}" in shown and "state" not in shown.split("First word")[1].split("</tr>")[0]
    assert page([network, "text", "--compare", "some.arpa", "--output", "two.html"]) == 0
    assert capsys.readouterr().err.strip() == NOTE
    shown = html.unescape(Path("two.html").read_text(encoding="utf-8"))
    assert f"stream: the state is carried through each text; {OF_LINES}" in shown
    assert "from a state of zeros" in shown


@pytest.mark.parametrize("partners", [[], ["--mix", "model.npz", "--weights", "0.5,0.5"],
                                      ["--mix", "model.npz", "--weights", "0.5,1", "--mixing", "log-linear"]])
def test_an_ngram_model_with_a_unigram_cache_stands_wherever_a_model_does(partners, network, tmp_path, capsys):
    (tmp_path / "lists").write_text("u-1 the cat\nu-2 cat the\n", encoding="utf-8")
    (tmp_path / "pairs.tsv").write_text("the cat\tcat the\n", encoding="utf-8")
    for command, *arguments in ((evaluate, "text"), (score, "text"), (pairs, "pairs.tsv"), (generate, "--length", "3"),
                                (rescore, "lists", "--nbest-format", "kaldi"), (page, "text", "--output", "one.html")):
        assert command(["some.arpa", *arguments, "--unigram-cache", "9", *partners]) == 0, capsys.readouterr().err
    assert "n-gram model of order 3" in Path("one.html").read_text(encoding="utf-8")


def test_what_a_mixed_file_lacks_is_told(network, capsys):
    assert evaluate([network, "text", "--mix", "some.arpa", "--weights", "0.5,0.5"]) == 0
    assert capsys.readouterr().err.splitlines() == [NOTE]


def test_an_empty_file_is_refused_in_words(arpa, tmp_path, capsys):
    (tmp_path / "empty.arpa").write_bytes(b"")
    assert evaluate(["empty.arpa", "text"]) == 1
    assert capsys.readouterr().err.endswith("error: empty.arpa is no ARPA file that can be read: it is empty\n")
