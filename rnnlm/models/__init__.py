"""Language models: cells, architecture, memory, first values, layers, the model."""

from rnnlm.models.architecture import MOST_LAYERS, RNN_ACTIVATIONS, SOFTMAXES, Architecture
from rnnlm.models.cells import CELLS, UNGATED
from rnnlm.models.language_model import LanguageModel
from rnnlm.models.regularisation import Regularisation
from rnnlm.models.start import Start

__all__ = ["CELLS", "MOST_LAYERS", "RNN_ACTIVATIONS", "SOFTMAXES", "UNGATED", "Architecture", "LanguageModel",
           "Regularisation", "Start"]
