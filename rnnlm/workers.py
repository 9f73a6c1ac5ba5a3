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
from itertools import pairwise
from pathlib import Path

import numpy as np

from rnnlm.arguments import whole

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
        self._pool = self._limits = None
        self._memory = threading.local()

    def __reduce__(self):
        return "SERIAL" if self is SERIAL else (Workers, (self.wanted,))  # a string: the name of what is there already

    def __deepcopy__(self, memo):
        return self

    def __enter__(self):
        self._limits = blas_threads(1)
        if self.wanted > 1:
            from concurrent.futures import ThreadPoolExecutor

            self._pool = ThreadPoolExecutor(
                self.wanted - 1, thread_name_prefix="rnnlm",
                initializer=blas_threads, initargs=(1,))  # a BLAS on OpenMP counts threads for each caller
            self.threads = self.wanted
        return self

    def __exit__(self, *_):
        if self._pool is not None:
            self._pool.shutdown()
        self._limits.restore_original_limits()
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


def blas_threads(count):
    """A block in which the BLAS library computes on its own threads, ``count`` of them.

    For a single stream, word by word: its products take a fraction of a millisecond, less than waking a worker.
    """
    from threadpoolctl import threadpool_limits  # a command that only prints its help does without

    return threadpool_limits(count, user_api="blas")


def available_cores():
    """How many cores this process may use: those of its affinity, fewer where a control group's quota is lower."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        quota, period = QUOTA.read_text(encoding="ascii").split()
        return max(1, min(cores, int(quota) // int(period)))
    except (OSError, ValueError):  # no control group of version 2, or no limit: "max"
        return cores


SERIAL = Workers()  # never entered: everything in the calling thread, with BLAS as it is
