"""First values of the weights, float32, from a generator that the caller hands in.

A sum of n independent terms has n times the variance of one, so a product with an (n, k) matrix
keeps the size of its input when the entries have standard deviation 1 / sqrt(n).
"""

import numpy as np


def uniform(shape, rng, scale=0.1):
    """Uniform on [-scale, scale)."""
    return rng.uniform(-scale, scale, shape).astype(np.float32)


def scaled_normal(shape, rng, gain=1.0):
    """Normal with standard deviation gain / sqrt(rows) (LeCun et al., 1998, section 4.6)."""
    values = rng.standard_normal(shape)
    values *= gain / np.sqrt(shape[0])
    return values.astype(np.float32)


def time_scales(hidden_size, rng, slowest=0.95, noise=0.3):
    """Recurrent weights (H, H) of units that forget at different speeds, and the rates a (H,) of forgetting.

    diag(a) + normal noise of standard deviation noise / sqrt(H), a from 0 to ``slowest``: alone, unit i
    keeps a share a_i of its state at each step, so the state starts as many leaky sums of the past
    (leaky integrators: Jaeger et al., 2007; an identity start: Le et al., 2015).  A tanh network that
    starts like this learns over tens of steps what one that starts orthogonal does not learn at all.
    """
    H = hidden_size
    a = np.linspace(0, slowest, H)
    return (np.diag(a) + rng.standard_normal((H, H)) * (noise / np.sqrt(H))).astype(np.float32), a


def orthogonal(shape, rng, gain=1.0):
    """A random orthogonal matrix times gain: keeps the length of a vector (Saxe et al., 2013).

    The QR decomposition of a normal matrix gives one; multiplying by the signs of R's diagonal
    makes every orthogonal matrix equally likely (Mezzadri, 2007). shape must be square.
    """
    rows, columns = shape
    if rows != columns:
        raise ValueError(f"orthogonal needs a square shape, got {shape}")
    Q, R = np.linalg.qr(rng.standard_normal(shape))
    return (gain * Q * np.sign(np.diag(R))).astype(np.float32)


def scaled_identity(shape, rng, gain=1.0):
    """The identity times gain: each unit keeps its own state (Le et al., 2015, for ReLU). shape must be square."""
    rows, columns = shape
    if rows != columns:
        raise ValueError(f"scaled_identity needs a square shape, got {shape}")
    return gain * np.eye(rows, dtype=np.float32)


def log_frequencies(counts):
    """ln of the share of each word in the training text, float32, from its counts (V,), each taken as one more.

    As output bias, a model that knows nothing yet already predicts each word as often as it occurs.
    """
    counts = np.asarray(counts, np.float64) + 1
    return np.log(counts / counts.sum()).astype(np.float32)


RECURRENT = {"orthogonal": orthogonal, "identity": scaled_identity, "normal": scaled_normal}  # (shape, rng, gain)
