"""What was published on BLiMP, to print next to a model's own accuracy."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rnnlm.text.pairs_files import Pair

BLIMP = "724adad9bfb1cade40bf103330c73a998e5e8f75e6a4bba10716e5b6311401c8"  # SHA-256 of its UIDs in order, one a line
BLIMP_PAIRS = 67_000


class Published(NamedTuple):
    """A published accuracy on BLiMP, and how many tokens the model was trained on."""

    model: str
    accuracy: float
    tokens: int | None
    text: str


# Warstadt et al. (2020), table 3 and section 4 of BLiMP.pdf in their repository,
# github.com/alexwarstadt/blimp; the files of results there have the same means.
PUBLISHED = (
    Published("5-gram", 0.612, 3_100_000_000, "Gigaword"),
    Published("LSTM", 0.698, 83_000_000, "Wikipedia"),
    Published("Transformer-XL", 0.696, 103_000_000, "WikiText-103"),
    Published("GPT-2 large", 0.830, 8_000_000_000, "WebText, estimated"),
    Published("people, one by one", 0.886, None, ""),
)


def published(pairs: Sequence[Pair]) -> tuple[Published, ...]:
    """PUBLISHED if these are BLiMP's pairs, all of them; else nothing."""
    uids = "\n".join(sorted({pair.uid for pair in pairs}))
    is_blimp = hashlib.sha256(uids.encode("utf-8", "surrogatepass")).hexdigest() == BLIMP
    return PUBLISHED if is_blimp and len(pairs) == BLIMP_PAIRS else ()
