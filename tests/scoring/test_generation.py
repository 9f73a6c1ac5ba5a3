import tracemalloc
from itertools import islice

import numpy as np
import pytest

from rnnlm.errors import RnnlmError
from rnnlm.models import LanguageModel
from rnnlm.scoring.generation import draw, generate, next_probs

SHARES = np.array([0.1, 0.4, 0.2, 0.3])
SCORES = np.log(SHARES)


def test_without_options_the_models_own_probabilities():
    np.testing.assert_allclose(next_probs(SCORES), SHARES)


def test_temperature():
    np.testing.assert_allclose(next_probs(SCORES, temperature=0.5), SHARES**2 / (SHARES**2).sum())
    np.testing.assert_array_equal(next_probs(SCORES, temperature=0), [0, 1, 0, 0])
    np.testing.assert_array_equal(next_probs(SCORES, temperature=1e-300), [0, 1, 0, 0])


def test_top_k_and_top_p():
    np.testing.assert_allclose(next_probs(SCORES, top_k=2), [0, 4 / 7, 0, 3 / 7])
    np.testing.assert_allclose(next_probs(SCORES, top_k=9), SHARES)
    np.testing.assert_allclose(next_probs(SCORES, top_p=0.65), [0, 4 / 7, 0, 3 / 7])
    np.testing.assert_allclose(next_probs(SCORES, top_p=0.75), [0, 4 / 9, 2 / 9, 3 / 9])
    np.testing.assert_allclose(next_probs(SCORES, top_p=1e-9), [0, 1, 0, 0])
    np.testing.assert_allclose(next_probs(SCORES, top_p=1.0), SHARES)
    np.testing.assert_allclose(next_probs(SCORES, top_k=1, top_p=0.9), [0, 1, 0, 0])


def test_ties_are_cut_in_order_of_ids():
    np.testing.assert_allclose(next_probs(np.zeros(4), top_k=2), [0.5, 0.5, 0, 0])


def test_forbidden_words_are_never_drawn_and_the_others_share_their_part():
    np.testing.assert_allclose(next_probs(SCORES, forbidden=[1]), [1 / 6, 0, 2 / 6, 3 / 6])
    np.testing.assert_array_equal(next_probs(SCORES, temperature=0, forbidden=[1]), [0, 0, 0, 1])
    np.testing.assert_allclose(next_probs(SCORES, top_k=1, forbidden=[1]), [0, 0, 0, 1])


def test_the_scores_are_left_alone():
    scores = SCORES.copy()
    next_probs(scores, temperature=0.5, top_k=2, forbidden=[1])
    np.testing.assert_array_equal(scores, SCORES)


class Fixed:
    """A generator whose next number is known."""

    def __init__(self, value):
        self.value = value

    def random(self):
        return self.value


@pytest.mark.parametrize("V", [1, 2, 3, 10, 97, 1000])
def test_a_draw_finds_the_point_on_the_line_of_probabilities(V, rng):
    probs = rng.random(V) * (rng.random(V) < 0.7)
    probs[rng.integers(V)] = 0.5
    ends = np.cumsum(probs)
    for point in [0.0, *rng.random(200), np.nextafter(1, 0)]:
        drawn = draw(probs, Fixed(point))
        assert probs[drawn] > 0
        assert ends[drawn] - probs[drawn] - 1e-12 <= point * ends[-1] <= ends[drawn] + 1e-12


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("temperature", [0, 1])
def test_no_probabilities_no_word(bad, temperature):
    with pytest.raises(RnnlmError, match="scores are not finite"):
        next_probs(np.full(10, bad), temperature)


def test_a_point_that_rounding_puts_behind_its_group_takes_the_last_word_there():
    probs = np.array([1e16, 0.4, 0.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0])  # the sum of the first group is 1e16
    for point in (np.nextafter(1, 0), 0.9999999999999998):
        assert probs[draw(probs, Fixed(point))] > 0


def test_draws_have_the_probabilities_asked_for(rng):
    probs = np.array([0.0, 0.1, 0.4, 0.0, 0.2, 0.3, 0.0])
    shares = np.bincount([draw(probs, rng) for _ in range(4000)], minlength=7) / 4000
    np.testing.assert_allclose(shares, probs, atol=4 * np.sqrt(0.25 / 4000))
    assert (shares[probs == 0] == 0).all()


@pytest.fixture
def model(rng):
    model = LanguageModel(9, 5, 6, layers=2, rng=rng)
    for param in model.params:
        param += rng.standard_normal(param.shape).astype(np.float32)
    return model


def test_every_word_is_fed_once(model):
    """Greedy text, read again in one window, predicts itself.

    A word fed twice, or left out, would shift it.
    """
    prompt = [0, 3, 5]
    drawn = list(islice(generate(model, prompt, rng=np.random.default_rng(0), temperature=0), 20))
    with model.fresh_state():
        scores = model.predict(np.array([prompt + drawn]))[0]
    assert scores.argmax(axis=-1)[len(prompt) - 1 : -1].tolist() == drawn


@pytest.mark.parametrize("n", [1, 600])
def test_prompts_of_any_length_are_read_whole_and_in_order(model, rng, n):
    prompt = [0, *rng.integers(0, 9, n).tolist()]
    with model.fresh_state():
        expected = int(model.predict(np.array([prompt]))[0, -1].argmax())
    assert next(generate(model, prompt, rng=rng, temperature=0)) == expected


def test_the_seed_decides(model):
    first, again, other = (list(islice(generate(model, [0], rng=np.random.default_rng(s)), 30)) for s in (1, 1, 2))
    assert first == again != other


