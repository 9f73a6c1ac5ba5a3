"""Our arrays under PyTorch's names compute what PyTorch's equations say, both ways."""

import numpy as np
import pytest
from torch_equations import logits, random_arrays

from rnnlm.exchange.torch.layout import completed
from rnnlm.exchange.torch.weights import fill_from_torch, new_model, to_torch, torch_shapes
from rnnlm.models import LanguageModel

V, D, H = 7, 3, 4
IDS = [2, 0, 6, 6, 1, 3]
CELLS = {"rnn": 1, "gru": 3, "lstm": 4}
FORMS = {"plain": (D, {}), "projection": (D, {"projection": True}), "tied": (H, {"tied": True}),
         "tied with a projection": (D, {"tied": True, "projection": True}),
         "tied, of one size, with a projection": (H, {"tied": True, "projection": True})}


def random_model(cell, layers=1, width=D, dtype=np.float64, **more):
    """A model all of whose arrays are random, its biases, too."""
    rng = np.random.default_rng(1)
    model = LanguageModel(V, width, H, layers, cell=cell, rng=None, dtype=dtype, **more)
    for param in model.params:
        param[...] = rng.standard_normal(param.shape)
    return model


def scores(model):  # (T, V)
    model.set_training(False)
    return model.predict(np.array([IDS], np.int32))[0]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("layers", [1, 3])
@pytest.mark.parametrize("cell, activation", [("rnn", "tanh"), ("rnn", "relu"), ("lstm", "tanh"), ("gru", "tanh")])
def test_what_goes_out_computes_the_same_by_the_equations_of_pytorch(cell, activation, layers, form):
    width, more = FORMS[form]
    model = random_model(cell, layers, width, activation=activation, **more)
    arrays = to_torch(model)
    assert {name: array.shape for name, array in arrays.items()} == torch_shapes(model.architecture)
    assert ("decoder.weight" in arrays) is not model.architecture.tied
    np.testing.assert_allclose(scores(model), logits(cell, activation, layers, arrays, IDS), rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("cell, activation", [("rnn", "tanh"), ("rnn", "relu"), ("lstm", "tanh"), ("gru", "tanh")])
def test_what_comes_in_computes_what_pytorch_does_with_its_two_biases(cell, activation):
    theirs = random_arrays(CELLS[cell], V, D, H, layers=2)
    architecture, arrays = completed(theirs, activation)
    model = LanguageModel(**architecture, rng=None, dtype=np.float64)
    fill_from_torch(model, arrays)
    assert (architecture.cell, architecture.layers) == (cell, 2)
    np.testing.assert_allclose(scores(model), logits(cell, activation, 2, theirs, IDS), rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru", "mrnn", "gru-textbook"])
def test_out_and_in_again_gives_equal_arrays(cell, form):
    width, more = FORMS[form]
    model = random_model(cell, 2, width, np.float32, **more)
    again = new_model(model.architecture, to_torch(model))
    for ours, back in zip(model.params, again.params, strict=True):
        np.testing.assert_array_equal(ours, back)


def test_blocks_of_an_lstm_are_in_the_order_of_pytorch():
    model = LanguageModel(V, D, H, cell="lstm", rng=None)
    model.named_params()["lstm1/b"][...] = np.repeat([1, 2, 3, 4], H)  # f, g, i, o
    arrays = to_torch(model)
    assert arrays["rnn.bias_ih_l0"][::H].tolist() == [3, 1, 2, 4]  # i, f, g, o
    assert not arrays["rnn.bias_hh_l0"].any()


def test_blocks_of_a_gru_and_the_bias_that_the_reset_gate_multiplies():
    model = LanguageModel(V, D, H, cell="gru", rng=None)
    params = model.named_params()
    params["gru1/b"][...], params["gru1/bh"][...] = np.repeat([1, 2, 3], H), 4  # z, r, n
    arrays = to_torch(model)
    assert arrays["rnn.bias_ih_l0"][::H].tolist() == [2, 1, 3]  # r, z, n
    assert arrays["rnn.bias_hh_l0"][::H].tolist() == [0, 0, 4]
    arrays["rnn.bias_hh_l0"] = np.repeat([10.0, 20, 30], H).astype(np.float32)
    back = new_model(model.architecture, arrays).named_params()
    assert back["gru1/b"][::H].tolist() == [21, 12, 3] and set(back["gru1/bh"]) == {30}


def test_a_sum_of_biases_that_overflows_is_refused():
    arrays = random_arrays(1, V, D, H)
    arrays["rnn.bias_ih_l0"][0] = arrays["rnn.bias_hh_l0"][0] = 3e38
    with pytest.raises(ValueError, match="rnn1/b would hold numbers that are not finite"):
        new_model(*completed(arrays))
