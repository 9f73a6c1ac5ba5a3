"""Several texts side by side: each is what it would be alone."""

from contextlib import contextmanager

import numpy as np
import pytest

from rnnlm.adapting.cache import Cache
from rnnlm.compute.threads import Workers
from rnnlm.errors import ArgumentError, RnnlmError
from rnnlm.models import LanguageModel
from rnnlm.models.cells import CELLS
from rnnlm.scoring import streams
from rnnlm.scoring.evaluation import token_log_probs
from rnnlm.scoring.writing import WORDS_AT_ONCE, write_samples, write_text
from rnnlm.text.tokenizer import Words
from rnnlm.text.vocabulary import Vocabulary

VOCABULARY = Vocabulary(["<eos>", "<unk>", *"abcdefg"])
KINDS = {cell: {"cell": cell} for cell in CELLS} | {
    "tied": {"cell": "lstm", "tied": True}, "projection": {"projection": True}, "plain": {"plain": True}}


def lively(rng, **architecture):
    """A model that has learnt nothing, but whose words depend on those before."""
    model = LanguageModel(len(VOCABULARY), 5, 6, layers=2, rng=rng, **architecture)
    scale = 0.3 if model.architecture.cell == "mrnn" else 0.5  # with 0.8 its words hang on how the weights were rounded
    for param in model.params:
        param += scale * rng.standard_normal(param.shape).astype(np.float32)
    model.output.params[1][0] -= 0.5
    return model


@pytest.fixture
def model(rng):
    return lively(rng)


def samples(model, count, seed=3, **options):
    return list(write_samples(model, VOCABULARY, count=count, rng=np.random.default_rng(seed), **options))


def ln_p(model, written, prompt=""):
    """ln p of each token, read as one text."""
    ids = [VOCABULARY.ids.get("<eos>" if word == "\n" else word, 1) for word in prompt.replace("\n", " \n ").split(" ")
           if word]
    ids += [VOCABULARY.ids[token] for token in written.tokens]
    return token_log_probs(model, np.array(ids, dtype=np.int32), 0)[len(ids) - len(written.tokens) :]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("threads", [1, 2])
def test_each_word_has_the_probability_that_its_text_gives_it(kind, threads, rng, monkeypatch):
    """Texts come and go, most of them in the places of others."""
    monkeypatch.setattr(streams, "MOST", 8)
    monkeypatch.setattr(streams, "LARGE", 1)
    with Workers(threads) as workers:
        model = lively(rng, workers=workers, **KINDS[kind])
        texts = samples(model, 30, sentences=1, scores=True, prompt="a b")
        assert [text.number for text in texts] == list(range(1, 31))
        assert len({len(text.tokens) for text in texts}) >= 3
        for text in texts:
            np.testing.assert_allclose(text.log_probs, ln_p(model, text, "a b"), atol=1e-5)


def test_the_first_is_the_text_of_the_seed_and_none_depends_on_the_others(model, monkeypatch):
    for options in ({"length": 40}, {"prompt": "a b\nc", "sentences": 3}, {"temperature": 0.7, "top_k": 4, "length": 9},
                    {"top_p": 0.8, "length": 9}, {"min_length": 4, "repetition_penalty": 1.3, "length": 20}):
        texts = [text.text for text in samples(model, 40, **options)]
        assert texts[0] == "".join(write_text(model, VOCABULARY, rng=np.random.default_rng(3), **options))
        assert len(set(texts)) > 20
        for count in (1, 2, 33):
            assert [text.text for text in samples(model, count, **options)] == texts[:count]
    with Workers(2) as workers, monkeypatch.context() as patch:
        patch.setattr(streams, "LARGE", 1)
        model.workers = workers
        assert [text.text for text in samples(model, 40, **options)] == texts


def test_large_states_make_small_batches_and_the_same_texts(model, monkeypatch):
    cache, rows = Cache(model, 50, 0.5, 0.3), []
    options = {"length": 20, "prompt": "a b"}
    texts = [text.text for text in samples(cache, 9, **options)]
    plain = Cache.set_state
    monkeypatch.setattr(Cache, "set_state", lambda self, states: rows.append(len(states[0][0])) or plain(self, states))
    for most, widest in ((1, 1), (3 * (50 * (6 + 1) + 12) * 4, 3)):  # 50 states and words, two layers of 6
        rows.clear()
        monkeypatch.setattr(streams, "MOST_BYTES", most)
        assert [text.text for text in samples(cache, 9, **options)] == texts
        assert max(rows) == widest


def test_greedy_texts_are_all_the_same(model):
    (greedy,) = {text.text for text in samples(model, 5, temperature=0)}
    assert greedy == "".join(write_text(model, VOCABULARY, rng=np.random.default_rng(0), temperature=0))


def test_first_words_have_the_probabilities_of_the_model(model):
    with model.fresh_state():
        scores = model.predict(np.array([[0]]))[0, -1].astype(float)
    expected = np.exp(scores) / np.exp(scores).sum()
    firsts = [VOCABULARY.ids[text.tokens[0]] for text in samples(model, 2000, length=1, allow_unk=True)
              if text.tokens[0] != "\n"]
    np.testing.assert_allclose(np.bincount(firsts, minlength=9) / 2000, expected, atol=4 * np.sqrt(0.25 / 2000))


