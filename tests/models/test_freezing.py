"""Frozen parameters keep every bit, and the others train as if they did not exist."""

import copy
import math

import numpy as np
import pytest

from rnnlm.errors import ArgumentError
from rnnlm.models import Architecture, LanguageModel, Regularisation
from rnnlm.training.averaging import Average
from rnnlm.training.clipping import global_norm
from rnnlm.training.decay import weight_decays
from rnnlm.training.optimizers import SGD, AdamW, Momentum
from rnnlm.training.trainer import Trainer

V = 9
ADAPTIVE = {"softmax": "adaptive", "cutoffs": (3, 6)}
XS, TS = (np.random.default_rng(5).integers(0, V, (2, 3, 4)))


def model(frozen=(), **options):
    return LanguageModel(V, 5, 5, 2, rng=np.random.default_rng(1), frozen=frozen, **options)


def bytes_of(model):
    return {name: param.tobytes() for name, param in model.named_params().items()}


@pytest.mark.parametrize(("names", "expected"), [
    (["embedding"], {"embedding/W"}), (["lstm2", "affine/b"], {"lstm2/Wx", "lstm2/Wh", "lstm2/b", "affine/b"}),
    (["projection", "projection/W"], {"projection/W", "projection/b"}), ((), set())])
def test_parts_and_parameters_by_name(names, expected):
    assert model(names, cell="lstm", projection=True).frozen == expected


@pytest.mark.parametrize(("names", "message"), [
    (["rnn3"], r"frozen must name parts of the model \(embedding, rnn1, rnn2, affine\) or its parameters "
               r"\(embedding/W, rnn1/Wx, .*affine/b\), got 'rnn3'"),
    (["rnn1/W"], "got 'rnn1/W'"), ([""], "got ''"), ([3], "got '?3'?"), ("embedding", "a list of names"),
    (["embedding", "rnn1", "rnn2", "affine"], "frozen must leave something to train, got all parts of the model")])
def test_a_name_that_the_model_lacks_is_refused(names, message):
    with pytest.raises(ArgumentError, match=message):
        model(names)


@pytest.mark.parametrize("optimizer", [SGD, Momentum, AdamW])
@pytest.mark.parametrize(("frozen", "options"), [
    (["embedding"], {}), (["affine"], {}), (["rnn1/Wh", "affine/W"], {}), (["embedding", "rnn1"], {"plain": True}),
    (["embedding"], {"tied": True}), (["affine"], {"tied": True}), (["embedding", "affine"], {"tied": True}),
    (["rnn1", "rnn2", "affine"], {"regularisation": Regularisation(word_dropout=0.3, weight_drop=0.3)}),
    (["tail1/W"], ADAPTIVE), (["embedding"], ADAPTIVE | {"tied": True}), (["tail1"], ADAPTIVE | {"tied": True}),
    (["affine", "tail1", "tail2"], ADAPTIVE), (["embedding", "tail1", "tail2"], ADAPTIVE | {"tied": True})])
def test_what_is_frozen_keeps_every_bit_and_the_rest_moves(frozen, options, optimizer):
    trained = model(frozen, **options)
    before = bytes_of(trained)
    trainer = Trainer(trained, optimizer(0.1, decays=weight_decays(trained, 0.1)), average=Average(), max_grad=0.1)
    for _ in range(3):
        trainer.step(XS, TS)
        trainer.average.update(trained.packing.params, 0.5)
    assert {name for name, array in bytes_of(trained).items() if array == before[name]} == trained.frozen
    with trainer.weights_to_keep():
        assert {name: bytes_of(trained)[name] for name in trained.frozen} == {
            name: before[name] for name in trained.frozen}


@pytest.mark.parametrize("softmax", [{}, ADAPTIVE], ids=["full", "adaptive"])
@pytest.mark.parametrize("plain", [True, False])
@pytest.mark.parametrize(("frozen", "tied"), [(["embedding"], False), (["rnn1", "embedding"], False),
                                              (["affine"], False), (["affine/W"], False), (["rnn2/Wh"], True),
                                              (["embedding"], True), (["affine/b"], True)])
def test_the_other_gradients_are_what_they_were_and_alone_enter_the_norm(frozen, tied, plain, softmax):
    """As one changes nothing before the first step, both models see the same."""
    whole, part = (model(names, tied=tied, plain=plain, **softmax) for names in ((), frozen))
    for each in (whole, part):
        each.forward(XS, TS)
        each.backward()
    squares = 0.0
    for name in whole.packing.param.keys() - part.frozen:
        gradient = np.asarray(whole.packing.grad[name])
        np.testing.assert_array_equal(gradient, np.asarray(part.packing.grad[name]), err_msg=name)
        squares += (gradient.astype(np.float64) ** 2).sum()
    assert global_norm(part.packing.grads) == pytest.approx(math.sqrt(squares), rel=1e-6)
    assert global_norm(whole.packing.grads) > 1.00001 * math.sqrt(squares)


def test_nothing_goes_back_below_what_trains(monkeypatch):
    part = model(["embedding", "rnn1"])
    part.forward(XS, TS)
    for layer in part.layers[:3]:  # embedding, dropout, rnn1
        monkeypatch.setattr(layer, "backward", None)
    part.backward()
    assert part.layers[3:5][-1] is part.recurrent[1]
    part = model(["affine"])
    part.forward(XS, TS)
    monkeypatch.setattr(part.output, "weight_work", None)
    part.backward()


@pytest.mark.parametrize("options", [{}, {"tied": True}, {"plain": True}])
def test_a_copy_is_frozen_as_the_model_is(options):
    one = model(["embedding", "rnn2/b"], **options)
    other = copy.deepcopy(one)
    for each in (one, other):
        Trainer(each, SGD(0.5)).step(XS, TS)
    assert bytes_of(one) == bytes_of(other)
    assert other.frozen == one.frozen


def test_without_frozen_parameters_the_memory_lies_as_it_did():
    packing = model().packing
    assert packing.memory == packing.params
    names = [list(packing.parts(i, array)) for i, array in enumerate(packing.params)]
    assert names[0] == ["rnn1/Wx", "rnn1/Wh", "rnn2/Wx", "rnn2/Wh"]
    assert Architecture("rnn", V, 5, 5, 2).shapes().keys() == {name for group in names for name in group}
