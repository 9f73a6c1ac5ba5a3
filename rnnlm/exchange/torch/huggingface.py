"""A model from the folder that our export to Hugging Face wrote.

Three files are read, by names of our own: no path in them leads anywhere.  The Python
file beside them is not run.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rnnlm.compute import arguments
from rnnlm.errors import RnnlmError, shown
from rnnlm.exchange.content import content_of, text_of
from rnnlm.exchange.names import CONFIG, MODEL_TYPE, SPLIT_CHARACTERS, SPLIT_WORDS, TOKENIZER, WEIGHTS
from rnnlm.exchange.safetensors_file import read_safetensors
from rnnlm.exchange.torch.layout import require_shapes
from rnnlm.exchange.torch.weights import DECODER, ENCODER, new_model, torch_shapes
from rnnlm.files.strict_json import loads
from rnnlm.formats.stored_vocabulary import vocabulary_arrays
from rnnlm.models.architecture import Architecture
from rnnlm.text.subwords.byte_level import Subwords
from rnnlm.text.subwords.pieces import merges_of
from rnnlm.text.tokenizer import CHARACTERS, LINE_END, Tokenizer, Words
from rnnlm.text.vocabulary import EOS, Vocabulary

if TYPE_CHECKING:
    from typing import Any

    from rnnlm.models import LanguageModel

MOST_CONFIG, MOST_TOKENIZER = 1 << 20, 1 << 28  # bytes


def read_folder(folder: Path, activation: str | None = None) -> tuple[LanguageModel, Vocabulary]:
    """The model and the vocabulary in a folder.

    Parameters
    ----------
    folder : that our export wrote.
    activation : must be the one that the folder says; None: not given.

    Raises
    ------
    DamagedError : another program wrote the folder, or a file is damaged.
    RnnlmError : a file cannot be read.
    """
    with content_of(folder / CONFIG, "the configuration of a model that rnnlm export --to hf wrote"):
        values = loads(text_of(folder / CONFIG, MOST_CONFIG), "it", unique_keys=True)
        architecture, size = _architecture(values)
        if activation not in (None, architecture.activation):
            raise ValueError(f"its activation is {architecture.activation!r}, not {activation!r}")
    arrays, _ = read_safetensors(folder / WEIGHTS)
    with content_of(folder / WEIGHTS, "the weights of the model"):
        model = new_model(architecture, _own_rows(arrays, architecture, size))
    with content_of(folder / TOKENIZER, "the tokenizer of the model"):
        vocabulary = _vocabulary(loads(text_of(folder / TOKENIZER, MOST_TOKENIZER), "it", unique_keys=True),
                                 architecture.vocab_size, size)
    model.vocabulary_fingerprint = vocabulary.fingerprint()
    model.set_training(False)
    return model, vocabulary


def _architecture(values):
    """The Architecture that a configuration declares, and the ids of the tokenizer."""
    if not isinstance(values, dict) or values.get("model_type") != MODEL_TYPE:
        found = values.get("model_type") if isinstance(values, dict) else values
        raise ValueError(f"its model_type must be {MODEL_TYPE!r}, found {shown(repr(found), 60)}")
    names = {"cell": "cell", "vocab_size": "trained_vocab_size", "wordvec_size": "wordvec_size",
             "hidden_size": "hidden_size", "layers": "num_hidden_layers", "activation": "activation",
             "tied": "tie_word_embeddings", "projection": "projection"}
    values = {"tie_word_embeddings": True} | values  # transformers 4 leaves it out where it is true
    missing = [there for there in (*names.values(), "vocab_size") if there not in values]
    if missing:
        raise ValueError(f"it lacks {missing[0]}")
    architecture = Architecture.from_file({ours: values[there] for ours, there in names.items()})
    size = arguments.whole("vocab_size", values["vocab_size"], architecture.vocab_size)
    return architecture, size


def _own_rows(arrays, architecture, size):
    """The arrays without the rows of ids that the tokenizer alone has."""
    V = architecture.vocab_size
    shapes = torch_shapes(architecture)
    by_word = [name for name in (ENCODER, DECODER, "decoder.bias") if name in shapes]
    require_shapes(arrays, shapes | {name: (size, *shapes[name][1:]) for name in by_word})
    return {name: arrays[name][:V] if name in by_word else arrays[name] for name in shapes}


def _vocabulary(values, V, size):
    """The Vocabulary of a tokenizer.json that our export wrote."""
    model = values.get("model") if isinstance(values, dict) else None
    ids = model.get("vocab") if isinstance(model, dict) else None
    if not isinstance(ids, dict) or not all(type(i) is int for i in ids.values()):
        raise ValueError("it must have a model with a vocab of tokens and ids")
    if sorted(ids.values()) != list(range(size)):
        raise ValueError(f"its vocab must give each of the ids 0 to {size - 1:,} to one token")
    by_id = sorted(ids, key=ids.get)[:V]
    words = [EOS if token == LINE_END else token for token in by_id]
    try:
        vocabulary = Vocabulary(words, _tokenizer(values, model))
        vocabulary_arrays(vocabulary)  # raises for words that no text can have
        return vocabulary
    except RnnlmError as error:
        raise ValueError(str(error)) from None


def _tokenizer(values: dict[str, Any], model: dict[str, Any]) -> Tokenizer:
    """The Tokenizer: of subwords, of characters or of words."""
    if model.get("type") == "BPE":
        return Subwords(merges_of(_pairs(model.get("merges"))))
    before, normalizer = values.get("pre_tokenizer"), values.get("normalizer")
    if model.get("type") != "WordLevel" or before not in (SPLIT_WORDS, SPLIT_CHARACTERS):
        raise ValueError(f"it must split a text as our export does, found {shown(model.get('type'), 40)} and "
                         f"{shown(before, 80)}")
    if before == SPLIT_CHARACTERS:
        return CHARACTERS
    if normalizer not in (None, {"type": "Lowercase"}):
        raise ValueError(f"its normalizer must be null or Lowercase, found {shown(normalizer, 80)}")
    return Words(lowercase=normalizer is not None)


def _pairs(merges):
    if not isinstance(merges, list) or not all(
            isinstance(pair, list) and len(pair) == 2 and all(isinstance(piece, str) for piece in pair)
            for pair in merges):
        raise ValueError("its merges must be pairs of pieces")
    return [tuple(pair) for pair in merges]
