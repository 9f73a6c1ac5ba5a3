"""ONNX files: what they compute, what they refuse, what they say of the model."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from onnx_evaluator import evaluate

from rnnlm.errors import ArgumentError, DivergenceError, RnnlmError
from rnnlm.exchange.exported import Exported
from rnnlm.exchange.onnx import export, writing
from rnnlm.exchange.onnx.writing import onnx_model
from rnnlm.models import LanguageModel
from rnnlm.text.vocabulary import Vocabulary

onnx = pytest.importorskip("onnx")

V, D, H, EOS = 11, 3, 4, 2
WORDS = ["the", "a", "<eos>", "<unk>", "ein Wort", '"', "über", "\N{SNOWMAN}", "x", "y", "z"]
GOLDEN = Path(__file__).parent.parent / "golden"
CELLS = [("rnn", "tanh"), ("rnn", "relu"), ("mrnn", "tanh"), ("mrnn", "relu"), ("lstm", "tanh"), ("gru", "tanh"),
         ("gru-textbook", "tanh")]
SHAPES = [{}, {"layers": 2, "tied": True}, {"projection": True},
          {"layers": 3, "softmax": "adaptive", "cutoffs": (3, 6)},
          {"tied": True, "softmax": "adaptive", "cutoffs": (4,)}]
ALL = [(cell, activation, shape) for cell, activation in CELLS for shape in SHAPES]


def small(cell="lstm", activation="tanh", seed=0, **options):
    """A float64 model whose weights float32 holds exactly; every bias counts."""
    rng = np.random.default_rng(seed)
    model = LanguageModel(V, D, options.pop("hidden_size", H), cell=cell, activation=activation, rng=rng, plain=True,
                          dtype=np.float64, **options)
    for array in model.params:
        array[...] = (rng.normal(size=array.shape) / 2).astype(np.float32)
    return model


def exported(model, words=WORDS):
    return Exported(model, Vocabulary(words), "c0ffee", {"epochs": 3})


def own_log_probs(model, ids):
    """ln p of every word after each of ids (N, L); carries the state on."""
    scores = model.predict(ids)
    return scores - np.log(np.exp(scores).sum(-1, keepdims=True))


def own_nll(model, words):
    """-ln p of a row of words and its end, from a fresh state."""
    ids = np.array([[EOS, *words, EOS]])
    with model.fresh_state():
        return -model.log_probs(ids[:, :-1], ids[:, 1:]).sum()


def tolerance(shape):
    """The vectors that share a cluster's weights are products, rounded to float32."""
    return 1e-6 if {"tied", "cutoffs"} <= shape.keys() else 1e-11


def zeros(model, N):
    return np.zeros((model.architecture.layers, N, model.architecture.hidden_size))


@pytest.mark.parametrize(("cell", "activation", "shape"), ALL)
def test_whole_texts_of_any_length_have_our_scores(cell, activation, shape, rng):
    model = small(cell, activation, **shape)
    made = onnx_model(exported(model))
    x, lengths = rng.integers(0, V, (4, 5)), np.array([5, 0, 3, 1])
    x[1:, -1] = -7  # behind the ends of the rows, where nothing is read
    x[2, 3] = 1000
    found = evaluate(made, {"x": x, "x_lens": lengths})["nll"]
    expected = [own_nll(model, row[:n]) for row, n in zip(x, lengths, strict=True)]
    np.testing.assert_allclose(found, expected, rtol=tolerance(shape))


