"""A classifier of sequences in scikit-learn's manner: SimpleRNN, a full connection, softmax."""

import math
from contextlib import nullcontext

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


class FitDivergedError(DivergenceError, ValueError):
    """``fit`` met a loss or a weight that is not finite."""


class ScratchSimpleRNNClassifier(Estimator):
    """Which class a sequence belongs to: the last state of a SimpleRNN, or the mean, into softmax.

    p = softmax(u W + b), u (N, H) the last state h_T, or with pooling="mean" the mean of all;
    for two classes a sigmoid of one score.  The loss is the mean of -ln p[label] over a mini-batch.

    Parameters
    ----------
    n_nodes : width of the SimpleRNN's state.
    activation : of the SimpleRNN: "tanh", "relu", "sigmoid" or "identity".
    initializer : (shape, rng) -> array for the first weights; None: XavierInitializer().
    pooling : "last" or "mean": which states stand for a sequence.
    optimizer : "adam", "sgd" or another name in OPTIMIZERS.
    lr : the optimizer's rate.
    schedule : "constant", or "linear": the rate falls from lr in the first epoch to lr / epochs in
        the last, so that training ends smoothly.
    epochs : passes over the data.
    batch_size : sequences in a mini-batch.
    max_grad : limit of the gradients' global norm; inf for none.
    random_state : a seed; None: another result each time.
    verbose : whether ``fit`` shows a progress bar.
    class_weight : how much a sample of each class counts: None, all the same; a dict, 1 for a
        class that it leaves out; "balanced", so that every class counts the same in all.

    Attributes
    ----------
    After ``fit``:

    classes_ : the labels, sorted.
    loss_curve_ : the mean training loss of each epoch; weighted, if samples are.
    val_loss_curve_ : that of the validation data, unweighted; empty without.
    n_features_in_ : features of a step.
    masked_ : whether ``fit`` had a mask. Then a prediction needs to know the lengths, too.
    network_ : the weights, a SequenceNetwork.

    Nothing else of the data is kept, and a prediction changes nothing: threads may share a fitted
    classifier, and a pickled one holds no sample.
    """

    def __init__(self, *, n_nodes=64, activation="tanh", initializer=None, pooling="last",
                 optimizer="adam", lr=0.003, epochs=40, batch_size=32, max_grad=1.0,
                 random_state=None, verbose=False, class_weight=None, schedule="constant"):
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

    def fit(self, X, y, X_val=None, y_val=None, *, mask=None, mask_val=None, sample_weight=None):
        """Learn from X (n_samples, n_sequences, n_features) and labels y; returns the classifier.

        Parameters
        ----------
        y : (n_samples,), text or whole numbers.
        mask : (n_samples, n_sequences), true for the steps that belong to a sequence, which come
            first. None: a sequence ends where all features of all further steps are NaN. With a
            mask nothing is read beyond the ends, NaN or not, and NaN before them is an error.
        X_val, y_val, mask_val : validation data, for ``val_loss_curve_``.
        sample_weight : (n_samples,), how much each counts: 2 as if it were there twice, 0 as if
            it were not there. They are scaled to a mean of 1, so that the rate stays what it is.

        Raises
        ------
        ArgumentError : names what does not fit; what was learnt before stays.
        DivergenceError : the loss or a weight is no longer finite; nothing can be predicted then.
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
        # One thread, as its products are too small for more; what overflows is said by _learn.
        with blas_threads(1), np.errstate(all="ignore"), self._bar() as bar:
            self._learn(samples, validation, rng, bar)
        return self

    def predict_proba(self, X, *, mask=None):
        """Probabilities (n_samples, n_classes), columns in the order of ``classes_``.

        mask: as in ``fit``.  After a fit with one it is needed, unless NaN in X shows the ends.
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

    def predict(self, X, *, mask=None):
        """The most probable class of each sequence (n_samples,)."""
        probs = self.predict_proba(X, mask=mask)
        return self.classes_[probs.argmax(axis=1)]

    def score(self, X, y, *, mask=None, sample_weight=None):
        """The share of sequences whose class is predicted.

        mask: see ``predict_proba``; sample_weight (n_samples,): how much each sequence counts.
        """
        predicted = self.predict(X, mask=mask)
        y = checked_labels(y, len(predicted))
        check_same_kind(y, self.classes_)
        return float(np.average(predicted == y, weights=checked_weights(sample_weight, len(y))))

    def forward(self, x, w_x, w_h, b):  # (N, T, D), (D, H), (H, H), (H,) -> (N, H)
        """The last state of sequences x, from a state of zeros and with these weights.

        What was learnt plays no part.  ArgumentError if the shapes do not fit.
        """
        rnn = SimpleRNN(np.atleast_1d(arguments.floats("w_h", w_h)).shape[-1], activation=self.activation)
        rnn.Wx, rnn.Wh, rnn.b = w_x, w_h, b
        return rnn.forward(x)

    @property
    def rnn(self):
        """The recurrent layer, a SimpleRNN with the weights of ``network_``."""
        network = self._fitted()
        Wx, Wh, b = network.params[:3]
        rnn = SimpleRNN(len(Wh), activation=network.activation, return_sequences=True)
        rnn.layer = TimeRNN(Wx, Wh, b, stateful=True, activation=network.activation)
        return rnn

    @property
    def W(self):
        """The weights of the full connection (n_nodes, n_classes); (n_nodes, 1) for two classes."""
        return self._fitted().params[3]

    @property
    def b(self):
        """The bias of the full connection."""
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
        """ArgumentError where the lengths of sequences are not known, though ``fit`` knew them."""
        if self.masked_ and mask is None and not ends_in_nan(X):
            raise ArgumentError(
                "a mask is needed, because this classifier was fitted with one: pass mask=...; in scikit-learn "
                "call set_config(enable_metadata_routing=True) and set_score_request(mask=True); or fill "
                "X with NaN beyond each sequence's end")
