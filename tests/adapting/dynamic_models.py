"""Small models, texts, and dynamic evaluation by its formula on plain layers."""

import numpy as np

from rnnlm.models import LanguageModel

V = 13
FORMS = {"untied": {}, "tied": {"tied": True}, "projection": {"tied": True, "wordvec_size": 4},
         "adaptive": {"softmax": "adaptive", "cutoffs": (4, 8)},
         "tied adaptive": {"softmax": "adaptive", "cutoffs": (4, 8), "tied": True}}


def model_of(dtype=np.float64, seed=0, plain=False, **options):
    options = {"wordvec_size": 6, "hidden_size": 6, "layers": 2} | options
    model = LanguageModel(V, **options, rng=np.random.default_rng(seed), dtype=dtype, plain=plain)
    rng = np.random.default_rng(seed + 1)
    for param in model.params:
        param += rng.standard_normal(param.shape).astype(dtype) / 3
    model.set_training(False)
    return model


def text_of(n, seed=2):
    return np.random.default_rng(seed).integers(0, V, n)


def by_the_formula(model, ids, window, lr, decay=0.0, roots=None, eps=0.0, recurrent=1.0):
    """(ln p of every id, the weights at the end): one window after another.

    roots: the roots of mean squares by name; None: a rate and a decay for all weights.
    recurrent: the factor on lr for what is called rnn1/... and so on.
    """
    model = plain_copy(model)
    trained = {name: param.copy() for name, param in model.named_params().items()}
    mean = np.mean([root.mean() for root in roots.values()]) if roots else None
    log_probs = np.empty(len(ids))
    for start in range(0, len(ids), window):
        ts = ids[start : start + window]
        xs = np.concatenate([[0], ids])[start : start + len(ts)]
        state = model.get_state()
        log_probs[start : start + window] = model.log_probs(xs[None], ts[None])[0]
        model.set_state(state)
        model.forward(xs[None], ts[None])
        model.backward()
        for name, param in model.named_params().items():
            gradient = model.packing.grad[name] * (len(ts) / window)
            gradient *= recurrent if name.startswith("rnn") else 1
            if roots:
                pull = np.minimum(decay * roots[name] / mean, 1)
                param += pull * (trained[name] - param) - lr * gradient / (roots[name] + eps)
            else:
                param += decay * (trained[name] - param) - lr * gradient
    return log_probs, model.named_params()


def plain_copy(model):
    copied = LanguageModel(**model.architecture, rng=None, dtype=np.float64, plain=True)
    for name, param in copied.named_params().items():
        param[...] = model.named_params()[name]
    return copied
