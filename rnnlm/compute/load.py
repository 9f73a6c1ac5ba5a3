"""How many cores other programs keep busy, and whether that slows this one down."""

import os
import time
from pathlib import Path

BUSY = 0.5  # cores: less is the usual hum of a system


class Load:
    """What other programs do from one look to the next."""

    def __init__(self):
        self.look()

    def look(self):
        """Read the clocks from which the next difference is taken."""
        self.time, self.machine, self.own = time.monotonic(), machine_seconds(), own_seconds()

    @property
    def seconds(self):
        """How long ago the last look was."""
        return time.monotonic() - self.time

    def others(self):
        """How many cores others kept busy since the last look; looks again.

        It is nan where it is not known.
        """
        before = self.time, self.machine, self.own
        self.look()
        seconds, machine, own = (now - then for now, then in zip(
            (self.time, self.machine, self.own), before, strict=True))
        return (machine - own) / seconds if seconds else float("nan")


def slow_down(others, threads):
    """Whether others on so many cores slow down a run on so many threads."""
    return others > BUSY and others + threads > os.cpu_count() + BUSY


def machine_seconds():
    """Processor time of all programs, in seconds; nan where it is not known."""
    try:
        user, nice, system = Path("/proc/stat").read_text(encoding="ascii").split(maxsplit=4)[1:4]
        return (int(user) + int(nice) + int(system)) / os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError, AttributeError):
        return float("nan")


def own_seconds():
    """Processor time of this process, in seconds."""
    return time.process_time()
