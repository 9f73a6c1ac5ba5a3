"""Estimators against models whose distribution is known, and against the grammar.

A model whose weights are set by hand has a distribution that can be written down.  What
is expected here comes from that distribution alone, in float64.
"""

import math
from contextlib import contextmanager

import numpy as np
import pytest
from stories_corpus import FOLDER, grammar, next_words

from rnnlm.models import CELLS, LanguageModel
from rnnlm.scoring.evaluation import evaluate, token_log_probs
from rnnlm.scoring.truth import Truth
from rnnlm.scoring.words import sequence_scores, stream_scores
from rnnlm.text.encoded import encode_text
from rnnlm.text.vocabulary import Vocabulary

DTYPES = [(np.float64, 1e-12), (np.float32, 1e-5)]
CHAIN = np.array([[0.5, 0.25, 0.125, 0.125], [0.1, 0.2, 0.3, 0.4], [0.01, 0.01, 0.97, 0.01],
                  [0.25, 0.25, 0.25, 0.25]])  # row: the word before, column: the next word
SATURATED = 50.0  # a gate with this bias is open to the last bit, and with -50 it is closed


def set_params(model, **values):
    """Set parameters (affine_W stands for affine/W); all others are zero."""
    params = model.named_params()
    for name, value in values.items():
        params[name.replace("_", "/")][...] = value
    return model


def unigram(p, **options):
    """A model that expects each word with its probability, whatever came before."""
    return set_params(LanguageModel(len(p), 3, 4, rng=None, **options), affine_b=np.log(p))


def chain_rnn(P, activation="tanh", **options):
    """h is 1 in the unit of the last word, 0 elsewhere: the output is its row of P."""
    V = len(P)
    return set_params(LanguageModel(V, V, V, rng=None, activation=activation, **options), affine_W=np.log(P),
                      rnn1_Wx=np.eye(V), embedding_W=np.eye(V) * (1 if activation == "relu" else SATURATED))


def chain_mrnn(P, **options):
    V = len(P)
    return set_params(LanguageModel(V, V, V, rng=None, cell="mrnn", **options), affine_W=np.log(P),
                      mrnn1_Wx=np.hstack([np.eye(V), np.zeros((V, V))]), embedding_W=SATURATED * np.eye(V))


def chain_lstm(P, **options):
    """f closed, i and o open: c is that unit, and h = tanh(c)."""
    V = len(P)
    none, gates = np.zeros((V, V)), np.repeat([-SATURATED, 0, SATURATED, SATURATED], V)
    return set_params(LanguageModel(V, V, V, rng=None, cell="lstm", **options), affine_W=np.log(P) / math.tanh(1),
                      lstm1_Wx=np.hstack([none, np.eye(V), none, none]), lstm1_b=gates,
                      embedding_W=SATURATED * np.eye(V))


def chain_gru(P, **options):
    """z closed: h is the candidate."""
    V = len(P)
    none = np.zeros((V, V))
    return set_params(LanguageModel(V, V, V, rng=None, cell="gru", **options), affine_W=np.log(P),
                      gru1_Wx=np.hstack([none, none, np.eye(V)]), gru1_b=np.repeat([-SATURATED, 0, 0], V),
                      embedding_W=SATURATED * np.eye(V))


CHAINS = {"rnn": chain_rnn, "rnn with relu": lambda P, **options: chain_rnn(P, "relu", **options),
          "mrnn": chain_mrnn, "lstm": chain_lstm, "gru": chain_gru}


def latch(before, after, word, dtype):
    """Expects p = before until `word` was read for the first time, then p = after.

    h = tanh(50 h_prev + 50 [word]): 0 until then, and 1 for ever.
    """
    model = LanguageModel(len(before), 1, 1, rng=None, dtype=dtype)
    return set_params(model, embedding_W=SATURATED * (np.arange(len(before)) == word)[:, None], rnn1_Wx=1,
                      rnn1_Wh=SATURATED, affine_b=np.log(before), affine_W=np.log(after) - np.log(before))


def streamed(model, ids, top=0):
    with model.fresh_state():
        ((_, scores),) = stream_scores(model, ids, 0, details=True, top=top)
    return scores


