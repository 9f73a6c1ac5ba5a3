"""How many cores a process may use: by its affinity, and by a container's quota."""

import os
from functools import cache
from pathlib import Path

QUOTA = Path("/sys/fs/cgroup/cpu.max")  # a container's share of processor time: microseconds of so many, or "max"


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
