"""The page command: a model and a text in, one HTML file out, or none."""

import hashlib
import io
import os
import re
import sys
from pathlib import Path

import numpy as np
import pytest
from page_reading import Page

import rnnlm
from rnnlm.cli.page import main
from rnnlm.cli.score import main as score
from rnnlm.formats.model_file import save_model
from rnnlm.models import LanguageModel
from rnnlm.text.vocabulary import Vocabulary

TEXT = "the cat sat\nthe dog\r\n\n<b>the cat"
WORDS = ["the", "cat", "sat", "↵", "the", "dog", "↵", "↵", "<b>the", "cat", "↵"]


def save(path, words, level="word", seed=0):
    rng = np.random.default_rng(seed)
    model = LanguageModel(len(words), 4, 5, rng=rng)
    model.output.params[1][...] = rng.normal(0, 1, len(words))
    save_model(path, model, Vocabulary(words, level))


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """The current folder, with models and a text."""
    monkeypatch.chdir(tmp_path)
    save("words.npz", ["<eos>", "<unk>", "the", "cat", "sat", "mat", "ran"])
    save("closed.npz", ["<eos>", "the", "cat", "sat"], seed=1)
    save("letters.npz", ["<eos>", *" acehstdog"], "char", seed=2)
    Path("text.txt").write_text(TEXT, newline="")
    return tmp_path


def page(name="text.html"):
    return Page(Path(name).read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", ["words.npz", "closed.npz", "letters.npz"])
@pytest.mark.parametrize("protocol", ["stream", "document", "sentence"])
def test_the_page_has_the_scores_of_the_library(name, protocol, capsys):
    assert main([name, "text.txt", "--protocol", protocol]) == 0
    out, err = capsys.readouterr()
    assert (out, err) == (f"text.html: {os.path.getsize('text.html') / 1e3:.1f} kB, 11 words and line ends\n", "")
    model = rnnlm.load(name)
    rows = model.score(Path("text.txt"), protocol, top=5)
    assert [text for text, _ in page().words()] == WORDS
    (told,) = page().data()["models"]
    np.testing.assert_array_equal(told["columns"]["surprisal"], rows["surprisal"].astype(np.float32))
    np.testing.assert_array_equal(told["columns"]["known"], rows["known"])
    np.testing.assert_array_equal(told["columns"]["rank"], np.maximum(rows["rank"], 0))
    assert (told["size"], told["count"]) == (len(model.vocabulary), min(5, len(model.vocabulary)))
    assert told["unit"] == model.vocabulary.level.replace("char", "character")
    names = page().data()["words"]
    expected = told["columns"]["expected"].reshape(len(rows), told["count"])
    for k in range(told["count"]):
        top = [{None: "", " ": "␣"}.get(word, word) for word in rows[f"top{k + 1}"]]
        assert [names[i] for i in expected[:, k]] == top
    head = page().head()
    assert head["SHA-256"] == [hashlib.sha256(Path(name).read_bytes()).hexdigest()]
    assert head["Protocol"][0].startswith(f"{protocol}: ")
    assert head["Length"] == ["4 sentences, 7 words"]
    mean = np.nanmean(rows["surprisal"])
    assert head["Perplexity"] == [f"{2 ** mean:,.5g}{' per word' if name == 'letters.npz' else ''}"]
    unknown = [text for text, kind in page().words() if kind.endswith("unknown")]
    assert unknown == [word for word, known in zip(rows["word"], rows["known"], strict=True) if not known]
    assert "<b>the" in unknown


def test_the_perplexity_is_that_of_evaluate():
    assert main(["words.npz", "text.txt"]) == 0
    assert float(page().head()["Perplexity"][0]) == pytest.approx(
        rnnlm.load("words.npz").perplexity(Path("text.txt")), rel=1e-4)


@pytest.mark.parametrize("pair", [("words.npz", "letters.npz"), ("letters.npz", "closed.npz"),
                                  ("closed.npz", "words.npz")])
def test_models_of_any_level_and_vocabulary_are_compared(pair):
    first, other = pair
    assert main([first, "text.txt", "--compare", other, "--output", "both.html"]) == 0
    bits = [rnnlm.load(name).score(Path("text.txt"))["surprisal"] for name in pair]
    models = page("both.html").data()["models"]
    assert [model["name"] for model in models] == [first, other]
    for model, expected in zip(models, bits, strict=True):
        np.testing.assert_array_equal(model["columns"]["surprisal"], expected.astype(np.float32))
    difference = np.nanmean(bits[0] - bits[1])
    told = page("both.html").head()["Mean difference"][0]
    assert float(told.split(" bits")[0]) == pytest.approx(difference, abs=1e-4)
    assert f"{first if difference < 0 else other} expects the text better" in told
    assert [len(cells) for label, cells in page("both.html").head().items() if label == "SHA-256"] == [2]


def test_standard_input_is_read_once_for_both_models(monkeypatch, capsys):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(TEXT.encode()), encoding="utf-8"))
    assert main(["words.npz", "-", "--compare", "letters.npz"]) == 0
    assert capsys.readouterr().out.startswith("standard-input.html: ")
    assert [text for text, _ in page("standard-input.html").words()] == WORDS


