"""A classifier of sequences in scikit-learn's manner: SimpleRNN, a full connection, softmax."""

import inspect
from contextlib import nullcontext

import numpy as np

from rnnlm.errors import RnnlmError, shown
from rnnlm.functions import ACTIVATIONS, log_softmax
from rnnlm.gradients import clip_scale, global_norm
from rnnlm.initializers import XavierInitializer
from rnnlm.layers.simple_rnn import SimpleRNN
from rnnlm.optimizers import OPTIMIZERS
from rnnlm.workers import blas_threads


class ScratchSimpleRNNClassifier:
    """Which class a sequence belongs to: the states of a SimpleRNN, the last one or their mean, into softmax.

    p = softmax(a W + b), a (N, H) the last state h_T, or with pooling="mean" the mean of all; for two classes a
    sigmoid of one score.  The loss is the mean of -ln p[label] over a mini-batch.

    n_nodes, activation, initializer: of the SimpleRNN; pooling: "last" or "mean"; optimizer: a name ("adam", "sgd",
    ...), lr its rate; epochs: passes over the data; batch_size; max_grad: limit of the gradients' global norm;
    random_state: a seed, or None for another result each time; verbose: whether ``fit`` shows a progress bar.

    After ``fit``: ``classes_``; ``loss_curve_``, the mean training loss of each epoch; ``val_loss_curve_`` if there
    was validation data; ``n_features_in_``.
    """

    def __init__(self, *, n_nodes=64, activation="tanh", initializer=None, pooling="last", optimizer="adam", lr=0.003,
                 epochs=40, batch_size=32, max_grad=1.0, random_state=None, verbose=False):
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
        RnnlmError names what does not fit.
        """
        self._check_parameters()
        X, shares = self._checked(X, mask)
        y = _checked_labels(y, len(X))
        self.classes_, targets = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise RnnlmError(f"y must hold at least two classes, got only {shown(self.classes_[0])}")
        self.n_features_in_ = X.shape[2]
        validation = None if X_val is None else self._checked_validation(X_val, y_val, mask_val)
        rng = np.random.default_rng(self.random_state)
        self._build(rng)
        self.loss_curve_, self.val_loss_curve_ = [], []
        with blas_threads(1), self._bar() as bar:  # its products are too small for more
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
        return float(np.mean(self.predict(X, mask=mask) == _checked_labels(y, len(X))))

    def _build(self, rng):
        """First weights of all layers, for the data's features and classes."""
        self.rnn = SimpleRNN(self.n_nodes, self.initializer, activation=self.activation, return_sequences=True, rng=rng)
        self.rnn.build(self.n_features_in_)
        outputs = 1 if len(self.classes_) == 2 else len(self.classes_)
        self.W = np.asarray((self.initializer or XavierInitializer())((self.n_nodes, outputs), rng), np.float64)
        self.b = np.zeros(outputs)
        self.rule = OPTIMIZERS[self.optimizer](self.lr)

    def _epoch(self, X, shares, targets, rng):
        """One pass in mini-batches of a new order; the mean loss over all samples."""
        nats = 0.0
        order = rng.permutation(len(X))
        for start in range(0, len(X), self.batch_size):
            batch = order[start : start + self.batch_size]
            nats += self._step(X[batch], shares[batch], targets[batch]) * len(batch)
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
        da = dscores @ self.W.T                               # scores = a W + b
        self.rnn.backward(shares[..., np.newaxis] * da[:, np.newaxis])  # a = sum of shares * states
        params = [*self.rnn.params, self.W, self.b]
        grads = [*self.rnn.grads, self.pooled.T @ dscores, dscores.sum(axis=0)]
        self.rule.update(params, grads, clip_scale(global_norm(grads), self.max_grad))
        return float(-log_probs[np.arange(N), targets].mean())

    def _scores(self, X, shares):  # (N, T, D), (N, T) -> (N, outputs)
        """a W + b, where a (N, H), kept as ``pooled``, is the sum of the states in these shares."""
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
        X = np.asarray(X)
        if X.ndim != 3 or 0 in X.shape:
            raise RnnlmError(f"{name} must have shape (n_samples, n_sequences, n_features), none of them 0, "
                             f"got {X.shape}")
        if X.dtype.kind not in "buif" or not np.isfinite(X).all():
            raise RnnlmError(f"{name} must hold finite numbers, but {_first_fault(X)}: fill or drop it; steps beyond "
                             "the end of a sequence may hold anything finite, and are left out by mask")
        if n_features not in (None, X.shape[2]):
            raise RnnlmError(f"{name} must have the {n_features} features of the data that was fitted, "
                             f"got {X.shape[2]}")
        steps = np.ones(X.shape[:2], bool) if mask is None else np.asarray(mask, bool)
        if steps.shape != X.shape[:2]:
            raise RnnlmError(f"mask must have the shape (n_samples, n_sequences) of {name}, {X.shape[:2]}, "
                             f"got {steps.shape}")
        lengths = steps.sum(axis=1, keepdims=True)
        if (steps != (np.arange(X.shape[1]) < lengths)).any() or not lengths.all():
            raise RnnlmError("mask must be true from the first step of a sequence to its last, at least for one, and "
                             "false from there on")
        return X.astype(np.float64), shares_of_states(lengths, X.shape[1], self.pooling)

    def _checked_validation(self, X, y, mask):
        """The validation data as ``_loss`` takes it. RnnlmError at a class that the training data lacks."""
        if y is None:
            raise RnnlmError("X_val needs its labels: give y_val, too")
        X, shares = self._checked(X, mask, self.n_features_in_, "X_val")
        y = _checked_labels(y, len(X), "y_val")
        unknown = np.setdiff1d(y, self.classes_)
        if unknown.size:
            raise RnnlmError(f"y_val holds the label {shown(unknown[0])}, which y never does: it must be one of "
                             f"{shown(', '.join(map(str, self.classes_)))}")
        return X, shares, np.searchsorted(self.classes_, y)

    def _check_parameters(self):
        """RnnlmError at a parameter that cannot be; the constructor only stores them, as scikit-learn asks."""
        rules = {"n_nodes": "a whole number of at least 1", "epochs": "a whole number of at least 1",
                 "batch_size": "a whole number of at least 1"}
        for name, rule in rules.items():
            value = getattr(self, name)
            if not isinstance(value, (int, np.integer)) or isinstance(value, bool) or value < 1:
                raise RnnlmError(f"{name} must be {rule}, got {shown(value)}")
        for name, choices in {"activation": ACTIVATIONS, "optimizer": OPTIMIZERS, "pooling": ("last", "mean")}.items():
            if getattr(self, name) not in tuple(choices):
                raise RnnlmError(f"{name} must be one of {', '.join(choices)}, got {shown(getattr(self, name))}")
        for name in ("lr", "max_grad"):
            if not getattr(self, name) > 0:
                raise RnnlmError(f"{name} must be above 0, got {shown(getattr(self, name))}")

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


def _checked_labels(y, n, name="y"):
    """Labels (n,). RnnlmError if they are not."""
    y = np.asarray(y)
    if y.shape != (n,):
        raise RnnlmError(f"{name} must have one label for each of the {n} sequences, shape ({n},), got {y.shape}")
    if y.dtype.kind == "f" and not np.isfinite(y).all():
        raise RnnlmError(f"{name} must hold labels, but {_first_fault(y)}")
    return y


def _first_fault(values):
    """Where the first value stands that is no finite number."""
    if values.dtype.kind not in "buif":
        return f"its type is {values.dtype}"
    place = tuple(int(i) for i in np.argwhere(~np.isfinite(values))[0])
    return f"the value at {place} is {values[place]}"
