"""Weight decay for users of the library: which weights it leaves alone."""

import numpy as np
import pytest

from rnnlm import Adam, AdamW, LanguageModel, weight_decays
from rnnlm.errors import ArgumentError


def after_a_step_without_gradients(model, optimizer):
    """The parameters by name, before and after."""
    before = {name: param.copy() for name, param in model.named_params().items()}
    optimizer.update(model.packing.params, [np.zeros_like(param) for param in model.packing.params])
    return before, model.named_params()


@pytest.mark.parametrize("cell", ["rnn", "mrnn", "lstm", "gru"])
@pytest.mark.parametrize("tied", [True, False])
def test_neither_biases_nor_what_a_unit_keeps_of_its_state_decays(cell, tied, rng):
    model = LanguageModel(7, 4, 5, layers=2, cell=cell, tied=tied, projection=True, rng=rng)
    for param in model.params:
        param += 1
    optimizer = Adam(0.1, decays=weight_decays(model, 0.5, 0.2))
    before, after = after_a_step_without_gradients(model, optimizer)
    for name, param in after.items():
        kept = np.full(param.shape, 0.95 if name in ("embedding/W", "affine/W") else 0.98)
        if param.ndim == 1:
            kept[...] = 1
        if cell.endswith("rnn") and name.endswith("/Wh"):
            np.fill_diagonal(kept, 1)
        np.testing.assert_allclose(param, before[name] * kept, rtol=1e-6, err_msg=name)


def test_one_decay_is_for_words_and_matrices_and_none_is_none(rng):
    model = LanguageModel(7, 4, 5, cell="lstm", rng=rng)
    decays = dict(zip(model.packing.groups, weight_decays(model, 0.1), strict=True))
    assert decays == {"words": 0.1, "matrices": 0.1, "biases": 0.0}
    assert weight_decays(LanguageModel(7, 4, 5, rng=rng), 0.1, 0)[model.packing.groups.index("matrices")] == 0
    assert AdamW(0.1).decays == ()  # without a model a rule knows no groups: all weights decay alike


@pytest.mark.parametrize(("model", "decay", "message"), [
    (None, 0.1, "model must be a LanguageModel, got None"), ("m", -1, "decay must be a number of at least 0, got -1")])
def test_wrong_arguments_are_one_line(model, decay, message, rng):
    with pytest.raises(ArgumentError, match=message):
        weight_decays(LanguageModel(3, 2, 2, rng=rng) if model else model, decay)
