"""What keeps a model from overfitting: shares left out in training, and penalties."""

from dataclasses import dataclass, fields

import numpy as np

from rnnlm.compute import arguments

LARGEST = float(np.finfo(np.float32).max)
SHARES = ("dropout", "output_dropout", "input_dropout", "word_dropout", "weight_drop")
PENALTIES = ("activation_penalty", "slowness_penalty")


@dataclass(frozen=True)
class Regularisation:
    """All off by default; see the layers named for what each does and where it comes from.

    word_dropout: share of the words without a vector (TimeWordDropout); input_dropout, dropout, output_dropout: share
    of the values left out of the word vectors, between the recurrent layers, and after the last one (TimeDropout;
    output_dropout None: as dropout); per_window: whether their masks stay for a whole window; weight_drop: share
    of the recurrent weights left out (WeightDrop); dropout_start, from 0 to 1: what all these shares are multiplied by
    at the start of Trainer.fit, which lets them rise evenly to the whole (after Morerio et al., 2017; without ``fit``
    they are the whole); activation_penalty, slowness_penalty: weights of the penalties on the last layer's states
    (TimeActivationPenalty, after dropout, and TimeSlownessPenalty, before it).

    ArgumentError, at once, for a share or a penalty that no layer could have.
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

    def __post_init__(self):
        """Each value as one that goes into a file."""
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
    def from_file(cls, values):
        """The Regularisation that a file tells of, a dict as ``dataclasses.asdict`` makes it. ArgumentError if it is
        none."""
        known = {field.name for field in fields(cls)}
        arguments.kind("regularisation", values, dict, f"an object with some of {', '.join(sorted(known))}")
        for name in values:
            arguments.one_of("a key of regularisation", name, sorted(known))
        return cls(**values)
