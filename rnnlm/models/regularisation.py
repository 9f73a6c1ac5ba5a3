"""What keeps a model from learning its training text by heart: shares left out in training, and penalties."""

from dataclasses import dataclass


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
        if not 0 <= self.dropout_start <= 1:
            raise ValueError(f"dropout_start must be from 0 to 1, got {self.dropout_start}")