@pytest.mark.parametrize(("cell", "activation", "shape"), ALL)
def test_step_by_step_the_state_goes_in_and_out(cell, activation, shape, rng):
    model, N = small(cell, activation, **shape), 3
    by_word, by_text = (onnx_model(exported(model), True, fusion) for fusion in (True, False))
    h, c = zeros(model, N), zeros(model, N)
    if cell != "lstm":
        c += 0.5  # handed on
    before = None
    for L in (1, 2, 0, 4):
        x = rng.integers(0, V, (N, L))
        results = evaluate(by_word, {"x": x, "h0": h, "c0": c})
        of_words = evaluate(by_text, {"x": x, "h0": h, "c0": c})
        assert results["log_softmax"].shape == (N, L, V)
        for name in ("next_h0", "next_c0"):
            np.testing.assert_array_equal(results[name], of_words[name])
        if L == 0:
            np.testing.assert_array_equal(results["next_h0"], h)
            np.testing.assert_array_equal(results["next_c0"], c)
            np.testing.assert_array_equal(of_words["nll"], np.zeros(N))
            continue
        own = own_log_probs(model, x)
        np.testing.assert_allclose(results["log_softmax"], own, rtol=tolerance(shape))
        if before is not None:
            after = np.concatenate([before, own[:, :-1]], axis=1)  # what predicts each word of x
            expected = -np.take_along_axis(after, x[..., np.newaxis], -1).sum((1, 2))
            np.testing.assert_allclose(of_words["nll"], expected, rtol=tolerance(shape))
        before, h, c = own[:, -1:], results["next_h0"], results["next_c0"]
    states = [np.stack(state) for state in zip(*model.get_state(), strict=True)]
    np.testing.assert_allclose(h, states[0], atol=tolerance(shape))
    np.testing.assert_allclose(c, states[1] if cell == "lstm" else np.full_like(c, 0.5), atol=tolerance(shape))


@pytest.mark.parametrize("bad", [-1, V, 2**40, -V])
def test_an_unknown_id_is_an_error(bad):
    model = small()
    with pytest.raises(IndexError):
        evaluate(onnx_model(exported(model)), {"x": np.array([[1, bad]]), "x_lens": np.array([2])})
    for fusion in (True, False):
        with pytest.raises(IndexError):
            evaluate(onnx_model(exported(model), True, fusion),
                     {"x": np.array([[1, bad]]), "h0": zeros(model, 1), "c0": zeros(model, 1)})


@pytest.mark.parametrize("lengths", [[3, 1], [2, -1], [-3, 2]])
def test_a_length_outside_of_the_rows_is_an_error(lengths):
    with pytest.raises(IndexError):
        evaluate(onnx_model(exported(small())), {"x": np.ones((2, 2), np.int64), "x_lens": np.array(lengths)})


@pytest.mark.parametrize("lengths", [[1], [1, 1, 1]])
def test_a_length_for_each_row_is_required(lengths):
    with pytest.raises(ValueError, match="reshape"):
        evaluate(onnx_model(exported(small())), {"x": np.ones((2, 2), np.int64), "x_lens": np.array(lengths)})


def test_a_batch_of_no_row_is_an_error_before_any_recurrent_operator():
    model = small()
    with pytest.raises(IndexError):
        evaluate(onnx_model(exported(model)), {"x": np.ones((0, 2), np.int64), "x_lens": np.ones(0, np.int64)})
    with pytest.raises(IndexError):
        evaluate(onnx_model(exported(model), True),
                 {"x": np.ones((0, 1), np.int64), "h0": zeros(model, 0), "c0": zeros(model, 0)})


def described(values):
    return [(value.name, value.type.tensor_type.elem_type,
             [size.dim_param or size.dim_value for size in value.type.tensor_type.shape.dim]) for value in values]


def test_inputs_and_results_are_those_that_sherpa_onnx_reads_in_this_order():
    ids, numbers = onnx.TensorProto.INT64, onnx.TensorProto.FLOAT
    graph = onnx_model(exported(small())).graph
    assert described(graph.input) == [("x", ids, ["N", "L"]), ("x_lens", ids, ["N"])]
    assert described(graph.output) == [("nll", numbers, ["N"])]
    states = [2, "N", H]
    graph = onnx_model(exported(small("gru", layers=2)), True).graph
    assert described(graph.input) == [("x", ids, ["N", "L"]), ("h0", numbers, states), ("c0", numbers, states)]
    after = [("next_h0", numbers, states), ("next_c0", numbers, states)]
    assert described(graph.output) == [("log_softmax", numbers, ["N", "L", V]), *after]
    graph = onnx_model(exported(small("gru", layers=2)), True, shallow_fusion=False).graph
    assert described(graph.output) == [("nll", numbers, ["N"]), *after]


