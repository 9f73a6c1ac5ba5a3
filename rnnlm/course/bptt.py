"""The exercise of backpropagation through time: the gradients of a window.

The mistakes are made with the package's own step layer, run backward once for each step.
"""

from itertools import product

import numpy as np

from rnnlm.course.backward import AVERAGED, NOT_TRANSPOSED, SLOPES, step_backward
from rnnlm.course.exercise import Case, Exercise, Mistake, mistake, states, weights
from rnnlm.functions import tanh_slope


def window_cases(rng):
    """Two windows, their states, and the gradients that come from above."""
    for N, T, D, H in ((3, 5, 2, 4), (2, 4, 5, 3)):
        xs, h0, parameters = rng.normal(size=(N, T, D)), rng.uniform(-1, 1, (N, H)), weights(rng, D, H)
        hs, _ = states(xs, h0, **parameters)
        yield Case({"dhs": rng.normal(size=hs.shape), "xs": xs, "h0": h0, "hs": hs} | parameters,
                   {"N": N, "T": T, "D": D, "H": H})


def bptt(dhs, xs, h0, hs, Wx, Wh, b):
    """The package's window, backward."""
    _, layer = states(xs, h0, Wx, Wh, b)
    dxs = layer.backward(dhs)
    return dxs, layer.dh, *layer.grads


def each_step(dhs, xs, h0, hs, Wx, Wh, b, *, before=None, slope=tanh_slope, order=reversed, carry=1):
    """(dx, dh_prev, dWx, dWh, db) of every step, in the order of time.

    before: the states before the steps, if not the right ones; order: in which the steps are worked through;
    carry: how much of dh_prev goes on to the next of them.
    """
    before = states_before(h0, hs) if before is None else before
    steps, dh = {}, 0
    for t in order(range(xs.shape[1])):
        steps[t] = step_backward(dhs[:, t] + carry * dh, xs[:, t], before[:, t], hs[:, t], Wx, Wh, b, slope)
        dh = steps[t][1]
    return [steps[t] for t in sorted(steps)]


def states_before(h0, hs):
    """h_{t-1} for every t: h0, then all the states but the last."""
    return np.concatenate([h0[:, np.newaxis], hs[:, :-1]], axis=1)


def combined(steps, combine=np.sum, last=0):
    """The results of the window from those of its steps; last: the step that was worked through last."""
    dxs, dhs_prev, *grads = (np.stack(values) for values in zip(*steps, strict=True))
    return dxs.swapaxes(0, 1), dhs_prev[last], *(combine(grad, axis=0) for grad in grads)


def window_with_slope(says, slope):
    """The window with another derivative of tanh."""
    return Mistake(says, lambda *args: combined(each_step(*args, slope=slope)))


@mistake("the steps' gradients are multiplied instead of summed over time: the same weights serve in every step, "
         "so their gradients add up. Start from zeros and use +=.")
def multiplied(*args):
    return combined(each_step(*args), np.prod)


minus_slope = window_with_slope("the sign of tanh's derivative is wrong: it is 1 - h**2, never negative; not h**2 - 1.",
                                lambda h: h**2 - 1)

OVERWRITTEN = ("only one step's gradient is left, each step overwrote the one before: "
               "the gradients add up over the steps, += in place of =.")


@mistake(OVERWRITTEN)
def first_step_left(*args):
    steps = each_step(*args)
    return *combined(steps)[:2], *steps[0][2:]


@mistake(OVERWRITTEN)
def last_step_left(*args):
    steps = each_step(*args)
    return *combined(steps)[:2], *steps[-1][2:]


@mistake("the gradient of the next step is not added: h_t serves the scores and the step after it, "
         "so dh = dhs[:, t] + dh_next.")
def not_carried(*args):
    return combined(each_step(*args, carry=0))


@mistake("averaged over the steps: the gradients add up over time, without division by T.")
def averaged_over_time(*args):
    dxs, dh0, *grads = bptt(*args)
    return dxs, dh0, *(grad / dxs.shape[1] for grad in grads)


@mistake(AVERAGED)
def averaged_over_batch(*args):
    dxs, dh0, *grads = bptt(*args)
    return dxs, dh0, *(grad / len(dxs) for grad in grads)


