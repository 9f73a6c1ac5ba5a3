"""The exercise of learning: one step of gradient descent, after a whole window."""

from rnnlm.course.backward import step_backward
from rnnlm.course.bptt import BPTT_MISTAKES, bptt, window_cases
from rnnlm.course.exercise import Case, Exercise, Mistake, mistake, states
from rnnlm.course.updates import UPDATED, WHEN, descended, updating
from rnnlm.layers import RNN


def learn_cases(rng):
    """Two windows and a rate at which every mistake is seen in the weights."""
    for case in window_cases(rng):
        names = ("xs", "h0", "dhs", "Wx", "Wh", "b")
        yield Case({name: case.args[name] for name in names} | {"lr": 0.3}, case.sizes)


def learn(xs, h0, dhs, Wx, Wh, b, lr):
    """One step with the package's gradients."""
    return learned(bptt, xs, h0, dhs, Wx, Wh, b, lr)


def learned(backward, xs, h0, dhs, Wx, Wh, b, lr):
    """One step with the gradients of this function."""
    hs, _ = states(xs, h0, Wx, Wh, b)
    return descended((Wx, Wh, b), backward(dhs, xs, h0, hs, Wx, Wh, b)[2:], lr)


def with_gradient(wrong):
    """One step with gradients that have this mistake."""
    return Mistake(wrong.says, lambda *args: learned(wrong.answer, *args))


@mistake("uphill: the loss falls against the gradient, W - lr * dW, not W + lr * dW.")
def ascent(*args):
    *args, lr = args
    return learn(*args, -lr)


@mistake("the rate is not applied: W - lr * dW, not W - dW.")
def no_rate(*args):
    *args, _ = args
    return learn(*args, 1)


@mistake("divided by the rate: W - lr * dW, not W - dW / lr.")
def divided_by_rate(*args):
    *args, lr = args
    return learn(*args, 1 / lr)


@mistake("nothing has changed: return Wx - lr * dWx, Wh - lr * dWh, b - lr * db.")
def unchanged(xs, h0, dhs, Wx, Wh, b, lr):
    return Wx, Wh, b


@mistake("these are the gradients: return the weights after the step, W - lr * dW.")
def gradients(xs, h0, dhs, Wx, Wh, b, lr):
    hs, _ = states(xs, h0, Wx, Wh, b)
    return bptt(dhs, xs, h0, hs, Wx, Wh, b)[2:]


def change(sign):
    """The change alone, with one sign or the other."""
    def answer(xs, h0, dhs, Wx, Wh, b, lr):
        return tuple(sign * lr * grad for grad in gradients.answer(xs, h0, dhs, Wx, Wh, b, lr))

    return Mistake("these are the changes: return the weights after the step, W - lr * dW.", answer)


def updated_backward(early, running):
    """An update after each step of the backward loop."""
    def answer(xs, h0, dhs, Wx, Wh, b, lr):
        hs, _ = states(xs, h0, Wx, Wh, b)
        return updating(dhs, xs, h0, hs, Wx, Wh, b, lr, early, running)[1]

    return Mistake(UPDATED, answer)


@mistake(UPDATED)
def updated_forward(xs, h0, dhs, Wx, Wh, b, lr):
    h, parameters = h0, (Wx, Wh, b)
    for t in range(xs.shape[1]):
        h_prev, h = h, RNN(*parameters).forward(xs[:, t], h)
        parameters = descended(parameters, step_backward(dhs[:, t], xs[:, t], h_prev, h, *parameters)[2:], lr)
    return parameters


LEARN = Exercise("learn(xs, h0, dhs, Wx, Wh, b, lr)", ("Wx", "Wh", "b"),
                 "the weights after one step of gradient descent on a window", 4, learn_cases, learn,
                 (*(updated_backward(*when) for when in WHEN), updated_forward, ascent, no_rate, divided_by_rate,
                  unchanged, gradients, change(1), change(-1), *map(with_gradient, BPTT_MISTAKES)))
