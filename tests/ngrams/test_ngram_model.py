"""The n-gram model as a predictor, against the definition word by word."""

import copy
import math
import pickle
import tracemalloc
from itertools import product

import numpy as np
import pytest
from arpa_texts import log10_p, ngrams, text_scores

from rnnlm.compute.functions import log_softmax
from rnnlm.errors import ArgumentError, IdError
from rnnlm.formats.loaded import Loaded
from rnnlm.ngrams.building import Building
from rnnlm.ngrams.lookup import NOT_THERE
from rnnlm.ngrams.ngram_model import NOTHING, NgramModel
from rnnlm.ngrams.tables import Order, Tables
from rnnlm.scoring.evaluation import evaluate, token_log_probs
from rnnlm.scoring.generation import generate, probs_after
from rnnlm.scoring.nbest import rescore
from rnnlm.scoring.pairs import score_pairs
from rnnlm.scoring.readings import PROTOCOLS, piece_scores
from rnnlm.scoring.words import sequence_scores, states_after
from rnnlm.scoring.writing import write_beam, write_samples, write_text
from rnnlm.text.encoded import encode_text
from rnnlm.text.nbest_files import Hypothesis, NBestList
from rnnlm.text.pairs_files import as_pairs
from rnnlm.text.spelled import spelled_string
from rnnlm.text.vocabulary import Vocabulary

LN10 = math.log(10)
TEXT = "the cat sat on the mat\nnaïve dogs sat\n\non on on the the cat\n"
LINES = [line.split() for line in TEXT.splitlines()]


def model_of(found):
    """(NgramModel, Vocabulary) of a dict, made here without an ARPA file."""
    words = ["<eos>", *(ngram[0] for ngram in found if len(ngram) == 1 and ngram[0] not in ("<s>", "</s>"))]
    vocabulary = Vocabulary(words)
    ids = {**vocabulary.ids, "<s>": 0, "</s>": 0}
    building = Building(Order(np.arange(len(words)), *(np.array([found[word,][k] if word != "<eos>" else
                                                                 found["</s>" if k == 0 else "<s>",][k]
                                                                 for word in words], np.float32) * np.float32(LN10)
                                                        for k in (0, 1))))
    for n in range(2, max(map(len, found)) + 1):
        rows = [(ngram, *values) for ngram, values in found.items() if len(ngram) == n]
        numbers = [np.array([row[k] for row in rows], np.float32) * np.float32(LN10) for k in (1, 2)]
        words = np.array([[ids[word] for word in row[0]] for row in rows], np.int64).reshape(-1, n).T
        assert building.add(words, *numbers) is None
    return NgramModel(building.tables(), vocabulary), vocabulary


@pytest.fixture(params=[1, 2, 3, 5])
def order(request):
    return request.param


@pytest.fixture
def found(order):
    return ngrams(order)


@pytest.fixture
def trigrams():
    return ngrams(3)


def stream(model, vocabulary, lines=LINES):
    ids = [i if i >= 0 else vocabulary.unk_id for line in lines for i in [*vocabulary.encode(line), 0]]
    return np.array([0, *ids[:-1]]), np.array(ids)


def test_a_weight_of_what_ends_a_line_counts_nowhere(trigrams):
    """IRSTLM writes such weights; the words after the line end have no use for them."""
    words = [ngram[0] for ngram in trigrams if len(ngram) == 1 and ngram[0] not in ("<s>", "</s>")]
    (plain, vocabulary), (weighted, _) = (model_of(trigrams | {(word, "</s>"): (-1, weight) for word in words})
                                          for weight in (0, -0.7))
    xs, ts = stream(plain, vocabulary)
    np.testing.assert_array_equal(*(model.log_probs(xs[None], ts[None]) for model in (plain, weighted)))
    np.testing.assert_array_equal(*(model.contexts(xs[None])[..., 1][xs[None] == 0] for model in (plain, weighted)))
    assert (weighted.contexts(xs[None])[..., 1][xs[None] == 0][1:] == NOT_THERE).all()


def test_nothing_ends_every_context(trigrams):
    """The number that stands for it must not lead to an n-gram of other words."""
    words = [ngram[0] for ngram in trigrams if len(ngram) == 1 and ngram[0] not in ("<s>", "</s>")]
    model, vocabulary = model_of(trigrams | {(word, words[-1]): (-1, -0.5) for word in words})
    for word in range(len(vocabulary)):
        found = model.contexts([[word, NOTHING, word]])[0]
        model.set_state([(None,)])
        assert (found[1] == NOT_THERE).all()
        assert found[2].tolist() == [word, NOT_THERE]


