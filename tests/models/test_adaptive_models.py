"""Models with an adaptive softmax: the arrays they have, and what is made from them."""

import copy
import json
import pickle

import numpy as np
import pytest
from gradient_check import check_gradient

from rnnlm.compute.row_gradient import RowGradient
from rnnlm.compute.threads import Workers
from rnnlm.errors import ArgumentError
from rnnlm.models import Architecture, LanguageModel, Regularisation
from rnnlm.training.decay import weight_decays
from rnnlm.training.optimizers import Adam
from rnnlm.training.trainer import Trainer

ALL = Regularisation(dropout=0.3, output_dropout=0.2, input_dropout=0.1, word_dropout=0.2, weight_drop=0.3,
                     per_window=True, activation_penalty=2.0, slowness_penalty=1.0)
CLUSTERS = {"softmax": "adaptive", "cutoffs": [3, 7]}  # of a vocabulary of 12
OUTPUTS = [{}, {"projection": True}, {"tied": True}, {"tied": True, "wordvec_size": 4}]


def a_model(plain=False, rng=0, dtype=np.float64, vocab_size=12, **options):
    """A small model, its biases and all else drawn."""
    sizes = {"wordvec_size": 8, "hidden_size": 4} | CLUSTERS | options
    model = LanguageModel(vocab_size, **sizes, rng=np.random.default_rng(rng), dtype=dtype, plain=plain)
    for name, param in model.named_params().items():
        if name.endswith(("/b", "/bh")):
            param += np.random.default_rng(rng + 1).normal(size=param.shape)
    return model


def test_files_hold_the_cutoffs_and_nothing_of_a_full_softmax():
    full = Architecture("lstm", 12, 3, 4, 1)
    adaptive = Architecture("lstm", 12, 3, 4, 1, softmax="adaptive", cutoffs=np.array([3, 7]))
    assert adaptive.cutoffs == (3, 7)
    values = dict(full) | {"softmax": "adaptive", "cutoffs": [3, 7]}
    assert json.loads(json.dumps(dict(adaptive))) == values
    assert Architecture.from_file(values) == Architecture(**adaptive) == adaptive
    assert "softmax" not in dict(full) and full["softmax"] == "full" and full.cutoffs == ()
    assert Architecture.from_file(dict(full) | {"softmax": "full", "cutoffs": []}) == full


@pytest.mark.parametrize(("cutoffs", "message"), [
    ([], "1 to 20 rising whole numbers below the size of the vocabulary, 12, got []"), ([12], "got [12]"),
    ([3, 3], "got [3, 3]"), ([7, 3], "got [7, 3]"), ([0], "a cutoff must be a whole number of at least 1, got 0"),
    ([-3], "got -3"), ([2.5], "got 2.5"), ([True], "got True"), (["3"], "got '3'"), ([[3]], "got a list"),
    ([10**5000], "got one of 16610 bits"), (list(range(1, 100_000)), "got [1, 2, 3"), ([None], "got None"),
    ("3", "a list of whole numbers, got '3'"), (3, "got 3"), (None, "got None"), ({"3": 7}, "got a dict")])
def test_cutoffs_that_cannot_be_are_refused_in_a_line(cutoffs, message):
    values = dict(Architecture("lstm", 12, 3, 4, 1)) | {"softmax": "adaptive", "cutoffs": cutoffs}
    for make in (Architecture.from_file, lambda values: LanguageModel(**values, rng=None)):
        with pytest.raises(ArgumentError) as caught:
            make(values)
        assert message in str(caught.value) and len(str(caught.value)) < 200 and "\n" not in str(caught.value)


def test_a_full_softmax_has_no_cutoffs_and_there_is_no_third_kind():
    with pytest.raises(ArgumentError, match="cutoffs must be left out unless softmax is 'adaptive'"):
        Architecture("lstm", 12, 3, 4, 1, cutoffs=[3])
    with pytest.raises(ArgumentError, match=r"softmax must be one of full, adaptive, got 'adaptiv': did you"):
        Architecture("lstm", 12, 3, 4, 1, softmax="adaptiv", cutoffs=[3])


@pytest.mark.parametrize(("output", "words"), [
    ({}, {"embedding/W": (12, 16), "affine/W": (32, 5)}),
    ({"projection": True}, {"embedding/W": (12, 16), "affine/W": (16, 5)}),
    ({"tied": True}, {"embedding/W": (5, 16)})])
