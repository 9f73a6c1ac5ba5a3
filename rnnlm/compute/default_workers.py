"""The workers of calls to which the user gave none: DEFAULT.

It has as many threads as there are cores, and a BLAS of one, during each call.  Between
two calls BLAS is as it was.
"""

from __future__ import annotations

import contextvars
import os
import threading
from functools import wraps
from typing import TYPE_CHECKING

from rnnlm.compute import blas
from rnnlm.compute.arguments import kind
from rnnlm.compute.cores import cores, under_quota
from rnnlm.compute.threads import NOTHING, SERIAL, Workers, new_pool

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeVar

    Method = TypeVar("Method", bound=Callable[..., Any])


class _OneForAll(Workers):
    """What calls without Workers compute on: each call is a block of its own.

    The helpers are made when the first piece of work is divided.  They wait for the
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


def computing(method: Method) -> Method:
    """A method that computes on ``self.workers``, inside a block of theirs."""
    @wraps(method)
    def call(self, *args, **options):
        if _threads_now.get() or self.workers is not DEFAULT:  # quicker than a block that changes nothing
            return method(self, *args, **options)
        with _Call():
            return method(self, *args, **options)

    return call


def workers_or_default(workers, remedy=""):
    """The Workers given, or DEFAULT for None.  ArgumentError for anything else."""
    return DEFAULT if workers is None else kind("workers", workers, Workers, "a Workers", remedy)


def workers_of(model):
    """The Workers of a model; SERIAL for one of the user's own that has none."""
    workers = getattr(model, "workers", None)
    return workers if isinstance(workers, Workers) else SERIAL


_threads_now = contextvars.ContextVar("threads of DEFAULT", default=0)  # those of the call under way
DEFAULT = _OneForAll()

if hasattr(os, "register_at_fork"):  # as OpenBLAS does with its own threads
    os.register_at_fork(before=DEFAULT.leave, after_in_child=DEFAULT.forget)
