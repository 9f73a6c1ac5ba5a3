"""First weights from a model: what the larger one says before its first step."""

import numpy as np
import pytest

from rnnlm.models import LanguageModel
from rnnlm.models.first_weights import begin_from

OLD, NEW, UNK = 7, 10, 2
COUNTS = np.array([50, 30, 20, 10, 5, 2, 1])
TIMES = np.array([5, 4, 3, 0, 0, 1, 0, 2, 7, 0])  # of each word in the text to come
XS = np.array([[0, 3, UNK, 6, 1]])


def models(**options):
    """A model with weights of some size, and a larger one with others."""
    old, new = (LanguageModel(V, 4, 6, rng=np.random.default_rng(seed), **options) for seed, V in enumerate((OLD, NEW)))
    for param in old.params:
        param += np.random.default_rng(7).normal(0, 0.3, param.shape)
    return old, new


def log_probs(model, xs):
    logits = model.predict(xs)[0].astype(np.float64)
    return logits - np.log(np.exp(logits).sum(-1, keepdims=True))


@pytest.mark.parametrize("options", [{}, {"tied": True}, {"cell": "lstm", "layers": 2}, {"projection": True},
                                     {"plain": True}])
def test_old_words_keep_their_probabilities_and_new_ones_share_that_of_unk(options):
    old, new = models(**options)
    begin_from(new.named_params(), old.named_params(), OLD, TIMES, UNK, COUNTS)
    before, after = log_probs(old, XS), log_probs(new, XS)
    known = [i for i in range(OLD) if i != UNK]
    np.testing.assert_allclose(after[:, known], before[:, known], atol=2e-6)
    # <unk> came 3 times, the new words 2, 7 and 0 times; each count one more: of 16.
    for word, share in ((UNK, 4), (7, 3), (8, 8), (9, 1)):
        np.testing.assert_allclose(after[:, word], before[:, UNK] + np.log(share / 16), atol=2e-6)


def test_a_new_word_is_read_as_unk():
    old, new = models()
    begin_from(new.named_params(), old.named_params(), OLD, TIMES, UNK)
    old.reset_state(), new.reset_state()
    np.testing.assert_array_equal(new.states(np.array([[0, 8, 7, 1]])), old.states(np.array([[0, UNK, UNK, 1]])))


def test_the_same_vocabulary_is_a_copy():
    old, _ = models()
    other = LanguageModel(OLD, 4, 6, rng=np.random.default_rng(9))
    begin_from(other.named_params(), old.named_params(), OLD, TIMES[:OLD], UNK, COUNTS)
    assert [one.tobytes() for one in other.params] == [one.tobytes() for one in old.params]


@pytest.mark.parametrize("counts", [COUNTS, None])
def test_without_unk_a_new_word_is_as_the_rarest_and_as_likely_as_its_count_says(counts, monkeypatch):
    monkeypatch.setattr("rnnlm.models.first_weights.RAREST", 3)  # two of seven words
    old, new = models()
    begin_from(new.named_params(), old.named_params(), OLD, TIMES, None, counts)
    before, after = old.named_params(), new.named_params()
    for name in ("embedding/W", "affine/W"):
        one, other = (array if name == "embedding/W" else array.T for array in (before[name], after[name]))
        np.testing.assert_array_equal(other[:OLD], one)
        np.testing.assert_allclose(other[OLD:], np.tile((one[5] + one[6]) / 2, (3, 1)), rtol=1e-6)
    mean = (before["affine/b"][5] + before["affine/b"][6]) / 2
    np.testing.assert_array_equal(after["affine/b"][:OLD], before["affine/b"])
    if counts is None:
        np.testing.assert_allclose(after["affine/b"][OLD:], mean, rtol=1e-6)
    else:  # of 118 + 7 before, of 22 + 10 now
        rare = (np.log(3 / 125) + np.log(2 / 125)) / 2
        np.testing.assert_allclose(after["affine/b"][OLD:], mean + np.log(np.array([3, 8, 1]) / 32) - rare, rtol=1e-5)


def test_the_rarest_are_those_of_the_counts():
    counts = np.array([1, 90, 80, 70, 60, 50, 40])
    old, new = models()
    begin_from(new.named_params(), old.named_params(), OLD, TIMES, None, counts)
    np.testing.assert_array_equal(new.named_params()["embedding/W"][OLD:], [old.named_params()["embedding/W"][0]] * 3)


@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize("plain", [True, False])
def test_with_an_adaptive_softmax_new_words_join_the_last_cluster(tied, plain):
    """As the mean of its rarest words; all other words keep what they had."""
    old, new = models(softmax="adaptive", cutoffs=(3, 5), tied=tied, plain=plain)
    begin_from(new.named_params(), old.named_params(), OLD, TIMES, UNK, COUNTS)
    before, after = old.named_params(), new.named_params()
    np.testing.assert_array_equal(after["tail2/W"][:, :2], before["tail2/W"])
    np.testing.assert_array_equal(after["tail2/W"][:, 2:], before["tail2/W"][:, [1, 1, 1]])
    assert all(array.tobytes() == before[name].tobytes() for name, array in after.items()
               if name not in ("tail2/W", "embedding/W"))
    one, other = before["embedding/W"], after["embedding/W"]
    np.testing.assert_array_equal(other[: len(one)], one)
    np.testing.assert_array_equal(other[len(one) :], np.tile(one[UNK], (0 if tied else 3, 1)))
    np.testing.assert_allclose(log_probs(new, XS)[:, :5], log_probs(old, XS)[:, :5], atol=2e-6)
