"""Several processes: what they tell each other, and how one that leaves ends all."""

import os
import pickle
import signal
import sys
from copy import deepcopy
from types import SimpleNamespace

import pytest
from launching import LIMIT, launch, needs_mpi

from rnnlm.cli import main
from rnnlm.compute import leaving
from rnnlm.compute import mpi_processes as module
from rnnlm.compute.launcher import launched
from rnnlm.compute.mpi_processes import MPIProcesses
from rnnlm.compute.one_process import ALONE, STOP, processes_of
from rnnlm.compute.processes import processes
from rnnlm.errors import RnnlmError

NAMES = ("PMI_RANK", "PMI_SIZE", "OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE", "PMIX_RANK", "SLURM_STEP_NUM_TASKS",
         "MPI_LOCALNRANKS", "OMPI_COMM_WORLD_LOCAL_SIZE", "MV2_COMM_WORLD_LOCAL_SIZE")


@pytest.fixture
def environment(monkeypatch):
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
    processes.cache_clear()
    yield lambda **values: [monkeypatch.setenv(name, value) for name, value in values.items()]
    processes.cache_clear()


@pytest.mark.parametrize(("values", "expected"), [
    ({}, (0, 1)),
    ({"PMI_RANK": "2", "PMI_SIZE": "4"}, (2, 4)),
    ({"OMPI_COMM_WORLD_RANK": "1", "OMPI_COMM_WORLD_SIZE": "3", "PMIX_RANK": "1"}, (1, 3)),
    ({"PMIX_RANK": "1", "SLURM_STEP_NUM_TASKS": "2"}, (1, 2)),
    ({"SLURM_STEP_NUM_TASKS": "2"}, (0, 1)),
    ({"PMI_RANK": "0", "PMI_SIZE": "1"}, (0, 1)),
    ({"PMI_RANK": "", "PMI_SIZE": "x"}, (0, 1)),
])
def test_the_environment_says_which_process_this_is(environment, values, expected):
    environment(**values)
    assert launched() == expected


def test_a_process_alone_needs_no_mpi4py(environment, monkeypatch):
    monkeypatch.setitem(sys.modules, "mpi4py", None)
    assert processes() is ALONE
    assert (ALONE.rank, ALONE.size, ALONE.first, ALONE.columns(5)) == (0, 1, True, None)
    assert ALONE.share("it") == "it"
    assert ALONE.each(7) == [7]
    assert [ALONE.agreed(STOP, wished) for wished in (False, True)] == [False, True]
    assert ALONE.cores() >= 1
    for copied in (deepcopy(ALONE), pickle.loads(pickle.dumps(ALONE)), processes_of(object())):
        assert copied is ALONE


def test_without_mpi4py_several_processes_are_told_how_to_get_it(environment, monkeypatch):
    environment(PMI_RANK="0", PMI_SIZE="2", MPI_LOCALNRANKS="2")
    monkeypatch.setitem(sys.modules, "mpi4py", None)
    with pytest.raises(RnnlmError, match=r"started 2 processes, which need mpi4py .* pip install 'numpy-rnnlm\[mpi\]'"):
        processes()


def test_without_mpi4py_on_this_machine_alone_the_launcher_is_to_end_the_others(environment, monkeypatch, capsys):
    environment(PMI_RANK="1", PMI_SIZE="2", MPI_LOCALNRANKS="1")
    monkeypatch.setitem(sys.modules, "mpi4py", None)
    monkeypatch.setattr(sys, "__stderr__", sys.stderr)
    monkeypatch.setattr(leaving, "HEARD", 0)
    killed = []
    monkeypatch.setattr(leaving.os, "kill", lambda *arguments: killed.append(arguments))
    with pytest.raises(RnnlmError):
        processes()
    assert killed == [(os.getpid(), signal.SIGKILL)]
    assert capsys.readouterr().err.startswith("process 1: the launcher started 2 processes, which need mpi4py")


