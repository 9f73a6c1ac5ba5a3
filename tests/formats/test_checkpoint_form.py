"""What a checkpoint says of a run is what a trainer could have said, or is refused."""

import math

import numpy as np
import pytest

from rnnlm.formats.checkpoint_form import require_possible
from rnnlm.models import LanguageModel
from rnnlm.text.batches import TimeBatches
from rnnlm.training.optimizers import SGD
from rnnlm.training.schedules import DivideOnPlateau
from rnnlm.training.trainer import Trainer


def small_trainer():
    """A trainer of two streams of 30 steps."""
    model = LanguageModel(5, 4, 6, rng=np.random.default_rng(0))
    return Trainer(model, SGD(0.5), TimeBatches(np.arange(61) % 5, 2, 7), DivideOnPlateau(0.5))


@pytest.mark.parametrize(("change", "message"), [
    (lambda n: n.pop("sums"), "numbers must be an object of epoch"),
    (lambda n: n.update(epoch=1.5), r"numbers.epoch must be a number from 0 to below 2\^128 \(int\)"),
    (lambda n: n.update(iteration=-1), "numbers.iteration must be"),
    (lambda n: n.update(tokens=10**400), "numbers.tokens must be"),
    (lambda n: n["schedule"].update(lr="1"), "numbers.schedule.lr must be"),
    (lambda n: n["schedule"].update(lr=math.nan), "numbers.schedule.lr must be"),
    (lambda n: n["schedule"].update(lr=math.inf), "numbers.schedule.lr must be"),
    (lambda n: n["sums"].update(nats=math.inf), "numbers.sums.nats must be"),
    (lambda n: n["dropout"].update(bit_generator="MT19937"), "numbers.dropout.bit_generator must be PCG64"),
    (lambda n: n["sums"].update(steps=6, targets=9, seconds=1.0), "6 steps with 9 targets to position 0"),
    (lambda n: n["sums"].update(steps=2), "2 steps with 0 targets to position 0"),
    (lambda n: (n["sums"].update(targets=14), n["batches"].update(position=7)),
     "0 steps with 14 targets to position 7"),
    (lambda n: n["batches"].update(position=31), "position 31, start 0 cannot be right"),
])
def test_numbers_that_cannot_be_a_runs_are_refused(change, message):
    trainer = small_trainer()
    snapshot = trainer.snapshot().copy()
    numbers = snapshot.values
    change(numbers)
    with pytest.raises(ValueError, match=message):
        require_possible(numbers, trainer)
        trainer.restore(snapshot)
