"""Beam search: against the list of all continuations."""

from itertools import product

import numpy as np
import pytest

from rnnlm.adapting.cache import Cache
from rnnlm.errors import RnnlmError
from rnnlm.models import LanguageModel
from rnnlm.models.cells import CELLS
from rnnlm.scoring import beam
from rnnlm.scoring.evaluation import token_log_probs
from rnnlm.scoring.writing import write_beam, write_text
from rnnlm.text.tokenizer import Words
from rnnlm.text.vocabulary import Vocabulary

VOCABULARY = Vocabulary(["<eos>", "a", "b", "c"])
MOST = 4  # words of a line


def lively(seed, cell="rnn", **options):
    rng = np.random.default_rng(seed)
    model = LanguageModel(4, 3, 5, layers=2, cell=cell, rng=rng, **options)
    for param in model.params:
        param += 0.7 * rng.standard_normal(param.shape).astype(np.float32)
    return model


def all_lines(model, prompt=(), least=0, words=(1, 2, 3), power=0.0):
    """All lines of up to MOST words with their ln p, by rank: (ln p, words)."""
    lines = []
    for n in range(least, MOST + 1 - len(prompt)):
        for ids in product(words, repeat=n):
            logs = token_log_probs(model, np.array([*prompt, *ids, 0], dtype=np.int32), 0)[len(prompt) :]
            lines.append((logs.sum(), "".join(VOCABULARY.words[i] for i in ids)))
    return sorted(lines, key=lambda line: -line[0] / (len(line[1]) + 1) ** power)


def found(model, width, prompt="", **options):
    texts = write_beam(model, VOCABULARY, prompt, width, scores=True, max_length=MOST, **options)
    assert not any(text.stopped for text in texts)
    return [(text.log_prob, "".join(text.tokens).removesuffix("<eos>")) for text in texts]


def require_equal(lines, expected):
    assert [words for _, words in lines] == [words for _, words in expected]
    np.testing.assert_allclose([log for log, _ in lines], [log for log, _ in expected], atol=1e-5)


@pytest.mark.parametrize("cell", CELLS)
def test_a_beam_that_keeps_everything_finds_all_lines_in_their_order(cell):
    model = lively(1, cell)
    require_equal(found(model, 500), all_lines(model))


def test_a_beam_whose_states_are_too_large_is_refused_with_one_that_fits(monkeypatch):
    model = Cache(lively(1), 50, 0.5, 0.3)
    state = (50 * (5 + 1) + 2 * 5) * 4  # 50 states and words, two layers of 5
    monkeypatch.setattr(beam, "MOST_BYTES", 3 * state)
    assert len(found(model, 3)) == 3
    with pytest.raises(RnnlmError, match=r"a beam of 4 would need 5.0 kB for its states, 1.2 kB each, at most 3.7 kB "
                       "are used: lower --beam to 3, or give a smaller cache"):
        found(model, 4)
    monkeypatch.setattr(beam, "MOST_BYTES", 1)
    assert len(found(model, 1)) == 1  # what is read without a beam, too


@pytest.mark.parametrize("seed", range(5))
def test_a_wide_beam_finds_the_best_lines(seed):
    model = lively(seed, "lstm", tied=True)
    require_equal(found(model, 60)[:5], all_lines(model)[:5])


@pytest.mark.parametrize("power", [0.5, 1.0])
def test_lines_are_ranked_by_ln_p_over_a_power_of_their_length(power):
    model = lively(2)
    expected = all_lines(model, power=power)
    assert expected[:20] != all_lines(model)[:20]
    require_equal(found(model, 500, length_penalty=power), expected)


def test_prompt_ban_and_lengths_narrow_the_search():
    model = lively(3)
    require_equal(found(model, 500, "b a", ban=["c"]), all_lines(model, [2, 1], words=(1, 2)))
    require_equal(found(model, 500, min_length=2), all_lines(model, least=2))


@pytest.mark.parametrize("seed", range(20))
def test_a_beam_of_one_is_the_greedy_line(seed):
    model = lively(seed, projection=True)
    greedy = "".join(write_text(model, VOCABULARY, "a", rng=np.random.default_rng(0), temperature=0, sentences=1,
                                max_length=30))
    (text,) = write_beam(model, VOCABULARY, "a", 1, max_length=30)
    assert text.text == greedy and text.log_probs is None and text.log_prob is None


