"""Threads: the parts of one piece of work, done side by side on the cores of the machine.

NumPy lets go of the interpreter's lock inside products and elementwise functions, so plain Python threads
use several cores.  The BLAS library behind ``np.matmul`` has threads of its own, which wait for work by
spinning: where another program keeps a core busy, two of them are many times slower than one.  So BLAS is
held to one thread and the parts are shared out here.  Waking a thread takes about 0.2 ms on a virtual
machine: what takes less than a millisecond is not worth sharing.
"""

import contextvars
import math
import os
import threading
from collections import deque
from contextlib import ExitStack, contextmanager
from itertools import pairwise
from pathlib import Path

import numpy as np

from rnnlm.compute.arguments import whole

QUOTA = Path("/sys/fs/cgroup/cpu.max")  # a container's share of processor time: microseconds of so many, or "max"


class Workers:
    """``with Workers(threads) as workers``: in the block, that many threads, and a BLAS of one.

    Outside the block everything runs in the calling thread and BLAS is left as it is.

    A model that is copied (copy.deepcopy) computes on the threads of the first.  One that was pickled and read again
    computes in the calling thread: its ``workers``, a Workers of as many threads, can be entered as this one was.
    """

    def __init__(self, threads=1):
        self.wanted = whole("threads", threads)
        self.threads = 1
        self._pool = self._block = None
        self._memory = threading.local()

    def __reduce__(self):
        return "SERIAL" if self is SERIAL else (Workers, (self.wanted,))  # a string: the name of what is there already

    def __deepcopy__(self, memo):
        return self

    def __enter__(self):
        self._block = ExitStack()
        self._block.enter_context(blas_threads(1))
        if self.wanted > 1:
            from concurrent.futures import ThreadPoolExecutor

            self._pool = ThreadPoolExecutor(
                self.wanted - 1, thread_name_prefix="rnnlm",
                initializer=_one_blas_thread)  # a BLAS on OpenMP counts threads for each caller
            self.threads = self.wanted
        return self

    def __exit__(self, *_):
        if self._pool is not None:
            self._pool.shutdown()
        self._block.close()
        self.threads, self._pool = 1, None

    def each(self, function, items, meanwhile=None):
        """function(item) for every item, by all threads; returns when all is done, in whatever order.

        Each item must write into places of its own: then the result does not depend on the order.
        meanwhile() is called first, in the calling thread, while the others begin with the items.
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
        # NumPy's error state is part of the context: the helpers take over the caller's.
        others = [self._pool.submit(contextvars.copy_context().run, work) for _ in range(helpers)]
        try:
            if meanwhile is not None:
                meanwhile()
            work()
        finally:  # whatever happens: nobody writes into the arrays any more when this returns
            waiting.clear()
            # A helper that is still busy elsewhere has not begun and is not waited for.
            errors = [other.exception() for other in others if not other.cancel()]
        for error in filter(None, errors):
            raise error

    def scratch(self, name, shape, dtype):
        """An array to work in, the calling thread's own; the next call with this name hands its memory out again."""
        size = math.prod(shape)
        memory = getattr(self._memory, name, None)
        if memory is None or memory.size < size or memory.dtype != dtype:
            memory = np.empty(size, dtype)
            setattr(self._memory, name, memory)
        return memory[:size].reshape(shape)


def slices(size, length):
    """range(size) as slices of equal length, at most ``length``: [slice(0, a), slice(a, 2a), ...]."""
    if size <= length:
        return [slice(0, size)]
    count = -(-size // length)
    bounds = [size * i // count for i in range(count + 1)]
    return [slice(start, stop) for start, stop in pairwise(bounds)]


_blas_lock = threading.Lock()
_blas_blocks = {}  # the open blocks of ``blas_threads``, oldest first: the Python thread and the count of each
_blas_before = {}  # each BLAS library's file: the library, and the threads it had before the oldest block


@contextmanager
def blas_threads(count):
    """A block in which the BLAS library computes on its own threads, ``count`` of them.

    The number is the whole process's.  Where blocks of several Python threads overlap, the one that began last
    decides, and the one that ends last restores what BLAS had before the first.
    """
    from threadpoolctl import ThreadpoolController  # a command that only prints its help does without

    block = object()
    with _blas_lock:
        for library in ThreadpoolController().select(user_api="blas").lib_controllers:
            _blas_before.setdefault(library.filepath, (library, library.num_threads))
            _set_blas(library, count)
        _blas_blocks[block] = threading.get_ident(), count
    try:
        yield
    finally:
        with _blas_lock:
            del _blas_blocks[block]
            for library, before in _blas_before.values():
                _set_blas(library, _blas_count(library, before))
            if not _blas_blocks:
                _blas_before.clear()


def _set_blas(library, count):
    """Let a BLAS library compute on so many threads."""
    # In newer versions of threadpoolctl a thread that has set the number keeps all others from it until it says so:
    # with the blocks counted here, the last one out may be any thread.
    release = getattr(library, "clear_controlling_thread", lambda force: None)
    release(force=True)
    library.set_num_threads(count)
    release(force=True)


def _blas_count(library, before):
    """The threads that the open blocks leave to a BLAS library: what it had before where there are none."""
    # One on OpenMP counts threads for each caller: the blocks of other Python threads do not concern this one's.
    own = getattr(library, "threading_layer", None) == "openmp"
    counts = [count for thread, count in _blas_blocks.values() if not own or thread == threading.get_ident()]
    return counts[-1] if counts else before


def _one_blas_thread():
    """BLAS on one thread, for a thread of ``Workers``, which lives inside a block."""
    from threadpoolctl import threadpool_limits

    threadpool_limits(1, user_api="blas")


def available_cores():
    """How many cores this process may use: those of its affinity, fewer where a control group's quota is lower."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        quota, period = QUOTA.read_text(encoding="ascii").split()
        return max(1, min(cores, int(quota) // int(period)))
    except (OSError, ValueError):  # no control group of version 2, or no limit: "max"
        return cores


SERIAL = Workers()  # never entered: everything in the calling thread, with BLAS as it is