def require(scores, distributions, ids, tolerance):
    """AssertionError unless these are the scores of ids, each from its distribution."""
    pairs = list(zip(distributions, ids, strict=True))
    entropies = [-math.fsum(q * math.log(q) for q in p if q > 0) for p in distributions]
    np.testing.assert_allclose(scores.log_probs, [math.log(p[i]) for p, i in pairs], atol=tolerance)
    np.testing.assert_allclose(scores.entropies, entropies, atol=tolerance)
    assert scores.ranks.tolist() == [1 + sum(q > p[i] for q in p) for p, i in pairs]


# ---- known distributions ----


@pytest.mark.parametrize("dtype, tolerance", DTYPES)
@pytest.mark.parametrize("tied", [False, True])
@pytest.mark.parametrize("plain", [False, True])
@pytest.mark.parametrize("cell", CELLS)
def test_a_model_without_memory(cell, plain, tied, dtype, tolerance, rng):
    """Four words are equally probable, so they have the same rank: 1 + two above."""
    p, ids = np.array([0.4, 0.1, 0.1, 0.1, 0.1, 0.2]), rng.integers(0, 6, 40)
    scores = streamed(unigram(p, cell=cell, plain=plain, tied=tied, dtype=dtype), ids, top=4)
    require(scores, [p] * len(ids), ids, tolerance)
    assert set(scores.ranks[(ids != 0) & (ids != 5)].tolist()) == {3}
    assert scores.top.tolist() == [[0, 5, 1, 2]] * len(ids)
    np.testing.assert_allclose(np.exp(scores.top_log_probs), [[0.4, 0.2, 0.1, 0.1]] * len(ids), atol=tolerance)
    np.testing.assert_array_equal(scores.entropies[:-1] - scores.entropies[1:], 0)  # no word says anything


@pytest.mark.parametrize("dtype, tolerance", DTYPES)
@pytest.mark.parametrize("plain", [False, True])
@pytest.mark.parametrize("name", CHAINS)
def test_a_markov_chain(name, plain, dtype, tolerance, rng):
    """As one stream, and as sequences side by side; id 0 is before each first word."""
    model, ids = CHAINS[name](CHAIN, plain=plain, dtype=dtype), rng.integers(0, 4, 60)
    rows = CHAIN[[0, *ids[:-1]]]
    require(streamed(model, ids), rows, ids, tolerance)
    np.testing.assert_allclose(token_log_probs(model, ids, 0), np.log(rows[np.arange(60), ids]), atol=tolerance)
    lengths = [7, 1, 0, 20, 32]
    starts = np.cumsum(lengths) - lengths
    before = np.concatenate([[0], ids[:-1]])
    before[starts] = 0
    require(sequence_scores(model, ids, lengths, 0, details=True), CHAIN[before], ids, tolerance)


@pytest.mark.parametrize("dtype, tolerance", DTYPES)
def test_the_expected_surprisal_is_the_entropy(dtype, tolerance):
    """Each pair of words as a sequence: sum over the second of p (-ln p)."""
    pairs = np.array([(first, second) for first in range(4) for second in range(4)])
    scores = sequence_scores(chain_rnn(CHAIN, dtype=dtype), pairs.ravel(), [2] * 16, 0, details=True)
    seconds, entropies = (array.reshape(4, 4, 2)[:, :, 1] for array in (scores.log_probs, scores.entropies))
    np.testing.assert_allclose((CHAIN * -seconds).sum(axis=1), entropies[:, 0], atol=tolerance)
    np.testing.assert_array_equal(entropies, entropies[:, :1].repeat(4, axis=1))


@pytest.mark.parametrize("dtype, tolerance", DTYPES)
def test_what_was_read_long_ago_counts_in_a_stream_and_not_in_another_sequence(dtype, tolerance):
    before, after = np.array([0.25, 0.25, 0.5]), np.array([0.8, 0.1, 0.1])
    model, ids = latch(before, after, 1, dtype), np.array([2, 0, 1, 0, 2, 2, 0, 2, 0])
    stream = [before] * 3 + [after] * 6
    require(streamed(model, ids), stream, ids, tolerance)
    sentences = [before] * 3 + [after] + [before] * 5
    require(sequence_scores(model, ids, [2, 2, 3, 2], 0, details=True), sentences, ids, tolerance)


