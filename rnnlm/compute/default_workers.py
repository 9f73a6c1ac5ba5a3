"""The workers of calls to which the user gave none: DEFAULT.

It has as many threads as there are cores, and a BLAS of one, during each call.  Between
two calls BLAS is as it was, whatever interrupts them.
"""

from __future__ import annotations

import contextvars
import os
from functools import wraps
from threading import Lock, get_ident, local
from typing import TYPE_CHECKING

from rnnlm.compute import blas
from rnnlm.compute.arguments import kind
from rnnlm.compute.cores import cores, under_quota
from rnnlm.compute.threads import SERIAL, Workers, new_pool

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
        self._pool, self._lock, self._memory = None, Lock(), local()

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
        outermost = not _threads_now.get()
        self._memory.blocks = [*getattr(self._memory, "blocks", ()), outermost]
        try:
            if outermost:
                _begin()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        outermost = self._memory.blocks[-1]
        try:
            if outermost:
                _end()
        except BaseException:  # an interrupt
            _end()
            raise
        finally:
            self._memory.blocks.pop()

    def compute(self, function, *arguments):
        """function(*arguments) as a call; in another one that costs next to nothing."""
        return function(*arguments) if _threads_now.get() else _in_block(_begin, function, *arguments)

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
        self._pool, self._lock = None, Lock()
        cores.cache_clear()
        under_quota.cache_clear()


def _begin():
    """One thread for BLAS, and for DEFAULT as many as there are cores.

    They are fewer where BLAS was limited to fewer, by its environment variables, by
    threadpoolctl or by a block of ``Workers`` or ``blas_threads`` around the call.
    """
    before = blas.hold(get_ident(), 1)
    _threads_now.set(int(min(before, cores())))


def _begin_on_blas():
    """The calling thread alone, on BLAS's threads."""
    if under_quota():  # which BLAS does not see: it has a thread for each core there is
        before = blas.hold(get_ident(), cores())
        if before < cores():
            blas.hold(get_ident(), before)
    _threads_now.set(1)


def _end():
    """As it was outside of all calls, whatever of a beginning was done; repeatable."""
    _threads_now.set(0)
    blas.give_back(get_ident())


def _in_block(begin, function, *arguments, **options):
    """function(...) between ``begin`` and ``_end``.

    No ``with``: an interrupt before the first line of an ``__exit__`` would skip it.
    """
    try:
        try:
            begin()
            return function(*arguments, **options)
        finally:
            _end()
    except BaseException:
        _end()  # an interrupt may have cut the first one short
        raise


def _method_in_block(begin, method):
    @wraps(method)
    def call(self, *arguments, **options):
        if _threads_now.get() or self.workers is not DEFAULT:
            return method(self, *arguments, **options)
        return _in_block(begin, method, self, *arguments, **options)

    return call


def computing(method: Method) -> Method:
    """A method that computes on ``self.workers``, inside a block of theirs."""
    return _method_in_block(_begin, method)


def computing_on_blas(method: Method) -> Method:
    """A method of what BLAS's own threads do best: products with a single row."""
    return _method_in_block(_begin_on_blas, method)


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
