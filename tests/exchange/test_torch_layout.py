"""Which model the arrays of a stranger's file are."""

import numpy as np
import pytest
from torch_equations import random_arrays

from rnnlm.errors import ArgumentError
from rnnlm.exchange.torch.layout import completed, without_prefix
from rnnlm.models.architecture import Architecture

V, D, H = 7, 3, 4


@pytest.mark.parametrize("cell, blocks", [("rnn", 1), ("gru", 3), ("lstm", 4)])
def test_the_shapes_tell_the_cell_and_the_sizes(cell, blocks):
    found, arrays = completed(random_arrays(blocks, V, D, H, layers=3))
    assert found == Architecture(cell, V, D, H, 3)
    assert len(arrays) == 3 + 3 * 4


def test_the_activation_is_given():
    assert completed(random_arrays(1, V, D, H), "relu")[0].activation == "relu"


@pytest.mark.parametrize("prefix", ["module.", "lm.", "module.model.rnn."])
def test_what_all_names_begin_with_is_left_out(prefix):
    theirs = random_arrays(4, V, D, H)
    assert without_prefix({prefix + name: array for name, array in theirs.items()}).keys() == theirs.keys()


def test_names_that_begin_otherwise_are_refused():
    theirs = random_arrays(4, V, D, H)
    theirs["module.decoder.bias"] = theirs.pop("decoder.bias")
    with pytest.raises(ArgumentError, match="all names of arrays must begin alike, there are '' and 'module"):
        without_prefix(theirs)


@pytest.mark.parametrize("name", ["rnns.0.weight_ih_l0", "rnn.weight_ih_l0_raw", "encoder.layers.0.self_attn.weight",
                                  "decoder", "rnn.weight_ih_l\u0661", "\x1b[2J"])
def test_names_of_another_layout_are_refused(name):
    with pytest.raises(ArgumentError, match="must be those of PyTorch's word_language_model example") as caught:
        without_prefix(random_arrays(4, V, D, H) | {name: np.zeros(1)})
    assert "\x1b" not in str(caught.value)


def test_tied_weights_are_found():
    theirs = random_arrays(4, V, H, H)
    assert not completed(theirs)[0].tied
    encoder = theirs["encoder.weight"]
    for form in ({"decoder.weight": encoder.copy()}, {"decoder.weight": None},
                 {"encoder.weight": None, "decoder.weight": encoder}):
        arrays = {name: array for name, array in (theirs | form).items() if array is not None}
        found, arrays = completed(arrays)
        assert found.tied and "decoder.weight" not in arrays
        np.testing.assert_array_equal(arrays["encoder.weight"], encoder)


def test_matrices_that_are_both_zeros_are_not_taken_for_one():
    theirs = random_arrays(4, V, H, H)
    theirs["encoder.weight"], theirs["decoder.weight"] = np.zeros((2, V, H), np.float32)
    assert not completed(theirs)[0].tied


def test_biases_that_are_not_there_are_zeros():
    theirs = {name: array for name, array in random_arrays(3, V, D, H, 2).items() if "bias" not in name}
    found, arrays = completed(theirs)
    assert found == Architecture("gru", V, D, H, 2)
    assert sorted(name for name in arrays if not arrays[name].any()) == sorted(
        ["decoder.bias", *(f"rnn.bias_{part}_l{layer}" for part in ("ih", "hh") for layer in (0, 1))])


def changed(blocks=4, width=D, layers=2, **shapes):
    """Arrays of which some have another shape, or None: are not there."""
    arrays = random_arrays(blocks, V, width, H, layers)
    for name, shape in shapes.items():
        name = name.replace("__", ".")
        if shape is None:
            del arrays[name]
        else:
            arrays[name] = np.ones(shape, np.float32)
    return arrays


@pytest.mark.parametrize("arrays, message", [
    (changed(rnn__weight_ih_l0_reverse=(4 * H, D)), "is bidirectional (rnn.weight_ih_l0_reverse)"),
    (changed(rnn__weight_hr_l0=(2, H)), "has a proj_size (rnn.weight_hr_l0)"),
    (changed(rnn__weight_hh_l0=None), "rnn.weight_hh_l0 is not there"),
    (changed(encoder__weight=None, decoder__weight=None), "encoder.weight is not there"),
    (changed(encoder__weight=(V,)), "encoder.weight must be a matrix"),
    (changed(encoder__weight=(V, 0)), "encoder.weight must be a matrix"),
    (changed(rnn__weight_hh_l0=(2 * H, H)), "must have 1, 3 or 4 times as many rows as columns"),
    (changed(rnn__weight_hh_l1=(20, 5), rnn__weight_ih_l1=(20, H)), "different hidden sizes cannot be read"),
    (changed(rnn__weight_ih_l0=(4 * H, D + 1)), "l0 must be 16 x 3 beside the other arrays, it is 16 x 4"),
    (changed(rnn__bias_ih_l1=(3,)), "rnn.bias_ih_l1 must be 16"),
    (changed(decoder__weight=(V + 1, H)), "decoder.weight must be 7 x 4"),
    (changed(decoder__bias=(V + 1,)), "decoder.bias must be 7"),
    (changed(decoder__weight=None), "it reads 3 numbers, but the recurrent layers give 4"),
    (changed(rnn__weight_ih_l1=None), "missing: rnn.weight_ih_l1"),
    (changed(rnn__weight_hh_l3=(4 * H, H)), "missing: rnn.weight_hh_l2, rnn.weight_ih_l2 and rnn.weight_ih_l3"),
    (changed(rnn__weight_hh_l999999=(4 * H, H)), "at most 500 recurrent layers, the names go to 999,999"),
    (changed(encoder__bias=(D,)), "besides there: encoder.bias"),
    (changed(projection__bias=(D,)), "besides there: projection.bias"),
    (changed(projection__weight=(D, H)), "decoder.weight must be 7 x 3"),
])
def test_what_is_no_model_of_ours_is_one_clear_line(arrays, message):
    with pytest.raises(ArgumentError) as caught:
        completed(arrays)
    assert message in str(caught.value) and "\n" not in str(caught.value)
