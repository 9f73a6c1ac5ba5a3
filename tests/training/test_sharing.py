"""Several processes train as one does, but for the order of sums."""

import numpy as np
import pytest
from launching import launch, needs_mpi

from rnnlm.compute.device import HOST
from rnnlm.compute.draws import Columns
from rnnlm.compute.one_process import WISHES
from rnnlm.compute.row_gradient import RowGradient
from rnnlm.compute.threads import SERIAL
from rnnlm.errors import ArgumentError, RnnlmError
from rnnlm.models import LanguageModel, Regularisation
from rnnlm.text.batches import TimeBatches
from rnnlm.text.noising import Noising
from rnnlm.training.averaging import Average
from rnnlm.training.clipping import global_norm
from rnnlm.training.optimizers import SGD, AdamW
from rnnlm.training.schedules import Constant
from rnnlm.training.sharing import Sharing
from rnnlm.training.trainer import Trainer

STEPS, V = 50, 57


def trained(kind, processes=None, device=HOST):
    """Losses, norms and weights after 50 steps with all that draws random numbers."""
    ids = np.random.default_rng(1).integers(0, V, 2000).astype(np.int32)
    regularisation = Regularisation(dropout=0.3, input_dropout=0.1, word_dropout=0.1, weight_drop=0.2,
                                    activation_penalty=0.5, slowness_penalty=0.5, per_window=kind == "lstm")
    model = LanguageModel(V, 12, 12, 2, rng=np.random.default_rng(0), regularisation=regularisation, **KINDS[kind])
    model.move_to(device)
    if processes:
        model.processes = processes
    average = Average(decay=0.9) if kind == "lstm" else None
    batches = TimeBatches(ids, 5, 7, rng=np.random.default_rng(3), noising=Noising(ids, V, 0.2), random_start=True)
    trainer = Trainer(model, AdamW(0.01), batches, Constant(0.01), average=average, max_grad=0.3)
    steps = []
    for _ in trainer.fit(lambda: 0.0, 1, steps.append):
        pass
    assert len(steps) >= STEPS
    with trainer.weights_to_keep():
        return {"losses": np.array([(step.loss, step.grad_norm) for step in steps]),
                **{name: device.get(array).copy() for name, array in model.named_params().items()}}


KINDS = {
    "tanh": {},
    "lstm": {"cell": "lstm", "tied": True},
    "plain": {"plain": True, "tied": True, "projection": True},
    "untied plain": {"plain": True},
    "clusters": {"softmax": "adaptive", "cutoffs": [20]},
    "tied clusters": {"softmax": "adaptive", "cutoffs": [20, 40], "tied": True},
    "tied plain clusters": {"softmax": "adaptive", "cutoffs": [20, 40], "tied": True, "plain": True},
    "frozen output": {"frozen": ["affine"]},
}
PROGRAM = """
import sys
sys.path[:0] = [{folder!r}, {tests!r}]
import numpy as np
from rnnlm.compute.processes import processes
from test_sharing import trained
p = processes()
if sys.argv.pop(1) == "messages":  # as between hosts
    type(p).share_memory = False
for kind in sys.argv[1:]:
    found = trained(kind, p)
    if p.first:
        np.savez(f"{{kind}}.npz", **found)
    for name, array in found.items():
        assert len({{array.tobytes() for array in p.each(array)}}) == 1, name  # all processes hold equal numbers
"""


def compare(size, how, kinds, folder, pytestconfig):
    here = pytestconfig.rootpath / "tests"
    program = PROGRAM.format(folder=str(here / "training"), tests=str(here))
    assert launch(size, program, how, *kinds, cwd=folder)[::2] == (0, "")
    for kind in kinds:
        with np.load(folder / f"{kind}.npz") as shared:
            for name, expected in trained(kind).items():
                np.testing.assert_allclose(shared[name], expected, rtol=1e-5, atol=1e-5, err_msg=f"{kind}: {name}")


@needs_mpi
@pytest.mark.parametrize("how", ["memory", "messages"])
def test_three_processes_with_uneven_columns_train_as_one(how, tmp_path, pytestconfig):
    compare(3, how, ["tanh", "lstm"], tmp_path, pytestconfig)


@needs_mpi
@pytest.mark.slow
@pytest.mark.parametrize("how", ["memory", "messages"])
def test_any_model_trains_in_two_processes_as_in_one(how, tmp_path, pytestconfig):
    compare(2, how, KINDS, tmp_path, pytestconfig)


class Recorded:
    """Stands for processes: the second of two, whose sums are its own numbers twice."""

    rank, size, first = 1, 2, False

    def __init__(self):
        self.messages = []

    def columns(self, total):
        return Columns(total // 2, total, total)

    def begin_sum(self, flat):
        self.messages.append(flat.size)
        flat *= 2
        return self

    def wait(self, request):
        assert request is self

    def sum(self, array):
        self.messages.append(array.size)
        array *= 2


def test_the_output_weights_travel_first_and_rows_of_the_embedding_afterwards():
    model = LanguageModel(V, 4, 6, rng=np.random.default_rng(0))
    sharing = Sharing(processes := Recorded(), model, 4)
    xs = np.array([[1, 2, 3], [4, 5, 6], [1, 2, 7], [7, 7, 7]], np.int32)
    loss, norm = sharing.gradients(xs, xs, SERIAL)
    recurrent = 4 * 6 + 6 * 6 + 6
    rows = 7 * 4  # the whole window's, whatever this process has read
    assert processes.messages == [6 * V, recurrent + V + rows + 1 + WISHES]
    alone = LanguageModel(V, 4, 6, rng=np.random.default_rng(0))
    assert loss == pytest.approx(alone.forward(xs[2:], xs[2:]))
    alone.backward()
    assert norm == pytest.approx(global_norm(alone.packing.grads))
    for name, grad in alone.packing.grad.items():  # those of half the batch, as if the other half were the same
        np.testing.assert_allclose(np.asarray(model.packing.grad[name]), np.asarray(grad), rtol=1e-5, atol=1e-7)
    (vectors,) = [grad for grad in model.packing.grads if isinstance(grad, RowGradient)]
    assert vectors.ids.tolist() == [1, 2, 3, 4, 5, 6, 7]


def test_a_window_of_another_size_is_refused():
    model = LanguageModel(V, 4, 6, rng=np.random.default_rng(0))
    with pytest.raises(ArgumentError, match="a window must have 4 rows, got 3"):
        Sharing(Recorded(), model, 4).gradients(np.zeros((3, 2), np.int32), np.zeros((3, 2), np.int32), SERIAL)


def test_random_numbers_of_an_earlier_version_are_not_shared():
    model = LanguageModel(V, 4, 6, rng=np.random.default_rng(0))
    trainer = Trainer(model, SGD(0.1), TimeBatches(np.arange(50) % V, 4, 3), Constant(0.1))
    snapshot = trainer.snapshot()
    snapshot.values["random_scheme"] = 1
    trainer.sharing = Sharing(Recorded(), model, 4)
    with pytest.raises(RnnlmError, match="earlier version, whose random numbers several processes cannot share"):
        trainer.restore(snapshot.copy())
