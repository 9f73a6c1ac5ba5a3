"""What a GPU's cuBLAS is asked for, by an sgemm that reads the same memory."""

import ctypes
import itertools
from types import SimpleNamespace

import numpy as np
import pytest

from rnnlm.compute.cuda import Cuda


class Pointed(np.ndarray):
    """An array whose memory is known by its address, as CuPy's is."""

    @property
    def data(self):
        return SimpleNamespace(ptr=self.ctypes.data)


class Blas:
    """cuBLAS as CuPy has it: pointers, and matrices by columns."""

    CUBLAS_DEFAULT_MATH, CUBLAS_TF32_TENSOR_OP_MATH = 0, 3

    def __init__(self):
        self.calls = []

    def setMathMode(self, handle, mode):
        self.calls.append((handle, mode))

    def sgemm(self, handle, transa, transb, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc):
        assert lda >= max(1, k if transa else m)
        assert ldb >= max(1, n if transb else k)
        assert ldc >= max(1, m)
        a, b = matrix(a, *((k, m) if transa else (m, k)), lda), matrix(b, *((n, k) if transb else (k, n)), ldb)
        out = matrix(c, m, n, ldc)
        product = (a.T if transa else a) @ (b.T if transb else b)
        out[...] = matrix(alpha, 1, 1, 1)[0, 0] * product + matrix(beta, 1, 1, 1)[0, 0] * out


def matrix(address, rows, columns, leading):
    """The matrix by columns at an address."""
    count = leading * (columns - 1) + rows
    memory = np.ctypeslib.as_array(ctypes.cast(address, ctypes.POINTER(ctypes.c_float)), (count,))
    return np.lib.stride_tricks.as_strided(memory, (rows, columns), (4, 4 * leading))


@pytest.fixture
def device():
    """A Cuda without a GPU."""
    device, blas = object.__new__(Cuda), Blas()
    device.tf32 = False
    device.xp = SimpleNamespace(
        cuda=SimpleNamespace(get_cublas_handle=lambda: 5, cublas=blas), empty=lambda *a: np.empty(*a).view(Pointed),
        ascontiguousarray=lambda x: np.ascontiguousarray(x).view(Pointed))
    return device


def forms(x):
    """The same matrix in memory by rows, by columns, in part of others, with gaps."""
    wide = np.full((len(x) + 1, x.shape[1] + 2), 7, x.dtype)
    wide[: len(x), 1:-1] = x
    gaps = np.full((2 * len(x), 2 * x.shape[1]), 7, x.dtype)
    gaps[::2, ::2] = x
    by_columns = np.asfortranarray(wide)
    return [array.view(Pointed) for array in (x.copy(), x.copy("F"), wide[: len(x), 1:-1],
                                              by_columns[: len(x), 1:-1], gaps[::2, ::2])]


@pytest.mark.parametrize("sizes", [(3, 4, 5), (1, 4, 2), (3, 1, 2), (3, 4, 1)])
def test_a_product_of_matrices_however_they_lie(device, sizes, rng):
    m, k, n = sizes
    a, b, before = (rng.normal(size=shape).astype(np.float32) for shape in ((m, k), (k, n), (m, n)))
    for left, right, add in itertools.product(forms(a), forms(b), (False, True)):
        for out in forms(before):
            device.multiply(left, right, out, add)
            np.testing.assert_allclose(out, a @ b + add * before, rtol=1e-5, atol=1e-6)


def test_tf32_is_used_when_asked_for_alone(device):
    a = np.ones((2, 2), np.float32).view(Pointed)
    device.multiply(a, a, a.copy())
    device.tf32 = True
    device.multiply(a, a, a.copy())
    assert device.xp.cuda.cublas.calls == [(5, Blas.CUBLAS_DEFAULT_MATH), (5, Blas.CUBLAS_TF32_TENSOR_OP_MATH)]
