"""Dynamic evaluation, compared with the formula itself on plain layers in float64."""

import copy
import pickle

import numpy as np
import pytest
from dynamic_models import FORMS, V, by_the_formula, model_of, plain_copy, text_of

from rnnlm.adapting.dynamic import DynamicModel
from rnnlm.adapting.gradient_statistics import gradient_statistics
from rnnlm.errors import ArgumentError, DivergenceError, IdError
from rnnlm.models import LanguageModel, Regularisation
from rnnlm.models.cells import CELLS
from rnnlm.scoring.evaluation import token_log_probs


def statistics_of(model, window=5):
    return gradient_statistics(model, text_of(150, seed=3), window)


def in_parts(dynamic, ids, lengths):
    """ln p of every id, read in parts of these lengths, and what is left in one."""
    xs, found = np.concatenate([[0], ids[:-1]]), []
    with dynamic.fresh_state():
        for part in np.split(np.arange(len(ids)), np.cumsum(lengths)):
            if part.size:
                found.append(dynamic.log_probs(xs[None, part], ids[None, part])[0])
    return np.concatenate(found)


def same_weights(model, others, rtol):
    for name, param in model.named_params().items():
        np.testing.assert_allclose(param, others[name], rtol=rtol, atol=1e-12)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("method", ["sgd", "rms"])
def test_scores_and_weights_are_those_of_the_formula(method, form):
    model, ids = model_of(**FORMS[form]), text_of(38)
    statistics = statistics_of(model, 4) if method == "rms" else None
    roots = {name: np.sqrt(array) for name, array in statistics.mean_squares.items()} if statistics else None
    numbers = {"lr": 0.02, "decay": 0.3, "eps": 0.01} if statistics else {"lr": 0.5, "decay": 0.1}
    dynamic = DynamicModel(model, method, window=4, statistics=statistics, **numbers)
    wanted, weights = by_the_formula(model, ids, 4, roots=roots, **numbers)
    np.testing.assert_allclose(token_log_probs(dynamic, ids, 0), wanted, rtol=1e-9)
    same_weights(dynamic.adapted(), weights, 1e-9)
    assert np.abs(token_log_probs(model, ids, 0) - wanted).max() > 0.01  # it has learned something


@pytest.mark.parametrize("recurrent", [0, 0.3, 2])
@pytest.mark.parametrize("method", ["sgd", "rms"])
def test_a_rate_of_their_own_for_recurrent_layers(method, recurrent):
    model, ids = model_of(**FORMS["projection"]), text_of(22)
    statistics = statistics_of(model, 4) if method == "rms" else None
    roots = {name: np.sqrt(array) for name, array in statistics.mean_squares.items()} if statistics else None
    numbers = {"lr": 0.02, "decay": 0.3, "eps": 0.01} if statistics else {"lr": 0.5, "decay": 0.1}
    dynamic = DynamicModel(model, method, window=4, statistics=statistics, recurrent=recurrent, **numbers)
    wanted, weights = by_the_formula(model, ids, 4, roots=roots, recurrent=recurrent, **numbers)
    np.testing.assert_allclose(token_log_probs(dynamic, ids, 0), wanted, rtol=1e-9)
    same_weights(dynamic.adapted(), weights, 1e-9)


def test_recurrent_layers_of_every_cell_stay_as_trained_with_a_factor_of_0():
    for cell in CELLS:
        model = model_of(cell=cell, layers=1, tied=True, wordvec_size=4)
        dynamic = DynamicModel(model, "sgd", window=3, lr=0.3, recurrent=0)
        token_log_probs(dynamic, text_of(12), 0)
        moved = {name.split("/")[0] for name, param in dynamic.adapted().named_params().items()
                 if (param != model.named_params()[name]).any()}
        assert moved == {"embedding", "projection", "affine"}, cell


@pytest.mark.parametrize("cell", CELLS)
def test_every_cell_in_single_precision_learns_as_in_double(cell):
    model = model_of(np.float32, cell=cell)
    dynamic = DynamicModel(model, "sgd", window=3, lr=0.3, decay=0.05)
    wanted, _ = by_the_formula(model, text_of(30), 3, 0.3, 0.05)
    np.testing.assert_allclose(token_log_probs(dynamic, text_of(30), 0), wanted, rtol=2e-4)


@pytest.mark.parametrize("plain", [False, True])
def test_a_learning_rate_of_0_is_static_scoring(plain):
    model, ids = model_of(np.float32, plain=plain), text_of(30)
    before = copy.deepcopy(model.named_params())
    for method, statistics in (("sgd", None), ("rms", statistics_of(model)), ("sentence", None)):
        dynamic = DynamicModel(model, method, lr=0, statistics=statistics)
        np.testing.assert_allclose(token_log_probs(dynamic, ids, 0), token_log_probs(model, ids, 0), rtol=1e-5)
        for name, param in dynamic.adapted().named_params().items():
            np.testing.assert_array_equal(param, before[name])  # no drift by rounding


