"""Parts of lines as numbers and ids, against Python's own split, float and dict."""

import math

import numpy as np
import pytest

from rnnlm.formats import arpa_bytes
from rnnlm.formats.arpa_bytes import UNKNOWN, Parts, WordNumbers

NUMBERS = ["0", "-0", "-1.5", "-0.123456789", "-9.99999999999999", "-1.123456789012345", "-12.5", "-99", "-1e-05",
           "-2.5E+1", "-.5", "-5.", "+1.5", "1.25", "0.5", "-0.0", "-inf", "inf", "-1.2e", "-1.x5", "-1..5", "-1.5_5",
           "x", "-", ".", "-x.5", "--1.5", "-1,5", "-1.:", "-1./", "nan", "0x10", "-1.00000000", "-1.000000001", "é"]
WORDS = ["a", "b", "eight__8", "nine____9", "sixteen________6", "seventeen_______7", "naïve", "<s>", "a" * 40, "0",
         "-1.5"]


def plain(text):
    try:
        return math.nan if "_" in text else float(text)
    except ValueError:
        return math.nan


@pytest.mark.parametrize("block", ["\n", "a", "a b\n", " a  b \n\n\tc\r\n", "a\x0bb\x0cc\x1cd\n", "\n\n a",
                                   "é ü\u00a0x\n"])
def test_parts_are_those_of_split(block):
    parts = Parts(block.encode())
    assert parts.parts(np.arange(len(parts.starts))) == block.encode().split()
    lines = block.split("\n")[: None if block and not block.endswith("\n") else -1]
    assert parts.counts.tolist() == [len(line.encode().split()) for line in lines]


def test_numbers_are_those_of_float(rng):
    texts = [*NUMBERS, *(f"{-x:.{d}f}" for x in rng.random(200) * 10 for d in (0, 3, 8, 9, 13, 14, 15)),
             *(repr(-x) for x in rng.random(200) * 10.0 ** rng.integers(-8, 8, 200))]
    parts = Parts(" ".join(texts).encode())
    np.testing.assert_array_equal(parts.floats(np.arange(len(texts))), [plain(text) for text in texts])
    np.testing.assert_array_equal(parts.floats(np.array([2, 3])), [-1.5, -0.123456789])


@pytest.mark.parametrize("rounds", [32, 1])
def test_words_get_their_numbers(rounds, rng, monkeypatch):
    monkeypatch.setattr(arpa_bytes, "ROUNDS", rounds)
    words = [*WORDS, *(f"w{i}" for i in range(3000))]
    index = {word.encode(): 10 * i for i, word in enumerate(words)}
    texts = [words[i] for i in rng.integers(0, len(words), 5000)]
    texts += ["c", "eight__9", "a" * 41, "a" * 39, "sixteen________7"]
    found = WordNumbers(index).of(parts := Parts("\n".join(texts).encode()), np.arange(len(texts)))
    np.testing.assert_array_equal(found, [index.get(text.encode(), UNKNOWN) for text in texts])
    assert parts.part(len(texts) - 1) == b"sixteen________7"


def test_long_words_alone_and_none_at_all():
    for words in ([], [b"a" * 17, b"b" * 30]):
        numbers = WordNumbers({word: i for i, word in enumerate(words)})
        parts = Parts(b" ".join([*words, b"c"]))
        assert numbers.of(parts, np.arange(len(words) + 1)).tolist() == [*range(len(words)), UNKNOWN]
