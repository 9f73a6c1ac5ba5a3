"""A stranger's run folder: its checkpoint is checked before memory is taken for it."""

import json
import shutil
import subprocess
import sys

import numpy as np
import pytest
from hostile_checkpoints import LARGEST, hostile_headers

from rnnlm.files.archive import as_bytes

pytestmark = pytest.mark.slow

# Resumes every run folder named on standard input: the exit code, the megabytes at its
# peak, and what was printed.
MEASURE = """
import contextlib, io, json, os, resource, sys
from rnnlm.cli.train import main
for folder in map(str.strip, sys.stdin.readlines()):
    if os.fork():  # the peak of a process counts, so each run has one of its own
        os.wait()
        continue
    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
        code = main(["--resume", "--output", folder, "--checkpoint-minutes", "9"])
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps([folder, code, peak, out.getvalue()]), flush=True)
    os._exit(0)
"""


@pytest.fixture
def hostile(run, tmp_path):
    """The expected messages by name of the run folders made here; good: a good one."""
    run("--epochs", "1", "--hidden-size", "4", output="good")
    with np.load(tmp_path / "good/checkpoint.npz") as members:
        arrays = dict(members)
    expected = {}
    for name, header, message in hostile_headers(json.loads(arrays["header"].tobytes())):
        shutil.copytree(tmp_path / "good", tmp_path / name)
        np.savez(tmp_path / name / "checkpoint.npz", **arrays | {"header": as_bytes(json.dumps(header))})
        assert (tmp_path / name / "checkpoint.npz").stat().st_size <= LARGEST, name
        expected[name] = message
    return expected


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="megabytes are counted as Linux does")
def test_hostile_checkpoints_are_one_line_and_take_at_most_60_mb_more_than_a_good_one(hostile, tmp_path):
    done = subprocess.run([sys.executable, "-c", MEASURE], input="\n".join(["good", *hostile]), cwd=tmp_path,
                          capture_output=True, text=True, check=True, timeout=300)
    found = {name: values for name, *values in map(json.loads, done.stdout.splitlines())}
    assert found.keys() == {"good", *hostile}
    code, plain, _ = found.pop("good")
    assert code == 0
    wrong = []
    for name, (code, peak, printed) in found.items():
        errors = [line for line in printed.splitlines() if ": error: " in line]
        if peak > plain + 60:
            wrong.append(f"{name}: {peak:.0f} MB, {plain:.0f} MB would be plain")
        if code != len(errors) or "unexpected" in printed or (hostile[name] and hostile[name] not in printed):
            wrong.append(f"{name}: exit code {code}, {printed[-500:]}")
        if hostile[name] and not errors:
            wrong.append(f"{name}: was resumed")
    assert not wrong, "\n".join(wrong)
