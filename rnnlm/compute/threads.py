"""Threads: the parts of one piece of work, done at the same time on several cores.

NumPy lets go of the interpreter's lock inside products and elementwise functions, so
plain Python threads use several cores.  The BLAS library behind ``np.matmul`` has
threads of its own, which wait for work by spinning: where another program keeps a core
busy, two of them are many times slower than one.  So BLAS gets one thread, and the
parts are divided here.  Waking a thread takes about 0.2 ms on a virtual machine: it is
not worth it for what takes less than a millisecond.
"""

from __future__ import annotations

import contextvars
import math
import threading
from collections import deque
from contextlib import suppress
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from rnnlm.compute import blas
from rnnlm.compute.arguments import whole

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, Self

    from numpy.typing import DTypeLike


class Workers:
    """``with Workers(threads)``: that many threads in the block, and a BLAS of one.

    Outside the block everything runs in the calling thread and BLAS is left as it is.

    A model that is copied (copy.deepcopy) computes on the threads of the first.  One
    that was pickled and read again computes in the calling thread: its ``workers``, a
    Workers of as many threads, can be entered as this one was.
    """

    def __init__(self, threads: int = 1) -> None:
        self.wanted = whole("threads", threads)
        self.threads = 1
        self._pool = self._block = None
        self._memory = threading.local()

    def __reduce__(self):
        return "SERIAL" if self is SERIAL else (Workers, (self.wanted,))  # a string: the name of what is there already

    def __deepcopy__(self, memo):
        return self

    def __enter__(self) -> Self:
        self._block = blas.blas_threads(1)
        try:
            self._block.__enter__()
            if self.wanted > 1:
                self._pool = new_pool(self.wanted - 1)
                self.threads = self.wanted
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        pool, self._pool, self.threads = self._pool, None, 1
        try:
            if pool is not None:
                pool.shutdown()
        finally:
            self._block.__exit__()

    def compute(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """function(*arguments), in no block: the user opens ``with Workers(...)``."""
        return function(*arguments)

    def each(self, function: Callable[[Any], object], items: Sequence[Any],
             meanwhile: Callable[[], object] | None = None) -> None:
        """function(item) for every item, by all threads and in whatever order.

        Parameters
        ----------
        function : called with an item.  For each item it must write into other arrays:
            then the result does not depend on the order.
        items : what there is to do.
        meanwhile : called first, in the calling thread, while the others begin with the
            items; None: nothing is called.
        """
        if self.threads == 1 or len(items) == 1:
            if meanwhile is not None:
                meanwhile()
            for item in items:
                function(item)
            return
        waiting = deque(items)
        work = partial(work_off, function, waiting)
        helpers = min(self.threads - 1, len(waiting) - (meanwhile is None))
        others = []
        try:
            with suppress(RuntimeError):  # no more threads: the program ends, or the system has a limit
                for _ in range(helpers):
                    others.append(self._begin(work))
            if meanwhile is not None:
                meanwhile()
            work()
        finally:  # whatever happens: nobody writes into the arrays any more when this returns
            waiting.clear()
            # A helper that is still busy elsewhere has not begun and is not waited for.
            errors = [other.exception() for other in others if not other.cancel()]
        for error in filter(None, errors):
            raise error

    def _begin(self, work):
        """Have a helper do it; its Future."""
        # NumPy's error state is part of the context: helpers take over the caller's.
        return self._pool.submit(contextvars.copy_context().run, work)

    def scratch(self, name: str, shape: tuple[int, ...], dtype: DTypeLike) -> np.ndarray:
        """An array to work in, the calling thread's own.

        The next call with this name hands its memory out again.

        Parameters
        ----------
        name : which memory.
        shape, dtype : those of the array.
        """
        size = math.prod(shape)
        memory = getattr(self._memory, name, None)
        if memory is None or memory.size < size or memory.dtype != dtype:
            memory = np.empty(size, dtype)
            setattr(self._memory, name, memory)
        return memory[:size].reshape(shape)


def work_off(function, waiting):
    """function(item) for items of a deque that threads share, until none is left."""
    while waiting:
        try:
            item = waiting.popleft()
        except IndexError:  # another thread took the last one
            return
        try:
            function(item)
        except BaseException:
            waiting.clear()  # the others stop as well
            raise


def call(function):
    """function(): for ``Workers.each`` over functions."""
    return function()


def slices(size, length):
    """range(size) as slices of equal length, at most ``length``."""
    if size <= length:
        return [slice(0, size)]
    count = -(-size // length)
    bounds = [size * i // count for i in range(count + 1)]
    return [slice(start, stop) for start, stop in pairwise(bounds)]


def new_pool(threads):
    """Threads that wait for work."""
    from concurrent.futures import ThreadPoolExecutor

    return ThreadPoolExecutor(threads, thread_name_prefix="rnnlm", initializer=blas.hold_for_good)


SERIAL = Workers()  # never entered: everything in the calling thread, with BLAS as it is