def test_every_word_gets_what_the_definition_says(found, order):
    model, vocabulary = model_of(found)
    xs, ts = stream(model, vocabulary)
    wanted = np.array(text_scores(found, LINES, order)) * LN10
    np.testing.assert_allclose(model.log_probs(xs[None], ts[None])[0], wanted, rtol=1e-6)
    np.testing.assert_allclose(token_log_probs(model, ts, 0, window=3), wanted, rtol=1e-6)


def test_all_words_are_scored_as_each_one_is(found, order):
    model, vocabulary = model_of(found)
    xs, _ = stream(model, vocabulary)
    with model.fresh_state():
        rows = model.predict(xs[None])[0]
    every = np.arange(len(vocabulary))
    for word in every:
        with model.fresh_state():
            np.testing.assert_allclose(model.log_probs(xs[None], np.full((1, len(xs)), word))[0], rows[:, word],
                                       rtol=1e-5)
    with model.fresh_state():
        np.testing.assert_array_equal(model.predict_last(xs[None])[0], rows[-1])
    history = ("<s>", "the", "cat")[max(0, 4 - order) :] if order > 1 else ()
    wanted = [log10_p(found, "</s>" if word == 0 else vocabulary.words[word], list(history)) * LN10 for word in every]
    np.testing.assert_allclose(rows[2], wanted, rtol=1e-5)


def test_a_line_end_starts_the_history_anew(trigrams):
    model, vocabulary = model_of(trigrams)
    the, cat, sat = vocabulary.encode(["the", "cat", "sat"])
    with model.fresh_state():
        after_much = model.predict(np.array([[sat, cat, 0, the]]))[0, 2:]
    np.testing.assert_array_equal(model.predict(np.array([[0, the]]))[0], after_much)


def test_windows_of_any_shape_carry_the_state(trigrams, rng):
    model, vocabulary = model_of(trigrams)
    xs = rng.integers(0, len(vocabulary), (3, 11))
    ts = rng.integers(0, len(vocabulary), (3, 11))
    with model.fresh_state():
        whole = model.log_probs(xs, ts)
    with model.fresh_state():
        parts = [model.log_probs(xs[:, i:j], ts[:, i:j]) for i, j in ((0, 1), (1, 2), (2, 7), (7, 11))]
        np.testing.assert_array_equal(np.concatenate(parts, axis=1), whole)
        np.testing.assert_array_equal(model.get_state()[0][0], xs[:, -2:])
    for row in range(3):
        with model.fresh_state():
            np.testing.assert_array_equal(model.log_probs(xs[row : row + 1], ts[row : row + 1])[0], whole[row])


def test_the_state_can_be_set_and_is_given_back(trigrams):
    model, vocabulary = model_of(trigrams)
    the, cat = vocabulary.encode(next(ngram for ngram in trigrams if len(ngram) == 3 and ngram[0] != "<s>")[:2])
    assert model.get_state() == [(None,)]
    model.predict(np.array([[0, the]]))
    before = model.get_state()
    with model.fresh_state():
        assert model.get_state() == [(None,)]
        first = model.predict(np.array([[cat]]))
        np.testing.assert_array_equal(model.get_state()[0][0], [[NOTHING, cat]])
        model.set_state(before)
        assert not np.array_equal(model.predict(np.array([[cat]])), first)
    assert model.get_state() is not before
    np.testing.assert_array_equal(model.get_state()[0][0], before[0][0])
    for copied in (copy.deepcopy(model), copy.copy(model), pickle.loads(pickle.dumps(model))):
        np.testing.assert_array_equal(copied.predict(np.array([[cat]])), model.predict(np.array([[cat]])))
        model.set_state(before)


def test_before_the_first_word_there_is_nothing(trigrams):
    model, vocabulary = model_of(trigrams)
    cat = vocabulary.ids["cat"]
    with model.fresh_state():
        got = model.log_probs(np.array([[cat]]), np.array([[vocabulary.ids["mat"]]]))
    assert got == pytest.approx(log10_p(trigrams, "mat", ["cat"]) * LN10, rel=1e-6)


