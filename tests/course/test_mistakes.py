"""Every known mistake is named, no two are confused, and right answers are right."""

from functools import cache, partial

import numpy as np
import pytest
from right_answers import RIGHT
from wrong_answers import CODE, WRONG

from rnnlm.course import EXERCISES, check
from rnnlm.course.compare import CLOSE
from rnnlm.course.diagnosis import SEED, results

judged = cache(check)  # the wrong answers are looked at twice
LABELS = [f"{exercise}: {words[0] if words else ''}" for exercise, words, _ in WRONG]


@pytest.mark.parametrize("exercise", RIGHT)
def test_a_right_answer_is_right(exercise):
    verdict = check(exercise, RIGHT[exercise])
    assert verdict, verdict
    assert verdict.message.startswith("Right")


@pytest.mark.parametrize("exercise", CODE)
def test_what_the_wrong_answers_are_made_of_is_right(exercise):
    names = {}
    exec(CODE[exercise], {"np": np, "unroll": RIGHT["unroll"]}, names)
    assert check(exercise, names["answer"])


def each(value, change):
    """The change applied to every array in nested tuples and lists."""
    if isinstance(value, tuple | list):
        return type(value)(each(part, change) for part in value)
    return change(np.asarray(value))


@pytest.mark.parametrize("change", [np.ndarray.tolist, np.float32, partial(np.array, order="F"), np.array],
                         ids=["lists", "float32", "Fortran order", "arrays"])
@pytest.mark.parametrize("exercise", RIGHT)
def test_a_right_answer_may_come_in_other_clothes(exercise, change):
    assert check(exercise, lambda *args: each(RIGHT[exercise](*args), change))


@pytest.mark.parametrize("exercise", RIGHT)
def test_a_right_answer_may_compute_in_float32(exercise):
    def narrow(*args):
        return RIGHT[exercise](*[arg.astype(np.float32) if getattr(arg, "dtype", None) == np.float64 else arg
                                 for arg in args])

    assert check(exercise, narrow)


@pytest.mark.parametrize(("exercise", "words", "answer"), WRONG, ids=LABELS)
def test_a_mistake_is_named(exercise, words, answer):
    verdict = judged(exercise, answer)
    assert not verdict
    for word in words:
        assert word in verdict.message, verdict
    assert f"Read chapter {EXERCISES[exercise].chapter}, " in verdict.message


@pytest.mark.parametrize("exercise", EXERCISES)
def test_no_two_mistakes_are_confused(exercise):
    """Wrong answers of different words get different messages."""
    messages = {}
    for name, words, answer in WRONG:
        if name == exercise:
            messages.setdefault(judged(exercise, answer).message, set()).add(words[0])
    assert all(len(words) == 1 for words in messages.values()), messages


def on_the_first_inputs(exercise):
    """On the first inputs: the right results, and by words those of every mistake."""
    exercise = EXERCISES[exercise]
    case = next(iter(exercise.cases(np.random.default_rng(SEED))))
    return results(exercise, case, exercise.reference), [
        (mistake.says, results(exercise, case, mistake.answer)) for mistake in exercise.mistakes]


def far(theirs, others):
    """Whether answers differ by more than ten times what the checker allows."""
    return any(a.shape != b.shape or (np.abs(a - b).max() > 10 * CLOSE * np.abs(b).max())
               for a, b in zip(theirs, others, strict=True))


@pytest.mark.parametrize("exercise", EXERCISES)
def test_the_inputs_tell_the_mistakes_apart(exercise):
    """On the first inputs, each mistake differs from what is right and the others."""
    right, mistakes = on_the_first_inputs(exercise)
    for says, theirs in mistakes:
        assert far(theirs, right) or "update inside" in says, says
        for other, others in mistakes:
            assert says == other or far(theirs, others) or "update inside" in says + other, (says, other)


@pytest.mark.parametrize("exercise", EXERCISES)
def test_every_mistake_of_the_table_is_named_by_its_words(exercise):
    for mistake in EXERCISES[exercise].mistakes:
        assert mistake.says in check(exercise, mistake.answer).message


@pytest.mark.parametrize("exercise", EXERCISES)
def test_the_sizes_of_the_inputs_all_differ(exercise):
    for case in EXERCISES[exercise].cases(np.random.default_rng(SEED)):
        assert len(set(case.sizes.values())) == len(case.sizes)
        assert all(size > 1 for size in case.sizes.values())


def test_two_mistakes_at_once_are_both_named():
    def answer(dh_next, x, h_prev, h_next, Wx, Wh, b):
        da = dh_next * (1 - np.tanh(h_next) ** 2)
        return da @ Wx.T, da @ Wh.T, x.T @ da, h_prev.T @ da, (dh_next * (1 - h_next**2)).mean(axis=0)

    message = check("step_backward", answer).message
    assert "dx, dh_prev, dWx, dWh: tanh is applied twice" in message
    assert "db: averaged over the batch" in message


def test_a_small_number_against_log_of_zero_is_no_mistake():
    """-log(p + 1e-7), as textbooks write it."""
    def answer(scores, targets):
        p = np.exp(scores - scores.max(axis=-1, keepdims=True))
        p /= p.sum(axis=-1, keepdims=True)
        return -np.log(np.take_along_axis(p, targets[..., None], axis=-1) + 1e-7).mean()

    assert check("loss", answer)


def test_probabilities_raised_and_normalised_again_are_right():
    def answer(scores, temperature):
        p = np.exp(scores - scores.max())
        p = (p / p.sum()) ** (1 / temperature)
        return p / p.sum()

    assert check("next_word", answer)
