"""Two machines with 100 Mbit/s and 10 ms between them: two namespaces of this one.

Processes there share no memory, and a launcher starts them as it does over ssh.
"""

import os
import shutil
import subprocess
import sys

import pytest
from cli.test_several_processes import AT_STEP, TERMINATED, assert_same_run
from conftest import REPOSITORY
from launching import COMMAND, LIMIT, MPIEXEC, needs_mpi
from training_runs import SMALL

from rnnlm.cli.main import main

HOSTS = """
from rnnlm.compute.processes import processes
p = processes()
assert (p.size, p.host.size, p.rank_on_host, p.share_memory) == (2, 1, 0, False)
"""
WITHOUT_MPI4PY = """
import os, sys
if os.environ["PMI_RANK"] == "1":
    sys.modules["mpi4py"] = None
"""


@pytest.fixture
def two():
    """A function that runs a program on each machine: (exit code, stderr)."""
    for needed, there in {"the user root": getattr(os, "geteuid", lambda: 1)() == 0, "ip": shutil.which("ip"),
                          "/dev/net/tun": os.path.exists("/dev/net/tun")}.items():
        if not there:
            pytest.skip(f"no {needed}, with which a second machine is made of this one")
    if "HYDRA" not in subprocess.run([MPIEXEC, "--version"], capture_output=True, text=True).stdout:
        pytest.skip("the script starts the mpiexec of MPICH")
    if failed := subprocess.run(["ip", "netns", "add", "rnnlm-tried"], capture_output=True, text=True).stderr:
        pytest.skip(f"no network namespaces: {failed}")
    subprocess.run(["ip", "netns", "del", "rnnlm-tried"], check=True)

    def run(code, *arguments):
        ended = subprocess.run(
            [REPOSITORY / "benchmarks/slow_link.sh", sys.executable, "-c", code, *map(str, arguments)],
            env=os.environ | {"PATH": f"{MPIEXEC.parent}:{os.environ['PATH']}"}, stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=LIMIT)
        return ended.returncode, ended.stderr

    return run


@needs_mpi
@pytest.mark.slow
def test_two_machines_train_as_one_and_end_together(two, small_corpus, tmp_path, monkeypatch):
    """One test: the namespaces have names that no other may use at the same time."""
    monkeypatch.chdir(tmp_path)
    line = ["train", "--corpus", small_corpus, *SMALL, "--epochs", "2", "--threads", "1"]
    assert two(HOSTS) == (0, "")
    assert two(COMMAND, *line, "--output", "two")[0] == 0
    assert main([*map(str, line), "--output", "one"]) == 0
    assert_same_run(tmp_path / "two", tmp_path / "one")

    code, err = two(TERMINATED, 1, 5, *line, "--output", "run")
    assert (code, "stopped after step 6, in epoch 1" in err) == (143, True)
    for what, said in {"raise MemoryError('too much')": "process 1: rnnlm train: error: not enough memory (too much)",
                       "os.kill(os.getpid(), signal.SIGKILL)": ""}.items():
        code, err = two(AT_STEP.format(what=what), 1, 5, "train", "--resume", "--output", "run")
        assert code
        assert said in err
    assert two(COMMAND, "train", "--resume", "--output", "run")[0] == 0
    assert_same_run(tmp_path / "run", tmp_path / "one")

    assert two(COMMAND, *line, "--sync-every", "7", "--output", "local")[0] == 0
    code, err = two(WITHOUT_MPI4PY + COMMAND, *line, "--output", "none")
    assert code
    assert err.count("process 1: the launcher started 2 processes, which need mpi4py") == 1
