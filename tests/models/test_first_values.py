"""What a seed means: first values are drawn in an order that stays as it is."""

import numpy as np
import pytest

from rnnlm.models import LanguageModel, Start

V, D, H = 7, 4, 5


def normal(rng, rows, columns):
    return rng.standard_normal((rows, columns)) / np.sqrt(rows)


def words_and_gated_layers(rng):
    """Word vectors; then layer after layer the input weights, the recurrent ones."""
    drawn = {"embedding/W": rng.uniform(-0.1, 0.1, (V, D))}
    for number, inputs in ((1, D), (2, H)):
        drawn[f"lstm{number}/Wx"] = normal(rng, inputs, 4 * H)
        drawn[f"lstm{number}/Wh"] = np.hstack([normal(rng, H, H) for _ in range(4)])
    return drawn


def gated_and_untied(rng):
    """The output weights are drawn before the projection, although they follow it."""
    return words_and_gated_layers(rng) | {"affine/W": normal(rng, D, V), "projection/W": normal(rng, H, D)}


def gated_and_tied(rng):
    return words_and_gated_layers(rng) | {"projection/W": normal(rng, H, D)}


def time_scales(rng):
    """The recurrent weights are drawn before the input weights."""
    drawn, kept = {"embedding/W": rng.uniform(-0.1, 0.1, (V, D))}, np.linspace(0, 0.95, H)
    for number, inputs in ((1, D), (2, H)):
        drawn[f"rnn{number}/Wh"] = 0.3 * normal(rng, H, H) + np.diag(kept)
        drawn[f"rnn{number}/Wx"] = normal(rng, inputs, H) * np.sqrt(1 - kept**2)
    return drawn | {"affine/W": normal(rng, H, V)}


@pytest.mark.parametrize(("by_hand", "options"), [
    (gated_and_untied, {"cell": "lstm", "projection": True, "start": Start("normal")}),
    (gated_and_tied, {"cell": "lstm", "tied": True, "start": Start("normal")}),
    (time_scales, {})], ids=lambda value: getattr(value, "__name__", ""))
def test_first_values_are_drawn_in_this_order(by_hand, options):
    model = LanguageModel(V, D, H, layers=2, rng=np.random.default_rng(1), **options)
    drawn = by_hand(np.random.default_rng(1))
    matrices = {name: array for name, array in model.named_params().items() if array.ndim == 2}
    assert matrices.keys() == drawn.keys()
    for name, array in matrices.items():
        np.testing.assert_allclose(array, drawn[name], rtol=1e-6, atol=1e-9, err_msg=name)
