"""Users' own models, averages, arrays and subclasses work where they have enough."""

import math
from array import array
from contextlib import contextmanager
from types import SimpleNamespace

import numpy as np
import pytest

from rnnlm import (
    SGD,
    Adam,
    Constant,
    LanguageModel,
    Noising,
    SimpleRNN,
    TimeBatches,
    TimeRNN,
    Trainer,
    Vocabulary,
    XavierInitializer,
    evaluate,
    generate,
    log_softmax,
    token_log_probs,
)
from rnnlm.errors import ArgumentError
from rnnlm.text.corpus import EncodedText

V = 5
IDS = np.tile([0, 1, 2, 3, 4, 1], 20).astype(np.int32)


class Bigrams:
    """p(next | word) = softmax(W[word]).

    It has all that a Trainer, token_log_probs and generate ask for, and no more.
    """

    def __init__(self):
        self.packing = SimpleNamespace(params=[np.zeros((V, V))], grads=[np.zeros((V, V))])

    def predict(self, xs):
        return self.packing.params[0][xs]

    def log_probs(self, xs, ts):
        return np.take_along_axis(log_softmax(self.predict(xs)), ts[..., np.newaxis], 2)[..., 0]

    def forward(self, xs, ts):
        self.read = xs, ts
        return float(-self.log_probs(xs, ts).mean())

    def backward(self):
        xs, ts = self.read
        dscores = (np.exp(log_softmax(self.predict(xs))) - np.eye(V)[ts]) / ts.size
        (dW,) = self.packing.grads
        dW[...] = 0
        np.add.at(dW, xs, dscores)

    def reset_state(self):
        pass

    def set_progress(self, progress):
        pass

    @contextmanager
    def fresh_state(self):
        yield


def test_a_model_of_ones_own_is_trained_scored_and_generates():
    model = Bigrams()
    trainer = Trainer(model, SGD(2.0), TimeBatches(IDS, 2, 10), Constant(2.0))
    records = list(trainer.fit(lambda: -token_log_probs(model, IDS, 0).mean(), 10))
    assert records[-1].valid_loss < 0.4 < records[0].valid_loss
    text = EncodedText(IDS, np.zeros(IDS.size, bool), 100, 20, 0)
    assert evaluate(model, text, 0).perplexity == pytest.approx(math.exp(records[-1].valid_loss))
    drawn = generate(model, [0, 1], rng=np.random.default_rng(0), temperature=0)
    assert [next(drawn) for _ in range(2)] == [2, 3]


class ScorerOnly:
    """What can be evaluated but not drawn from."""

    fresh_state, log_probs = Bigrams.fresh_state, staticmethod(lambda xs, ts: np.full(xs.shape, -1.0))


def test_of_a_model_only_what_a_function_needs_is_asked():
    np.testing.assert_array_equal(token_log_probs(ScorerOnly(), [1, 2], 0), [-1, -1])
    with pytest.raises(ArgumentError, match="model must be a LanguageModel, got a ScorerOnly"):
        generate(ScorerOnly(), [0], rng=np.random.default_rng(0))


def test_an_average_of_ones_own_is_used():
    class Last:
        count = updates = blocks = 0

        def update(self, params, progress, workers):
            self.updates += 1

        @contextmanager
        def in_place(self, params):
            self.blocks += 1
            yield

    average = Last()
    model = LanguageModel(V, 4, 4, rng=np.random.default_rng(0))
    batches = TimeBatches(IDS, 2, 10)
    list(Trainer(model, SGD(0.1), batches, Constant(0.1), average=average).fit(lambda: 1.0, 2))
    assert (average.updates, average.blocks) == (2 * len(batches), 2)


def test_generation_draws_from_the_scores_that_a_subclass_predicts():
    class OneAndTwo(LanguageModel):
        def predict(self, xs):
            scores = super().predict(xs).copy()
            scores[..., [0, 3, 4]] = -np.inf
            return scores

    model = OneAndTwo(V, 4, 4, rng=np.random.default_rng(0))
    drawn = generate(model, [0, 1, 2], rng=np.random.default_rng(0))
    assert {next(drawn) for _ in range(50)} == {1, 2}


def test_a_window_of_lists_is_one_step():
    trainer = Trainer(LanguageModel(V, 4, 4, rng=np.random.default_rng(0)), SGD(0.1))
    assert trainer.step([[1, 2, 3]], [[2, 3, 4]]).targets == trainer.tokens == 3


def test_epochs_without_end_end_with_the_schedule():
    trainer = Trainer(LanguageModel(V, 4, 4, rng=np.random.default_rng(0)), SGD(0.1), TimeBatches(IDS, 2, 10),
                      Constant(0.1, patience=2))
    assert len(list(trainer.fit(lambda: 1.0, math.inf))) == 3  # the first is no stall


