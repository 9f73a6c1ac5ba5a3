"""Language models: they make the arrays, wire the layers and own the state."""

from rnnlm.models.architecture import CELLS, MOST_LAYERS, RNN_ACTIVATIONS, UNGATED
from rnnlm.models.language_model import LanguageModel
from rnnlm.models.regularisation import Regularisation
from rnnlm.models.start import Start

__all__ = ["CELLS", "MOST_LAYERS", "RNN_ACTIVATIONS", "UNGATED", "LanguageModel", "Regularisation", "Start"]
