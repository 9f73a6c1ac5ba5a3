"""Small random texts, as lines of words and as ids."""

import numpy as np

from rnnlm.text.vocabulary import EOS, UNK, Vocabulary

WORDS = [*"abcdefgh"]


def vocabulary(more=(UNK, "z")):
    """The words of the texts, and some that these never have."""
    return Vocabulary([*WORDS, EOS, *more])


def random_lines(lines=120, longest=8, seed=1):
    """Lines of 0 to ``longest`` words; the first words of the alphabet are frequent."""
    rng = np.random.default_rng(seed)
    return [[WORDS[min(i, 8) - 1] for i in rng.geometric(0.35, rng.integers(0, longest + 1)).tolist()]
            for _ in range(lines)]


def ids_of(lines, words):
    """The ids of lines, each with its end."""
    return np.array([i for line in lines for i in (*(words.ids[word] for word in line), words.eos_id)], np.int32)


def contexts_of(lines, words, count, seed=2):
    """Contexts that the lines have and others, tuples of ids."""
    rng = np.random.default_rng(seed)
    for _ in range(count):
        if rng.random() < 0.4:
            yield tuple(rng.integers(0, 8, rng.integers(0, 6)).tolist())
        else:
            line = lines[int(rng.integers(len(lines)))]
            whole = (words.eos_id, *(words.ids[word] for word in line))
            yield whole[: int(rng.integers(1, len(whole) + 1))][-6:]
