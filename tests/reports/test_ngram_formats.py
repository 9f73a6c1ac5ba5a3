"""SRILM's and KenLM's formats, against n-gram models that KenLM itself reads.

The n-gram's length is left out: a network reads the whole line, and does not back off.
"""

import re
from contextlib import contextmanager

import numpy as np
import pytest
from score_rows import printed, rows_of

from rnnlm.reports.ngram_formats import shortest
from rnnlm.scoring.rows import word_rows
from rnnlm.text.spelled import spelled_string
from rnnlm.text.vocabulary import Vocabulary

try:
    import kenlm
except ImportError:
    kenlm = None

needs_kenlm = pytest.mark.skipif(kenlm is None, reason="kenlm-ex has no wheel for this Python and machine")
ARPA = """\\data\\
ngram 1=7
ngram 2=6
ngram 3=2

\\1-grams:
-2.1\t<unk>
-99\t<s>\t-0.3
-0.9\t</s>
-0.8\tthe\t-0.25
-1.3\tdog\t-0.4
-1.2\tcat\t-0.1
-1.1\tsees\t-0.2

\\2-grams:
-0.2\t<s> the\t-0.15
-0.5\tthe dog\t-0.35
-0.61\tthe cat\t-0.05
-0.45\tdog sees
-0.33\tsees the\t-0.12
-0.7\tcat </s>

\\3-grams:
-0.123456\t<s> the dog
-0.3\tsees the cat

\\end\\
"""
VOCABULARY = Vocabulary(["<unk>", "<eos>", "the", "dog", "cat", "sees"])  # in the order of ARPA's unigrams
TEXT = "the dog sees the cat\nthe <unk> sees a zebra\n\ncat cat\n"
QUERY = """\
the=3 2 -0.2\tdog=4 3 -0.123456\tsees=6 2 -0.79999995\tthe=3 2 -0.33\tcat=5 3 -0.3\t</s>=2 2 -0.75\t\
Total: -2.503456 OOV: 0
the=3 2 -0.2\t<unk>=0 1 -2.5\tsees=6 1 -1.1\ta=0 1 -2.3\tzebra=0 1 -2.1\t</s>=2 1 -0.9\tTotal: -9.1 OOV: 3
</s>=2 1 -1.2\tTotal: -1.2 OOV: 0
cat=5 1 -1.5\tcat=5 1 -1.3000001\t</s>=2 2 -0.7\tTotal: -3.5000002 OOV: 0
Perplexity including OOVs:\t10.446385512343992
Perplexity excluding OOVs:\t5.288625814097068
OOVs:\t3
Tokens:\t16
"""  # what KenLM's own query (4cb443e) prints of TEXT


class NGrams:
    """A predictor: the n-gram model of an ARPA file, read by KenLM."""

    def __init__(self, path, words):
        config = kenlm.Config()
        config.show_progress, config.arpa_complain = False, kenlm.ARPALoadComplain.NONE
        self.model, self.words = kenlm.Model(str(path), config), words
        self.states = None

    @contextmanager
    def fresh_state(self):
        before, self.states = self.states, None
        yield
        self.states = before

    def log_probs(self, xs, ts):
        self.states = self.states or [kenlm.State() for _ in xs]
        found = np.empty(xs.shape)
        for i, t in np.ndindex(xs.shape):
            self.states[i] = self._after(self.states[i], self.words[xs[i, t]])
            word = self.words[ts[i, t]].replace("<eos>", "</s>")
            found[i, t] = self.model.BaseScore(self.states[i], word, kenlm.State()) * np.log(10)
        return found

    def _after(self, state, word):
        after = kenlm.State()
        if word == "<eos>":
            self.model.BeginSentenceWrite(after)
        else:
            self.model.BaseScore(state, word, after)
        return after


def without_lengths(text):
    return re.sub(r"(=\d+) \d+|\[\d+gram\]", r"\1", text)


@pytest.fixture
def model(tmp_path):
    (tmp_path / "model.arpa").write_text(ARPA)
    return NGrams(tmp_path / "model.arpa", VOCABULARY.words)


def rows_by(model, text=TEXT):
    parts = word_rows(model, VOCABULARY, spelled_string(text, VOCABULARY), protocol="sentence", details=False, base=10)
    return np.concatenate(list(parts))


