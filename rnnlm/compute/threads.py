"""Threads: the parts of one piece of work, done at the same time on several cores.

NumPy lets go of the interpreter's lock inside products and elementwise functions, so
plain Python threads use several cores.  The BLAS library behind ``np.matmul`` has
threads of its own, which wait for work by spinning: where another program keeps a core
busy, two of them are many times slower than one.  So BLAS gets one thread and the parts
are shared out here.  Waking a thread takes about 0.2 ms on a virtual machine:
what takes less than a millisecond is not worth sharing.

Whoever gives no Workers gets DEFAULT: as many threads as there are cores, and a BLAS of
one, during each call.  Between two calls BLAS is as it was.
"""

from __future__ import annotations

import contextvars
import math
import os
import threading
from collections import deque
from contextlib import ExitStack, nullcontext, suppress
from functools import cache, wraps
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from rnnlm.compute import blas
from rnnlm.compute.arguments import kind, whole

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager
    from typing import Any, Self

QUOTA = Path("/sys/fs/cgroup/cpu.max")  # a container's share of processor time: microseconds of so many, or "max"
NOTHING = nullcontext()


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
        self._block = ExitStack()
        self._block.enter_context(blas.blas_threads(1))
        if self.wanted > 1:
            self._pool = new_pool(self.wanted - 1)
            self.threads = self.wanted
        return self

    def __exit__(self, *_: object) -> None:
        if self._pool is not None:
            self._pool.shutdown()
        self._block.close()
        self.threads, self._pool = 1, None

    def computing(self) -> AbstractContextManager[object]:
        """A block around a call: nothing, as the user opens ``with Workers(...)``."""
        return NOTHING

    def computing_on_blas(self) -> AbstractContextManager[object]:
        """A block for what BLAS's own threads do best: products with a single row."""
        return NOTHING

    def each(self, function: Callable[[Any], object], items: Sequence[Any],
             meanwhile: Callable[[], object] | None = None) -> None:
        """function(item) for every item, by all threads and in whatever order.

        Each item must write into arrays of its own: then the result does not depend on
        the order.  meanwhile() is called first, in the calling thread, while the others
        begin with the items.
        """
        if self.threads == 1 or len(items) == 1:
            if meanwhile is not None:
                meanwhile()
            for item in items:
                function(item)
            return
        waiting = deque(items)

        def work():
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

    def scratch(self, name: str, shape: tuple[int, ...], dtype: Any) -> np.ndarray:
        """An array to work in, the calling thread's own.

        The next call with this name hands its memory out again.
        """
        size = math.prod(shape)
        memory = getattr(self._memory, name, None)
        if memory is None or memory.size < size or memory.dtype != dtype:
            memory = np.empty(size, dtype)
            setattr(self._memory, name, memory)
        return memory[:size].reshape(shape)


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


class _OneForAll(Workers):
    """What calls without Workers compute on: each call is a block of its own.

    The helpers are made when the first piece of work is shared out.  They wait for the
    next one without using the processor, and all Python threads share them.
    """

    def __init__(self):
        self._pool, self._lock, self._memory = None, threading.Lock(), threading.local()

    def __reduce__(self):
        return "DEFAULT"

    @property
    def threads(self):
        """How many share the work of the call under way; 1 outside of all calls."""
        return _threads_now.get() or 1

    @property
    def wanted(self):
        """How many share the work of a call where nothing limits them."""
        return cores()

    def __enter__(self):
        """Make one block of all calls in it, which saves each some microseconds."""
        self._memory.blocks = [*getattr(self._memory, "blocks", ()), self.computing()]
        self._memory.blocks[-1].__enter__()
        return self

    def __exit__(self, *error):
        self._memory.blocks.pop().__exit__(*error)

    def computing(self):
        """A block around a call; inside another one it costs next to nothing."""
        return NOTHING if _threads_now.get() else _Call()

    def computing_on_blas(self):
        """A block in which the calling thread computes on BLAS's threads."""
        return NOTHING if _threads_now.get() else _CallOnBlas()

    def _begin(self, work):
        with self._lock:
            if self._pool is None:
                self._pool = new_pool(max(1, cores() - 1))
            return super()._begin(work)

    def leave(self):
        """Let the helpers go; the next piece of work makes new ones."""
        with self._lock:
            pool, self._pool = self._pool, None
        if pool is not None:
            pool.shutdown()

    def forget(self):
        """In a new process, where the helpers are not."""
        self._pool, self._lock = None, threading.Lock()
        cores.cache_clear()
        under_quota.cache_clear()


class _Call:
    """A block in which BLAS has one thread, and DEFAULT as many as there are cores.

    They are fewer where BLAS was limited to fewer, by its environment variables, by
    threadpoolctl or by a block of ``Workers`` or ``blas_threads`` around the call.
    """

    def __enter__(self):
        before = blas.hold(threading.get_ident(), 1)
        self.token = _threads_now.set(int(min(before, cores())))

    def __exit__(self, *_):
        _threads_now.reset(self.token)
        blas.give_back(threading.get_ident())


class _CallOnBlas:
    """A block in which the calling thread alone computes, on BLAS's threads."""

    def __enter__(self):
        if under_quota():  # which BLAS does not see: it has a thread for each core there is
            before = blas.hold(threading.get_ident(), cores())
            if before < cores():
                blas.hold(threading.get_ident(), before)
        self.token = _threads_now.set(1)

    def __exit__(self, *_):
        _threads_now.reset(self.token)
        if under_quota():
            blas.give_back(threading.get_ident())


def computing(method):
    """A method that computes on ``self.workers``, inside a block of theirs."""
    @wraps(method)
    def call(self, *args, **options):
        if _threads_now.get() or self.workers is not DEFAULT:  # quicker than a block that changes nothing
            return method(self, *args, **options)
        with _Call():
            return method(self, *args, **options)

    return call


def new_pool(threads):
    """Threads that wait for work."""
    from concurrent.futures import ThreadPoolExecutor

    return ThreadPoolExecutor(threads, thread_name_prefix="rnnlm", initializer=blas.hold_for_good)


def workers_or_default(workers, remedy=""):
    """The Workers given, or DEFAULT for None.  ArgumentError for anything else."""
    return DEFAULT if workers is None else kind("workers", workers, Workers, "a Workers", remedy)


def workers_of(model):
    """The Workers of a model; SERIAL for one of the user's own that has none."""
    workers = getattr(model, "workers", None)
    return workers if isinstance(workers, Workers) else SERIAL


def available_cores():
    """The cores of the process: its affinity, or fewer by the quota of a container."""
    seen = cores_in_sight()
    try:
        quota, period = QUOTA.read_text(encoding="ascii").split()
        return max(1, min(seen, int(quota) // int(period)))
    except (OSError, ValueError):  # no control group of version 2, or no limit: "max"
        return seen


def cores_in_sight():
    """The cores that the process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


cores = cache(available_cores)  # for what is asked at every call
under_quota = cache(lambda: cores() < cores_in_sight())
_threads_now = contextvars.ContextVar("threads of DEFAULT", default=0)  # those of the call under way
DEFAULT = _OneForAll()
SERIAL = Workers()  # never entered: everything in the calling thread, with BLAS as it is

if hasattr(os, "register_at_fork"):  # as OpenBLAS does with its own threads
    os.register_at_fork(before=DEFAULT.leave, after_in_child=DEFAULT.forget)
