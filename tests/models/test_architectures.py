"""The table of cells, the architecture and its parameters, from which all is made."""

import json
import tracemalloc
from dataclasses import FrozenInstanceError
from importlib import import_module

import numpy as np
import pytest

from rnnlm import layers
from rnnlm.compute.threads import Workers
from rnnlm.errors import ArgumentError
from rnnlm.layers.fast import FastRNN
from rnnlm.models import CELLS, Architecture, LanguageModel
from rnnlm.models.architecture import FIRST
from rnnlm.models.cells import Cell
from rnnlm.models.start import FIRST_VALUES
from rnnlm.training.optimizers import SGD
from rnnlm.training.trainer import Trainer


def test_an_architecture_is_what_files_hold_and_what_a_model_is_made_of():
    architecture = Architecture("mrnn", 9, 3, 4, 2, tied=np.True_)
    values = {"cell": "mrnn", "vocab_size": 9, "wordvec_size": 3, "hidden_size": 4, "layers": 2,
              "activation": "tanh", "tied": True, "projection": True}
    assert json.loads(json.dumps(dict(architecture))) == values
    assert list(dict(architecture)) == list(values)
    assert Architecture.from_file(values) == Architecture(**values) == architecture
    assert LanguageModel(**architecture, rng=None).architecture == architecture
    with pytest.raises(FrozenInstanceError):
        architecture.layers = 3
    with pytest.raises(KeyError, match="shapes"):
        architecture["shapes"]


def test_an_early_file_says_less():
    early = {"cell": "rnn", "vocab_size": 9, "wordvec_size": 3, "hidden_size": 4, "layers": 1, "dropout": 0.5}
    assert Architecture.from_file(early) == Architecture("rnn", 9, 3, 4, 1)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("output", [{}, {"projection": True}, {"tied": True}])
def test_a_parameter_is_one_entry_with_all_that_is_made_from_it(cell, output, rng):
    architecture = Architecture(cell, 9, 3, 4, 2, **output)
    parameters = list(architecture.parameters())
    model = LanguageModel(**architecture, rng=rng)
    assert [parameter.name for parameter in parameters] == list(model.named_params())
    for parameter, param, grad in zip(parameters, model.params, model.grads, strict=True):
        assert parameter.shape == param.shape == grad.shape
        assert param.flags[f"{parameter.order}_CONTIGUOUS"]
        assert parameter.group == ("biases" if param.ndim == 1 else "words" if 9 in param.shape else "matrices")
        assert parameter.first in FIRST_VALUES


@pytest.mark.parametrize("cell", CELLS)
def test_a_row_of_the_table_is_whole(cell):
    """What to look at when a cell was added: what follows says what is missing."""
    row = CELLS[cell]
    shapes = row.plain.param_shapes(3, 4)
    assert shapes.keys() <= FIRST.keys(), "how first values of this array are made is not in FIRST"
    for name, blocks in row.biases.items():
        assert shapes[name] == (4 * len(blocks),), "a number for each block of the biases"
    assert row.fast is None or issubclass(row.fast, row.plain)
    assert row.gated or issubclass(row.plain, layers.TimeRNN), "a cell without gates takes an activation"
    step = getattr(import_module(row.plain.__module__), row.plain.__name__.removeprefix("Time"), None)
    assert step and step.__doc__, f"{row.plain.__module__} has no step to read next to {row.plain.__name__}"
    assert row.title and row.prefix


def test_a_cell_without_a_fast_layer_runs_on_the_plain_one(monkeypatch, rng):
    losses = []
    xs, ts = rng.integers(0, 9, (2, 3, 5))
    for name, fast in (("slow", None), ("quick", CELLS["lstm"].fast)):
        monkeypatch.setitem(CELLS, name, Cell(layers.TimeLSTM, fast, "LSTM", "lstm", gated=True))
        with Workers(2) as workers:
            model = LanguageModel(9, 3, 4, layers=2, cell=name, rng=np.random.default_rng(0), dtype=np.float64,
                                  workers=workers)
            trainer = Trainer(model, SGD(0.5), workers=workers)
            losses.append([trainer.step(xs, ts).loss for _ in range(3)])
        assert type(model.recurrent[1]) is (fast or layers.TimeLSTM)
    assert losses[0] == pytest.approx(losses[1], rel=1e-12)


def test_a_model_is_built_in_its_own_memory():
    """First values are drawn in slices, and nothing of size is made twice."""
    LanguageModel(9, 3, 4, rng=np.random.default_rng(0))
    for tied in (False, True):
        tracemalloc.start()
        try:
            model = LanguageModel(100_000, 60, 60, tied=tied, rng=np.random.default_rng(0))
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        packing = model.packing
        own = sum(array.nbytes for array in (*packing.params, *packing.grads) if isinstance(array, np.ndarray))
        assert own > 48e6
        assert peak < 1.1 * own


@pytest.mark.parametrize("cls", [layers.TimeRNN, FastRNN])
def test_a_layers_arrays_have_their_textbook_names(cls, rng):
    layer = cls(*(rng.normal(size=shape) for shape in ((3, 4), (4, 4), (4,))))
    Wx = layer.params[0]
    layer.Wx = np.ones((3, 4))
    assert layer.Wx is layer.params[0] is Wx
    assert (Wx == 1).all()
    layer.backward(layer.forward(rng.normal(size=(2, 5, 3))))
    assert layer.dWx is layer.grads[0]
    rule = r"^Wh of (Time|Fast)RNN must be an array of numbers of shape \(4, 4\), got "
    with pytest.raises(ArgumentError, match=rule):
        layer.Wh = np.ones((4, 1))
    with pytest.raises(ArgumentError, match=r"^b of"):
        layer.b = ["0"] * 4
    with pytest.raises(AttributeError, match=r"dWx of (Time|Fast)RNN is what backward fills: it cannot be set"):
        layer.dWx = np.ones((3, 4))


@pytest.mark.parametrize("plain", [True, False])
def test_an_output_layer_goes_back_in_two_steps(plain, rng):
    model = LanguageModel(9, 3, 4, rng=rng, plain=plain, dtype=np.float64)
    xs, ts = rng.normal(size=(2, 5, 4)), rng.integers(0, 9, (2, 5))
    output = model.output
    output.forward(xs, ts)
    with pytest.raises(ArgumentError, match="needs the values of the last backward_states: call backward_states first"):
        output.backward_weights()
    dxs = output.backward()
    grads = [grad.copy() for grad in output.grads]
    for grad in output.grads:
        grad[...] = np.nan
    np.testing.assert_array_equal(output.backward_states(), dxs)
    assert all(np.isnan(grad).all() for grad in output.grads)
    for piece in output.weight_work():
        piece()
    for grad, expected in zip(output.grads, grads, strict=True):
        np.testing.assert_array_equal(grad, expected)
