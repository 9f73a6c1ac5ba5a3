"""``rnnlm train --device cuda``, on a stand-in for a GPU."""

import signal

import pytest
from device_arrays import StandIn
from training_runs import metrics

from rnnlm.models import LanguageModel
from rnnlm.runs import gpus

OPTIONS = "--cell lstm --layers 2 --tied --wordvec-size 10 --weight-drop 0.1 --average exponential " \
          "--average-decay 0.9 --epochs 2".split()


@pytest.fixture
def gpu(monkeypatch):
    """The names of the devices that runs asked for; all but the host is a stand-in."""
    asked = []

    def device(name, number):
        assert number is None
        asked.append(name)
        return gpus.device_by_name.host(name) if name == "cpu" else StandIn()

    device.host = gpus.device_by_name
    monkeypatch.setattr(gpus, "device_by_name", device)
    return asked


def losses(folder):
    return [(record["train_perplexity"], record["valid_perplexity"]) for record in metrics(folder)]


@pytest.mark.parametrize("name", ["cuda", pytest.param("cuda-tf32", marks=pytest.mark.slow)])
def test_a_run_with_device_cuda_is_the_run_of_the_processor(run, gpu, name, tmp_path, monkeypatch):
    moves, move = [], LanguageModel.move_to
    monkeypatch.setattr(LanguageModel, "move_to", lambda self, there: moves.append(there.name) or move(self, there))
    code, out, err = run(*OPTIONS, "--device", name, output="there")
    assert (code, gpu) == (0, [name])
    assert moves == ["a stand-in"] * 2  # for the test text, too
    assert "test text" in out or "test" in err + out
    assert run(*OPTIONS, output="here")[0] == 0
    there, here = losses(tmp_path / "there"), losses(tmp_path / "here")
    assert len(there) == 2
    for pair in zip(there, here, strict=True):
        assert pair[0] == pytest.approx(pair[1], rel=1e-4)


def test_a_run_moves_from_a_gpu_to_the_processor_and_back(run, gpu, tmp_path):
    assert run(*OPTIONS, output="whole")[0] == 0
    assert run.stopped_at(5, signal.SIGINT, *OPTIONS, "--device", "cuda", output="moved")[0] == 130
    code, _, err = run.stopped_at(6, signal.SIGINT, "--resume", "--device", "cpu", output="moved")
    assert code == 130, err
    code, _, err = run("--resume", "--device", "cuda", output="moved")
    assert code == 0, err
    assert gpu == ["cpu", "cuda", "cpu", "cuda"]
    for pair in zip(losses(tmp_path / "moved"), losses(tmp_path / "whole"), strict=True):
        assert pair[0] == pytest.approx(pair[1], rel=1e-4)


def test_a_resumed_run_stays_on_its_device(run, gpu):
    assert run.stopped_at(5, signal.SIGINT, *OPTIONS, "--device", "cuda")[0] == 130
    assert run("--resume")[0] == 0
    assert gpu == ["cuda", "cuda"]


def test_an_adaptive_softmax_may_be_on_a_gpu(run, gpu):
    code, out, _ = run("--softmax", "adaptive", "--cutoffs", "5", "--tied", "--epochs", "1", "--device", "cuda")
    assert (code, gpu) == (0, ["cuda"])
    assert "test perplexity" in out


def test_without_cupy_nothing_is_begun(run, monkeypatch, tmp_path):
    monkeypatch.setitem(__import__("sys").modules, "cupy", None)
    code, _, err = run("--device", "cuda")
    assert code == 1
    assert "--device cuda needs CuPy, which is not installed: pip install 'numpy-rnnlm[cuda13]'" in err
    assert not (tmp_path / "run").exists()
