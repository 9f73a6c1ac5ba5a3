"""Several seeds on a disk that fails: whatever call it is, no seed is lost."""

import errno
import json
import os
import shutil

import pytest
from test_disks import FailingCall, one_line
from training_runs import QuickPicture, without_times

pytestmark = pytest.mark.slow

SEEDS = ["--epochs", "1", "--seeds", "1-2"]


@pytest.mark.parametrize(("code", "stride"), [(errno.ENOSPC, 17), (errno.EIO, 59)])
def test_whichever_call_to_the_disk_fails_no_seed_is_lost(run, tmp_path, monkeypatch, code, stride):
    monkeypatch.setattr("rnnlm.reports.seeds_chart.seeds_figure", QuickPicture)
    run(*SEEDS, output="whole")
    whole, trial, failed = tmp_path / "whole", tmp_path / "trial", 0
    for at in range(1, 2000, stride):
        failing = FailingCall(at, code)
        with run.monkeypatch.context() as patch:
            failing.put_in_place(patch)
            exit_code, _, first = run(*SEEDS, output="trial")
        if failing.left > 0:
            break
        if exit_code:
            assert not (trial / "seeds.json").exists() or json.loads((trial / "seeds.json").read_text())
            one_line(first, os.strerror(code).lower())
            failed += 1
        again, _, err = run(*SEEDS, "--resume", output="trial")
        assert again == 0, (at, first, err)
        for name in ("seed-1", "seed-2"):
            assert (trial / name / "model.npz").read_bytes() == (whole / name / "model.npz").read_bytes(), at
            assert without_times(trial / name) == without_times(whole / name)
        assert sorted(path.name for path in trial.iterdir()) == sorted(path.name for path in whole.iterdir())
        shutil.rmtree(trial)
    assert 20 < failed * stride < at < 400
