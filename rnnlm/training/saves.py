"""The part of a Trainer that says what a run needs to continue, and continues it.

Of several processes the first one saves and restores.  It gets the states of the
others' columns, and gives all of them what it has restored.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from rnnlm.compute.device import device_of
from rnnlm.training.parts import require_parts_to_save
from rnnlm.training.records import Sums
from rnnlm.training.snapshot import Snapshot

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    import numpy as np

    from rnnlm.training.sharing import Sharing


class Saves:
    """Snapshots of a Trainer."""

    if TYPE_CHECKING:
        model: Any
        optimizer: Any
        batches: Any
        schedule: Any
        average: Any
        sharing: Sharing | None
        sums: Sums
        epoch: int
        iteration: int
        tokens: int
        seconds: float
        _lag_arrays: Callable[[], dict[str, np.ndarray]]

    def meet(self) -> None:
        """Let processes that train apart agree on all that is validated and saved.

        All of them call it at the same point.  DivergenceError in all of them if one is
        lost.
        """
        if self.sharing:
            self.sharing.agree(self.sums)

    def snapshot(self) -> Snapshot:
        """A Snapshot between two steps, of the arrays that the run works with.

        Of several processes that of the first one is whole.
        The learning rate in it is the schedule's.  ArgumentError if a part of the
        trainer cannot be saved.
        """
        self.meet()
        values, get = self.values(), device_of(self.model).get
        arrays = {name: get(array) for name, array in self._arrays(values).items()}
        return Snapshot(values, self.sharing.gathered(arrays) if self.sharing else arrays)

    def values(self) -> dict[str, Any]:
        """The values of a Snapshot: all but its arrays.

        ArgumentError if a part of the trainer cannot be saved.
        """
        require_parts_to_save(self)
        average = self.average.snapshot() if self.average else {"count": 0}
        return {
            "epoch": self.epoch, "iteration": self.iteration, "tokens": self.tokens, "seconds": self.seconds,
            "sums": asdict(self.sums), "optimizer": self.optimizer.snapshot(), "batches": self.batches.snapshot(),
            "average": average, "schedule": self.schedule.snapshot(), "dropout": self.model.snapshot(),
            "random_scheme": self.model.random_scheme,
        }

    def restore(self, snapshot: Snapshot) -> None:
        """Continue from a Snapshot of this trainer, or of one that was built alike.

        Its arrays are written into those that the run works with.  No second copy is
        needed: ``snapshot.fill`` may read them from a file.  Of several processes
        the first restores alone, then all of them ``share`` it.

        ArgumentError, before anything is set, unless the arrays fit, or if they are
        this trainer's own and have changed since: keep ``snapshot.copy()`` instead.
        """
        require_parts_to_save(self)
        with self.model.fresh_state():  # whatever the model has read: the shapes are those of our streams
            snapshot.require(self._whole(self._arrays(snapshot.values)), self.iteration)
        self._set(snapshot.values)
        with device_of(self.model).filled(self._whole(self._arrays(snapshot.values))) as arrays:
            snapshot.fill(arrays)
        if self.sharing:
            self.sharing.restored = arrays
            self.sharing.begin()

    def share(self) -> None:
        """Give all processes what the first one has restored, or begins with."""
        if self.sharing:
            values = self.sharing.processes.share(self.values() if self.sharing.processes.first else None)
            self._set(values)
            self.sharing.fill(self._arrays(values))
            self.sharing.begin()

    def _whole(self, arrays):
        """Named arrays of a run, with the states of the whole batch."""
        return self.sharing.whole(arrays) if self.sharing else arrays

    def _set(self, values):
        """Take over all of a snapshot but its arrays."""
        if self.sharing:
            self.sharing.require_scheme(values["random_scheme"])
        self.model.random_scheme = self.batches.random_scheme = values["random_scheme"]
        self.batches.restore(values["batches"])
        self.schedule.restore(values["schedule"])
        self.optimizer.restore(values["optimizer"])
        if self.average:
            self.average.restore(values["average"])
        self.model.restore(values["dropout"])
        self.model.reset_state()
        self.epoch, self.iteration, self.tokens = (values[name] for name in ("epoch", "iteration", "tokens"))
        self.seconds, self.sums = values["seconds"], Sums(**values["sums"])

    def _arrays(self, values):
        """The arrays of a run with these values, by name.

        They are parameters, slots and average; within an epoch, states, too.
        """
        model, packing = self.model, self.model.packing
        slots = self.sharing.slots(self.optimizer) if self.sharing else self.optimizer.slots_for(packing.params)
        packed = {f"optimizer/{slot}": arrays for slot, arrays in slots.items()}
        if self.average and values["average"]["count"]:
            packed["average"] = (self.sharing.averages(self.average) if self.sharing
                                 else self.average.values_for(packing.params))
        if self.sharing and (outer := self.sharing.arrays()):
            packed["outer"] = outer
        arrays = dict(model.named_params())
        for prefix, kept in packed.items():
            arrays |= {f"{prefix}/{name}": array for name, array in packing.by_name(kept).items()}
        if values["optimizer"].get("unsettled"):
            arrays |= self._lag_arrays()
        if values["sums"]["steps"]:
            arrays |= {f"state/{name}": array for name, array in model.named_state(self._streams()).items()}
        return arrays

    def _streams(self):
        """How many streams this process reads."""
        return self.sharing.columns.count if self.sharing else self.batches.batch_size