def test_word_scores_are_those_of_whole_distributions(trigrams, rng):
    model, vocabulary = model_of(trigrams)
    xs, ts = rng.integers(0, len(vocabulary), (2, 2, 9))
    xs[1, :4] = xs[0, :4]
    wanted = rng.random((2, 9)) < 0.7
    repeats = np.zeros((2, 9), bool)
    repeats[1, :4] = wanted[1, :4] & wanted[0, :4]
    with model.fresh_state():
        rows = model.predict(xs)[wanted].astype(np.float64)
    for some in (None, repeats):
        with model.fresh_state():
            scores = model.word_scores(xs, ts, wanted, True, 3, repeats=some)
        of_targets = rows[np.arange(len(rows)), ts[wanted]]
        np.testing.assert_allclose(scores.log_probs, of_targets, rtol=1e-5)
        np.testing.assert_allclose(scores.entropies, -(np.exp(rows) * rows).sum(axis=1), rtol=1e-5)
        np.testing.assert_array_equal(scores.ranks, 1 + (rows > of_targets[:, None]).sum(axis=1))
        np.testing.assert_array_equal(scores.top, np.argsort(-rows, axis=1, kind="stable")[:, :3])
        np.testing.assert_allclose(scores.top_log_probs, -np.sort(-rows, axis=1)[:, :3], rtol=1e-5)
    assert model.word_scores(xs, ts, np.zeros_like(wanted), True, 30).top.shape == (0, len(vocabulary))


def test_details_are_computed_some_contexts_at_a_time(trigrams, rng, monkeypatch):
    model, vocabulary = model_of(trigrams)
    xs, ts = rng.integers(0, len(vocabulary), (2, 4, 9))
    with model.fresh_state():
        at_once = model.word_scores(xs, ts, None, True, 2)
    monkeypatch.setattr("rnnlm.ngrams.ngram_model.MOST", 2 * len(vocabulary))
    with model.fresh_state():
        in_parts = model.word_scores(xs, ts, None, True, 2)
    for name, array in at_once.arrays().items():
        np.testing.assert_array_equal(in_parts.arrays()[name], array, name)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_every_protocol_reads_it_alike(trigrams, protocol):
    model, vocabulary = model_of(trigrams)
    wanted = np.array(text_scores(trigrams, LINES)) * LN10
    ((_, scores),) = piece_scores(model, vocabulary, spelled_string(TEXT, vocabulary), protocol, True, 2)
    read = np.isfinite(scores.log_probs)
    assert read.sum() == len(wanted) - (protocol == "document")  # which does not read an empty line
    np.testing.assert_allclose(scores.log_probs[read], wanted[read], rtol=1e-5)


def test_it_can_be_evaluated(trigrams):
    model, vocabulary = model_of(trigrams)
    result = evaluate(model, encode_text(TEXT, vocabulary), vocabulary.eos_id)
    assert result.targets == 19
    assert result.oov == 1
    assert result.log_prob == pytest.approx(sum(text_scores(trigrams, LINES)) * LN10, rel=1e-6)


def test_sentences_continue_where_others_ended(trigrams):
    model, vocabulary = model_of(trigrams)
    ids = vocabulary.encode(["the", "cat", "sat", "on"])
    whole = sequence_scores(model, ids, [4], 0).log_probs
    states = states_after(model, ids[:2], 0, None)
    rest = sequence_scores(model, ids[2:], [2], 0, states=states, last=ids[1]).log_probs
    np.testing.assert_array_equal(rest, whole[2:])


def test_it_writes_texts(trigrams):
    model, _ = model_of(trigrams)
    words = generate(model, [0], rng=np.random.default_rng(1), temperature=0)
    first = [next(words) for _ in range(3)]
    rows, xs = [], [0]
    for _ in range(3):
        with model.fresh_state():
            xs.append(int(model.predict_last(np.array([xs]))[0].argmax()))
            rows.append(xs[-1])
    assert first == rows


def shares(model, ids):
    """ln p of each id of a text, as if the random model's words summed to 1."""
    with model.fresh_state():
        rows = log_softmax(model.predict(np.array([[0, *ids[:-1]]]))[0].astype(np.float64))
    return rows[np.arange(len(ids)), ids].tolist()


