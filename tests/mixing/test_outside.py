"""Probabilities of another program: read line by line, mixed token by token."""

import io
import math
import sys

import numpy as np
import pytest
from mixing_models import a_network

from rnnlm.errors import ArgumentError, RnnlmError
from rnnlm.mixing.figures import evaluate_parts
from rnnlm.mixing.mixture import Mixture
from rnnlm.mixing.outside import OutsideProbs, WithOutside, linear_mixture
from rnnlm.scoring.evaluation import evaluate, token_log_probs
from rnnlm.scoring.generation import generate
from rnnlm.scoring.score import score_rows
from rnnlm.text.encoded import encode_text
from rnnlm.text.spelled import spelled_string
from rnnlm.text.vocabulary import Vocabulary

WORDS = ["<eos>", "<unk>", *"abcdefghij"]
TEXT = "a b c\n\nd x e\nf\n"  # 3 + 1, 0 + 1, 3 + 1, 1 + 1 tokens
PROBS = [0.5, 0.25, 0.125, 0.9, 1, 0.3, 0, 0.2, 0.6, 0.7, 0.8]


def a_file(tmp_path, lines=PROBS, end="\n"):
    path = tmp_path / "probs.txt"
    path.write_text("\n".join(map(str, lines)) + end)
    return path


def the_parts():
    return [a_network(0), a_network(1)], Vocabulary(WORDS)


def the_rows(model, vocabulary, **options):
    return np.concatenate(list(score_rows(model, vocabulary, spelled_string(TEXT, vocabulary), base=math.e,
                                          details=False, **options)))


@pytest.mark.parametrize("weights", [[0.5, 0.3, 0.2], [0, 0, 1], [0.6, 0.4, 0]])
@pytest.mark.parametrize("window", [1, 4, 1024])
def test_a_text_is_mixed_token_by_token(weights, window, tmp_path):
    parts, vocabulary = the_parts()
    text = encode_text(TEXT, vocabulary)
    alone = [np.exp(token_log_probs(part, text, 0)) for part in parts]
    mixed = np.dot(weights, [*alone, PROBS])
    model = linear_mixture(parts, weights, OutsideProbs(a_file(tmp_path)))
    with np.errstate(divide="ignore"):
        result, figures = evaluate_parts(model, text, 0, window)
        assert result.log_prob == pytest.approx(np.log(mixed).sum(), rel=1e-5)
    assert [part.weight for part in figures] == pytest.approx(weights)
    assert [part.log_prob for part in figures[:2]] == pytest.approx([np.log(p).sum() for p in alone], rel=1e-5)
    assert figures[2].log_prob == pytest.approx(sum(math.log(p) for p in PROBS if p))
    assert [(part.targets, part.zeros) for part in figures] == [(11, 0), (11, 0), (10, 1)]


@pytest.mark.parametrize("protocol", ["stream", "document", "sentence"])
def test_rows_are_mixed_in_the_order_of_the_text(protocol, tmp_path):
    parts, vocabulary = the_parts()
    alone = the_rows(parts[0], vocabulary, protocol=protocol)
    model = linear_mixture(parts[:1], [0.7, 0.3], OutsideProbs(a_file(tmp_path)))
    rows = the_rows(model, vocabulary, protocol=protocol)
    np.testing.assert_allclose(np.exp(rows["log_prob"]), 0.7 * np.exp(alone["log_prob"]) + 0.3 * np.array(PROBS),
                               rtol=1e-5)
    assert np.isnan(rows["log_prob"]).sum() == (protocol == "document")


def test_words_without_a_probability_keep_their_lines(tmp_path):
    """Without <unk> the network does not score x; the file has a line for it."""
    vocabulary = Vocabulary(["<eos>", *"abcdefghijk"])
    network, text = a_network(0), encode_text(TEXT, vocabulary)
    probs = np.delete(PROBS, 6)
    expected = 0.7 * np.exp(token_log_probs(network, text.ids, 0)) + 0.3 * probs
    for window in (1, 1024):
        model = linear_mixture([network], [0.7, 0.3], OutsideProbs(a_file(tmp_path)))
        result, figures = evaluate_parts(model, text, 0, window)
        assert result.log_prob == pytest.approx(np.log(expected).sum(), rel=1e-5)
        assert figures[1].zeros == 0
    model = linear_mixture([network], [0.7, 0.3], OutsideProbs(a_file(tmp_path)))
    rows = the_rows(model, vocabulary)
    np.testing.assert_allclose(rows["log_prob"], np.insert(np.log(expected), 6, math.nan), rtol=1e-5)