def test_titles_and_names_are_escaped(capsys):
    name = "a<b>\n\u202e&.txt"
    Path(name).write_text("the cat\n")
    assert main(["words.npz", name]) == 0
    written = next(path for path in Path().glob("*.html"))
    assert "\n" not in capsys.readouterr().out[:-1]
    assert page(written).all("h1")[0][1] == page(written).all("title")[0][1] == "a<b>\\n\\u202e&.txt"
    assert main(["words.npz", "text.txt", "--title", "</title><i>x"]) == 0
    assert page().all("title")[0][1] == "</title><i>x"
    assert page().all("i") == []


def test_an_earlier_page_is_replaced_and_nothing_else(capsys):
    assert main(["words.npz", "text.txt"]) == 0
    first = Path("text.html").read_bytes()
    assert main(["letters.npz", "text.txt"]) == 0
    assert Path("text.html").read_bytes() != first
    for name, content in (("mine.html", "<!doctype html>\n<title>mine</title>\n"), ("empty.html", ""),
                          ("text.txt", TEXT), ("words.npz", None)):
        if content is not None:
            Path(name).write_text(content, newline="")
        before = Path(name).read_bytes()
        capsys.readouterr()
        assert main(["words.npz", "text.txt", "--output", name]) == 1
        assert (f"{name} exists and is not a page of this command, so it is not replaced: choose another name with "
                "--output") in capsys.readouterr().err
        assert Path(name).read_bytes() == before


@pytest.mark.parametrize(("output", "message"), [
    ("none/page.html", "none/page.html could not be written: no such file or directory; the folder does not exist"),
    (".", ". is not a regular file, so it is not replaced"), ("-", "- is not the name of a file to write"),
    ("text.txt/x", "text.txt/x could not be written: "),
    ("", "must not be empty"), ("x" * 300, "file name too long; choose a shorter name")])
def test_a_place_where_no_page_can_be_is_told_before_anything_is_scored(output, message, monkeypatch, capsys):
    monkeypatch.setattr("rnnlm.cli.page.noted_predictor", lambda *_: pytest.fail("it was scored"))
    try:
        code = main(["words.npz", "text.txt", "--output", output])
    except SystemExit as left:
        code = left.code
    assert code in (1, 2)
    err = capsys.readouterr().err
    assert message in err
    assert "Traceback" not in err


@pytest.mark.parametrize(("content", "message"), [
    (b"", "must hold at least one line"), (b"\xff", "must be UTF-8"), (b"a\0", "NUL"), (b"<eos>\n", "<eos>"),
    (None, "no such file")])
def test_a_text_that_cannot_be_read_leaves_no_file(content, message, folder, capsys):
    if content is not None:
        Path("bad.txt").write_bytes(content)
    before = sorted(folder.iterdir())
    assert main(["words.npz", "bad.txt"]) == 1
    out, err = capsys.readouterr()
    assert message in err
    assert (out, err.count("\n"), sorted(folder.iterdir())) == ("", 1, before)


@pytest.mark.parametrize("limit", ["MOST_ROWS", "MOST_CHARACTERS"])
def test_a_text_that_is_too_long_is_refused_before_it_is_scored(limit, monkeypatch, capsys):
    most = {"MOST_ROWS": 11, "MOST_CHARACTERS": len(TEXT)}[limit]  # a line end more, a carriage return less
    monkeypatch.setattr(f"rnnlm.cli.page.{limit}", most)
    assert main(["words.npz", "text.txt"]) == 0
    monkeypatch.setattr(f"rnnlm.cli.page.{limit}", most - 1)
    monkeypatch.setattr("rnnlm.cli.page.word_rows", lambda *_, **__: pytest.fail("it was scored"))
    capsys.readouterr()
    assert main(["words.npz", "text.txt"]) == 1
    err = capsys.readouterr().err
    assert re.match(r".*text\.txt is too long for a page, which shows at most .* give a part of it", err)
    assert err.count("\n") == 1


