"""Dynamic evaluation in the commands: its options, its statistics, what it saves."""

import json
import math
import os
import re
import signal

import numpy as np
import pytest

from rnnlm.adapting import gradient_statistics as module
from rnnlm.adapting.dynamic import DynamicModel
from rnnlm.adapting.gradient_statistics import gradient_statistics
from rnnlm.adapting.tuning_dynamic import BEYOND
from rnnlm.cli.dynamic_options import with_dynamic
from rnnlm.cli.evaluate import build_parser
from rnnlm.cli.evaluate import main as evaluate
from rnnlm.cli.generate import main as generate
from rnnlm.cli.partners import Read
from rnnlm.cli.rescore import main as rescore
from rnnlm.cli.score import main as score
from rnnlm.errors import DivergenceError, RnnlmError
from rnnlm.formats.model_file import load_model, read_model_training
from rnnlm.scoring.evaluation import token_log_probs
from rnnlm.text.corpus import read_text

ENDED_BY_SIGNAL = r"((note|dynamic).*\n)?\nstopping after .*; press Ctrl-C again to quit immediately\n.*: stopped\n"


@pytest.fixture
def folder(run, small_corpus, tmp_path):
    """The folder of a small run."""
    run("--epochs", "1", "--hidden-size", "6", "--wordvec-size", "5", "--batch-size", "4", "--time-size", "5")
    return tmp_path / "run"


@pytest.fixture
def text(small_corpus):
    return small_corpus / "test.txt"


def perplexity(dynamic, vocabulary, text):
    ids = read_text(text, vocabulary).ids
    return math.exp(-token_log_probs(dynamic, ids, vocabulary.eos_id).mean())


def evaluated(capsys, *arguments):
    """The JSON of a text, and what was said on standard error."""
    capsys.readouterr()
    assert evaluate([*map(str, arguments), "--json"]) == 0
    out, err = capsys.readouterr()
    return json.loads(out), err


def refused(capsys, command, *arguments):
    capsys.readouterr()
    assert command([*map(str, arguments)]) == 1
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1
    return err


def test_sgd_is_that_of_the_library(folder, text, capsys):
    found, _ = evaluated(capsys, folder, text, "--dynamic", "sgd", "--dynamic-window", "7", "--dynamic-lr", "0.4",
                         "--dynamic-decay", "0.03")
    model, vocabulary = load_model(folder)
    dynamic = DynamicModel(model, "sgd", window=7, lr=0.4, decay=0.03)
    assert found["perplexity"] == pytest.approx(perplexity(dynamic, vocabulary, text), rel=1e-5)
    assert abs(found["perplexity"] - perplexity(model, vocabulary, text)) > 1e-3


def test_statistics_are_made_once_and_kept_in_the_run_folder(folder, text, small_corpus, capsys):
    before = (folder / "model.npz").read_bytes()
    first, said = evaluated(capsys, folder, text, "--dynamic", "rms", "--dynamic-lr", "0.01", "--dynamic-eps", "1e-3")
    assert "computing the mean squares" in said and (folder / "statistics.npz").exists()
    second, said = evaluated(capsys, folder, text, "--dynamic", "rms", "--dynamic-lr", "0.01", "--dynamic-eps", "1e-3")
    assert "computing" not in said and first == second
    model, vocabulary = load_model(folder)
    statistics = gradient_statistics(model, read_text(small_corpus / "train.txt", vocabulary).ids)
    dynamic = DynamicModel(model, lr=0.01, eps=1e-3, statistics=statistics)
    assert first["perplexity"] == pytest.approx(perplexity(dynamic, vocabulary, text), rel=1e-4)
    assert (folder / "model.npz").read_bytes() == before


