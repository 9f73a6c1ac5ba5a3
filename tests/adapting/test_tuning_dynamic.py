"""The grid of dynamic evaluation on validation text."""

import math

import numpy as np
import pytest
from dynamic_models import model_of, text_of

from rnnlm.adapting.dynamic import DynamicModel
from rnnlm.adapting.tuning_dynamic import tune_dynamic
from rnnlm.errors import ArgumentError
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
    seen = tune_dynamic(model_of(), text_of(20), 0, "sgd", window=10)
    usual = DynamicModel(model_of(), "sgd", window=10).settings
    assert {tried.lr / usual.lr for tried in seen} == {1 / 16, 1 / 4, 1, 4}
    assert {tried.decay / usual.decay for tried in seen} == {0.5, 1, 2}


def test_rates_that_diverge_are_the_last():
    found = tune_dynamic(model_of(np.float32), text_of(60), 0, "sgd", lrs=[1e38, 0.01], decays=[0])
    assert [tried.perplexity == math.inf for tried in found] == [False, True]


def test_a_text_without_tokens_is_refused():
    with pytest.raises(ArgumentError, match="a token to tune on"):
        tune_dynamic(model_of(), [], 0, "sgd")
