"""``mpiexec -n P rnnlm``: training, scoring, stopping, and what ends all processes."""

import json
import re
import signal
import time

import numpy as np
import pytest
from launching import COMMAND, LIMIT, ended, launch, needs_mpi, start
from training_runs import SMALL, header_of, without_times

from rnnlm.cli.main import main

# A run in which process RANK does something at its step 5, or whatever STEP is.
AT_STEP = """
import os, signal, sys
from rnnlm.compute.processes import processes
from rnnlm.training.trainer import Trainer
rank, step, plain, count = int(sys.argv.pop(1)), int(sys.argv.pop(1)), Trainer.step, 0

def changed(trainer, xs, ts):
    global count
    count += 1
    if count == step and processes().rank == rank:
        {what}
    return plain(trainer, xs, ts)

Trainer.step = changed
from rnnlm.cli.main import main
sys.exit(main())
"""
TERMINATED = AT_STEP.format(what="os.kill(os.getpid(), signal.SIGTERM)")
COMMANDS = """
import json, sys
from rnnlm.cli.main import main
from rnnlm.cli.start import start
start("rnnlm")
sys.exit(max([main(command) for command in json.loads(sys.argv[1])]))
"""
GPUS = """
import sys
sys.path.insert(0, {tests!r})
from device_arrays import StandIn
from rnnlm.runs import gpus

def device(name, number):
    assert name == "cuda"
    gpu = StandIn()
    gpu.identity = f"stand-in {{number % {count}}}"
    return gpu

gpus.device_by_name = device
"""


@pytest.fixture
def line(small_corpus, tmp_path, monkeypatch):
    """The arguments of a small run with everything that draws random numbers."""
    monkeypatch.chdir(tmp_path)
    return ["train", "--corpus", str(small_corpus), *SMALL, "--batch-size", "5", "--noising", "0.1", "--random-start",
            "--weight-drop", "0.1", "--epochs", "2", "--threads", "1"]


def arrays(folder, name="model.npz"):
    with np.load(folder / name) as members:
        return {key: members[key] for key in members.files if members[key].dtype == np.float32}


def assert_resumable(*options):
    """That the run continues from its last checkpoint, after its processes are gone.

    MPICH's launcher does not wait for those that it kills.
    """
    for _ in range(20):
        if main(["train", "--resume", "--output", "run", *options]) == 0:
            return
        time.sleep(0.1)
    raise AssertionError("the run cannot be resumed")


def assert_same_run(folder, expected):
    """That both ended alike, but for the order of sums."""
    for mine, other in zip(without_times(folder), without_times(expected), strict=True):
        assert mine == pytest.approx(other, rel=1e-4)
    for name, array in arrays(expected).items():
        np.testing.assert_allclose(arrays(folder)[name], array, rtol=1e-3, atol=1e-4, err_msg=name)


@needs_mpi
def test_two_processes_train_as_one_and_the_first_speaks_for_both(line, tmp_path, capsys):
    code, out, err = launch(2, COMMAND, *line, "--output", "two", cwd=tmp_path)
    assert code == 0
    assert main([*line, "--output", "one"]) == 0
    expected = capsys.readouterr().out
    numbers = re.compile(r" +\d[\d.,e+-]*( +\*)?")
    assert numbers.sub("", out).replace("two", "one") == numbers.sub("", expected)
    assert err.count("model, metrics and picture are in two") == 1
    assert_same_run(tmp_path / "two", tmp_path / "one")
    assert header_of(tmp_path / "two/checkpoint.npz")["run"]["processes"] == 2
    assert "processes" not in header_of(tmp_path / "one/checkpoint.npz")["run"]


@needs_mpi
@pytest.mark.slow
def test_one_process_under_a_launcher_is_the_usual_run_bit_for_bit(line, tmp_path):
    assert launch(1, COMMAND, *line, "--output", "launched", cwd=tmp_path)[0] == 0
    assert main([*line, "--output", "usual"]) == 0
    assert without_times(tmp_path / "launched") == without_times(tmp_path / "usual")
    launched, usual = arrays(tmp_path / "launched", "checkpoint.npz"), arrays(tmp_path / "usual", "checkpoint.npz")
    assert {name: array.tobytes() for name, array in launched.items()} == {
        name: array.tobytes() for name, array in usual.items()}


