"""Exercises on a step backward: its gradients, and how they fade over many steps."""

import numpy as np

from rnnlm.compute.functions import identity_slope, relu_slope, sigmoid_slope, tanh_slope
from rnnlm.course.exercise import Case, Exercise, Mistake, mistake, weights
from rnnlm.layers import RNN, TimeRNN

TWICE = "tanh is applied twice in the derivative: h is tanh(a) already, so tanh'(a) = 1 - h**2, not 1 - tanh(h)**2."
NO_SLOPE = "the derivative of tanh is missing: da = dh * (1 - h**2)."
NO_SQUARE = "the square is missing in the derivative of tanh: it is 1 - h**2, not 1 - h."
SIGMOID = "h * (1 - h) is the derivative of the sigmoid; that of tanh is 1 - h**2."
OUTER_SQUARE = "the square belongs to h alone: tanh'(a) = 1 - h**2, not (1 - h)**2."
PLUS = "the sign of the square is wrong: tanh'(a) = 1 - h**2, not 1 + h**2."
NO_ONE = "the 1 is missing in the derivative of tanh: it is 1 - h**2, not h**2."
TWICE_NO_SQUARE = "tanh is applied twice, and the square is missing: tanh'(a) = 1 - h**2, not 1 - tanh(h)."
RELU = "h > 0 is the derivative of ReLU; that of tanh is 1 - h**2."
SLOPES = ((TWICE, lambda h: 1 - np.tanh(h) ** 2), (NO_SLOPE, identity_slope), (NO_SQUARE, lambda h: 1 - h),
          (SIGMOID, sigmoid_slope), (OUTER_SQUARE, lambda h: (1 - h) ** 2), (PLUS, lambda h: 1 + h**2),
          (NO_ONE, lambda h: h**2), (TWICE_NO_SQUARE, lambda h: 1 - np.tanh(h)), (RELU, relu_slope))
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


@mistake("h_next is used where h_prev belongs: Wh was multiplied by the state before the step, dWh = h_prev.T @ da.")
def step_h_next(dh_next, x, h_prev, h_next, Wx, Wh, b):
    return step_backward(dh_next, x, h_next, h_next, Wx, Wh, b)


@mistake("the derivative of tanh is taken at h_prev: this step's tanh made h_next, so it is 1 - h_next**2.")
def slope_of_h_prev(dh_next, x, h_prev, h_next, Wx, Wh, b):
    return step_backward(dh_next, x, h_prev, h_prev, Wx, Wh, b)


NO_WH = "Wh is missing on the way back: forward h_prev @ Wh, backward da @ Wh.T."


@mistake(NO_WH)
def step_without_Wh(*args):
    dx, _, dWx, dWh, db = step_backward(*args)
    return dx, step_da(*args), dWx, dWh, db


@mistake("dh_next itself is added to dh_prev: all of it goes through tanh and Wh, dh_prev = da @ Wh.T alone.")
def dh_next_added(dh_next, *args):
    dx, dh_prev, *grads = step_backward(dh_next, *args)
    return dx, dh_next + dh_prev, *grads


def step_da(dh_next, x, h_prev, h_next, Wx, Wh, b):
    """da, the gradient of the sum inside tanh."""
    return dh_next * tanh_slope(h_next)


def summed_over(axis):
    """db from a sum over another axis than the batch."""
    def answer(*args):
        *others, _ = step_backward(*args)
        return *others, step_da(*args).sum(axis=axis)

    return Mistake("summed over the wrong axis: b was added to every row, so the rows add up, da.sum(axis=0).", answer)


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
                         "the gradients of one step", 4, step_cases, step_backward,
                         (*(step_with_slope(*pair) for pair in SLOPES), step_Wh, step_dWh, step_h_next, slope_of_h_prev,
                          step_without_Wh, dh_next_added, summed_over(1), summed_over(None), step_averaged, one_row(0),
                          one_row(-1)))


def norm_cases(rng):
    """Two windows and the gradient of their last state."""
    for N, T, D, H in ((3, 5, 2, 4), (2, 4, 5, 3)):
        Wx, Wh, b = weights(rng, D, H).values()
        hs = TimeRNN(Wx, Wh, b).forward(rng.normal(size=(N, T, D)))
        yield Case({"dh": rng.normal(size=(N, H)), "hs": hs, "Wh": Wh}, {"N": N, "T": T, "H": H})


