"""What training tells: a Step for each update, Sums of them, a Record each epoch."""

from dataclasses import dataclass
from typing import Any, Self

from rnnlm.compute.functions import perplexity


@dataclass
class Step:
    """One update: loss (mean nats a token), targets, gradient norm before clipping."""

    loss: float
    targets: int
    grad_norm: float


@dataclass
class Sums:
    """Sums since the epoch began.

    Nats over the targets, norms and seconds over the steps; lr: the schedule's rate of
    the last step.
    """

    steps: int = 0
    targets: int = 0
    nats: float = 0.0
    norms: float = 0.0
    seconds: float = 0.0
    lr: float = 0.0

    def add(self, step, seconds, lr):
        """Take one step in."""
        self.lr = lr
        self.steps += 1
        self.targets += step.targets
        self.nats += step.loss * step.targets
        self.norms += step.grad_norm
        self.seconds += seconds


@dataclass
class Record:
    """One epoch, as metrics.jsonl keeps it.

    Attributes
    ----------
    iteration, tokens : updates and targets since the start.
    train_loss, valid_loss : nats per token.
    train_perplexity, valid_perplexity : exp(loss), which may be inf.
    lr : the schedule's rate of the last step.
    grad_norm : mean norm before clipping.
    tokens_per_second : of the training steps alone.
    seconds : since the start, validation included, pauses not.
    improved : whether validation was the best so far.
    """

    # Classes, not strings (no annotations from __future__): the reader of checkpoints
    # converts by them.
    epoch: int
    iteration: int
    tokens: int
    train_loss: float
    train_perplexity: float
    valid_loss: float
    valid_perplexity: float
    lr: float
    grad_norm: float
    tokens_per_second: float
    seconds: float
    improved: bool

    @classmethod
    def of_epoch(cls, sums: Sums, valid_loss: float, **values: Any) -> Self:
        """The Record of an epoch with these Sums."""
        return cls(
            train_loss=sums.nats / sums.targets,
            train_perplexity=perplexity(sums.nats, sums.targets),
            valid_loss=valid_loss,
            valid_perplexity=perplexity(valid_loss, 1),
            lr=sums.lr,
            grad_norm=sums.norms / sums.steps,
            tokens_per_second=sums.targets / sums.seconds,
            **values,
        )
