import io
import json
import math
import os
import re
import shlex
import signal
import subprocess
import sys
import time
import tomllib
from types import SimpleNamespace

import numpy as np
import pytest
from threadpoolctl import threadpool_info
from training_runs import SMALL, metrics, options_of

from rnnlm.cli.evaluate import main as evaluate
from rnnlm.cli.progress import HEAD, row
from rnnlm.cli.train import main as train
from rnnlm.formats.model_file import load_model
from rnnlm.training.trainer import Record

KEYS = {"epoch", "iteration", "tokens", "train_loss", "train_perplexity", "valid_loss", "valid_perplexity", "lr",
        "grad_norm", "tokens_per_second", "seconds", "improved"}


def test_a_run_learns_and_leaves_everything_behind(run, tmp_path):
    code, out, _ = run("--epochs", "8")
    assert code == 0
    folder = tmp_path / "run"
    assert {path.name for path in folder.iterdir()} == {
        "model.npz", "metrics.jsonl", "perplexity.png", "config.toml", "checkpoint.npz", "summary.json"}
    records = metrics(folder)
    assert [record["epoch"] for record in records] == list(range(1, 9))
    assert all(record.keys() == KEYS for record in records)
    assert 1 < records[-1]["valid_perplexity"] < 1.1 < records[0]["valid_perplexity"]
    best = min(record["valid_perplexity"] for record in records)
    assert f"best validation perplexity {best:.5g}" in out
    assert "test perplexity" in out
    assert len([line for line in out.splitlines() if line.split()[0].isdigit()]) == 8


