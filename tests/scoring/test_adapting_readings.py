"""Predictors that adapt: in which order they are read, and what is forgotten when."""

from contextlib import contextmanager

import numpy as np
import pytest

from rnnlm.scoring.readings import piece_scores
from rnnlm.scoring.words import sequence_scores
from rnnlm.text.spelled import spelled_file
from rnnlm.text.vocabulary import Vocabulary

VOCABULARY = Vocabulary(["a", "b", "<eos>"])
EOS = 2


class Counting:
    """p(w) = (1 + how often w was seen) / (3 + all that was seen); notes its calls."""

    adapts = True

    def __init__(self):
        self.seen, self.calls = np.zeros(3), []

    @contextmanager
    def fresh_state(self):
        before, self.seen = self.seen, np.zeros(3)
        self.calls.append("fresh")
        yield
        self.seen = before
        self.calls.append("as before")

    def forget(self):
        self.calls.append("forget")

    def log_probs(self, xs, ts):
        assert xs.shape == ts.shape and len(xs) == 1
        self.calls.append(xs[0].tolist())
        found = np.empty(ts.shape)
        for i, t in enumerate(ts[0]):
            found[0, i] = np.log((1 + self.seen[t]) / (3 + self.seen.sum()))
            self.seen[t] += 1
        return found


@pytest.fixture
def scored(tmp_path):
    """Function: how a Counting reads a text, and the probabilities it gives."""
    path = tmp_path / "text.txt"

    def score(protocol, text="a a\n\nb\n", size=1 << 20):
        path.write_text(text)
        model = Counting()
        parts = piece_scores(model, VOCABULARY, spelled_file(path, VOCABULARY, size=size), protocol)
        return model, np.exp(np.concatenate([scores.log_probs for _, scores in parts]))

    return score


def test_a_text_is_one_stream_under_stream(scored):
    model, probs = scored("stream")
    assert model.calls == ["fresh", [EOS, 0, 0, EOS, EOS, 1], "as before"]
    assert probs == pytest.approx([1 / 3, 2 / 4, 1 / 5, 2 / 6, 1 / 7, 3 / 8])


def test_each_sentence_starts_after_eos_and_what_was_adapted_stays(scored):
    model, probs = scored("sentence")
    assert model.calls == ["fresh", [EOS, 0, 0], "forget", [EOS], "forget", [EOS, 1], "forget", "as before"]
    assert probs == pytest.approx([1 / 3, 2 / 4, 1 / 5, 2 / 6, 1 / 7, 3 / 8])
    assert not model.seen.any()


def test_blank_lines_end_a_document_and_are_not_read(scored):
    model, probs = scored("document")
    assert model.calls == ["fresh", [EOS, 0, 0], "forget", [EOS, 1], "as before"]
    assert probs[[0, 1, 2, 4, 5]] == pytest.approx([1 / 3, 2 / 4, 1 / 5, 1 / 6, 2 / 7]) and np.isnan(probs[3])


@pytest.mark.parametrize("protocol", ["stream", "sentence", "document"])
def test_small_parts_change_nothing(scored, protocol):
    text = "a b a\nb b\n\na a a a\n" * 5
    assert scored(protocol, text, size=7)[1] == pytest.approx(scored(protocol, text)[1], nan_ok=True)


def test_sequences_are_read_one_by_one_each_wholly_afresh():
    model = Counting()
    found = sequence_scores(model, [0, 0, EOS, 1, EOS], [3, 2], EOS)
    assert np.exp(found.log_probs) == pytest.approx([1 / 3, 2 / 4, 1 / 5, 1 / 3, 1 / 4])
    assert model.calls.count("fresh") == 2
