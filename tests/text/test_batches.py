import numpy as np
import pytest

from rnnlm.errors import RnnlmError
from rnnlm.text.batches import TimeBatches


def test_streams_start_at_their_offsets_and_windows_follow_on():
    # n = 12, N = 2: L = floor(11 / 2) = 5, streams start at 0 and 5; the last window is
    # one step short
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


def test_a_pass_goes_on_from_its_position_and_begins_again_after_its_end():
    batches = TimeBatches(np.arange(21), 2, 3)
    for _ in batches:
        if batches.position == 6:
            break
    assert not batches.at_end
    assert [x[0, 0] for x, _ in batches] == [6, 9]
    assert batches.at_end
    assert [x[0, 0] for x, _ in batches] == [0, 3, 6, 9]


def test_a_random_start_reads_the_text_as_a_ring_from_anywhere():
    starts = set()
    batches = TimeBatches(np.arange(12), 2, 5, random_start=True, rng=np.random.default_rng(0))
    for _ in range(200):
        ((xs, ts),) = batches
        start = xs[0, 0]
        starts.add(start)
        np.testing.assert_array_equal(xs, (start + np.array([[0, 1, 2, 3, 4], [5, 6, 7, 8, 9]])) % 12)
        np.testing.assert_array_equal(ts, (xs + 1) % 12)
    assert starts == set(range(12))


def test_random_lengths_vary_around_T_and_miss_nothing():
    batches = TimeBatches(np.arange(40001), 2, 35, random_length=True, rng=np.random.default_rng(0))
    windows = [x for x, _ in batches]
    lengths = np.array([x.shape[1] for x in windows])
    np.testing.assert_array_equal(np.concatenate(windows, axis=1)[0], np.arange(20000))
    assert lengths[:-1].min() >= 5
    assert lengths.max() <= 55
    assert 30 < np.median(lengths) < 38
    assert 0.02 < np.mean(lengths < 22) < 0.1  # those of half the length
    assert 3 < lengths[lengths > 22].std() < 7


def test_a_snapshot_is_all_a_pass_needs_to_go_on():
    def batches(seed):
        rng = np.random.default_rng(seed)
        return TimeBatches(np.arange(301), 2, 12, random_start=True, random_length=True, rng=rng)

    whole, first, second = batches(1), batches(1), batches(2)
    expected = [x.tolist() for _ in range(2) for x, _ in whole]
    seen = []
    for x, _ in first:
        seen.append(x.tolist())
        if len(seen) == 5:
            break
    second.restore(first.snapshot())
    seen += [x.tolist() for _ in range(2) for x, _ in second]
    assert seen == expected


@pytest.mark.parametrize("change", [{"position": 151}, {"start": 301}])
def test_a_snapshot_that_cannot_be_of_this_text_are_refused(change):
    batches = TimeBatches(np.arange(301), 2, 7)
    with pytest.raises(ValueError, match="cannot be right in 2 streams of 150"):
        batches.restore({"position": 0, "start": 0} | change)


def test_what_is_random_needs_a_generator():
    for option in ("random_start", "random_length", "noising", "documents"):
        with pytest.raises(ValueError, match="need rng"):
            TimeBatches(np.arange(30), 2, 12, **{option: True})
    with pytest.raises(ValueError, match="time_size of at least 10, got 9"):
        TimeBatches(np.arange(30), 2, 9, random_length=True, rng=np.random.default_rng(0))


def test_a_text_too_short_to_train_on_is_refused():
    with pytest.raises(RnnlmError, match="at least 3 tokens to train on, got 2"):
        TimeBatches(np.arange(2), 1, 5)


def test_a_batch_the_text_cannot_fill_is_refused_with_the_largest_that_fits():
    TimeBatches(np.arange(83), 41, 5)
    with pytest.raises(RnnlmError, match="batch_size must be at most 41 for a text of 83 tokens, got 64"):
        TimeBatches(np.arange(83), 64, 5)


