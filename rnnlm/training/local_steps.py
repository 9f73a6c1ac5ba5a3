"""Local steps: processes that meet only every K steps, for slow networks.

Each process trains a copy of its own on its columns of the batch.  After K steps the
mean of what they have moved is taken for a gradient, and an outer rule steps by it:

    g = w - sum_p share_p w_p        w: the weights K steps ago; w_p: those of process p
    v <- momentum v + g
    w <- w - rate (g + momentum v)

This is DiLoCo (Douillard et al., 2023), with Nesterov's momentum as the outer rule, and
any update rule as the inner one.  Each process keeps its own slots of the inner rule
until an epoch ends or a checkpoint is taken: then they are averaged as well, so that a
checkpoint does not depend on how many processes there were.
"""

from __future__ import annotations

import math
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from rnnlm.compute import arguments
from rnnlm.compute.device import device_of
from rnnlm.compute.one_process import GIVE_UP, WISHES
from rnnlm.compute.row_gradient import RowGradient
from rnnlm.errors import DivergenceError
from rnnlm.training.clipping import global_norm
from rnnlm.training.sharing import Sharing

if TYPE_CHECKING:
    from typing import Any

    from rnnlm.compute.one_process import Processes
    from rnnlm.compute.threads import Workers
    from rnnlm.training.records import Sums

RATE, MOMENTUM = 0.7, 0.5  # of the outer rule; with 0.9, as in the paper, a short run overshoots
TELL_EVERY = 50  # steps at most, after which a process tells the others whether to stop: it costs the network's latency
TELL_SECONDS = 2.0  # that these steps take at most; the others hear of it as much later


class LocalSteps(Sharing):
    """What a Trainer's process shares with the others, every K steps.

    Parameters
    ----------
    processes, model, batch_size : see Sharing; it may be one process alone.
    every : K.
    optimizer, average : the parts of the Trainer.
    rate, momentum : those of the outer rule.
    """

    def __init__(self, processes: Processes, model: Any, batch_size: int, every: int, optimizer: Any, average: Any,
                 rate: float = RATE, momentum: float = MOMENTUM) -> None:
        super().__init__(processes, model, batch_size)
        self.every, self.optimizer, self.average = arguments.whole("sync_every", every), optimizer, average
        self.rate, self.momentum = rate, momentum
        self.share, self.device = self.columns.share, device_of(model)
        self.columns = replace(self.columns, alone=True)
        model.set_columns(self.columns)
        self.starts = [w.copy() for w in model.packing.params]
        self.velocity = [np.zeros_like(w) for w in model.packing.params]
        self.seconds, self.interval = 0.0, 1  # of the last step; steps between two times to tell
        self.begin()

    def begin(self) -> None:
        """Hear that the weights are those to train from: at the start, or restored."""
        self.steps = self.not_agreed = self.next_tell = 0
        self.lost = ""
        for start, w in zip(self.starts, self.model.packing.params, strict=True):
            start[...] = w

    def gradients(self, xs: np.ndarray, ts: np.ndarray, workers: Workers) -> tuple[float, float]:
        """Fill the gradients with those of this process's columns alone.

        Its loss stands for that of the whole window until all agree on the sums.
        """
        self.started = time.perf_counter()
        if self.not_agreed == self.next_tell:
            self._hear()
            self._give_up_together()
            self.processes.begin_to_tell(math.ceil(1000 * self.seconds))  # 0: no step was timed yet
            self.next_tell += self.interval
        loss = self._forward(xs, ts)
        self.model.backward()
        norm = global_norm(self.model.packing.grads, workers)
        if self.processes.size > 1:
            loss, norm = self.device.numbers(loss, norm)
            if not (math.isfinite(loss) and math.isfinite(norm)):
                self.lost = self.lost or f"loss {loss:g}, gradient norm {norm:g} in process {self.processes.rank}"
        return self._stand_still() if self.lost else (loss, norm)

    def _hear(self):
        """Hear what all have told, and how soon they are to do so again.

        The sum of whole numbers is the same in all, so they do it after the same step.
        """
        if milliseconds := self.processes.hear():
            steps = int(1000 * TELL_SECONDS * self.processes.size / milliseconds)
            self.interval = max(1, min(steps, TELL_EVERY))

    def _stand_still(self):
        """A step of no effect, until the others hear that this process gives up."""
        self.processes.agreed(GIVE_UP, True)
        for grad in self.model.packing.grads:
            (grad.values if isinstance(grad, RowGradient) else grad)[...] = 0
        return 0.0, 0.0

    def _give_up_together(self):
        """DivergenceError in all processes if one of them is lost."""
        if self.processes.agreed(GIVE_UP, bool(self.lost)):
            raise DivergenceError(f"training diverged: {self.lost or 'in another process'}, learning rate "
                                  f"{self.optimizer.lr:g}")

    def updated(self) -> None:
        """Count a step; after K of them, meet the others."""
        self.seconds = time.perf_counter() - self.started
        self.steps += 1
        self.not_agreed += 1
        if self.steps == self.every:
            self._meet()

    def _meet(self):
        """The outer step."""
        self._hear()
        if hasattr(self.optimizer, "settle"):
            self.optimizer.settle(self.model.packing.params)
        params = self.model.packing.params
        moved = map(self.device.put, self._means([start - w for start, w in zip(self.starts, params, strict=True)]))
        for w, start, v, g in zip(params, self.starts, self.velocity, moved, strict=True):
            v *= self.momentum
            v += g
            g += self.momentum * v
            start -= self.rate * g
            w[...] = start
        self.steps = 0
        self._give_up_together()

    def _means(self, arrays):
        """The mean of each array over the processes, by their shares of the batch.

        They are arrays of the host, in the order of the arrays.
        """
        numbers = np.concatenate([*(self.device.get(array).reshape(-1, order="A") for array in arrays),
                                  np.zeros(WISHES, arrays[0].dtype)])
        numbers *= self.share
        self.processes.sum(numbers)
        parts = np.split(numbers, np.cumsum([array.size for array in arrays]))
        return [part.reshape(array.shape, order="C" if array.flags.c_contiguous else "F")
                for part, array in zip(parts, arrays, strict=False)]

    def agree(self, sums: Sums) -> None:
        """Make all that a snapshot has equal in all processes, and these Sums, too."""
        if not self.not_agreed:
            return
        self._hear()
        if self.steps:
            self._meet()
        kept = [array for arrays in self.slots(self.optimizer).values() for array in arrays]
        kept += self.averages(self.average) if self.average and self.average.count else []
        means = self._means([*kept, np.array([sums.nats, sums.norms])])
        for array, mean in zip(kept, means, strict=False):
            array[...] = self.device.put(mean)
        sums.nats, sums.norms = means[-1].tolist()
        self.not_agreed = self.next_tell = 0
        self._give_up_together()

    def arrays(self) -> list[np.ndarray]:
        """The velocity of the outer rule."""
        return self.velocity
