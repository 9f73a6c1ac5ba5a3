"""ONNX files: what they compute, what they refuse, what they say of the model."""

import json
import runpy
import sys
from pathlib import Path

import numpy as np
import pytest
from onnx_evaluator import evaluate

from rnnlm.errors import ArgumentError, DivergenceError, RnnlmError
from rnnlm.exchange.exported import Exported
from rnnlm.exchange.onnx import export, read_tokens, writing
from rnnlm.exchange.onnx.writing import onnx_model
from rnnlm.models import LanguageModel
from rnnlm.text.vocabulary import Vocabulary

onnx = pytest.importorskip("onnx")

V, D, H, EOS = 11, 3, 4, 2
WORDS = ["the", "a", "<eos>", "<unk>", "ein Wort", '"', "über", "\N{SNOWMAN}", "x", "y", "z"]
GOLDEN = Path(__file__).parent.parent / "golden"
BENCHMARKS = Path(__file__).parent.parent.parent / "benchmarks"
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


TOKENS = ["<blk>", "<sos/eos>", "<unk>", "x", "#0", "the", "über"]  # the rest: "a", "ein Wort" and so on
OWN = [V, EOS, 3, 8, V, 0, 6, 1, 4, 5, 7, 9, 10]


def test_with_a_list_of_tokens_the_graph_takes_and_gives_their_ids(rng):
    model = small()
    made = onnx_model(exported(model), True, tokens=TOKENS)
    x = np.array([[1, 5, 3, 12]])
    found = evaluate(made, {"x": x, "h0": zeros(model, 1), "c0": zeros(model, 1)})["log_softmax"]
    own = own_log_probs(model, np.array([[EOS, 0, 8, 10]]))
    expected = np.concatenate([own, np.full((1, 4, 1), -np.inf)], axis=2)[..., OWN]
    np.testing.assert_allclose(found, expected, rtol=1e-11)
    assert np.isneginf(found[..., 0]).all()
    for fusion in (True, False):
        with pytest.raises(IndexError):  # the blank is no word
            evaluate(onnx_model(exported(model), True, fusion, TOKENS),
                     {"x": np.array([[0]]), "h0": zeros(model, 1), "c0": zeros(model, 1)})


def test_with_a_list_of_tokens_whole_texts_have_the_same_scores():
    model = small("gru")
    made = onnx_model(exported(model), tokens=TOKENS)
    found = evaluate(made, {"x": np.array([[5, 6, 12], [3, -1, 99]]), "x_lens": np.array([3, 1])})["nll"]
    np.testing.assert_allclose(found, [own_nll(model, [0, 6, 10]), own_nll(model, [8])], rtol=1e-11)
    for bad in (0, 4, 13, -1):
        with pytest.raises(IndexError):
            evaluate(made, {"x": np.array([[bad]]), "x_lens": np.array([1])})


def test_metadata_of_a_graph_with_other_ids():
    made = onnx_model(exported(small()), True, tokens=TOKENS)
    found = {entry.key: entry.value for entry in made.metadata_props}
    assert [found[key] for key in ("sos_id", "eos_id", "unk_id", "vocab_size")] == ["1", "1", "2", "13"]
    assert json.loads(found["vocabulary"]) == [*TOKENS, "a", "ein Wort", '"', "\N{SNOWMAN}", "y", "z"]
    onnx.checker.check_model(made, full_check=True)
    found = {entry.key: entry.value for entry in onnx_model(exported(small()), tokens=["<blk>", "x"]).metadata_props}
    assert found["eos_id"] == "4"  # behind the list and the, a


@pytest.mark.parametrize(("tokens", "message"), [
    (["x", "x"], "each token is once"), (["<blk>", "<unk>", "</s>", "dog"], "got 4 of which none is one"),
    ([], "got 0 of which"), ("the", "a list of strings")])
def test_tokens_that_are_none_of_the_model(tokens, message):
    with pytest.raises(ArgumentError, match=message):
        onnx_model(exported(small()), tokens=tokens)


def test_tokens_are_read_in_the_order_of_their_ids(tmp_path):
    path = tmp_path / "tokens.txt"
    path.write_bytes("a 1\r\n<blk> 0\n\n3\n▁über 2\n".encode())
    assert read_tokens(path) == ["<blk>", "a", "▁über", " "]


@pytest.mark.parametrize("content", [b"", b"\n", b"a 0\nb 2\n", b"a 0\nb 0\n", b"a\n", b"a 0 1\n", b"a -1\n",
                                     b"\xff 0\n", b"a 0\nb 99999999999999999999\n", "a ²\n".encode()])
def test_files_that_hold_no_tokens(tmp_path, content):
    path = tmp_path / "tokens.txt"
    path.write_bytes(content)
    with pytest.raises(RnnlmError, match=r"tokens\.txt must hold a token and its id on each line"):
        read_tokens(path)
    with pytest.raises(RnnlmError, match="could not be read"):
        read_tokens(tmp_path)


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


@pytest.mark.parametrize(("program", "package"), [("exchange_onnx", "onnxruntime"), ("exchange_sherpa", "sherpa_onnx")])
def test_the_programs_that_compare_name_a_package_that_is_missing(program, package, monkeypatch, capsys):
    monkeypatch.syspath_prepend(BENCHMARKS)
    monkeypatch.setitem(sys.modules, package, None)
    monkeypatch.setattr(sys, "argv", [program, "model.npz", *["text.txt"] * (program == "exchange_onnx")])
    with pytest.raises(SystemExit) as end:
        runpy.run_path(str(BENCHMARKS / f"{program}.py"), run_name="__main__")
    assert end.value.code == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line == f"this needs the package {package}: pip install {package.replace('_', '-')}"
