"""What the checker says of an answer."""

from dataclasses import dataclass

from rnnlm.errors import RnnlmError


@dataclass(frozen=True, repr=False)
class Verdict:
    """What the checker says of an answer; it is true when the answer is right.

    It reads as its message.

    Attributes
    ----------
    right : whether the answer does what the exercise asks.
    message : why, or why not, in a few lines.
    """

    right: bool
    message: str

    def __bool__(self):
        return self.right

    def __str__(self):
        return self.message

    __repr__ = __str__


class UnknownExercise(RnnlmError, ValueError):
    """There is no exercise of this name."""
