"""Exercises that run the network forward: a step, a window, window after window."""

import numpy as np

from rnnlm.course.exercise import Case, Exercise, Mistake, mistake, states, weights
from rnnlm.layers import RNN, TimeRNN


def step_cases(rng):
    """Two single steps."""
    for N, D, H in ((3, 2, 4), (2, 5, 3)):
        yield Case({"x": rng.normal(size=(N, D)), "h_prev": rng.uniform(-1, 1, (N, H))} | weights(rng, D, H),
                   {"N": N, "D": D, "H": H})


def step(x, h_prev, Wx, Wh, b):
    """The package's step."""
    return RNN(Wx, Wh, b).forward(x, h_prev)


@mistake("b is missing: h_next = tanh(x Wx + h_prev Wh + b).")
def no_b(x, h_prev, Wx, Wh, b):
    return step(x, h_prev, Wx, Wh, 0 * b)


@mistake("h_prev Wh is missing: without it the network has no memory. h_next = tanh(x Wx + h_prev Wh + b).")
def no_memory(x, h_prev, Wx, Wh, b):
    return step(x, h_prev, Wx, 0 * Wh, b)


@mistake("x Wx is missing: without it the network does not read. h_next = tanh(x Wx + h_prev Wh + b).")
def no_input(x, h_prev, Wx, Wh, b):
    return step(x, h_prev, 0 * Wx, Wh, b)


@mistake("tanh is missing: the sum x Wx + h_prev Wh + b goes through np.tanh.")
def no_tanh(x, h_prev, Wx, Wh, b):
    return RNN(Wx, Wh, b, activation="identity").forward(x, h_prev)


@mistake("sigmoid in place of tanh: the states lie between -1 and 1, np.tanh(a), not between 0 and 1.")
def sigmoid_step(x, h_prev, Wx, Wh, b):
    return RNN(Wx, Wh, b, activation="sigmoid").forward(x, h_prev)


@mistake("ReLU in place of tanh: np.tanh(a), not np.maximum(a, 0).")
def relu_step(x, h_prev, Wx, Wh, b):
    return RNN(Wx, Wh, b, activation="relu").forward(x, h_prev)


@mistake("tanh is applied twice: once, to the whole sum.")
def tanh_twice(x, h_prev, Wx, Wh, b):
    return np.tanh(step(x, h_prev, Wx, Wh, b))


@mistake("b is subtracted: h_next = tanh(x Wx + h_prev Wh + b).")
def minus_b(x, h_prev, Wx, Wh, b):
    return step(x, h_prev, Wx, Wh, -b)


@mistake("the old state itself is added: it comes in through h_prev Wh alone, h_next = tanh(x Wx + h_prev Wh + b).")
def old_state_added(x, h_prev, Wx, Wh, b):
    return h_prev + step(x, h_prev, Wx, Wh, b)


@mistake("Wh is transposed: write h_prev @ Wh, without .T and with h_prev in front.")
def transposed_Wh(x, h_prev, Wx, Wh, b):
    return step(x, h_prev, Wx, Wh.T, b)


WHOLE_SUM = "tanh goes around the whole sum: np.tanh(x @ Wx + h_prev @ Wh + b), not around a part of it."


@mistake(WHOLE_SUM)
def tanh_of_input(x, h_prev, Wx, Wh, b):
    return step(x, h_prev, Wx, 0 * Wh, 0 * b) + h_prev @ Wh + b


@mistake(WHOLE_SUM)
def tanh_without_b(x, h_prev, Wx, Wh, b):
    return step(x, h_prev, Wx, Wh, 0 * b) + b


@mistake(WHOLE_SUM)
def tanh_without_memory(x, h_prev, Wx, Wh, b):
    return step(x, h_prev, Wx, 0 * Wh, b) + h_prev @ Wh


@mistake(WHOLE_SUM)
def two_tanhs(x, h_prev, Wx, Wh, b):
    return step(x, h_prev, Wx, 0 * Wh, 0 * b) + step(x, h_prev, 0 * Wx, Wh, b)


@mistake(WHOLE_SUM)
def two_tanhs_and_b(x, h_prev, Wx, Wh, b):
    return step(x, h_prev, Wx, 0 * Wh, 0 * b) + step(x, h_prev, 0 * Wx, Wh, 0 * b) + b


STEP_MISTAKES = (no_b, no_memory, no_input, no_tanh, sigmoid_step, relu_step, tanh_twice, minus_b, old_state_added,
                 transposed_Wh, tanh_of_input, tanh_without_b, tanh_without_memory, two_tanhs, two_tanhs_and_b)
STEP = Exercise("forward(x, h_prev, Wx, Wh, b)", ("h_next",), "one step, h_next = tanh(x Wx + h_prev Wh + b)", 1,
                step_cases, step, STEP_MISTAKES)


def unroll_cases(rng):
    """Two windows, each with a state that comes in."""
    for N, T, D, H in ((3, 5, 2, 4), (2, 4, 5, 3)):
        yield Case({"xs": rng.normal(size=(N, T, D)), "h0": rng.uniform(-1, 1, (N, H))} | weights(rng, D, H),
                   {"N": N, "T": T, "D": D, "H": H})