def test_texts_are_written_side_by_side_as_alone(trigrams):
    model, vocabulary = model_of(trigrams)
    alone = write_text(model, vocabulary, "the", rng=np.random.default_rng(3), length=20)
    assert "".join(alone).startswith("the")
    texts = list(write_samples(model, vocabulary, "the", 3, rng=np.random.default_rng(3), length=20, scores=True))
    assert len(texts) == 3
    for text in texts:
        ids = [vocabulary.ids["the"], *(vocabulary.ids[token] for token in text.tokens)]
        assert text.log_probs == pytest.approx(shares(model, ids)[1:], rel=1e-4)


def test_the_best_line_is_the_best_of_all(trigrams):
    model, vocabulary = model_of(trigrams)
    (best, *_) = write_beam(model, vocabulary, "", 400, max_length=2, scores=True, allow_unk=True)
    lines = [[0], *([*words, 0] for n in (1, 2) for words in product(range(1, len(vocabulary)), repeat=n))]
    totals = [sum(shares(model, line)) for line in lines]
    assert sum(best.log_probs) == pytest.approx(max(totals), rel=1e-5)


def test_pairs_and_lists_are_ranked(trigrams):
    model, vocabulary = model_of(trigrams)
    texts = ["the cat sat", "mat cat the on"]
    totals = [sum(text_scores(trigrams, [text.split()])) * LN10 for text in texts]
    scores = score_pairs(model, vocabulary, as_pairs([tuple(texts)]))
    np.testing.assert_allclose(scores.sentence.log_probs[0], totals, rtol=1e-5)
    for carry in (False, True):
        lists = [NBestList(name, i, hypotheses=[Hypothesis(text, 1, 1) for text in texts])
                 for i, name in enumerate("ab")]
        for found in rescore(model, vocabulary, lists, carry=carry):
            np.testing.assert_allclose(found.scores.log_probs, totals, rtol=1e-5)  # a line end starts anew


def without_unknown(found):
    """The model of a dict without <unk>, as SRILM writes one unless it is told -unk."""
    return model_of({ngram: values for ngram, values in found.items() if "<unk>" not in ngram})


def log10_with_gaps(found, lines):
    """log10 p of each word and line end, nan for unknown ones, by the definition.

    An unknown word ends the context, as the start of the text does.
    """
    wanted, longest = [], max(map(len, found))
    for line in lines:
        history = ["<s>"]
        for word in [*line, "</s>"]:
            known = (word,) in found
            wanted.append(log10_p(found, word, history[1 - longest :] if longest > 1 else []) if known else math.nan)
            history = [*history, word] if known else []
    return np.array(wanted)


GAPS = "the zebra cat sat\nzebra sat on zebra zebra the cat\nzebra\nthe cat\n"


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_without_unk_no_context_reaches_across_an_unknown_word(found, protocol):
    model, vocabulary = without_unknown(found)
    wanted = log10_with_gaps({ngram: values for ngram, values in found.items() if "<unk>" not in ngram},
                             [line.split() for line in GAPS.splitlines()]) * LN10
    text = encode_text(GAPS, vocabulary)
    np.testing.assert_allclose(token_log_probs(model, text, 0), wanted, rtol=1e-5)
    np.testing.assert_allclose(token_log_probs(model, text, 0, window=2), wanted, rtol=1e-5)
    result = evaluate(model, text, 0, window=3)
    assert (result.targets, result.oov, result.oov_targets) == (13, 5, 0)
    assert result.log_prob == pytest.approx(np.nansum(wanted))
    for details in (False, True):
        ((_, scores),) = piece_scores(model, vocabulary, spelled_string(GAPS, vocabulary), protocol, details,
                                      3 * details)
        np.testing.assert_allclose(scores.log_probs, wanted, rtol=1e-5)
    unknown = np.isnan(wanted)
    np.testing.assert_array_equal(np.isnan(scores.entropies), unknown)
    np.testing.assert_array_equal(scores.ranks == -1, unknown)
    np.testing.assert_array_equal(scores.top[:, 0] == -1, unknown)


def test_lists_are_scored_without_a_context_across_an_unknown_word(trigrams):
    model, vocabulary = without_unknown(trigrams)
    known = {ngram: values for ngram, values in trigrams.items() if "<unk>" not in ngram}
    lines = GAPS.splitlines()
    lists = [NBestList("one", 0, hypotheses=[Hypothesis(line, 1, 1) for line in lines])]
    (best,) = rescore(model, vocabulary, lists)
    wanted = [np.nansum(log10_with_gaps(known, [line.split()])) * LN10 for line in lines]
    np.testing.assert_allclose(best.scores.log_probs, wanted, rtol=1e-5)
    assert best.scores.unknown.tolist() == [1, 3, 1, 0]


