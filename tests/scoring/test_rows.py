"""Rows of scores, against a computation from the arrays of the model file alone."""

import math
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from independent_scores import STEPS, expected_rows, lines_of

import rnnlm
from rnnlm.errors import ArgumentError, RnnlmError
from rnnlm.formats.loaded import Loaded
from rnnlm.formats.model_file import save_model
from rnnlm.models import LanguageModel
from rnnlm.models.cells import CELLS
from rnnlm.scoring.readings import PROTOCOLS
from rnnlm.scoring.rows import BASES
from rnnlm.scoring.score import SMALLEST, part_size
from rnnlm.text.spelled import BLOCK
from rnnlm.text.vocabulary import Vocabulary

WORDS = ["<eos>", "the", "cat", "<unk>", "sat", "é"]
TEXT = ("the cat sat\nthe  dog\tsat é zebra\n\n <unk> the the the cat\n\n\nsat\nzebra\n"
        "the cat the cat the cat sat the dog the dog the cat é\nthe")
ODD = ["\ufeffthe cat\r\nsat\r\n", "the", "\n", "\n\nthe cat\n\n", "zebra", "a\u00a0b the\x1ccat\n", "  \n the \n"]


def a_file(folder, words=WORDS, level="word", counts=None, seed=3, **options):
    model = LanguageModel(len(words), 4, options.pop("hidden_size", 5), layers=2, rng=np.random.default_rng(seed),
                          **options)
    rng = np.random.default_rng(seed)
    for param in model.params:  # away from the near-uniform start
        param += 0.4 * rng.standard_normal(param.shape).astype(np.float32)
    save_model(folder / "model.npz", model, Vocabulary(words, level, counts))
    return folder / "model.npz"


@pytest.fixture(params=["word", "no <unk>", "char"])
def path(request, tmp_path):
    """A model of each kind of vocabulary, with counts."""
    words = {"word": WORDS, "no <unk>": [word for word in WORDS if word != "<unk>"],
             "char": ["<eos>", *" acehst"]}[request.param]
    return a_file(tmp_path, words, "char" if request.param == "char" else "word", range(10, 10 + len(words)))


def require_equal(rows, expected, V):
    assert len(rows) == len(expected)
    for row, wanted in zip(rows, expected, strict=True):
        for name in ("sentence", "position", "word", "known", "frequency"):
            assert row[name] == wanted[name], (name, row, wanted)
        for name in ("log_prob", "surprisal", "entropy", "entropy_reduction"):
            assert row[name] == pytest.approx(wanted[name], rel=1e-6, abs=1e-5, nan_ok=True), (name, row, wanted)
        lower, upper = wanted["ranks"]
        assert lower <= row["rank"] <= upper
        if "top1" in rows.dtype.names:
            tops = [(row[f"top{k}"], row[f"p{k}"]) for k in range(1, V + 1)]
            require_top(tops, wanted["p"])


def require_top(tops, p):
    if p is None:
        assert all(word is None and math.isnan(share) for word, share in tops)
    else:
        np.testing.assert_allclose([share for _, share in tops], sorted(p, reverse=True), atol=1e-6)
        assert len({word for word, _ in tops}) == len(tops)


@pytest.mark.parametrize("base", BASES)
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_every_cell_of_every_protocol_and_base(path, protocol, base):
    model = rnnlm.load(path)
    V = len(model.vocabulary)
    for text in (TEXT, *ODD):
        expected = expected_rows(path, text, protocol, BASES[base])
        require_equal(model.score(text, protocol, top=V, log_base=base), expected, V)


@pytest.mark.parametrize(("cell", "options"), [
    *((cell, {}) for cell in CELLS), ("rnn", {"activation": "relu", "projection": True}), ("lstm", {"tied": True}),
    ("mrnn", {"tied": True, "hidden_size": 4})])
