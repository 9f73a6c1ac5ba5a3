"""The text model of the classic RNNLM toolkit, version 10 (Mikolov et al., 2010).

Its network has sigmoid units without biases, one input weight a word and unit, and
classes of words at the output.  A network of tanh units fits into it without loss,
because tanh(a) = 2 sigmoid(2a) - 1.  With s = (h + 1) / 2,

    s_t = sigmoid(U[w_t] + s_{t-1} R),  U = 2 (E Wx + b),  R = 4 Wh,
    logits = s_t O,                     O = 2 W,

where two more units stand for the rest: one that is 1 at every step, and one that is 1
before the first step only.  The weights from both to the others are -2 sum(Wh), so that
any value with which the toolkit starts all units means h_0 = 0.  The weights from the
first to the words are the biases less sum(W).  All words are in one class, whose
probability is 1.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import numpy as np

from rnnlm.errors import ArgumentError, shown
from rnnlm.exchange.exported import Exported
from rnnlm.exchange.holds import require
from rnnlm.files.finite import require_finite
from rnnlm.files.whole import whole_file
from rnnlm.formats.model_file import require_vocabulary
from rnnlm.text.vocabulary import EOS

if TYPE_CHECKING:

    from rnnlm.models import LanguageModel
    from rnnlm.text.vocabulary import Vocabulary

END = "</s>"  # what the toolkit calls the line end; it is its first word
LONGEST_WORD = 99  # bytes, of which the toolkit's reader has room for 100
LARGEST_COUNT = 2**31 - 1
OPEN = 50.0  # sigmoid(50) is 1, also in the toolkit, which clips there
SEPARATORS = frozenset(" \t\n\r\0")
HEAD = """version: 10
file format: 0

training data file: unknown
validation data file: unknown

last probability of validation data: 0.000000
number of finished iterations: 0
current position in training data: 0
current probability of training data: 0.000000
save after processing # words: 0
# of training words: {tokens}
input layer size: {inputs}
hidden layer size: {units}
compression layer size: 0
output layer size: {outputs}
direct connections: 0
direct order: 0
bptt: 0
bptt block: 10
vocabulary size: {words}
class size: 1
old classes: 1
independent sentences mode: 0
starting learning rate: 0.100000
current learning rate: 0.100000
learning rate decrease: 0


Vocabulary:
"""


def export(exported: Exported, path: str | os.PathLike[str]) -> None:
    """Write the text model, whole or not at all.

    Parameters
    ----------
    exported : the model and its vocabulary.
    path : of the file.

    Raises
    ------
    ArgumentError : the format cannot hold the model, or a word.
    DivergenceError : a weight is not finite.
    RnnlmError : the file cannot be written.
    """
    require("text", exported.model.architecture, exported.vocabulary)
    require_vocabulary(exported.model, exported.vocabulary)
    require_finite(exported.model.named_params())
    order = _order(exported.vocabulary)
    words = _words(exported.vocabulary, order)
    inputs, recurrent, outputs = sigmoid_weights(exported.model)
    counts = exported.vocabulary.counts
    counts = np.zeros(len(words), np.int64) if counts is None else np.minimum(counts, LARGEST_COUNT)
    V, units = inputs.shape
    head = HEAD.format(tokens=min(int(counts.sum()), LARGEST_COUNT), inputs=V + units, units=units, outputs=V + 1,
                       words=V)
    rows = zip(range(V), counts[order].tolist(), words, strict=True)
    with whole_file(path) as file:
        file.write(head.encode())
        file.writelines(f"{i:6d}\t{count:10d}\t{word}\t0\n".encode() for i, count, word in rows)
        file.write(b"\nHidden layer activation:\n" + _lines(np.ones(units)))
        file.write(b"\nWeights 0->1:\n")
        file.writelines(_lines(np.concatenate([inputs[order, unit], recurrent[:, unit]])) for unit in range(units))
        file.write(b"\n\nWeights 1->2:\n")
        file.writelines(_lines(outputs[:, word]) for word in order)
        file.write(_lines(np.zeros(units)))  # the one class
        file.write(b"\nDirect connections:\n")


def sigmoid_weights(model: LanguageModel) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The network of sigmoid units that computes what one layer of tanh units does.

    Returns
    -------
    inputs : (V, H + 2), float64 as all; a row for each word that is read.
    recurrent : (H + 2, H + 2).
    outputs : (H + 2, V), a column for each word that is predicted.
    """
    params = {name: param.astype(np.float64) for name, param in model.named_params().items()}
    Wh, (W, b) = params["rnn1/Wh"], _output(params)
    V, H = W.shape[1], len(Wh)
    inputs, recurrent, outputs = np.empty((V, H + 2)), np.zeros((H + 2, H + 2)), np.zeros((H + 2, V))
    inputs[:, :H] = 2 * (params["embedding/W"] @ params["rnn1/Wx"] + params["rnn1/b"])
    inputs[:, H:] = OPEN, -OPEN
    recurrent[:H, :H] = 4 * Wh
    recurrent[H:, :H] = -2 * Wh.sum(axis=0)
    outputs[:H] = 2 * W
    outputs[H] = b - W.sum(axis=0)
    return inputs, recurrent, outputs


def _output(params):
    """Weights (H, V) and biases (V,) that give the logits from h."""
    W = params["affine/W"] if "affine/W" in params else params["embedding/W"].T
    if "projection/W" not in params:
        return W, params["affine/b"]
    return params["projection/W"] @ W, params["projection/b"] @ W + params["affine/b"]


def _order(vocabulary: Vocabulary) -> list[int]:
    """The ids, that of <eos> first."""
    return [vocabulary.eos_id, *(i for i in range(len(vocabulary)) if i != vocabulary.eos_id)]


def _words(vocabulary: Vocabulary, order: list[int]) -> list[str]:
    """The words as the file has them; ArgumentError for one that it cannot have."""
    for word in vocabulary.words:
        if word == END:
            raise ArgumentError(f"the toolkit calls the line end {END}, and the vocabulary has a word {END} besides "
                                f"{EOS}: --to onnx can hold it")
        if not word or SEPARATORS & set(word) or len(word.encode()) > LONGEST_WORD:
            raise ArgumentError(f"the toolkit reads words of 1 to {LONGEST_WORD} bytes without blanks, and the "
                                f"vocabulary has {shown(repr(word), 60)}: --to onnx can hold it")
    return [END, *(vocabulary.words[i] for i in order[1:])]


def _lines(values: np.ndarray) -> bytes:
    """Numbers, one a line, with the digits of 32-bit numbers."""
    return "".join(f"{value:.9g}\n" for value in values.tolist()).encode()