def test_a_library_that_is_another_one_on_this_machine_alone_keeps_nobody_waiting(environment, monkeypatch):
    environment(PMI_RANK="1", PMI_SIZE="2", MPI_LOCALNRANKS="1")
    mpi = SimpleNamespace(COMM_WORLD=SimpleNamespace(rank=0, size=1), get_vendor=lambda: ("Open MPI", (5, 0, 11)))
    monkeypatch.setitem(sys.modules, "mpi4py", SimpleNamespace(MPI=mpi))
    ended = []
    monkeypatch.setattr("rnnlm.compute.processes.end_before_mpi", lambda *arguments: ended.append(arguments))
    with pytest.raises(RnnlmError, match="Open MPI"):
        processes()
    ((rank, message),) = ended
    assert rank == 1 and "start them with the mpiexec of that library" in message


def test_a_process_waits_for_the_values_of_the_others_as_for_their_sums():
    done = []
    world = SimpleNamespace(allgather=lambda value: done.append("gather") or [value])
    assert MPIProcesses.each(SimpleNamespace(world=world, barrier=lambda: done.append("barrier")), 3) == [3]
    assert done == ["barrier", "gather"]


@pytest.mark.parametrize("name", ["generate", "ngram"])
def test_a_script_is_refused_as_its_command_is(name, environment, monkeypatch, capsys):
    environment(PMI_RANK="0", PMI_SIZE="2")
    monkeypatch.setattr(main, "start", lambda prog: None)
    monkeypatch.setattr(sys, "argv", ["a_script.py", "no model"])
    assert main.script(name) == main.main([name, "no model"]) == 1
    said = "error: several processes cannot share this command: start it without mpiexec"
    assert capsys.readouterr().err == f"a_script.py: {said}\nrnnlm {name}: {said}\n"


def test_a_launcher_of_another_library_is_named():
    world = SimpleNamespace(rank=0, size=1)
    mpi = SimpleNamespace(COMM_WORLD=world, get_vendor=lambda: ("Open MPI", (5, 0, 11)))
    with pytest.raises(RnnlmError, match=r"2 processes, but Open MPI 5\.0\.11, which mpi4py has loaded, sees 1"):
        MPIProcesses(mpi, 2)


def of_size(rank, size):
    return SimpleNamespace(rank=rank, size=size)


def test_columns_lie_next_to_each_other_and_differ_by_one_at_most():
    found = [MPIProcesses.columns(of_size(rank, 3), 5) for rank in range(3)]
    assert [(columns.first, columns.stop, columns.total) for columns in found] == [(0, 1, 5), (1, 3, 5), (3, 5, 5)]
    assert [columns.share for columns in found] == [0.2, 0.4, 0.4]
    with pytest.raises(RnnlmError, match="at least the number of processes, 3, got 2: start at most 2"):
        MPIProcesses.columns(of_size(0, 3), 2)


@pytest.mark.parametrize(("cores", "quota", "expected"), [
    ([{0, 1, 2, 3}] * 2, 4, 2),     # all may use all, as MPICH has it
    ([{0, 1, 2, 3}] * 2, 3, 1),     # a container's quota
    ([{0, 1}, {2, 3}], 2, 2),       # each has its own, as Open MPI has it
    ([{0}, {0}, {0}], 1, 1),        # more processes than cores
    ([{0, 1}, {1, 2}], 2, 1),       # they share one
])
def test_cores_are_divided_among_the_processes_that_may_use_them(cores, quota, expected, monkeypatch):
    monkeypatch.setattr(module, "available_cores", lambda: quota)
    monkeypatch.setattr(module.os, "sched_getaffinity", lambda pid: cores[0], raising=False)
    host = SimpleNamespace(rank=0, size=len(cores), allgather=lambda own: cores)
    assert MPIProcesses._count_cores(SimpleNamespace(host=host)) == expected


