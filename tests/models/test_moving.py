"""A model on another device computes what it computes on the host."""

import copy
import math

import numpy as np
import pytest
from device_arrays import Array, StandIn

from rnnlm.compute.cuda import device_by_name
from rnnlm.compute.device import HOST, module_of
from rnnlm.errors import ArgumentError, DivergenceError, RnnlmError
from rnnlm.formats.model_file import load_model, save_model
from rnnlm.models import CELLS, LanguageModel, Regularisation
from rnnlm.scoring.evaluation import token_log_probs
from rnnlm.text.batches import TimeBatches
from rnnlm.text.vocabulary import Vocabulary
from rnnlm.training.averaging import Average
from rnnlm.training.decay import weight_decays
from rnnlm.training.optimizers import OPTIMIZERS
from rnnlm.training.schedules import Constant
from rnnlm.training.trainer import Trainer

V, N, T = 11, 3, 5
DROPPED = Regularisation(dropout=0.3, input_dropout=0.2, word_dropout=0.2, weight_drop=0.2, activation_penalty=0.1,
                         slowness_penalty=0.1)
MODELS = {
    **{cell: {"cell": cell} for cell in CELLS},
    "relu": {"activation": "relu"},
    "tied": {"cell": "lstm", "tied": True, "wordvec_size": 4},
    "projection": {"projection": True, "wordvec_size": 4},
    "dropped": {"cell": "lstm", "regularisation": DROPPED},
    "dropped, tied": {"tied": True, "regularisation": DROPPED},
    "frozen": {"frozen": ["embedding", "rnn1/Wh"]},
    "clusters": {"softmax": "adaptive", "cutoffs": [4, 7]},
    "clusters, tied": {"softmax": "adaptive", "cutoffs": [4, 7], "tied": True, "regularisation": DROPPED},
}


def model_of(options, dtype=np.float64):
    return LanguageModel(V, **{"wordvec_size": 6, "hidden_size": 6, "layers": 2} | options, dtype=dtype,
                         rng=np.random.default_rng(1))


def trainer_of(model, optimizer="adam", average=None):
    rule = OPTIMIZERS[optimizer](0.01, decays=weight_decays(model, 0.01))
    ids = np.random.default_rng(2).integers(0, V, 200)
    return Trainer(model, rule, TimeBatches(ids, N, T), Constant(0.01), average=average, max_grad=0.5)


def pair(options, *others):
    """The same trainer on the host and on a stand-in for a GPU."""
    return [trainer_of(model_of(options).move_to(device), *others) for device in (HOST, StandIn())]


@pytest.mark.parametrize("name", MODELS)
def test_a_run_on_a_device_is_that_on_the_host(name):
    runs = pair(MODELS[name], "adam", None)
    losses = [[step.loss for step in steps_of(trainer, 6)] for trainer in runs]
    np.testing.assert_allclose(*losses, rtol=1e-9)
    host, device = (trainer.model for trainer in runs)
    assert all(isinstance(array, Array) for array in device.packing.memory)
    for (parameter, a), b in zip(host.named_params().items(), device.named_params().values(), strict=True):
        np.testing.assert_allclose(device.device.get(b), a, rtol=1e-7, atol=1e-10, err_msg=parameter)


def steps_of(trainer, count):
    windows = list(trainer.batches)[:count]
    return [trainer.step(*window) for window in windows]


class OwnRule:
    """A rule of a user's own, no Optimizer of ours: its factor is a number."""

    lr = 0.1

    def update(self, params, grads, scale, workers):
        for w, g in zip(params, grads, strict=True):
            w -= g * float(self.lr * scale)


def test_a_rule_of_a_users_own_gets_a_number():
    runs = pair({"plain": True}, "sgd", None)  # without gradients of rows
    for trainer in runs:
        trainer.optimizer = OwnRule()
    np.testing.assert_allclose(*[[step.loss for step in steps_of(trainer, 4)] for trainer in runs], rtol=1e-9)


def diverge_by_gradients(model):
    model.named_params()["rnn1/b"][:2] = math.nan


def diverge_by_the_loss(model):
    """The loss is infinite, gradients are not: the target has no probability."""
    model.named_params()["affine/b"][:] = -1.7e308
    model.named_params()["affine/b"][:1] = 1.7e308