def test_a_signal_leaves_the_earlier_page(monkeypatch, capsys):
    import signal

    assert main(["words.npz", "text.txt"]) == 0
    before, names = Path("text.html").read_bytes(), sorted(os.listdir())
    plain = sys.modules["rnnlm.cli.page"].word_rows

    def signalled(*arguments, **options):
        for rows in plain(*arguments, **options):
            os.kill(os.getpid(), signal.SIGTERM)
            yield rows

    monkeypatch.setattr("rnnlm.cli.page.word_rows", signalled)
    assert main(["letters.npz", "text.txt"]) == 128 + signal.SIGTERM
    assert (Path("text.html").read_bytes(), sorted(os.listdir())) == (before, names)
    assert "stopped" in capsys.readouterr().err


def test_a_run_folder_is_a_model(capsys):
    os.mkdir("run")
    os.rename("words.npz", "run/model.npz")
    assert main(["run", "text.txt"]) == 0
    assert page().head()["SHA-256"] == [hashlib.sha256(Path("run/model.npz").read_bytes()).hexdigest()]
    assert page().head()["Model"] == ["run"]
    assert main([".", "text.txt"]) == 1
    assert "holds no model.npz" in capsys.readouterr().err


def test_the_number_of_threads_changes_nothing():
    pages = set()
    for threads in ("1", "2"):
        assert main(["words.npz", "text.txt", "--threads", threads]) == 0
        pages.add(Path("text.html").read_bytes())
    assert len(pages) == 1


ARPA = """\\data\\
ngram 1=5

\\1-grams:
-1\t<s>
-0.6\t</s>
-0.5\tthe
-0.7\tcat
-1.2\t<unk>

\\end\\
"""


@pytest.mark.parametrize(("options", "called", "said"), [
    ("--cache 5 --cache-theta 0.3 --cache-weight 0.2 --unigram-cache 4 --unigram-cache-weight 0.1",
     "a cache and a unigram cache", ["cache: 5 states, theta 0.3, weight 0.2", "unigram cache: 4 words, weight 0.1"]),
    ("--softmax-temperature 1.5", "a softmax temperature", ["softmax temperature: 1.5"]),
    ("--dynamic sgd --dynamic-window 2 --dynamic-lr 0.5 --dynamic-decay 0", "dynamic evaluation",
     ["dynamic: sgd, window 2, lr 0.5, decay 0"]),
    ("--dynamic sentence --dynamic-lr 0.5 --protocol sentence", "dynamic evaluation", ["dynamic: sentence, lr 0.5"]),
    ("--mix n.arpa --weights 0.7,0.3 --cache 5 --cache-theta 0.3 --cache-weight 0.2", "a cache and other models",
     ["mixed with: n.arpa (SHA-256 ", "mixing: linear; weights: 0.7, 0.3"])])
def test_the_first_model_has_the_partners_that_score_gives_it(options, called, said, capsys):
    Path("n.arpa").write_text(ARPA)
    assert score(["words.npz", "text.txt", "--no-header", "--columns", "surprisal,rank", *options.split()]) == 0
    rows = [line.split("\t") for line in capsys.readouterr().out.splitlines()[1:]]
    assert main(["words.npz", "text.txt", "--compare", "words.npz", *options.split()]) == 0
    first, other = page().data()["models"]
    np.testing.assert_allclose(first["columns"]["surprisal"], [float(row[0]) for row in rows], atol=1e-4)
    assert first["columns"]["rank"].tolist() == [int(row[1]) for row in rows]
    assert abs(np.subtract(first["columns"]["surprisal"], other["columns"]["surprisal"])).max() > 0.01
    head = page().head()
    assert head["Model"] == [f"words.npz with {called}", "words.npz"]
    assert head["Kind"] == ["tanh RNN of 5, word vectors of 4"] * 2
    assert all(words in head["With"][0] for words in said) and head["With"][1] == ""
    assert main(["words.npz", "text.txt"]) == 0
    assert "With" not in page().head()


@pytest.mark.parametrize(("options", "message"), [
    ("--cache-theta 1", "--cache-theta needs --cache"), ("--mix none", "none"), ("--mix letters.npz", "letters.npz"),
    ("--dynamic sentence", "--protocol sentence"), ("--weights 1", "--weights is for mixtures")])
def test_partners_that_do_not_fit_are_refused_and_leave_no_page(options, message, capsys):
    assert main(["words.npz", "text.txt", *options.split()]) == 1
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1 and message in err
    assert not Path("text.html").exists()
