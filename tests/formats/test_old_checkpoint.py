"""A checkpoint of format version 3 continues with the random numbers of its time.

They are those of scheme 1.
"""

import json
from pathlib import Path

import numpy as np
import pytest
from old_run import EPOCHS, STOP, old_trainer, train

from rnnlm.errors import RnnlmError
from rnnlm.formats.checkpoint import load_checkpoint, read_checkpoint_header, save_checkpoint

GOLDEN = Path(__file__).parents[1] / "golden"
ROUNDING = 1e-3  # other kernels round otherwise, and Adam carries it on; another mask moves weights by 0.1 and more


def distance(trainer):
    """How far the weights are from those at the end of the old run, at most."""
    with np.load(GOLDEN / "old-checkpoint-end.npz") as end:
        params = trainer.model.named_params()
        assert params.keys() == set(end.files)
        return max(float(np.abs(end[name] - param).max()) for name, param in params.items())


def resumed(path):
    trainer = old_trainer(seed=5)
    records = load_checkpoint(path, trainer)
    assert (len(records), trainer.iteration) == (1, STOP)
    return trainer, records


def test_it_ends_where_it_ended_then():
    trainer, _ = resumed(GOLDEN / "old-checkpoint.npz")
    assert trainer.model.random_scheme == trainer.batches.random_scheme == trainer.batches.noising.random_scheme == 1
    assert {layer.random_scheme for layer in trainer.model.switches} == {1}
    train(trainer, EPOCHS)
    assert distance(trainer) < ROUNDING


def test_with_the_random_numbers_of_new_runs_it_would_end_elsewhere():
    trainer, _ = resumed(GOLDEN / "old-checkpoint.npz")
    trainer.model.random_scheme = 2
    train(trainer, EPOCHS)
    assert distance(trainer) > 20 * ROUNDING


def test_saved_again_it_still_goes_on_as_it_began(tmp_path):
    trainer, records = resumed(GOLDEN / "old-checkpoint.npz")
    save_checkpoint(tmp_path / "new.npz", trainer, {}, records)
    header = read_checkpoint_header(tmp_path / "new.npz")
    assert (header["version"], header["numbers"]["random_scheme"]) == (4, 1)
    again, _ = resumed(tmp_path / "new.npz")
    ends = [[record.train_loss for record in train(each, EPOCHS)] for each in (trainer, again)]
    assert ends[0] == ends[1]


def test_a_new_run_says_the_new_scheme(tmp_path):
    trainer = old_trainer(seed=5)
    save_checkpoint(tmp_path / "new.npz", trainer, {}, [])
    assert read_checkpoint_header(tmp_path / "new.npz")["numbers"]["random_scheme"] == 2


@pytest.mark.parametrize("scheme", [0, 3, "2", None])
def test_a_scheme_that_there_is_not_is_one_line(tmp_path, scheme):
    path = tmp_path / "new.npz"
    save_checkpoint(path, old_trainer(seed=5), {}, [])
    with np.load(path) as members:
        arrays = dict(members)
    header = json.loads(arrays["header"].tobytes())
    header["numbers"]["random_scheme"] = scheme
    np.savez(path, **arrays | {"header": np.frombuffer(json.dumps(header).encode(), np.uint8)})
    with pytest.raises(RnnlmError, match=r"numbers.random_scheme must be (one of \(1, 2\), got|a number from 0)"):
        load_checkpoint(path, old_trainer(seed=5))