@pytest.mark.parametrize("device", [HOST, StandIn()])
@pytest.mark.parametrize("optimizer", ["adam", "momentum"])
@pytest.mark.parametrize("diverge", [diverge_by_gradients, diverge_by_the_loss])
def test_a_step_that_diverges_changes_nothing(device, optimizer, diverge):
    trainer = trainer_of(model_of({}).move_to(device), optimizer)
    xs, ts = np.ones((2, N, T), int)
    trainer.step(xs, ts)
    diverge(trainer.model)

    def everything():
        arrays = [*trainer.model.params, *(array for slot in trainer.optimizer.slots.values() for array in slot)]
        return [device.get(array).copy() for array in arrays], trainer.optimizer.steps, trainer.iteration

    before = everything()
    with pytest.raises(DivergenceError):
        trainer.step(xs, ts)
    np.testing.assert_equal(everything(), before)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("average", ["tail", "exponential"])
def test_every_rule_and_average_gives_the_same_run(optimizer, average):
    averages = [Average() if average == "tail" else Average(decay=0.9) for _ in range(2)]
    models = [model_of({}).move_to(device) for device in (HOST, StandIn())]
    runs = [trainer_of(model, optimizer, kept) for model, kept in zip(models, averages, strict=True)]
    valid = np.random.default_rng(4).integers(0, V, 40)
    losses = [[record.valid_loss for record in run.fit(lambda run=run: validate(run, valid), 2)] for run in runs]
    np.testing.assert_allclose(*losses, rtol=1e-9)


def validate(run, ids):
    return -float(token_log_probs(run.model, ids, 0).mean())


