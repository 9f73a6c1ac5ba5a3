"""The layers for a GPU: few kernels, no copies, no waiting.

Each computes what the plain layer of its name does, on arrays of a ``device``.  On the
host the kernels are their twins in NumPy, so that every layer runs and is tested there.
"""

from rnnlm.layers.cuda.adaptive import CudaAdaptiveEmbedding, CudaAdaptiveOutput
from rnnlm.layers.cuda.affine import CudaAffine
from rnnlm.layers.cuda.dropout import CudaDropout, CudaWeightDrop, CudaWordDropout
from rnnlm.layers.cuda.embedding import CudaEmbedding
from rnnlm.layers.cuda.lstm import CudaLSTM
from rnnlm.layers.cuda.output import CudaOutput
from rnnlm.layers.cuda.rnn import CudaRNN

__all__ = ["CudaAdaptiveEmbedding", "CudaAdaptiveOutput", "CudaAffine", "CudaDropout", "CudaEmbedding", "CudaLSTM",
           "CudaOutput", "CudaRNN", "CudaWeightDrop", "CudaWordDropout"]
