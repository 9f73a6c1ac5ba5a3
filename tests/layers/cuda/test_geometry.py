"""How recurrences are divided among blocks."""

import pytest

from rnnlm.layers.cuda.geometry import SHARED, THREADS, TILES, division

SIZES = [(N, H) for N in (1, 7, 20, 32, 128) for H in (1, 17, 200, 256, 640, 650, 1000)]


@pytest.mark.parametrize("backward", [False, True])
@pytest.mark.parametrize("gates", [1, 4])
@pytest.mark.parametrize(("N", "H"), SIZES)
def test_all_units_of_all_streams_are_somebodys(N, H, gates, backward):
    part = division(N, H, gates, backward, 132)
    assert part is None or (part.groups * part.tile >= N and part.blocks * part.units >= H)


@pytest.mark.parametrize("processors", [1, 4, 132])
@pytest.mark.parametrize("gates", [1, 4])
@pytest.mark.parametrize(("N", "H"), SIZES)
def test_a_block_has_what_the_kernel_needs(N, H, gates, processors):
    for part in filter(None, (division(N, H, gates, backward, processors) for backward in (False, True))):
        assert part.groups * part.blocks <= processors
        assert part.tile in TILES
        assert 32 <= part.threads <= THREADS
        assert part.shared <= SHARED
        assert part.threads >= -(-N // part.groups) * part.units  # a thread for each unit of each stream


@pytest.mark.parametrize("N", [20, 32])
@pytest.mark.parametrize(("H", "gates"), [(200, 1), (200, 4), (650, 1), (640, 4), (650, 4)])
def test_the_usual_sizes_fit(N, H, gates):
    for backward in (False, True):
        assert division(N, H, gates, backward, 132)


@pytest.mark.parametrize(("N", "H", "gates", "processors"), [
    (20, 1500, 4, 132),   # 36 MB of weights; all blocks together have 30 MB
    (20, 650, 4, 16),     # a small GPU
    (2000, 200, 1, 132),  # more streams than 132 groups of 8
])
def test_what_does_not_fit_has_no_division(N, H, gates, processors):
    assert division(N, H, gates, False, processors) is None


def test_one_block_has_all_the_weights_where_that_is_faster():
    assert division(20, 100, 1, False, 132).blocks == 1
