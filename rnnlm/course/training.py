"""Exercises that run the network backward: a step, a window, an update, and how the gradient fades on its way.

The mistakes are made with the package's own step layer, whose backward is called once for each step.
"""

import numpy as np

from rnnlm.course.exercise import Case, Exercise, Mistake, mistake, states, weights
from rnnlm.functions import identity_slope, sigmoid_slope, tanh_slope
from rnnlm.layers import RNN

TWICE = ("tanh is applied twice in the derivative: h is tanh(a) already, so tanh'(a) = 1 - h**2, not 1 - tanh(h)**2.")
NO_SLOPE = "the derivative of tanh is missing: da = dh * (1 - h**2)."
MINUS = "the sign of tanh's derivative is wrong: it is 1 - h**2, never negative; not h**2 - 1."
NO_SQUARE = "the square is missing in the derivative of tanh: it is 1 - h**2, not 1 - h."
SIGMOID = "h * (1 - h) is the derivative of the sigmoid; that of tanh is 1 - h**2."
SLOPES = ((TWICE, lambda h: 1 - np.tanh(h) ** 2), (NO_SLOPE, identity_slope), (MINUS, lambda h: h**2 - 1),
          (NO_SQUARE, lambda h: 1 - h), (SIGMOID, sigmoid_slope))
NOT_TRANSPOSED = "Wh is not transposed: forward h_prev @ Wh, backward da @ Wh.T."
AVERAGED = "averaged over the batch: every row has used the same weights, so their gradients add up, without division."
ONE_ROW = "only one row of the batch is used: the gradients of all N rows add up, as in x.T @ da and da.sum(axis=0)."


def step_cases(rng):
    """Two single steps and the gradients of their states."""
    for N, D, H in ((3, 2, 4), (2, 5, 3)):
        x, h_prev, parameters = rng.normal(size=(N, D)), rng.uniform(-1, 1, (N, H)), weights(rng, D, H)
        h_next = RNN(*parameters.values()).forward(x, h_prev)
        yield Case({"dh_next": rng.normal(size=(N, H)), "x": x, "h_prev": h_prev, "h_next": h_next} | parameters,
                   {"N": N, "D": D, "H": H})


def step_backward(dh_next, x, h_prev, h_next, Wx, Wh, b, slope=tanh_slope):
    """The package's step, backward."""
    layer = RNN(Wx, Wh, b)
    layer.slope = slope
    layer.cache = x, h_prev, h_next
    return *layer.backward(dh_next), *layer.grads


def step_with_slope(says, slope):
    """The step with another derivative of tanh."""
    return Mistake(says, lambda *args: step_backward(*args, slope=slope))


@mistake(NOT_TRANSPOSED)
def step_Wh(dh_next, x, h_prev, h_next, Wx, Wh, b):
    return step_backward(dh_next, x, h_prev, h_next, Wx, Wh.T, b)


@mistake("transposed: the forward product h_prev @ Wh gives dWh = h_prev.T @ da, not da.T @ h_prev.")
def step_dWh(*args):
    dx, dh_prev, dWx, dWh, db = step_backward(*args)
    return dx, dh_prev, dWx, dWh.T, db


@mistake(AVERAGED)
def step_averaged(*args):
    dx, dh_prev, *grads = step_backward(*args)
    return dx, dh_prev, *(grad / len(dx) for grad in grads)


def one_row(row):
    """The weights' gradients from one row of the batch."""
    def answer(dh_next, x, h_prev, h_next, Wx, Wh, b):
        dx, dh_prev, *_ = step_backward(dh_next, x, h_prev, h_next, Wx, Wh, b)
        here = slice(row, row + 1 or None)
        _, _, *grads = step_backward(dh_next[here], x[here], h_prev[here], h_next[here], Wx, Wh, b)
        return dx, dh_prev, *grads

    return Mistake(ONE_ROW, answer)


STEP_BACKWARD = Exercise("backward(dh_next, x, h_prev, h_next, Wx, Wh, b)", ("dx", "dh_prev", "dWx", "dWh", "db"),
                         "the gradients of one step", 4, lambda rng: list(step_cases(rng)), step_backward,
                         (*(step_with_slope(*pair) for pair in SLOPES), step_Wh, step_dWh, step_averaged, one_row(0),
                          one_row(-1)))


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


def each_step(dhs, xs, h0, hs, Wx, Wh, b, *, slope=tanh_slope, order=reversed, carry=1):
    """(dx, dh_prev, dWx, dWh, db) of every step, in the order of time.

    order: in which the steps are worked through; carry: how much of dh_prev goes on to the next of them.
    """
    steps, dh = {}, 0
    for t in order(range(xs.shape[1])):
        h_prev = hs[:, t - 1] if t else h0
        steps[t] = step_backward(dhs[:, t] + carry * dh, xs[:, t], h_prev, hs[:, t], Wx, Wh, b, slope)
        dh = steps[t][1]
    return [steps[t] for t in sorted(steps)]


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
def off_by_one(dhs, xs, h0, hs, Wx, Wh, b):
    dxs, dh0, dWx, _, db = bptt(dhs, xs, h0, hs, Wx, Wh, b)
    steps = (step_backward(dhs[:, t], xs[:, t], hs[:, t], hs[:, t], Wx, Wh, b) for t in range(0))
    return dxs, dh0, dWx, sum((step[3] for step in steps), 0), db


@mistake("h0 is ignored: the state before the first step is h0, not zeros.")
def no_h0(dhs, xs, h0, hs, Wx, Wh, b):
    return combined(each_step(dhs, xs, 0 * h0, hs, Wx, Wh, b))


@mistake("the time loop runs forwards: the gradient comes from the end, for t in reversed(range(T)).")
def forwards(*args):
    return combined(each_step(*args, order=iter), last=-1)


@mistake(NOT_TRANSPOSED)
def window_Wh(dhs, xs, h0, hs, Wx, Wh, b):
    return combined(each_step(dhs, xs, h0, hs, Wx, Wh.T, b))
