"""``tokenizer.json``: our tokenizers as the library `tokenizers` has them.

They split a text as ours do.  The line end is the token "\\n", which is <eos> in our
vocabulary; one more is put before each text, as our scores have it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rnnlm.text.subwords.byte_level import Subwords
from rnnlm.text.tokenizer import BLANKS, LINE_END, Words
from rnnlm.text.vocabulary import EOS, UNK

if TYPE_CHECKING:
    from typing import Any

    from rnnlm.text.vocabulary import Vocabulary

PAD = "<pad>"
MODEL_MAX_LENGTH = 4096  # tokens that tools read at a time: no limit of the model, but each has a row of V scores


class TokenIds:
    """The ids of a tokenizer's tokens: the vocabulary's, and some of its own behind.

    Parameters
    ----------
    vocabulary : the model's.

    Attributes
    ----------
    ids : dict from token to id.
    pad, unk : the names of these tokens; unk is None if every text can be written.
    added : how many tokens the vocabulary lacks.
    """

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.ids = {LINE_END if word == EOS else word: i for word, i in vocabulary.ids.items()}
        self.eos_id = vocabulary.eos_id
        self.unk = None
        if not isinstance(vocabulary.tokenizer, Subwords):
            self.unk = UNK if vocabulary.unk_id is not None else self._add(UNK)
        self.pad = self._add(PAD)
        self.added = len(self.ids) - len(vocabulary)

    def _add(self, name):
        """A new token, whose name is no part of another's: it is cut out of a text."""
        number, free = 1, name
        while any(free in word for word in self.ids):
            number += 1
            free = f"{name[:-1]}-{number}>"
        self.ids[free] = len(self.ids)
        return free

    def specials(self) -> dict[str, str]:
        """The tokens by the part that they play."""
        return {"bos_token": LINE_END, "eos_token": LINE_END, "pad_token": self.pad}


def tokenizer_json(vocabulary: Vocabulary, tokens: TokenIds) -> dict[str, Any]:
    """What ``tokenizer.json`` holds, for JSON.

    Parameters
    ----------
    vocabulary : of words, of characters or of byte-level BPE.
    tokens : its TokenIds.
    """
    tokenizer = vocabulary.tokenizer
    parts = _of_subwords if isinstance(tokenizer, Subwords) else _of_words if isinstance(tokenizer, Words) else (
        _of_characters)
    return {"version": "1.0", "truncation": None, "padding": None,
            "added_tokens": [_added_token(token, tokens.ids[token]) for token in (LINE_END, tokens.pad)],
            "normalizer": {"type": "Lowercase"} if tokenizer.lowercase else None,
            "post_processor": _line_end_first(tokens.eos_id), **parts(tokenizer, tokens)}


def _added_token(token, number):
    """A token that is cut out of a text before anything else."""
    return {"id": number, "content": token, "single_word": False, "lstrip": False, "rstrip": False,
            "normalized": False, "special": True}


def _line_end_first(eos_id):
    """What puts <eos> before a text, and between two."""
    eos, first, second = ({"SpecialToken": {"id": LINE_END, "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}},
                          {"Sequence": {"id": "B", "type_id": 0}})
    return {"type": "TemplateProcessing", "single": [eos, first], "pair": [eos, first, eos, second],
            "special_tokens": {LINE_END: {"id": LINE_END, "ids": [eos_id], "tokens": [LINE_END]}}}


def _of_words(_, tokens):
    """At blanks of ASCII; not WhitespaceSplit, which splits at NBSP and others, too."""
    return _word_level(tokens, f"[{BLANKS}]+", "Removed") | {"decoder": None}


def _of_characters(_, tokens):
    """A piece for each character, and nothing between them when they are joined."""
    return _word_level(tokens, ".", "Isolated") | {"decoder": {"type": "Fuse"}}


def _word_level(tokens, pattern, behavior):
    return {"pre_tokenizer": {"type": "Split", "pattern": {"Regex": pattern}, "behavior": behavior, "invert": False},
            "model": {"type": "WordLevel", "vocab": tokens.ids, "unk_token": tokens.unk}}


def _of_subwords(tokenizer, tokens):
    """The pieces and merges, with the settings of ``bpe_library``."""
    settings = {"add_prefix_space": False, "trim_offsets": True, "use_regex": True}
    pieces = tokenizer.tokens
    return {"pre_tokenizer": {"type": "ByteLevel", **settings}, "decoder": {"type": "ByteLevel", **settings},
            "model": {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None,
                      "end_of_word_suffix": None, "fuse_unk": False, "byte_fallback": False, "ignore_merges": False,
                      "vocab": tokens.ids,
                      "merges": [[pieces[first], pieces[second]] for first, second in tokenizer.merges.tolist()]}}


def tokenizer_config(tokens: TokenIds) -> dict[str, Any]:
    """What ``tokenizer_config.json`` holds, for JSON."""
    return {"tokenizer_class": "PreTrainedTokenizerFast", **tokens.specials(), "clean_up_tokenization_spaces": False,
            "model_max_length": MODEL_MAX_LENGTH, "model_input_names": ["input_ids", "attention_mask"]}
