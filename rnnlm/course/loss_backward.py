"""The exercise of the loss, backward: the gradient of the scores."""

import numpy as np

from rnnlm.compute.functions import softmax
from rnnlm.course.exercise import Exercise, mistake
from rnnlm.course.loss import cases
from rnnlm.layers import TimeSoftmaxWithLoss


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


@mistake("softmax is missing: the gradient is p - onehot(target), with probabilities, not with scores.")
def scores_less_onehot(scores, targets):
    return (scores - np.eye(scores.shape[2])[targets]) / targets.size


@mistake("this is the gradient of the target's probability, -1/p: that of the scores goes through softmax as well, "
         "which leaves p - onehot(target).")
def of_the_probability(scores, targets):
    return -np.eye(scores.shape[2])[targets] / softmax(scores) / targets.size


@mistake("p is missing: the other words' scores have a gradient, too, p - onehot(target) everywhere.")
def only_onehot(scores, targets):
    return -np.eye(scores.shape[2])[targets] / targets.size


LOSS_BACKWARD = Exercise("backward(scores, targets)", ("dscores",), "the gradient of the loss", 3,
                         cases, gradient,
                         (not_divided, divided_by_N, divided_by_T, minus_gradient, minus_not_divided, no_onehot,
                          only_probs, divided_too_early, only_onehot_divided, all_targets, scores_less_onehot,
                          of_the_probability, only_onehot))