def test_long_samples_have_the_probabilities_of_the_model(model):
    with model.fresh_state():
        expected = next_probs(model.predict(np.array([[0]]))[0, -1])
    firsts = [next(generate(model, [0], rng=np.random.default_rng(seed))) for seed in range(2000)]
    shares = np.bincount(firsts, minlength=9) / 2000
    np.testing.assert_allclose(shares, expected, atol=4 * np.sqrt(0.25 / 2000))


def test_a_closed_generation_leaves_the_state_as_it_was(model, rng):
    model.predict(rng.integers(0, 9, (3, 4)))
    before = model.get_state()[0][0].copy()
    words = generate(model, [0], rng=rng)
    next(words)
    words.close()
    np.testing.assert_array_equal(model.get_state()[0][0], before)


def overflowing(rng, plain):
    """A model whose recurrent sums are too large for a number, so it has no scores."""
    model = LanguageModel(9, 5, 6, activation="relu", rng=rng, plain=plain)
    model.named_params()["rnn1/Wh"][...] = 1e38
    model.named_params()["rnn1/b"][...] = 1e38
    return model


@pytest.mark.parametrize("plain", [True, False])
@pytest.mark.parametrize("n", [1, 255, 256, 600])
def test_a_model_that_overflows_is_one_line_without_warnings(n, plain, rng):
    """Warnings are errors here."""
    with pytest.raises(RnnlmError, match=r"^the model gives no probabilities: its scores are not finite numbers$"):
        next(generate(overflowing(rng, plain), [0, *[3] * n], rng=rng))


@pytest.mark.parametrize("plain", [True, False])
def test_a_long_prompt_takes_no_scores_of_its_own(plain, rng):
    model = LanguageModel(20_000, 4, 4, rng=rng, plain=plain)
    peaks = []
    for n in (1, 200):
        words = generate(model, [0] * n, rng=rng)
        tracemalloc.start()
        next(words)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        words.close()
        model.output = LanguageModel(20_000, 4, 4, rng=rng, plain=plain).output  # whose buffers are not there yet
    assert peaks[1] < 1.2 * peaks[0] + 200 * 4 * 100  # 16 MB more with all scores


def test_the_scores_after_the_last_step_are_those_of_predict(model, rng):
    xs = rng.integers(0, 9, (3, 5))
    with model.fresh_state():
        expected = model.predict(xs)[:, -1].copy()
    with model.fresh_state():
        np.testing.assert_allclose(model.predict_last(xs), expected, rtol=1e-5)


@pytest.mark.parametrize("plain", [True, False])
def test_products_and_biases_add_up_to_the_scores_after_the_last_step(plain, rng):
    class Doubled(LanguageModel):
        def predict(self, xs):
            return 2 * super().predict(xs)

    for kind in (LanguageModel, Doubled):
        model = kind(9, 5, 6, layers=2, rng=rng, plain=plain)
        model.output.params[1][...] = rng.standard_normal(9)
        xs = rng.integers(0, 9, (3, 5))
        with model.fresh_state():
            expected = model.predict(xs)[:, -1].copy()
        with model.fresh_state():
            read = model.products_after(xs)
        for _ in range(2):  # what it gave may be changed
            products, biases = read()
            np.testing.assert_allclose((products + biases[:, np.newaxis]).T, expected, rtol=1e-5, atol=1e-6)
            products[...] = 0


@pytest.mark.parametrize(("change", "message"), [
    ({"prompt": []}, r"prompt must hold at least one id, got none: \[vocabulary.eos_id\] is the start of a text"),
    ({"prompt": "once a"}, r"prompt must be an array of ids of shape \(n,\), got 'once a'"),
    ({"prompt": ["once", "a"]}, r"prompt must be an array of ids of shape \(n,\), got an array of <U4, .*"),
    ({"prompt": [0, -1]}, "prompt must hold ids of the vocabulary, got -1: leave out the words that it lacks, .*"),
    ({"prompt": [0, 9]}, "ids must be from 0 to 8, got 0 to 9"),
    ({"rng": 0}, r"rng must be a numpy.random.Generator, got 0: numpy.random.default_rng\(0\) makes one"),
    ({"rng": np.random.RandomState(0)}, "rng must be a numpy.random.Generator, got a RandomState: .*"),
    ({"temperature": -1}, "temperature must be a number of at least 0, got -1"),
    ({"temperature": None}, "temperature must be a number of at least 0, got None"),
    ({"top_k": 0}, "top_k must be a whole number of at least 1, got 0"),
    ({"top_p": 1.5}, "top_p must be a number above 0 and at most 1, got 1.5"),
    ({"forbidden": [9]}, "forbidden must hold ids from 0 to 8, got 9 to 9"),
    ({"forbidden": [-1]}, "forbidden must hold ids from 0 to 8, got -1 to -1"),
    ({"forbidden": range(9)}, "forbidden must leave a word to draw, got all 9 ids"),
    ({"forbidden": 3}, r"forbidden must be an array of ids of shape \(n,\), got 3"),
    ({"model": "runs/a"}, r"model must be a LanguageModel, got 'runs/a': .*")])
def test_what_cannot_be_generated_from_is_one_line(change, message, model, rng):
    with pytest.raises(RnnlmError, match=f"^{message}$"):
        next(generate(**{"model": model, "prompt": [0], "rng": rng} | change))


def test_wrong_arguments_are_refused_at_once_not_at_the_first_word(model, rng):
    with pytest.raises(RnnlmError, match="at least one id"):
        generate(model, [], rng=rng)


def test_forbidden_words_may_be_a_set(model):
    drawn = list(islice(generate(model, [0], rng=np.random.default_rng(0), forbidden={1, 2, 3, 4, 5, 6}), 30))
    assert set(drawn) == {0, 7, 8}