def test_an_impossible_word_is_the_last_and_adds_nothing_to_the_entropy():
    """exp(-1000) is 0 in float32; the word's own log-probability is still exact."""
    model = unigram(np.ones(3), dtype=np.float32)
    model.named_params()["affine/b"][...] = [0, 0, -1000]
    scores = streamed(model, np.array([2, 0]))
    np.testing.assert_allclose(scores.log_probs, [-1000 - math.log(2), -math.log(2)], rtol=1e-6)
    np.testing.assert_allclose(scores.entropies, math.log(2), rtol=1e-6)
    assert scores.ranks.tolist() == [3, 1]


def test_evaluation_adds_up_the_same_numbers():
    words = Vocabulary(["<eos>", "<unk>", "fox", "."])
    text = encode_text("fox . wolf\n. fox\n", words)
    p = np.array([0.5, 0.125, 0.25, 0.125])
    result = evaluate(unigram(p), text, words.eos_id)
    bits = {"fox": 2, ".": 3, "wolf": 3, "<eos>": 1}
    assert result.log_prob / math.log(2) == pytest.approx(
        -sum(bits[word] for word in "fox . wolf <eos> . fox <eos>".split()), abs=1e-5)


# ---- the stories ----


class Oracle:
    """The grammar as a predictor, which knows no more than what it has read."""

    def __init__(self, vocabulary):
        self.grammar = grammar.Grammar.read(FOLDER / "stories.grammar")
        self.words, self.ids = vocabulary.words, vocabulary.ids

    @contextmanager
    def fresh_state(self):
        self.reader = None
        yield

    def predict(self, xs):  # (1, T) -> (1, T, V)
        probs = np.zeros((*xs.shape, len(self.words)))
        for p, word in zip(probs[0], xs[0], strict=True):
            if self.reader is None:
                self.reader = next_words.NextWords(self.grammar)  # <eos> opens the text: nothing was read
            else:
                self.reader.read(self.words[word].replace("<eos>", grammar.EOS))
            for following, q in self.reader.distribution.items():
                p[self.ids[following.replace(grammar.EOS, "<eos>")]] = q
        with np.errstate(divide="ignore"):
            return np.log(probs)


@pytest.fixture(scope="module")
def lines():
    return (FOLDER / "test.txt").read_text(encoding="utf-8").splitlines()[:150]


@pytest.fixture(scope="module")
def vocabulary():
    return Vocabulary(["<eos>", *dict.fromkeys((FOLDER / "train.txt").read_text(encoding="utf-8").split())])


def words_of(lines):
    return [word for line in lines for word in [*line.split(), "<eos>"]]


def test_the_grammar_as_a_predictor_scores_what_the_truth_file_says(lines, vocabulary):
    """More than one window, and more than ten stories."""
    words, truth, entropies = words_of(lines), Truth(FOLDER / "test.truth.tsv"), []
    oracle, ids = Oracle(vocabulary), np.array([vocabulary.ids[word] for word in words])
    with oracle.fresh_state():
        for part, scores in stream_scores(oracle, ids, vocabulary.eos_id, details=True):
            found = truth.columns(words[part], scores.log_probs)
            np.testing.assert_allclose(found["excess"], 0, atol=1e-9)
            np.testing.assert_allclose(found["true_entropy"], scores.entropies, atol=1e-9)
            entropies.extend(scores.entropies)
    assert (truth.excess.rows, truth.excess.compared) == (len(words), len(words))
    assert truth.excess.mean(2) == pytest.approx(0, abs=1e-9)
    rows = [line.split("\t") for line in (FOLDER / "test.truth.tsv").read_text(encoding="utf-8").splitlines()]
    reductions = [row[-1] for row in rows if row[0].isdigit()][: len(words) - 1]
    np.testing.assert_allclose(-np.diff(entropies) / math.log(2), np.array(reductions, float), atol=1e-9)


def test_a_uniform_model_exceeds_the_truth_by_what_it_does_not_know(lines, vocabulary):
    V, words, truth = len(vocabulary), words_of(lines), Truth(FOLDER / "test.truth.tsv")
    ids = np.array([vocabulary.ids[word] for word in words])
    found = truth.columns(words, token_log_probs(unigram(np.full(V, 1 / V)), ids, vocabulary.eos_id))
    bits = found["true_surprisal"] / math.log(2)
    assert truth.excess.mean(2) == pytest.approx(math.log2(V) - bits.mean(), abs=1e-6)
    assert truth.excess.mean(2) > 6
