"""Models: they build the arrays, wire the layers and own the state."""

from rnnlm.models.language_model import MOST_LAYERS, LanguageModel

__all__ = ["MOST_LAYERS", "LanguageModel"]
