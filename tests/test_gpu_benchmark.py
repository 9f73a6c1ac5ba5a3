"""The benchmark of a GPU does all it promises, on a stand-in for one."""

import sys

import pytest
from conftest import REPOSITORY
from device_arrays import StandIn


@pytest.fixture
def gpu(monkeypatch):
    """The benchmark as a module, with small sizes and a stand-in."""
    monkeypatch.syspath_prepend(str(REPOSITORY / "benchmarks"))
    monkeypatch.delitem(sys.modules, "gpu", raising=False)
    import gpu

    monkeypatch.setattr(gpu, "device_by_name", lambda name: StandIn())
    monkeypatch.setattr(gpu, "CHECKED", {name: gpu.CHECKED[name] for name in ("tanh with dropout", "clusters")})
    monkeypatch.setattr(gpu, "SIZES", {"2x200": ("rnn", 1, 4)})
    for name, size in {"V": 30, "STEPS": 2, "ROUNDS": 1}.items():
        monkeypatch.setattr(gpu, name, size)
    monkeypatch.setitem(sys.modules, "torch", None)
    yield gpu
    sys.modules.pop("gpu")


@pytest.mark.parametrize("exit_code", [0, 1])
def test_one_command_checks_measures_and_trains(gpu, exit_code, monkeypatch, capsys):
    commands = []
    monkeypatch.setattr(gpu, "command", lambda line: commands.append(line) or exit_code)
    assert gpu.main(["all", "--size", "2x200", "--corpus", "here"]) == exit_code
    out, err = capsys.readouterr()
    assert [line.split(" | ")[0] for line in out.splitlines() if " | " in line] == [
        "| model", "| tanh with dropout", "| clusters", "| size", "| 2x200"]
    assert "PyTorch is not installed" in err
    assert [" ".join(line) for line in commands] == [
        "train --corpus here --config lstm --device a stand-in --output runs/gpu --overwrite"]


def test_a_difference_is_an_exit_code(gpu, monkeypatch, capsys):
    monkeypatch.setattr(gpu, "check", lambda device: 2e-4)
    assert gpu.main(["check"]) == 1
    assert '{"worst": 0.0002}' in capsys.readouterr().out
