"""What each target can hold: one table, a row for each part of a model.

``require`` refuses what a target cannot hold, before anything is written.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rnnlm.errors import ArgumentError, listed
from rnnlm.exchange.targets import TARGETS
from rnnlm.text.split_words import SplitWords
from rnnlm.text.subwords.byte_level import Subwords
from rnnlm.text.subwords.sentencepieces import SentencePieces
from rnnlm.text.tokenizer import Characters, Words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rnnlm.models.architecture import Architecture
    from rnnlm.text.tokenizer import Tokenizer
    from rnnlm.text.vocabulary import Vocabulary


@dataclass(frozen=True)
class Part:
    """A row of PARTS.

    Parameters
    ----------
    title : what messages call it, after "a model with".
    held_by : the targets that can hold it, names of TARGETS with blanks between them.
    """

    title: str
    held_by: str

    def is_held_by(self, target: str) -> bool:
        """Whether a target can hold it."""
        return target in self.held_by.split()


ALL = " ".join(TARGETS)
NETWORKS = "torch onnx onnx-streaming hf"
GRAPHS = "onnx onnx-streaming"
PARTS = {
    "tanh": Part("tanh units", ALL),
    "relu": Part("ReLU units", NETWORKS),
    "mrnn": Part("multiplicative units (mrnn)", f"{GRAPHS} hf"),
    "lstm": Part("LSTM units", NETWORKS),
    "gru": Part("GRU units", NETWORKS),
    "gru-textbook": Part("textbook GRU units", f"{GRAPHS} hf"),
    "one layer": Part("one recurrent layer", ALL),
    "layers": Part("several recurrent layers", NETWORKS),
    "tied": Part("tied word vectors", ALL),
    "projection": Part("a projection", ALL),
    "adaptive": Part("an adaptive softmax", GRAPHS),
    "words": Part("words", ALL),
    "lower-case words": Part("words in lower case", NETWORKS),
    "split words": Part("words and punctuation apart", GRAPHS),
    "characters": Part("characters", NETWORKS),
    "subwords": Part("subwords", f"{GRAPHS} hf"),
    "sentencepieces": Part("the subwords of a sentencepiece model", GRAPHS),
}
_BY_TOKENIZER = {Words: "words", SplitWords: "split words", Characters: "characters", Subwords: "subwords",
                 SentencePieces: "sentencepieces"}


def parts_of(architecture: Architecture, tokenizer: Tokenizer) -> Iterator[str]:
    """Yield the names in PARTS of all that a model has."""
    yield architecture.activation if architecture.cell == "rnn" else architecture.cell
    yield "layers" if architecture.layers > 1 else "one layer"
    yield from (name for name in ("tied", "projection") if architecture[name])
    if architecture.cutoffs:
        yield "adaptive"
    kind = _BY_TOKENIZER.get(type(tokenizer), tokenizer.unit)
    yield "lower-case words" if kind == "words" and tokenizer.lowercase else kind


def not_held(target: str, architecture: Architecture, tokenizer: Tokenizer) -> list[str]:
    """What of a model a target cannot hold, as messages call it."""
    parts = [PARTS.get(name, Part(name, "")) for name in parts_of(architecture, tokenizer)]
    return [part.title for part in parts if not part.is_held_by(target)]


def require(target: str, architecture: Architecture, vocabulary: Vocabulary) -> None:
    """ArgumentError, which names the nearest target that can, unless this one can.

    target : a name of TARGETS.
    """
    lacking = not_held(target, architecture, vocabulary.tokenizer)
    if not lacking:
        return
    others = [name for name in TARGETS[target].nearest if not not_held(name, architecture, vocabulary.tokenizer)]
    remedy = f"--to {others[0]} can" if others else "no other target can either, so keep the model file"
    raise ArgumentError(f"--to {target} cannot hold a model with {listed(lacking)}: {remedy}")
