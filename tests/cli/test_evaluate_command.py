import io
import json
import math
import re

import numpy as np
import pytest

from rnnlm.cli.evaluate import main
from rnnlm.formats.model_file import save_model
from rnnlm.models import LanguageModel, Regularisation
from rnnlm.text.choose_tokenizer import words_tokenizer
from rnnlm.text.vocabulary import Vocabulary


@pytest.fixture
def model_path(tmp_path, rng):
    words = ["<eos>", "<unk>", "the", "cat", "sat"]
    model = LanguageModel(len(words), 4, 5, layers=2, regularisation=Regularisation(dropout=0.3), rng=rng)
    for param in model.params:
        param += 0.5 * rng.standard_normal(param.shape).astype(np.float32)
    save_model(tmp_path / "model.npz", model, Vocabulary(words))
    return tmp_path / "model.npz"


@pytest.fixture
def text(tmp_path):
    path = tmp_path / "text.txt"
    path.write_text("the cat sat\nthe dog sat\n\n<unk> cat\n" * 30, encoding="utf-8")
    return path


def independent_log_probs(model_path, text):
    """ln p of every target, from the file's arrays alone, word by word in float64.

    Returns (all, those of OOVs).
    """
    with np.load(model_path) as f:
        words = f["vocabulary"].tobytes().decode().split("\n")
        layers = json.loads(f["header"].tobytes())["architecture"]["layers"]
        p = {name: f[name].astype(np.float64) for name in f.files if "/" in name}
    tokens = [token for line in text.read_text().split("\n")[:-1] for token in [*line.split(), "<eos>"]]
    states = [np.zeros(p["rnn1/b"].size) for _ in range(layers)]
    previous, all_log_probs, oov_log_probs = words.index("<eos>"), [], []
    for token in tokens:
        x = p["embedding/W"][previous]
        for i in range(layers):
            x = states[i] = np.tanh(x @ p[f"rnn{i + 1}/Wx"] + states[i] @ p[f"rnn{i + 1}/Wh"] + p[f"rnn{i + 1}/b"])
        scores = x @ p["affine/W"] + p["affine/b"]
        previous = words.index(token if token in words else "<unk>")
        all_log_probs.append(scores[previous] - math.log(sum(math.exp(score) for score in scores)))
        if token not in words:
            oov_log_probs.append(all_log_probs[-1])
    return all_log_probs, oov_log_probs