def test_statistics_that_do_not_fit_are_made_anew_in_the_folder_and_refused_by_name(folder, text, tmp_path, capsys):
    evaluated(capsys, folder, text, "--dynamic", "rms")
    _, said = evaluated(capsys, folder, text, "--dynamic", "rms", "--dynamic-window", "9")
    assert "computing" in said
    own = tmp_path / "own.npz"
    os.replace(folder / "statistics.npz", own)
    assert "windows of 9, not 5" in refused(capsys, evaluate, folder, text, "--dynamic", "rms", "--statistics", own)
    # A model file alone will do where the statistics are there.
    options = "--dynamic", "rms", "--statistics", own, "--dynamic-window", "9"
    assert "computing" not in evaluated(capsys, folder / "model.npz", text, *options)[1]
    own.write_bytes(own.read_bytes()[:-50])
    said = refused(capsys, evaluate, folder, text, *options)
    assert "not a whole file" in said and "name another file with --statistics, which is then made" in said


def test_without_the_training_text_there_are_no_statistics(folder, text, small_corpus, tmp_path, capsys):
    said = refused(capsys, evaluate, folder / "model.npz", text, "--dynamic", "rms")
    assert "does not know the texts of its run: name a file of its statistics with --statistics" in said
    (small_corpus / "train.txt").unlink()
    refused(capsys, evaluate, folder, text, "--dynamic", "rms")
    assert not (folder / "statistics.npz").exists()


def test_statistics_that_cannot_be_kept_are_used(folder, text, capsys, monkeypatch):
    def refuse(*_):
        raise RnnlmError("the folder is read-only")

    monkeypatch.setattr("rnnlm.cli.statistics.save_statistics", refuse)
    _, said = evaluated(capsys, folder, text, "--dynamic", "rms")
    assert "the statistics are not kept (the folder is read-only); --statistics FILE keeps them elsewhere" in said


def test_files_that_cannot_be_written_are_refused_before_the_work(folder, text, tmp_path, capsys):
    nowhere, other = tmp_path / "none" / "file.npz", tmp_path / "other.npz"
    other.write_bytes(b"mine")
    for path in (nowhere, folder / "model.npz" / "x", "-"):
        refused(capsys, evaluate, folder, text, "--dynamic", "rms", "--statistics", path)
    for path in (nowhere, other, folder / "model.npz" / "x", "-"):
        refused(capsys, evaluate, folder, text, "--dynamic", "sgd", "--save-adapted", path)
    assert other.read_bytes() == b"mine"


def test_the_rates_are_chosen_on_validation_text(folder, text, small_corpus, capsys):
    found, said = evaluated(capsys, folder, text, "--dynamic", "sgd", "--tune", small_corpus / "valid.txt")
    tried = [line for line in said.splitlines() if line.startswith("  lr ")]
    best = min(tried, key=lambda line: float(line.split(": ")[1]))
    lr, decay = best.split(":")[0].split(", ")
    assert 16 <= len(tried) <= 16 + 2 * BEYOND
    assert f"chosen: --dynamic sgd --dynamic-lr {lr.split()[1]} --dynamic-decay {decay.split()[1]}" in said
    assert found["dynamic"] == f"sgd, window 5, {lr.strip()}, {decay}"
    _, said = evaluated(capsys, folder, text, "--dynamic", "sgd", "--dynamic-decay", "0", "--tune",
                        small_corpus / "valid.txt")
    assert 6 <= said.count("decay 0:") <= 6 + BEYOND


def test_where_every_rate_diverges_nothing_is_chosen_or_scored(folder, text, small_corpus, capsys, monkeypatch):
    def diverging(*_):
        raise DivergenceError("diverged")

    monkeypatch.setattr(DynamicModel, "log_probs", diverging)
    capsys.readouterr()
    assert evaluate([str(folder), str(text), "--dynamic", "sgd", "--tune", str(small_corpus / "valid.txt")]) == 1
    out, err = capsys.readouterr()
    assert out == "" and err.count(": inf\n") == 12 and "chosen" not in err
    assert "so there is none to choose: give a lower one, with --dynamic-lr or lrs\n" in err


