"""The threads of the BLAS behind NumPy: a number of them in a block, then given back.

The number is the whole process's.  So the open blocks of all Python threads are
counted: the one that began last decides, and the one that ends last restores what BLAS
had before the first.  A BLAS on OpenMP counts threads for each caller; there each
Python thread has blocks of its own.

A block is opened for each call of the library's users, so it must cost little: some 8
microseconds.
"""

import math
import os
import threading
from functools import cache
from threading import get_ident

LIMITS = {"openblas", "mkl"}  # a BLAS that has one thread although nobody asked for that is none of these

_lock = threading.Lock()
_blocks = {}  # the open blocks, oldest first: key -> the Python thread and its count


class Library:
    """A BLAS library of the process: ``get()`` -> its threads, and ``set(count)``."""

    def __init__(self, controller):
        layer = getattr(controller, "threading_layer", None)
        self.by_caller = layer == "openmp"
        self.is_limit = controller.internal_api in LIMITS and layer not in ("disabled", "sequential")
        self.before = {}  # Python thread, or None for the process -> its count before the oldest block
        self.get, self.set = _own_functions(controller) or _functions(controller)

    def follow_blocks(self):
        """Take the count that the open blocks ask for; without one that from before.

        Returns the count from before.
        """
        caller = get_ident() if self.by_caller else None
        now = self.get()
        wanted = _newest(caller) if _blocks else None
        if wanted is None:
            wanted = before = self.before.pop(caller, now)
        else:
            before = self.before.setdefault(caller, now)
        if now != wanted:
            self.set(wanted)
        return before


def _newest(thread, but=None):
    """The count of the newest block of a thread (None: of any); None without one."""
    for key, (owner, count) in reversed(_blocks.items()):
        if (thread is None or owner == thread) and key != but:
            return count
    return None


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
        hold(self, self.count)

    def __exit__(self, *_):
        give_back(self)


def hold(key, count):
    """Begin a block of this thread; return the count that the thread had before.

    That is the count of the innermost block that this thread opened itself.  Without
    one it is BLAS's count outside all blocks, which environment variables or
    threadpoolctl may have set; inf where BLAS does not tell.
    """
    thread, limit = get_ident(), math.inf
    with _lock:
        own = _newest(thread, but=key) if _blocks else None
        _blocks[key] = thread, count
        for library in libraries():
            before = library.follow_blocks()
            if library.is_limit and before < limit:
                limit = before
    return limit if own is None else own


def give_back(key):
    """End a block."""
    with _lock:
        del _blocks[key]
        for library in libraries():
            library.follow_blocks()


def hold_for_good():
    """A BLAS on OpenMP of one thread for the calling thread, which lives in blocks."""
    for library in libraries():
        if library.by_caller:
            library.set(1)


def _after_fork():
    """Forget, in a new process, the blocks of threads that are not there."""
    global _lock
    _lock = threading.Lock()
    gone = [key for key, (thread, _) in _blocks.items() if thread != get_ident()]
    for key in gone:
        del _blocks[key]
    if gone:
        for library in libraries():
            library.follow_blocks()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
