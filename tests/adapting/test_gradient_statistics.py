"""Mean squares of gradients, compared with a sum written out."""

import numpy as np
import pytest
from dynamic_models import FORMS, model_of, plain_copy, text_of

from rnnlm.adapting import gradient_statistics as module
from rnnlm.adapting.gradient_statistics import gradient_statistics
from rnnlm.errors import ArgumentError, DivergenceError, RnnlmError
from rnnlm.models.gradient_statistics import GradientStatistics


@pytest.mark.parametrize("form", FORMS)
def test_mean_squares_are_those_written_out(form, monkeypatch):
    monkeypatch.setattr(module, "BATCH", 3)
    model, ids, window = model_of(**FORMS[form]), text_of(62), 4
    seen = []
    found = gradient_statistics(model, ids, window, on_window=seen.append)
    plain, length = plain_copy(model), 61 // 3
    sums = dict.fromkeys(plain.named_params(), 0)
    starts = range(0, length, window)
    for start in starts:
        stop = min(start + window, length)
        xs, ts = ([ids[i * length + start + shift : i * length + stop + shift] for i in range(3)] for shift in (0, 1))
        plain.forward(np.array(xs), np.array(ts))
        plain.backward()
        for name in sums:
            sums[name] = sums[name] + plain.packing.grad[name] ** 2
    assert (found.window, found.batch, found.steps, sum(seen)) == (4, 3, len(starts), 60)
    for name, total in sums.items():
        np.testing.assert_allclose(found.mean_squares[name], total / len(starts), rtol=1e-9, atol=1e-15)


def test_the_model_stays_as_it_is():
    model = model_of(np.float32)
    model.log_probs(np.array([[1, 2]]), np.array([[2, 3]]))
    before, state = [param.copy() for param in model.params], model.get_state()[0][0].copy()
    gradient_statistics(model, text_of(50))
    assert all(map(np.array_equal, model.params, before))
    np.testing.assert_array_equal(model.get_state()[0][0], state)


@pytest.mark.parametrize(("n", "batch"), [(3, 1), (11, 2), (1001, 100)])
def test_a_short_text_has_fewer_streams(n, batch):
    assert gradient_statistics(model_of(), text_of(n)).batch == batch


def test_the_mean_is_over_parameters_however_large():
    statistics = GradientStatistics({"a": np.full(100, 4.0), "b": np.full((1, 1), 16.0)}, 5, 100, 1)
    assert statistics.mean_root() == 3


def test_what_cannot_be_is_refused():
    with pytest.raises(RnnlmError, match="3 tokens"):
        gradient_statistics(model_of(), text_of(2))
    with pytest.raises(ArgumentError, match="window"):
        gradient_statistics(model_of(), text_of(50), 0)
    with pytest.raises(ArgumentError, match="a LanguageModel"):
        gradient_statistics("model", text_of(50))
    broken = model_of()
    broken.named_params()["affine/b"][0] = np.nan
    with pytest.raises(DivergenceError, match="not finite"):
        gradient_statistics(broken, text_of(50))
