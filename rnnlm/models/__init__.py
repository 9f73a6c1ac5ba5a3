"""Models: they build the arrays, wire the layers and own the state.

The classifier is loaded when it is first used: the commands do without it.
"""

from rnnlm.models.architecture import CELLS, MOST_LAYERS, RNN_ACTIVATIONS, UNGATED
from rnnlm.models.language_model import LanguageModel
from rnnlm.models.regularisation import Regularisation
from rnnlm.models.start import Start

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rnnlm.models.classifier import ScratchSimpleRNNClassifier

__all__ = ["CELLS", "MOST_LAYERS", "RNN_ACTIVATIONS", "UNGATED", "LanguageModel", "Regularisation",
           "ScratchSimpleRNNClassifier", "Start"]


def __getattr__(name):
    if name == "ScratchSimpleRNNClassifier":
        from rnnlm.models.classifier import ScratchSimpleRNNClassifier

        return globals().setdefault(name, ScratchSimpleRNNClassifier)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
