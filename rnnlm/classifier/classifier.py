"""A classifier of sequences for scikit-learn: SimpleRNN, a full connection, softmax."""

from __future__ import annotations

import math
from contextlib import nullcontext
from typing import TYPE_CHECKING

import numpy as np

from rnnlm.classifier.checks import check_parameters, checked_training, checked_validation
from rnnlm.classifier.estimator import Estimator, not_fitted
from rnnlm.classifier.labels import check_same_kind, checked_labels, checked_weights
from rnnlm.classifier.sequence_network import Learner, SequenceNetwork
from rnnlm.classifier.sequences import checked_steps, ends_in_nan, given_sequences, shares_of_states
from rnnlm.classifier.simple_rnn import SimpleRNN
from rnnlm.compute import arguments
from rnnlm.compute.blas import blas_threads
from rnnlm.errors import ArgumentError, DivergenceError
from rnnlm.layers.rnn import TimeRNN
from rnnlm.training.optimizers import OPTIMIZERS
from rnnlm.training.schedules import SCHEDULES

if TYPE_CHECKING:
    from typing import Any, Self

    from numpy.typing import ArrayLike

    from rnnlm.classifier.simple_rnn import FirstWeights


class FitDivergedError(DivergenceError, ValueError):
    """``fit`` met a loss or a weight that is not finite."""


