"""Training: truncated backpropagation through time, one update a window.

The trainer takes the model, the optimizer, the batches and callables.  It yields records and knows
no file and no screen.  Between two steps, ``numbers`` and ``arrays`` are all that a run needs to go on.
"""

import math
import time
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from numbers import Real

import numpy as np

from rnnlm.compute import arguments
from rnnlm.compute.functions import perplexity
from rnnlm.compute.threads import SERIAL, computing
from rnnlm.errors import DivergenceError
from rnnlm.training.clipping import clip_scale, global_norm
from rnnlm.training.forms import require_form
from rnnlm.training.parts import require_batches_and_schedule, require_functions, require_parts


@dataclass
class Step:
    """One update: its loss (mean nats per token), targets, and gradient norm before clipping."""

    loss: float
    targets: int
    grad_norm: float


@dataclass
class Sums:
    """What has come together since the epoch began: nats over the targets, norms and seconds over the steps.

    lr: the schedule's rate of the last step.
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

    iteration, tokens: updates and targets since the start; losses in nats per token, perplexity exp(loss),
    which may be inf; grad_norm: mean norm before clipping; tokens_per_second: of the training steps alone;
    seconds: since the start, validation included, pauses not; improved: whether validation was the best so far.
    """

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


class Trainer:
    """model: a LanguageModel or its like; optimizer: update, lr; max_grad: limit of the gradients' global norm.

    A model of one's own has forward(xs, ts) -> loss, backward(), and packing.params and packing.grads, lists of arrays;
    ``fit`` also calls reset_state() and set_progress(share of the training that is done).

    batches, schedule: what ``fit`` reads and what decides the learning rate (``step`` alone needs neither).
    average: an Average of the weights, which is validated in their place, or None.
    workers: the Workers that share the norm and the update; None: the model's.
    ``epoch``, ``iteration``, ``tokens``: epochs finished, updates made and targets read so far.
    """

    def __init__(self, model, optimizer, batches=None, schedule=None, *, average=None, max_grad=math.inf,
                 workers=None):
        require_parts(model, optimizer, batches, schedule, average, max_grad, workers)
        if hasattr(model, "set_training"):
            model.set_training(True)
        self.model, self.optimizer, self.batches, self.schedule = model, optimizer, batches, schedule
        self.average, self.max_grad = average, max_grad
        self.workers = getattr(model, "workers", SERIAL) if workers is None else workers
        self.epoch = self.iteration = self.tokens = 0
        self.seconds = 0.0
        self.sums = Sums()

    @computing
    def step(self, xs, ts):
        """Read one window (N, T), go back through it, update once; return the Step.

        DivergenceError at a loss or gradient that is not finite; the parameters are not touched then.
        """
        with np.errstate(all="ignore"):  # the check below says it in one line
            loss = self.model.forward(xs, ts)
            self.model.backward()
            norm = global_norm(self.model.packing.grads, self.workers)
        if not (math.isfinite(loss) and math.isfinite(norm)):
            raise DivergenceError(
                f"training diverged at step {self.iteration + 1}: loss {loss:g}, gradient norm {norm:g}, "
                f"learning rate {self.optimizer.lr:g}"
            )
        scale = clip_scale(norm, self.max_grad)
        model = self.model
        with np.errstate(over="ignore", invalid="ignore"):  # the next step's loss says it
            self.optimizer.update(model.packing.params, model.packing.grads, scale, self.workers)
        self.iteration += 1
        targets = ts.size if isinstance(ts, np.ndarray) else np.size(ts)
        self.tokens += targets
        return Step(loss, targets, norm)

    def fit(self, validate, epochs, on_step=None):
        """Train until ``epochs`` epochs are finished or the schedule stops; yield a Record after each.

        epochs may be math.inf.  validate() returns the validation loss in nats per token.  on_step(step) is called
        after each update.  What either of them raises ends the training between two steps: ``fit`` called again
        continues from there.
        ArgumentError, at once, for what cannot be; nothing is trained before the first Record is asked for.
        """
        require_batches_and_schedule(self, "fit")
        require_functions(validate, on_step)
        if not (isinstance(epochs, float) and epochs == math.inf):
            epochs = arguments.whole("epochs", epochs, 0)
        return self._records(validate, epochs, on_step)

    def _records(self, validate, epochs, on_step):
        """The generator that ``fit`` returns."""
        self.began = time.perf_counter() - self.seconds
        while self.epoch < epochs and not self.schedule.stop:
            self._finish_reading(epochs, on_step)
            with self.weights_to_keep():
                valid_loss = validate()
            arguments.kind("what validate() returns", valid_loss, Real, "the validation loss in nats per token")
            yield self._finish_epoch(valid_loss)

    def weights_to_keep(self):
        """A block in which the parameters are those to validate and to save: the average, where there is one."""
        return self.average.in_place(self.model.packing.params) if self.average else nullcontext()

    def _finish_reading(self, epochs, on_step):
        """Read the text to its end: from its start, or from where this epoch was left."""
        batches = self.batches
        if not self.sums.steps:
            self.model.reset_state()
            batches.position = 0
        elif batches.at_end:  # only the validation is left
            return
        progress = self._progress(epochs)
        for xs, ts in batches:
            started = time.perf_counter()
            lr = self.schedule.rate(self.iteration, progress)
            # A short window's mean is over fewer targets, each of which would weigh more (Merity et al., 2018).
            share = xs.shape[1] / batches.time_size if batches.random_length else 1.0
            self.optimizer.lr = lr * share
            self.model.set_progress(progress)
            step = self.step(xs, ts)
            progress = self._progress(epochs)
            if self.average:
                self.average.update(self.model.packing.params, progress, self.workers)
            self.sums.add(step, time.perf_counter() - started, lr)
            self.seconds = time.perf_counter() - self.began
            if on_step:
                on_step(step)

    def _progress(self, epochs):
        """The share of all epochs that is behind the trainer, from 0 to 1."""
        return (self.epoch + self.batches.position / self.batches.stream_length) / epochs

    def _finish_epoch(self, valid_loss):
        """The Record of the epoch whose text was read to its end; the next one begins."""
        sums, self.sums = self.sums, Sums()
        self.epoch += 1
        self.seconds = time.perf_counter() - self.began
        return Record(
            self.epoch, self.iteration, self.tokens,
            train_loss=sums.nats / sums.targets,
            train_perplexity=perplexity(sums.nats, sums.targets),
            valid_loss=valid_loss,
            valid_perplexity=perplexity(valid_loss, 1),
            lr=sums.lr,
            grad_norm=sums.norms / sums.steps,
            tokens_per_second=sums.targets / sums.seconds,
            seconds=self.seconds,
            improved=self.schedule.update(valid_loss),
        )

    def numbers(self):
        """Where the run stands, but for arrays: a dict of dicts, strings and numbers.

        The learning rate is the schedule's.
        """
        require_batches_and_schedule(self, "a checkpoint")
        return {
            "epoch": self.epoch, "iteration": self.iteration, "tokens": self.tokens, "seconds": self.seconds,
            "sums": asdict(self.sums), "optimizer": {"steps": self.optimizer.steps},
            "batches": self.batches.numbers(), "average": {"count": self.average.count if self.average else 0},
            "schedule": self.schedule.numbers(), "dropout": self.model.dropout_rng.bit_generator.state,
        }

    def arrays(self):
        """The arrays of the run by name, the ones it works with: parameters, slots and, within an epoch, the states."""
        model = self.model
        self.optimizer.prepare(model.packing.params)
        arrays = model.named_params()
        for slot, packed in self.optimizer.slots.items():
            arrays |= {f"optimizer/{slot}/{name}": array for name, array in model.packing.by_name(packed).items()}
        if self.average and self.average.count:
            self.average.prepare(model.packing.params)
            arrays |= {f"average/{name}": array for name, array in model.packing.by_name(self.average.values).items()}
        if self.sums.steps:
            arrays |= {f"state/{name}": array
                       for name, array in model.named_state(self.batches.batch_size).items()}
        return arrays

    def go_to(self, numbers):
        """Stand where ``numbers`` says, once ``arrays`` are filled too. ValueError if they cannot be a run's."""
        require_form(numbers, self.numbers())
        sums = Sums(**numbers["sums"])
        self.batches.go_to(numbers["batches"])
        position = self.batches.position
        if sums.targets != bool(sums.steps) * position * self.batches.batch_size or (
                sums.steps and not (position and sums.seconds)):
            raise ValueError(f"{sums.steps} steps with {sums.targets} targets to position {position} cannot be right")
        if self.average:
            self.average.count = numbers["average"]["count"]
        self.schedule.go_to(numbers["schedule"])
        self.model.dropout_rng.bit_generator.state = numbers["dropout"]
        self.optimizer.steps = numbers["optimizer"]["steps"]
        self.epoch, self.iteration, self.tokens = (numbers[name] for name in ("epoch", "iteration", "tokens"))
        self.seconds, self.sums = numbers["seconds"], sums
        self.model.reset_state()
