#!/usr/bin/env bash
# Finding: threadpool_limits in two Python threads leaves BLAS limited for good, or does not limit it at all.
#
# A good guess: a limit holds inside its "with" block, and the old number of threads is back
#   when all blocks have ended.
# What happens, with an OpenBLAS that has one pool for the process (NumPy's wheels):
#   1. Each block stores the number that it finds, and restores it at its end.
#      When the blocks of two threads overlap, the first to end lifts the limit of the second,
#      and the second to end restores the limit of the first. BLAS keeps one thread for good.
#   2. A plain call threadpool_limits(2) makes its thread the only one that may set the number.
#      While that thread lives, a "with" block in another thread is ignored without a word.
# Version: threadpoolctl 3.8.0 with NumPy 2.4.6 (OpenBLAS, pthreads).
# Output seen:
#   threadpoolctl 3.8.0
#   overlapping blocks: before 2, in B after the end of A 2, after both 1
#   a block in a second thread after a plain call in the first: 2, limit asked for 1
# Who is hurt: programs that score or train in several Python threads. The results stay right;
#   the speed changes, for the whole process, and depends on which block ended first.
# What to do: set one limit in the main thread around all workers, or set OPENBLAS_NUM_THREADS before the import.
#   Check threadpool_info() inside the block when the number matters.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check threadpoolctl==3.8.0 numpy==2.4.6
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import sys
import threading

import numpy  # loads the BLAS library
import threadpoolctl
from threadpoolctl import threadpool_info, threadpool_limits


def threads():
    return threadpool_info()[0]["num_threads"]


def in_thread(*functions):
    workers = [threading.Thread(target=function) for function in functions]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()


a_entered, b_entered, a_left = threading.Event(), threading.Event(), threading.Event()
seen = []


def a():
    with threadpool_limits(1):
        a_entered.set()
        b_entered.wait()
    a_left.set()


def b():
    a_entered.wait()
    with threadpool_limits(1):
        b_entered.set()
        a_left.wait()
        seen.append(threads())


def limited_block():
    with threadpool_limits(1):
        seen.append(threads())


in_thread(lambda: threadpool_limits(2))  # the same start on every machine; this thread ends
seen.append(threads())
in_thread(a, b)
seen.append(threads())

threadpool_limits(2)
in_thread(limited_block)

before, inside, after, ignored = seen
print("threadpoolctl", threadpoolctl.__version__)
print(f"overlapping blocks: before {before}, in B after the end of A {inside}, after both {after}")
print(f"a block in a second thread after a plain call in the first: {ignored}, limit asked for 1")
if (before, inside, after) != (2, 2, 1):
    sys.exit("changed: overlapping blocks of two threads")
if ignored != 2:
    sys.exit("changed: a block in a second thread is obeyed")
PYTHON
