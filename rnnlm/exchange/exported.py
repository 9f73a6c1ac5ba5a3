"""What an export is made from."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

    from rnnlm.models import LanguageModel
    from rnnlm.text.vocabulary import Vocabulary


@dataclass(frozen=True)
class Exported:
    """A model as the targets get it.

    Parameters
    ----------
    model : the LanguageModel.
    vocabulary : the Vocabulary whose ids it reads.
    sha256 : the SHA-256 (hex) of the model file, for a target's metadata; "" where
        there is no file.
    training : what the model file remembers of its run: see ``save_model``.
    """

    model: LanguageModel
    vocabulary: Vocabulary
    sha256: str = ""
    training: dict[str, Any] = field(default_factory=dict)
