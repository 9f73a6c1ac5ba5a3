"""The grid of dynamic evaluation on validation text."""

import math
import re

import numpy as np
import pytest
from dynamic_models import model_of, text_of

from rnnlm.adapting import tuning_dynamic as module
from rnnlm.adapting.dynamic import DynamicModel
from rnnlm.adapting.tuning_dynamic import BEYOND, tune_dynamic
from rnnlm.errors import ArgumentError, DivergenceError
from rnnlm.scoring.evaluation import token_log_probs


def test_each_rate_is_tried_with_each_decay_and_the_best_comes_first():
    model, ids, seen = model_of(), text_of(60), []
    found = tune_dynamic(model, ids, 0, "sgd", window=7, lrs=[0.5, 0.01, 0.1, 0.1], decays=[0, 0.2],
                         on_tried=seen.append)
    assert [(tried.lr, tried.decay) for tried in seen] == [(lr, d) for d in (0, 0.2) for lr in (0.01, 0.1, 0.5)]
    assert found == sorted(seen, key=lambda tried: tried.perplexity)
    for tried in found:
        dynamic = DynamicModel(model, "sgd", window=7, lr=tried.lr, decay=tried.decay)
        assert tried.perplexity == pytest.approx(math.exp(-token_log_probs(dynamic, ids, 0).mean()))


def test_the_grid_is_around_the_defaults():
    seen = []
    tune_dynamic(model_of(), text_of(20), 0, "sgd", window=10, on_tried=seen.append)
    usual = DynamicModel(model_of(), "sgd", window=10).settings
    assert {tried.lr / usual.lr for tried in seen[:12]} == {1 / 16, 1 / 4, 1, 4}
    assert {tried.decay / usual.decay for tried in seen[:12]} == {0.5, 1, 2}


def surface(monkeypatch, best_lr, best_decay):
    """The perplexity becomes a bowl over the logarithms of the two rates."""
    monkeypatch.setattr(module, "_perplexity", lambda dynamic, *_: 9 + math.log(
        dynamic.settings.lr / best_lr)**2 + math.log(dynamic.settings.decay / best_decay)**2)


def test_rates_between_those_of_the_grid_are_tried_beside_the_best(monkeypatch):
    usual, seen = DynamicModel(model_of(), "sgd").settings, []
    surface(monkeypatch, 1.9 * usual.lr, 0.75 * usual.decay)
    best, *_ = tune_dynamic(model_of(), text_of(20), 0, "sgd", on_tried=seen.append)
    coarse = min(seen[:12], key=lambda tried: tried.perplexity)
    assert (coarse.lr, coarse.decay) == (usual.lr, usual.decay)  # 0.75 is nearer to 1 by its logarithm
    assert [(tried.lr, tried.decay) for tried in seen[12:]] == [  # the grid's step is 4 for lr, and 2 for decay
        (0.0025, 1e-3), (0.01, 1e-3), (0.01, 7.07e-4), (0.01, 1.41e-3)]
    assert (best.lr, best.decay) == (0.01, 7.07e-4)


def test_the_search_goes_on_where_the_best_is_at_an_edge(monkeypatch):
    """Two decays above 2 and one rate below 1/16; the next beyond each is worse."""
    usual, seen = DynamicModel(model_of(), "sgd").settings, []
    surface(monkeypatch, usual.lr / 64, 6.1 * usual.decay)
    tune_dynamic(model_of(), text_of(20), 0, "sgd", on_tried=seen.append)
    beyond = [(round(tried.lr / usual.lr, 4), round(tried.decay / usual.decay, 3)) for tried in seen[12:-4]]
    assert beyond == [(0.0625, 4), (0.0625, 8), (0.0625, 16), (0.0156, 8), (0.0039, 8)]


def test_the_search_does_not_go_on_for_ever(monkeypatch):
    monkeypatch.setattr(module, "_perplexity", lambda dynamic, *_: 9 + dynamic.settings.lr)
    found = tune_dynamic(model_of(), text_of(20), 0, "sgd", decays=[0.1])
    assert len(found) == 4 + BEYOND + 2
    assert found[0].lr == pytest.approx(min(tried.lr for tried in found))


@pytest.mark.parametrize(("given", "count"), [({"lrs": [0.1]}, 3 + 2), ({"decays": [0.1]}, 4 + 2),
                                              ({"decays": [0]}, 4 + 2), ({"lrs": [0.1], "decays": [0.1]}, 1)])
def test_what_is_given_is_not_refined(given, count, monkeypatch):
    monkeypatch.setattr(module, "_perplexity", lambda dynamic, *_: 9 + math.log(dynamic.settings.lr / 0.005)**2
                        + (dynamic.settings.decay - 0.001)**2)
    found = tune_dynamic(model_of(), text_of(20), 0, "sgd", **given)
    assert len(found) == count
    for name, values in given.items():
        assert {getattr(tried, name.removesuffix("s")) for tried in found} == set(values)


def test_a_decay_of_all_or_nothing_has_no_value_beyond(monkeypatch):
    found = tune_dynamic(model_of(), text_of(20), 0, "sentence", lrs=[0.1])
    assert [tried.decay for tried in found] == [0]
    surface(monkeypatch, 0.1, 5)
    found = tune_dynamic(model_of(), text_of(20), 0, "sgd", window=5000)
    assert max(tried.decay for tried in found) == found[0].decay == 1


def test_rates_that_diverge_are_the_last():
    found = tune_dynamic(model_of(np.float32), text_of(60), 0, "sgd", lrs=[1e38, 0.01], decays=[0])
    assert [tried.perplexity == math.inf for tried in found] == [False, True]


@pytest.mark.parametrize(("lrs", "message"), [
    ([1e38], "dynamic evaluation diverged with the learning rate 1e+38, so there is none to choose: give a lower one"),
    ([1e37, 1e38], "diverged with each of the learning rates from 1e+37 to 1e+38, so there is none to choose")])
def test_where_every_rate_diverges_none_is_chosen(lrs, message):
    with pytest.raises(DivergenceError, match=re.escape(message)):
        tune_dynamic(model_of(np.float32), text_of(60), 0, "sgd", lrs=lrs)


def test_a_text_without_tokens_is_refused():
    with pytest.raises(ArgumentError, match="a token to tune on"):
        tune_dynamic(model_of(), [], 0, "sgd")