@needs_kenlm
def test_kenlm_is_what_query_prints_of_the_same_model(model):
    assert without_lengths(printed("kenlm", rows_by(model), VOCABULARY)) == without_lengths(QUERY)


@needs_kenlm
def test_kenlm_has_the_scores_that_kenlm_gives(model):
    lines = printed("kenlm", rows_by(model), VOCABULARY).splitlines()
    for line, sentence in zip(lines, TEXT.splitlines(), strict=False):
        *words, total = line.split("\t")
        scores = list(model.model.full_scores(sentence))
        assert [np.float32(word.split()[-1]) for word in words] == [score for score, _, _ in scores]
        assert [word.split()[0].endswith("=0") for word in words] == [oov for _, _, oov in scores]
        assert np.float32(total.split()[1]) == np.float32(model.model.score(sentence))


@needs_kenlm
def test_kenlm_counts_the_words_of_the_line_before_it_and_its_start(model):
    lengths = re.findall(r"=\d+ (\d+)", printed("kenlm", rows_by(model, "the dog\n\ncat\n"), VOCABULARY))
    assert lengths == ["2", "3", "4", "2", "2", "3"]


def test_kenlm_gives_a_word_without_a_probability_minus_100():
    vocabulary = Vocabulary(["<eos>", "a"])
    rows = rows_of([[("a", -0.5), ("zebra", np.nan), (None, -0.25)]], ["a"])
    assert printed("kenlm", rows, vocabulary) == (
        "a=2 2 -0.5\tzebra=0 3 -100\t</s>=1 4 -0.25\tTotal: -100.75 OOV: 1\n"
        "Perplexity including OOVs:\t3.8311868495573086e33\nPerplexity excluding OOVs:\t2.371373705661655\n"
        "OOVs:\t1\nTokens:\t3\n")


@pytest.mark.parametrize("number, text", [
    (0.0, "0"), (-100.0, "-100"), (-0.2, "-0.2"), (np.float32(-0.1) * 3, "-0.3"), (1e-6, "0.000001"), (-9e-7, "-9e-7"),
    (1.25e20, "125000000000000000000"), (1e21, "1e21"), (np.inf, "inf"), (np.nan, "NaN")])
def test_kenlm_writes_the_fewest_digits(number, text):
    assert shortest(np.float32(number)) == text


# A public tutorial shows what ngram -debug 2 of SRILM 1.7.2 printed for a bigram model
# and a text with an OOV.  The numbers of the model follow from those it printed.
SRILM_ARPA = """\\data\\
ngram 1=8
ngram 2=9

\\1-grams:
-0.60206\t</s>
-99\t<s>\t-0.4771213
-1.079181\ti\t-0.4771212
-1.079181\tgo\t-0.1760913
-1.079181\tstudy\t-0.1760913
-1.079181\tvery\t-0.1760913
-1.079181\tglad\t-0.1760913
-1.079181\tplay\t-0.1760913

\\2-grams:
-0.1249387\t<s> i
-0.30103\ti go
-0.60206\ti very
-0.60206\tgo study
-0.60206\tgo play
-0.30103\tvery glad
-0.30103\tglad </s>
-0.30103\tstudy </s>
-0.30103\tplay </s>

\\end\\
"""
SRILM_TEXT = "study why play\nstudy very glad\ni play very glad\n"
SRILM_OUTPUT = """\
study why play
\tp( study | <s> ) \t= [1gram] 0.02777779 [ -1.556302 ]
\tp( <unk> | study ...) \t= [OOV] 0 [ -inf ]
\tp( play | <unk> ...) \t= [1gram] 0.08333339 [ -1.079181 ]
\tp( </s> | play ...) \t= [2gram] 0.5 [ -0.30103 ]
1 sentences, 3 words, 1 OOVs
0 zeroprobs, logprob= -2.936513 ppl= 9.524403 ppl1= 29.39386

study very glad
\tp( study | <s> ) \t= [1gram] 0.02777779 [ -1.556302 ]
\tp( very | study ...) \t= [1gram] 0.05555559 [ -1.255272 ]
\tp( glad | very ...) \t= [2gram] 0.5 [ -0.30103 ]
\tp( </s> | glad ...) \t= [2gram] 0.5 [ -0.30103 ]
1 sentences, 3 words, 0 OOVs
0 zeroprobs, logprob= -3.413635 ppl= 7.135241 ppl1= 13.73657

i play very glad
\tp( i | <s> ) \t= [2gram] 0.7500001 [ -0.1249387 ]
\tp( play | i ...) \t= [1gram] 0.0277778 [ -1.556302 ]
\tp( very | play ...) \t= [1gram] 0.05555559 [ -1.255272 ]
\tp( glad | very ...) \t= [2gram] 0.5 [ -0.30103 ]
\tp( </s> | glad ...) \t= [2gram] 0.5 [ -0.30103 ]
1 sentences, 4 words, 0 OOVs
0 zeroprobs, logprob= -3.538573 ppl= 5.101697 ppl1= 7.667315

file test.txt: 3 sentences, 10 words, 1 OOVs
0 zeroprobs, logprob= -9.888721 ppl= 6.66899 ppl1= 12.55298
"""


