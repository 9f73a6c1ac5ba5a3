"""Shared arrays: where a process has no such memory, none of them waits for ever."""

import os

import pytest

from rnnlm.compute.shared_arrays import shared_arrays


class OneOfTwo:
    """A process of two; of_first: what the first says, as far as the second hears."""

    def __init__(self, rank, of_first=None):
        self.rank, self.of_first, self.told = rank, of_first, []

    def each(self, value):
        self.told.append(value)
        return [self.of_first or value, value]


def refuse(*_):
    raise OSError(22, "no such thing")


@pytest.mark.parametrize("lack", [
    lambda patch: patch.delattr(os, "memfd_create", raising=False),  # another system, or a Python for an older one
    lambda patch: patch.setattr(os, "memfd_create", refuse, raising=False),
    lambda patch: patch.setattr(os, "ftruncate", refuse),
])
def test_a_process_without_such_memory_tells_the_others(lack, monkeypatch):
    lack(monkeypatch)
    with pytest.raises(OSError) as caught:
        shared_arrays(first := OneOfTwo(0), [0], (3,), float)
    told, last = first.told
    assert told[1:] == (None, caught.value)
    assert last is None
    with pytest.raises(OSError) as heard:
        shared_arrays(second := OneOfTwo(1, told), [0], (3,), float)
    assert heard.value is caught.value
    assert len(second.told) == 2  # as often as the first


def test_a_signal_while_others_are_awaited_ends_the_waiting():
    class Stopped(OneOfTwo):
        def each(self, value):
            super().each(value)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        shared_arrays(stopped := Stopped(0), [0], (3,), float)
    assert len(stopped.told) == 1
