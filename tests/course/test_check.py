"""What the checker says of things that are no answers; what the package shows."""

import math
import subprocess
import sys

import numpy as np
import pytest
from right_answers import RIGHT, bptt, step, step_backward

from rnnlm import RnnlmError
from rnnlm.course import EXERCISES, UnknownExercise, Verdict, check, exercises
from rnnlm.course.compare import numbers

NAMES = ["step", "unroll", "loss", "loss_backward", "step_backward", "bptt", "learn", "gradient_norms", "windows",
         "batches", "perplexity", "lstm_step", "embedding_backward", "next_word", "last_state_backward"]


def said(exercise, answer):
    """The message on a wrong answer."""
    verdict = check(exercise, answer)
    assert not verdict
    return verdict.message


def test_a_verdict_reads_as_its_message():
    verdict = Verdict(False, "b is missing")
    assert (str(verdict), repr(verdict), bool(verdict), verdict.right) == ("b is missing", "b is missing", False, False)
    assert bool(check("step", step)) is check("step", step).right is True


def test_all_exercises_are_described(capsys):
    assert list(exercises()) == NAMES == list(RIGHT)
    for line in exercises().values():
        signature, about = line.split(": ", 1)
        assert "(" in signature and " -> " in signature and about
    assert exercises()["learn"].startswith("learn(xs, h0, dhs, Wx, Wh, b, lr) -> (Wx, Wh, b): ")
    assert exercises()["batches"].startswith("batches(ids, N, T) -> list of (xs, ts): ")
    print(exercises())
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == NAMES
    assert repr(exercises()) == str(exercises())


@pytest.mark.parametrize("error", [UnknownExercise, RnnlmError, ValueError])
def test_an_unknown_exercise(error):
    with pytest.raises(error, match=r"one of step, .*; got embeding_backward: did you mean embedding_backward\?"):
        check("embeding_backward", step)


def test_an_exercise_that_is_like_none():
    with pytest.raises(UnknownExercise, match=r"last_state_backward; got zzz$"):
        check("zzz", step)
    with pytest.raises(UnknownExercise, match="got <function step"):
        check(step, "step")


def test_an_answer_that_is_no_function():
    assert said("step", 0.5) == ("The answer must be a function, forward(x, h_prev, Wx, Wh, b), got float: "
                                 'pass the function itself, check("step", forward).')


def test_an_exception_is_told_with_its_line():
    def answer(x, h_prev, Wx, Wh, b):
        a = x @ Wx
        return a + h_prev @ Wx

    line = answer.__code__.co_firstlineno + 2
    text = said("step", answer)
    assert text.startswith("ValueError: matmul: ")
    assert f"\n  in answer, line {line}: return a + h_prev @ Wx\n" in text
    assert "is a factor transposed" in text
    assert "The arguments: x (3, 2), h_prev (3, 4), Wx (2, 4), Wh (4, 4), b (4,)." in text
    assert "Traceback" not in text


def test_an_exception_inside_numpy_is_told_with_the_readers_line():
    def answer(xs, h0, Wx, Wh, b):
        return np.stack([xs, h0])

    text = said("unroll", answer)
    assert text.startswith("ValueError: all input arrays must have the same shape")
    assert "in answer" in text and "return np.stack([xs, h0])" in text


def test_wrong_numbers_are_counted_and_shown():
    x, y = np.array([1.0, 2.0, -0.0]), np.array([1.0, 2.0, 5.0])
    assert numbers(y, x, {}).startswith("1 of 3 numbers are wrong, first at [2]: 5, must be 0;")
    assert numbers(y + 1, x, {}).startswith("all of 3 numbers are wrong: 2, must be 1;")


def test_an_elementwise_product():
    assert "Does a product of matrices (@) belong there" in said(
        "step", lambda x, h_prev, Wx, Wh, b: np.tanh(x @ Wx + h_prev * Wh + b))


def test_a_function_of_other_arguments():
    text = said("step", lambda x, h_prev: x)
    assert text.startswith("TypeError: ") and "Your function is called as forward(x, h_prev, Wx, Wh, b)." in text


def test_nothing_returned():
    assert "returned None: end it with return h_next." in said("step", lambda *args: None)
    assert "end it with return (dxs, dh0, dWx, dWh, db)." in said("bptt", lambda *args: None)
    assert "end it with return list of (xs, ts)." in said("batches", lambda *args: None)
    assert "dWh is None." in said("step_backward", lambda *args: (*step_backward(*args)[:3], None, 0))


