import threading
from dataclasses import fields, replace

import numpy as np
import pytest
from gradient_check import check_gradient

from rnnlm.compute.row_gradient import RowGradient
from rnnlm.compute.threads import Workers
from rnnlm.errors import ArgumentError
from rnnlm.layers import TimeDropout
from rnnlm.models import CELLS, LanguageModel, Regularisation, Start

ALL = Regularisation(dropout=0.3, output_dropout=0.2, input_dropout=0.1, word_dropout=0.2, weight_drop=0.3,
                     per_window=True, activation_penalty=2.0, slowness_penalty=1.0)


def require_agreement(model, case):
    """The second window's loss and gradients are an independent implementation's.

    The names are without the cell's.
    """
    cell = CELLS[model.architecture["cell"]].prefix

    def named(arrays):
        return {f"{cell}{name}" if name[0].isdigit() else name: np.array(array) for name, array in arrays.items()}

    params, grads = named(case["params"]), named(case["grads"])
    for name, param in model.named_params().items():
        param[...] = params.pop(name)
    assert not params
    xs, ts, T = np.array(case["xs"]), np.array(case["ts"]), case["T"]
    model.predict(xs[:, :T])
    assert model.forward(xs[:, T:], ts[:, T:]) == pytest.approx(case["loss"], rel=1e-12)
    model.backward()
    for name, grad in zip(model.named_params(), model.grads, strict=True):
        np.testing.assert_allclose(grad, grads[name], rtol=1e-10, atol=1e-14, err_msg=name)


@pytest.mark.parametrize("plain", [True, False], ids=["plain", "fast"])
def test_loss_and_gradients_agree_with_an_independent_implementation(plain, golden, rng):
    case = golden["language_model"]
    require_agreement(LanguageModel(*case["sizes"], layers=2, rng=rng, dtype=np.float64, plain=plain), case)


@pytest.mark.parametrize("plain", [True, False], ids=["plain", "fast"])
@pytest.mark.parametrize("cell", ["tanh", "relu", *list(CELLS)[1:], "relu mrnn", "lstm, D = H", "gru, D = H"])
def test_models_with_tied_vectors_agree_with_an_independent_implementation(cell, plain, golden, rng):
    case = golden["tied_language_models"].get(cell)
    assert case, f"golden/make_golden.py has no model of the cell {cell}"
    kinds = {"tanh": {}, "relu": {"activation": "relu"}, "relu mrnn": {"cell": "mrnn", "activation": "relu"}}
    kind = kinds.get(cell, {"cell": cell.split(",")[0]})
    model = LanguageModel(*case["sizes"], layers=2, tied=True, rng=rng, dtype=np.float64, plain=plain, **kind)
    require_agreement(model, case)


@pytest.mark.parametrize("plain", [True, False], ids=["plain", "fast"])
@pytest.mark.parametrize("output", [{}, {"projection": True}, {"tied": True}, {"tied": True, "wordvec_size": 4}],
                         ids=str)
@pytest.mark.parametrize("cell", [{"cell": cell} for cell in CELLS] + [
    {"activation": "relu"}, {"cell": "mrnn", "activation": "relu"}], ids=str)
@pytest.mark.parametrize("layers", [1, 3])
@pytest.mark.parametrize(("N", "T"), [(1, 1), (2, 4)])
def test_gradients_of_the_whole_model_against_differences(layers, N, T, cell, output, plain, rng):
    """With all regularisation: the masks are drawn from the same seed every time."""
    sizes = {"vocab_size": 6, "wordvec_size": 3, "hidden_size": 4, "layers": layers} | cell | output
    model = LanguageModel(**sizes, regularisation=ALL, rng=rng, dtype=np.float64, plain=plain)
    for name, param in model.named_params().items():
        if name.endswith(("/b", "/bh")):
            param += rng.normal(size=param.shape)  # a relu of exactly 0 has no derivative
    xs, ts = rng.integers(0, 6, (2, N, T))
    masks = model.dropout_rng.bit_generator.state

    def loss():
        model.reset_state()
        model.dropout_rng.bit_generator.state = masks
        loss = model.forward(xs, ts)
        return loss + sum(layer.penalty() for layer in model.layers if hasattr(layer, "penalty"))

    loss()
    model.backward()
    model.backward()  # twice is once
    check_gradient(loss, model.params, [np.asarray(grad) for grad in model.grads], rng)


