"""The course's exercises, and a checker that names mistakes in a reader's function."""

from rnnlm.compute.blas import blas_threads
from rnnlm.course import (
    backward,
    bptt,
    forward,
    learning,
    loss,
    loss_backward,
    lstm,
    next_word,
    perplexity,
    sequences,
    text,
)
from rnnlm.course.diagnosis import judge
from rnnlm.course.verdict import UnknownExercise, Verdict
from rnnlm.errors import did_you_mean, shown

__all__ = ["UnknownExercise", "Verdict", "check", "exercises"]

EXERCISES = {
    "step": forward.STEP, "unroll": forward.UNROLL, "loss": loss.LOSS, "loss_backward": loss_backward.LOSS_BACKWARD,
    "step_backward": backward.STEP_BACKWARD, "bptt": bptt.BPTT, "learn": learning.LEARN,
    "gradient_norms": backward.GRADIENT_NORMS, "windows": forward.WINDOWS, "batches": text.BATCHES,
    "perplexity": perplexity.PERPLEXITY, "lstm_step": lstm.LSTM_STEP, "embedding_backward": text.EMBEDDING_BACKWARD,
    "next_word": next_word.NEXT_WORD, "last_state_backward": sequences.LAST_STATE_BACKWARD,
}


class Catalogue(dict):
    """The exercises: name -> signature, results and what they are; printed as lines."""

    def __repr__(self):
        return "\n".join(f"{name:{max(map(len, self))}}  {line}" for name, line in self.items())


def exercises():
    """The exercises in the order of the course.

    Name -> the function to write, what it returns, what that is.
    """
    return Catalogue({name: str(exercise) for name, exercise in EXERCISES.items()})


def check(exercise, answer):
    """Try a reader's function on an exercise; returns a Verdict.

    The function is called with several sets of small random arrays, and its results are
    checked against the package's own layers.  What goes wrong in it is reported, not
    raised.

    Parameters
    ----------
    exercise : str, the name of an exercise.
    answer : the reader's function.

    Raises
    ------
    UnknownExercise : an RnnlmError; there is no exercise of this name.
    """
    if not isinstance(exercise, str) or exercise not in EXERCISES:
        raise UnknownExercise(f"exercise must be one of {', '.join(EXERCISES)}; got {shown(exercise)}"
                              f"{did_you_mean(exercise, EXERCISES)}")
    if not callable(answer):
        called = EXERCISES[exercise].signature
        return Verdict(False, f"The answer must be a function, {called}, got {type(answer).__name__}: "
                              f'pass the function itself, check("{exercise}", {called.split("(")[0]}).')
    with blas_threads(1):  # thousands of small products, which threads only slow down
        return judge(EXERCISES[exercise], answer)
