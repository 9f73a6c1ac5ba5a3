"""Mini-batches for truncated backpropagation: a text is read at N offsets at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from rnnlm.compute import arguments, draws
from rnnlm.errors import ArgumentError, RnnlmError
from rnnlm.text.documents import Shuffled

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import ArrayLike

    Noises = Callable[[np.ndarray, np.ndarray, Any], tuple[np.ndarray, np.ndarray]]  # as a Noising

SHORTEST = 10  # windows that may vary: one of half the length is cut at 5
MORE = 20  # steps by which a window that varies is longer at most


class TimeBatches:
    """Windows of ids and targets over a text cut into N streams.

    Stream i starts at offset i * L, L = floor((n - 1) / N).  Window k holds the ids k*T
    ... k*T + T - 1 of every stream, so that row i of one window continues row i of the
    window before, and the hidden state can be carried over.  The last window is shorter
    where T does not divide L.

    Iterating yields pairs (xs, ts) of shape (N, <= T), ts shifted by one, from
    ``position`` to the end of the streams; once there, from the start again.

    Parameters
    ----------
    ids : (n,), the text.
    batch_size : N, the number of streams.
    time_size : T, the length of a window.
    random_start : whether a pass begins anywhere; the text is then a ring.
    random_length : whether windows vary: they are about T or, one time in twenty, T / 2
        long, normally distributed with standard deviation 5, from 5 to T + 20 steps
        (Merity et al., 2018).
    noising : a Noising for every window; None: none.
    documents : (d,), where documents start in the text, the first at 0: each pass reads
        them in a new random order; None: the text is read in order.
    rng : numpy.random.Generator, which these four need.

    Attributes
    ----------
    position : the offset in each stream at which the next window begins.

    Raises
    ------
    RnnlmError : the text cannot fill N streams of two tokens.
    """

    shuffled = None  # of one that was pickled before documents could be shuffled

    def __init__(self, ids: ArrayLike, batch_size: int, time_size: int, *, random_start: bool = False,
                 random_length: bool = False, noising: Noises | None = None, documents: ArrayLike | None = None,
                 rng: np.random.Generator | None = None) -> None:
        ids = arguments.ids_of_text("ids", ids)
        batch_size, time_size = arguments.whole("batch_size", batch_size), arguments.whole("time_size", time_size)
        n = len(ids)
        if n < 3:
            raise RnnlmError(f"a text must hold at least 3 tokens to train on, got {n}: give more text")
        if batch_size > (n - 1) // 2:
            raise RnnlmError(
                f"batch_size must be at most {(n - 1) // 2} for a text of {n} tokens, got {batch_size}: "
                "lower --batch-size or give more text"
            )
        if rng is not None:
            arguments.generator("rng", rng)
        elif random_start or random_length or noising or documents is not None:
            raise ArgumentError("random_start, random_length, noising and documents need rng, a numpy.random.Generator")
        if noising is not None and not callable(noising):
            raise arguments.wrong("noising", "a Noising", noising)
        if random_length and time_size < SHORTEST:
            raise ArgumentError(f"random_length needs a time_size of at least {SHORTEST}, got {time_size}")
        self.ids = ids
        self.batch_size, self.time_size = batch_size, time_size
        self.stream_length = (n - 1) // batch_size
        self.random_start, self.random_length, self.noising, self.rng = random_start, random_length, noising, rng
        self.shuffled = None if documents is None else Shuffled(arguments.ids_of_text("documents", documents), n)
        self.random_scheme = draws.SCHEME
        self.position = self.start = self.order = 0

    def __len__(self) -> int:
        """Windows in one pass over the text, if all are of full length."""
        return -(-self.stream_length // self.time_size)

    @property
    def targets(self) -> int:
        """Targets in one pass over the text."""
        return self.batch_size * self.stream_length

    @property
    def at_end(self) -> bool:
        """Whether the pass is over."""
        return self.position >= self.stream_length

    def __iter__(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        if self.at_end:
            self.position = 0
        while not self.at_end:
            if self.position == 0:
                self._begin_pass()
            stop = min(self.position + self._length(), self.stream_length)
            offsets = self._offsets(np.arange(self.position, stop + 1))
            self.position = stop
            xs, ts = self.ids[offsets[:, :-1]], self.ids[offsets[:, 1:]]
            yield self.noising(xs, ts, self.rng) if self.noising else (xs, ts)

    def _begin_pass(self):
        """Draw where it starts, and the seed of the order of the documents."""
        if self.random_start:
            self.start = int(self.rng.integers(len(self.ids)))
        if self.shuffled:
            self.order = int(self.rng.integers(1 << 63))

    def _offsets(self, steps):  # (T,) -> (N, T)
        """Where in the text the tokens at these steps of all streams are."""
        offsets = self.start + self.stream_length * np.arange(self.batch_size)[:, np.newaxis] + steps
        offsets %= len(self.ids)  # the text is a ring
        if self.shuffled is None:
            return offsets
        self.shuffled.arrange(self.order)
        return self.shuffled.offsets(offsets)

    @property
    def random_scheme(self) -> int:
        """How random numbers are made: see rnnlm/compute/draws.py."""
        return self._random_scheme

    @random_scheme.setter
    def random_scheme(self, scheme: int) -> None:
        self._random_scheme = scheme
        if hasattr(self.noising, "random_scheme"):  # one of your own may have none
            self.noising.random_scheme = scheme

    def _length(self):
        if not self.random_length:
            return self.time_size
        middle = self.time_size if self.rng.random() < 0.95 else self.time_size / 2
        return int(min(max(5, self.rng.normal(middle, 5)), self.time_size + MORE))

    def snapshot(self) -> dict[str, Any]:
        """What the pass needs to continue."""
        values = {"position": self.position, "start": self.start}
        if self.shuffled:
            values["order"] = self.order
        return values | {"generator": self.rng.bit_generator.state} if self.rng else values

    def restore(self, values: dict[str, Any]) -> None:
        """Continue from a snapshot; ValueError if it is of no pass over this text."""
        position, start = values["position"], values["start"]
        if position > self.stream_length or start >= len(self.ids):
            raise ValueError(f"position {position}, start {start} cannot be right in {self.batch_size} streams of "
                             f"{self.stream_length}")
        self.position, self.start = position, start
        if self.shuffled:
            self.order = values["order"]
        if self.rng:
            self.rng.bit_generator.state = values["generator"]
