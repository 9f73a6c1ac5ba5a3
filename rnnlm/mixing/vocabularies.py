"""Models of different vocabularies: what differs, and whether they can be mixed.

Networks must have the same words; another order of them does no harm.  An n-gram model
may have other words, as rnnlm/mixing/mapped.py shares out their probabilities.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rnnlm.errors import ArgumentError, counted, shown
from rnnlm.mixing.mapped import Mapped
from rnnlm.ngrams.ngram_model import NgramModel
from rnnlm.text.vocabulary import EOS, UNK

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from rnnlm.text.vocabulary import Vocabulary

MOST_NAMED = 3  # words that a message names


def on_vocabulary(model: Any, own: Vocabulary, vocabulary: Vocabulary, name: str,
                  of: str = "the first model") -> tuple[Any, str]:
    """A model as a predictor of the ids of another vocabulary.

    Parameters
    ----------
    model : a predictor.
    own : its Vocabulary.
    vocabulary : the one that it is to have.
    name, of : what messages call the model, and the one whose vocabulary that is.

    Returns
    -------
    predictor : the model itself where the two are the same.
    note : what became of the words that only one of them has; "" if there are none.

    Raises
    ------
    ArgumentError : a network has other words, or texts are split in another way; or an
        n-gram model has no word of the vocabulary.
    """
    if own.fingerprint() == vocabulary.fingerprint():
        return model, ""
    only_own = [word for word in own.words if word not in vocabulary.ids]
    only_other = [word for word in vocabulary.words if word not in own.ids]
    if isinstance(model, NgramModel):
        if len(only_own) == len(own.words) - len({EOS, UNK} & own.ids.keys() & vocabulary.ids.keys()):
            raise ArgumentError(f"{name} has no word of the vocabulary of {of}: give an n-gram model of the same "
                                f"{vocabulary.tokenizer.unit}s")
        return Mapped(model, own, vocabulary), _shared_out(name, own, vocabulary, only_own, only_other, of)
    if own.tokenizer.fingerprint() != vocabulary.tokenizer.fingerprint():
        raise ArgumentError(f"networks must split texts in the same way to be mixed: {of} reads "
                            f"{vocabulary.tokenizer.unit}s, {name} reads "
                            f"{_other_units(own.tokenizer, vocabulary.tokenizer)}")
    if only_own or only_other:
        raise ArgumentError(f"networks must have the same words to be mixed: {of} has {_named(only_other)} that "
                            f"{name} lacks, and lacks {_named(only_own)}; train both with one vocabulary")
    return Mapped(model, own, vocabulary), ""


def _other_units(own, other):
    return f"{own.unit}s" if own.unit != other.unit else f"{own.unit}s of another tokenizer"


def _named(words: Iterable[str]) -> str:
    """How many words, and the first of them."""
    if not words:
        return "no word"
    first = ", ".join(shown(word, 40) for word in words[:MOST_NAMED])
    return f"{counted(len(words), 'word')} ({first}{', ...' if len(words) > MOST_NAMED else ''})"


def _shared_out(name, own, vocabulary, only_own, only_other, of):
    """The note on an n-gram model with other words; "" where only the order differs."""
    has_unk, own_has_unk = vocabulary.unk_id is not None, own.unk_id is not None
    lacking = [word for word in only_other if word != UNK or not only_own]  # <unk> gets what only_own have
    left = [word for word in only_own if word != UNK or not only_other]     # <unk> is shared by only_other
    found = []
    if lacking:
        share = f"an equal share of the probability of {UNK}" if own_has_unk else "probability 0"
        found.append(f"{_named(lacking)} only in {of}: {share}")
    if left:
        found.append(f"{_named(left)} only in {name}: {f'counted as {UNK}' if has_unk else 'left out'}")
    return f"note: {name} and {of} have different vocabularies: {'; '.join(found)}" if found else ""
