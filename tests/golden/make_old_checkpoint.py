"""Make old-checkpoint.npz and old-checkpoint-end.npz: an old run halfway, and its end.

Run by the program whose checkpoints are to be read later, with tests/ on the path for
old_run.py:

    PYTHONPATH=tests python tests/golden/make_old_checkpoint.py

Commit 8f7be2a, the last one with format version 3, wrote the files that are here.  They
show that a run goes on with the random numbers that it began with.
"""

from pathlib import Path

import numpy as np
from old_run import EPOCHS, STOP, old_trainer, train

from rnnlm.formats.checkpoint import save_checkpoint

FOLDER = Path(__file__).parent


def main():
    """Write both files."""
    trainer = old_trainer(seed=1)
    records = train(trainer, EPOCHS, STOP)
    save_checkpoint(FOLDER / "old-checkpoint.npz", trainer, {}, records)
    train(trainer, EPOCHS)
    np.savez(FOLDER / "old-checkpoint-end.npz", **trainer.model.named_params())


if __name__ == "__main__":
    main()