TOGETHER = """
import tracemalloc
import numpy as np
from rnnlm.compute.one_process import SAVE, STOP, WISHES
from rnnlm.compute.processes import processes
from rnnlm.errors import DivergenceError
p = processes()
assert p.size == 3 and p is processes()
assert p.share({"step": 7} if p.first else None) == {"step": 7}

large, short = np.arange(3_000_000, dtype=np.int32), np.arange(30.0)
for p.share_memory in (p.share_memory, False):
    most = (1 << 20) + (0 if p.share_memory else large.nbytes)
    tracemalloc.start()
    found = p.share([large, "between", short, large[::-1][:5], large[:0]] if p.first else None)
    assert tracemalloc.get_traced_memory()[1] < most  # the peak, which does not grow with their number
    tracemalloc.stop()
    assert [str(array.dtype) for array in found if array is not found[1]] == ["int32", "float64", "int32", "int32"]
    for array, expected in zip(found, (large, "between", short, large[::-1][:5], [])):
        assert np.array_equal(array, expected)
    assert p.first or (found[0].flags.writeable, found[2].flags.writeable) == (not p.share_memory, True)
for order in "CF":
    array = np.zeros((2, 3), np.float32, order)
    if p.first:
        array[...] = [[1, 2, 3], [4, 5, 6]]
    p.fill(array)
    assert array.tolist() == [[1, 2, 3], [4, 5, 6]]
strided = np.zeros((4, 4))
if p.first:
    strided[...] = np.arange(16).reshape(4, 4)
p.fill(strided[::2, ::2])
assert strided[::2, ::2].tolist() == [[0, 2], [8, 10]]
assert p.each(p.rank) == [0, 1, 2]

def summed():
    array = np.ones(2 + WISHES, np.float32)
    p.sum(array)
    return array[:2].tolist()

assert not p.agreed(SAVE, p.rank == 1)  # nobody has heard of it
assert summed() == [3, 3]
assert not p.agreed(STOP, False)
assert p.agreed(SAVE, p.rank == 1)
assert not p.agreed(SAVE, False)  # it was granted
assert summed() == [3, 3]
assert not p.agreed(SAVE, False)
request = p.begin_sum(array := np.full(5, p.rank + 1.0))
p.wait(request)
assert array.tolist() == [6] * 5

def write():
    if p.first:
        raise DivergenceError("not finite")

try:
    p.outcome(write)
    raise SystemExit("nothing was raised")
except DivergenceError as error:
    assert str(error) == "not finite"
p.outcome(lambda: None)
if p.first:
    print("all is well")
"""


@needs_mpi
def test_what_processes_tell_each_other(tmp_path):
    assert launch(3, TOGETHER, cwd=tmp_path, limit=30) == (0, "all is well\n", "")


LEAVING = """
import sys, time
from rnnlm.compute.processes import processes
p = processes()
with p.together(KeyError):
    if p.rank == 1:
        {leave}
    p.each(1)
"""


@needs_mpi
@pytest.mark.slow
@pytest.mark.parametrize("leave", ["raise ValueError('too much')", "sys.exit(3)", "sys.exit()"])
def test_a_process_that_leaves_its_work_early_ends_all(leave, tmp_path):
    code, _, err = launch(2, LEAVING.format(leave=leave), cwd=tmp_path, limit=LIMIT)
    assert code == 1
    assert ("ValueError: too much" in err) == ("ValueError" in leave)


@needs_mpi
@pytest.mark.slow
def test_processes_that_leave_by_agreement_end_in_order(tmp_path):
    code = LEAVING.replace("if p.rank == 1:\n        {leave}", "raise KeyError(p.rank)")
    code, out, err = launch(2, f"try:\n    exec({code!r})\nexcept KeyError:\n    print('agreed')", cwd=tmp_path)
    assert (code, out.count("agreed")) == (0, 2)
    assert "Abort" not in err
