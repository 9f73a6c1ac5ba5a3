"""Rates and weight decays that 32-bit numbers can hold, and that change weights without taking them away."""

import numpy as np

from rnnlm.errors import RnnlmError
from rnnlm.text.batches import MORE

SMALLEST_NORMAL = float(np.finfo(np.float32).tiny)
SMALLEST_CHANGE = 3e-8  # of 1 in 32 bits: a little more than half of what the next smaller number is away


def require_possible_rates(options):
    """RnnlmError if a rate is no number of 32 bits, or a decay takes all of a weight in one step, or nothing."""
    matrix_rate = options.lr * options.matrix_lr_factor
    if not SMALLEST_NORMAL < matrix_rate < 1 / SMALLEST_NORMAL:
        raise RnnlmError(f"--lr times --matrix-lr-factor must be a 32-bit number, got {matrix_rate:g}: change one of "
                         "them")
    longest = 1 + MORE / options.time_size if options.random_length else 1
    for name, rate in (("weight_decay", options.lr), ("matrix_weight_decay", matrix_rate)):
        _require_possible_decay(name, getattr(options, name), rate * longest,
                                ", the rate of the longest window" if options.random_length else "")


def _require_possible_decay(name, decay, rate, which):
    product = f"--{name.replace('_', '-')} times the rate"
    if decay * rate >= 1:
        raise RnnlmError(f"{product} must be below 1, because each step shrinks the weights by that share; got "
                         f"{decay:g} times {rate:g}{which}: lower the decay or --lr")
    if decay and np.float32(1 - decay * rate) == 1:
        enough = 1.06 * SMALLEST_CHANGE / rate  # so that it is still enough when it is rounded
        raise RnnlmError(f"{product} must be 0 or at least {SMALLEST_CHANGE:g}, because less changes no 32-bit weight; "
                         f"got {decay:g} times {rate:g}{which}: give 0 or at least {enough:.2g}")