def test_a_signal_ends_tuning_within_a_point_of_the_grid(folder, text, small_corpus, capsys, monkeypatch):
    before, calls, plain = sorted(os.listdir(folder)), [], DynamicModel.log_probs

    def interrupted(dynamic, xs, ts):
        calls.append(len(xs[0]))
        if len(calls) == 1:
            os.kill(os.getpid(), signal.SIGINT)
        return plain(dynamic, xs, ts)

    long = folder.parent / "long.txt"
    long.write_text((small_corpus / "valid.txt").read_text() * 20)
    monkeypatch.setattr(DynamicModel, "log_probs", interrupted)
    arguments = [str(folder), str(text), "--dynamic", "sgd", "--tune", str(long)]
    capsys.readouterr()
    assert evaluate(arguments) == 130
    assert len(calls) == 1 and "  lr " not in capsys.readouterr().err and sorted(os.listdir(folder)) == before


def test_a_named_file_of_something_else_is_not_to_be_removed(folder, text, capsys):
    said = refused(capsys, evaluate, folder, text, "--dynamic", "rms", "--statistics", folder / "model.npz")
    assert "name another file with --statistics, which is then made" in said and "remove" not in said


@pytest.mark.parametrize("content", [b"", b"the user's own", "cut", "other shapes"])
def test_a_damaged_file_of_the_folder_is_refused_with_a_remedy_that_helps(folder, text, tmp_path, capsys, content):
    options, kept = ("--dynamic", "rms"), folder / "statistics.npz"
    evaluated(capsys, folder, text, *options)
    if content == "other shapes":
        with np.load(kept) as file:
            np.savez(kept, **{name: file[name][:1] if name == "affine/b" else file[name] for name in file.files})
    else:
        kept.write_bytes(kept.read_bytes()[:-50] if content == "cut" else content)
    damaged = kept.read_bytes()
    said = refused(capsys, evaluate, folder, text, *options)
    assert "remove it, so that it is made anew, or name another file with --statistics, which is then made" in said
    assert kept.read_bytes() == damaged
    evaluated(capsys, folder, text, *options, "--statistics", tmp_path / "new.npz")
    kept.unlink()
    assert "the statistics are in" in evaluated(capsys, folder, text, *options)[1]


def test_a_signal_is_the_last_that_is_said_while_statistics_are_made(folder, text, capsys, monkeypatch):
    def diverging(self):
        os.kill(os.getpid(), signal.SIGINT)
        raise DivergenceError("the model's gradients are not finite numbers")

    def whole(self):
        os.kill(os.getpid(), signal.SIGINT)  # after the last window
        return plain(self)

    plain = module._Summing.mean_squares
    for ending in (diverging, whole):
        monkeypatch.setattr(module._Summing, "mean_squares", ending)
        capsys.readouterr()
        assert evaluate([str(folder), str(text), "--dynamic", "rms"]) == 130
        out, err = capsys.readouterr()
        assert out == "" and re.fullmatch(ENDED_BY_SIGNAL, err)
    assert not (folder / "statistics.npz").exists()


def test_a_divergence_after_a_signal_is_not_reported(folder, text, small_corpus, capsys, monkeypatch):
    def diverging(*_):
        os.kill(os.getpid(), signal.SIGINT)
        raise DivergenceError("dynamic evaluation diverged")

    monkeypatch.setattr(DynamicModel, "log_probs", diverging)
    for more in ([], ["--tune", str(small_corpus / "valid.txt")]):
        capsys.readouterr()
        assert evaluate([str(folder), str(text), "--dynamic", "sgd", *more]) == 130
        assert re.fullmatch(ENDED_BY_SIGNAL, capsys.readouterr().err)


def test_the_heading_has_all_numbers_that_are_used(folder, text, capsys):
    capsys.readouterr()
    assert score([str(folder), str(text), "--dynamic", "rms", "--dynamic-window", "10"]) == 0
    assert "# dynamic: rms, window 10, lr 5e-06, decay 0.004, eps 2e-05\n" in capsys.readouterr().out