def test_the_state_is_as_before_at_the_end_and_when_a_generator_is_closed(model, rng):
    model.predict(rng.integers(0, 9, (3, 4)))
    before = model.get_state()[0][0].copy()
    samples(model, 3, length=4)
    np.testing.assert_array_equal(model.get_state()[0][0], before)
    texts = write_samples(model, VOCABULARY, count=9, rng=rng, sentences=1)
    next(texts)
    texts.close()
    np.testing.assert_array_equal(model.get_state()[0][0], before)


class Other:
    """A predictor of another kind: the next word depends on the sum of all ids."""

    def __init__(self):
        self.sums = None

    @contextmanager
    def fresh_state(self):
        before, self.sums = self.sums, None
        yield
        self.sums = before

    def get_state(self):
        return [(self.sums, None)]

    def set_state(self, states):
        ((self.sums, _),) = states

    def predict(self, xs):
        sums = (0 if self.sums is None else self.sums[:, :1]) + xs.cumsum(axis=1)
        self.sums = sums[:, -1:]
        return -np.abs((sums[..., np.newaxis] * 7) % 9 - np.arange(9.0))


def test_any_predictor_whose_state_can_be_set_can_write():
    texts = [text.text for text in samples(Other(), 40, sentences=2)]
    assert texts[0] == "".join(write_text(Other(), VOCABULARY, rng=np.random.default_rng(3), sentences=2))
    assert [text.text for text in samples(Other(), 7, sentences=2)] == texts[:7]
    Other.get_state, get_state = None, Other.get_state
    del Other.get_state
    try:
        with pytest.raises(ArgumentError, match="model must be a LanguageModel, got an Other"):
            samples(Other(), 2)
    finally:
        Other.get_state = get_state


def test_a_subclass_with_scores_of_its_own_writes_by_them(rng):
    class Backwards(LanguageModel):
        def predict(self, xs):
            return -super().predict(xs)

    model = Backwards(9, 5, 6, rng=rng)
    model.output.params[1][...] = np.arange(9)
    assert {text.text for text in samples(model, 4, length=3, temperature=0, min_length=3)} == {"a a a"}


def test_a_model_without_numbers_is_one_line(rng):
    model = LanguageModel(9, 5, 6, activation="relu", rng=rng)
    model.named_params()["rnn1/Wh"][...] = 1e38
    model.named_params()["rnn1/b"][...] = 1e38
    for count in (1, 3):
        with pytest.raises(RnnlmError, match=r"^the model gives no probabilities: its scores are not finite numbers$"):
            samples(model, count, prompt="a")


def test_a_vocabulary_of_another_model_is_one_line(rng):
    with pytest.raises(ArgumentError, match=r"^vocabulary must be that of the model, which has 7 words, got one of 9"):
        samples(LanguageModel(7, 5, 6, rng=rng), 2)


def test_a_text_that_never_ends_is_cut_short_and_the_others_go_on(model, monkeypatch):
    whole = samples(model, 40, sentences=1)
    longest = sorted(text.words for text in whole)[-4]
    assert longest > 1
    monkeypatch.setattr(Words, "longest_line", longest)
    cut = samples(model, 40, sentences=1)
    assert 1 <= sum(bool(text.stopped) for text in cut) <= 3
    for text, other in zip(cut, whole, strict=True):
        assert bool(text.stopped) == (other.words > longest)
        assert text.tokens == other.tokens[: longest + 1 if text.stopped else None]
        assert not text.stopped or text.stopped.startswith(f"the model wrote more than {longest} words without a line")


def test_all_texts_end_when_they_are_told_to(model):
    calls = []
    texts = list(write_samples(model, VOCABULARY, count=5, rng=np.random.default_rng(3), length=50,
                               on_step=lambda: calls.append(1) or len(calls) == 2))
    assert [text.number for text in texts] == [1, 2, 3, 4, 5]
    assert all(len(text.tokens) == 2 * WORDS_AT_ONCE and text.stopped == "it was interrupted" for text in texts)
    whole = samples(model, 5, length=50)
    assert [text.tokens for text in texts] == [text.tokens[: 2 * WORDS_AT_ONCE] for text in whole]


@pytest.mark.parametrize(("options", "message"), [
    ({"count": 0}, "count must be a whole number of at least 1, got 0"), ({"rng": 1}, "rng must be a numpy.random.*"),
    ({"temperature": -1}, "temperature must be .*"), ({"scores": 1}, "scores must be True or False, got 1"),
    ({"prompt": 3}, "prompt must be a string, got 3"), ({"min_length": 0}, "min_length must be .*"),
    ({"ban": ["a b c d e f g"]}, "ban must leave a word to write, got all 7 of the vocabulary"),
    ({"ban": ["a", "\n"]}, "ban must hold words, got a line end: .*"), ({"ban": "a"}, "ban must be a list of words.*"),
    ({"ban": [3]}, "ban must be a list of words, got 3"), ({"repetition_penalty": 0}, "repetition_penalty must be .*")])
def test_what_cannot_be_written_is_refused_at_once(options, message, model):
    with pytest.raises(RnnlmError, match=f"^{message}$"):
        write_samples(model, VOCABULARY, **{"rng": np.random.default_rng(0)} | options)