@needs_mpi
@pytest.mark.slow
def test_a_run_of_two_processes_is_resumed_by_three_and_by_one(line, tmp_path):
    assert main([*line, "--output", "whole"]) == 0
    code, _, err = launch(2, TERMINATED, 1, 5, *line, "--output", "run", cwd=tmp_path)
    assert (code, "stopped after step 6, in epoch 1" in err) == (143, True)  # the others hear of it after a step
    code, _, err = launch(3, TERMINATED, 0, 4, "train", "--resume", "--output", "run", cwd=tmp_path)
    assert (code, "stopped after step 11, in epoch 1" in err) == (143, True)
    assert main(["train", "--resume", "--output", "run"]) == 0
    assert_same_run(tmp_path / "run", tmp_path / "whole")


@needs_mpi
@pytest.mark.slow
def test_two_processes_with_a_gpu_each_are_resumed_by_two_that_share_one(line, tmp_path, pytestconfig):
    assert main([*line, "--output", "whole"]) == 0
    program = {count: GPUS.format(tests=str(pytestconfig.rootpath / "tests"), count=count) for count in (1, 2)}
    code, _, err = launch(2, program[2] + TERMINATED, 1, 5, *line, "--device", "cuda", "--output", "run", cwd=tmp_path)
    assert (code, "stopped after step 6, in epoch 1" in err, "GPU" in err) == (143, True, False)
    code, _, err = launch(2, program[1] + COMMAND, "train", "--resume", "--output", "run", cwd=tmp_path)
    assert (code, err.count("2 processes share 1 GPU, where they compute in turns: start one process")) == (0, 1)
    assert_same_run(tmp_path / "run", tmp_path / "whole")


@needs_mpi
@pytest.mark.slow
def test_local_steps_are_part_of_the_run_and_of_its_checkpoints(line, tmp_path, capsys):
    line = [*line, "--sync-every", "7"]
    assert main([*line, "--epochs", "3", "--output", "whole"]) == 0
    assert main([*line, "--epochs", "1", "--output", "run"]) == 0
    assert main(["train", "--resume", "--epochs", "3", "--output", "run"]) == 0
    assert arrays(tmp_path / "run").keys() == arrays(tmp_path / "whole").keys()
    assert without_times(tmp_path / "run") == without_times(tmp_path / "whole")  # bit for bit
    assert {"outer/rnn1/Wx", "outer/affine/W"} <= arrays(tmp_path / "run", "checkpoint.npz").keys()
    assert main([*line[:-2], "--epochs", "3", "--output", "usual"]) == 0
    assert without_times(tmp_path / "usual") != without_times(tmp_path / "whole")

    code, _, err = launch(2, TERMINATED, 1, 5, *line, "--output", "two", cwd=tmp_path)
    assert (code, err.count("to resume: ")) == (143, 1)
    assert main(["train", "--resume", "--output", "two"]) == 0
    code, *_ = launch(2, COMMAND, *line, "--output", "two", "--overwrite", cwd=tmp_path)
    assert (code, len(without_times(tmp_path / "two"))) == (0, 2)
    lost = AT_STEP.format(what="trainer.model.params[-1][0] = float('nan')")
    code, _, err = launch(2, lost, 1, 5, *line, "--output", "lost", cwd=tmp_path, limit=LIMIT)
    assert (code, err.count("training diverged")) == (1, 1)