BEGINS = np.cumsum([0, 7, 1, 30, 2, 50, 11, 80, 9, 40, 23, 5])  # of documents in a text of 301 tokens


def joined(batches):
    """The streams of a pass, (N, L): what is read, and the targets."""
    windows = list(batches)
    return [np.concatenate(parts, axis=1) for parts in zip(*windows, strict=True)]


def test_documents_are_read_in_a_new_order_in_each_pass():
    ids = np.arange(301, dtype=np.int32)
    batches = TimeBatches(ids, 3, 12, documents=BEGINS, rng=np.random.default_rng(0))
    seen = []
    for _ in range(3):
        xs, ts = joined(batches)
        text = np.append(xs.ravel(), ts[-1, -1])  # 300 of its tokens, and the last target
        np.testing.assert_array_equal(text[1:], ts.ravel())
        assert sorted(text) == ids.tolist()
        first = [part for part in BEGINS if part in text]
        for part in np.split(text, np.sort([text.tolist().index(part) for part in first]))[1:]:
            k = np.searchsorted(BEGINS, part[0])
            np.testing.assert_array_equal(part, np.split(ids, BEGINS[1:])[k])
        seen.append(text.tolist())
    assert seen[0] != seen[1] != seen[2] != seen[0]
    again = TimeBatches(ids, 3, 12, documents=BEGINS, rng=np.random.default_rng(0))
    assert joined(again)[0].ravel().tolist() == seen[0][:-1]


@pytest.mark.parametrize("options", [{}, {"random_start": True}, {"random_length": True},
                                     {"noising": lambda xs, ts, rng: (xs + rng.integers(2), ts)}])
def test_shuffled_documents_are_a_text_in_that_order(options):
    """They are what the same options read of the text that was put together again."""
    ids = np.random.default_rng(3).integers(0, 99, 301).astype(np.int32)
    batches = TimeBatches(ids, 3, 12, documents=BEGINS, rng=np.random.default_rng(0), **options)
    rng = np.random.default_rng(0)  # draws what comes first, then one number for the order
    start = int(rng.integers(301)) if "random_start" in options else 0
    order = np.random.default_rng(rng.integers(1 << 63)).permutation(len(BEGINS))
    text = np.concatenate([np.split(ids, BEGINS[1:])[k] for k in order])
    options.pop("random_start", None)
    plain = TimeBatches(np.roll(text, -start), 3, 12, rng=rng, **options)
    for (xs, ts), (other_xs, other_ts) in zip(batches, plain, strict=True):
        np.testing.assert_array_equal(xs, other_xs)
        np.testing.assert_array_equal(ts, other_ts)


@pytest.mark.parametrize("left_out", [None, "order", "generator", "position"])
def test_a_shuffled_pass_goes_on_from_its_snapshot(left_out):
    def batches(seed):
        rng = np.random.default_rng(seed)
        return TimeBatches(np.arange(301), 3, 12, random_start=True, documents=BEGINS, rng=rng)

    whole, first, second = batches(1), batches(1), batches(2)
    expected = [x.tolist() for _ in range(3) for x, _ in whole]
    seen = [x.tolist() for x, _ in first]
    for x, _ in first:
        seen.append(x.tolist())
        if len(seen) == 13:
            break
    values = first.snapshot()
    assert values.keys() == {"position", "start", "order", "generator"}
    if left_out:  # the negative control
        values[left_out] = second.snapshot()[left_out]
    second.restore(values)
    seen += [x.tolist() for _ in range(2) for x, _ in second]
    assert (seen == expected) == (left_out is None)


def test_a_text_in_order_draws_and_keeps_nothing_more():
    rng = np.random.default_rng(1)
    batches = TimeBatches(np.arange(301), 3, 12, rng=rng)
    list(batches)
    assert rng.bit_generator.state == np.random.default_rng(1).bit_generator.state
    assert batches.snapshot().keys() == {"position", "start", "generator"}
