"""A model's copy trains and scores as the model does; neither affects the other."""

import copy
import io
import pickle
import subprocess
import sys

import numpy as np
import pytest
from recurrent_layers import CELLS as LAYERS
from recurrent_layers import random_arrays

from rnnlm.compute.threads import SERIAL, Workers
from rnnlm.errors import RnnlmError
from rnnlm.formats.model_file import load_model, save_model
from rnnlm.layers import GRU, TimeDropout, TimeGRU, TimeRNN, TimeWordDropout
from rnnlm.layers.fast import FastEmbedding
from rnnlm.models import CELLS, LanguageModel, Regularisation
from rnnlm.scoring.evaluation import token_log_probs
from rnnlm.text.batches import TimeBatches
from rnnlm.text.vocabulary import Vocabulary
from rnnlm.training.averaging import Average
from rnnlm.training.optimizers import SGD, Adam
from rnnlm.training.schedules import DivideOnPlateau
from rnnlm.training.trainer import Trainer

ALL = Regularisation(dropout=0.3, output_dropout=0.2, input_dropout=0.1, word_dropout=0.2, weight_drop=0.3,
                     dropout_start=0.5, per_window=True, activation_penalty=2.0, slowness_penalty=1.0)


def pickled(thing):
    return pickle.loads(pickle.dumps(thing))


def by_joblib(thing):
    joblib = pytest.importorskip("joblib")
    file = io.BytesIO()
    joblib.dump(thing, file)
    file.seek(0)
    return joblib.load(file)


COPIES = [copy.deepcopy, pickled, by_joblib]


def windows(V, count, seed, N=3, T=4):
    return np.random.default_rng(seed).integers(0, V, (count, 2, N, T))


def losses(model, windows):
    """What training on these windows gives: losses, weights, scores without dropout."""
    trainer = Trainer(model, SGD(0.5), max_grad=1.0)
    model.set_progress(0.7)
    found = [trainer.step(xs, ts).loss for xs, ts in windows]
    return found, [param.copy() for param in model.params], token_log_probs(model, windows[0, 0, 0], 0)


def require_twins(model, twin, V=9):
    """The copy is trained first: what it does must not be seen in the model."""
    before = [param.copy() for param in model.params]
    of_twin = losses(twin, windows(V, 4, 1))
    for param, value in zip(model.params, before, strict=True):
        np.testing.assert_array_equal(param, value)
    of_model = losses(model, windows(V, 4, 1))
    assert of_twin[0] == of_model[0]
    assert len(set(of_twin[0])) == 4  # it does train
    for ours, theirs, old in zip(of_twin[1], of_model[1], before, strict=True):
        np.testing.assert_array_equal(ours, theirs)
        assert (ours != old).any()
    np.testing.assert_array_equal(of_twin[2], of_model[2])


@pytest.mark.parametrize("copied", COPIES, ids=lambda function: function.__name__)
@pytest.mark.parametrize("regularisation", [None, ALL], ids=["bare", "regularised"])
@pytest.mark.parametrize("output", [{}, {"projection": True}, {"tied": True}, {"tied": True, "wordvec_size": 5}],
                         ids=str)
@pytest.mark.parametrize("plain", [True, False], ids=["plain", "fast"])
@pytest.mark.parametrize("cell", [{"cell": cell} for cell in CELLS] + [{"activation": "relu"}], ids=str)
def test_a_copy_trains_and_scores_bit_for_bit_as_the_model_does(cell, plain, output, regularisation, copied, rng):
    sizes = {"vocab_size": 9, "wordvec_size": 6, "hidden_size": 6, "layers": 2} | cell | output
    model = LanguageModel(**sizes, regularisation=regularisation, rng=rng, plain=plain)
    losses(model, windows(9, 2, 0))  # so that there are states, gradients, buffers and a used generator
    require_twins(model, copied(model))


