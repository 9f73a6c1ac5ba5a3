"""The formats of the classic toolkit and of Kaldi's scripts, as they print them."""

import math

import numpy as np
import pytest
from score_rows import printed, rows_of

from rnnlm.text.vocabulary import Vocabulary

VOCABULARY = Vocabulary("the <eos> dog sees a cat".split())
# What the classic toolkit, compiled in November 2026, printed of a small model, but for
# the names of files and the numbers of two words.
CLASSIC = """\
debug mode: 2
test file: test.txt
rnnlm file: model.npz
Index   P(NET)          Word
----------------------------------
1\t0.5251815627\tthe
2\t0.4578662129\tdog
3\t0.4942820086\tsees
4\t0.3567671335\ta
-1\t0\t\tOOV
0\t0.4521398150\t</s>
0\t0.0071669820\t</s>
5\t0.0601514437\tcat
0\t0.3891766520\t</s>

test log probability: -5.492590

PPL net: 4.859301
"""


def classic_rows():
    cells = [line.split("\t") for line in CLASSIC.splitlines()[5:14]]
    words = [(None if cell[-1] == "</s>" else cell[-1],
              math.log10(float(cell[1])) if float(cell[1]) else -3.0) for cell in cells]
    ends = [place + 1 for place, (word, _) in enumerate(words) if word is None]
    return rows_of([words[start:stop] for start, stop in zip([0, *ends], ends, strict=False)], VOCABULARY.words)


def test_classic_is_what_the_toolkit_printed():
    assert printed("classic", classic_rows(), VOCABULARY) == CLASSIC


def test_classic_leaves_an_unknown_word_out_of_the_totals_with_unk_and_without():
    rows = rows_of([[("zebra", -3.0), ("the", -1.0), (None, -1.0)]], ["the"])
    with_unk = printed("classic", rows, Vocabulary("<eos> the <unk>".split()))
    rows["log_prob"][0] = math.nan
    without = printed("classic", rows, Vocabulary("<eos> the".split()))
    assert with_unk == without
    assert with_unk.endswith("\ntest log probability: -2.000000\n\nPPL net: 10.000000\n")


def test_classic_of_no_word():
    rows = rows_of([[("the", -1.0), (None, -1.0)]], [])[:0]
    assert printed("classic", rows, VOCABULARY).endswith("\ntest log probability: 0.000000\n\nPPL net: nan\n")


def test_kaldi_prints_negative_natural_logarithms_of_a_line_and_its_end():
    rows = rows_of([[("a", -2.77024), ("zebra", -1.95451), (None, -0.5)],
                    [(None, 0.0)],
                    [("a", math.nan), (None, -1)]], "a")
    assert printed("kaldi", rows) == "1-1 2.7702 1.9545 0.5000 \n2-1 0.0000 \n3-1 nan 1.0000 \n"


def test_kaldi_is_read_as_its_scripts_read_it():
    rows = rows_of([[("a", -2.0), (None, -0.5)], [(None, -1.0)]], "a")
    scores = {}
    for line in printed("kaldi", rows).splitlines():
        key, *numbers = line.split()
        utterance, hypothesis = key.rsplit("-", 1)
        scores[int(utterance), int(hypothesis)] = sum(map(float, numbers))
    assert scores == {(1, 1): 2.5, (2, 1): 1.0}


@pytest.mark.parametrize("name", ["kaldi", "classic"])
def test_zero_surprisal_has_no_sign(name):
    rows = rows_of([[(None, np.float64(-0.0))]], [])
    assert "-0" not in printed(name, rows, VOCABULARY).replace("-" * 34, "")
