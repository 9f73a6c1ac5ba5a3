"""The exercise of perplexity: from the losses of windows of unequal length."""

import numpy as np

from rnnlm.compute.functions import perplexity
from rnnlm.course.exercise import Case, Exercise, mistake


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


NOT_DIVIDED = ("nats are not divided: add up losses * counts, divide by the number of all targets, counts.sum(), then "
               "take exp.")


@mistake(NOT_DIVIDED)
def of_all_nats(losses, counts):
    return np.exp((losses * counts).sum())


@mistake(NOT_DIVIDED)
def of_all_losses(losses, counts):
    return np.exp(losses.sum())


@mistake("divided by the number of windows: a window's nats are those of all its targets, so divide by counts.sum().")
def divided_by_windows(losses, counts):
    return np.exp((losses * counts).mean())


@mistake("10 ** where exp belongs: the losses are in nats.")
def power_of_ten(losses, counts):
    return 10 ** np.average(losses, weights=counts)


@mistake("one perplexity for each window: the text has one, exp of all nats by the number of all targets.")
def one_each(losses, counts):
    return np.exp(losses)


@mistake("exp is missing, and a short window counts as much as a long one.")
def unweighted_no_exp(losses, counts):
    return losses.mean()


@mistake("exp is missing: this is the mean loss in nats; perplexity is its exp.")
def no_exp(losses, counts):
    return np.average(losses, weights=counts)


PERPLEXITY = Exercise("perplexity(losses, counts)", ("perplexity",),
                      "that of a text, from each window's mean loss in nats and its number of targets", 8,
                      perplexity_cases, over_all,
                      (mean_of_perplexities, weighted_mean_of_perplexities, unweighted, means_added, minus_loss,
                       power_of_two, unweighted_power_of_two, no_exp, of_all_nats, of_all_losses, divided_by_windows,
                       power_of_ten, one_each, unweighted_no_exp))
