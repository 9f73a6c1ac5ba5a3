"""Several processes, each with a stand-in for a GPU, train as one does.

The stand-in computes on the host and refuses to mix its arrays with the host's.  No
test here has met a GPU.
"""


import numpy as np
import pytest
from device_arrays import Array, StandIn
from launching import launch, needs_mpi
from training.test_sharing import trained

from rnnlm.compute.draws import Columns
from rnnlm.compute.one_process import WISHES
from rnnlm.compute.threads import SERIAL
from rnnlm.models import LanguageModel
from rnnlm.training.clipping import global_norm
from rnnlm.training.device_sharing import DeviceSharing
from rnnlm.training.shared_memory import sharing
from rnnlm.training.sharing import Sharing

V = 57


class Twice:
    """Stands for processes: the second of two, the first of which has equal numbers."""

    rank, size, first = 1, 2, False

    def __init__(self, share_memory):
        self.share_memory, self.summed, self.shown = share_memory, [], None

    def columns(self, total):
        return Columns(total // 2, total, total)

    def array_of_each(self, shape, dtype):
        self.shown = [np.full(shape, np.nan, dtype) for _ in range(self.size)]
        return self.shown

    def one_array(self, shape, dtype):
        self.sums = np.full(shape, np.nan, dtype)
        return self.sums

    def barrier(self):
        self.shown[0][:] = self.shown[1]

    def sum(self, array):
        self.summed.append(array.size)
        array *= 2
        if self.shown:  # what the first process has added up
            half = np.isnan(self.sums[: np.count_nonzero(~np.isnan(self.shown[0]))])
            self.sums[: half.size][half] = 2 * self.shown[0][: half.size][half]


def models(count, **options):
    return [LanguageModel(V, 4, 6, rng=np.random.default_rng(0), **options) for _ in range(count)]


XS = np.array([[1, 2, 3], [4, 5, 6], [1, 2, 7], [7, 7, 7]], np.int32)


@pytest.mark.parametrize("tied", [False, True])
@pytest.mark.parametrize("share_memory", [False, True])
def test_gradients_are_the_sums_of_all_processes(share_memory, tied):
    device, (model, alone) = StandIn(), models(2, tied=tied, projection=tied)
    shared = DeviceSharing(processes := Twice(share_memory), model.move_to(device), 4)
    before = model.packing.grads
    for _ in range(2):
        model.reset_state()
        loss, norm = shared.gradients(XS, XS, SERIAL)
    assert all(isinstance(value, Array) for value in (loss, norm, *model.packing.grads))
    assert all(ours is array for ours, array in zip(model.packing.grads, before, strict=True))
    assert float(loss) == pytest.approx(alone.forward(XS[2:], XS[2:]))
    alone.backward()
    assert float(norm) == pytest.approx(global_norm(alone.packing.grads))
    for name, grad in alone.packing.grad.items():
        np.testing.assert_allclose(device.get(model.packing.grad[name]), np.asarray(grad), rtol=1e-5, atol=1e-7,
                                   err_msg=name)
    numbers = sum(w.size for w in model.params) - (0 if tied else (V - 7) * 4)  # 7 rows are read, by all of the window
    assert processes.summed == [1 + WISHES if share_memory else numbers + 1 + WISHES] * 2


def test_how_a_trainer_shares_follows_from_where_its_model_is():
    here, there, local = models(3)

    def found(model, every=None):
        batches = type("", (), {"batch_size": 4})
        return type(sharing(Twice(False), model, batches, None, None, every)).__name__

    assert found(here) == Sharing.__name__
    assert found(there.move_to(StandIn())) == "DeviceSharing"
    assert found(local.move_to(StandIn()), 3) == "LocalSteps"


PROGRAM = """
import sys
sys.path[:0] = {folders!r}
import math
import numpy as np
from device_arrays import StandIn
from rnnlm.compute.processes import processes
from rnnlm.errors import DivergenceError
from rnnlm.models import LanguageModel
from rnnlm.text.batches import TimeBatches
from rnnlm.training.optimizers import Adam
from rnnlm.training.schedules import Constant
from rnnlm.training.trainer import Trainer
from training.test_sharing import trained
p = processes()
assert p.rank_on_host == p.rank

def equal(array):
    return len({{each.tobytes() for each in p.each(array)}}) == 1

for case in sys.argv[1:]:
    kind, how = case.split(" by ")
    p.share_memory = how == "memory"  # messages: as between hosts
    found = trained(kind, p, StandIn())
    if p.first:
        np.savez(f"{{case}}.npz", **found)
    assert all(map(equal, found.values()))

# One that meets a number that is not finite takes all along, and nobody changes a weight.
model = LanguageModel(30, 6, 8, rng=np.random.default_rng(0)).move_to(StandIn())
model.processes = p
trainer = Trainer(model, Adam(0.01), TimeBatches(np.arange(400) % 30, 4, 5), Constant(0.01))
xs, ts = next(iter(trainer.batches))
trainer.step(xs, ts)
weights = [model.device.get(array) for array in model.packing.params]
state = model.get_state()
if p.rank == 1:
    model.set_state([(np.full_like(h, math.nan),) for h, in state])
try:
    trainer.step(xs, ts)
    raise SystemExit("nothing was raised")
except DivergenceError as error:
    assert "diverged at step 2: loss nan" in str(error), error
for before, after in zip(weights, model.packing.params):
    np.testing.assert_array_equal(model.device.get(after), before)
assert trainer.optimizer.steps == trainer.iteration == 1
if p.first:
    print("all is well")
"""


@needs_mpi
@pytest.mark.parametrize("cases", [
    ["tanh by memory", "lstm by messages"],
    pytest.param(["tanh by messages", "lstm by memory", "frozen output by messages"], marks=pytest.mark.slow),
])
def test_two_processes_with_a_gpu_each_train_as_one(cases, tmp_path, pytestconfig):
    tests = pytestconfig.rootpath / "tests"
    program = PROGRAM.format(folders=[str(tests)])
    assert launch(2, program, *cases, cwd=tmp_path) == (0, "all is well\n", "")
    for case in cases:
        with np.load(tmp_path / f"{case}.npz") as shared:
            for name, array in trained(case.split(" by ")[0], device=StandIn()).items():
                np.testing.assert_allclose(shared[name], array, rtol=1e-5, atol=1e-5, err_msg=f"{case}: {name}")