@needs_kenlm
def test_srilm_is_what_ngram_printed_of_the_same_model(tmp_path):
    (tmp_path / "srilm.arpa").write_text(SRILM_ARPA)
    model = NGrams(tmp_path / "srilm.arpa", []).model
    known = "i go study very glad play".split()
    sentences = [[(word, np.nan if oov else score)
                  for word, (score, _, oov) in zip([*line.split(), None], model.full_scores(line), strict=True)]
                 for line in SRILM_TEXT.splitlines()]
    assert without_lengths(printed("srilm", rows_of(sentences, known))) == without_lengths(SRILM_OUTPUT)


@needs_kenlm
def test_srilm_counts_unk_of_an_open_vocabulary_and_passes_over_an_empty_line(model):
    lines = printed("srilm", rows_by(model)).splitlines()
    assert lines[10] == "the <unk> sees a zebra"
    assert lines[12] == "\tp( <unk> | the ...) \t= [3gram] 0.003162278 [ -2.5 ]"
    assert lines[14] == "\tp( <unk> | sees ...) \t= [5gram] 0.005011873 [ -2.3 ]"
    log_prob = sum(score for line in TEXT.splitlines() if line for score, _, _ in model.model.full_scores(line))
    assert lines[-2:] == ["file test.txt: 3 sentences, 12 words, 0 OOVs",
                          f"0 zeroprobs, logprob= {log_prob:.7g} ppl= {10 ** (-log_prob / 15):.7g} "
                          f"ppl1= {10 ** (-log_prob / 12):.7g}"]


def test_srilm_divides_by_the_words_that_have_a_probability():
    # 10^(20.406 / 8) for the eight known words, / 9 with the sentence end
    sentence = [("a", -2.5)] * 7 + [("b", np.nan), ("a", -2.5), (None, -0.406)]
    text = printed("srilm", rows_of([sentence], ["a"]))
    assert "1 sentences, 9 words, 1 OOVs\n0 zeroprobs, logprob= -20.406 ppl= 185.0689 ppl1= 355.4267\n" in text


def test_srilm_without_a_known_word_has_no_ppl1():
    text = printed("srilm", rows_of([[("b", np.nan), (None, -1.0)]], []))
    assert "1 sentences, 1 words, 1 OOVs\n0 zeroprobs, logprob= -1 ppl= 10 ppl1= undefined\n" in text


def test_an_empty_line_alone():
    rows = rows_of([[(None, -1.0)]], [])
    assert printed("srilm", rows, head={"text": "a\nb"}) == "file a\\nb: 0 sentences, 0 words, 0 OOVs\n"
    assert printed("kenlm", rows, Vocabulary(["<eos>"])) == (
        "</s>=1 2 -1\tTotal: -1 OOV: 0\nPerplexity including OOVs:\t10\nPerplexity excluding OOVs:\t10\n"
        "OOVs:\t0\nTokens:\t1\n")


def test_nothing_read(tmp_path):
    """KenLM's query of an empty text has no number, either."""
    assert printed("kenlm", rows_of([[(None, -1.0)]], [])[:0], Vocabulary(["<eos>"])) == (
        "Perplexity including OOVs:\tNaN\nPerplexity excluding OOVs:\tNaN\nOOVs:\t0\nTokens:\t0\n")
