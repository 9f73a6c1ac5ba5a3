"""What a file is that was given for a model file and is an n-gram model instead."""

from __future__ import annotations

import os

from rnnlm.errors import RnnlmError, one_line
from rnnlm.formats.arpa_parsing import begins_as_arpa
from rnnlm.text.sources import opened

LONGEST = 64  # bytes that tell what a file is
FROM_ITS_ARPA = "give the ARPA file that it was made from"
BINARY = {  # how binary n-gram models begin: whose they are, and what to do
    b"mmap lm http://kheafield.com/code": ("KenLM", FROM_ITS_ARPA),
    b"SRILM_BINARY_NGRAM": ("SRILM", "convert it with ngram -lm FILE -order N -unk -write-lm NEW.arpa"),
    b"blmt ": ("IRSTLM", "convert it with compile-lm FILE --text=yes NEW.arpa"),
    b"Qblmt ": ("IRSTLM", "convert it with compile-lm FILE --text=yes NEW.arpa"),
    b"\0B<ConstArpaLm>": ("Kaldi", FROM_ITS_ARPA),
    b"\x01\x12\x08\x20\0\0\0\0NgramLM\0": ("MITLM", "convert it with evaluate-ngram -order N -lm FILE -write-lm "
                                                   "NEW.arpa"),
}


def as_ngrams(path: str | os.PathLike[str]) -> str | None:
    """What to say of an n-gram model that is no model file; None for another file."""
    if not isinstance(path, str | os.PathLike) or not os.path.isfile(path):
        return None
    if begins_as_arpa(path):
        return (f"{one_line(os.fsdecode(path))} is an ARPA file, an n-gram model: open it with rnnlm.load; every "
                "command takes it as MODEL")
    try:
        with opened(path) as source:
            start = source.read(LONGEST)
    except (OSError, RnnlmError):
        return None
    found = next((of for mark, of in BINARY.items() if start.startswith(mark)), None)
    return found and f"{one_line(os.fsdecode(path))} is an n-gram model in {found[0]}'s binary form: {found[1]}"
