"""Models: they build the arrays, wire the layers and own the state."""

from rnnlm.models.language_model import LanguageModel

__all__ = ["LanguageModel"]