@pytest.mark.parametrize("width", [2, 3, 7])
def test_a_beam_gives_as_many_lines_as_it_is_wide_best_first(width):
    for seed in range(10):
        lines = found(lively(seed), width)
        assert len(lines) == len(set(lines)) == width
        assert [log for log, _ in lines] == sorted((log for log, _ in lines), reverse=True)


def test_a_line_that_is_still_written_may_overtake_the_last_finished_one():
    """Two lines are finished early, but "ac" is better than the second of them."""
    probs = np.array([[.3, .6, .05, .05], [.3, .05, .05, .6], [.25] * 4, [.9, .03, .03, .04]])  # after <eos>, a, b, c
    model = LanguageModel(4, 4, 4, rng=np.random.default_rng(0))
    for name, value in {"embedding/W": 20 * np.eye(4), "rnn1/Wx": np.eye(4), "rnn1/Wh": 0, "rnn1/b": 0,
                        "affine/W": np.log(probs), "affine/b": 0}.items():
        model.named_params()[name][...] = value
    require_equal(found(model, 2), [(np.log(.6 * .6 * .9), "ac"), (np.log(.3), "")])


def test_ties_are_in_order_of_ids():
    model = LanguageModel(4, 3, 5, rng=None)  # all weights are zeros
    assert [words for _, words in found(model, 3)] == ["", "a", "aa"]  # of equal ones, those of the first line
    assert [words for _, words in found(model, 500)][:6] == ["", "a", "b", "c", "aa", "ab"]
    assert found(model, 3) == found(model, 3)


def test_a_line_without_an_end_is_shown_as_far_as_it_goes(monkeypatch):
    monkeypatch.setattr(Words, "longest_line", 6)
    model = LanguageModel(4, 3, 5, rng=None)
    model.output.params[1][...] = [-1000, 1, 0, 0]
    texts = write_beam(model, VOCABULARY, "b", 2)
    assert [text.written for text in texts] == [" a" * 7, " a a a a a a b"]
    assert {text.stopped for text in texts} == {
        "the model wrote more than 6 words without a line end: give --max-length, or a wider --beam"}


def test_a_search_ends_when_it_is_told_to_and_leaves_the_state_as_it_was(rng):
    model = lively(1)
    model.output.params[1][0] = -20
    model.predict(rng.integers(0, 4, (3, 4)))
    before = model.get_state()[0][0].copy()
    calls = []
    texts = write_beam(model, VOCABULARY, width=3, on_step=lambda: calls.append(1) or len(calls) == 4)
    assert [len(text.tokens) for text in texts] == [3, 3, 3]
    assert {text.stopped for text in texts} == {"it was interrupted"}
    np.testing.assert_array_equal(model.get_state()[0][0], before)


def test_words_that_the_model_does_not_write_are_not_found():
    vocabulary = Vocabulary(["<eos>", "a", "<unk>", "c"])
    texts = write_beam(lively(4), vocabulary, width=100, max_length=2)
    assert {word for text in texts for word in text.tokens} == {"<eos>", "a", "c"}
    texts = write_beam(lively(4), vocabulary, width=100, max_length=2, allow_unk=True)
    assert "<unk>" in {word for text in texts for word in text.tokens}


@pytest.mark.parametrize(("options", "message"), [
    ({"width": 0}, "width must be a whole number from 1 to 1000, got 0"),
    ({"width": 1001}, "width must be a whole number from 1 to 1000, got 1001"),
    ({"length_penalty": -1}, "length_penalty must be a number from 0 to 10, got -1"),
    ({"scores": 2}, "scores must be True or False, got 2"),
    ({"sentences": 2}, "sentences is no argument of a beam search: leave it out"),
    ({"repetition_penalty": 2}, "repetition_penalty is no argument of a beam search: leave it out")])
def test_a_search_that_cannot_be_is_one_line(options, message):
    with pytest.raises(RnnlmError, match=f"^{message}$"):
        write_beam(lively(0), VOCABULARY, **options)


def test_a_model_without_numbers_is_one_line():
    model = lively(0)
    model.output.params[1][2] = np.nan
    with pytest.raises(RnnlmError, match="its scores are not finite numbers"):
        write_beam(model, VOCABULARY)
