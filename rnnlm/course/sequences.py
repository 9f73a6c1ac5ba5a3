"""The exercise on sequences of unequal length: where the last gradients go."""

import numpy as np

from rnnlm.classifier.sequences import shares_of_states
from rnnlm.course.exercise import Case, Exercise, mistake


def last_state_cases(rng):
    """Two batches of sequences of unequal length; in the first none fills all steps."""
    for lengths, T, H in (([4, 1, 3], 5, 2), ([6, 3], 6, 4)):
        yield Case({"du": rng.normal(size=(len(lengths), H)), "lengths": np.array(lengths), "T": T},
                   {"N": len(lengths), "T": T, "H": H})


def in_shares(du, lengths, T, pooling):
    """The gradients (N, T, H) of states that are pooled as in the classifier."""
    return shares_of_states(lengths[:, np.newaxis], T, pooling)[..., np.newaxis] * du[:, np.newaxis]


def last_state_backward(du, lengths, T):
    """The classifier's gradients of the states."""
    return in_shares(du, lengths, T, "last")


@mistake("the gradient enters at the last step of the window: a shorter sequence ended before, and what is beyond "
         "its end is padding. Its last state is hs[i, lengths[i] - 1].")
def last_of_window(du, lengths, T):
    return last_state_backward(du, np.full_like(lengths, T), T)


@mistake("the gradient enters at every step of a sequence: only its last state was read. The gradients of the states "
         "before come from the recurrence, later.")
def at_every_step(du, lengths, T):
    return in_shares(du, lengths, T, "mean") * lengths[:, np.newaxis, np.newaxis]


@mistake("the gradient enters at every step of the window, padding included: only the last state was read.")
def at_all_steps(du, lengths, T):
    return np.tile(du[:, np.newaxis], (1, T, 1))


@mistake("the gradient is shared out to all steps of a sequence, as if their mean were read: it was the last state.")
def of_the_mean(du, lengths, T):
    return in_shares(du, lengths, T, "mean")


@mistake("one step too late: steps count from 0, so the last state is hs[i, lengths[i] - 1].")
def too_late(du, lengths, T):
    return last_state_backward(du, lengths + 1, T)


@mistake("the gradient enters at the first step: the last state was read, hs[i, lengths[i] - 1].")
def at_the_first_step(du, lengths, T):
    return last_state_backward(du, np.ones_like(lengths), T)


@mistake("one step too early: the last of lengths[i] steps, counted from 0, is lengths[i] - 1.")
def too_early(du, lengths, T):
    return np.roll(last_state_backward(du, lengths, T), -1, axis=1)  # -1 in a sequence of one step is the last one


@mistake("the gradient is shared out to all steps of the window, padding included: only the last state was read.")
def of_the_mean_of_all(du, lengths, T):
    return at_all_steps.answer(du, lengths, T) / T


@mistake("only the gradient of the last state came back: the layer wants one for every state, (N, T, H), zeros where "
         "nothing was read.")
def without_time(du, lengths, T):
    return du


LAST_STATE_BACKWARD = Exercise("backward(du, lengths, T)", ("dhs",),
                               "the gradients (N, T, H) of all states, from those (N, H) of each sequence's last one",
                               12, last_state_cases, last_state_backward,
                               (last_of_window, at_every_step, at_all_steps, of_the_mean, too_late, at_the_first_step,
                                too_early, of_the_mean_of_all, without_time))
