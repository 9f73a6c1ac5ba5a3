"""What every layer is: parameters, their gradients, a forward and a backward pass.

The contract, which the trainer and the models build on:

- ``params`` and ``grads`` are lists of arrays in the same order; the arrays are filled anew, never exchanged.
- ``backward`` overwrites ``grads``; calling it twice after one ``forward`` gives the same result.
- A layer never writes into its input, nor into an array it has handed out.
"""

import numpy as np


class Layer:
    """A differentiable function with parameters. Subclasses write ``forward`` and ``backward``."""

    def __init__(self, *params):
        self.params = list(params)
        self.grads = [np.zeros_like(p) for p in params]
        self.cache = None  # what forward leaves for backward
