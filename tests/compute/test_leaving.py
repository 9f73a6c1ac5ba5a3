"""A process that ends before the others ends them, whatever its streams are."""

import io
import signal
import sys
from contextlib import suppress
from types import SimpleNamespace

import pytest

from rnnlm.compute import leaving, mpi_processes
from rnnlm.compute.launcher import FIRST_SPEAKS, HeldBack
from rnnlm.compute.leaving import FIRST_DRAWS, end_all
from rnnlm.errors import DivergenceError


class Full(io.StringIO):
    """A stream on a full disk."""

    def flush(self, *_):
        raise OSError(28, "no space")

    writelines = flush


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch):
    monkeypatch.setattr(leaving, "HEARD", 0)


@pytest.mark.parametrize("rank", [0, 1])
@pytest.mark.parametrize("stream", [None, Full()])
def test_what_cannot_be_said_keeps_nobody_waiting(stream, rank, monkeypatch):
    codes = []
    for name in ("stdout", "stderr", "__stderr__"):
        monkeypatch.setattr(sys, name, stream)
    end_all(rank, codes.append, 0)
    monkeypatch.setattr(sys, "stderr", held := HeldBack())
    held.write("why")
    end_all(rank, codes.append, 0)
    assert codes == [1, 1]


class Agreed(Exception):
    pass


@pytest.mark.parametrize(("error", "patience"), [
    (None, []), (Agreed(), []),
    (ValueError(), [FIRST_SPEAKS]),
    (DivergenceError(), [FIRST_DRAWS]),  # the first one has it as well, and draws the picture of the run
])
@pytest.mark.parametrize("inside", [True, False])
def test_an_error_ends_all_in_the_work_and_after_it(inside, error, patience, monkeypatch):
    monkeypatch.setattr(sys, "last_value", None if inside else error, raising=False)
    ended = []
    monkeypatch.setattr(mpi_processes, "end_all", lambda *arguments: ended.append(arguments))
    process = object.__new__(mpi_processes.MPIProcesses)
    process.rank, process.world, process.patience = 1, SimpleNamespace(Abort=print), FIRST_SPEAKS
    with suppress(Exception), process.together(Agreed):
        if inside and error:
            raise error
    process._leave()
    assert ended == [(1, print, seconds if inside else FIRST_SPEAKS) for seconds in patience]


def test_how_long_the_others_wait_is_up_to_the_last_block():
    process = object.__new__(mpi_processes.MPIProcesses)
    with suppress(Exception), process.together(Agreed):
        raise DivergenceError
    assert process.patience == FIRST_DRAWS
    with process.together(Agreed):
        assert process.patience == FIRST_SPEAKS


def test_a_system_without_sigkill_ends_a_process_as_well(monkeypatch):
    killed = []
    monkeypatch.delattr(leaving.signal, "SIGKILL")  # as on Windows
    monkeypatch.setattr(leaving.os, "kill", lambda _, signum: killed.append(signum))
    monkeypatch.setattr(sys, "__stderr__", None)
    leaving.end_before_mpi(1, "why")
    assert killed == [signal.SIGTERM]