@pytest.mark.parametrize("cell", ["rnn", "mrnn"])
@pytest.mark.parametrize("plain", [True, False])
def test_relu_is_another_function(cell, plain, rng):
    models = [LanguageModel(6, 3, 4, cell=cell, activation=activation, plain=plain, rng=np.random.default_rng(0))
              for activation in ("tanh", "relu")]
    xs, ts = rng.integers(0, 6, (2, 2, 4))
    assert models[0].forward(xs, ts) != models[1].forward(xs, ts)
    assert (models[1].states(xs) >= 0).all()


@pytest.mark.parametrize("plain", [True, False], ids=["plain", "fast"])
def test_a_tied_weight_is_one_array_with_one_gradient(plain, rng):
    model = LanguageModel(6, 4, 4, tied=True, rng=rng, plain=plain)
    named = model.named_params()
    assert list(named) == ["embedding/W", "rnn1/Wx", "rnn1/Wh", "rnn1/b", "affine/b"]
    assert np.shares_memory(named["embedding/W"], model.embedding.params[0])
    assert np.shares_memory(named["embedding/W"], model.output.params[0])
    assert sum(p.size for p in model.packing.params) == 6 * 4 + 2 * 4 * 4 + 4 + 6
    assert not any(isinstance(grad, RowGradient) for grad in model.grads)
    named["embedding/W"][2, 3] = 7
    assert model.embedding.params[0][2, 3] == model.output.params[0][3, 2] == 7


def test_equal_values_do_not_tie_weights():
    model = LanguageModel(4, 4, 4, rng=None)  # all zeros
    model.named_params()["embedding/W"][...] = 1
    assert not model.named_params()["affine/W"].any()


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("output", [{}, {"projection": True}, {"tied": True}])
def test_declared_shapes_are_those_of_the_model(cell, output, rng):
    model = LanguageModel(6, 3, 4, layers=2, cell=cell, **output, rng=rng)
    shapes = LanguageModel.param_shapes(**model.architecture)
    assert {name: param.shape for name, param in model.named_params().items()} == shapes
    assert list(shapes) == list(model.named_params())
    second = {name.partition("2/")[2]: shape for name, shape in shapes.items() if "2/" in name}
    assert second == CELLS[cell].plain.param_shapes(4, 4)
    assert ("affine/W" in shapes, "projection/W" in shapes) == (not output.get("tied"), bool(output))
    assert LanguageModel(6, 3, 4, layers=2, cell=cell, **output, rng=None).named_params().keys() == shapes.keys()


def test_the_arrays_of_a_layer_have_the_shapes_that_the_formulas_say():
    shapes = {cell: tuple(CELLS[cell].plain.param_shapes(2, 5).values()) for cell in CELLS}
    assert shapes["rnn"] == ((2, 5), (5, 5), (5,))
    assert shapes["mrnn"] == ((2, 10), (5, 5), (10,))
    assert shapes["lstm"] == ((2, 20), (5, 20), (20,))
    assert shapes["gru"] == ((2, 15), (5, 15), (15,), (5,))
    assert shapes["gru-textbook"] == ((2, 15), (5, 15), (15,))


def first(cell="rnn", start=None, H=40, D=30, layers=1):
    return LanguageModel(6, D, H, layers, cell=cell, start=start, rng=np.random.default_rng(0)).named_params()


