"""Training: truncated backpropagation through time, one update a window.

The trainer takes the model, the optimizer, the batches and callables.  It yields
records, and knows no file and no screen.  Between two steps, ``snapshot`` is all that a
run needs to continue.
"""

from __future__ import annotations

import math
import time
from numbers import Real
from typing import TYPE_CHECKING

import numpy as np

from rnnlm.compute import arguments
from rnnlm.compute.default_workers import computing, workers_of
from rnnlm.compute.device import device_of
from rnnlm.compute.one_process import processes_of
from rnnlm.errors import DivergenceError
from rnnlm.training.clipping import clip_scale, global_norm
from rnnlm.training.device_updates import Clip
from rnnlm.training.lagging import Lags
from rnnlm.training.optimizer import Optimizer
from rnnlm.training.parts import require_functions, require_parts, require_parts_to_fit
from rnnlm.training.records import Record, Step, Sums
from rnnlm.training.saves import Saves
from rnnlm.training.shared_memory import sharing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rnnlm.compute.threads import Workers
    from rnnlm.training import protocols


class Trainer(Lags, Saves):
    """Trains a model.

    rnnlm/training/protocols.py says what each part owes the Trainer.

    A model with Processes is trained by all of them: each has a Trainer like this one,
    and calls the same methods at the same points.

    Parameters
    ----------
    model : a LanguageModel, or one of your own.
    optimizer : an update rule, such as Adam(0.002).
    batches : the TimeBatches that ``fit`` reads; ``step`` alone needs none.
    schedule : decides the learning rate and when ``fit`` stops, such as
        Constant(0.002); ``step`` alone needs none.
    average : an Average of the weights, which is validated in place of them; None:
        there is none.
    max_grad : limit of the gradients' global norm.
    workers : the Workers that share the norm and the update; None: the model's.
    sync_every : after how many steps several processes meet, see LocalSteps; None:
        at each step.

    Attributes
    ----------
    epoch : how many epochs are finished.
    iteration : how many updates were made.
    tokens : how many targets were read.
    seconds : how long the training has taken, without pauses.
    sums : the Sums of the epoch so far.
    lag : whether ``step`` may leave rows of a large embedding behind until they are
        read again, or until ``settle``; False.  ``fit`` does so anyway.
    """

    def __init__(self, model: protocols.Model, optimizer: protocols.Optimizer,
                 batches: protocols.Batches | None = None, schedule: protocols.Schedule | None = None, *,
                 average: protocols.Average | None = None, max_grad: float = math.inf,
                 workers: Workers | None = None, sync_every: int | None = None) -> None:
        require_parts(model, optimizer, batches, schedule, average, max_grad, workers)
        if hasattr(model, "set_training"):
            model.set_training(True)
        self.model, self.optimizer, self.batches, self.schedule = model, optimizer, batches, schedule
        self.average, self.max_grad = average, max_grad
        self.workers = workers_of(model) if workers is None else workers
        self.sharing = sharing(processes_of(model), model, batches, optimizer, average, sync_every)
        self.epoch = self.iteration = self.tokens = 0
        self.seconds = 0.0
        self.sums = Sums()

    @computing
    def step(self, xs: np.ndarray, ts: np.ndarray) -> Step:
        """Read one window, go back through it, update once.

        Parameters
        ----------
        xs : (N, T), ids.
        ts : (N, T), the targets: for each id the one that follows it.

        Returns
        -------
        step : Step, with the loss, the number of targets and the norm.

        Raises
        ------
        DivergenceError : the loss or a gradient is not finite.  Parameters and
            optimizer are as before the step then.
        """
        self._catch_up(xs)
        with np.errstate(all="ignore"):  # the check below says it in one line
            loss, norm = self._gradients(xs, ts)
        clip = clip_scale(norm, self.max_grad)
        # On a GPU the update waits for nothing; unless both are finite, it is none.
        updated = isinstance(clip, Clip) and isinstance(self.optimizer, Optimizer)
        if updated:
            self._update(clip._replace(loss=loss))
        loss, norm = device_of(self.model).numbers(loss, norm)
        if not (math.isfinite(loss) and math.isfinite(norm)):
            if updated:
                self.optimizer.steps -= 1
            raise DivergenceError(
                f"training diverged at step {self.iteration + 1}: loss {loss:g}, gradient norm {norm:g}, "
                f"learning rate {self.optimizer.lr:g}"
            )
        if not updated:
            self._update(clip_scale(norm, self.max_grad))
        self.iteration += 1
        targets = ts.size if isinstance(ts, np.ndarray) else np.size(ts)
        self.tokens += targets
        return Step(loss, targets, norm)

    def _gradients(self, xs, ts):
        """Fill the gradients; the loss, and the norm of all of them."""
        if self.sharing:
            return self.sharing.gradients(xs, ts, self.workers)
        loss = self.model.forward(xs, ts)
        self.model.backward()
        return loss, global_norm(self.model.packing.grads, self.workers)

    def _update(self, scale):
        """Let the optimizer step."""
        own = self.own
        with np.errstate(over="ignore", invalid="ignore"):  # the next step's loss says it
            self.optimizer.update(own.params, own.grads, scale, self.workers)
        if self.sharing:
            self.sharing.updated()

    def fit(self, validate: Callable[[], float], epochs: float,
            on_step: Callable[[Step], object] | None = None) -> Iterator[Record]:
        """Train until ``epochs`` epochs are finished or the schedule stops.

        Nothing is trained before the first Record is asked for.  An exception in
        validate or on_step ends the training between two steps: ``fit`` called again
        continues there.

        In on_step, and after an exception, rows of a large embedding may be behind:
        ``weights_to_keep`` and ``settle`` bring them up to date.

        Parameters
        ----------
        validate : () -> the validation loss in nats per token.
        epochs : how many in all; it may be math.inf.
        on_step : called with the Step after each update; None: nothing is called.

        Returns
        -------
        records : an iterator of a Record for each epoch.

        Raises
        ------
        ArgumentError : at once, for a value or a part that ``fit`` cannot work with.
        """
        require_parts_to_fit(self)
        require_functions(validate, on_step)
        if not (isinstance(epochs, float) and epochs == math.inf):
            epochs = arguments.whole("epochs", epochs, 0)
        return self._records(validate, epochs, on_step)

    def _records(self, validate, epochs, on_step):
        """The generator that ``fit`` returns."""
        self.began = time.perf_counter() - self.seconds
        while self.epoch < epochs and not self.schedule.stop:
            self._train_epoch(epochs, on_step)
            self.settle()
            self.meet()
            with self.weights_to_keep():
                valid_loss = validate()
            arguments.kind("what validate() returns", valid_loss, Real, "the validation loss in nats per token")
            yield self._finish_epoch(valid_loss)

    def _train_epoch(self, epochs, on_step):
        """Train to the end of the text, from its start or from where it was left."""
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
            # The mean of a short window is over fewer targets, so each of them would
            # have more weight (Merity et al., 2018).
            relative_length = xs.shape[1] / batches.time_size if batches.random_length else 1.0
            self.optimizer.lr = lr * relative_length
            self.model.set_progress(progress)
            with self._lagging():
                step = self.step(xs, ts)
            progress = self._progress(epochs)
            if self.average:
                self.average.update(self.own.params, progress, self.workers)
            self.sums.add(step, time.perf_counter() - started, lr)
            self.seconds = time.perf_counter() - self.began
            if on_step:
                on_step(step)

    def _progress(self, epochs):
        """Which part of all epochs is done, from 0 to 1."""
        return (self.epoch + self.batches.position / self.batches.stream_length) / epochs

    def _finish_epoch(self, valid_loss):
        """The Record of the epoch that has read its text; the next epoch begins."""
        sums, self.sums = self.sums, Sums()
        self.epoch += 1
        self.seconds = time.perf_counter() - self.began
        return Record.of_epoch(sums, valid_loss, epoch=self.epoch, iteration=self.iteration, tokens=self.tokens,
                               seconds=self.seconds, improved=self.schedule.update(valid_loss))
