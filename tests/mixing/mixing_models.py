"""Small models for the tests of mixtures: networks, and n-gram models of few words."""

import numpy as np

from rnnlm.models import LanguageModel
from rnnlm.ngrams.ngram_model import NgramModel
from rnnlm.ngrams.tables import Order, Tables
from rnnlm.text.vocabulary import Vocabulary


class Fixed:
    """A predictor with the same probabilities (V,) at every step."""

    def __init__(self, probs):
        self.scores = np.log(np.array(probs)) + 7  # any constant
        self.vocab_size = len(probs)
        self.steps = 0  # its state

    def fresh_state(self):
        from contextlib import contextmanager

        @contextmanager
        def block():
            steps, self.steps = self.steps, 0
            yield
            self.steps = steps

        return block()

    def get_state(self):
        return [(np.array([[self.steps]]),)]

    def set_state(self, states):
        self.steps = 0 if states[0][0] is None else int(states[0][0][0, 0])

    def predict(self, xs):
        self.steps += xs.shape[1]
        return np.broadcast_to(self.scores, (*xs.shape, self.vocab_size))

    def log_probs(self, xs, ts):
        self.steps += xs.shape[1]
        return self.scores[ts] - 7


def a_network(seed, words=12, **options):
    """A network whose distributions are far from uniform."""
    rng = np.random.default_rng(seed)
    model = LanguageModel(words, 5, 6, rng=rng, **options)
    for param in model.params:
        param += 0.5 * rng.standard_normal(param.shape).astype(np.float32)
    return model


def a_bigram_model(words, seed=0):
    """(NgramModel, Vocabulary) of random bigrams; each context sums to 1."""
    rng, vocabulary = np.random.default_rng(seed), Vocabulary(words)
    V = len(words)
    unigrams = rng.dirichlet(np.ones(V))
    keys, log_probs, back_offs = [], [], np.zeros(V)
    for context in range(V):
        seen = np.sort(rng.choice(V, 2, replace=False))
        keys += [context * V + word for word in seen]
        probs = 0.6 * rng.dirichlet(np.ones(2))
        log_probs += np.log(probs).tolist()
        back_offs[context] = np.log(0.4 / (1 - unigrams[seen].sum()))
    orders = [Order(np.arange(V), np.log(unigrams).astype(np.float32), back_offs.astype(np.float32)),
              Order(np.array(keys, np.int64), np.array(log_probs, np.float32))]
    return NgramModel(Tables(orders), vocabulary), vocabulary
