"""What an exercise is: a function to write, inputs, right results, known wrong ones."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from rnnlm.layers import TimeRNN

CHAPTERS = {1: "one step by hand", 2: "unrolling", 3: "the loss", 4: "backpropagation through time",
            5: "vanishing and exploding gradients", 6: "truncation", 7: "mini-batches", 8: "perplexity",
            9: "the gated cells", 10: "the language model", 11: "generating", 12: "a label for a sequence"}


@dataclass(frozen=True)
class Case:
    """One set of inputs.

    Attributes
    ----------
    args : the arguments by name, in the order of the call.
    sizes : N, T, ... of these inputs, all different.
    about : what is special about the inputs.
    not_finite : the mistake that inf or nan reveals here.
    """

    args: dict
    sizes: dict
    about: str = ""
    not_finite: str = ""

    def copies(self):
        """The arguments once more, in memory of their own."""
        return [arg.copy(order="C") if isinstance(arg, np.ndarray) else arg for arg in self.args.values()]


@dataclass(frozen=True)
class Mistake:
    """A known mistake: what it is, what to do instead, and a function that makes it."""

    says: str
    answer: Callable


def mistake(says):
    """Make the function below the known mistake that ``says`` explains."""
    return lambda answer: Mistake(says, answer)


@dataclass(frozen=True)
class Exercise:
    """What the reader writes, and how it is judged.

    Attributes
    ----------
    signature : the function, as it is called.
    results : names of what it returns.
    about : what it computes, in one line.
    chapter : the number of the chapter.
    cases : generator of random numbers -> Cases.
    reference : the right function, made of the package's layers.
    mistakes : known wrong functions, the most telling first.
    signs : functions (case, result) -> text or None, for what no function can imitate.
    changed : name of an argument -> the mistake that writing into it reveals.
    returns : what comes back, where it is not the results themselves.
    read : function that makes one array for each result of what comes back; ValueError
        if it cannot.
    """

    signature: str
    results: tuple
    about: str
    chapter: int
    cases: Callable
    reference: Callable
    mistakes: tuple
    signs: tuple = ()
    changed: dict = field(default_factory=dict)
    returns: str = ""
    read: Callable | None = None

    @property
    def outcome(self):
        """What comes after return."""
        names = ", ".join(self.results)
        return self.returns or (f"({names})" if len(self.results) > 1 else names)

    def __str__(self):
        return f"{self.signature} -> {self.outcome}: {self.about}"


def weights(rng, D, H, gates=1):
    """Wx (D, kH), Wh (H, kH), b (kH,) for a cell of k gates.

    They are large enough for every term to be seen.
    """
    return {"Wx": rng.normal(0, 0.7, (D, gates * H)), "Wh": rng.normal(0, 0.7, (H, gates * H)),
            "b": rng.normal(0, 0.7, gates * H)}


def states(xs, h0, Wx, Wh, b):
    """The states (N, T, H) of a recurrent layer from h0 (N, H) on, and the layer."""
    layer = TimeRNN(Wx, Wh, b, stateful=True)
    layer.set_state(h0)
    return layer.forward(xs), layer


def states_before(h0, hs):
    """h_{t-1} for every t: h0, then all the states but the last."""
    return np.concatenate([h0[:, np.newaxis], hs[:, :-1]], axis=1)
