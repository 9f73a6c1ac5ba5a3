"""The recurrent cells that a model can have: a row of a table for each."""

from dataclasses import dataclass, field

from rnnlm.layers.cuda.lstm import CudaLSTM
from rnnlm.layers.cuda.rnn import CudaRNN
from rnnlm.layers.fast.gru import FastGRU
from rnnlm.layers.fast.lstm import FastLSTM
from rnnlm.layers.fast.mrnn import FastMRNN
from rnnlm.layers.fast.rnn import FastRNN
from rnnlm.layers.fast.textbook_gru import FastTextbookGRU
from rnnlm.layers.gru import TimeGRU
from rnnlm.layers.lstm import TimeLSTM
from rnnlm.layers.mrnn import TimeMRNN
from rnnlm.layers.rnn import TimeRNN
from rnnlm.layers.textbook_gru import TimeTextbookGRU


@dataclass(frozen=True)
class Cell:
    """A row of CELLS: what there is to know of a recurrent layer.

    Only its arrays are not here: ``plain.param_shapes(D, H)`` names them.

    Parameters
    ----------
    plain : type
        The layer to read.
    fast : type or None
        The layer to run; None where there is no faster one than the plain.
    title : str
        What messages call it.
    prefix : str
        What the names of its arrays begin with, as in ``gru1/Wx``.
    gated : bool
        Whether gates keep its state.  A cell without them takes an ``activation``, can
        start with many time scales, and its Wh has a diagonal that weight decay leaves
        alone.
    help : str
        What ``--help`` says of it after its name.
    cuda : type or None
        The layer for a GPU; None: the plain one, on arrays there.
    biases : dict
        Where its biases start: for each name a number for each block of H.  Other
        biases start at zero.
    """

    plain: type
    fast: type | None
    title: str
    prefix: str
    gated: bool
    help: str = ""
    cuda: type | None = None
    biases: dict = field(default_factory=dict)

    def layer(self, kind):
        """The class of a kind, "plain", "fast" or "cuda"; plain where there is none."""
        return getattr(self, kind) or self.plain


CELLS = {
    "rnn": Cell(TimeRNN, FastRNN, "RNN", "rnn", gated=False, cuda=CudaRNN),
    "mrnn": Cell(TimeMRNN, FastMRNN, "multiplicative RNN", "mrnn", gated=False,
                 help="a multiplicative RNN, in which each input rescales what the previous state contributes"),
    # f, g, i, o: an open forget gate (Gers et al., 2000; Jozefowicz et al., 2015).
    "lstm": Cell(TimeLSTM, FastLSTM, "LSTM", "lstm", gated=True, cuda=CudaLSTM, biases={"b": (1, 0, 0, 0)}),
    "gru": Cell(TimeGRU, FastGRU, "GRU", "gru", gated=True),
    "gru-textbook": Cell(TimeTextbookGRU, FastTextbookGRU, "textbook GRU", "gru", gated=True,
                         help="a GRU that resets its state before the matrix product, not after it as PyTorch, Keras "
                              "and gru do"),
}
UNGATED = tuple(name for name, cell in CELLS.items() if not cell.gated)