def test_a_row_that_repeats_an_unknown_word_has_its_own_details(trigrams):
    model, vocabulary = without_unknown(trigrams)
    the, cat = vocabulary.ids["the"], vocabulary.ids["cat"]
    xs, ts = np.array([[0, the], [0, the]]), np.array([[the, NOTHING], [the, cat]])
    repeats = np.array([[False, False], [True, True]])  # the first row is read for the second
    found = model.word_scores(xs, ts, details=True, repeats=repeats)
    model.set_state([(None,)])
    alone = model.word_scores(xs[1:], ts[1:], details=True)
    np.testing.assert_allclose(found.entropies, [*alone.entropies[:1], np.nan, *alone.entropies])
    np.testing.assert_array_equal(found.ranks, [alone.ranks[0], -1, *alone.ranks])


def test_states_cannot_be_shown(trigrams):
    model, _ = model_of(trigrams)
    with pytest.raises(ArgumentError, match="an n-gram model has no hidden states"):
        model.word_scores(np.array([[0]]), np.array([[1]]), with_states=True)


@pytest.mark.parametrize("call, error, message", [
    (lambda model: model.predict([[0, 99]]), IdError, "xs must be ids from 0 to 9, got 99"),
    (lambda model: model.log_probs([[0]], [[-2]]), IdError, "ts must be ids from 0 to 9, got -2"),
    (lambda model: model.log_probs([[0]], [[1, 2]]), ArgumentError, "ts must have the shape of xs"),
    (lambda model: model.set_state([]), ArgumentError, "one value for each of the 1 layers"),
    (lambda model: model.set_state([(np.zeros((2, 3), int),)]), ArgumentError, r"of shape \(N, 2\)"),
    (lambda model: model.set_state([(np.full((2, 2), 10),)]), ArgumentError, "states must be ids of its 10 words"),
    (lambda model: (model.set_state([(np.zeros((2, 2), int),)]), model.predict([[0]])), ArgumentError,
     "a row for each of the 2 streams"),
    (lambda model: NgramModel(model.tables, Vocabulary(["<eos>"])), ArgumentError, "they have 10"),
    (lambda model: NgramModel(3, Vocabulary(["<eos>"])), ArgumentError, "tables must be Tables"),
    (lambda model: NgramModel(model.tables, 10), ArgumentError, "vocabulary must be a Vocabulary"),
])
def test_wrong_arguments_are_refused(call, error, message, trigrams):
    model, _ = model_of(trigrams)
    with model.fresh_state(), pytest.raises(error, match=message):
        call(model)


def test_many_ngrams_are_found_as_few_are(trigrams, rng, monkeypatch):
    model, vocabulary = model_of(trigrams)
    xs, ts = rng.integers(0, len(vocabulary), (2, 5, 40))
    with model.fresh_state():
        few = model.log_probs(xs, ts)
    monkeypatch.setattr("rnnlm.ngrams.lookup.MANY", 1)
    with model.fresh_state():
        np.testing.assert_array_equal(model.log_probs(xs, ts), few)


def test_first_words_that_are_lacking_change_no_score():
    whole = ngrams(4)
    pruned = {ngram: values for i, (ngram, values) in enumerate(whole.items())
              if len(ngram) in (1, 4) or (len(ngram) == 2 and i % 3) or (len(ngram) == 3 and i % 2)}
    model, vocabulary = model_of(pruned)
    assert len(model.tables.orders[1].keys) > sum(len(ngram) == 2 for ngram in pruned)
    xs, ts = stream(model, vocabulary)
    np.testing.assert_allclose(model.log_probs(xs[None], ts[None])[0],
                               np.array(text_scores(pruned, LINES, 4)) * LN10, rtol=1e-6)
    for order, below in zip(model.tables.orders[1:], model.tables.orders, strict=False):
        assert (np.diff(order.keys) > 0).all()
        assert order.keys[-1] < len(below.keys) * len(vocabulary)