@pytest.mark.parametrize("copied", COPIES, ids=lambda function: function.__name__)
def test_a_model_that_was_never_used_and_one_from_a_file_can_be_copied(copied, tmp_path, rng):
    model = LanguageModel(9, 5, 6, rng=rng)
    require_twins(model, copied(model))
    save_model(tmp_path / "m", model, Vocabulary(["<eos>", *"abcdefgh"]))
    loaded, _ = load_model(tmp_path / "m")
    twin = copied(loaded)
    assert twin.vocabulary_fingerprint == loaded.vocabulary_fingerprint
    require_twins(loaded, twin)


def test_a_copy_of_a_copy_has_the_switches_and_the_attributes_of_the_first(rng):
    model = LanguageModel(9, 5, 6, regularisation=ALL, rng=rng, dtype=np.float64)
    model.set_progress(0.2)
    model.switches[1].train = False
    model.corpus = "fairy tales"
    twin = pickled(copy.deepcopy(model))
    assert [layer.ratio for layer in twin.switches] == [layer.ratio for layer in model.switches]
    assert [layer.train for layer in twin.switches] == [True, False, True, True]
    assert twin.corpus == "fairy tales"
    assert {param.dtype for param in twin.params} == {np.dtype(np.float64)}


def test_a_copy_reads_on_from_where_the_model_was(rng):
    model = LanguageModel(9, 5, 6, cell="lstm", rng=rng)
    xs = rng.integers(0, 9, (2, 5))
    model.predict(xs)
    twin = copy.deepcopy(model)
    scores = twin.predict(xs).copy()
    np.testing.assert_array_equal(model.predict(xs), scores)
    model.reset_state()
    assert (model.predict(xs) != scores).any()


@pytest.fixture
def shared(monkeypatch):
    """Products of every size are shared out."""
    for name in ("output.BLOCK", "output.LARGE", "products.LARGE_PRODUCT", "recurrent.LARGE_STEP"):
        monkeypatch.setattr(f"rnnlm.layers.fast.{name}", 1 if "BLOCK" not in name else 4)


def test_a_copy_computes_on_the_models_threads(shared, rng):
    with Workers(3) as workers:
        model = LanguageModel(23, 5, 8, cell="gru", tied=True, regularisation=ALL, rng=rng, workers=workers)
        twin = copy.deepcopy(model)
        assert twin.output.workers is twin.recurrent[0].workers is twin.workers is workers
        require_twins(model, twin, V=23)


def test_a_pickled_model_has_threads_of_its_own_once_they_are_entered(shared, rng):
    with Workers(3) as workers:
        model = LanguageModel(23, 5, 8, cell="gru", tied=True, regularisation=ALL, rng=rng, workers=workers)
        other = pickled(model)
        expected = losses(model, windows(23, 4, 1))[0]
    assert other.output.workers is other.recurrent[0].workers is other.workers
    assert (other.workers.wanted, other.workers.threads) == (3, 1)
    with other.workers:
        assert losses(other, windows(23, 4, 1))[0] == expected


def test_who_has_no_threads_stays_without():
    assert pickled(SERIAL) is copy.deepcopy(SERIAL) is SERIAL


def test_a_pickle_holds_the_weights_once_and_nothing_else_of_size(rng):
    for tied in (True, False):
        model = LanguageModel(2000, 30, 30, tied=tied, regularisation=ALL, rng=rng)
        losses(model, windows(2000, 1, 0, N=10, T=20))
        weights = sum(param.nbytes for param in model.params)
        assert weights < len(pickle.dumps(model)) < 1.02 * weights + 10_000


def test_another_process_trains_it_alike(rng):
    model = LanguageModel(9, 5, 6, cell="lstm", regularisation=ALL, rng=rng)
    losses(model, windows(9, 2, 0))
    code = ("import pickle, sys; model, windows = pickle.load(sys.stdin.buffer)\n"
            "for xs, ts in windows:\n"
            "    print(model.forward(xs, ts)); model.backward()\n"
            "    for param, grad in zip(model.packing.params, model.packing.grads, strict=True):\n"
            "        param -= 0.5 * grad.__array__()\n")
    out = subprocess.run([sys.executable, "-c", code], input=pickle.dumps((model, windows(9, 4, 1))),
                         capture_output=True, check=True).stdout
    expected = []
    for xs, ts in windows(9, 4, 1):
        expected.append(model.forward(xs, ts))
        model.backward()
        for param, grad in zip(model.packing.params, model.packing.grads, strict=True):
            param -= 0.5 * np.asarray(grad)
    assert [float(line) for line in out.split()] == expected


