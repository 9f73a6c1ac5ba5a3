"""Generation: the model's own words, drawn one at a time."""

import numpy as np

from rnnlm.functions import softmax

WINDOW = 256  # steps of a prompt read at a time


def next_probs(scores, temperature=1.0, top_k=None, top_p=None, forbidden=()):
    """Probabilities (V,) float64 from which the next word is drawn, given its scores (V,).

    temperature: scores are divided by it; 0 puts everything on the highest.  top_k: only the k most
    probable words (Fan et al., 2018).  top_p: only the most probable words that together reach p
    (Holtzman et al., 2020).  forbidden: ids that are never drawn.  Ties are cut in order of ids.
    """
    scores = np.array(scores, dtype=np.float64)
    scores[list(forbidden)] = -np.inf
    if temperature == 0:
        return np.eye(1, scores.size, int(scores.argmax()))[0]
    # The maximum is taken out before the division: a tiny temperature sends the others to -inf, which is right.
    with np.errstate(over="ignore"):
        probs = softmax((scores - scores.max()) / temperature)
    if top_k is not None or top_p is not None:
        order = np.argsort(-probs, kind="stable")
        kept = len(order) if top_k is None else min(top_k, len(order))
        if top_p is not None:
            kept = min(kept, int(np.searchsorted(np.cumsum(probs[order]), top_p)) + 1)
        probs[order[kept:]] = 0
        probs /= probs.sum()
    return probs


def generate(model, prompt, *, rng, temperature=1.0, top_k=None, top_p=None, forbidden=()):
    """Yield ids for ever: the continuation of ``prompt``, a list of ids that opens with <eos>.

    Each drawn id is fed back once.  From the first ``next`` until the generator is closed, the model's
    state is that of this text; then it is what it was before.
    """
    with model.fresh_state():
        xs = np.array([prompt], dtype=np.int32)
        while xs.shape[1] > WINDOW:  # a long prompt in pieces: the scores of all its steps are not needed
            model.predict(xs[:, :WINDOW])
            xs = xs[:, WINDOW:]
        while True:
            scores = model.predict(xs)[0, -1]
            probs = next_probs(scores, temperature, top_k, top_p, forbidden)
            drawn = int(rng.choice(len(probs), p=probs))
            yield drawn
            xs = np.array([[drawn]], dtype=np.int32)