@pytest.mark.parametrize("name", ["rnn", "lstm", "gru", "tied", "clusters", "clusters, tied"])
def test_what_comes_out_of_a_model_is_of_the_host(name):
    host, device = (model_of(MODELS[name]) for _ in range(2))
    device.move_to(StandIn())
    for model in (host, device):
        model.set_training(False)
    xs, ts = np.random.default_rng(3).integers(0, V, (2, N, T))
    for method in ("predict", "predict_last"):
        np.testing.assert_allclose(getattr(device, method)(xs), getattr(host, method)(xs), rtol=1e-12)
    np.testing.assert_allclose(device.log_probs(xs, ts), host.log_probs(xs, ts), rtol=1e-12)
    ours, theirs = (model.word_scores(xs, ts, details=True, top=2, with_states=True) for model in (device, host))
    for field, value in vars(theirs).items():
        np.testing.assert_allclose(getattr(ours, field), value, rtol=1e-12, err_msg=field)
    for a, b in zip(device.get_state(), host.get_state(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12)
    products = [model.products_after(xs)() for model in (device, host)]
    np.testing.assert_allclose(products[0][0], products[1][0], rtol=1e-12)


@pytest.mark.parametrize("name", ["rnn", "lstm", "gru", "dropped, tied", "clusters, tied"])
def test_a_snapshot_goes_from_device_to_host_and_back(name):
    whole = pair(MODELS[name], "adam", Average(decay=0.9))[1]
    for record in whole.fit(lambda: 1.0, 2):
        assert record.epoch <= 2
    first = pair(MODELS[name], "adam", Average(decay=0.9))[1]
    kept = []
    steps = first.fit(lambda: 1.0, 2, on_step=lambda step: kept.append(step) or (len(kept) == 9 and stop(first, kept)))
    with pytest.raises(KeyboardInterrupt):
        list(steps)
    assert all(isinstance(array, np.ndarray) for array in kept[-1].arrays.values())
    again = pair(MODELS[name], "adam", Average(decay=0.9))[1]
    again.restore(kept[-1])
    list(again.fit(lambda: 1.0, 2))
    for a, b in zip(whole.model.params, again.model.params, strict=True):
        np.testing.assert_array_equal(a.values, b.values)
    host = pair(MODELS[name], "adam", Average(decay=0.9))[0]
    host.restore(kept[-1])
    list(host.fit(lambda: 1.0, 2))
    for a, b in zip(whole.model.params, host.model.params, strict=True):
        np.testing.assert_allclose(a.values, b, rtol=1e-6, atol=1e-9)


def stop(trainer, kept):
    kept.append(trainer.snapshot().copy())
    raise KeyboardInterrupt


@pytest.mark.parametrize("name", ["rnn", "lstm", "gru"])
def test_a_state_that_was_taken_can_be_given_back(name):
    models = [model_of(MODELS[name]).move_to(device) for device in (HOST, StandIn())]
    xs = np.random.default_rng(3).integers(0, V, (N, T))
    scores = []
    for model in models:
        model.predict(xs)
        kept = [tuple(array.copy() for array in state) for state in model.get_state()]
        model.reset_state()
        model.set_state(kept)
        scores.append(model.predict(xs).copy())
    np.testing.assert_allclose(*scores, rtol=1e-12)


def test_files_do_not_know_the_device(tmp_path):
    host, device = (model_of({"cell": "lstm"}, np.float32) for _ in range(2))
    device.move_to(StandIn())
    vocabulary = Vocabulary(["<eos>", *(f"w{i}" for i in range(1, V))])
    for name, model in (("host", host), ("device", device)):
        save_model(tmp_path / f"{name}.npz", model, vocabulary)
    assert (tmp_path / "host.npz").read_bytes() == (tmp_path / "device.npz").read_bytes()
    loaded, _ = load_model(tmp_path / "device.npz")
    assert loaded.device is HOST


def test_a_copy_computes_where_the_model_does():
    model = model_of({}).move_to(StandIn())
    twin = copy.deepcopy(model)
    xs = np.arange(6).reshape(1, 6)
    np.testing.assert_array_equal(twin.predict(xs), model.predict(xs))
    assert isinstance(twin.params[0], Array) and twin.params[0] is not model.params[0]


def test_moving_back_gives_a_model_of_the_host():
    model = model_of({})
    before = model.predict(np.arange(6)[None]).copy()
    model.move_to(StandIn()).move_to(HOST)
    np.testing.assert_array_equal(model.predict(np.arange(6)[None]), before)


def test_what_is_switched_off_stays_off_and_plain_layers_come_back():
    model = model_of(MODELS["dropped"] | {"plain": True})
    model.set_training(False)
    kinds = list(map(type, model.layers))
    before = model.predict(np.arange(6)[None])
    model.move_to(StandIn())
    assert type(model.recurrent[0]).__name__ == "CudaLSTM"
    np.testing.assert_allclose(model.predict(np.arange(6)[None]), before, rtol=1e-12)
    assert list(map(type, model.move_to(HOST).layers)) == kinds
    np.testing.assert_array_equal(model.predict(np.arange(6)[None]), before)


def test_before_an_average_begins_the_weights_are_validated():
    runs = [pair({}, "sgd", Average(start=0.6))[i] for i in range(2)]
    losses = [[record.valid_loss for record in run.fit(lambda run=run: validate(run, np.arange(V)), 2)] for run in runs]
    np.testing.assert_allclose(*losses, rtol=1e-9)


class Reads(StandIn):
    """It notes each time that the host waits for a number or an array."""

    def __init__(self):
        super().__init__()
        self.waits = 0

    def get(self, array):
        self.waits += not isinstance(array, np.ndarray)
        return super().get(array)

    def numbers(self, *scalars):
        self.waits += len(scalars)
        return super().numbers(*scalars)


@pytest.mark.parametrize("name", MODELS)
def test_a_step_waits_for_the_loss_and_the_norm_alone(name):
    trainer = trainer_of(model_of(MODELS[name]).move_to(Reads()))
    steps_of(trainer, 5)
    assert trainer.model.device.waits == 2 * 5


@pytest.mark.parametrize("late", ["slots", "decays"])
def test_an_optimizer_that_stayed_behind_is_one_line(late):
    trainer = trainer_of(model_of({"frozen": ["affine"]}))
    xs, ts = np.ones((2, N, T), int)
    if late == "slots":
        trainer.step(xs, ts)
        trainer.optimizer.decays = []
    trainer.model.move_to(StandIn())
    with pytest.raises(ArgumentError, match=r"must be where its parameters are \(a stand-in\): create the opt"):
        trainer.step(xs, ts)


def test_the_stand_in_refuses_to_mix():
    device = StandIn()
    array = device.put(np.ones(3))
    assert module_of(array).__name__ == "device_arrays" and module_of(np.ones(3)) is np
    for mixed in (lambda: array + np.ones(3), lambda: np.ones(3) * array, lambda: np.add(array, 1, out=np.ones(3)),
                  lambda: array.__setitem__(0, np.ones(1)), lambda: np.concatenate([array, np.ones(3)]),
                  lambda: np.asarray(array)):
        with pytest.raises(TypeError):
            mixed()


def test_without_cupy_one_line_says_what_to_install(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "cupy", None)
    assert device_by_name("cpu") is HOST
    with pytest.raises(RnnlmError, match=r"needs CuPy, which is not installed: pip install 'numpy-rnnlm\[cuda13\]'"):
        device_by_name("cuda")


def test_without_a_gpu_one_line_says_so(monkeypatch):
    class Runtime:
        @staticmethod
        def getDeviceCount():
            raise RuntimeError("cudaErrorNoDevice: no CUDA-capable device is detected")

    fake = type("cupy", (), {"cuda": type("cuda", (), {"runtime": Runtime})})
    monkeypatch.setitem(__import__("sys").modules, "cupy", fake)
    with pytest.raises(RnnlmError, match=r"finds no GPU .cudaErrorNoDevice.*leave --device out"):
        device_by_name("cuda-tf32")