@pytest.mark.parametrize("copied", COPIES, ids=lambda function: function.__name__)
@pytest.mark.parametrize("stop", [0, 3], ids=["between epochs", "within an epoch"])
def test_a_trainer_can_be_copied_with_all_that_it_needs(stop, copied, rng):
    class Stop(Exception):
        pass

    def on_step(step):
        if trainer.iteration == stop:
            raise Stop

    model = LanguageModel(9, 5, 6, regularisation=ALL, rng=rng)
    batches = TimeBatches(rng.integers(0, 9, 200).astype(np.int32), 3, 10, random_start=True, random_length=True,
                          rng=np.random.default_rng(1))
    trainer = Trainer(model, Adam(0.01), batches, DivideOnPlateau(0.01), average=Average(), max_grad=1.0)
    if stop:
        with pytest.raises(Stop):
            list(trainer.fit(lambda: 1.0, 2, on_step))
    twin = copied(trainer)
    ends = []
    for each in (twin, trainer):
        steps = []
        list(each.fit(lambda: 1.0, 2, steps.append))
        snapshot = each.snapshot()
        ends.append(([step.loss for step in steps], snapshot.values | {"seconds": 0, "sums": 0}, snapshot.arrays))
    assert ends[0][:2] == ends[1][:2]
    assert len(ends[0][0]) > 5
    for name, array in ends[0][2].items():
        np.testing.assert_array_equal(array, ends[1][2][name])


def test_a_model_with_foreign_layers_is_not_copied_without_them(rng):
    model = LanguageModel(9, 5, 6, rng=rng)
    model.layers.insert(1, TimeDropout(0.5, rng=rng))
    with pytest.raises(RnnlmError, match="layers were replaced cannot be copied"):
        copy.deepcopy(model)


@pytest.mark.parametrize("copied", COPIES, ids=lambda function: function.__name__)
@pytest.mark.parametrize(("kind", "cell", "states"), [
    *((step, cell, len(window.state_names)) for cell, (step, window, _, _) in LAYERS.items()), (TimeRNN, "tanh", 0)])
def test_a_single_layer_can_be_copied_and_keeps_nothing_of_what_it_read(kind, cell, states, copied, rng):
    layer = kind(*random_arrays(cell, 3, 4, rng))
    x = rng.normal(size=(2, 3) if states else (2, 5, 3)), *(rng.normal(size=(2, 4)) for _ in range(states))
    layer.forward(*x)
    twin = copied(layer)
    with pytest.raises(RnnlmError, match="backward needs the values of the last forward: call forward first"):
        twin.backward(*x[:max(1, states)])
    for ours, theirs in zip(np.atleast_2d(twin.forward(*x)), np.atleast_2d(layer.forward(*x)), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    twin.params[0][...] = 0
    assert layer.params[0].all()


@pytest.mark.parametrize("kind", [GRU, TimeGRU])
def test_a_layer_that_an_earlier_version_pickled_is_one_line(kind, rng):
    """Earlier, a GRU had three arrays."""
    layer = kind(*random_arrays("gru", 3, 4, rng))
    del layer.params[3], layer.grads[3]
    with pytest.raises(RnnlmError, match="GRU has the arrays Wx, Wh, b, bh, got 3: it was pickled by an earlier"):
        pickled(layer)


def test_a_copied_word_dropout_still_has_the_gradients_of_its_embedding(rng):
    layer = TimeWordDropout(FastEmbedding(rng.normal(size=(9, 3))), 0.5, rng=rng)
    twin = pickled(layer)
    assert twin.grads is twin.embedding.grads
    assert twin.params is twin.embedding.params
