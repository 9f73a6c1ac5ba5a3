"""The package's parts have what the protocols ask for; a lack is named."""

import numpy as np
import pytest

from rnnlm.errors import ArgumentError
from rnnlm.models import LanguageModel
from rnnlm.text.batches import TimeBatches
from rnnlm.training import protocols
from rnnlm.training.averaging import Average
from rnnlm.training.optimizers import OPTIMIZERS, SGD
from rnnlm.training.protocols import members
from rnnlm.training.schedules import SCHEDULES, Constant
from rnnlm.training.trainer import Trainer


def model():
    return LanguageModel(5, 4, 6, rng=np.random.default_rng(0))


def batches():
    return TimeBatches(np.arange(61) % 5, 2, 7)


@pytest.mark.parametrize(("part", "kinds"), [
    (model(), [protocols.Model, protocols.ModelToFit, protocols.ModelToSave, protocols.ModelOfRows]),
    (model().packing, [protocols.Packing]),
    (batches(), [protocols.Batches, protocols.BatchesToSave]),
    (Average(), [protocols.Average, protocols.AverageToSave]),
    *((kind(0.1), [protocols.Optimizer, protocols.OptimizerToSave, protocols.OptimizerThatCatchesUp])
      for kind in OPTIMIZERS.values()),
    *((kind(0.1), [protocols.Schedule, protocols.Stateful]) for kind in SCHEDULES.values()),
], ids=lambda value: type(value).__name__)
def test_our_own_parts_keep_the_protocols(part, kinds):
    for kind in kinds:
        assert members(kind)
        assert [name for name in members(kind) if not hasattr(part, name)] == []


def test_a_protocol_asks_for_what_it_and_its_bases_name():
    assert set(members(protocols.Model)) == {"packing", "forward", "backward"}
    assert set(members(protocols.ModelToFit)) - set(members(protocols.Model)) == {"reset_state", "set_progress"}
    assert "__iter__" in members(protocols.Batches)


@pytest.mark.parametrize("name", ["model", "optimizer", "batches", "schedule", "average"])
def test_a_part_that_lacks_something_is_named_when_the_trainer_gets_it(name):
    parts = {"model": model(), "optimizer": SGD(0.1), "batches": batches(), "schedule": Constant(0.1),
             "average": Average()}
    lacking = {"model": "backward", "optimizer": "update", "batches": "stream_length", "schedule": "rate",
               "average": "in_place"}[name]

    class Lacks:
        __iter__ = None

        def __getattr__(self, attribute, whole=parts[name]):
            if attribute == lacking:
                raise AttributeError(attribute)
            return getattr(whole, attribute)

    given = parts | {name: Lacks()}
    with pytest.raises(ArgumentError, match=f"^{name} must be an? .*, got a Lacks"):
        Trainer(given.pop("model"), given.pop("optimizer"), **given)
    Trainer(parts.pop("model"), parts.pop("optimizer"), **parts)
