"""The plain layers of adaptive softmax: gradients, known answers, probabilities."""

import numpy as np
import pytest
from gradient_check import check_gradient

from rnnlm.layers import TimeAdaptiveEmbedding, TimeAdaptiveOutput
from rnnlm.layers.adaptive import tail_shapes

D, V, CUTOFFS = 6, 11, (4, 7)
TARGETS = {"of every kind": [[0, 3, 4], [6, 7, 10]], "in the head": [[0, 1, 2]], "in a cluster": [[4, 5, 6], [4, 4, 4]],
           "in the last cluster": [[10]], "one": [[2]], "some ignored": [[-1, 5, 8], [0, -1, -1]],
           "all ignored": [[-1, -1]]}


def arrays(rng, dtype=np.float64, D=D, V=V, cutoffs=CUTOFFS):
    """Random arrays of the output layer, in the order of its parameters."""
    size = cutoffs[0] + len(cutoffs)
    shapes = [(D, size), (size,), *(shape for tail in tail_shapes(D, cutoffs, V) for shape in tail.values())]
    return [rng.normal(size=shape).astype(dtype) for shape in shapes]


@pytest.mark.parametrize("ts", TARGETS.values(), ids=TARGETS)
def test_gradients_of_the_output_against_differences(ts, rng):
    layer, ts = TimeAdaptiveOutput(*arrays(rng)), np.array(ts)
    xs = rng.normal(size=(*ts.shape, D))
    layer.forward(xs, ts)
    dxs = layer.backward()
    check_gradient(lambda: layer.forward(xs, ts), [*layer.params, xs], [*layer.grads, dxs], rng)


@pytest.mark.parametrize("ids", TARGETS.values(), ids=TARGETS)
def test_gradients_of_the_embedding_against_differences(ids, rng):
    W, _, *tails = arrays(rng)
    layer, ids = TimeAdaptiveEmbedding(W.T[: CUTOFFS[0]], *(array.T for array in tails)), np.abs(ids)
    weights = rng.normal(size=(*ids.shape, D))
    layer.forward(ids)
    layer.backward(weights)
    check_gradient(lambda: (weights * layer.forward(ids)).sum(), layer.params, layer.grads, rng)
