"""The layers of the network: one idea a file.

They see arrays only: no words, no files.
"""

from rnnlm.layers.adaptive import TimeAdaptiveOutput
from rnnlm.layers.adaptive_embedding import TimeAdaptiveEmbedding
from rnnlm.layers.affine import TimeAffine
from rnnlm.layers.base import Layer
from rnnlm.layers.dropout import TimeDropout, TimeWordDropout
from rnnlm.layers.embedding import TimeEmbedding
from rnnlm.layers.gru import GRU, TimeGRU
from rnnlm.layers.lstm import LSTM, TimeLSTM
from rnnlm.layers.mrnn import MRNN, TimeMRNN
from rnnlm.layers.output import TimeOutput
from rnnlm.layers.penalties import TimeActivationPenalty, TimeSlownessPenalty
from rnnlm.layers.recurrent import TimeRecurrent
from rnnlm.layers.rnn import RNN, TimeRNN
from rnnlm.layers.softmax import TimeSoftmaxWithLoss
from rnnlm.layers.textbook_gru import TextbookGRU, TimeTextbookGRU
from rnnlm.layers.weight_drop import WeightDrop

__all__ = ["GRU", "LSTM", "MRNN", "RNN", "Layer", "TextbookGRU", "TimeActivationPenalty",
           "TimeAdaptiveEmbedding", "TimeAdaptiveOutput", "TimeAffine", "TimeDropout", "TimeEmbedding",
           "TimeGRU", "TimeLSTM", "TimeMRNN", "TimeOutput", "TimeRNN", "TimeRecurrent", "TimeSlownessPenalty",
           "TimeSoftmaxWithLoss", "TimeTextbookGRU", "TimeWordDropout", "WeightDrop"]
