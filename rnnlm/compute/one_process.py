"""One process alone, and what it may ask of others where there are several.

See rnnlm/compute/processes.py.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from rnnlm.compute.cores import available_cores

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    import numpy as np

    from rnnlm.compute.draws import Columns

STOP, SAVE, GIVE_UP = range(3)  # wishes
WISHES = 3  # places at the end of what is summed


class Processes:
    """One process alone.

    Attributes
    ----------
    rank : the number of this process, from 0.
    size : how many there are.
    rank_on_host : the number of this process among those of its host, from 0.
    """

    rank, size, rank_on_host = 0, 1, 0

    def __reduce__(self):
        return _alone, ()  # a copy of a model computes alone

    def __deepcopy__(self, memo):
        return self

    @property
    def first(self) -> bool:
        """Whether this is the process that reads, writes and prints."""
        return self.rank == 0

    def columns(self, total: int) -> Columns | None:
        """The columns of a batch of this size that are this process's; None: all."""
        return None

    def share(self, value: Any) -> Any:
        """The first process's value, in all of them."""
        return value

    def fill(self, array: np.ndarray) -> None:
        """Give the array of all processes the values that it has in the first."""

    def each(self, value: Any) -> list[Any]:
        """The values of all processes, in order."""
        return [value]

    def sum(self, array: np.ndarray) -> None:
        """Add up the arrays of all processes, in place.

        Parameters
        ----------
        array : (n,); its last WISHES places carry the wishes, and hold nothing else.
        """

    def begin_to_tell(self, number: float = 0.0) -> None:
        """Begin to tell the others this process's wishes, and a number."""

    def hear(self) -> float:
        """End what ``begin_to_tell`` began: the sum of the numbers, 0 if it did not."""
        return 0.0

    def agreed(self, wish: int, wished: bool) -> bool:
        """Whether all are to do now what some process wished before the last sum.

        Parameters
        ----------
        wish : STOP, SAVE or GIVE_UP.
        wished : whether this process wishes it, which the next sum tells the others.
        """
        return wished

    def outcome(self, function: Callable[..., Any], *arguments: Any) -> None:
        """Call function(*arguments); all raise what it raises in the first process."""
        function(*arguments)

    def cores(self) -> int:
        """How many cores this process may use, beside the others on this host."""
        return available_cores()

    @contextmanager
    def together(self, agreed: type[BaseException]) -> Iterator[None]:
        """A block of work: a process that leaves it early ends all others.

        Parameters
        ----------
        agreed : the exception with which all of them leave it.
        """
        yield


ALONE = Processes()


def _alone():
    return ALONE


def processes_of(model: Any) -> Processes:
    """The Processes of a model; ALONE for one of the user's own that has none."""
    found = getattr(model, "processes", ALONE)
    return found if isinstance(found, Processes) else ALONE
