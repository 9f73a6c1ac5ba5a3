"""Updates of the weights within a window: the mistake, in all its forms."""

from itertools import product

from rnnlm.course.backward import step_backward
from rnnlm.course.exercise import states_before

UPDATED = ("an update inside the time loop: all steps of the window have used the same weights, so must their "
           "gradients. Add up the gradients of all steps first; the weights change once, after the loop.")

CHANGED = ("an update inside the time loop, or after it: backward only adds up the gradients of all steps, which have "
           "used the same weights. The weights change once, outside.")


def descended(parameters, grads, lr):
    """The weights after a step of gradient descent."""
    return tuple(weight - lr * grad for weight, grad in zip(parameters, grads, strict=True))


def updating(dhs, xs, h0, hs, Wx, Wh, b, lr, early, running):
    """The steps of a window whose weights change after each step, and the last weights.

    early: the weights change before the gradient is carried to the step before;
    running: they change by the sum so far, not by the step's gradient alone.
    """
    before, steps, dh, parameters, totals = states_before(h0, hs), {}, 0, (Wx, Wh, b), (0, 0, 0)
    for t in reversed(range(xs.shape[1])):
        inputs = dhs[:, t] + dh, xs[:, t], before[:, t], hs[:, t]
        *through, dWx, dWh, db = step_backward(*inputs, *parameters)
        totals = [total * running + grad for total, grad in zip(totals, (dWx, dWh, db), strict=True)]
        parameters = descended(parameters, totals, lr)
        if early:
            through = step_backward(*inputs, *parameters)[:2]
        steps[t] = *through, dWx, dWh, db
        dh = through[1]
    return [steps[t] for t in sorted(steps)], parameters


WHEN = tuple(product((True, False), repeat=2))  # early, running
RATES = (1, *(digit * scale for scale in (0.1, 0.01, 0.001) for digit in (5, 3, 2, 1)), 1e-4)  # that readers take