def test_rates_are_chosen_once_for_several_texts(folder, text, small_corpus, capsys):
    valid = small_corpus / "valid.txt"
    _, said = evaluated(capsys, folder, text, "--dynamic", "sgd", "--tune", valid)
    lr, decay = said.split("--dynamic-lr ")[1].split(" --dynamic-decay ")
    capsys.readouterr()
    assert evaluate([*map(str, (folder, text, valid, text)), "--json", "--dynamic", "sgd", "--tune", str(valid)]) == 0
    out, err = capsys.readouterr()
    first, second, third = map(json.loads, out.splitlines())
    assert err.count("chosen:") == 1 and first == third  # what was learned from a text is gone in the next
    alone, _ = evaluated(capsys, folder, valid, "--dynamic", "sgd", "--dynamic-lr", lr, "--dynamic-decay",
                         decay.strip())
    assert second == alone


def test_kept_models_have_statistics_of_their_own(run, small_corpus, tmp_path, capsys):
    run("--epochs", "1", "--hidden-size", "4", "--wordvec-size", "4", "--batch-size", "4", "--time-size", "5",
        "--keep-every", "40")
    arguments = [str(tmp_path / "run"), str(small_corpus / "test.txt"), "--kept", "--dynamic", "rms"]
    capsys.readouterr()
    assert score(arguments) == 0
    assert "computing the mean squares" in capsys.readouterr().err
    assert not (tmp_path / "run" / "statistics.npz").exists()
    assert "--statistics are those of one model" in refused(capsys, score, *arguments, "--statistics", tmp_path / "s")
    assert not (tmp_path / "s").exists()


def test_sentences_are_learned_one_after_another(folder, text, capsys):
    capsys.readouterr()
    options = "--protocol", "sentence", "--dynamic", "sentence", "--dynamic-lr", "0.5"
    assert score([str(folder), str(text), *options]) == 0
    out = capsys.readouterr().out
    assert "# dynamic: sentence, lr 0.5\n" in out
    rows = [line.split("\t") for line in out.splitlines() if not line.startswith("#")]
    surprisal = np.array([float(row[rows[0].index("surprisal")]) for row in rows[1:]])
    model, vocabulary = load_model(folder)
    dynamic, wanted = DynamicModel(model, "sentence", lr=0.5), []
    with dynamic.fresh_state():
        for line in text.read_text().splitlines():
            ids = [*(vocabulary.ids[word] for word in line.split()), vocabulary.eos_id]
            wanted.append(dynamic.log_probs([[vocabulary.eos_id, *ids[:-1]]], [ids])[0])
            dynamic.forget()
    np.testing.assert_allclose(surprisal, -np.concatenate(wanted) / math.log(2), rtol=1e-3)


def test_the_adapted_model_is_a_model_file_of_its_own(folder, text, tmp_path, capsys):
    before, adapted = (folder / "model.npz").read_bytes(), tmp_path / "adapted.npz"
    options = "--dynamic", "sgd", "--dynamic-lr", "0.5", "--save-adapted"
    evaluated(capsys, folder, text, *options, adapted)
    assert (folder / "model.npz").read_bytes() == before
    model, vocabulary = load_model(folder)
    dynamic = DynamicModel(model, "sgd", lr=0.5)
    perplexity(dynamic, vocabulary, text)
    wanted = dynamic.adapted().named_params()
    for name, param in load_model(adapted)[0].named_params().items():
        np.testing.assert_allclose(param, wanted[name], rtol=1e-4, atol=1e-6)
    assert read_model_training(adapted)["adapted"]["method"] == "sgd"
    evaluated(capsys, folder, text, *options, adapted)  # an earlier one may be replaced
    assert evaluated(capsys, adapted, text)[0]["perplexity"] < evaluated(capsys, folder, text)[0]["perplexity"]
    capsys.readouterr()
    assert score([str(folder), str(text), *options, str(tmp_path / "scored.npz")]) == 0
    for name, param in load_model(tmp_path / "scored.npz")[0].named_params().items():
        np.testing.assert_allclose(param, wanted[name], rtol=1e-3, atol=1e-5)
    for same in (folder / "model.npz", tmp_path / "link.npz"):
        if not same.exists():
            same.symlink_to(folder / "model.npz")
        assert "never changed" in refused(capsys, evaluate, folder, text, *options, same)
    assert "never changed" in refused(capsys, evaluate, folder, text, *options, adapted, "--mix", adapted)
    assert "name two files" in refused(capsys, evaluate, folder, text, "--dynamic", "rms", "--statistics",
                                       tmp_path / "two.npz", "--save-adapted", tmp_path / "x" / ".." / "two.npz")
    assert "is of one text" in refused(capsys, evaluate, folder, text, text, *options, adapted)


