"""The minutes of a run with ``--minutes``."""

import time

LOADING = 0.7  # seconds until a command's first line runs


class Budget:
    """The minutes of a run, which begin with it.

    Parameters
    ----------
    minutes : that were asked for.
    given : the names of the options that were given, which are kept.
    clock : () -> seconds.
    loading : seconds that had passed before.
    """

    def __init__(self, minutes, given, clock=time.perf_counter, loading=LOADING):
        self.minutes, self.given, self.clock = minutes, frozenset(given), clock
        self.deadline = clock() - loading + 60 * minutes

    @property
    def left(self):
        """Seconds until the end."""
        return self.deadline - self.clock()