@pytest.mark.parametrize("streaming", [False, True])
@pytest.mark.parametrize(("cell", "activation"), CELLS)
def test_the_standards_own_checks_pass(cell, activation, streaming):
    made = onnx_model(exported(small(cell, activation, tied=True)), streaming)
    onnx.checker.check_model(made, full_check=True)
    assert made.ir_version == 7
    assert [(one.domain, one.version) for one in made.opset_import] == [("", 14)]
    tensors = {one.name: one for one in made.graph.initializer}
    assert not any(one.data_type == onnx.TensorProto.DOUBLE for one in tensors.values())
    operators = {node.op_type for node in made.graph.node}
    assert {"rnn": "RNN", "mrnn": "Scan", "lstm": "LSTM"}.get(cell, "GRU") in operators


def test_tied_weights_are_in_the_file_once():
    def large(**options):
        made = onnx_model(exported(small(hidden_size=D, **options)))
        return sorted(one.name for one in made.graph.initializer if list(one.dims) == [V, D])

    assert large(tied=True) == ["embedding/W"]
    assert large() == ["affine/W", "embedding/W"]


def test_metadata_say_what_sherpa_onnx_reads_and_where_the_model_comes_from():
    model = small("lstm", layers=2)
    found = {entry.key: entry.value for entry in onnx_model(exported(model), True).metadata_props}
    assert json.loads(found.pop("vocabulary")) == WORDS
    assert json.loads(found.pop("architecture")) == dict(model.architecture)
    assert json.loads(found.pop("tokenizer")) == {"level": "word"}
    assert json.loads(found.pop("training")) == {"epochs": 3}
    assert found == {
        "model_type": "rnnlm", "version": "1", "model_author": "numpy-rnnlm", "comment": "rnnlm with state",
        "sos_id": "2", "eos_id": "2", "unk_id": "3", "vocab_size": "11", "num_layers": "2", "hidden_size": "4",
        "embedding_dim": "3", "model_sha256": "c0ffee"}
    without = ["<s>", *WORDS[1:3], "</s>", *WORDS[4:]]
    assert "unk_id" not in [entry.key for entry in onnx_model(exported(model, without)).metadata_props]


@pytest.mark.parametrize("name", ["offline", "streaming"])
def test_the_bytes_of_a_file_are_stable(name, tmp_path):
    """python tests/exchange/make_golden_onnx.py writes the files anew."""
    from make_golden_onnx import write

    write(tmp_path)
    assert (tmp_path / f"{name}.onnx").read_bytes() == (GOLDEN / f"{name}.onnx").read_bytes()


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path):
    model, path = small(), tmp_path / "model.onnx"
    export(exported(model), path)
    before = path.read_bytes()
    assert onnx.load(path) == onnx_model(exported(model))
    model.params[0][0, 0] = np.inf
    with pytest.raises(DivergenceError, match="embedding/W"):
        export(exported(model), path)
    assert path.read_bytes() == before
    assert [*tmp_path.iterdir()] == [path]
    with pytest.raises(RnnlmError, match="the folder does not exist"):
        export(exported(small()), tmp_path / "none" / "model.onnx")


def test_too_many_weights_for_one_file(tmp_path, monkeypatch):
    monkeypatch.setattr(writing, "MOST_BYTES", 500)
    with pytest.raises(ArgumentError, match=r"smaller than 2 GiB, this model has 0\.0 GiB: export it with --to torch"):
        export(exported(small()), tmp_path / "model.onnx")
    assert not [*tmp_path.iterdir()]


def test_without_the_package_onnx_one_line_names_the_extra(tmp_path, monkeypatch):
    for name in ("onnx", "onnx.helper", "onnx.checker", "onnx.numpy_helper"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(RnnlmError, match=r"pip install 'numpy-rnnlm\[onnx\]'$"):
        export(exported(small()), tmp_path / "model.onnx")
