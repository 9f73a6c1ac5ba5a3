"""A process that ends before the others ends them, whatever its streams are."""

import io
import sys

import pytest

from rnnlm.compute import leaving, mpi_processes
from rnnlm.compute.launcher import HeldBack
from rnnlm.compute.leaving import end_all


class Full(io.StringIO):
    """A stream on a full disk."""

    def flush(self, *_):
        raise OSError(28, "no space")

    writelines = flush


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch):
    monkeypatch.setattr(leaving, "HEARD", 0)
    monkeypatch.setattr(leaving, "FIRST_SPEAKS", 0)


@pytest.mark.parametrize("rank", [0, 1])
@pytest.mark.parametrize("stream", [None, Full()])
def test_what_cannot_be_said_keeps_nobody_waiting(stream, rank, monkeypatch):
    codes = []
    for name in ("stdout", "stderr", "__stderr__"):
        monkeypatch.setattr(sys, name, stream)
    end_all(rank, codes.append)
    monkeypatch.setattr(sys, "stderr", held := HeldBack())
    held.write("why")
    end_all(rank, codes.append)
    assert codes == [1, 1]


class Agreed(Exception):
    pass


@pytest.mark.parametrize(("error", "ends"), [(None, False), (ValueError(), True), (Agreed(), False)])
def test_an_error_after_the_work_ends_all_as_well(error, ends, monkeypatch):
    monkeypatch.setattr(sys, "last_value", error, raising=False)
    ended = []
    monkeypatch.setattr(mpi_processes, "end_all", lambda rank, abort: ended.append(rank))
    process = object.__new__(mpi_processes.MPIProcesses)
    process.rank, process.world = 1, type("", (), {"Abort": None})
    try:
        with process.together(Agreed):
            if isinstance(error, Agreed):
                raise error
    except Agreed:
        pass
    process._leave()
    assert ended == [1] * ends
