"""Models: they build the arrays, wire the layers and own the state."""

from rnnlm.models.classifier import ScratchSimpleRNNClassifier
from rnnlm.models.language_model import ACTIVATIONS, CELLS, MOST_LAYERS, LanguageModel
from rnnlm.models.regularisation import Regularisation
from rnnlm.models.start import Start

__all__ = ["ACTIVATIONS", "CELLS", "MOST_LAYERS", "LanguageModel", "Regularisation", "ScratchSimpleRNNClassifier",
           "Start"]