class ScratchSimpleRNNClassifier(Estimator):
    """Which class a sequence belongs to: states of a SimpleRNN, pooled, into softmax.

    p = softmax(u W + b), u (N, H) the last state h_T, or with pooling="mean" the mean
    of all; for two classes a sigmoid of one score.  The loss is the mean of -ln
    p[label] over a mini-batch.

    Parameters
    ----------
    n_nodes : width of the SimpleRNN's state.
    activation : of the SimpleRNN: "tanh", "relu", "sigmoid" or "identity".
    initializer : (shape, rng) -> array for the first weights; None:
        XavierInitializer().
    pooling : "last" or "mean": which states represent a sequence.
    optimizer : "adam", "sgd" or another name in OPTIMIZERS.
    lr : the optimizer's rate.
    schedule : "constant", or "linear": the rate falls from lr in the first epoch to
        lr / epochs in the last, so that training ends smoothly.
    epochs : passes over the data.
    batch_size : sequences in a mini-batch.
    max_grad : limit of the gradients' global norm; inf for none.
    random_state : a seed; None: another result each time.
    verbose : whether ``fit`` shows a progress bar.
    class_weight : how much a sample of each class counts.  None: all the same.  A dict:
        by label, 1 for a class that it leaves out.  "balanced": so that every class
        counts the same in all.

    Attributes
    ----------
    classes_ : the labels, sorted.  It and all below are there after ``fit``.
    loss_curve_ : the mean training loss of each epoch; weighted, if samples are.
    val_loss_curve_ : the mean validation loss of each epoch, unweighted; may be empty.
    n_features_in_ : features of a step.
    masked_ : whether ``fit`` had a mask.  Predictions must then know the lengths, too.
    network_ : the weights, a SequenceNetwork.

    No data is kept, and a prediction changes nothing: threads may share a fitted
    classifier, and a pickled one holds no sample.
    """

    classes_: np.ndarray
    loss_curve_: list[float]
    val_loss_curve_: list[float]
    n_features_in_: int
    masked_: bool
    network_: SequenceNetwork

    def __init__(self, *, n_nodes: int = 64, activation: str = "tanh", initializer: FirstWeights | None = None,
                 pooling: str = "last", optimizer: str = "adam", lr: float = 0.003, epochs: int = 40,
                 batch_size: int = 32, max_grad: float = 1.0, random_state: int | None = None, verbose: bool = False,
                 class_weight: dict[Any, float] | str | None = None, schedule: str = "constant") -> None:
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
        self.class_weight = class_weight
        self.schedule = schedule

    def fit(self, X: ArrayLike, y: ArrayLike, X_val: ArrayLike | None = None, y_val: ArrayLike | None = None, *,
            mask: ArrayLike | None = None, mask_val: ArrayLike | None = None,
            sample_weight: ArrayLike | None = None) -> Self:
        """Learn from sequences X and their labels y; returns the classifier itself.

        Parameters
        ----------
        X : (n_samples, n_sequences, n_features).
        y : (n_samples,), text or whole numbers.
        X_val, y_val, mask_val : validation data, for ``val_loss_curve_``.
        mask : (n_samples, n_sequences), true for the steps that belong to a sequence,
            which come first.  None: a sequence ends where all features of all further
            steps are NaN.  With a mask nothing is read beyond the ends, NaN or not, and
            NaN before them is an error.
        sample_weight : (n_samples,), how much each counts: 2 as if it were there twice,
            0 as if it were not there.  The weights are scaled to a mean of 1, so that
            lr keeps its meaning.

        Raises
        ------
        ArgumentError : names what does not fit; what was learnt before is kept.
        DivergenceError : the loss or a weight is no longer finite; the classifier is
            then not fitted.
        """
        check_parameters(self)
        X, lengths, classes, targets, weights = checked_training(
            X, y, mask, sample_weight, self.class_weight)
        validation = checked_validation(X_val, y_val, mask, mask_val, classes, X.shape[2])
        rng = np.random.default_rng(self.random_state)
        network = SequenceNetwork.new(X.shape[2], len(classes), self.n_nodes, self.initializer,
                                      self.activation, self.pooling, rng)
        self.classes_, self.n_features_in_, self.masked_ = classes, X.shape[2], mask is not None
        self.network_, self.loss_curve_, self.val_loss_curve_ = network, [], []
        samples = X, shares_of_states(lengths, X.shape[1], self.pooling), targets, weights
        # One thread, as its products are too small for more; _learn reports what
        # overflows.
        with blas_threads(1), np.errstate(all="ignore"), self._bar() as bar:
            self._learn(samples, validation, rng, bar)
        return self

    def predict_proba(self, X: ArrayLike, *, mask: ArrayLike | None = None) -> np.ndarray:
        """Probabilities (n_samples, n_classes), columns in the order of ``classes_``.

        X, mask: as in ``fit``.  After a fit with a mask, a mask is needed unless NaN in
        X shows the ends.
        """
        network = self._fitted()
        X, mask = given_sequences(X, mask, self.n_features_in_)
        self._check_mask(X, mask)
        probs = np.empty((len(X), len(self.classes_)))
        with blas_threads(1), np.errstate(all="ignore"):
            for batch in network.batches(X):
                part = None if mask is None else mask[batch]
                sequences = checked_steps(X[batch], part, first=batch.start)
                probs[batch] = np.exp(network.log_probs(*sequences))
        if np.isnan(probs).any():
            raise ArgumentError("X must be scaled like the data that was fitted, but it gives "
                                "probabilities that are not finite: scale it like that")
        return probs

    def predict(self, X: ArrayLike, *, mask: ArrayLike | None = None) -> np.ndarray:
        """The most probable class (n_samples,) of each sequence: ``predict_proba``."""
        probs = self.predict_proba(X, mask=mask)
        return self.classes_[probs.argmax(axis=1)]

    def score(self, X: ArrayLike, y: ArrayLike, *, mask: ArrayLike | None = None,
              sample_weight: ArrayLike | None = None) -> float:
        """The accuracy: the share of sequences whose class is predicted.

        X, mask: see ``predict_proba``; y (n_samples,): the labels; sample_weight
        (n_samples,): how much each sequence counts.
        """
        predicted = self.predict(X, mask=mask)
        y = checked_labels(y, len(predicted))
        check_same_kind(y, self.classes_)
        return float(np.average(predicted == y, weights=checked_weights(sample_weight, len(y))))

    def forward(self, x: ArrayLike, w_x: ArrayLike, w_h: ArrayLike, b: ArrayLike) -> np.ndarray:
        """The last state (N, H) of sequences, from zeros, with the given weights.

        x (N, T, D), w_x (D, H), w_h (H, H), b (H,).  What was learnt plays no part.
        ArgumentError if the shapes do not fit.
        """
        rnn = SimpleRNN(np.atleast_1d(arguments.floats("w_h", w_h)).shape[-1], activation=self.activation)
        rnn.Wx, rnn.Wh, rnn.b = w_x, w_h, b
        return rnn.forward(x)

    @property
    def rnn(self) -> SimpleRNN:
        """The recurrent layer, a SimpleRNN with the weights of ``network_``."""
        network = self._fitted()
        Wx, Wh, b = network.params[:3]
        rnn = SimpleRNN(len(Wh), activation=network.activation, return_sequences=True)
        rnn.layer = TimeRNN(Wx, Wh, b, stateful=True, activation=network.activation)
        return rnn

    @property
    def W(self) -> np.ndarray:
        """Weights (n_nodes, n_classes) of the full connection; (n_nodes, 1) for two."""
        return self._fitted().params[3]

    @property
    def b(self) -> np.ndarray:
        """The bias of the full connection, as long as ``W`` has columns."""
        return self._fitted().params[4]

    def _learn(self, samples, validation, rng, bar):
        """All epochs over (X, shares, targets, weights)."""
        learner = Learner(self.network_, OPTIMIZERS[self.optimizer](self.lr), self.max_grad)
        for epoch in range(self.epochs):
            learner.rule.lr = SCHEDULES[self.schedule](self.lr).rate(0, epoch / self.epochs)
            loss = learner.epoch(*samples, rng.permutation(len(samples[0])), self.batch_size)
            if not (math.isfinite(loss) and learner.is_finite()):
                del self.network_  # nobody predicts with it
                raise FitDivergedError(
                    f"the loss or a weight is not finite in epoch {epoch + 1}: lower lr, now {self.lr:g}, "
                    f"or max_grad, now {self.max_grad:g}, or scale X")
            self.loss_curve_.append(loss)
            if validation:
                self.val_loss_curve_.append(self.network_.loss(*validation))
            if bar is not None:
                bar.set_postfix_str(f"loss {loss:.4f}", refresh=False)
                bar.update()

    def _bar(self):
        """A progress bar over the epochs in a block, or None there."""
        if not self.verbose:
            return nullcontext()
        from tqdm import tqdm

        return tqdm(total=self.epochs, unit="epoch")

    def _fitted(self):
        """The network. NotFittedError before fit."""
        if "network_" not in vars(self):
            raise not_fitted("this classifier is not fitted yet: call fit first")
        return self.network_

    def _check_mask(self, X, mask):
        """ArgumentError if ends of sequences are unknown, but ``fit`` had a mask."""
        if self.masked_ and mask is None and not ends_in_nan(X):
            raise ArgumentError(
                "a mask is needed, because this classifier was fitted with one: pass mask=...; in scikit-learn "
                "call set_config(enable_metadata_routing=True) and set_score_request(mask=True); or fill "
                "X with NaN beyond each sequence's end")