def unrolled(xs, h0, Wx, Wh, b):
    """The package's window."""
    return states(xs, h0, Wx, Wh, b)[0]


def with_step(wrong):
    """The window in which every step makes this mistake."""
    def answer(xs, h0, Wx, Wh, b):
        h, hs = h0, []
        for t in range(xs.shape[1]):
            h = wrong.answer(xs[:, t], h, Wx, Wh, b)
            hs.append(h)
        return np.stack(hs, axis=1)

    return Mistake(wrong.says, answer)


@mistake("h0 is ignored: the first step starts from h0, not from zeros.")
def from_zeros(xs, h0, Wx, Wh, b):
    return unrolled(xs, 0 * h0, Wx, Wh, b)


@mistake("the state is not carried: every step starts from h0. Inside the loop, h = tanh(x_t Wx + h Wh + b).")
def not_carried(xs, h0, Wx, Wh, b):
    return np.stack([step(x, h0, Wx, Wh, b) for x in xs.swapaxes(0, 1)], axis=1)


@mistake("every step reads the first input: step t reads xs[:, t].")
def first_input(xs, h0, Wx, Wh, b):
    return unrolled(np.repeat(xs[:, :1], xs.shape[1], axis=1), h0, Wx, Wh, b)


@mistake("the sequence is read from its end: the first step reads xs[:, 0], for t in range(T).")
def read_backwards(xs, h0, Wx, Wh, b):
    return unrolled(xs[:, ::-1], h0, Wx, Wh, b)


@mistake("only the last state came back: keep the state of every step, (N, T, H).")
def last_state(xs, h0, Wx, Wh, b):
    return unrolled(xs, h0, Wx, Wh, b)[:, -1]


@mistake("the steps come before the batch, (T, N, H): the shape is (N, T, H); use np.stack(states, axis=1).")
def time_major(xs, h0, Wx, Wh, b):
    return unrolled(xs, h0, Wx, Wh, b).swapaxes(0, 1)


@mistake("every step shows the last state: one array was filled anew in each step, and kept under several names. "
         "Make a new one in each step, or keep a copy.")
def same_array(xs, h0, Wx, Wh, b):
    return np.repeat(unrolled(xs, h0, Wx, Wh, b)[:, -1:], xs.shape[1], axis=1)


FIRST_IS_H0 = "h0 is in front as if it were the first state: hs[:, 0] is the state after the first step."


@mistake(FIRST_IS_H0)
def h0_and_all(xs, h0, Wx, Wh, b):
    return np.concatenate([h0[:, np.newaxis], unrolled(xs, h0, Wx, Wh, b)], axis=1)


@mistake(FIRST_IS_H0)
def h0_and_all_but_last(xs, h0, Wx, Wh, b):
    return h0_and_all.answer(xs, h0, Wx, Wh, b)[:, :-1]


UNROLL = Exercise("forward(xs, h0, Wx, Wh, b)", ("hs",), "all the states (N, T, H) of a window that starts from h0", 2,
                  unroll_cases, unrolled,
                  (from_zeros, not_carried, first_input, read_backwards, last_state, time_major, same_array, h0_and_all,
                   h0_and_all_but_last, *map(with_step, STEP_MISTAKES)))


def window_cases(rng):
    """Two texts, the last window shorter than the others."""
    for N, L, D, H, T in ((2, 8, 5, 4, 3), (3, 10, 2, 5, 4)):
        yield Case({"xs": rng.normal(size=(N, L, D)), "T": T} | weights(rng, D, H),
                   {"N": N, "L": L, "T": T, "D": D, "H": H})


def windows(xs, T, Wx, Wh, b, stateful=True):
    """The package's layer, window by window."""
    layer = TimeRNN(Wx, Wh, b, stateful)
    return np.concatenate([layer.forward(xs[:, start : start + T]) for start in range(0, xs.shape[1], T)], axis=1)


@mistake("the state starts from zeros in each window: carry the last state of a window into the next. "
         "The backward chain is cut there, the forward chain is not.")
def reset(xs, T, Wx, Wh, b):
    return windows(xs, T, Wx, Wh, b, stateful=False)


@mistake("the last window is dropped because it is shorter than T: read to the end, with range(0, L, T).")
def short_dropped(xs, T, Wx, Wh, b):
    return windows(xs[:, : xs.shape[1] // T * T], T, Wx, Wh, b)


@mistake("the first state of a window is carried into the next: carry its last one, hs[:, -1].")
def first_carried(xs, T, Wx, Wh, b):
    layer, parts = TimeRNN(Wx, Wh, b, stateful=True), []
    for start in range(0, xs.shape[1], T):
        parts.append(layer.forward(xs[:, start : start + T]))
        layer.set_state(parts[-1][:, 0])
    return np.concatenate(parts, axis=1)


@mistake("the state starts from zeros in each window, and the last window, shorter than T, is dropped.")
def reset_and_dropped(xs, T, Wx, Wh, b):
    return reset.answer(xs[:, : xs.shape[1] // T * T], T, Wx, Wh, b)


WINDOWS = Exercise("run(xs, T, Wx, Wh, b)", ("hs",),
                   "the states (N, L, H) of a long text, window by window of T steps, from zeros at its start", 6,
                   window_cases, windows, (reset, short_dropped, reset_and_dropped, first_carried))
