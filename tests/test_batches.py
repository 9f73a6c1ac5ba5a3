import numpy as np
import pytest

from rnnlm.batches import TimeBatches
from rnnlm.errors import RnnlmError


def test_streams_start_at_their_offsets_and_windows_follow_on():
    # n = 12, N = 2: L = floor(11 / 2) = 5, streams start at 0 and 5; the last window is one step short
    windows = list(TimeBatches(np.arange(12), batch_size=2, time_size=2))
    xs = [x.tolist() for x, _ in windows]
    assert xs == [[[0, 1], [5, 6]], [[2, 3], [7, 8]], [[4], [9]]]
    for x, t in windows:
        np.testing.assert_array_equal(t, x + 1)


@pytest.mark.parametrize(("n", "N", "T"), [(101, 7, 5), (50, 1, 49), (50, 3, 1), (9, 4, 35)])
def test_every_stream_is_read_once_in_order(n, N, T):
    batches = TimeBatches(np.arange(n), N, T)
    windows = list(batches)
    L = (n - 1) // N
    xs = np.concatenate([x for x, _ in windows], axis=1)
    np.testing.assert_array_equal(xs, np.arange(N)[:, None] * L + np.arange(L))
    assert len(windows) == len(batches)
    assert sum(t.size for _, t in windows) == batches.targets == N * L


def test_the_position_can_be_read_and_set_and_is_zero_after_a_pass():
    batches = TimeBatches(np.arange(21), 2, 3)
    for _ in batches:
        if batches.position == 6:
            break
    rest = [x[0, 0] for x, _ in batches]
    assert rest == [6, 9]
    assert batches.position == 0


def test_a_text_too_short_to_train_on_is_refused():
    with pytest.raises(RnnlmError, match="at least 3 tokens to train on, got 2"):
        TimeBatches(np.arange(2), 1, 5)


def test_a_batch_the_text_cannot_fill_is_refused_with_the_largest_that_fits():
    TimeBatches(np.arange(83), 41, 5)
    with pytest.raises(RnnlmError, match="batch_size must be at most 41 for a text of 83 tokens, got 64"):
        TimeBatches(np.arange(83), 64, 5)
