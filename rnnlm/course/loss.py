"""Exercises about the loss: its value, its gradient, and perplexity."""

import math

import numpy as np

from rnnlm.course.exercise import Case, Exercise, Mistake, mistake
from rnnlm.evaluation import perplexity
from rnnlm.functions import softmax
from rnnlm.layers import TimeSoftmaxWithLoss

OVERFLOW = ("overflow: exp of a large score is inf, and inf / inf is nan. Take the largest out of what goes into exp, "
            "as in scores - scores.max(axis=-1, keepdims=True): the probabilities stay the same.")
MAX_OF_ALL = ("overflow: the largest score must be that of each position, scores.max(axis=-1, keepdims=True). "
              "The largest of all leaves only zeros where all scores are low.")


def cases(rng):
    """Two windows of scores; scores so large that exp of them overflows; and some high beside some low."""
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
                       log_of_mean, not_averaged, log_likelihood, mean_over_words,
                       *(over_axis(axis) for axis in (0, 1, None))), signs=(log_of_zero,))


def gradient(scores, targets):
    """The package's gradient of the loss."""
    layer = TimeSoftmaxWithLoss()
    layer.forward(scores, targets)
    return layer.backward()


@mistake("not divided by N*T: the loss is a mean over N*T positions, so is its gradient.")
def not_divided(scores, targets):
    return gradient(scores, targets) * targets.size


@mistake("divided by N only: the loss is a mean over N*T positions, so is its gradient.")
def divided_by_N(scores, targets):
    return gradient(scores, targets) * targets.shape[1]


@mistake("divided by T only: the loss is a mean over N*T positions, so is its gradient.")
def divided_by_T(scores, targets):
    return gradient(scores, targets) * targets.shape[0]


@mistake("the sign is wrong: the gradient is p - onehot(target), not onehot(target) - p.")
def minus_gradient(scores, targets):
    return -gradient(scores, targets)


@mistake("the sign is wrong, and it is not divided by N*T: the gradient is (p - onehot(target)) / (N*T).")
def minus_not_divided(scores, targets):
    return -gradient(scores, targets) * targets.size


@mistake("the onehot is not subtracted: the gradient is p - onehot(target), p at the target less 1.")
def no_onehot(scores, targets):
    return softmax(scores) / targets.size


@mistake("the onehot is not subtracted, and it is not divided by N*T: the gradient is (p - onehot(target)) / (N*T).")
def only_probs(scores, targets):
    return softmax(scores)


@mistake("1 is subtracted after the division: subtract it from p at the target, then divide everything by N*T.")
def divided_too_early(scores, targets):
    return gradient(scores, targets) - np.eye(scores.shape[2])[targets] * (1 - 1 / targets.size)


@mistake("only the 1 at the target is divided by N*T: so must p be; subtract 1 from p first, then divide everything.")
def only_onehot_divided(scores, targets):
    return softmax(scores) - np.eye(scores.shape[2])[targets] / targets.size


@mistake("1 is subtracted at every target of the window in each position: p[..., targets] takes all of them; "
         "the target of its own belongs to each position, np.eye(V)[targets].")
def all_targets(scores, targets):
    return (softmax(scores) - np.isin(np.arange(scores.shape[2]), targets)) / targets.size


LOSS_BACKWARD = Exercise("backward(scores, targets)", ("dscores",), "the gradient of the loss", 3,
                         cases, gradient,
                         (not_divided, divided_by_N, divided_by_T, minus_gradient, minus_not_divided, no_onehot,
                          only_probs, divided_too_early, only_onehot_divided, all_targets))


def perplexity_cases(rng):
    """Windows of unequal length, their losses in nats."""
    for K in (4, 6):
        losses, counts = rng.uniform(1, 4, K), rng.permutation(np.arange(2, 2 + K) ** 2)
        yield Case({"losses": losses, "counts": counts}, {"windows": K})


def over_all(losses, counts):
    """The package's perplexity: exp(total nats / total targets)."""
    return perplexity((losses * counts).sum(), counts.sum())


MEAN_OF_PERPLEXITIES = ("a mean of perplexities: add up the nats of all windows, divide by the number of all targets, "
                        "and take exp once, at the end.")


@mistake(MEAN_OF_PERPLEXITIES)
def mean_of_perplexities(losses, counts):
    return np.exp(losses).mean()


@mistake(MEAN_OF_PERPLEXITIES)
def weighted_mean_of_perplexities(losses, counts):
    return np.average(np.exp(losses), weights=counts)


@mistake("a mean of the windows' losses in which a short window counts as much as a long one: "
         "weigh each loss with its number of targets, (losses * counts).sum() / counts.sum().")
def unweighted(losses, counts):
    return np.exp(losses.mean())


@mistake("a window's loss is a mean already: make it a sum again, losses * counts, before you divide by all targets.")
def means_added(losses, counts):
    return np.exp(losses.sum() / counts.sum())


@mistake("the sign is wrong in the exponent: a loss is -log p already, so exp(loss), not exp(-loss).")
def minus_loss(losses, counts):
    return 1 / over_all(losses, counts)


@mistake("2 ** where exp belongs: the losses are in nats, not in bits.")
def power_of_two(losses, counts):
    return 2 ** np.average(losses, weights=counts)


@mistake("2 ** where exp belongs, and a short window counts as much as a long one.")
def unweighted_power_of_two(losses, counts):
    return 2 ** losses.mean()


@mistake("exp is missing: this is the mean loss in nats; perplexity is its exp.")
def no_exp(losses, counts):
    return np.average(losses, weights=counts)


PERPLEXITY = Exercise("perplexity(losses, counts)", ("perplexity",),
                      "that of a text, from each window's mean loss in nats and its number of targets", 8,
                      perplexity_cases, over_all,
                      (mean_of_perplexities, weighted_mean_of_perplexities, unweighted, means_added, minus_loss,
                       power_of_two, unweighted_power_of_two, no_exp))