@pytest.mark.parametrize(("options", "message"), [
    (["--dynamic-lr", "1"], "--dynamic-lr needs --dynamic"),
    (["--save-adapted", "x.npz"], "--save-adapted needs --dynamic"),
    (["--dynamic", "sgd", "--dynamic-eps", "1"], "--dynamic-eps needs --dynamic rms"),
    (["--dynamic", "sgd", "--statistics", "x"], "--statistics needs --dynamic rms"),
    (["--dynamic", "sentence"], "--protocol sentence"),
    (["--dynamic", "sgd", "--dynamic-lr", "1e38"], "diverged"),
])
def test_what_does_not_go_together_is_refused(folder, text, options, message, capsys):
    assert message in refused(capsys, evaluate, folder, text, *options)


def test_what_needs_a_state_of_its_own_is_refused(folder, tmp_path, capsys):
    lists = tmp_path / "lists.txt"
    lists.write_text("a-1 the cat\na-2 the dog\n")
    options = "--dynamic", "sgd"
    capsys.readouterr()
    assert rescore([str(folder), str(lists), "--nbest-format", "kaldi", *options]) == 0
    assert generate([str(folder), "--length", "5", "--seed", "1", *options]) == 0
    assert "a state for the next list cannot be had from a DynamicModel" in refused(
        capsys, rescore, folder, lists, "--nbest-format", "kaldi", "--carry", *options)
    assert "a beam search cannot" in refused(capsys, generate, folder, "--beam", "2", *options)
    assert "several texts at once cannot" in refused(capsys, generate, folder, "--samples", "2", *options)
    for around in (["--cache", "5"], ["--mix", folder, "--weights", "1,1", "--mixing", "log-linear"],
                   ["--unigram-cache", "5", "--softmax-temperature", "2"]):
        assert "cannot be had" in refused(capsys, generate, folder, "--samples", "2", *options, *around)
        assert "cannot be had" in refused(capsys, generate, folder, "--beam", "2", *options, *around)
        assert "cannot be had" in refused(capsys, rescore, folder, lists, "--nbest-format", "kaldi", "--carry",
                                          *options, *around)


def test_an_n_gram_model_does_not_adapt():
    options = build_parser().parse_args(["model.arpa", "text.txt", "--dynamic", "sgd"])
    with pytest.raises(RnnlmError, match="--dynamic needs a network"):
        with_dynamic(Read(object(), None, ""), options, None)


def test_recurrent_layers_with_a_rate_of_their_own(folder, text, tmp_path, capsys):
    options = "--dynamic", "sgd", "--dynamic-lr", "0.4", "--dynamic-decay", "0.03", "--dynamic-recurrent", "0.25"
    found, _ = evaluated(capsys, folder, text, *options, "--save-adapted", tmp_path / "adapted.npz")
    model, vocabulary = load_model(folder)
    dynamic = DynamicModel(model, "sgd", lr=0.4, decay=0.03, recurrent=0.25)
    assert found["perplexity"] == pytest.approx(perplexity(dynamic, vocabulary, text), rel=1e-5)
    assert found["dynamic"] == "sgd, window 5, lr 0.4, decay 0.03, recurrent 0.25"
    assert read_model_training(tmp_path / "adapted.npz")["adapted"]["recurrent"] == 0.25
    _, said = evaluated(capsys, folder, text, *options[:2], *options[4:], "--tune", text)
    rate = float(re.search(r"chosen: --dynamic sgd --dynamic-lr (\S+)", said)[1])
    best = DynamicModel(model, "sgd", lr=rate, decay=0.03, recurrent=0.25)
    assert f"lr {rate:g}, decay 0.03: {perplexity(best, vocabulary, text):.5g}" in said
