"""The exercise of backpropagation through time: the gradients of a window.

The mistakes are made with the package's own step layer, run backward once for each
step.
"""

import numpy as np

from rnnlm.compute.functions import tanh_slope
from rnnlm.course.backward import AVERAGED, NOT_TRANSPOSED, SLOPES, step_backward
from rnnlm.course.exercise import Case, Exercise, Mistake, mistake, states, states_before, weights
from rnnlm.course.updates import CHANGED, RATES, UPDATED, WHEN, updating


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

    before: the states before the steps, if not the right ones; order: in which the
    steps are processed; carry: the part of dh_prev that is carried to the next of them.
    """
    before = states_before(h0, hs) if before is None else before
    steps, dh = {}, 0
    for t in order(range(xs.shape[1])):
        steps[t] = step_backward(dhs[:, t] + carry * dh, xs[:, t], before[:, t], hs[:, t], Wx, Wh, b, slope)
        dh = steps[t][1]
    return [steps[t] for t in sorted(steps)]


def combined(steps, combine=np.sum, last=0):
    """A window's results from those of its steps; last: the last one processed."""
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


@mistake("off by one: h_t is used where h_{t-1} belongs; the step used the state before it, "
         "dWh += h_prev.T @ da with h0 in the first step.")
def off_by_one(dhs, xs, h0, hs, *parameters):
    return combined(each_step(dhs, xs, h0, hs, *parameters, before=hs))


@mistake("the derivative of tanh is taken at h_{t-1}: the tanh of step t made h_t, so it is 1 - hs[:, t]**2.")
def slope_of_the_state_before(dhs, xs, h0, hs, *parameters):
    before = states_before(h0, hs)
    return through_steps(dhs, xs, before, before, *parameters)


def through_steps(dhs, xs, before, hs, Wx, Wh, b, back=lambda da, dh, h, h_prev, Wh: da @ Wh.T,
                  inside=lambda dh, dhs_t, h: (dhs_t + dh) * tanh_slope(h)):
    """The window in plain steps, of which two can be wrong.

    back(da, dh, h, h_prev, Wh): what is carried to the step before.  inside(dh, dhs_t,
    h): da, the gradient of what is inside tanh.
    """
    steps, dh = [], np.zeros_like(dhs[:, 0])
    for t in reversed(range(xs.shape[1])):
        da = inside(dh, dhs[:, t], hs[:, t])
        dh = back(da, dhs[:, t] + dh, hs[:, t], before[:, t], Wh)
        steps.append((da @ Wx.T, dh, xs[:, t].T @ da, before[:, t].T @ da, da.sum(axis=0)))
    return combined(steps[::-1])


def with_back(says, back):
    """The window whose steps hand on something else."""
    return Mistake(says, lambda dhs, xs, h0, hs, *parameters: through_steps(
        dhs, xs, states_before(h0, hs), hs, *parameters, back=back))


def with_inside(inside):
    """The window whose tanh' multiplies only one of the two gradients of each state."""
    return Mistake("the derivative of tanh multiplies a part of the gradient only: h_t gets two gradients, and their "
                   "sum goes through tanh, da = (dhs[:, t] + dh) * (1 - h**2).",
                   lambda dhs, xs, h0, hs, *parameters: through_steps(
                       dhs, xs, states_before(h0, hs), hs, *parameters, inside=inside))


BACKS = (("Wh is missing on the way back: what continues to the step before is da @ Wh.T, not da.",
          lambda da, dh, h, h_prev, Wh: da),
         ("the gradient that continues to the step before has not gone through tanh: it is da @ Wh.T, not dh @ Wh.T.",
          lambda da, dh, h, h_prev, Wh: dh @ Wh.T),
         ("the derivative of tanh is applied twice for each step, before Wh.T and after it: once, in da.",
          lambda da, dh, h, h_prev, Wh: da @ Wh.T * tanh_slope(h_prev)))
INSIDES = (lambda dh, dhs_t, h: dhs_t * tanh_slope(h) + dh, lambda dh, dhs_t, h: dhs_t + dh * tanh_slope(h))


@mistake("dh0 is the gradient of h_1: it goes through the first step, too, so dh0 is the last da @ Wh.T.")
def dh0_of_the_first_state(dhs, xs, h0, hs, *parameters):
    dxs, _, *grads = bptt(dhs, xs, h0, hs, *parameters)
    return dxs, dhs[:, 0] + each_step(dhs, xs, h0, hs, *parameters)[1][1], *grads


@mistake("dxs is in reversed order: the loop runs from the end, so turn its results round, or write into dxs[:, t].")
def reversed_dxs(*args):
    dxs, *others = bptt(*args)
    return dxs[:, ::-1], *others


@mistake("x_{t-1} is used where x_t belongs: step t has read xs[:, t], dWx += xs[:, t].T @ da.")
def input_before(dhs, xs, *args):
    dxs, dh0, _, *grads = bptt(dhs, xs, *args)
    return dxs, dh0, bptt_with_inputs(dhs, np.roll(xs, 1, axis=1), *args), *grads


def bptt_with_inputs(dhs, xs, h0, hs, *parameters):
    """dWx from these inputs and the states as they are."""
    return combined(each_step(dhs, xs, h0, hs, *parameters))[2]


@mistake("the last step is left out: steps count from 0 to T - 1, so the loop is over reversed(range(T)).")
def last_step_skipped(dhs, xs, h0, hs, *parameters):
    *steps, last = each_step(np.concatenate([dhs[:, :-1], 0 * dhs[:, -1:]], axis=1), xs, h0, hs, *parameters)
    return combined([*steps, last])


@mistake("the last state's gradient counts twice: begin with dh = 0, as dhs[:, t] is added in every step.")
def last_twice(dhs, *args):
    return bptt(np.concatenate([dhs[:, :-1], 2 * dhs[:, -1:]], axis=1), *args)


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


@mistake("dh piles up: what continues to the step before is da @ Wh.T alone; dh = da @ Wh.T, not dh += da @ Wh.T.")
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


def updated_at(lr, early, running):
    """The gradients of a window whose weights change within the loop, at rate lr."""
    return Mistake(UPDATED, lambda *args: combined(updating(*args, lr, early, running)[0]))


BPTT_MISTAKES = (*(window_with_slope(*pair) for pair in SLOPES), minus_slope, multiplied, first_step_left,
                 last_step_left, not_carried, averaged_over_time, averaged_over_batch, averaged_over_both,
                 only_last_dhs, off_by_one, slope_of_the_state_before, *(with_back(*pair) for pair in BACKS),
                 *map(with_inside, INSIDES), input_before, last_step_skipped, last_twice, no_h0, wrapped,
                 first_step_skipped, piled_up, forwards, window_Wh)
BPTT = Exercise("backward(dhs, xs, h0, hs, Wx, Wh, b)", ("dxs", "dh0", "dWx", "dWh", "db"),
                "the gradients of a window, from those of all its states", 4, window_cases, bptt,
                (*BPTT_MISTAKES, dh0_of_the_first_state, reversed_dxs,
                 *(updated_at(lr, *when) for lr in RATES for when in WHEN)),
                changed=dict.fromkeys(("Wx", "Wh", "b"), CHANGED))