def test_orders_without_ngrams_are_no_hindrance():
    model, _ = model_of({ngram: values for ngram, values in ngrams(4).items() if len(ngram) != 3})
    assert model.order == 4
    empty = Order(np.empty(0, np.int64), np.empty(0, np.float32))
    tables = Tables([Order(np.arange(2), np.full(2, -0.7, np.float32), np.zeros(2, np.float32)), empty])
    model = NgramModel(tables, Vocabulary(["<eos>", "a"]))
    np.testing.assert_array_equal(model.predict([[0, 1]]), np.full((1, 2, 2), np.float32(-0.7)))
    np.testing.assert_array_equal(model.log_probs([[0, 1]], [[1, 1]]), np.full((1, 2), np.float32(-0.7)))


def test_first_words_that_are_put_in_move_the_ngrams_above():
    zeros = np.zeros(4, np.float32)
    building = Building(Order(np.arange(4), zeros, zeros))
    for ngram in ((3, 1), (3, 1, 2), (1, 2, 3, 0)):  # (1, 2) is put in before (3, 1)
        assert building.add(np.array(ngram)[:, None], zeros[:1], zeros[:1]) is None
    _, bigrams, trigrams, _ = building.tables().orders
    assert bigrams.keys.tolist() == [1 * 4 + 2, 3 * 4 + 1]
    assert trigrams.keys.tolist() == [0 * 4 + 3, 1 * 4 + 2]


def test_without_unk_an_unknown_word_of_a_prompt_ends_the_context(trigrams):
    model, vocabulary = without_unknown(trigrams)
    known = {ngram: values for ngram, values in trigrams.items() if "<unk>" not in ngram}
    wanted = [log10_p(known, "</s>" if word == "<eos>" else word, []) * LN10 for word in vocabulary.words]
    assert not np.allclose(np.log(probs_after(model, [0, vocabulary.ids["the"]])), wanted, atol=0.1)
    for prompt in ("the zebra", "zebra"):
        loaded = Loaded(model, vocabulary)
        words = dict(loaded.next_words(prompt, len(vocabulary)))
        np.testing.assert_allclose(np.log([words[word] for word in vocabulary.words]), log_softmax(wanted), rtol=1e-5)
        (best, *_) = loaded.beam(prompt, 3, scores=True)
        assert best.log_probs[0] == pytest.approx(log_softmax(wanted)[vocabulary.ids[best.tokens[0]]], rel=1e-5)
        for options in ({}, {"repetition_penalty": 1.5}):  # -1, UNKNOWN, is not the last word
            texts = [loaded.generate(prompt, length=1, temperature=0, **options),
                     loaded.samples(prompt, length=1, temperature=0, **options)[0].text]
            found = {text.removeprefix(prompt).strip() for text in texts}
            assert found == {best_of(wanted, vocabulary, prompt, options)}


def best_of(log_probs, vocabulary, prompt, options):
    """The most probable word; "" for the line end."""
    scores = np.array(log_probs)
    for word in {*prompt.split()} & {*vocabulary.words}:
        scores[vocabulary.ids[word]] *= options.get("repetition_penalty", 1)
    best = vocabulary.words[int(scores.argmax())]
    return "" if best == "<eos>" else best


def test_an_unknown_id_in_a_prompt_is_for_models_that_read_it(trigrams):
    model, vocabulary = without_unknown(trigrams)
    the = vocabulary.ids["the"]
    after = generate(model, [0, the, NOTHING], rng=np.random.default_rng(0), temperature=0)
    assert next(after) == int(model.predict_last(np.array([[NOTHING]]))[0].argmax())
    with pytest.raises(IdError, match="ids of the vocabulary, got -2"):
        generate(model, [0, the, -2], rng=np.random.default_rng(0))


def test_a_long_order_takes_little_more_memory_than_its_table():
    V = 100
    numbers = np.zeros(V**3, np.float32)
    building = Building(Order(np.arange(V), numbers[:V], numbers[:V]))
    assert building.add(np.indices((V, V)).reshape(2, -1), numbers[: V**2], numbers[: V**2]) is None
    ids = [*np.indices((V, V, V), np.int32).reshape(3, -1)]
    tracemalloc.start()
    assert building.add(ids, numbers, numbers) is None
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    np.testing.assert_array_equal(building.orders[2].keys, np.arange(V**3))
    assert most < 3 * building.orders[2].keys.nbytes
