"""The graphs: a model that scores whole texts, and one that reads step by step.

Both have the inputs and results of the language models that sherpa-onnx reads, so their
names and their order must not change.  An id outside the vocabulary is an error: ONNX's
Gather would count -1 from the end, so ids below 0 become V, which no table has.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rnnlm.exchange.onnx.graph import Graph
from rnnlm.exchange.onnx.output import log_probs, word_vectors
from rnnlm.exchange.onnx.recurrent import recurrent_layer

if TYPE_CHECKING:
    from typing import Any

    from rnnlm.exchange.onnx.numbering import Numbering
    from rnnlm.models.architecture import Architecture

    Arrays = dict[str, np.ndarray]


class Network:
    """A model's layers, to be added to a graph.

    Parameters
    ----------
    graph : the Graph.
    architecture : of the model.
    arrays : its arrays by name, float32.
    numbering : of the words.
    """

    def __init__(self, graph: Graph, architecture: Architecture, arrays: Arrays, numbering: Numbering) -> None:
        self.graph, self.architecture, self.arrays, self.numbering = graph, architecture, arrays, numbering

    def vectors(self, ids: str) -> str:
        """The word vectors of ids (N, L), by step: (L, N, D)."""
        table = self.graph.constant("embedding/W", word_vectors(self.architecture, self.arrays))
        return self.graph.add("Transpose", self.graph.add("Gather", table, ids), perm=[1, 0, 2])

    def states(self, ids: str, states: list[tuple[str, ...]]) -> tuple[str, list[tuple[str, ...]]]:
        """The last layer's states (N, L, H), and the state of each layer at the end."""
        xs, after = self.vectors(ids), []
        for number, state in enumerate(states, 1):
            name = self.architecture.layer_name(number)
            own = {key.split("/")[1]: array for key, array in self.arrays.items() if key.startswith(f"{name}/")}
            xs, state = recurrent_layer(self.graph, self.architecture, name, own, xs, state)
            after.append(state)
        return self.graph.add("Transpose", xs, perm=[1, 0, 2]), after

    def log_probs(self, hs: str) -> str:
        """ln p of every word after each state: (N, L, H) -> (N, L, V)."""
        return log_probs(self.graph, self.architecture, self.arrays, hs)

    def known(self, ids: str) -> str:
        """Our ids; those below 0 become V, so that looking them up is an error.

        So is a batch of no row, in which recurrent operators end the process: the zero
        is looked up among the rows' numbers.
        """
        graph = self.graph
        count = graph.add("Squeeze", graph.size(ids, 0), graph.numbers(0))
        zero = graph.add("Gather", graph.add("Range", graph.number(0), count, graph.number(1)), graph.numbers(0))
        ids = graph.add("Where", graph.add("Less", ids, zero), graph.number(len(self.numbering.words)), ids)
        return graph.add("Gather", self._own_ids(), ids) if self.numbering.translates else ids

    def renumbered(self, log_probs: str) -> str:
        """ln p of every word (N, L, V) in the order of the graph's ids.

        A token that is no word of the model has the probability 0.
        """
        if not self.numbering.translates:
            return log_probs
        graph = self.graph
        never = graph.constant("never", np.float32(-np.inf))
        log_probs = graph.add("Pad", log_probs, graph.numbers(0, 0, 0, 0, 0, 1), never)
        return graph.add("Gather", log_probs, self._own_ids(), axis=2)

    def _own_ids(self):
        return self.graph.constant("own ids", self.numbering.own)

    def chosen(self, log_probs: str, ids: str) -> str:
        """ln p of these ids: (N, L, V) and (N, L) -> (N, L)."""
        last = self.graph.numbers(2)
        return self.graph.add("Squeeze", self.graph.add("GatherElements", log_probs,
                                                        self.graph.add("Unsqueeze", ids, last), axis=2), last)

    @property
    def state_names(self) -> tuple[str, ...]:
        """What a layer carries: h, or h and c."""
        return self.architecture.row.plain.state_names


def offline(library: Any, architecture: Architecture, arrays: Arrays, numbering: Numbering) -> Graph:
    """Whole texts: x (N, L) and x_lens (N,) -> nll (N,), -ln p of each row and its end.

    <eos> stands before and after each row.  What lies in x after a row's length is not
    read.  A length below 0 or above L is an error.
    """
    graph = Graph(library)
    network = Network(graph, architecture, arrays, numbering)
    x = graph.takes("x", np.int64, ["N", "L"], "ids of words, without <eos> before or after them")
    x_lens = graph.takes("x_lens", np.int64, ["N"], "how many ids of each row count")
    eos = graph.constant("eos", np.full((1, 1), numbering.eos_id, np.int64))
    steps, ends = _steps_and_ends(graph, x, x_lens)
    column = graph.add("Expand", eos, graph.add("Concat", graph.size(x, 0), graph.numbers(1), axis=0))
    words = graph.add("Where", graph.add("Less", steps, ends), graph.add("Concat", x, column, axis=1), eos)
    both = network.known(graph.add("Concat", column, words, axis=1))  # (N, L + 2): <eos>, the words, <eos>
    before = graph.add("Slice", both, graph.numbers(0), graph.numbers(-1), graph.numbers(1))
    targets = graph.add("Slice", both, graph.numbers(1), graph.numbers(2**31), graph.numbers(1))
    hs, _ = network.states(before, [("",) * len(network.state_names)] * architecture.layers)
    found = network.chosen(network.log_probs(hs), targets)
    _give_nll(graph, graph.add("Greater", steps, ends), found)
    return graph