class Tensor:
    """An array of another library."""

    def __init__(self, values):
        self.values = values

    def __array__(self, dtype=None, copy=None):
        return np.array(self.values, dtype)


@pytest.mark.parametrize("ids", [IDS.astype(np.uint64), IDS.astype(np.uint8), Tensor(IDS), array("i", IDS)],
                         ids=["uint64", "uint8", "tensor", "array"])
def test_ids_of_any_kind_are_ids(ids):
    model = LanguageModel(V, 4, 4, rng=np.random.default_rng(0))
    np.testing.assert_array_equal(token_log_probs(model, ids, 0), token_log_probs(model, IDS, 0))
    batches = [TimeBatches(which, 2, 10, noising=Noising(which, V, 0.5), rng=np.random.default_rng(0))
               for which in (ids, IDS)]
    for window, expected in zip(*batches, strict=True):
        np.testing.assert_array_equal(window, expected)


def test_forbidden_may_be_a_set_and_what_is_no_id_in_it_is_one_line():
    model = LanguageModel(V, 4, 4, rng=np.random.default_rng(0))
    assert next(generate(model, [0], rng=np.random.default_rng(0), forbidden={0, 1, 2, 4})) == 3
    with pytest.raises(ArgumentError, match="forbidden must be an array of ids"):
        generate(model, [0], rng=np.random.default_rng(0), forbidden={1, "a"})


def test_counts_are_cut_at_numbers():
    counts = {"<eos>": 2, "a": 3, "b": 1}
    assert Vocabulary.from_counts(counts, min_count=2, max_size=3).words == ["a", "<eos>", "<unk>"]
    with pytest.raises(ArgumentError, match="min_count must be a whole number of at least 0, got '2'"):
        Vocabulary.from_counts(counts, min_count="2")
    with pytest.raises(ArgumentError, match="max_size must be a whole number of at least 2, got 0"):
        Vocabulary.from_counts(counts, max_size=0)  # <eos> and <unk> stay


def test_a_layer_that_has_read_nothing_has_no_cache():
    layer = TimeRNN(np.ones((2, 3)), np.ones((3, 3)), np.ones(3))
    assert not hasattr(layer, "cache")
    assert getattr(layer, "cache", "none") == "none"
    with pytest.raises(ArgumentError, match="call forward first"):
        layer.backward(np.ones((1, 2, 3)))


@pytest.mark.parametrize(("grads", "message"), [
    ({"W": np.ones(3)}, "grads must be a list with one value for each of the 1 parameters, got a dict"),
    ([[1.0, 1.0, 1.0]], r"a gradient must be an array of its parameter's shape, \(3,\), got a list"),
    ([np.ones(1)], r"a gradient must be an array of its parameter's shape, \(3,\), got an array of float64, "
                   r"of shape \(1,\)")])
def test_a_gradient_has_the_shape_of_its_parameter(grads, message):
    for rule in (SGD(0.1), Adam(0.1)):
        with pytest.raises(ArgumentError, match=f"^{message}$"):
            rule.update([np.ones(3)], grads)
        assert rule.steps == 0


def test_a_subclass_of_simple_rnn_has_attributes_and_a_constructor_of_its_own():
    class Noted(SimpleRNN):
        def __init__(self, sizes, note):
            super().__init__(sizes[-1])
            self.note = note

        def forward(self, X, h0=None):
            self.seen = X.shape
            return super().forward(X, h0)

    rnn = Noted([2, 3], "tuned")
    assert rnn.forward(np.ones((1, 4, 2))).shape == (1, 3)
    assert (rnn.note, rnn.seen) == ("tuned", (1, 4, 2))
    with pytest.raises(AttributeError, match="'lr'"):
        SimpleRNN(3).lr = 0.1


@pytest.mark.parametrize("options", [{"rng": 0}, {"initializer": type(SGD(0.1))}, {"n_nodes": 0}],
                         ids=["seed", "class", "zero"])
def test_what_simple_rnn_cannot_be_made_of_is_an_argument_error(options):
    with pytest.raises(ArgumentError, match=f"{next(iter(options))} must be"):
        SimpleRNN(**{"n_nodes": 3} | options)


def test_an_initializer_takes_a_generator_and_no_seed():
    with pytest.raises(ArgumentError, match=r"numpy.random.default_rng\(0\) makes one"):
        XavierInitializer().W(2, 3, rng=0)
    first, again = (XavierInitializer().W(2, 3, rng=np.random.default_rng(0)) for _ in range(2))
    np.testing.assert_array_equal(first, again)