@pytest.mark.parametrize("form", ["untied", "tied adaptive"])
@pytest.mark.parametrize("lengths", [[5] * 8, [1] * 38, [3, 9, 1, 17], [38], [7, 1, 1, 4]])
def test_the_callers_windows_do_not_matter(lengths, form):
    dynamic = DynamicModel(model_of(**FORMS[form]), "sgd", lr=0.4, decay=0.02)
    ids = text_of(38)
    wanted = in_parts(dynamic, ids, [])
    weights = dynamic.adapted().named_params()
    np.testing.assert_allclose(in_parts(dynamic, ids, lengths), wanted, rtol=1e-10)
    for name, param in dynamic.adapted().named_params().items():
        np.testing.assert_array_equal(param, weights[name])


@pytest.mark.parametrize("lengths", [[38], [1] * 38, [4, 2, 13]])
def test_whole_distributions_come_from_the_weights_before_the_step(lengths):
    dynamic, ids = DynamicModel(model_of(), "sgd", lr=0.4), text_of(38)
    wanted = in_parts(dynamic, ids, [])
    xs, found, picked = np.concatenate([[0], ids[:-1]]), [], []
    with dynamic.fresh_state():
        for part in np.split(np.arange(38), np.cumsum(lengths)):
            if part.size:
                scores = dynamic.predict(xs[None, part])[0]
                picked.append(scores[np.arange(part.size), ids[part]] - np.log(np.exp(scores).sum(axis=1)))
    np.testing.assert_allclose(np.concatenate(picked), wanted, rtol=1e-9)
    with dynamic.fresh_state():
        for part in np.split(np.arange(38), np.cumsum(lengths)):
            if part.size:
                found.append(dynamic.word_scores(xs[None, part], ids[None, part], None, True, 2, with_states=True))
    np.testing.assert_allclose(np.concatenate([scores.log_probs for scores in found]), wanted, rtol=1e-9)
    assert all(scores.states.shape == (len(scores.ranks), 6) for scores in found)
    with dynamic.fresh_state():
        states = np.concatenate([dynamic.states(xs[None, part])[0]
                                 for part in np.split(np.arange(38), np.cumsum(lengths)) if part.size])
    np.testing.assert_allclose(np.concatenate([scores.states for scores in found]), states, rtol=1e-9)


@pytest.mark.parametrize("lengths", [[38], [4, 2, 13]])
@pytest.mark.parametrize("with_targets", [False, True])
def test_scores_and_states_come_together(lengths, with_targets):
    dynamic, ids = DynamicModel(model_of(), "sgd", lr=0.4), text_of(38)
    xs, found = np.concatenate([[0], ids[:-1]]), []
    with dynamic.fresh_state():
        scores, states = dynamic.predict(xs[None]), None
    with dynamic.fresh_state():
        states = dynamic.states(xs[None])
    with dynamic.fresh_state():
        for part in np.split(np.arange(38), np.cumsum(lengths)):
            if part.size:
                found.append(dynamic.scores_and_states(xs[None, part], ids[None, part] if with_targets else None))
    np.testing.assert_allclose(np.concatenate([pair[0] for pair in found], axis=1), scores, rtol=1e-8, atol=1e-9)
    np.testing.assert_allclose(np.concatenate([pair[1] for pair in found], axis=1), states, rtol=1e-8, atol=1e-9)


def test_states_come_with_scores_alone():
    dynamic, ids = DynamicModel(model_of(), "sgd", lr=0.4), text_of(23)
    xs = np.concatenate([[0], ids[:-1]])
    with dynamic.fresh_state():
        found = dynamic.word_scores(xs[None], ids[None], with_states=True)
    with dynamic.fresh_state():
        np.testing.assert_allclose(found.states, dynamic.states(xs[None])[0], rtol=1e-9)
    wanted = np.arange(23) % 3 == 0
    with dynamic.fresh_state():
        some = dynamic.word_scores(xs[None], ids[None], wanted[None])
    np.testing.assert_array_equal(some.log_probs, found.log_probs[wanted])


class Interrupted(BaseException):
    pass


def test_the_model_keeps_every_bit_whatever_interrupts():
    model = model_of(np.float32)
    model.log_probs(np.array([[1, 2]]), np.array([[2, 3]]))
    before, state = copy.deepcopy(model.named_params()), copy.deepcopy(model.get_state())
    dynamic = DynamicModel(model, "sgd", lr=1.0)
    first = token_log_probs(dynamic, text_of(20), 0)
    with pytest.raises(Interrupted), dynamic.fresh_state():
        dynamic.log_probs(text_of(12)[None], text_of(12)[None])
        raise Interrupted
    np.testing.assert_array_equal(token_log_probs(dynamic, text_of(20), 0), first)
    for name, param in model.named_params().items():
        np.testing.assert_array_equal(param, before[name])
    np.testing.assert_array_equal(model.get_state()[0][0], state[0][0])


