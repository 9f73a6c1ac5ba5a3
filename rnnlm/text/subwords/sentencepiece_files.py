"""Models of sentencepiece in files, such as bpe.model: BPE that normalises nothing.

The message is ModelProto of sentencepiece_model.proto, in sentencepiece's own code.
"""

from __future__ import annotations

import math

from rnnlm.errors import shown
from rnnlm.files.protobuf import fields
from rnnlm.text.subwords.sentencepieces import SentencePieces

PIECES, TRAINER, NORMALIZER = 1, 2, 3                # fields of the message
PIECE, SCORE, TYPE = 1, 2, 3                         # of a piece
NORMAL, UNKNOWN, CONTROL, BYTE = 1, 2, 3, 6          # types of pieces
MODEL_TYPE, AS_SUFFIX, FALLBACK, BPE = 3, 24, 35, 2  # fields of the trainer; its model BPE
CHARSMAP, PREFIX, REMOVES, ESCAPES = 2, 3, 4, 5      # fields of the normalizer
MOST_PIECES = 1 << 20


def sentencepieces(data: bytes) -> tuple[SentencePieces, list[str]]:
    """The tokenizer of a file, and notes on what is otherwise here.

    ValueError for what is no such model.
    """
    found, trainer, normalizer = [], {}, {}
    for number, value in fields(data):
        if number in (PIECES, TRAINER, NORMALIZER) and not isinstance(value, bytes):
            raise ValueError("it is damaged")
        if number == PIECES:
            found.append(_piece(dict(fields(value))))
        elif number in (TRAINER, NORMALIZER):
            (trainer if number == TRAINER else normalizer).update(fields(value))
        if len(found) > MOST_PIECES:
            raise ValueError(f"it has more than {MOST_PIECES:,} pieces")
    _require(trainer.get(MODEL_TYPE, 1) == BPE, "it must be a BPE model (--model_type=bpe)")
    _require(not normalizer.get(CHARSMAP), "it must not normalise (--normalization_rule_name=identity), as that "
             "changes the text")
    _require(normalizer.get(ESCAPES, 1) and not trainer.get(AS_SUFFIX, 0), "its pieces must begin with the blank")
    kinds = {kind for _, _, kind in found}
    _require(kinds <= {NORMAL, UNKNOWN, CONTROL, BYTE}, "it must have no pieces that its user defined")
    normal = [(text, score) for text, score, kind in found if kind == NORMAL]
    ranked = sorted(normal, key=lambda piece: -piece[1])  # which keeps the order of equal scores
    return SentencePieces([text for text, _ in ranked]), list(_notes(trainer, normalizer))


def _piece(values):
    """(text, score, type) of a piece."""
    text, score, kind = values.get(PIECE, b""), values.get(SCORE, 0.0), values.get(TYPE, NORMAL)
    if not isinstance(text, bytes) or not isinstance(score, float) or not isinstance(kind, int) or math.isnan(score):
        raise ValueError("it has a damaged piece")
    try:
        return text.decode(), score, kind
    except UnicodeDecodeError:
        raise ValueError(f"it has a piece that is not UTF-8, {shown(repr(text), 40)}") from None


def _notes(trainer, normalizer):
    if normalizer.get(PREFIX, 1):
        yield "the tokenizer puts a blank before each text; here a line is read as it is"
    if normalizer.get(REMOVES, 1):
        yield "the tokenizer removes blanks at the edges, and all but one in a row; here all are kept"
    if not trainer.get(FALLBACK, 0):
        yield "the tokenizer reads characters that it lacks as <unk>; here they are read as their bytes"


def _require(holds, rule):
    if not holds:
        raise ValueError(rule)
