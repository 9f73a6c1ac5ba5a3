"""ONNX: graphs of standard operators, written from the arrays of a model.

    library    imports onnx, when it is used
    graph      a graph, operator by operator
    recurrent  the cells as operators, with their weights in ONNX's order
    output     ln p of every word
    numbering  the ids of the words, ours or another program's
    forms      the two graphs: whole texts, and step by step with the state in and out
    writing    the file, with the vocabulary and all else inside
"""

from rnnlm.exchange.onnx.numbering import read_tokens
from rnnlm.exchange.onnx.writing import export

__all__ = ["export", "read_tokens"]
