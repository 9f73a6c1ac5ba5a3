"""The threads of the BLAS behind NumPy: a number of them in a block, then given back.

The number is the whole process's.  So the open blocks of all Python threads are one
list: the one that began last decides.  When it ends it gives back what it found; one
that ends earlier leaves that to the next one in the list.  So the last one out restores
what BLAS had before the first.  A BLAS on OpenMP counts threads for each caller; there
each Python thread has a list of its own.

A block is opened for each call of the library's users, so it must cost little: some 8
microseconds.  And an interrupt may come anywhere in it.  So what is to be given back is
noted before anything is taken, and to end a block again does nothing.
"""

import math
import os
import threading
from functools import cache
from threading import get_ident

LIMITS = {"openblas", "mkl"}  # a BLAS that has one thread although nobody asked for that is none of these

_lock = threading.Lock()
_blocks = {}  # the open blocks, oldest first: key -> _Block


class _Block:
    """An open block: its Python thread, its count, and what each Library had before."""

    __slots__ = ("count", "found", "thread")

    def __init__(self, thread, count):
        self.thread, self.count, self.found = thread, count, {}


class Library:
    """A BLAS library of the process: ``get()`` -> its threads, and ``set(count)``."""

    def __init__(self, controller):
        layer = getattr(controller, "threading_layer", None)
        self.by_caller = layer == "openmp"
        self.is_limit = controller.internal_api in LIMITS and layer not in ("disabled", "sequential")
        self.get, self.set = _own_functions(controller) or _functions(controller)

    def begin(self, block):
        """Take the count of a block that begins."""
        now = block.found[self] = self.get()
        if now != block.count:
            self.set(block.count)

    def end(self, block):
        """Give back what a block found, or leave that to the next one."""
        if self.by_caller and block.thread != get_ident():
            return
        found, newer = block.found[self], self._next(block)
        if newer is not None:
            newer.found[self] = found
        elif self.get() != found:
            self.set(found)

    def _next(self, block):
        """The block that began after this one and changed the same count; or None."""
        newer = None
        for other in reversed(_blocks.values()):
            if other is block:
                break
            if self in other.found and (not self.by_caller or other.thread == block.thread):
                newer = other
        return newer


def _own_functions(controller):
    """get and set of an OpenBLAS with threads of its own, or None for another library.

    threadpoolctl's take ten times as long, and do nothing while another Python thread
    is the one that set the number.
    """
    if controller.internal_api == "openblas" and getattr(controller, "threading_layer", None) == "pthreads":
        for name in controller.check_symbols:
            if hasattr(controller.dynlib, name):
                return getattr(controller.dynlib, name), getattr(controller.dynlib, name.replace("_get_", "_set_"))
    return None


def _functions(controller):
    """get and set of any library, by threadpoolctl."""
    release = getattr(controller, "clear_controlling_thread", lambda force: None)

    def set_count(count):
        # In newer versions a thread that has set the number keeps all others from it
        # until it says so: with the blocks counted here, the last one out may be any
        # thread.
        release(force=True)
        controller.set_num_threads(count)
        release(force=True)

    return controller.get_num_threads, set_count


@cache
def libraries():
    """The BLAS libraries of the process, searched for once: that takes 0.1 to 1 ms."""
    import numpy  # noqa: F401  # brings the BLAS along
    from threadpoolctl import ThreadpoolController  # a command that only prints its help does without

    found = ThreadpoolController().select(user_api="blas").lib_controllers
    return [Library(controller) for controller in found if controller.num_threads]


class blas_threads:
    """A block in which the BLAS library computes on ``count`` threads of its own."""

    def __init__(self, count):
        self.count = count

    def __enter__(self):
        try:
            hold(self, self.count)
        except BaseException:
            give_back(self)
            raise

    def __exit__(self, *_):
        try:
            give_back(self)
        except BaseException:  # an interrupt
            give_back(self)
            raise


def hold(key, count):
    """Begin a block of this thread; return the count that the thread had before.

    That is the count of the innermost block that this thread opened itself.  Without
    one it is BLAS's count outside all blocks, which environment variables or
    threadpoolctl may have set; inf where BLAS does not tell.

    An open block of the same key was cut off, and ends first.
    """
    thread = get_ident()
    with _lock:
        if _blocks:
            _end(key)
        own = _newest(thread) if _blocks else None
        block = _blocks[key] = _Block(thread, count)
        for library in libraries():
            library.begin(block)
        return _outside(block) if own is None else own.count


def _newest(thread):
    """The newest block of a thread, or None."""
    for block in reversed(_blocks.values()):
        if block.thread == thread:
            return block
    return None


def _outside(block):
    """BLAS's count outside all blocks, for the thread of its only block."""
    oldest, limit = next(iter(_blocks.values())), math.inf
    for library, found in block.found.items():
        if library.is_limit:
            limit = min(limit, found if library.by_caller else oldest.found.get(library, found))
    return limit


def give_back(key):
    """End a block; one that is not open has ended."""
    with _lock:
        _end(key)


def _end(key):
    block = _blocks.get(key)
    if block is not None:
        for library in block.found:
            library.end(block)
        del _blocks[key]


def hold_for_good():
    """A BLAS on OpenMP of one thread for the calling thread, which lives in blocks."""
    for library in libraries():
        if library.by_caller:
            library.set(1)


def _after_fork():
    """Forget, in a new process, the blocks of threads that are not there."""
    global _lock
    _lock = threading.Lock()
    for key in [key for key, block in _blocks.items() if block.thread != get_ident()]:
        _end(key)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
