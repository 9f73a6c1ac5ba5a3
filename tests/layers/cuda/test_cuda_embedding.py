"""Embedding and affine layer of a device, checked against the plain ones."""

import numpy as np
import pytest
from emulator import Emulator, needs_compiler
from held_to_plain import agree, agree_all, on_devices, put

from rnnlm.compute.device import HOST
from rnnlm.errors import IdError
from rnnlm.layers import TimeAffine, TimeEmbedding
from rnnlm.layers.cuda import CudaAffine, CudaEmbedding
from rnnlm.layers.cuda.embedding import SUMS_BY_ID

SIZES = [(1, 1, 3, 2), (1, 6, 2, 3), (4, 1, 3, 5), (3, 5, 4, 2), (7, 4, 130, 37)]


@on_devices
@pytest.mark.parametrize("ids", [np.int32, np.int64])
def test_embedding(device, dtype, ids, rng):
    W = rng.normal(size=(9, 140)).astype(dtype)
    plain, layer = TimeEmbedding(W), CudaEmbedding(*put(device, W), device)
    for N, T in ((3, 5), (1, 1), (4, 7)):
        xs, dxs = rng.integers(0, 9, (N, T)).astype(ids), rng.normal(size=(N, T, 140)).astype(dtype)
        assert device.get(layer.forward(xs)).tobytes() == plain.forward(xs).tobytes()
        plain.backward(dxs)
        (own,) = put(device, dxs)
        for _ in range(2):
            layer.backward(own)
            agree(device, layer.grads[0], plain.grads[0], dtype)


@on_devices
def test_tied_weights_add_to_the_gradient(device, dtype, rng):
    W, filled = rng.normal(size=(2, 9, 4)).astype(dtype)
    xs, dxs = rng.integers(0, 9, (3, 5)), rng.normal(size=(3, 5, 4)).astype(dtype)
    plain, (dW,) = TimeEmbedding(W), put(device, filled)
    layer = CudaEmbedding(*put(device, W), device, grads=[dW], adds=True)
    plain.forward(xs)
    plain.backward(dxs)
    layer.forward(xs)
    layer.backward(*put(device, dxs))
    agree(device, dW, filled + plain.grads[0], dtype)


@needs_compiler
@pytest.mark.slow
@pytest.mark.parametrize("adds", [0, 1])
def test_more_ids_than_a_block_looks_through_at_a_time(adds, rng):
    M, D, device = 9000, 3, Emulator()
    rows, ids = rng.normal(size=(M, D)).astype(np.float32), rng.integers(0, 5, M).astype(np.int32)
    sums = [np.ones((6, D), np.float32) for _ in range(2)]
    for on, out in zip((device, HOST), sums, strict=True):
        on.launch(SUMS_BY_ID, 6, 128, (rows, ids, out, M, D, adds))
    np.testing.assert_allclose(*sums, atol=1e-3)
    assert (sums[0][5] == adds).all()


def test_ids_must_be_those_of_rows():
    layer = CudaEmbedding(np.zeros((3, 2), np.float32), HOST)
    for wrong in (-1, 3):
        with pytest.raises(IdError, match="ids must be from 0 to 2"):
            layer.forward(np.array([[wrong]]))


@on_devices
@pytest.mark.parametrize(("N", "T", "D", "H"), SIZES)
def test_affine(device, dtype, N, T, D, H, rng):
    W, b = rng.normal(size=(D, H)).astype(dtype), rng.normal(size=H).astype(dtype)
    plain, layer = TimeAffine(W, b), CudaAffine(*put(device, W, b), device)
    for _ in range(2):
        xs, dout = rng.normal(size=(N, T, D)).astype(dtype), rng.normal(size=(N, T, H)).astype(dtype)
        agree(device, layer.forward(*put(device, xs)), plain.forward(xs), dtype)
        for _ in range(2):
            agree(device, layer.backward(*put(device, dout)), plain.backward(dout), dtype)
            agree_all(device, layer.grads, plain.grads, dtype)