@needs_mpi
@pytest.mark.slow
@pytest.mark.parametrize(("what", "expected", "said"), [
    ("raise MemoryError('too much')", 1, "process 1: rnnlm train: error: not enough memory (too much)"),
    ("sys.exit(3)", 1, ""),
    ("os.kill(os.getpid(), signal.SIGKILL)", None, ""),
])
def test_what_ends_one_process_ends_all_with_its_message(line, tmp_path, what, expected, said):
    code, _, err = launch(2, AT_STEP.format(what=what), 1, 5, *line, "--output", "run", cwd=tmp_path, limit=LIMIT)
    assert code == expected or (expected is None and code)
    assert said in err
    assert "Traceback" not in err
    assert_resumable()


@needs_mpi
@pytest.mark.slow
@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_to_the_launcher_stops_all_between_two_steps(line, tmp_path, signum):
    process = start(2, COMMAND, *line, "--epochs", "10000", "--patience", "10000", "--output", "run", cwd=tmp_path)
    while not process.stdout.readline().lstrip().startswith("1 "):  # the first epoch
        assert process.poll() is None
    process.send_signal(signum)
    code, _, err = ended(process, LIMIT)
    assert code
    if "stopped after step" in err:  # MPICH passes the signal on and waits; Open MPI kills soon
        assert code == 128 + signum
        assert err.count("to resume: ") == 1
    assert_resumable("--epochs", str(len(without_times(tmp_path / "run")) + 1))


@needs_mpi
@pytest.mark.slow
def test_divergence_takes_all_processes_back_to_the_last_checkpoint(line, tmp_path):
    nan = AT_STEP.format(what="trainer.model.params[-1][0] = float('nan')")
    code, _, err = launch(2, nan, 1, 5, *line, "--on-divergence", "rollback", "--output", "run", cwd=tmp_path)
    assert code == 0
    assert err.count("returned to step 0, base learning rate 0.01") == 1
    assert len(without_times(tmp_path / "run")) == 2


@needs_mpi
@pytest.mark.slow
def test_scores_of_several_processes_are_those_of_one(line, small_corpus, tmp_path, capsys):
    assert main([*line, "--output", "run"]) == 0
    (tmp_path / "pairs.jsonl").write_text('{"sentence_good": "the cat sat .", "sentence_bad": "the cat ran ."}\n' * 3)
    text = str(small_corpus / "train.txt")
    commands = [[*command, "--threads", "1"] for command in (
        ["score", "run", text, "--protocol", "sentence"], ["evaluate", "run", text, "--json"],
        ["score", "run", text, "--protocol", "document", "--by", "sentence"],
        ["pairs", "run", "pairs.jsonl", "--json"])]
    capsys.readouterr()
    assert [main(command) for command in commands] == [0] * 4
    code, out, _ = launch(2, COMMANDS, json.dumps(commands), cwd=tmp_path)
    assert (code, out) == (0, capsys.readouterr().out)


@needs_mpi
@pytest.mark.slow
@pytest.mark.parametrize(("command", "said"), [
    ("train --corpus TEXT --output new --batch-size 1", "--batch-size must be at least the number of processes, 2"),
    ("train --corpus TEXT --output new --device cuda", "--device cuda"),  # without CuPy, or without a GPU
    ("train --no-such-option", "unrecognized arguments: --no-such-option"),
    ("generate run", "several processes cannot share this command: start it without mpiexec"),
    ("score run TEXT", "--protocol stream is read by one process"),
    ("score run TEXT --protocol sentence --states x.npz", "--states is written by one process"),
    ("score run - --protocol sentence", "standard input (-) reaches one process only"),
    ("evaluate run TEXT --cache 10", "several processes share what a network scores"),
])
def test_what_several_processes_cannot_share_is_said_once(command, said, line, small_corpus, tmp_path):
    if "run" in command.split():
        assert main([*line, "--epochs", "1", "--output", "run"]) == 0
    arguments = [str(small_corpus / "test.txt") if word == "TEXT" else word for word in command.split()]
    code, out, err = launch(2, COMMAND, *arguments, cwd=tmp_path, limit=LIMIT)
    assert (code in (1, 2), out) == (True, "")
    assert err.count(said) == 1
    assert not (tmp_path / "new").exists()
