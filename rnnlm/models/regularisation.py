"""What keeps a model from overfitting: shares left out in training, and penalties."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from rnnlm.compute import arguments

LARGEST = float(np.finfo(np.float32).max)
SHARES = ("dropout", "output_dropout", "input_dropout", "word_dropout", "weight_drop")
PENALTIES = ("activation_penalty", "slowness_penalty")


@dataclass(frozen=True)
class Regularisation:
    """All off by default; the layers named below say what each does, and its source.

    Parameters
    ----------
    dropout : share of the values left out between the recurrent layers (TimeDropout).
    output_dropout : the same share after the last one; None: as ``dropout``.
    input_dropout : the same share of the word vectors' values.
    word_dropout : share of the words without a vector (TimeWordDropout).
    weight_drop : share of the recurrent weights left out (WeightDrop).
    dropout_start : from 0 to 1, the part of all these shares at the start of
        Trainer.fit. ``fit`` lets them rise evenly to the whole (after Morerio et al.,
        2017); without ``fit`` they are the whole.
    per_window : whether dropout's masks are kept for a whole window.
    activation_penalty : weight of the penalty on the last layer's states, after dropout
        (TimeActivationPenalty).
    slowness_penalty : weight of the penalty on their changes, before dropout
        (TimeSlownessPenalty).

    Raises
    ------
    ArgumentError : at once, a share or a penalty is one that no layer could have.
    """

    dropout: float = 0.0
    output_dropout: float | None = None
    input_dropout: float = 0.0
    word_dropout: float = 0.0
    weight_drop: float = 0.0
    dropout_start: float = 1.0
    per_window: bool = False
    activation_penalty: float = 0.0
    slowness_penalty: float = 0.0

    def __post_init__(self) -> None:
        """Make each value one that can go into a file."""
        checked = {"per_window": arguments.yes_or_no("per_window", self.per_window)}
        checked["dropout_start"] = arguments.number("dropout_start", self.dropout_start, "from 0 to 1",
                                                    lambda x: 0 <= x <= 1)
        for name in SHARES:
            if name != "output_dropout" or self.output_dropout is not None:
                checked[name] = arguments.share(name, getattr(self, name))
        for name in PENALTIES:
            checked[name] = arguments.number(name, getattr(self, name), "of at least 0 that float32 can hold",
                                             lambda x: 0 <= x <= LARGEST)
        for name, value in checked.items():
            object.__setattr__(self, name, value)

    @classmethod
    def from_file(cls, values: dict[str, Any]) -> Regularisation:
        """From a dict in a file, as ``dataclasses.asdict`` makes it.

        ArgumentError if the dict does not describe a Regularisation.
        """
        known = {field.name for field in fields(cls)}
        arguments.kind("regularisation", values, dict, f"an object with some of {', '.join(sorted(known))}")
        for name in values:
            arguments.one_of("a key of regularisation", name, sorted(known))
        return cls(**values)