def test_a_block_within_a_block_disturbs_nothing():
    dynamic, ids = DynamicModel(model_of(), "sgd", lr=0.5), text_of(24)
    wanted = in_parts(dynamic, ids, [])
    xs = np.concatenate([[0], ids[:-1]])
    with dynamic.fresh_state():
        first = dynamic.log_probs(xs[None, :12], ids[None, :12])
        token_log_probs(dynamic, text_of(17, seed=8), 0)
        second = dynamic.log_probs(xs[None, 12:], ids[None, 12:])
    np.testing.assert_allclose(np.concatenate([first, second], axis=1)[0], wanted, rtol=1e-10)


def test_forgetting_keeps_the_weights_and_learns_the_rest_of_the_window():
    model, ids = model_of(), text_of(14)
    dynamic, plain = DynamicModel(model, "sgd", lr=0.5, decay=0, window=5), plain_copy(model)
    xs = np.concatenate([[0], ids[:-1]])
    with dynamic.fresh_state():
        dynamic.log_probs(xs[None, :7], ids[None, :7])
        dynamic.forget()
        after = dynamic.log_probs(xs[None, 7:10], ids[None, 7:10])
    for part in (slice(0, 5), slice(5, 7)):
        plain.forward(xs[None, part], ids[None, part])
        plain.backward()
        for name, param in plain.named_params().items():
            param -= 0.5 * (part.stop - part.start) / 5 * plain.packing.grad[name]
    plain.reset_state()
    np.testing.assert_allclose(after, plain.log_probs(xs[None, 7:10], ids[None, 7:10]), rtol=1e-10)


def test_a_sentence_is_one_step_with_momentum_and_clipping():
    model, ids = model_of(), text_of(21)
    dynamic, plain = DynamicModel(model, "sentence", lr=0.7), plain_copy(model)
    slots = dict.fromkeys(plain.named_params(), 0)
    with dynamic.fresh_state():
        for part in (slice(0, 6), slice(6, 7), slice(7, 15), slice(15, 21)):
            ts = ids[None, part]
            xs = np.concatenate([[0], ts[0, :-1]])[None]
            plain.reset_state()
            np.testing.assert_allclose(dynamic.log_probs(xs, ts), plain.log_probs(xs, ts), rtol=1e-9)
            dynamic.forget()
            plain.reset_state()
            plain.forward(xs, ts)
            plain.backward()
            norm = np.sqrt(sum((grad**2).sum() for grad in plain.packing.grad.values()))
            assert norm > 0.25
            for name, param in plain.named_params().items():
                gradient = plain.packing.grad[name] * 0.25 / norm
                slots[name] = 0.9 * slots[name] + gradient
                param -= 0.7 * (gradient + 0.9 * slots[name])
    same_weights(dynamic.adapted(), plain.named_params(), 1e-9)


def test_dropout_and_penalties_are_off():
    noisy = Regularisation(dropout=0.5, weight_drop=0.3, word_dropout=0.2, activation_penalty=2.0, slowness_penalty=1.0)
    model, ids = model_of(), text_of(30)
    trained = LanguageModel(**model.architecture, rng=np.random.default_rng(0), dtype=np.float64, regularisation=noisy)
    for name, param in trained.named_params().items():
        param[...] = model.named_params()[name]
    found = [token_log_probs(DynamicModel(some, "sgd", lr=0.5), ids, 0) for some in (model, trained)]
    np.testing.assert_array_equal(*found)
    of_trained, of_model = (gradient_statistics(some, ids) for some in (trained, model))
    for name, array in of_model.mean_squares.items():
        np.testing.assert_array_equal(of_trained.mean_squares[name], array)


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda dynamic: pickle.loads(pickle.dumps(dynamic))])
def test_a_copy_starts_with_the_trained_weights(copied):
    model, ids = model_of(), text_of(30)
    dynamic = DynamicModel(model, "rms", lr=0.01, statistics=statistics_of(model))
    wanted = token_log_probs(dynamic, ids, 0)
    dynamic.log_probs(ids[None], ids[None])
    np.testing.assert_array_equal(token_log_probs(copied(dynamic), ids, 0), wanted)


