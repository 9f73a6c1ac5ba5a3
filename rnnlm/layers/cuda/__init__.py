"""The layers for a GPU: the same results, from arrays and kernels of a device."""

from rnnlm.layers.cuda.lstm import CudaLSTM
from rnnlm.layers.cuda.rnn import CudaRNN

__all__ = ["CudaLSTM", "CudaRNN"]
