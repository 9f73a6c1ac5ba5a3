"""ARPA files of n-gram models, read without trust."""

from rnnlm.errors import RnnlmError


def read_arpa_and_sha256(path):
    """The predictor, the vocabulary and the SHA-256 (hex) of an ARPA file."""
    raise RnnlmError(f"{path} is an ARPA file, which cannot be read yet: give a model file")