def test_every_cell_of_every_kind_of_model(cell, options, tmp_path):
    assert STEPS.keys() >= CELLS.keys(), "tests/independent_scores.py needs a step of the new cell"
    path = a_file(tmp_path, cell=cell, **options)
    for protocol in PROTOCOLS:
        require_equal(rnnlm.load(path).score(TEXT, protocol), expected_rows(path, TEXT, protocol), len(WORDS))


@pytest.mark.slow
@pytest.mark.parametrize("size", [1, 2, 5, 11, 30, 1000])
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_the_parts_of_a_text_change_nothing(path, protocol, size, monkeypatch):
    """A sentence, and a word with its blanks, may go on in the next part."""
    model, text = rnnlm.load(path), TEXT.replace("the ", "the   ")
    file = path.with_name("text.txt")
    file.write_text(text, encoding="utf-8")
    expected = {by: model.score(file, protocol, by=by) for by in ("word", "piece", "sentence", "text")}
    states = model.states(file, protocol)
    monkeypatch.setattr("rnnlm.text.spelled.BLOCK", size)
    for by, rows in expected.items():
        for form in (file, text):
            found = model.score(form, protocol, by=by)
            assert found.dtype == rows.dtype
            for name in rows.dtype.names:
                if rows[name].dtype.kind == "f":
                    np.testing.assert_allclose(found[name], rows[name], rtol=1e-5, atol=1e-5, err_msg=name)
                else:
                    assert found[name].tolist() == rows[name].tolist(), name
    np.testing.assert_allclose(model.states(file, protocol), states, atol=1e-5)


@pytest.mark.parametrize("text", [TEXT, *ODD])
def test_there_is_a_row_for_each_word_of_the_text_as_it_is_spelled(path, text):
    model = rnnlm.load(path)
    for protocol in PROTOCOLS:
        rows = model.score(text, protocol)
        words = [word for line in lines_of(text) for word in [*re.split("[ \t]+", line), "<eos>"] if word]
        assert rows["word"].tolist() == words
        assert rows["sentence"].tolist() == sorted(rows["sentence"].tolist())
        assert rows["sentence"][-1] == len(lines_of(text)) == np.count_nonzero(rows["word"] == "<eos>")


@settings(deadline=None)
@given(st.lists(st.sampled_from([b"the", b"a", b" ", b"\n", b"\r\n", b"\r", b"\t", b"\x0b", b"\xc3\xa9", b"\xff", b"\0",
                                 b"<eos>", b"\xef\xbb\xbf", b"\x1c"])), st.sampled_from(PROTOCOLS), st.booleans())
def test_any_bytes_are_a_text_or_an_error(tmp_path_factory, parts, protocol, characters):
    data, path = b"".join(parts), tmp_path_factory.getbasetemp() / "any-bytes.txt"
    path.write_bytes(data)
    vocabulary = Vocabulary(["<eos>", *"the "], "char") if characters else Vocabulary(WORDS)
    model = Loaded(LanguageModel(len(vocabulary), 2, 2, rng=np.random.default_rng(0)), vocabulary)
    try:
        rows = model.score(path, protocol)
    except RnnlmError as error:
        assert "\n" not in str(error)
        assert data in (b"", b"\xef\xbb\xbf") or any(bad in data for bad in (b"\xff", b"\0", b"<eos>"))
        return
    words = [word for line in lines_of(data.decode()) for word in [*re.split("[ \t\r\v\f]+", line), "<eos>"] if word]
    assert rows["word"].tolist() == words


def test_the_totals_of_a_stream_are_those_of_evaluate(path):
    model = rnnlm.load(path)
    for text in (TEXT, *ODD):
        result, (row,) = model.evaluate(text), model.score(text, by="text", log_base="e")
        assert (row["sentences"], row["words"], row["unknown"]) == (result.sentences, result.words, result.oov)
        assert row["log_prob"] == pytest.approx(result.log_prob, abs=1e-4)
        assert row["perplexity"] == pytest.approx(result.perplexity, rel=1e-5)
        rows = model.score(text, by="piece", log_base="e")
        assert np.nansum(rows["log_prob"]) == pytest.approx(result.log_prob, abs=1e-4)


