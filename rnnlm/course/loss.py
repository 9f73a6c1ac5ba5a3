"""The exercise of the loss: its value."""

import math

import numpy as np

from rnnlm.compute.functions import softmax
from rnnlm.course.exercise import Case, Exercise, Mistake, mistake
from rnnlm.layers import TimeSoftmaxWithLoss

OVERFLOW = ("overflow: exp of a large score is inf, and inf / inf is nan. Take the largest out of what goes into exp, "
            "as in scores - scores.max(axis=-1, keepdims=True): the probabilities stay the same.")
MAX_OF_ALL = ("overflow: the largest score must be that of each position, scores.max(axis=-1, keepdims=True). "
              "The largest of all leaves only zeros where all scores are low.")


def cases(rng):
    """Windows of scores: two plain ones, one whose exp overflows, one high and low."""
    for (N, T, V), centers, *about in (
        ((3, 5, 7), [0]),
        ((2, 4, 6), [0]),
        ((3, 5, 7), [1000], "scores around 1000", OVERFLOW),
        ((3, 5, 7), [1000, -1000], "scores around 1000 in some places, -1000 in others", MAX_OF_ALL),
    ):
        center = rng.permutation(np.resize(centers, N * T)).reshape(N, T, 1)
        yield Case({"scores": center + rng.normal(size=(N, T, V)), "targets": rng.integers(V, size=(N, T))},
                   {"N": N, "T": T, "V": V}, *about)


def loss(scores, targets):
    """The package's loss."""
    return TimeSoftmaxWithLoss().forward(scores, targets)


def target_probs(scores, targets):
    """The probabilities (N, T) of the targets."""
    return np.take_along_axis(softmax(scores), targets[..., np.newaxis], axis=-1)[..., 0]


@mistake("a sum over the positions where the mean belongs: divide by N*T.")
def total(scores, targets):
    return loss(scores, targets) * targets.size


@mistake("a sum over the steps where the mean over all positions belongs: divide by N*T, not by N alone.")
def mean_over_batch(scores, targets):
    return loss(scores, targets) * targets.shape[1]


@mistake("in bits: the logarithm is the natural one, np.log, not np.log2; the loss is in nats.")
def bits(scores, targets):
    return loss(scores, targets) / math.log(2)


PROBABILITIES = "the mean of the probabilities: take -log of each target's probability first, then the mean."


@mistake(PROBABILITIES)
def mean_probability(scores, targets):
    return target_probs(scores, targets).mean()


@mistake(PROBABILITIES)
def minus_mean_probability(scores, targets):
    return -target_probs(scores, targets).mean()


@mistake(PROBABILITIES)
def mean_of_the_rest(scores, targets):
    return 1 - target_probs(scores, targets).mean()


@mistake(PROBABILITIES)
def log_of_mean(scores, targets):
    return -np.log(target_probs(scores, targets).mean())


@mistake("one loss for each position: their mean is the loss, a single number.")
def not_averaged(scores, targets):
    return -np.log(target_probs(scores, targets))


@mistake("the sign is wrong: a logarithm of a probability is negative, the loss is minus that.")
def log_likelihood(scores, targets):
    return -loss(scores, targets)


@mistake("divided by V too: the mean is over the N*T positions; only the target's probability counts in each.")
def mean_over_words(scores, targets):
    return loss(scores, targets) / scores.shape[2]


@mistake("this is the perplexity, exp of the loss: return the mean of -log p itself, in nats.")
def perplexity(scores, targets):
    return np.exp(loss(scores, targets))


@mistake("this is 2 ** loss: return the mean of -log p itself, in nats.")
def power_of_two(scores, targets):
    return 2 ** loss(scores, targets)


@mistake("a logarithm to base 10: take the natural one, np.log; the loss is in nats.")
def base_10(scores, targets):
    return loss(scores, targets) / math.log(10)


SQUARES = "squared errors: the loss of probabilities is the mean of -log p(target)."


@mistake(SQUARES)
def squared_errors(scores, targets):
    return ((softmax(scores) - np.eye(scores.shape[2])[targets]) ** 2).mean()


@mistake(SQUARES)
def summed_squared_errors(scores, targets):
    return squared_errors.answer(scores, targets) * scores.shape[2]


TWO_CLASSES = ("the loss of two classes, with log(1 - p) of all other words added: softmax has made the words share "
               "one sum already, so -log p(target) alone counts.")


@mistake(TWO_CLASSES)
def two_classes(scores, targets):
    rest = np.log1p(-softmax(scores)) * (1 - np.eye(scores.shape[2])[targets])
    return loss(scores, targets) - rest.sum() / targets.size


@mistake(TWO_CLASSES)
def mean_of_two_classes(scores, targets):
    return two_classes.answer(scores, targets) / scores.shape[2]


@mistake("the probability of the likeliest word: take that of the target, p[i, t, targets[i, t]].")
def of_the_likeliest(scores, targets):
    return loss(scores, scores.argmax(axis=-1))


@mistake("the entropy of the probabilities, a mean of -log p over all words: only the target's counts.")
def entropy(scores, targets):
    probs = softmax(scores)
    return -(probs * np.log(probs)).sum() / targets.size


@mistake("softmax is missing: a score is no probability yet, p = exp(score) / sum of exp(scores).")
def without_softmax(scores, targets):
    return -np.take_along_axis(scores, targets[..., np.newaxis], axis=-1).mean()


def over_axis(axis):
    """The loss with a softmax over another axis than the words'."""
    def answer(scores, targets):
        exps = np.exp(scores - scores.max())
        probs = exps / exps.sum(axis=axis, keepdims=True)
        return -np.log(np.take_along_axis(probs, targets[..., np.newaxis], axis=-1)).mean()

    return Mistake("the softmax is over the wrong axis: the probabilities of the words add up to 1 at each position; "
                   "sum over the last axis, axis=-1, keepdims=True.", answer)


def log_of_zero(case, result):
    """An infinite loss where no score is large."""
    if result.shape == () and not np.isfinite(result):
        return "inf or nan: the logarithm of a 0, as in np.log(p * onehot)? Pick the target's p first, then its log."


LOSS = Exercise("loss(scores, targets)", ("loss",), "the mean of -log p(target), in nats", 3, cases,
                loss, (total, mean_over_batch, bits, mean_probability, minus_mean_probability, mean_of_the_rest,
                       log_of_mean, not_averaged, log_likelihood, mean_over_words, perplexity, power_of_two, base_10,
                       squared_errors, summed_squared_errors, two_classes, mean_of_two_classes, of_the_likeliest,
                       entropy, without_softmax,
                       *(over_axis(axis) for axis in (0, 1, None))), signs=(log_of_zero,))
