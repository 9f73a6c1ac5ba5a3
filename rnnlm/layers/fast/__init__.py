"""The layers that the model runs on: what the plain layers compute, arranged for speed.

Each has a plain layer of the same idea in ``rnnlm.layers``, which is the one to read
first; tests compare the two.  What is different here: work buffers are allocated once,
memory is time-major (``(T, N, H)`` under the ``(N, T, H)`` of the interface), and large
work is divided among threads.
"""

from rnnlm.layers.fast.adaptive import FastAdaptiveOutput
from rnnlm.layers.fast.adaptive_embedding import FastAdaptiveEmbedding
from rnnlm.layers.fast.affine import FastAffine
from rnnlm.layers.fast.embedding import FastEmbedding
from rnnlm.layers.fast.gru import FastGRU
from rnnlm.layers.fast.lstm import FastLSTM
from rnnlm.layers.fast.mrnn import FastMRNN
from rnnlm.layers.fast.output import FastOutput
from rnnlm.layers.fast.rnn import FastRNN
from rnnlm.layers.fast.textbook_gru import FastTextbookGRU

__all__ = ["FastAdaptiveEmbedding", "FastAdaptiveOutput", "FastAffine", "FastEmbedding", "FastGRU", "FastLSTM",
           "FastMRNN", "FastOutput", "FastRNN", "FastTextbookGRU"]
