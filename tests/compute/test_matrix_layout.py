"""What BLAS is told of matrices, against a gemm that reads memory as BLAS does."""

import itertools

import numpy as np
import pytest
from numpy.lib.stride_tricks import as_strided

from rnnlm.compute.device import HOST
from rnnlm.compute.matrix_layout import Product, layout

FORMS = {
    "by rows": lambda x: x.copy(),
    "by columns": lambda x: np.asfortranarray(x),
    "columns of a wider matrix": lambda x: _inside(x, 2, 3)[: len(x), 1 : 1 + x.shape[1]],
    "rows of a wider matrix by columns": lambda x: _inside(x.T, 2, 3)[: x.shape[1], 1 : 1 + len(x)].T,
}


def _inside(x, rows, columns):
    wide = np.full((len(x) + rows, x.shape[1] + columns), 7.0, x.dtype)
    wide[: len(x), 1 : 1 + x.shape[1]] = x
    return wide


def gemm(product, a, b, out):
    """As BLAS: by columns, from the first number on, by leading dimensions alone."""
    def matrix(x, rows, columns, leading):
        assert leading >= max(rows, 1)
        return as_strided(x, (rows, columns), (x.itemsize, leading * x.itemsize))

    def read(x, transposed, rows, columns, leading):
        return matrix(x, columns, rows, leading).T if transposed else matrix(x, rows, columns, leading)

    m, n, k = product.sizes
    first, second = (b, a) if product.swapped else (a, b)
    matrix(out, m, n, product.out)[...] = (read(first, product.transposed[0], m, k, product.first)
                                          @ read(second, product.transposed[1], k, n, product.second))


@pytest.mark.parametrize("sizes", [(3, 4, 5), *itertools.product((1, 4), repeat=3)])
def test_product(sizes, rng):
    m, k, n = sizes
    a, b = rng.normal(size=(m, k)), rng.normal(size=(k, n))
    for of_a, of_b, of_out in itertools.product(FORMS.values(), repeat=3):
        left, right, out = of_a(a), of_b(b), of_out(np.zeros((m, n)))
        product = Product.of(left, right, out)
        gemm(product, left, right, out)
        np.testing.assert_allclose(out, a @ b, rtol=1e-13, atol=1e-14)


def test_what_blas_cannot_read():
    x = np.zeros((6, 8))
    assert layout(x[::2, ::2]) is None
    assert layout(x[:, ::-1]) is None
    assert layout(np.broadcast_to(np.zeros(4), (3, 4))) is None
    assert layout(x[::2]) == (1, 16)
    assert Product.of(x[::2, ::2], x[:4], np.zeros((3, 8))) is None


def test_host(rng):
    a, b, out = rng.normal(size=(3, 4)), rng.normal(size=(4, 2)), np.ones((3, 2), order="F")
    HOST.multiply(a, b, out)
    np.testing.assert_allclose(out, a @ b)
    HOST.multiply(a, b, out, add=True)
    np.testing.assert_allclose(out, 2 * (a @ b))


def test_rows_that_share_numbers_are_no_matrix_of_blas():
    windows = np.lib.stride_tricks.sliding_window_view(np.arange(6.0), 3)
    assert layout(windows) is None and layout(windows.T) is None