def test_the_printed_perplexity_is_reproduced_from_the_arrays_alone(model_path, text, capsys):
    assert main([str(model_path), str(text), "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    log_probs, oov = independent_log_probs(model_path, text)
    assert printed["perplexity"] == pytest.approx(math.exp(-sum(log_probs) / len(log_probs)), rel=1e-5)
    without = (sum(log_probs) - sum(oov)) / (len(log_probs) - len(oov))
    assert printed["perplexity_without_oov"] == pytest.approx(math.exp(-without), rel=1e-5)
    assert printed["log_prob"] == pytest.approx(sum(log_probs), rel=1e-5)
    assert printed["bits_per_token"] == pytest.approx(-sum(log_probs) / len(log_probs) / math.log(2), rel=1e-5)
    assert (printed["file"], printed["sentences"], printed["words"], printed["oov"], printed["targets"]) == (
        str(text), 120, 240, 30, 360)


def test_the_window_changes_nothing(model_path, text, capsys):
    results = []
    for size in ("1", "7", "1000"):
        main([str(model_path), str(text), "--json", "--time-size", size])
        results.append(json.loads(capsys.readouterr().out)["log_prob"])
    np.testing.assert_allclose(results, results[0], rtol=1e-6)


def test_the_text_form_says_the_same(model_path, text, capsys):
    assert main([str(model_path.parent), str(text), str(text)]) == 0
    out = capsys.readouterr().out
    main([str(model_path), str(text), "--json"])
    values = json.loads(capsys.readouterr().out)
    assert out.count("120 sentences, 240 words, 30 OOVs (scored as <unk>)") == 2
    assert f"perplexity {values['perplexity']:.6g}, without OOVs {values['perplexity_without_oov']:.6g}" in out
    assert "360 targets" in out


def test_without_unk_oovs_are_left_out_and_said(tmp_path, rng, text, capsys):
    words = ["<eos>", "the", "cat", "sat"]
    save_model(tmp_path / "m.npz", LanguageModel(4, 3, 3, rng=rng), Vocabulary(words))
    main([str(tmp_path / "m.npz"), str(text)])
    out = capsys.readouterr().out
    assert "60 OOVs (not counted in the numbers below)" in out  # dog, and <unk> as written
    assert "300 targets" in out


@pytest.mark.parametrize(("arguments", "message"), [
    (["none.npz", "x"], "no such file"), ([".", "x"], "x could not be read")])
def test_an_error_is_one_line(model_path, monkeypatch, capsys, arguments, message):
    monkeypatch.chdir(model_path.parent)
    assert main(arguments) == 1
    out, err = capsys.readouterr()
    assert message in err
    assert (out, len(err.splitlines())) == ("", 1)


def test_a_terminal_is_shown_how_far_the_scoring_is(model_path, text, on_terminal, capsys):
    text.write_text(text.read_text() * 30)  # a second or so
    shown = on_terminal(["evaluate", str(model_path), str(text), "--time-size", "1"], text.parent, 100)
    assert re.search(rf"scoring {text.name}: +[1-9]\d*%.*left", shown)
    assert main([str(model_path), str(text)]) == 0
    assert "scoring" not in capsys.readouterr().err


def test_an_empty_text_is_an_error_and_not_a_perplexity(model_path, tmp_path, capsys):
    (tmp_path / "empty.txt").write_text("")
    assert main([str(model_path), str(tmp_path / "empty.txt")]) == 1
    assert "is empty" in capsys.readouterr().err


def test_a_text_of_unknown_words_alone_still_has_its_line_ends(tmp_path, rng, capsys):
    save_model(tmp_path / "m.npz", LanguageModel(2, 3, 3, rng=rng), Vocabulary(["<eos>", "a"]))
    (tmp_path / "t").write_text("x y z\n")
    assert main([str(tmp_path / "m.npz"), str(tmp_path / "t"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["targets"] == 1


def test_the_number_of_threads_changes_nothing_that_is_printed(model_path, text, capsys):
    printed = set()
    for threads in ("1", "2", "3"):
        assert main([str(model_path), str(text), "--threads", threads]) == 0
        printed.add(capsys.readouterr().out)
    assert len(printed) == 1


@pytest.mark.parametrize(("options", "text", "without"), [
    ({}, "a zebra\n", "the spelling of unknown words; --charge-unknown counts the spelling"),
    ({"lowercase": True}, "a zebra\n",
     "the spelling of unknown words and capitals; --charge-unknown counts the spelling"),
    ({"lowercase": True, "split_punctuation": True}, "a zebra\n",
     "the spelling of unknown words, capitals and blanks; --charge-unknown counts the spelling"),
    ({"lowercase": True, "split_punctuation": True}, "a\n", "capitals and blanks")])
def test_bits_per_byte_say_what_they_leave_out_and_how_to_leave_out_less(options, text, without, tmp_path, rng, capsys):
    model = LanguageModel(3, 2, 2, rng=rng)
    save_model(tmp_path / "m.npz", model, Vocabulary(["<eos>", "<unk>", "a"], words_tokenizer(**options)))
    (tmp_path / "t.txt").write_text(text)
    assert main([str(tmp_path / "m.npz"), str(tmp_path / "t.txt")]) == 0
    assert capsys.readouterr().out.endswith(f" bits per byte, without {without}\n")


def test_bits_have_four_digits_and_are_of_bytes_and_of_what_train_counts(tmp_path, rng, capsys, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"ab\n")))
    for level, of in (("word", "token"), ("char", "character")):
        model = LanguageModel(4, 2, 2, rng=rng)
        for param in model.params:
            param[...] = 0  # each of the four is as probable
        save_model(tmp_path / f"{level}.npz", model, Vocabulary(["<eos>", "a", "b", "ab"], level))
        (tmp_path / "t.txt").write_text("ab\n")
        assert main([str(tmp_path / f"{level}.npz"), "-" if level == "char" else str(tmp_path / "t.txt")]) == 0
        first, second, third = capsys.readouterr().out.splitlines()
        assert f" 2 bits per {of}, " in second
        assert third == ("1.3333 bits per byte" if level == "word" else "2.0000 bits per byte")
    assert first.startswith("standard input: 1 sentence, ")