def arriving(dh, hs, Wh, slope=tanh_slope):
    """The gradients at T + 1 states: that of the last one, dh, carried back."""
    x, Wx, b = np.zeros((len(dh), 1)), np.zeros((1, len(Wh))), np.zeros(len(Wh))  # what is read plays no part
    dhs = [dh]
    for h in reversed(hs.swapaxes(0, 1)):
        dhs.append(step_backward(dhs[-1], x, h, h, Wx, Wh, b, slope)[1])
    return np.stack(dhs[::-1])


def norms(dh, hs, Wh, slope=tanh_slope):
    """The norms with the package's step; the state before the window is none of hs."""
    return np.sqrt((arriving(dh, hs, Wh, slope) ** 2).sum(axis=(1, 2)))[1:]


def norms_with_slope(says, slope):
    """The norms with another derivative of tanh."""
    return Mistake(says, lambda *args: norms(*args, slope=slope))


@mistake("in reversed order: norms[t] belongs to h_t, so the norm of dh itself is last.")
def reversed_norms(*args):
    return norms(*args)[::-1]


@mistake(NOT_TRANSPOSED)
def norms_Wh(dh, hs, Wh):
    return norms(dh, hs, Wh.T)


@mistake("off by one: the norm of dh itself is last, before a step is taken.")
def one_step_late(dh, hs, Wh):
    return np.sqrt((arriving(dh, hs, Wh) ** 2).sum(axis=(1, 2)))[:-1]


@mistake("the norm of da, the gradient of the sum inside tanh: take that of dh, before it goes through tanh.")
def norms_of_da(dh, hs, Wh):
    return np.sqrt(((arriving(dh, hs, Wh)[1:] * tanh_slope(hs.swapaxes(0, 1))) ** 2).sum(axis=(1, 2)))


@mistake("a mean of the rows' norms: the norm is that of the whole array (N, H), one number for each step.")
def mean_of_rows(dh, hs, Wh):
    return np.sqrt((arriving(dh, hs, Wh) ** 2).sum(axis=2)).mean(axis=1)[1:]


def of_each_step(says, size):
    """Another size of the gradient at each state."""
    return Mistake(says, lambda *args: np.array([size(dh) for dh in arriving(*args)[1:]]))


NORM = "the norm is the root of the sum of all squares, np.sqrt((dh ** 2).sum())."
SIZES = ((f"the largest number of each gradient: {NORM}", lambda dh: np.abs(dh).max()),
         (f"a sum without squares: {NORM}", lambda dh: np.abs(dh).sum()),
         (f"a mean without squares: {NORM}", lambda dh: np.abs(dh).mean()),
         (f"the root of the mean of the squares: {NORM}", lambda dh: np.sqrt((dh**2).mean())),
         (f"the largest factor by which the matrix stretches, np.linalg.norm(dh, 2): {NORM} So is np.linalg.norm(dh).",
          lambda dh: np.linalg.norm(dh, 2)))


@mistake("Wh is missing on the way back: dh continues as (dh * (1 - h**2)) @ Wh.T.")
def norms_without_Wh(dh, hs, Wh):
    return norms(dh, hs, np.eye(len(Wh)))


@mistake("the derivative of tanh is taken at the state before: the step that made hs[:, t] has 1 - hs[:, t]**2.")
def norms_off_by_one(dh, hs, Wh):
    return norms(dh, np.roll(hs, 1, axis=1), Wh)


@mistake("squares of the norms: take the square root.")
def squares(*args):
    return norms(*args) ** 2


GRADIENT_NORMS = Exercise("norms(dh, hs, Wh)", ("norms",),
                          "the norm of the gradient at each state h_t, when dh comes in at the last", 5,
                          norm_cases, norms,
                          (reversed_norms, *(norms_with_slope(*pair) for pair in SLOPES), norms_Wh,
                           norms_without_Wh, norms_off_by_one, one_step_late, norms_of_da, mean_of_rows, squares,
                           *(of_each_step(*pair) for pair in SIZES)))