def test_recurrent_weights_start_as_asked():
    identity = first(start=Start("identity", 0.5))["rnn1/Wh"]
    np.testing.assert_array_equal(identity, 0.5 * np.eye(40))
    for cell, kind in CELLS.items():
        blocks = np.split(first(cell, Start("orthogonal", 2.0))[f"{kind.prefix}1/Wh"], kind.plain.state_blocks, axis=1)
        for block in blocks:
            np.testing.assert_allclose(block.T @ block, 4 * np.eye(40), atol=1e-5)
        assert all((block != blocks[0]).any() for block in blocks[1:])  # the gates start independently
    assert first(start=Start("normal", 3.0))["rnn1/Wh"].std() == pytest.approx(3 / np.sqrt(40), rel=0.1)
    scales = first(start=Start("time-scales", 1.0))["rnn1/Wh"]
    np.testing.assert_allclose(np.diag(scales), np.linspace(0, 0.95, 40), atol=0.25)
    slow = first(start=Start(slowest=0.99))
    np.testing.assert_allclose(np.diag(slow["rnn1/Wh"]), np.linspace(0, 0.99, 40), atol=0.25)
    narrow = first(start=Start("normal"), D=2000)["rnn1/Wx"].std(axis=0)  # every unit's inputs weigh the same
    np.testing.assert_allclose(narrow, 1 / np.sqrt(2000), rtol=0.1)
    np.testing.assert_allclose(first(D=2000)["rnn1/Wx"].std(axis=0) * np.sqrt(2000),
                               np.sqrt(1 - np.linspace(0, 0.95, 40) ** 2), rtol=0.1)  # a slow one's less
    np.testing.assert_array_equal(scales, first()["rnn1/Wh"])
    np.testing.assert_array_equal(scales, first("mrnn")["mrnn1/Wh"])
    into_the_state, into_the_factor = np.split(first("mrnn", D=2000)["mrnn1/Wx"].std(axis=0) * np.sqrt(2000), 2)
    np.testing.assert_allclose(into_the_state, np.sqrt(1 - np.linspace(0, 0.95, 40) ** 2), rtol=0.1)
    np.testing.assert_allclose(into_the_factor, 1, rtol=0.1)
    wilder = first(start=Start("time-scales", 2.0))["rnn1/Wh"]
    np.testing.assert_allclose(wilder - np.diag(np.diag(wilder)), 2 * (scales - np.diag(np.diag(scales))), rtol=1e-6)
    with pytest.raises(ValueError, match="cells without gates"):
        first("lstm", Start("time-scales"))


def test_the_input_gain_and_the_forget_gate():
    one, four = first(layers=2), first(start=Start(input_gain=4.0), layers=2)
    np.testing.assert_allclose(four["rnn1/Wx"], 4 * one["rnn1/Wx"], rtol=1e-6)
    np.testing.assert_array_equal(four["rnn2/Wx"], one["rnn2/Wx"])  # states are not as small as word vectors
    np.testing.assert_array_equal(first("lstm")["lstm1/b"], [1] * 40 + [0] * 120)  # f, g, i, o
    for cell in ("gru", "gru-textbook"):
        assert not any(array.any() for name, array in first(cell).items() if name.startswith("gru1/b"))


def test_names_cover_every_parameter_once(rng):
    model = LanguageModel(6, 3, 4, layers=2, rng=rng)
    named = model.named_params()
    assert list(named) == ["embedding/W", "rnn1/Wx", "rnn1/Wh", "rnn1/b", "rnn2/Wx", "rnn2/Wh", "rnn2/b",
                           "affine/W", "affine/b"]
    assert [id(p) for p in named.values()] == [id(p) for p in model.params]
    assert {p.dtype for p in model.params} == {np.dtype(np.float32)}