def test_frozen_weights_stay():
    model, ids = model_of(), text_of(30)
    frozen = LanguageModel(**model.architecture, rng=None, dtype=np.float64, frozen=["rnn1", "affine/W"])
    for name, param in frozen.named_params().items():
        param[...] = model.named_params()[name]
    dynamic = DynamicModel(frozen, "rms", lr=0.01, statistics=gradient_statistics(frozen, ids))
    token_log_probs(dynamic, ids, 0)
    adapted = dynamic.adapted().named_params()
    same = {name for name in adapted if np.array_equal(adapted[name], model.named_params()[name])}
    assert same == {"rnn1/Wx", "rnn1/Wh", "rnn1/b", "affine/W"}


def test_steps_that_lead_nowhere_are_said():
    dynamic = DynamicModel(model_of(np.float32), "sgd", lr=1e38)
    with pytest.raises(DivergenceError, match="lower it"):
        token_log_probs(dynamic, text_of(60), 0)


def test_one_stream_at_a_time_of_known_ids():
    dynamic = DynamicModel(model_of(), "sgd")
    for call in (dynamic.predict, dynamic.states, lambda xs: dynamic.log_probs(xs, xs),
                 lambda xs: dynamic.word_scores(xs, xs), lambda xs: dynamic.scores_and_states(xs, xs)):
        with pytest.raises(ArgumentError, match="one stream at a time"):
            call(np.zeros((2, 3), int))
        with pytest.raises(IdError):
            call(np.full((1, 3), V))
    with pytest.raises(IdError, match="targets"):
        dynamic.log_probs(np.zeros((1, 3), int), np.full((1, 3), -1))
    with pytest.raises(ArgumentError, match="read yet"):
        dynamic.adapted()


@pytest.mark.parametrize(("options", "message"), [
    ({"method": "adam"}, "method must be one of"),
    ({"method": "sgd", "window": 0}, "window must be"),
    ({"method": "sentence", "window": 5}, "window must be left out"),
    ({"method": "sgd", "lr": -1}, "lr must be"),
    ({"method": "sgd", "lr": np.nan}, "lr must be"),
    ({"method": "sgd", "decay": 1.5}, "decay must be"),
    ({"method": "sgd", "recurrent": -1}, "recurrent must be"),
    ({"method": "sgd", "eps": 1e-3}, "eps must be left out"),
    ({"method": "rms", "eps": 0}, "eps must be"),
    ({"method": "rms"}, "needs statistics"),
    ({"method": "sgd", "model": "run"}, "a LanguageModel"),
])
def test_what_cannot_be_is_refused(options, message):
    options = {"model": model_of()} | options
    with pytest.raises(ArgumentError, match=message):
        DynamicModel(**options)


def test_statistics_of_another_model_are_refused():
    with pytest.raises(ArgumentError, match="other parameters"):
        DynamicModel(model_of(), "rms", statistics=statistics_of(model_of(cell="lstm")))


def test_rates_grow_with_the_window():
    statistics = statistics_of(model_of())
    settings = DynamicModel(model_of(), "rms", window=20, statistics=statistics).settings
    assert (settings.lr, settings.decay, settings.eps) == (pytest.approx(1e-5), pytest.approx(8e-3), 2e-5)
    assert DynamicModel(model_of(), "rms", window=20, lr=3e-4, statistics=statistics).settings.lr == 3e-4


def test_a_weight_whose_gradient_is_large_goes_home_at_once():
    """decay r / mean(r) is at most 1: beyond it, a step would overshoot."""
    model = model_of()
    statistics = statistics_of(model)
    dynamic = DynamicModel(model, "rms", window=3, lr=1e-3, decay=1.0, statistics=statistics)
    token_log_probs(dynamic, text_of(30), 0)
    roots = {name: np.sqrt(array) for name, array in statistics.mean_squares.items()}
    _, weights = by_the_formula(model, text_of(30), 3, 1e-3, 1.0, roots, 2e-5)
    same_weights(dynamic.adapted(), weights, 1e-8)


@pytest.mark.parametrize("form", FORMS)
def test_plain_layers_learn_as_the_fast_ones(form):
    fast, plain = (model_of(plain=plain, **FORMS[form]) for plain in (False, True))
    for name, param in plain.named_params().items():
        param[...] = fast.named_params()[name]
    found = [token_log_probs(DynamicModel(model, "sgd", lr=0.4), text_of(33), 0) for model in (fast, plain)]
    np.testing.assert_allclose(*found, rtol=1e-9)


def test_a_very_long_sentence_is_learned_in_parts(monkeypatch):
    monkeypatch.setattr("rnnlm.adapting.learner.LONGEST", 7)
    dynamic, ids = DynamicModel(model_of(), "sentence", lr=0.5), text_of(20)
    with dynamic.fresh_state():
        dynamic.log_probs(ids[None], ids[None])
        moves = dynamic._learner.moves
        assert moves.steps == 2
        dynamic.forget()
        assert moves.steps == 3
