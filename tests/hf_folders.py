"""Small models, as folders that transformers opens."""

import numpy as np

from rnnlm.exchange.exported import Exported
from rnnlm.exchange.hf import export
from rnnlm.models import LanguageModel
from rnnlm.text.vocabulary import Vocabulary

WORDS = ["the", "cat", "<eos>", "<unk>", "sat", "on", "mat"]
FORMS = {  # of a model, by a name for the test
    "tanh": {"cell": "rnn"},
    "relu": {"cell": "rnn", "activation": "relu", "layers": 2, "projection": True},
    "lstm": {"cell": "lstm", "layers": 2, "tied": True},
    "gru": {"cell": "gru", "layers": 3},
    "gru-textbook": {"cell": "gru-textbook", "layers": 2, "tied": True},
    "mrnn": {"cell": "mrnn", "layers": 2},
}


def small_model(form="lstm", vocab_size=7):
    """A model with numbers in all arrays, the biases among them."""
    values = {"layers": 1} | FORMS[form]
    model = LanguageModel(vocab_size, 4, 6, rng=np.random.default_rng(7), **values)
    rng = np.random.default_rng(8)
    for param in model.named_params().values():
        param[...] = rng.normal(0, 0.5, param.shape)
    return model


def small_folder(path, form="lstm", words=WORDS, level="word"):
    """Write a folder; returns what it was made from."""
    vocabulary = Vocabulary(words, level)
    exported = Exported(small_model(form, len(vocabulary)), vocabulary, "ab" * 32, {})
    export(exported, path)
    return exported