def test_a_fresh_state_is_fresh_and_leaves_no_trace(rng):
    model = LanguageModel(6, 3, 4, layers=2, regularisation=ALL, rng=rng)
    xs = rng.integers(0, 6, (2, 5))
    model.predict(xs)
    state = model.get_state()
    with model.fresh_state():
        inside = model.predict(xs[:1]).copy()
        again = model.predict(xs[:1])
        assert (inside != again).any()  # the state is carried inside the block
    with model.fresh_state():
        np.testing.assert_array_equal(model.predict(xs[:1]), inside)  # from zeros, and without dropout
    for (before,), (after,) in zip(state, model.get_state(), strict=True):
        np.testing.assert_array_equal(before, after)
    assert len(model.switches) == 6
    assert all(layer.train for layer in model.switches)


@pytest.mark.parametrize(("plain", "kind"), [(True, "Time"), (False, "Fast")])
def test_layers_stand_where_the_page_says(plain, kind, rng):
    model = LanguageModel(6, 3, 4, layers=2, regularisation=Regularisation(dropout=0.5, input_dropout=0.1), rng=rng,
                          plain=plain)
    kinds = [type(layer).__name__ + str(getattr(layer, "ratio", "")) for layer in [*model.layers, model.output]]
    assert kinds == [f"{kind}Embedding", "TimeDropout0.1", f"{kind}RNN", "TimeDropout0.5", f"{kind}RNN",
                     "TimeDropout0.5", f"{kind}Output"]
    assert [layer.per_window for layer in model.layers if isinstance(layer, TimeDropout)] == [False] * 3


@pytest.mark.parametrize(("plain", "kind"), [(True, "Time"), (False, "Fast")])
def test_layers_that_regularise_stand_where_the_page_says(plain, kind, rng):
    model = LanguageModel(6, 3, 4, layers=2, cell="lstm", tied=True, regularisation=ALL, rng=rng, plain=plain)
    kinds = [type(layer).__name__ + str(getattr(layer, "ratio", "")) for layer in [*model.layers, model.output]]
    assert kinds == ["TimeWordDropout0.2", "TimeDropout0.1", f"{kind}LSTM", "TimeDropout0.3", f"{kind}LSTM",
                     "TimeSlownessPenalty", "TimeDropout0.2", "TimeActivationPenalty", f"{kind}Affine", f"{kind}Output"]
    assert [layer.per_window for layer in model.layers if isinstance(layer, TimeDropout)] == [True] * 3
    assert all(layer.weight_drop.ratio == 0.3 for layer in model.recurrent)
    assert model.recurrent[0].weight_drop is not model.recurrent[1].weight_drop


def test_dropout_rises_evenly_from_where_it_starts(rng):
    ratios = [0.2, 0.1, 0.3, 0.2, 0.3, 0.3]  # words, input, between, output, and the recurrent weights of both layers
    for start, progress, factor in [(1, 0, 1), (0.5, 0, 0.5), (0.5, 0.5, 0.75), (0.5, 1, 1), (0, 0, 0), (0, 0.3, 0.3)]:
        regularisation = replace(ALL, dropout_start=start)
        model = LanguageModel(6, 3, 4, layers=2, regularisation=regularisation, rng=rng)
        model.set_progress(0.9)  # whatever was before
        model.set_progress(progress)
        assert [layer.ratio for layer in model.switches] == pytest.approx([factor * ratio for ratio in ratios])


@pytest.mark.parametrize("field", fields(Regularisation), ids=lambda field: field.name)
def test_every_regularisation_is_checked_when_it_is_given_and_has_gradients_to_check(field):
    for junk in ("a", np.nan, [0.1]):
        with pytest.raises(ArgumentError, match=f"{field.name} must be"):
            Regularisation(**{field.name: junk})
    if field.name != "dropout_start":  # which is the Trainer's to use
        assert getattr(ALL, field.name) != field.default, f"give {field.name} a value in ALL"


@pytest.mark.parametrize("start", [-0.1, 1.1])
def test_dropout_starts_at_a_share_of_itself(start):
    with pytest.raises(ValueError, match=f"dropout_start must be a number from 0 to 1, got {start}"):
        Regularisation(dropout=0.5, dropout_start=start)