def test_a_wrong_number_of_results():
    assert "must return 5 results, (dx, dh_prev, dWx, dWh, db), got 2." in said(
        "step_backward", lambda *args: step_backward(*args)[:2])
    assert "must return 5 results, (dx, dh_prev, dWx, dWh, db), got one: an array of shape (3, 2)." in said(
        "step_backward", lambda *args: step_backward(*args)[0])


def test_what_is_no_array():
    assert "h_next cannot be read as one array of numbers: str 'h'" in said("step", lambda *args: "h")
    ragged = said("windows", lambda xs, T, *args: [xs[:, :T], xs[:, T:]])
    assert "hs cannot be read as one array of numbers: list" in ragged and "np.concatenate" in ragged


def test_nan_is_named():
    def answer(*args):
        h_next = step(*args)
        h_next[0, 1] = np.nan
        return h_next

    assert "h_next: inf or nan in 1 of 12 numbers" in said("step", answer)


def test_how_far_off_a_result_is():
    def answer(*args):
        h_next = step(*args)
        h_next[1, 2] += 0.5
        return h_next

    text = said("step", answer)
    assert "h_next: 1 of 12 numbers are wrong, first at [1, 2]: " in text and "the largest difference is 0.5" in text
    assert "h_next: shape (3, 2), must be (3, 4)" in said("step", lambda x, *args: x)
    assert "every number is 1.5 times what it must be" in said("step", lambda *args: 1.5 * step(*args))
    assert "loss: wrong: 7, must be 2." in said("loss", lambda *args: 7)


def test_changed_inputs_are_told():
    def adds_in_place(dhs, *args):
        result = bptt(dhs, *args)
        dhs += 1
        return result

    text = said("bptt", adds_in_place)
    assert text.startswith("The numbers are right, but your function changed its argument dhs: work on a copy")

    def wrong_too(x, h_prev, Wx, Wh, b):
        h_prev *= 0
        return np.tanh(x @ Wx + b)

    text = said("step", wrong_too)
    assert "h_prev Wh is missing" in text and "Also, your function changed its argument h_prev" in text


def test_an_answer_that_is_right_by_luck():
    """Numbers learnt from the first inputs do not pass the second."""
    seen = []

    def answer(x, h_prev, Wx, Wh, b):
        seen.append(x)
        return step(x, h_prev, Wx, Wh, b if len(seen) == 1 else 0 * b)

    text = said("step", answer)
    assert text.startswith("Right at first, but wrong with other inputs (N = 2, D = 5, H = 3):\nh_next: b is missing")


def test_arithmetic_errors_of_large_scores_are_named():
    def answer(scores, temperature):
        e = [math.exp(score / temperature) for score in scores]
        return [number / sum(e) for number in e]

    assert said("next_word", answer).startswith("With scores around 1000:\noverflow: ")


def test_batches_may_be_yielded():
    def answer(ids, N, T):
        yield from RIGHT["batches"](ids, N, T)

    assert check("batches", answer)

    def broken(ids, N, T):
        yield ids[len(ids)]

    assert said("batches", broken).startswith("IndexError: ")


@pytest.mark.parametrize(("answer", "words"), [
    (lambda ids, N, T: (ids, ids), "must return a list of pairs (xs, ts)"),
    (lambda ids, N, T: 3, "must return a list of pairs (xs, ts)"),
    (lambda ids, N, T: [], "the list of windows is empty"),
    (lambda ids, N, T: [(ids, ids)], "window 0: xs and ts must have one shape, (N, T)"),
    (lambda ids, N, T: [(np.ones((3, 4)), np.ones((3, 3)))], "got (3, 4) and (3, 3)"),
    (lambda ids, N, T: [(np.ones((3, 4)),) * 2, (np.ones((2, 4)),) * 2], "window 1 has 2 rows, the window before"),
    (lambda ids, N, T: RIGHT["batches"](ids, N, T + 1), "window lengths: shape (2,), must be (3,)"),
])
def test_what_is_no_list_of_batches(answer, words):
    assert words in said("batches", answer)


def test_the_answer_gets_copies():
    """What one call does to its arguments, the next does not see."""
    def answer(ids, dxs, V):
        result = RIGHT["embedding_backward"](ids, dxs, V)
        dxs[...] = 0
        return result

    assert "The numbers are right" in said("embedding_backward", answer)
    assert "The numbers are right" in said("embedding_backward", answer)
    assert check("embedding_backward", RIGHT["embedding_backward"])


def test_the_signature_of_every_exercise_is_that_of_its_call():
    for name, exercise in EXERCISES.items():
        for case in exercise.cases(np.random.default_rng(0)):
            assert f"({', '.join(case.args)})" in exercise.signature, name


def test_importing_the_package_does_not_load_the_course():
    code = "import sys, rnnlm; print(any(name.startswith('rnnlm.course') for name in sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"