def test_the_saved_model_is_the_best_one_and_scores_what_was_reported(run, tmp_path, small_corpus, capsys, monkeypatch):
    # The last epoch changes the weights by a rate far too high: it must not be what is
    # saved.
    from rnnlm.training.schedules import DivideOnPlateau

    def update(schedule, loss, original=DivideOnPlateau.update):
        improved = original(schedule, loss)
        schedule.lr = 10.0 if loss < 1 else schedule.lr
        return improved

    monkeypatch.setattr(DivideOnPlateau, "update", update)
    run("--epochs", "20", "--patience", "1")
    records = metrics(tmp_path / "run")
    best = min(records, key=lambda record: record["valid_perplexity"])
    assert best is records[-2]
    assert evaluate([str(tmp_path / "run"), str(small_corpus / "valid.txt"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["perplexity"] == pytest.approx(best["valid_perplexity"], rel=1e-12)


def test_config_holds_what_was_given_and_repeats_the_run(run, tmp_path):
    run("--epochs", "2", "--optimizer", "momentum")
    config = tomllib.loads((tmp_path / "run" / "config.toml").read_text())
    assert "wordvec-size" not in config
    assert "# wordvec-size = 12\n" in (tmp_path / "run" / "config.toml").read_text()
    assert (config["optimizer"], config["lr"], config["epochs"], config["hidden-size"]) == ("momentum", 0.02, 2, 12)
    code = train(["--config", str(tmp_path / "run" / "config.toml"), "--output", str(tmp_path / "again")])
    assert code == 0
    assert (tmp_path / "again" / "model.npz").read_bytes() == (tmp_path / "run" / "model.npz").read_bytes()


def test_the_default_rate_belongs_to_the_optimizer(run, tmp_path, small_corpus):
    train(["--corpus", str(small_corpus), "--output", "r", "--epochs", "1", "--batch-size", "4", "--optimizer", "sgd"])
    assert options_of(tmp_path / "r")["lr"] == 1.0


def test_the_seed_decides(run, tmp_path):
    for name, seed in (("a", "1"), ("b", "1"), ("c", "2")):
        run("--epochs", "1", "--seed", seed, output=name)
    first, again, other = (load_model(tmp_path / name)[0].params for name in "abc")
    for x, y in zip(first, again, strict=True):
        np.testing.assert_array_equal(x, y)
    assert (first[0] != other[0]).any()


def test_a_folder_that_holds_a_run_is_refused_unless_told(run, tmp_path):
    run("--epochs", "1")
    before = (tmp_path / "run" / "model.npz").read_bytes()
    code, out, err = run("--epochs", "2")
    assert (code, out) == (1, "")
    assert "run already holds a run" in err
    assert "--overwrite" in err
    assert (tmp_path / "run" / "model.npz").read_bytes() == before
    assert run("--epochs", "2", "--overwrite")[0] == 0
    assert len(metrics(tmp_path / "run")) == 2


def test_without_an_output_folder_runs_are_numbered(run, tmp_path):
    for _ in range(2):
        assert run("--epochs", "1", output=None)[0] == 0
    assert {path.name for path in (tmp_path / "runs").iterdir()} == {"small", "small-2"}
    before = (tmp_path / "runs/small-2/metrics.jsonl").read_text()
    _, _, err = run("--epochs", "1", output=None)
    assert "runs/small already exists, so this run goes to runs/small-3" in err
    run("--epochs", "2", "--overwrite", output=None)
    assert len(metrics(tmp_path / "runs/small")) == 2
    assert (tmp_path / "runs/small-2/metrics.jsonl").read_text() == before


@pytest.mark.parametrize(("name", "shown"), [
    ("my run 5", "'my run 5'"), ("-x", "./-x"), ("a'b", """'a'"'"'b'"""), ("a\n\x1bb", r"$'a\n\x1bb'"),
    ("plain", "plain")])
def test_a_command_that_is_suggested_can_be_pasted(name, shown, run, small_corpus):
    _, _, err = run.bare("--corpus", str(small_corpus), "--output", name, "--epochs", "1", *SMALL)
    assert err.splitlines()[-1].endswith(f"rnnlm generate {shown}")
    assert shlex.split(shown.removeprefix("$"))[0].removeprefix("./") == name or "\n" in name


@pytest.mark.parametrize(("arguments", "message"), [
    (["--batch-size", "5000"], "batch_size must be at most"),
    (["--config", "none.toml"], "none.toml could not be read"),
    (["--corpus", "no-such"], "no corpus 'no-such'"),
])
def test_an_error_is_one_line_exit_1_and_nothing_is_made(run, tmp_path, arguments, message):
    code, out, err = run(*arguments)
    assert (code, out) == (1, "")
    assert message in err
    assert len(err.splitlines()) == 1
    assert not (tmp_path / "run").exists()


def test_a_loop_of_links_is_no_corpus(run, tmp_path):
    (tmp_path / "one").symlink_to("other")
    (tmp_path / "other").symlink_to("one")
    for output in ("run", None):
        code, _, err = run(corpus="one", output=output)
        assert (code, len(err.splitlines())) == (1, 1)
        assert "no corpus 'one': it must be a folder, a text file, or a known name" in err


def test_an_output_that_is_a_file_is_refused(run, tmp_path):
    (tmp_path / "run").write_text("mine")
    code, _, err = run()
    assert code == 1
    assert "--output must be a folder" in err
    assert (tmp_path / "run").read_text() == "mine"


@pytest.mark.parametrize("arguments", [["--batch-size", "0"], ["--lr", "nan"], ["--dropout", "1"], ["--level", "line"],
                                       ["--max-grad", "-1"], ["--nonsense"],
                                       ["--output", ""], ["--epochs", "9" * 5000]])
def test_wrong_usage_exits_2_with_the_rule(run, arguments):
    with pytest.raises(SystemExit) as caught:
        run(*arguments)
    assert caught.value.code == 2


def test_wrong_usage_is_one_line_with_what_was_meant(run):
    with pytest.raises(SystemExit):
        run("--hiden-size", "3")
    err = run.capsys.readouterr().err
    assert err.endswith("error: unrecognized arguments: --hiden-size 3: did you mean --hidden-size? "
                        "(--help shows all options)\n")
    assert err.count("\n") == 1
    with pytest.raises(SystemExit):
        run("--dropout", "2")
    assert run.capsys.readouterr().err.endswith(
        "error: argument --dropout: must be a number of at least 0 and below 1, got '2' (--help shows all options)\n")


def test_debug_shows_the_traceback(run):
    from rnnlm import RnnlmError

    with pytest.raises(RnnlmError):
        run("--batch-size", "5000", "--debug")


def test_options_reach_the_parts_they_are_for(run, tmp_path):
    run("--max-grad", "1e-9", "--optimizer", "sgd", "--epochs", "3")
    records = metrics(tmp_path / "run")  # clipped to nothing, nothing is learnt
    assert records[2]["valid_perplexity"] == pytest.approx(records[0]["valid_perplexity"], rel=1e-6)


@pytest.mark.slow
def test_runs_started_together_never_share_a_folder(small_corpus, tmp_path):
    command = [sys.executable, "-m", "rnnlm", "train", "--corpus", str(small_corpus), *SMALL, "--epochs", "2"]
    runs = [subprocess.Popen([*command, "--seed", str(seed)], cwd=tmp_path, stdout=subprocess.PIPE, text=True)
            for seed in range(3)]
    outs = [process.communicate()[0] for process in runs]
    folders = {out.split("run folder ")[1].split()[0] for out in outs}
    assert folders == {"runs/small", "runs/small-2", "runs/small-3"}
    assert all(len(metrics(tmp_path / folder)) == 2 for folder in folders)


def test_a_reader_who_leaves_does_not_end_the_run(small_corpus, tmp_path):
    train_command = f"{sys.executable} -m rnnlm train --corpus {small_corpus} --output run {' '.join(SMALL)} --epochs 5"
    subprocess.run(f"{train_command} | head -1", shell=True, cwd=tmp_path, check=True, stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 300
    while not (tmp_path / "run" / "perplexity.png").exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    assert len(metrics(tmp_path / "run")) == 5


def test_what_nobody_foresaw_is_one_line_too(run, monkeypatch):
    import rnnlm.runs.session

    def breaks(*arguments, **options):
        raise ZeroDivisionError("a\nb")

    monkeypatch.setattr(rnnlm.runs.session, "read_corpus", breaks)
    code, _, err = run()
    assert code == 1
    assert err.splitlines() == [err.strip()]
    assert "unexpected ZeroDivisionError: a b (--debug shows where" in err
    with pytest.raises(ZeroDivisionError):
        run("--debug")


@pytest.mark.parametrize(("message", "shown"), [
    ((), "error: not enough memory: choose smaller sizes"),
    (("Unable to allocate 4 TiB",), "error: not enough memory (Unable to allocate 4 TiB): choose smaller sizes")])
def test_too_little_memory_is_said_with_or_without_a_number(message, shown, run, monkeypatch):
    import rnnlm.runs.session

    def breaks(*arguments, **options):
        raise MemoryError(*message)

    monkeypatch.setattr(rnnlm.runs.session, "read_corpus", breaks)
    assert run()[2].endswith(f"{shown}\n")


def test_a_picture_that_cannot_be_drawn_ends_no_run(run, monkeypatch):
    import rnnlm.runs.run_folder

    monkeypatch.setattr(rnnlm.runs.run_folder, "plot_perplexity", lambda *arguments: 1 / 0)
    code, out, err = run("--epochs", "1")
    assert code == 0
    assert "test perplexity" in out
    assert "could not be drawn: division by zero" in err


def test_early_stop_and_division_of_the_rate(run, tmp_path):
    _, out, _ = run("--epochs", "60", "--lr", "0.3", "--patience", "2", "--lr-factor", "10")
    records = metrics(tmp_path / "run")
    assert len(records) < 60
    losses = [math.log(record["valid_perplexity"]) for record in records]
    assert all(min(losses[:end]) - losses[end] < 0.001 for end in (-2, -1))
    assert "stopped: the validation loss fell by less than 0.001 nats in each of 2 epochs" in out
    assert records[-1]["lr"] == pytest.approx(records[-2]["lr"] / 10)


def test_one_is_no_plural(run, small_corpus, capsys):
    out = run("--epochs", "60", "--lr", "0.3", "--patience", "1")[1]
    assert "stopped: the validation loss fell by less than 0.001 nats in the last epoch\n" in out
    (small_corpus / "one.txt").write_text("cat\n")
    assert evaluate(["run", str(small_corpus / "one.txt")]) == 0
    assert "1 sentence, 1 word, 0 OOVs\n" in capsys.readouterr().out
    (small_corpus / "one.txt").write_text("zebra\n")
    evaluate(["run", str(small_corpus / "one.txt")])
    assert "1 sentence, 1 word, 1 OOV (not counted in the numbers below)\n" in (out := capsys.readouterr().out)
    assert " 1 target, one stream\n" in out


@pytest.mark.parametrize("threads", ["1", "2"])
def test_two_runs_with_the_same_seed_and_threads_are_the_same(run, tmp_path, threads):
    models = []
    for name in ("first", "second"):
        code, *_ = run("--epochs", "2", "--threads", threads, output=name)
        assert code == 0
        models.append((tmp_path / name / "model.npz").read_bytes())
    assert models[0] == models[1]
    assert f"threads = {threads}\n" in (tmp_path / "first/config.toml").read_text()


@pytest.mark.parametrize("command", ["train", "evaluate", "generate"])
def test_the_threads_that_are_asked_for_are_those_that_compute(command, run, small_corpus, monkeypatch):
    import rnnlm.cli.evaluate
    import rnnlm.cli.generate
    import rnnlm.cli.progress
    from rnnlm.models import LanguageModel

    run("--epochs", "1")
    seen = []
    plain = LanguageModel.states

    def spied(self, xs):
        seen.append((self.output.workers.threads, self.recurrent[0].workers.threads, blas_threads_now()))
        return plain(self, xs)

    monkeypatch.setattr(LanguageModel, "states", spied)
    watched = []
    monkeypatch.setattr(rnnlm.cli.progress, "Watch", lambda threads: watched.append(threads) or Quiet())
    if command == "train":
        run("--epochs", "1", "--threads", "3", "--overwrite")
        assert watched == [3]
    elif command == "evaluate":
        rnnlm.cli.evaluate.main(["run", str(small_corpus / "test.txt"), "--threads", "3"])
    else:
        rnnlm.cli.generate.main(["run", "--threads", "3", "--length", "2"])
    # generation, one word after the other, leaves the threads to BLAS
    assert set(seen) == ({(1, 1, 3)} if command == "generate" else {(3, 3, 1)})


class Quiet:
    """A watch that never says anything."""

    def lines(self):
        return []


def blas_threads_now():
    return max(library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas")


def test_characters(run, tmp_path):
    code, out, _ = run("--level", "char", "--epochs", "1")
    assert code == 0
    assert "vocabulary 17" in out  # 14 letters, the full stop, the blank, <eos>
    assert load_model(tmp_path / "run")[1].level == "char"
    numbers = r"perplexity ([\d.]+) \(([\d.]+) bits per character, ([\d.]+) bits per byte\)"
    for perplexity, bits, of_bytes in re.findall(numbers, out):
        assert float(of_bytes) == pytest.approx(float(bits), rel=1e-3)  # each of these characters is a byte
        assert math.log2(float(perplexity)) == pytest.approx(float(bits), abs=1e-3)
    assert out.count("bits per character") == 2
    assert "bits per character" not in run("--epochs", "1", output="words")[1]


def test_limits_of_the_text(run, tmp_path):
    _, out, err = run("--max-tokens", "100", "--max-vocab", "9", "--min-count", "3", "--epochs", "1")
    assert "100 tokens to train" in out
    assert "vocabulary 9" in out
    assert "became <unk>" in err


def test_min_count(run, tmp_path):
    run("--min-count", "41", "--epochs", "1")
    assert set(load_model(tmp_path / "run")[1].words) == {"the", ".", "<eos>", "<unk>"}


def test_layers_and_word_vectors(run, tmp_path):
    run("--layers", "2", "--wordvec-size", "5", "--epochs", "1")
    shapes = {name: p.shape for name, p in load_model(tmp_path / "run")[0].named_params().items()}
    assert (shapes["rnn1/Wx"], shapes["rnn2/Wx"]) == ((5, 12), (12, 12))


def test_the_optimum_is_printed_and_drawn_where_it_is_known(run, small_corpus, monkeypatch):
    import rnnlm.runs.run_folder

    drawn = []
    monkeypatch.setattr(rnnlm.runs.run_folder, "plot_perplexity", lambda *arguments: drawn.append(arguments))
    best = {"valid": {"perplexity": 1.25}, "test": {"perplexity": 1.5}}
    (small_corpus / "corpus.json").write_text(json.dumps({"name": "tiny", "best_possible": best}))
    _, out, _ = run("--epochs", "1")
    assert "best possible 1.5 (" in out
    path, records, title, *others, test = drawn[-1]
    assert (path.path.name, len(records), others) == ("perplexity.png", 1, [1.25, "word", None])
    assert f"test perplexity {test:.5g} (" in out
    assert "tiny" in title
    run("--epochs", "1", "--level", "char", "--overwrite")
    assert drawn[-1][3:6] == (None, "char", None)


@pytest.mark.parametrize(("signum", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_second_signal_leaves_at_once(run, monkeypatch, signum, code):
    import rnnlm.runs.session

    def slow(*arguments, **options):  # validation that would take for ever
        os.kill(os.getpid(), signum)
        os.kill(os.getpid(), signum)
        time.sleep(60)

    monkeypatch.setattr(rnnlm.runs.session, "evaluate", slow)
    before = signal.getsignal(signum)
    assert run()[0] == code
    assert signal.getsignal(signum) is before


@pytest.mark.parametrize(("columns", "after_the_bar"), [
    pytest.param(60, r"\d\d:\d\d left *$", marks=pytest.mark.slow),
    (80, r"\d\d:\d\d left, [\d.]+[kM]? tokens/s *$"),
    pytest.param(120, r"\d\d:\d\d left, [\d.]+[kM]? tokens/s, at most \d\d:\d\d in all *$", marks=pytest.mark.slow)])
def test_the_bar_has_room_and_nothing_beside_it_is_cut_off(small_corpus, tmp_path, on_terminal, columns, after_the_bar):
    text = on_terminal(["train", "--corpus", str(small_corpus), "--output", "run", *SMALL, "--epochs", "30",
                        "--patience", "99"], tmp_path, columns)
    bars = [line for line in re.split("[\r\n]+", text) if re.search(r"epoch \d+/30, perplexity \d.*%\|", line)]
    assert bars
    for line in bars:
        before, bar, after = re.fullmatch(r"(.*): *\d+%\|(.*)\| (.*)", line).groups()
        assert re.fullmatch(r"epoch \d+/30, perplexity [\d.e+]+", before)
        assert len(bar) >= 10
        assert re.match(after_the_bar, after), line


def test_the_time_left_is_that_of_the_epoch(monkeypatch):
    """As few runs use up all their epochs; a wide terminal shows the whole time."""
    from rnnlm.cli.epoch_bar import EpochBar

    class Terminal(io.StringIO):
        def isatty(self):
            return True

    monkeypatch.setattr("sys.stderr", Terminal())
    trainer = SimpleNamespace(batches=SimpleNamespace(targets=1000), sums=SimpleNamespace(targets=500, seconds=20.0),
                              tokens=2500, seconds=150.0)
    with EpochBar(trainer, epochs=10) as bar:
        bar.move_to(500)
        bar.dynamic_ncols, bar.ncols = None, 120
        assert re.search(r"^ 50%\|[█#]+ +\| 00:20 left, 25.0 tokens/s, at most 07:30 in all$", str(bar))
        for bar.ncols in (80, 0, -1, None):  # the last three: the width is not known
            assert re.search(r"\| 00:20 left, 25.0 tokens/s$", str(bar)), bar.ncols
            assert len(str(bar)) in (79, 80)


def test_without_a_terminal_there_is_no_bar(run):
    _, _, err = run("--epochs", "2")
    assert "%|" not in err


@pytest.mark.parametrize(("perplexity", "shown"), [(4.48, "4.480"), (131.0, "131.0"), (999.6, "999.6"), (3485, "3485"),
                                                   (float("inf"), "inf")])
def test_perplexities_stand_in_columns(perplexity, shown):
    record = Record(3, 10, 700, 1.0, perplexity, 1.0, perplexity, 0.002, 0.1, 1234.5, 6.78, True)
    assert row(record) == f"    3 {shown:>9} {shown:>9}     0.002     1,234      6.8 *"
    assert len(row(record)) == len(HEAD) + len(" *")


@pytest.mark.parametrize(("options", "words"), [
    ("", "tanh RNN of 12, word vectors of 12"), ("--activation relu --layers 2", "2 x ReLU RNN of 12"),
    ("--cell mrnn", "tanh multiplicative RNN of 12"), ("--cell mrnn --activation relu", "ReLU multiplicative RNN"),
    ("--cell lstm --tied", "LSTM of 12, tied word vectors"), ("--cell gru", "GRU of 12"),
    ("--cell gru-textbook", "textbook GRU of 12")])
def test_the_model_is_named(options, words, run):
    assert f"model: {words}" in run("--epochs", "1", *options.split())[1]
