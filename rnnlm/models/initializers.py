"""First values of the weights, written into the memory that is there.

They are drawn in float64 and rounded to float32, in slices of rows.  A generator gives
the same numbers as in one draw, and the slices take less memory than the array.

A sum of n independent terms has n times the variance of one.  So a product with an (n,
k) matrix keeps the size of its input when the entries have standard deviation 1 /
sqrt(n).
"""

import numpy as np

SLICE = 1 << 18  # numbers that are drawn at a time


def row_slices(out):
    """The rows of a matrix in slices of at most SLICE numbers, or of one row."""
    rows = max(1, SLICE // max(1, out.shape[1]))
    return [slice(first, min(first + rows, len(out))) for first in range(0, len(out), rows)]


def uniform(out, rng, scale=0.1):
    """Uniform on [-scale, scale)."""
    for part in row_slices(out):
        out[part] = rng.uniform(-scale, scale, out[part].shape).astype(np.float32)


def scaled_normal(out, rng, gain=1.0, factors=None):
    """Normal, standard deviation gain / sqrt(rows) (LeCun et al., 1998, section 4.6).

    Parameters
    ----------
    out : (rows, columns), the array to fill.
    rng : numpy.random.Generator that draws.
    gain : see above.
    factors : (columns,), what each column is multiplied by after that; None: nothing.
    """
    for part in row_slices(out):
        values = rng.standard_normal(out[part].shape)
        values *= gain / np.sqrt(len(out))
        values = values.astype(np.float32)
        if factors is not None:
            values *= factors
        out[part] = values


def scales(hidden_size, slowest=0.95):
    """The shares a (H,) of its state that each unit keeps: 0 to ``slowest``."""
    return np.linspace(0, slowest, hidden_size)


def time_scales(out, rng, slowest=0.95, noise=0.3):
    """Recurrent weights (H, H) that forget at different speeds: diag(a) + noise.

    Without noise, unit i keeps a share a_i of its state at each step.  So the state
    starts as many leaky sums of the past (leaky integrators: Jaeger et al., 2007; an
    identity start: Le et al., 2015).  A tanh network that starts like this learns over
    tens of steps what one that starts orthogonal does not learn at all.

    Parameters
    ----------
    out : (H, H), the array to fill.
    rng : numpy.random.Generator that draws the noise.
    slowest : the largest share; the a_i are ``scales(H, slowest)``.
    noise : the noise is normal, with standard deviation noise / sqrt(H).
    """
    a = scales(len(out), slowest)
    for part in row_slices(out):
        values = rng.standard_normal(out[part].shape)
        values *= noise / np.sqrt(len(out))
        units = np.arange(part.start, part.stop)
        values[units - part.start, units] += a[part]
        out[part] = values.astype(np.float32)


def orthogonal(out, rng, gain=1.0):
    """A random orthogonal matrix times gain: it keeps lengths (Saxe et al., 2013).

    The QR decomposition of a normal matrix gives one; multiplying by the signs of R's
    diagonal makes every orthogonal matrix equally likely (Mezzadri, 2007).  The array
    must be square.
    """
    _require_square("orthogonal", out)
    Q, R = np.linalg.qr(rng.standard_normal(out.shape))
    Q *= gain
    Q *= np.sign(np.diag(R))
    out[...] = Q.astype(np.float32)


def scaled_identity(out, rng, gain=1.0):
    """The identity times gain: a unit keeps its state (Le et al., 2015, for ReLU)."""
    _require_square("scaled_identity", out)
    out[...] = 0
    np.fill_diagonal(out, np.float32(gain))


def _require_square(name, out):
    if out.shape[0] != out.shape[1]:
        raise ValueError(f"{name} needs a square shape, got {out.shape}")


def log_frequencies(counts):
    """ln of each word's share of the training text, float32, from counts (V,).

    Each count is taken as one more.

    With these output biases, a model that knows nothing yet already predicts each word
    as often as it occurs.
    """
    counts = np.asarray(counts, np.float64) + 1
    return np.log(counts / counts.sum()).astype(np.float32)


RECURRENT = {"orthogonal": orthogonal, "identity": scaled_identity, "normal": scaled_normal}  # (out, rng, gain)
