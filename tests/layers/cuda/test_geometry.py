"""How recurrences are divided among blocks."""

import pytest

from rnnlm.layers.cuda.geometry import MOST_STREAMS, THREADS, division, launches

SHARED = 232_448  # bytes of a block, on an H100
SIZES = [(N, H) for N in (1, 7, 20, 32, 128) for H in (1, 17, 200, 256, 640, 650, 1000)]


@pytest.mark.parametrize("backward", [False, True])
@pytest.mark.parametrize("gates", [1, 4])
@pytest.mark.parametrize(("N", "H"), SIZES)
def test_all_units_of_all_streams_are_somebodys(N, H, gates, backward):
    part = division(N, H, gates, backward, 132, SHARED)
    assert part is None or (part.groups * part.streams >= N and part.blocks * part.units >= H)


@pytest.mark.parametrize("processors", [1, 4, 132])
@pytest.mark.parametrize("gates", [1, 4])
@pytest.mark.parametrize(("N", "H"), SIZES)
def test_a_block_has_what_the_kernel_needs(N, H, gates, processors):
    for part in filter(None, (division(N, H, gates, backward, processors, SHARED) for backward in (False, True))):
        assert part.groups * part.blocks <= processors
        assert part.streams <= MOST_STREAMS
        assert 32 <= part.threads <= THREADS
        assert part.shared <= SHARED
        assert part.threads >= part.streams * part.units  # a thread for each unit of each stream


@pytest.mark.parametrize("N", [20, 32])
@pytest.mark.parametrize(("H", "gates"), [(200, 1), (200, 4), (650, 1), (640, 4), (650, 4)])
def test_the_usual_sizes_fit(N, H, gates):
    for backward in (False, True):
        assert division(N, H, gates, backward, 132, SHARED)


@pytest.mark.parametrize(("H", "gates", "processors"), [
    (1500, 4, 132),  # 36 MB of weights; all blocks together have 30 MB
    (650, 4, 16),    # a small GPU
])
def test_weights_that_do_not_fit_have_no_division(H, gates, processors):
    assert launches(20, H, gates, False, processors, SHARED) is None


def test_streams_that_do_not_fit_are_read_by_several_launches():
    assert launches(20, 650, 4, False, 132, SHARED)[0] == 20
    count, part = launches(80, 650, 4, False, 132, SHARED)
    assert count == 40  # 4 groups of at most 10 streams
    assert part == division(40, 650, 4, False, 132, SHARED)


def test_less_shared_memory_makes_fewer_groups():
    assert launches(20, 650, 4, True, 132, 116 << 10)[1].groups == 2
    assert launches(20, 650, 4, True, 132, 48 << 10) is None


def test_one_block_has_all_the_weights_where_that_is_faster():
    assert division(20, 100, 1, False, 132, SHARED).blocks == 1
