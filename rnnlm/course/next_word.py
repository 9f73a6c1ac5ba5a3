"""The exercise of writing: the probabilities of the next word."""

import numpy as np

from rnnlm.compute.functions import softmax
from rnnlm.course.exercise import Case, Exercise, mistake
from rnnlm.course.loss import OVERFLOW
from rnnlm.scoring.generation import next_probs


def next_word_cases(rng):
    """Rows of scores: two at a low and a high temperature, one whose exp overflows."""
    for V, temperature, center, *about in ((7, 0.5, 0), (6, 2.0, 0), (7, 0.5, 1000, "scores around 1000", OVERFLOW)):
        yield Case({"scores": center + rng.normal(size=V), "temperature": temperature}, {"V": V}, *about)


@mistake("multiplied by the temperature: the scores are divided by it, so that a low one sharpens.")
def multiplied(scores, temperature):
    return next_probs(scores, 1 / temperature)


@mistake("the temperature is ignored: divide the scores by it before the softmax. "
         "To divide the probabilities and normalise them again changes nothing.")
def ignored(scores, temperature):
    return next_probs(scores)


NOT_RENORMALISED = "the temperature is applied to the probabilities, which no longer add up to 1: divide the scores."


@mistake(NOT_RENORMALISED)
def divided_probs(scores, temperature):
    return softmax(scores) / temperature


@mistake(NOT_RENORMALISED)
def multiplied_probs(scores, temperature):
    return softmax(scores) * temperature


@mistake(NOT_RENORMALISED)
def power_of_probs(scores, temperature):
    return softmax(scores) ** (1 / temperature)


@mistake(NOT_RENORMALISED)
def wrong_power_of_probs(scores, temperature):
    return softmax(scores) ** temperature


@mistake("logarithms of the probabilities: return the probabilities themselves.")
def logarithms(scores, temperature):
    return np.log(next_probs(scores, temperature))


@mistake("all of it on the likeliest word: the others keep their share, so that one of them may be drawn.")
def likeliest(scores, temperature):
    return np.eye(len(scores))[scores.argmax()]


@mistake("the likeliest word itself: return the probabilities of all words (V,); one is drawn later.")
def its_id(scores, temperature):
    return scores.argmax()


@mistake("upside down: the likeliest word has the highest score, exp(scores / temperature), not exp of minus that.")
def negated(scores, temperature):
    return next_probs(-scores, temperature)


def not_one(case, result):
    """Probabilities that do not add up to 1."""
    if result.shape == case.args["scores"].shape and not abs(result.sum() - 1) < 1e-3:
        return f"the probabilities add up to {result.sum():.6g}, not to 1: divide them by their sum."


NEXT_WORD = Exercise("probs(scores, temperature)", ("probs",), "the probabilities of the next word", 11,
                     next_word_cases, next_probs,
                     (multiplied, ignored, divided_probs, multiplied_probs, power_of_probs, wrong_power_of_probs,
                      logarithms, likeliest, its_id, negated),
                     signs=(not_one,))