def test_what_is_forgotten_is_a_text_of_its_own(path):
    """A line or a paragraph scores what a file with it alone scores."""
    model = rnnlm.load(path)
    for protocol, cut in (("sentence", "\n"), ("document", "\n\n")):
        text = "the cat sat\nthe cat\n\nsat the\n\nthe the\n" if protocol == "document" else "the cat\n\nsat the\n"
        parts = [part.strip("\n") for part in text.split(cut)] if protocol == "document" else text.split("\n")[:-1]
        alone = np.concatenate([model.score(f"{part}\n")["log_prob"] for part in parts])
        together = model.score(text, protocol)
        scored = together["log_prob"][~np.isnan(together["log_prob"])]
        np.testing.assert_allclose(scored, alone, atol=1e-5)


def test_sums_of_sentences(path):
    model = rnnlm.load(path)
    for protocol in PROTOCOLS:
        pieces, rows = model.score(TEXT, protocol, by="piece"), model.score(TEXT, protocol, by="sentence")
        for row, line in zip(rows, lines_of(TEXT), strict=True):
            its = pieces[pieces["sentence"] == row["sentence"]]
            assert row["words"] == len(its) - 1
            assert row["unknown"] == np.count_nonzero(~its["known"])
            if protocol == "document" and not line.strip():
                assert np.isnan([row["log_prob"], row["perplexity"], row["bits_per_byte"]]).all()
                continue
            scored = its["log_prob"][~np.isnan(its["log_prob"])]
            assert row["log_prob"] == pytest.approx(scored.sum(), abs=1e-5)
            assert row["perplexity"] == pytest.approx(2 ** -scored.mean(), rel=1e-5)
            size = len(line.encode()) + 1
            wanted = math.nan if row["unknown"] else -scored.sum() / size
            assert row["bits_per_byte"] == pytest.approx(wanted, rel=1e-5, nan_ok=True)


def test_bytes_are_those_of_the_text_without_its_mark_and_with_one_for_each_line_end(tmp_path):
    model = rnnlm.load(a_file(tmp_path))
    for text in ("é the\n", "é the", "\ufeffé the\r\n"):
        for by in ("sentence", "text"):
            (row,) = model.score(text, by=by)
            assert row["bits_per_byte"] == pytest.approx(-row["log_prob"] / 7)


def test_states_are_those_from_which_each_word_was_predicted(path):
    model = rnnlm.load(path)
    for protocol in PROTOCOLS:
        expected, states = expected_rows(path, TEXT, protocol), model.states(TEXT, protocol)
        assert states.shape == (len(expected), 5)
        for row, state in zip(expected, states, strict=True):
            np.testing.assert_allclose(state, np.full(5, np.nan) if row["hidden"] is None else row["hidden"], atol=1e-5)


def test_states_where_nothing_is_scored(tmp_path):
    model = rnnlm.load(a_file(tmp_path))
    assert np.isnan(model.states("\n\n", "document")).all()
    assert model.states("\n\n", "document").shape == (2, 5)


def test_a_model_without_counts_knows_no_frequencies(tmp_path):
    rows = rnnlm.load(a_file(tmp_path)).score(TEXT)
    assert (rows["frequency"] == -1).all()


