"""Training: truncated backpropagation through time, one update a window.

The trainer takes the model, the optimizer, the batches and callables.  It yields records and knows
no file and no screen.
"""

import math
import time
from dataclasses import dataclass

import numpy as np

from rnnlm.errors import DivergenceError
from rnnlm.evaluation import perplexity
from rnnlm.gradients import clip_scale, global_norm
from rnnlm.workers import SERIAL


@dataclass
class Step:
    """One update: its loss (mean nats per token), targets, and gradient norm before clipping."""

    loss: float
    targets: int
    grad_norm: float


@dataclass
class Record:
    """One epoch, as metrics.jsonl keeps it.

    iteration, tokens: updates and targets since the start; grad_norm: mean norm before clipping;
    tokens_per_second: of the training steps alone; seconds: since the start, validation included;
    improved: whether validation was the best so far; finished: False for an epoch that was cut short.
    """

    epoch: int
    iteration: int
    tokens: int
    train_perplexity: float
    valid_perplexity: float
    lr: float
    grad_norm: float
    tokens_per_second: float
    seconds: float
    improved: bool
    finished: bool


class Trainer:
    """model: forward, backward, packed_params, packed_grads, reset_state; optimizer: update, lr.

    max_grad: the limit of the gradients' global norm; workers: the threads that share the norm and the update.
    """

    def __init__(self, model, optimizer, max_grad=math.inf, workers=SERIAL):
        self.model, self.optimizer, self.max_grad, self.workers = model, optimizer, max_grad, workers
        self.iteration = 0
        self.tokens = 0

    def step(self, xs, ts):
        """Read one window (N, T), go back through it, update once; return the Step.

        DivergenceError at a loss or gradient that is not finite; the parameters are not touched then.
        """
        with np.errstate(all="ignore"):  # the check below says it in one line
            loss = self.model.forward(xs, ts)
            self.model.backward()
            norm = global_norm(self.model.packed_grads, self.workers)
        if not (math.isfinite(loss) and math.isfinite(norm)):
            raise DivergenceError(
                f"training diverged at step {self.iteration + 1}: loss {loss:g}, gradient norm {norm:g}, "
                f"learning rate {self.optimizer.lr:g}; lower --lr or --max-grad"
            )
        scale = clip_scale(norm, self.max_grad)
        model = self.model
        self.optimizer.update(model.packed_params, model.packed_grads, scale, self.workers)
        self.iteration += 1
        self.tokens += ts.size
        return Step(loss, ts.size, norm)

    def epoch(self, batches, on_step=None, should_stop=lambda: False):
        """Read the text once from its start; return the steps done, all of them unless should_stop() cuts it short.

        on_step(step) is called after each update.
        """
        self.model.reset_state()
        batches.position = 0
        steps = []
        for xs, ts in batches:
            steps.append(self.step(xs, ts))
            if on_step:
                on_step(steps[-1])
            if should_stop():
                break
        return steps

    def fit(self, batches, validate, schedule, epochs, on_step=None, should_stop=lambda: False):
        """Train for at most ``epochs`` epochs and yield a Record after each.

        validate() returns the validation loss in nats per token; schedule decides the learning rate
        and the early stop.  When should_stop() says so, the running epoch ends after its step, is
        validated and is the last.
        """
        started = time.perf_counter()
        for epoch in range(1, epochs + 1):
            self.optimizer.lr = lr = schedule.lr
            epoch_started = time.perf_counter()
            steps = self.epoch(batches, on_step, should_stop)
            trained = time.perf_counter() - epoch_started
            valid_loss = validate()
            targets = sum(step.targets for step in steps)
            yield Record(
                epoch, self.iteration, self.tokens,
                train_perplexity=perplexity(sum(step.loss * step.targets for step in steps), targets),
                valid_perplexity=perplexity(valid_loss, 1),
                lr=lr,
                grad_norm=sum(step.grad_norm for step in steps) / len(steps),
                tokens_per_second=targets / trained,
                seconds=time.perf_counter() - started,
                improved=schedule.update(valid_loss),
                finished=targets == batches.targets,
            )
            if schedule.stop or should_stop():
                return