def test_where_dropout_starts_at_nothing_nothing_is_left_out_at_first(rng):
    regularisation = Regularisation(dropout=0.5, input_dropout=0.5, word_dropout=0.5, weight_drop=0.5, dropout_start=0)
    model = LanguageModel(6, 3, 4, regularisation=regularisation, rng=rng, dtype=np.float64)
    xs, ts = rng.integers(0, 6, (2, 2, 5))
    model.set_progress(0.0)
    loss = model.forward(xs, ts)
    with model.fresh_state():
        assert loss == model.forward(xs, ts)
    model.set_progress(1.0)
    model.reset_state()
    assert loss != model.forward(xs, ts)


def test_masks_come_from_the_seed():
    masks = []
    for seed in (1, 2):
        model = LanguageModel(6, 3, 4, regularisation=Regularisation(dropout=0.5), rng=np.random.default_rng(seed))
        masks.append(model.layers[-1].forward(np.ones((5, 5, 5), np.float32)))
    assert (masks[0] != masks[1]).any()


def spied(method, order, meet):
    """The method, which tells when it begins, and first waits for another thread."""

    def spy(*args):
        if meet and method.__name__ not in order:
            meet(10)
        order.append(method.__name__)
        return method(*args)

    return spy


@pytest.mark.parametrize("tied", [True, False])
def test_large_layers_go_back_after_the_output_layer_small_ones_beside_it(tied, rng, monkeypatch):
    xs, ts = rng.integers(0, 5000, (2, 4, 6))
    monkeypatch.setattr("rnnlm.layers.fast.output.LARGE", 1)  # the vocabulary is four pieces of work
    grads = []
    for large in (10**9, 1):
        monkeypatch.setattr("rnnlm.layers.fast.recurrent.LARGE_STEP", large)
        with Workers(2) as workers:
            model = LanguageModel(5000, 6, 8, tied=tied, dtype=np.float64, rng=np.random.default_rng(0),
                                  workers=workers)
            order, meet = [], threading.Barrier(2)  # passed by two threads that are there at the same time
            for layer, name in ((model.recurrent[0], "backward"), (model.output, "_weights")):
                monkeypatch.setattr(layer, name, spied(getattr(layer, name), order, meet.wait if large > 1 else None))
            model.forward(xs, ts)
            model.backward()
        assert large > 1 or order == ["_weights"] * (len(order) - 1) + ["backward"]
        grads.append([np.array(grad) for grad in model.packing.grads[1:]])
    assert len(order) > 2
    for one, other in zip(*grads, strict=True):
        assert one.any()
        np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-15)


def test_one_seed_gives_the_same_model_and_the_same_dropout():
    xs = np.arange(10).reshape(2, 5) % 6
    first, again = (LanguageModel(6, 3, 4, regularisation=ALL, rng=np.random.default_rng(3)) for _ in range(2))
    for _ in range(2):
        np.testing.assert_array_equal(first.predict(xs), again.predict(xs))


@pytest.mark.parametrize(("options", "message"), [
    ({"top": -1}, "top must be a whole number of at least 0, got -1"), ({"top": 1.5}, "top must be a whole number"),
    ({"wanted": np.ones((2, 3))}, r"wanted must be None or an array of bool, of shape \(2, 3\), got an array of"),
    ({"wanted": np.ones((3, 2), bool)}, "wanted must be None or an array of bool"),
    ({"wanted": True}, "wanted must be"),
    ({"repeats": [[False] * 3] * 2}, "repeats must be None or an array of bool")])
def test_what_is_not_wanted_of_a_word_is_named(options, message):
    model = LanguageModel(5, 3, 4, rng=np.random.default_rng(0))
    with pytest.raises(ArgumentError, match=message):
        model.word_scores(np.zeros((2, 3), int), np.zeros((2, 3), int), **options)
