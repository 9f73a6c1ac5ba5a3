"""A classifier of sequences in scikit-learn's manner: SimpleRNN, a full connection, softmax."""

import inspect
import math
from contextlib import nullcontext
from numbers import Integral, Real

import numpy as np

from rnnlm.errors import DivergenceError, RnnlmError, shown
from rnnlm.functions import ACTIVATIONS, log_softmax
from rnnlm.gradients import clip_scale, global_norm
from rnnlm.initializers import XavierInitializer
from rnnlm.layers.simple_rnn import SimpleRNN
from rnnlm.models.sequences import checked_labels, checked_sequences, places_of, shown_label
from rnnlm.optimizers import OPTIMIZERS
from rnnlm.schedules import SCHEDULES
from rnnlm.workers import blas_threads


class ScratchSimpleRNNClassifier:
    """Which class a sequence belongs to: the states of a SimpleRNN, the last one or their mean, into softmax.

    p = softmax(u W + b), u (N, H) the last state h_T, or with pooling="mean" the mean of all; for two classes a
    sigmoid of one score.  The loss is the mean of -ln p[label] over a mini-batch.

    n_nodes, activation, initializer: of the SimpleRNN; pooling: "last" or "mean"; optimizer: a name ("adam", "sgd",
    ...), lr its rate; schedule: "constant", or "linear", by which the rate falls from lr in the first epoch to
    lr / epochs in the last, so that training ends smoothly; epochs: passes over the data; batch_size; max_grad: limit
    of the gradients' global norm, inf for none; random_state: a seed, or None for another result each time; verbose:
    whether ``fit`` shows a progress bar.

    After ``fit``: ``classes_``; ``loss_curve_``, the mean training loss of each epoch; ``val_loss_curve_``, that of the
    validation data, empty without; ``n_features_in_``.
    """

    _estimator_type = "classifier"  # what scikit-learn before 1.6 asks for

    def __init__(self, *, n_nodes=64, activation="tanh", initializer=None, pooling="last", optimizer="adam", lr=0.003,
                 epochs=40, batch_size=32, max_grad=1.0, random_state=None, verbose=False, schedule="constant"):
        self.n_nodes = n_nodes
        self.activation = activation
        self.initializer = initializer
        self.pooling = pooling
        self.optimizer = optimizer
        self.lr = lr
        self.epochs = epochs
        self.batch_size = batch_size
        self.max_grad = max_grad
        self.random_state = random_state
        self.verbose = verbose
        self.schedule = schedule

    def get_params(self, deep=True):
        """The arguments of the constructor, a dict."""
        return {name: getattr(self, name) for name in inspect.signature(type(self)).parameters}

    def set_params(self, **params):
        """Change some of them; returns the classifier itself."""
        for name, value in params.items():
            if name not in self.get_params():
                raise ValueError(f"no parameter {name!r}: it must be one of {', '.join(self.get_params())}")
            setattr(self, name, value)
        return self

    def fit(self, X, y, X_val=None, y_val=None, *, mask=None, mask_val=None):
        """Learn from X (n_samples, n_sequences, n_features) and labels y (n_samples,); returns the classifier.

        mask (n_samples, n_sequences): true for the steps that belong to a sequence, which come first; None: all do.
        RnnlmError names what does not fit, and what was learnt before stays; DivergenceError: the loss or a weight is
        no longer finite, and what was learnt is of no use.
        """
        self._check_parameters()
        X, shares = self._checked(X, mask)
        y = checked_labels(y, len(X))
        classes, targets = np.unique(y, return_inverse=True)
        if len(classes) < 2:
            raise RnnlmError(f"y must hold at least two classes, got only {shown_label(classes[0])}")
        validation = self._checked_validation(X_val, y_val, mask_val, classes, X.shape[2])
        rng = np.random.default_rng(self.random_state)
        self.classes_, self.n_features_in_ = classes, X.shape[2]
        self._build(rng)
        self.loss_curve_, self.val_loss_curve_ = [], []
        # One thread, as its products are too small for more; what overflows is said by _epoch.
        with blas_threads(1), np.errstate(all="ignore"), self._bar() as bar:
            for _ in range(self.epochs):
                self.loss_curve_.append(self._epoch(X, shares, targets, rng))
                if validation:
                    self.val_loss_curve_.append(self._loss(*validation))
                if bar is not None:
                    bar.set_postfix_str(f"loss {self.loss_curve_[-1]:.4f}", refresh=False)
                    bar.update()
        return self

    def predict_proba(self, X, *, mask=None):
        """Probabilities (n_samples, n_classes), columns in the order of ``classes_``."""
        X, shares = self._checked(X, mask, self._fitted_features())
        with blas_threads(1):
            return np.exp(self._log_probs(self._scores(X, shares)))

    def predict(self, X, *, mask=None):
        """The most probable class of each sequence (n_samples,)."""
        probs = self.predict_proba(X, mask=mask)
        return self.classes_[probs.argmax(axis=1)]

    def score(self, X, y, *, mask=None):
        """The share of sequences whose class is predicted."""
        return float(np.mean(self.predict(X, mask=mask) == checked_labels(y, len(X))))

    def forward(self, x, w_x, w_h, b):  # (N, T, D), (D, H), (H, H), (H,) -> (N, H)
        """The last state of sequences x, from a state of zeros and with these weights; what was learnt plays no part.

        ValueError if the shapes do not fit.
        """
        rnn = SimpleRNN(np.shape(w_h)[-1], activation=self.activation)
        rnn.Wx, rnn.Wh, rnn.b = w_x, w_h, b
        return rnn.forward(x)

    def __sklearn_tags__(self):
        """What scikit-learn from 1.6 on asks for, as in cross_val_score and pipelines."""
        from sklearn.utils import ClassifierTags, InputTags, Tags, TargetTags

        return Tags(estimator_type="classifier", target_tags=TargetTags(required=True), transformer_tags=None,
                    regressor_tags=None, classifier_tags=ClassifierTags(),
                    input_tags=InputTags(two_d_array=False, three_d_array=True))

    def _build(self, rng):
        """First weights of all layers, for the data's features and classes."""
        self.rnn = SimpleRNN(self.n_nodes, self.initializer, activation=self.activation, return_sequences=True, rng=rng)
        self.rnn.build(self.n_features_in_)
        outputs = 1 if len(self.classes_) == 2 else len(self.classes_)
        self.W = np.asarray((self.initializer or XavierInitializer())((self.n_nodes, outputs), rng), np.float64)
        self.b = np.zeros(outputs)
        self.rule = OPTIMIZERS[self.optimizer](self.lr)

    def _epoch(self, X, shares, targets, rng):
        """One pass in mini-batches of a new order; the mean loss over all samples. DivergenceError: see ``fit``."""
        nats = 0.0
        self.rule.lr = SCHEDULES[self.schedule](self.lr).rate(0, len(self.loss_curve_) / self.epochs)
        order = rng.permutation(len(X))
        for start in range(0, len(X), self.batch_size):
            batch = order[start : start + self.batch_size]
            nats += self._step(X[batch], shares[batch], targets[batch]) * len(batch)
        if not (math.isfinite(nats) and all(np.isfinite(p).all() for p in (*self.rnn.params, self.W, self.b))):
            raise DivergenceError(f"the loss or a weight is not finite in epoch {len(self.loss_curve_) + 1}: lower lr, "
                                  f"now {self.lr:g}, or max_grad, now {self.max_grad:g}, or scale X")
        return nats / len(X)

    def _step(self, X, shares, targets):
        """One mini-batch forward, back, and one update of all weights; its mean loss."""
        N = len(X)
        scores = self._scores(X, shares)
        log_probs = self._log_probs(scores)
        # d(-ln p[label]) / d scores = probabilities - onehot; for two classes the score is that of the second
        dscores = np.exp(log_probs)
        dscores[np.arange(N), targets] -= 1
        dscores = (dscores if len(self.classes_) > 2 else dscores[:, 1:]) / N
        du = dscores @ self.W.T                               # scores = u W + b
        self.rnn.backward(shares[..., np.newaxis] * du[:, np.newaxis])  # u = sum of shares * states
        params = [*self.rnn.params, self.W, self.b]
        grads = [*self.rnn.grads, self.pooled.T @ dscores, dscores.sum(axis=0)]
        self.rule.update(params, grads, clip_scale(global_norm(grads), self.max_grad))
        return float(-log_probs[np.arange(N), targets].mean())

    def _scores(self, X, shares):  # (N, T, D), (N, T) -> (N, outputs)
        """u W + b, where u (N, H), kept as ``pooled``, is the sum of the states in these shares."""
        self.pooled = np.einsum("nt,nth->nh", shares, self.rnn.forward(X))
        return self.pooled @ self.W + self.b

    def _log_probs(self, scores):  # (N, outputs) -> (N, n_classes)
        """ln p of every class: a sigmoid of s is a softmax over the scores 0 and s."""
        if len(self.classes_) == 2:
            scores = np.hstack([np.zeros_like(scores), scores])
        return log_softmax(scores)

    def _loss(self, X, shares, targets):
        return float(-self._log_probs(self._scores(X, shares))[np.arange(len(X)), targets].mean())

    def _bar(self):
        """A progress bar over the epochs in a block, or None there."""
        if not self.verbose:
            return nullcontext()
        from tqdm import tqdm

        return tqdm(total=self.epochs, unit="epoch")

    def _checked(self, X, mask, n_features=None, name="X"):
        """X as float64, and the shares (N, T) of the states that stand for a sequence. RnnlmError if it cannot be X."""
        X, lengths = checked_sequences(X, mask, n_features, name)
        return X, shares_of_states(lengths, X.shape[1], self.pooling)

    def _checked_validation(self, X, y, mask, classes, n_features):
        """The validation data as ``_loss`` takes it, or None. RnnlmError at a class that the training data lacks."""
        if X is None:
            if y is not None or mask is not None:
                raise RnnlmError("y_val and mask_val belong to X_val: give it, too")
            return None
        if y is None:
            raise RnnlmError("X_val needs its labels: give y_val, too")
        X, shares = self._checked(X, mask, n_features, "X_val")
        return X, shares, places_of(checked_labels(y, len(X), "y_val"), classes)

    def _check_parameters(self):
        """RnnlmError at a parameter that cannot be; the constructor only stores them, as scikit-learn asks."""
        for name in ("n_nodes", "epochs", "batch_size"):
            value = getattr(self, name)
            if not isinstance(value, Integral) or isinstance(value, bool) or value < 1:
                raise RnnlmError(f"{name} must be a whole number of at least 1, got {shown(value)}")
        for name, choices in {"activation": ACTIVATIONS, "optimizer": OPTIMIZERS, "pooling": ("last", "mean"),
                              "schedule": ("constant", "linear")}.items():
            if getattr(self, name) not in tuple(choices):
                raise RnnlmError(f"{name} must be one of {', '.join(choices)}, got {shown(getattr(self, name))}")
        for name in ("lr", "max_grad"):
            value = getattr(self, name)
            if not isinstance(value, Real) or isinstance(value, bool) or not value > 0:
                raise RnnlmError(f"{name} must be a number above 0, got {shown(value)}")
        if not (self.initializer is None or callable(self.initializer)):
            raise RnnlmError("initializer must be None or a function (shape, rng) -> array, as XavierInitializer() is, "
                             f"got {shown(self.initializer)}")
        try:
            np.random.default_rng(self.random_state)
        except (TypeError, ValueError):
            raise RnnlmError("random_state must be None or a whole number of at least 0, got "
                             f"{shown(self.random_state)}") from None

    def _fitted_features(self):
        """n_features_in_; RnnlmError before fit."""
        if not hasattr(self, "rule"):
            raise RnnlmError("this classifier has not learnt anything yet: call fit first")
        return self.n_features_in_


def shares_of_states(lengths, T, pooling):
    """The shares (N, T) in which the states of sequences of these lengths (N, 1) stand for them: 1 for the last one
    with pooling "last", 1 / length for each with "mean"; 0 beyond the end.
    """
    steps = np.arange(T)
    if pooling == "last":
        return (steps == lengths - 1).astype(np.float64)
    return (steps < lengths) / lengths
