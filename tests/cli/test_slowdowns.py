import sys

import pytest

from rnnlm.cli import slowdowns
from rnnlm.cli.train import main as train
from rnnlm.compute import load
from rnnlm.compute.one_process import Processes


@pytest.fixture
def machine(monkeypatch):
    """A machine of four cores whose clocks and counters the test sets."""

    class Machine:
        time, machine, own, faults, swapped = 100.0, 1000.0, 50.0, 7, 80.0

        def after(self, seconds, own, others, faults=0):
            self.time += seconds
            self.own += own * seconds
            self.machine += (own + others) * seconds
            self.faults += faults

    machine = Machine()
    monkeypatch.setattr(load.time, "monotonic", lambda: machine.time)
    monkeypatch.setattr(load, "machine_seconds", lambda: machine.machine)
    monkeypatch.setattr(load, "own_seconds", lambda: machine.own)
    monkeypatch.setattr(slowdowns, "_faults", lambda: machine.faults)
    monkeypatch.setattr(slowdowns, "_swapped_mb", lambda: machine.swapped)
    monkeypatch.setattr(load.os, "cpu_count", lambda: 4)
    monkeypatch.setattr(Processes, "cores", lambda self: 4)
    return machine


def lines(watch):
    return list(watch.lines())


def test_other_programs_on_our_cores_are_said_once_with_the_way_out(machine):
    watch = slowdowns.Watch(threads=4)
    machine.after(6, own=2.1, others=1.9)
    assert lines(watch) == ["other programs keep 1.9 of 4 cores busy and slow this run down: stop them, "
                            "or leave them cores with --threads 2"]
    machine.after(6, own=2.1, others=1.9)
    assert not lines(watch)


def test_what_only_comes_up_later_is_noticed_later(machine):
    watch = slowdowns.Watch(threads=4)
    machine.after(600, own=4, others=0.1)
    assert not lines(watch)
    machine.after(6, own=2, others=2)
    assert len(lines(watch)) == 1


@pytest.mark.parametrize(("threads", "own", "others"), [(4, 3.9, 0.1), (2, 2, 1.9), (1, 1, 3)])
def test_programs_that_leave_us_our_cores_are_not_said(machine, threads, own, others):
    watch = slowdowns.Watch(threads)
    machine.after(6, own, others)
    assert not lines(watch)


def test_one_thread_is_not_told_to_take_fewer(machine):
    watch = slowdowns.Watch(threads=1)
    machine.after(6, own=0.5, others=4)
    assert lines(watch) == ["other programs keep 4.0 of 4 cores busy and slow this run down: stop them"]


def test_a_system_that_tells_nothing_is_no_trouble(machine, monkeypatch):
    monkeypatch.setattr(load, "machine_seconds", lambda: float("nan"))
    watch = slowdowns.Watch(threads=4)
    machine.after(6, own=1, others=3)
    assert not lines(watch)


def test_memory_that_is_read_back_from_disk_is_said_once(machine):
    watch = slowdowns.Watch(threads=4)
    machine.after(6, own=4, others=0, faults=20)
    assert not lines(watch)
    machine.after(6, own=4, others=0, faults=5000)
    (line,) = lines(watch)
    assert line.startswith("memory is short")
    assert "--batch-size" in line
    machine.after(6, own=4, others=0, faults=5000)
    assert not lines(watch)


def test_pages_of_a_mapped_text_are_no_shortage_of_memory(machine):
    machine.swapped = 0.0
    watch = slowdowns.Watch(threads=4)
    machine.after(6, own=4, others=0, faults=5000)
    assert not lines(watch)


def test_looking_is_rare(machine, monkeypatch):
    watch = slowdowns.Watch(threads=4)
    monkeypatch.setattr(load, "machine_seconds", lambda: pytest.fail("looked too early"))
    machine.after(4, own=1, others=3)
    assert not lines(watch)


def test_more_threads_than_cores(machine):
    assert list(slowdowns.at_start(4)) == []
    assert list(slowdowns.at_start(5)) == [
        "--threads 5 is more than the 4 cores available: threads that wait for a core hold up the others; give "
        "--threads 4"]


def test_a_debug_build_and_a_missing_blas(machine, monkeypatch):
    monkeypatch.setattr(sys, "gettotalrefcount", lambda: 0, raising=False)
    assert any("debug build" in line for line in slowdowns.at_start(1))
    monkeypatch.delattr(sys, "gettotalrefcount")
    monkeypatch.setattr("threadpoolctl.threadpool_info", lambda: [])
    if sys.platform != "darwin":
        assert any("no BLAS library" in line for line in slowdowns.at_start(1))


def test_the_real_clocks_run():
    if sys.platform == "linux":
        assert load.machine_seconds() >= load.own_seconds() > 0
        assert slowdowns._faults() >= 0
        assert 0 <= slowdowns._swapped_mb() < 1e6


def test_the_training_command_prints_the_lines(small_corpus, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(Processes, "cores", lambda self: 1)
    monkeypatch.setattr(slowdowns.Watch, "lines", lambda self: ["memory is short"])
    assert train(["--corpus", str(small_corpus), "--output", str(tmp_path / "run"), "--epochs", "1", "--threads", "2",
                  "--hidden-size", "4", "--batch-size", "4"]) == 0
    err = capsys.readouterr().err
    assert "note: --threads 2 is more than the 1 core available" in err
    assert "note: memory is short" in err
