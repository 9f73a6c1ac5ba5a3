"""Wrong arguments of classifier, SimpleRNN, layers and initializers are one line."""

import numpy as np
import pytest
from junk import require_one_line

from rnnlm import (
    HeInitializer,
    ScratchSimpleRNNClassifier,
    SimpleInitializer,
    SimpleRNN,
    TimeAffine,
    TimeDropout,
    TimeEmbedding,
    TimeRNN,
    TimeSoftmaxWithLoss,
    XavierInitializer,
)
from rnnlm.errors import ArgumentError

X = np.ones((4, 3, 2))
WEIGHTS = {"w_x": np.ones((2, 4)), "w_h": np.ones((4, 4)), "b": np.ones(4)}
SCORES = np.zeros((1, 2, 3))
RNG = np.random.default_rng(0)


def fitted(options=(), **data):
    classifier = ScratchSimpleRNNClassifier(**{"n_nodes": 2, "epochs": 1} | dict(options))
    return classifier.fit(**{"X": X, "y": [0, 1, 0, 1]} | data)


def rnn(n_nodes=4, **options):
    """A SimpleRNN that has read X."""
    layer = SimpleRNN(n_nodes, **options)
    layer.forward(X)
    return layer


@pytest.mark.parametrize(("call", "message"), [
    (lambda: fitted({"lr": 10**400}), "lr must be a finite number above 0, got one of 1329 bits"),
    (lambda: fitted({"n_nodes": 10**30}), "n_nodes must be a whole number of at least 1, got .*: that is too many"),
    (lambda: fitted({"optimizer": "Adam"}), r"optimizer must be one of sgd, .*, got 'Adam': did you mean adam\?"),
    (lambda: fitted({"max_grad": float("nan")}), "max_grad must be a finite number above 0, or math.inf, got nan"),
    (lambda: fitted({"initializer": HeInitializer}), "initializer must be None or a function .*, got <class .*"),
    (lambda: fitted(mask=[[1], [1, 1]]), r"mask must be an array of the shape \(.*\) of X, got a list"),
    (lambda: fitted(sample_weight=["x"] * 4), "sample_weight must be one number for each of the 4 .*, got a list"),
    (lambda: rnn().forward([[1, 2], [1]]), "X must be an array of numbers, got a list"),
    (lambda: TimeRNN(*WEIGHTS.values()).forward([[[1, 2]]]), "what TimeRNN reads must be an array, got a list"),
    (lambda: TimeEmbedding(np.ones((5, 2))).forward(np.ones((1, 2))), "ids must be an array of ids, which are .*"),
    (lambda: TimeSoftmaxWithLoss().forward(SCORES, [[0, 1]]), "the targets must be an array of ids, got a list"),
    (lambda: TimeSoftmaxWithLoss().forward(SCORES, SCORES[..., 0]), "targets must be an array of ids, which are .*"),
    (lambda: SimpleInitializer(0.1).W((2, 4), 4), "n_nodes1 must be a whole number of at least 1, got a tuple"),
])
def test_a_wrong_argument_is_one_line_that_says_what_is_wanted(call, message):
    with pytest.raises(ArgumentError, match=f"^{message}$"):
        call()


def test_no_limit_may_be_any_infinity():
    for infinity in (float("inf"), np.inf, np.float32(np.inf)):
        assert len(fitted({"max_grad": infinity}).loss_curve_) == 1


TAKERS = {
    **{name: lambda junk, name=name: fitted({name: junk}) for name in (
        "n_nodes", "activation", "initializer", "pooling", "optimizer", "lr", "epochs", "batch_size", "max_grad",
        "random_state", "class_weight", "schedule")},
    **{f"fit's {name}": lambda junk, name=name: fitted(**{"X_val": X, "y_val": [0, 1, 0, 1]} | {name: junk})
       for name in ("X", "y", "mask", "sample_weight", "X_val", "y_val", "mask_val")},
    "predict": lambda junk: fitted().predict(junk), "its mask": lambda junk: fitted().predict(X, mask=junk),
    "score": lambda junk: fitted().score(X, junk),
    **{f"forward's {name}": lambda junk, name=name: ScratchSimpleRNNClassifier().forward(
        **{"x": X} | WEIGHTS | {name: junk}) for name in ("x", *WEIGHTS)},
    **{f"SimpleRNN's {name}": lambda junk, name=name: rnn(**{name: junk}) for name in (
        "initializer", "optimizer", "activation", "rng")},
    "SimpleRNN's X": lambda junk: rnn().forward(junk), "h0": lambda junk: rnn().forward(X, junk),
    "dA": lambda junk: rnn().backward(junk),
    **{name: lambda junk, name=name: setattr(rnn(), name, junk) for name in ("Wx", "w_h", "B")},
    "sigma": SimpleInitializer, "W": lambda junk: SimpleInitializer(0.1).W(junk, 2), "B": XavierInitializer().B,
    "W's rng": lambda junk: HeInitializer().W(1, 2, junk),
    **{type(layer).__name__: layer.forward for layer in (
        TimeRNN(*WEIGHTS.values()), TimeAffine(np.ones((2, 3)), np.ones(3)), TimeEmbedding(np.ones((5, 2))),
        TimeDropout(0.5, rng=RNG))},
    "scores": lambda junk: TimeSoftmaxWithLoss().forward(junk, np.zeros((2, 2), int)),
    "targets": lambda junk: TimeSoftmaxWithLoss().forward(SCORES, junk),
}


@pytest.mark.parametrize("taker", TAKERS)
def test_whatever_is_given_it_is_taken_or_refused_in_one_line(taker):
    require_one_line(TAKERS[taker])
