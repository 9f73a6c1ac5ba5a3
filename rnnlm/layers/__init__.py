"""The layers of the network: one idea a file. They see arrays only: no words, no files."""

from rnnlm.layers.affine import TimeAffine
from rnnlm.layers.base import Layer
from rnnlm.layers.dropout import TimeDropout
from rnnlm.layers.embedding import TimeEmbedding
from rnnlm.layers.output import TimeOutput
from rnnlm.layers.rnn import RNN, TimeRNN
from rnnlm.layers.softmax import TimeSoftmaxWithLoss

__all__ = ["RNN", "Layer", "TimeAffine", "TimeDropout", "TimeEmbedding", "TimeOutput", "TimeRNN", "TimeSoftmaxWithLoss"]