def test_the_clusters_have_arrays_of_their_own_each_a_quarter_as_wide(output, words):
    shapes = Architecture("rnn", 12, 16, 32, 1, **CLUSTERS, **output).shapes()
    inputs = 16 if output else 32
    assert {name: shapes[name] for name in shapes if name in ("embedding/W", "affine/W")} == words
    assert {name: shapes[name] for name in shapes if "tail" in name or name == "affine/b"} == {
        "affine/b": (5,), "tail1/P": (inputs, inputs // 4), "tail1/W": (inputs // 4, 4),
        "tail2/P": (inputs, inputs // 16), "tail2/W": (inputs // 16, 5)}


def test_the_groups_of_the_arrays_decide_about_rates_and_decay():
    for output in OUTPUTS:
        model = a_model(**output)
        of_group = {"words": 0.1, "matrices": 0.2, "biases": 0.0}
        for parameter in model.architecture.parameters():
            name = parameter.name
            kind = "biases" if name.endswith("/b") else "words" if name.endswith("/W") and "proj" not in name else "mat"
            assert parameter.group.startswith(kind), name
        decays = weight_decays(model, 0.1, 0.2)
        for at, group in enumerate(model.packing.groups):
            for name, decay in model.packing.parts(at, np.full(model.packing.params[at].shape, decays[at])).items():
                leaks = np.eye(4, dtype=bool) if name == "rnn1/Wh" else False
                assert (np.where(leaks, of_group[group], decay) == of_group[group]).all()


@pytest.mark.parametrize("plain", [True, False], ids=["plain", "fast"])
@pytest.mark.parametrize("output", OUTPUTS, ids=str)
@pytest.mark.parametrize(("cell", "N", "T"), [("rnn", 1, 1), ("lstm", 2, 9)])
def test_gradients_of_the_whole_model_against_differences(cell, N, T, output, plain, rng):
    """Of all words, and of the frequent ones alone: then the clusters' are zeros."""
    model = a_model(plain, cell=cell, layers=2, regularisation=ALL, **output)
    masks = model.dropout_rng.bit_generator.state
    for words in (12, 3):
        xs, ts = rng.integers(0, words, (2, N, T))
        ts.flat[0] = words - 1

        def loss(xs=xs, ts=ts):
            model.reset_state()
            model.dropout_rng.bit_generator.state = masks
            loss = model.forward(xs, ts)
            return loss + sum(layer.penalty() for layer in model.layers if hasattr(layer, "penalty"))

        loss()
        model.backward()
        model.backward()  # twice is once
        grads = {name: np.array(grad) for name, grad in model.packing.grad.items()}
        check_gradient(loss, model.params, list(grads.values()), rng)
        if words == 3:
            assert not any(grads[f"tail{i}/{name}"].any() for i in (1, 2) for name in "PW")


@pytest.mark.parametrize("output", OUTPUTS, ids=str)
def test_fast_is_plain_through_steps_of_training_and_in_every_score(output, rng):
    xs, ts = rng.integers(0, 12, (2, 3, 6))
    found = []
    with Workers(2) as workers:
        for plain in (True, False):
            model = a_model(plain, layers=2, cell="gru", workers=workers, **output)
            trainer = Trainer(model, Adam(0.01), max_grad=0.3, workers=workers)
            losses = [trainer.step(xs, ts).loss for _ in range(4)]
            model.reset_state()
            of_words = model.word_scores(xs, ts, details=True, top=3)
            products, biases = model.products_after(xs)()
            found.append([losses, model.predict(xs).copy(), model.log_probs(xs, ts), products + biases[:, np.newaxis],
                          model.predict_last(xs).copy(), *of_words.arrays().values(), *map(np.array, model.params)])
    for plain, fast in zip(*found, strict=True):
        np.testing.assert_allclose(fast, plain, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("plain", [True, False], ids=["plain", "fast"])
@pytest.mark.parametrize("output", OUTPUTS, ids=str)
def test_all_ways_to_ask_for_probabilities_say_the_same_and_they_sum_to_one(output, plain, rng):
    model = a_model(plain, **output)
    xs, ts = rng.integers(0, 12, (2, 3, 6))

    def fresh(method, *arguments):
        model.reset_state()
        return method(*arguments)

    logs = fresh(model.predict, xs).copy()
    np.testing.assert_allclose(np.exp(logs).sum(axis=-1), 1, rtol=1e-12)
    of_targets = np.take_along_axis(logs, ts[..., np.newaxis], axis=-1)[..., 0]
    np.testing.assert_allclose(fresh(model.log_probs, xs, ts), of_targets, rtol=1e-10)
    np.testing.assert_allclose(fresh(model.word_scores, xs, ts).log_probs, of_targets.ravel(), rtol=1e-10)
    assert fresh(model.forward, xs, ts) == pytest.approx(-of_targets.mean(), rel=1e-12)
    np.testing.assert_allclose(fresh(model.predict_last, xs), logs[:, -1], rtol=1e-10)
    products, biases = fresh(model.products_after, xs)()
    np.testing.assert_allclose(products.T + biases, logs[:, -1], rtol=1e-10)


@pytest.mark.parametrize("plain", [True, False], ids=["plain", "fast"])
def test_tied_vectors_are_the_outputs_arrays(plain):
    model = a_model(plain, tied=True)
    names = ["embedding/W", "rnn1/Wx", "rnn1/Wh", "rnn1/b", "projection/W", "projection/b", "affine/b", "tail1/P",
             "tail1/W", "tail2/P", "tail2/W"]
    assert list(model.named_params()) == names
    assert sum(array.size for array in model.packing.params) == sum(array.size for array in model.params)
    assert not any(isinstance(grad, RowGradient) for grad in model.grads)
    ids = np.array([[0, 2, 3, 6, 7, 11]])
    p = model.named_params()
    p["tail1/W"][...], p["tail2/P"][0, 0], p["embedding/W"][2] = 0, 7, 5
    vectors = model.embedding.forward(ids)[0]
    assert (vectors[1] == 5).all() and not vectors[2:4].any()
    np.testing.assert_allclose(vectors[4:], (p["tail2/P"] @ p["tail2/W"])[:, [0, 4]].T, rtol=1e-12)


def test_copies_train_on_as_the_model_does(rng):
    xs, ts = rng.integers(0, 12, (2, 2, 5))
    for output in OUTPUTS:
        model = a_model(regularisation=Regularisation(word_dropout=0.2), **output)
        Trainer(model, Adam(0.01)).step(xs, ts)
        twins = [copy.deepcopy(model), pickle.loads(pickle.dumps(model)), model]
        losses = [[trainer.step(xs, ts).loss for _ in range(3)] for trainer in (Trainer(m, Adam(0.01)) for m in twins)]
        assert losses[0] == losses[1] == losses[2]


@pytest.mark.parametrize("tied", [False, True])
def test_a_model_that_knows_nothing_predicts_words_and_clusters_as_often_as_they_occur(tied):
    counts = np.array([50, 30, 20, 9, 8, 7, 6, 5, 4, 3, 2, 0])
    model = LanguageModel(12, 4, 4, tied=tied, **CLUSTERS, rng=None)
    model.start_at_frequencies(counts)
    probs, share = np.exp(model.predict([[0]])[0, 0]), (counts + 1) / (counts + 1).sum()
    np.testing.assert_allclose(probs[:3], share[:3], rtol=1e-6)
    for cluster in (slice(3, 7), slice(7, 12)):
        np.testing.assert_allclose(probs[cluster], share[cluster].sum() / len(probs[cluster]), rtol=1e-6)
    with pytest.raises(ArgumentError, match=r"counts must be numbers of at least 0, of shape \(12,\)"):
        model.start_at_frequencies(counts[:5])


def test_first_values_keep_the_size_of_what_passes_through():
    model = LanguageModel(1600, 256, 256, softmax="adaptive", cutoffs=[100, 600], tied=True,
                          rng=np.random.default_rng(0))
    sizes = [model.embedding.forward(np.arange(*words)[np.newaxis]).std()
             for words in ((0, 100), (100, 600), (600, 1600))]
    np.testing.assert_allclose(sizes, 1 / 16, rtol=0.2)  # vectors of all words are about as long
    xs = np.random.default_rng(1).standard_normal((1, 100, 256)).astype(np.float32)
    parts = np.split(model.output.scores(xs)[0], [100, 600], axis=1)
    np.testing.assert_allclose([part.std(axis=1).mean() for part in parts], 1, rtol=0.2)  # and so are the scores
