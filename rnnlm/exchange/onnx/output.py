"""The output layer as ONNX operators: from the states to ln p of every word."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from rnnlm.exchange.onnx.graph import Graph
    from rnnlm.models.architecture import Architecture

    Arrays = dict[str, np.ndarray]


def word_vectors(architecture: Architecture, arrays: Arrays) -> np.ndarray:  # -> (V, D)
    """The vector of each word, also of those that share the weights of clusters."""
    W = arrays["embedding/W"]
    if not (architecture.tied and architecture.cutoffs):
        return W
    tails = range(1, len(architecture.cutoffs) + 1)
    return np.concatenate([W[: architecture.cutoffs[0]],
                           *(arrays[f"tail{i}/W"].T @ arrays[f"tail{i}/P"].T for i in tails)])


def log_probs(graph: Graph, architecture: Architecture, arrays: Arrays, hs: str) -> str:
    """Add the output layer: hs (N, L, H), the result (N, L, V)."""
    rows = graph.add("Flatten", hs, axis=2)
    if architecture.projection:
        rows = graph.add("Gemm", rows, *(graph.constant(name, arrays[name]) for name in ("projection/W",
                                                                                        "projection/b")))
    if architecture.tied:
        # with clusters, the first rows of embedding/W are in the look-up's table, too
        W = graph.constant("embedding/W" if not architecture.cutoffs else "head/W", arrays["embedding/W"])
    else:
        W = graph.constant("affine/W", arrays["affine/W"].T)  # (V, D) lies as it does in memory
    scores = graph.add("Gemm", rows, W, graph.constant("affine/b", arrays["affine/b"]), transB=1)
    found = graph.add("LogSoftmax", scores, axis=-1)
    if architecture.cutoffs:
        found = _with_clusters(graph, architecture, arrays, rows, found)
    shape = graph.add("Concat", graph.size(hs, 0), graph.size(hs, 1), graph.numbers(architecture.vocab_size), axis=0)
    return graph.add("Reshape", found, shape, allowzero=1)


def _with_clusters(graph, architecture, arrays, rows, head):
    """ln p of every word; in a cluster it is ln p(cluster) + ln p(word | cluster)."""
    clusters = len(architecture.cutoffs)
    sizes = graph.numbers(architecture.cutoffs[0], *[1] * clusters)
    frequent, *of_clusters = graph.add("Split", head, sizes, results=1 + clusters, axis=1)
    parts = [frequent]
    for i, cluster in enumerate(of_clusters, 1):
        scores = rows
        for name in (f"tail{i}/P", f"tail{i}/W"):
            scores = graph.add("MatMul", scores, graph.constant(name, arrays[name]))
        parts.append(graph.add("Add", cluster, graph.add("LogSoftmax", scores, axis=-1)))
    return graph.add("Concat", *parts, axis=1)