@pytest.mark.parametrize(("lines", "end", "message"), [
    (PROBS[:-1], "\n", "ends after 10 lines, and the text goes on"),
    ([], "", "ends after 0 lines"),
    ([*PROBS, 0.5], "\n", "line end of the text, which are 11, it has more"),
    (PROBS, "\n\n", "line 12 must be a probability alone, got ''"),
    (["half", *PROBS[1:]], "\n", "line 1 must be a probability alone, got 'half'"),
    ([0.5, "nan", *PROBS[2:]], "\n", "line 2 must be a probability alone, got 'nan'"),
    ([0.5, "", *PROBS[2:]], "\n", "line 2 must be a probability alone, got ''"),
    ([0.5, 1.001, *PROBS[2:]], "\n", "line 2 must be a probability from 0 to 1, got 1.001"),
    ([0.5, -0.3, *PROBS[2:]], "\n", "line 2 must be a probability from 0 to 1, got -0.3, which may be a logarithm"),
    (["0.5 0.5", *PROBS[1:]], "\n", "second column"),
    (["2\t0.0012\ta", *PROBS[1:]], "\n", "the classic toolkit's -debug 2 keep the second column"),
    (["\tp( a | <s> ) \t= [2gram] 0.5 [ -0.30103 ]", *PROBS[1:]], "\n", r"of SRILM's -debug 2 keep the number after "),
    (["\x1b[2J", *PROBS[1:]], "\n", r"got '\\x1b\[2J'"),
])
def test_a_file_that_is_not_of_the_text_is_refused(lines, end, message, tmp_path):
    parts, vocabulary = the_parts()
    path = a_file(tmp_path, lines, end)
    for score in (lambda model: evaluate_parts(model, encode_text(TEXT, vocabulary), 0),
                  lambda model: list(score_rows(model, vocabulary, spelled_string(TEXT, vocabulary), details=False))):
        with pytest.raises(RnnlmError, match=message) as error:
            score(linear_mixture(parts, [0.5, 0.3, 0.2], OutsideProbs(path)))
        assert str(error.value).startswith(str(path))


def test_standard_input_and_no_line_end_at_the_end(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"0.5\r\n 1e-3\r\n1.0000001")))
    outside = OutsideProbs("-")
    assert np.exp(outside.take(3)) == pytest.approx([0.5, 0.001, 1])
    outside.finish()


def test_what_needs_whole_distributions_is_refused(tmp_path):
    parts, vocabulary = the_parts()
    model = linear_mixture(parts, [0.5, 0.3, 0.2], OutsideProbs(a_file(tmp_path)))
    for options in ({"details": True}, {"details": False, "top": 2}):
        with pytest.raises(ArgumentError, match="--probs has the probability of one word at a time"):
            list(score_rows(model, vocabulary, spelled_string(TEXT, vocabulary), **options))
    with pytest.raises(ArgumentError, match="need a model that can be asked for all words"):
        next(generate(model, [0], rng=np.random.default_rng(0)))


def test_what_there_is_without_a_file():
    parts, vocabulary = the_parts()
    assert linear_mixture(parts[:1], [1], None) is parts[0]
    assert isinstance(linear_mixture(parts, [0.5, 0.5], None), Mixture)
    text = encode_text(TEXT, vocabulary)
    result, figures = evaluate_parts(parts[0], text, 0)
    assert (result, figures) == (evaluate(parts[0], text, 0), [])


def test_figures_of_a_log_linear_mixture(tmp_path):
    parts, vocabulary = the_parts()
    text = encode_text(TEXT, vocabulary)
    mixture = Mixture(parts, [0.5, 0.8], "log-linear")
    result, figures = evaluate_parts(mixture, text, 0)
    assert result.log_prob == pytest.approx(evaluate(mixture, text, 0).log_prob)
    alone = [evaluate(part, text, 0).perplexity for part in parts]
    assert [part.perplexity for part in figures] == pytest.approx(alone, rel=1e-5)
    assert isinstance(linear_mixture(parts, [0.5, 0.4, 0.1], OutsideProbs(tmp_path)), WithOutside)