@mistake("averaged over the batch and the steps: the gradients add up; the division by N*T belongs to the loss.")
def averaged_over_both(*args):
    dxs, dh0, *grads = bptt(*args)
    return dxs, dh0, *(grad / (dxs.shape[0] * dxs.shape[1]) for grad in grads)


@mistake("only the last step's gradient from above is used: dhs[:, t] is added in every step.")
def only_last_dhs(dhs, *args):
    last = np.zeros_like(dhs)
    last[:, -1] = dhs[:, -1]
    return bptt(last, *args)


@mistake("off by one: h_t stands where h_{t-1} belongs; the step used the state before it, "
         "dWh += h_prev.T @ da with h0 in the first step.")
def off_by_one(dhs, xs, h0, hs, *parameters):
    return combined(each_step(dhs, xs, h0, hs, *parameters, before=hs))


@mistake("h0 is ignored: the state before the first step is h0, not zeros.")
def no_h0(dhs, xs, h0, hs, *parameters):
    return combined(each_step(dhs, xs, h0, hs, *parameters, before=states_before(0 * h0, hs)))


@mistake("the state before the first step is h0: where t is 0, hs[:, t - 1] is the last state of the window.")
def wrapped(dhs, xs, h0, hs, *parameters):
    return combined(each_step(dhs, xs, h0, hs, *parameters, before=states_before(hs[:, -1], hs)))


@mistake("the first step is left out: steps count from 0, so the loop is over reversed(range(T)).")
def first_step_skipped(*args):
    first, second, *rest = each_step(*args)
    dx, _, *grads = (np.zeros_like(value) for value in first)
    return combined([(dx, second[1], *grads), second, *rest])


@mistake("dh piles up: what goes on to the step before is da @ Wh.T alone; dh = da @ Wh.T, not dh += da @ Wh.T.")
def piled_up(dhs, xs, h0, hs, *parameters):
    before, steps, dh = states_before(h0, hs), [], 0
    for t in reversed(range(xs.shape[1])):
        total = dhs[:, t] + dh
        dx, dh_prev, *grads = step_backward(total, xs[:, t], before[:, t], hs[:, t], *parameters)
        dh = total + dh_prev
        steps.append((dx, dh, *grads))
    return combined(steps[::-1])


@mistake("the time loop runs forwards: the gradient comes from the end, for t in reversed(range(T)).")
def forwards(*args):
    return combined(each_step(*args, order=iter), last=-1)


@mistake(NOT_TRANSPOSED)
def window_Wh(dhs, xs, h0, hs, Wx, Wh, b):
    return combined(each_step(dhs, xs, h0, hs, Wx, Wh.T, b))


UPDATED = ("an update inside the time loop: all steps of the window have used the same weights, so must their "
           "gradients. Add up the gradients of all steps first; the weights change once, after the loop.")

CHANGED = ("an update inside the time loop, or after it: backward only adds up the gradients of all steps, which have "
           "used the same weights. The weights change once, outside.")


def descended(parameters, grads, lr):
    """The weights after a step of gradient descent."""
    return tuple(weight - lr * grad for weight, grad in zip(parameters, grads, strict=True))


def updating(dhs, xs, h0, hs, Wx, Wh, b, lr, early, running):
    """The steps of a window whose weights change after each step, and the weights that are left.

    early: the change comes before the gradient goes on to the step before; running: it is by the sum so far, not by
    the step's gradient alone.
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


def updated_at(lr, early, running):
    """The gradients of a window whose weights change within the loop, at a rate often met."""
    return Mistake(UPDATED, lambda *args: combined(updating(*args, lr, early, running)[0]))


BPTT_MISTAKES = (*(window_with_slope(*pair) for pair in SLOPES), minus_slope, multiplied, first_step_left,
                 last_step_left, not_carried, averaged_over_time, averaged_over_batch, averaged_over_both,
                 only_last_dhs, off_by_one, no_h0, wrapped, first_step_skipped, piled_up, forwards, window_Wh)
BPTT = Exercise("backward(dhs, xs, h0, hs, Wx, Wh, b)", ("dxs", "dh0", "dWx", "dWh", "db"),
                "the gradients of a window, from those of all its states", 4, window_cases, bptt,
                (*BPTT_MISTAKES, *(updated_at(lr, *when) for lr in RATES for when in WHEN)),
                changed=dict.fromkeys(("Wx", "Wh", "b"), CHANGED))
