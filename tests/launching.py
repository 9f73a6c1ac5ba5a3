"""Programs in several processes, started by the mpiexec beside this Python."""

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

LIMIT = 60  # seconds: idle it takes 1 or 2, and a process that waits for another for ever takes longer than this
MPIEXEC = Path(sys.executable).with_name("mpiexec")
COMMAND = "import sys; from rnnlm.cli.main import main; sys.exit(main())"
OF_OPEN_MPI = {"PRTE_MCA_rmaps_default_mapping_policy": ":oversubscribe", "OMPI_ALLOW_RUN_AS_ROOT": "1",
               "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}  # more processes than cores, and the user of a container
needs_mpi = pytest.mark.skipif(find_spec("mpi4py") is None or not MPIEXEC.exists(),
                               reason=f"no mpi4py or no {MPIEXEC}: pip install 'numpy-rnnlm[mpi]'")


def start(size, code, *arguments, cwd):
    """``mpiexec -n size python -c code arguments``, a Popen."""
    return subprocess.Popen([MPIEXEC, "-n", str(size), sys.executable, "-c", code, *map(str, arguments)], cwd=cwd,
                            env=os.environ | OF_OPEN_MPI, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, text=True)


def ended(process, limit):
    """(exit code, stdout, stderr) of a Popen, which must end within so many seconds."""
    try:
        out, err = process.communicate(timeout=limit)
    except subprocess.TimeoutExpired:
        process.terminate()
        raise
    return process.returncode, out, err


def launch(size, code, *arguments, cwd, limit=60):
    """``start`` and ``ended``."""
    return ended(start(size, code, *arguments, cwd=cwd), limit)