def _steps_and_ends(graph, x, x_lens):
    """The steps (L + 1,) from 0, and the rows' lengths (N, 1), checked by a look-up."""
    sizes = graph.add("Add", graph.size(x, 1), graph.number(1))
    count = graph.add("Squeeze", sizes, graph.numbers(0))
    steps = graph.add("Range", graph.number(0), count, graph.number(1))
    below = graph.add("Less", x_lens, graph.number(0))
    lengths = graph.add("Gather", steps, graph.add("Where", below, count, x_lens))
    shape = graph.add("Concat", graph.size(x, 0), graph.numbers(1), axis=0)
    return steps, graph.add("Reshape", lengths, shape, allowzero=1)  # an error unless there is one for each row


def _give_nll(graph, left_out, found):
    """The result nll (N,): minus the sum of ln p (N, L) over the steps that count."""
    counted = graph.add("Where", left_out, graph.constant("zero", np.zeros(1, np.float32)), found)
    graph.add("Neg", graph.add("ReduceSum", counted, graph.numbers(1), keepdims=0), results=("nll",))
    graph.gives("nll", np.float32, ["N"], "-ln p of each row")


def streaming(library: Any, architecture: Architecture, arrays: Arrays, numbering: Numbering,
              shallow_fusion: bool = True) -> Graph:
    """Step by step: x (N, L), h0, c0 -> log_softmax or nll, next_h0, next_c0.

    log_softmax (N, L, V) is ln p of every word after each word of x.  nll (N,) is
    -ln p of the words of x: h0 predicts the first of them.  The states are (layers, N,
    H).  A cell without c hands c0 on.

    Without words (L = 0) the states stay.  Recurrent operators of no step give zeros or
    end the process, as the version of onnxruntime has it: they get one step, which is
    thrown away.
    """
    graph = Graph(library)
    network = Network(graph, architecture, arrays, numbering)
    shape = [architecture.layers, "N", architecture.hidden_size]
    x = graph.takes("x", np.int64, ["N", "L"], "ids of words; a text begins with <eos>")
    h0 = graph.takes("h0", np.float32, shape, "the layers' states before x; zeros at the start")
    c0 = graph.takes("c0", np.float32, shape, "the cells of an LSTM; else handed on")
    ids, before = network.known(x), [h0, c0][: len(network.state_names)]
    states = [tuple(graph.add("Gather", state, graph.numbers(number), axis=0) for state in before)
              for number in range(architecture.layers)]
    length, none = graph.size(x, 1), graph.add("Equal", graph.size(x, 1), graph.number(0))
    spare = graph.add("Concat", graph.size(x, 0), graph.add("Cast", none, to=library.TensorProto.INT64), axis=0)
    ids = graph.add("Concat", ids, graph.add("ConstantOfShape", spare, value=_nought(library)), axis=1)
    hs, after = network.states(ids, states)
    if shallow_fusion:
        hs = graph.add("Slice", hs, graph.numbers(0), length, graph.numbers(1))
        graph.add("Identity", network.renumbered(network.log_probs(hs)), results=("log_softmax",))
        graph.gives("log_softmax", np.float32, ["N", "L", len(numbering.words)], "ln p of every word after each")
    else:
        first = graph.add("Transpose", states[-1][0], perm=[1, 0, 2])
        earlier = graph.add("Slice", graph.add("Concat", first, hs, axis=1), graph.numbers(0), graph.numbers(-1),
                            graph.numbers(1))
        _give_nll(graph, none, network.chosen(network.log_probs(earlier), ids))
    _give_states(graph, none, [h0, c0], list(zip(*after, strict=True)), shape)
    return graph


def _nought(library):
    """The word in place of none, as an attribute."""
    return library.helper.make_tensor("id", library.TensorProto.INT64, [1], [0])


def _give_states(graph, none, before, after, shape):
    """The results next_h0 and next_c0; where there is no word (none), h0 and c0."""
    for i, state in enumerate(before):
        name = f"next_{state}"
        if i < len(after):
            graph.add("Where", none, state, graph.add("Concat", *after[i], axis=0), results=(name,))
        else:
            graph.add("Identity", state, results=(name,))
        graph.gives(name, np.float32, shape, f"{state} of the next call")