def test_pieces_of_a_model_of_characters(tmp_path):
    path = a_file(tmp_path, ["<eos>", *" acehst"], "char", range(8))
    text = " the cat\n\n  \nthe\tcat"
    rows = rnnlm.load(path).score(text, by="piece")
    require_equal(rows, expected_rows(path, text, pieces=True), 8)
    assert rows["word"].tolist()[:5] == [" ", "t", "h", "e", " "]
    words = rnnlm.load(path).score(text)
    assert words["word"].tolist() == ["the", "cat", "<eos>", "<eos>", "<eos>", "the", "cat", "<eos>"]
    assert words["log_prob"][0] == pytest.approx(rows["log_prob"][:5].sum(), abs=1e-5)  # with the blanks around it
    assert words["log_prob"][4] == pytest.approx(rows["log_prob"][10:13].sum(), abs=1e-5)  # a line of blanks
    assert np.isnan(words["log_prob"][5])  # the tab is no character of the vocabulary


def test_pieces_of_a_model_of_words_are_words(tmp_path):
    model = rnnlm.load(a_file(tmp_path))
    assert model.score(TEXT, by="piece").tolist()[:9] == model.score(TEXT).tolist()[:9]


def test_more_words_than_there_are_cannot_be_expected(tmp_path):
    rows = rnnlm.load(a_file(tmp_path)).score("the", top=100)
    assert rows.dtype.names[-2:] == ("top6", "p6")


def test_the_fields_are_those_that_the_page_names(tmp_path):
    model = rnnlm.load(a_file(tmp_path))
    assert model.score("the", top=2).dtype.names == (
        "sentence", "position", "word", "known", "log_prob", "surprisal", "entropy", "entropy_reduction", "rank",
        "frequency", "top1", "p1", "top2", "p2")
    numbers = ("words", "unknown", "log_prob", "perplexity", "bits_per_byte")
    assert model.score("the", by="sentence").dtype.names == ("sentence", *numbers)
    assert model.score("the", by="text").dtype.names == ("sentences", *numbers)


def test_pandas_takes_the_rows(tmp_path):
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(rnnlm.load(a_file(tmp_path)).score(TEXT))
    assert frame["word"].tolist()[:3] == ["the", "cat", "sat"]
    assert frame["surprisal"].dtype == np.float64


@pytest.mark.parametrize(("options", "message"), [
    ({"protocol": "lines"}, r"protocol must be one of stream, document, sentence, got 'lines'"),
    ({"by": "words"}, r"by must be one of word, sentence, text, piece, got 'words': did you mean word\?"),
    ({"log_base": 3}, r"log_base must be one of e, 2, 10, got '3'"), ({"top": -1}, "top must be a whole number"),
    ({"by": "text", "top": 1}, "the most probable words and the states are of words")])
def test_what_cannot_be_scored_is_refused(tmp_path, options, message):
    with pytest.raises(ArgumentError, match=message):
        rnnlm.load(a_file(tmp_path)).score("the", **options)


def test_a_model_without_probabilities_is_an_error(tmp_path):
    model = rnnlm.load(a_file(tmp_path))
    model.model.params[-1][2] = np.inf
    for by in ("word", "sentence", "text"):
        with pytest.raises(RnnlmError, match="the model gives no probabilities: its scores are not finite"):
            model.score("the", by=by)


def test_the_models_own_state_is_left_alone(tmp_path):
    model = rnnlm.load(a_file(tmp_path))
    model.model.predict([[1, 2]])
    before = [array.copy() for state in model.model.get_state() for array in state]
    for protocol in PROTOCOLS:
        model.score(TEXT, protocol)
        with pytest.raises(RnnlmError):
            model.score("the <eos>\n", protocol)
    for array, was in zip([array for state in model.model.get_state() for array in state], before, strict=True):
        np.testing.assert_array_equal(array, was)


def test_parts_are_smaller_where_rows_are_larger():
    rows = [(0, 0), (5, 0), (100, 0), (1000, 0), (0, 800), (0, 10**5)]
    sizes = [part_size(top, state_size) for top, state_size in rows]
    assert sizes[0] == BLOCK
    assert sizes[1:4] == sorted(sizes[1:4], reverse=True)
    assert sizes[3] == sizes[5] == SMALLEST
    assert SMALLEST < sizes[4] < BLOCK
