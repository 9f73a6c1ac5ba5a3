"""What a column gets does not depend on its owner, and a scheme keeps its numbers."""

from itertools import pairwise

import numpy as np
import pytest

from rnnlm.compute.draws import SCHEME, SCHEMES, Columns, column_bits, column_uniforms, shared_bits
from rnnlm.errors import ArgumentError

N = 7
OWNERS = [[0, 7], [0, 3, 7], [0, 1, 5, 7], [0, 1, 2, 3, 4, 5, 6, 7]]  # where their columns begin, and the end
TWO = [[[58623, 31010, 48627, 33542, 43110]], [[6349, 2284, 42230, 9447, 28626]]]
ONE = [[[58623, 31010, 48627, 33542, 43110]], [[49490, 38587, 62289, 6349, 2284]]]


def owned(edges):
    """The Columns of each owner."""
    return [Columns(first, stop, N) for first, stop in pairwise(edges)]


@pytest.mark.parametrize("edges", OWNERS, ids=lambda edges: f"{len(edges) - 1} owners")
@pytest.mark.parametrize("generator", [np.random.PCG64, np.random.PCG64DXSM])
def test_owners_of_columns_draw_the_columns_of_one_owner_of_all(edges, generator):
    whole, others = np.random.Generator(generator(1)), [np.random.Generator(generator(1)) for _ in edges[1:]]
    for _ in range(2):
        bits, shared = column_bits(whole, (N, 3, 5)), shared_bits(whole, (9,))
        narrow, uniforms = column_bits(whole, (N, 1, 3)), column_uniforms(whole, N, 6)
        for rng, columns in zip(others, owned(edges), strict=True):
            rows, n = slice(columns.first, columns.stop), columns.stop - columns.first
            np.testing.assert_array_equal(column_bits(rng, (n, 3, 5), columns), bits[rows])
            np.testing.assert_array_equal(shared_bits(rng, (9,)), shared)
            np.testing.assert_array_equal(column_bits(rng, (n, 1, 3), columns), narrow[rows])
            np.testing.assert_array_equal(column_uniforms(rng, n, 6, columns), uniforms[rows])
            assert rng.bit_generator.state == whole.bit_generator.state


def test_a_column_is_the_same_in_a_batch_of_more_columns():
    few, many = (column_bits(np.random.default_rng(3), (n, 4, 5)) for n in (2, 6))
    np.testing.assert_array_equal(few, many[:2])


def test_scheme_2_takes_a_word_apart_from_its_lowest_bits_on():
    words = np.random.default_rng(1).bit_generator.random_raw(4).tolist()
    parts = [[word >> 16 * k & 0xFFFF for k in range(4)] for word in words]
    np.testing.assert_array_equal(shared_bits(np.random.default_rng(1), (2, 4)), parts[:2])
    np.testing.assert_array_equal(column_bits(np.random.default_rng(1), (2, 3, 2)).reshape(2, 6),
                                  [(parts[0] + parts[1])[:6], (parts[2] + parts[3])[:6]])


def test_the_numbers_of_both_schemes_stay_what_they_are():
    """Other numbers need a scheme with another version: checkpoints have these."""
    assert (SCHEME, SCHEMES) == (2, (1, 2))
    assert column_bits(np.random.default_rng(1), (2, 1, 5), scheme=2).tolist() == TWO
    assert column_bits(np.random.default_rng(1), (2, 1, 5), scheme=1).tolist() == ONE
    np.testing.assert_array_equal(column_uniforms(np.random.default_rng(1), 2, 3),
                                  np.random.default_rng(1).random((2, 3)))


@pytest.mark.parametrize("generator", [np.random.MT19937, np.random.SFC64, np.random.Philox, np.random.PCG64])
def test_every_bit_of_every_generator_is_random(generator):
    """Some give words of 32 bits."""
    bits = shared_bits(np.random.Generator(generator(1)), (40_000,))
    for k in range(4):
        assert abs(float((bits[k::4] >= 1 << 15).mean()) - 0.5) < 0.02
        assert abs(float((bits[k::4] & 1).mean()) - 0.5) < 0.02


@pytest.mark.parametrize("columns", [Columns(0, 3, 7), Columns(6, 8, 7), Columns(-1, 1, 7)], ids=str)
def test_columns_that_do_not_fit_are_refused(columns):
    with pytest.raises(ArgumentError, match=f"columns must be 2 columns of a batch, got {columns.first} to"):
        column_bits(np.random.default_rng(1), (2, 3, 4), columns)


def test_the_earlier_scheme_has_no_columns():
    with pytest.raises(ArgumentError, match=r"columns must be None with random_scheme 1, .*: set random_scheme to 2"):
        column_bits(np.random.default_rng(1), (2, 3, 4), Columns(0, 2, 7), scheme=1)


def test_a_generator_that_cannot_jump_serves_one_owner_of_all():
    rng = np.random.Generator(np.random.MT19937(1))
    assert column_bits(rng, (2, 3, 4)).shape == (2, 3, 4)
    with pytest.raises(ArgumentError, match=r"rng must be a generator that can jump: numpy\.random"):
        column_bits(rng, (2, 3, 4), Columns(0, 2, 7))


@pytest.mark.parametrize("shape", [(3, 5, 8), (2, 1, 4), (4, 35, 200)])
def test_columns_of_whole_words_have_the_same_bits_in_both_schemes(shape):
    """So runs of common sizes with dropout alone have stayed the same."""
    one, two = (column_bits(np.random.default_rng(1), shape, scheme=scheme) for scheme in SCHEMES)
    np.testing.assert_array_equal(one, two)


def test_half_a_word_that_is_left_survives_a_jump():
    """Numbers of 32 bits, such as random starts, take half a word.

    Another owner jumps before the other half.
    """
    whole, part = np.random.default_rng(1), np.random.default_rng(1)
    for _ in range(3):
        assert whole.integers(1000) == part.integers(1000)
        bits = column_bits(whole, (N, 3, 5))
        np.testing.assert_array_equal(column_bits(part, (2, 3, 5), Columns(3, 5, N)), bits[3:5])
    assert part.bit_generator.state == whole.bit_generator.state
