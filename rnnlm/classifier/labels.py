"""The labels of a classifier, and how much each sample counts.

What is wrong is refused in one line.
"""

from numbers import Number, Real

import numpy as np

from rnnlm.classifier.sequences import first_fault
from rnnlm.compute import arguments
from rnnlm.errors import ArgumentError, shown


def checked_labels(y, n, name="y"):
    """Labels (n,). ArgumentError if they are not."""
    if y is None:
        raise ArgumentError(f"a classifier requires {name} to be passed, but the target {name} is None: "
                            "give one label for each sequence")
    y = arguments.as_array(name, y, f"an array with one label for each of the {n} sequences")
    if y.shape != (n,):
        hint = f": give {name}.ravel()" if y.shape == (n, 1) else ""
        raise ArgumentError(f"{name} must have one label for each of the {n} sequences, shape ({n},), "
                            f"got {y.shape}{hint}")
    if y.dtype.kind == "O":
        kinds = {type(label).__name__ for label in y}
        if len(kinds) > 1 or "NoneType" in kinds:
            raise ArgumentError(f"{name} must hold labels, all numbers or all text, "
                                f"got {', '.join(sorted(kinds))}")
    if y.dtype.kind == "f" or isinstance(y[0], float):
        _check_whole(y.astype(np.float64), name)
    return y


def _check_whole(y, name):
    """ArgumentError unless float labels are whole: others are targets of regression."""
    if not np.isfinite(y).all():
        position, value = first_fault(y)
        raise ArgumentError(f"{name} must hold labels, but the value at {position} is {value}")
    broken = y != np.floor(y)
    if broken.any():
        position = int(np.argmax(broken))
        raise ArgumentError(
            f"{name} must hold labels, but the value at ({position},) is {y[position]}, as in a regression "
            "(Unknown label type: continuous): round it, or name the classes by text")


def check_same_kind(y, classes, name="y"):
    """ArgumentError if labels and classes are of two kinds, as text and numbers."""
    if _kind(y) != _kind(classes):
        raise ArgumentError(
            f"{name} must hold labels of the kind that was fitted, {_kind(classes)} such as "
            f"{shown_label(classes[0])}, got {_kind(y)} such as {shown_label(y[0])}: convert them")


def _kind(labels):
    """What the labels are, as a message names it."""
    label = labels[0]
    if isinstance(label, (Number, np.bool_)):
        return "numbers"
    if isinstance(label, str):
        return "text"
    return "bytes" if isinstance(label, bytes) else type(label).__name__


def positions_of(labels, classes):
    """Positions (n,) of labels (n,) among the classes.

    ArgumentError at a label that is not among them.
    """
    positions = {label: position for position, label in enumerate(classes.tolist())}
    unknown = next((label for label in labels.tolist() if label not in positions), None)
    if unknown is not None:
        raise ArgumentError(f"y_val holds the label {shown_label(unknown)}, which does not occur in y: it "
                            f"must be one of {_shown_labels(classes)}")
    return np.array([positions[label] for label in labels.tolist()])


def shown_label(label):
    """A label as a message shows it: text in quotation marks."""
    return shown(repr(label.item() if isinstance(label, np.generic) else label))


def _shown_labels(labels):
    return shown(", ".join(map(shown_label, labels)))


def checked_weights(sample_weight, n):
    """How much each of n samples counts, (n,) float64, at most 1; ones for None.

    ArgumentError unless they are finite numbers of at least 0, one of them above 0.
    """
    if sample_weight is None:
        return np.ones(n)
    weights = arguments.as_array("sample_weight", sample_weight, f"one number for each of the {n} sequences",
                                 dtype=np.float64)
    if weights.shape != (n,):
        raise ArgumentError(f"sample_weight must have one number for each of the {n} sequences, "
                            f"shape ({n},), got {weights.shape}")
    wrong = ~(np.isfinite(weights) & (weights >= 0))
    if wrong.any():
        position = int(np.argmax(wrong))
        raise ArgumentError("sample_weight must hold finite numbers of at least 0, but the value at "
                            f"({position},) is {weights[position]}")
    if not weights.any():
        raise ArgumentError("sample_weight must hold a number above 0: all weights are zero")
    return weights / weights.max()  # only ratios count, and a sum of large ones could overflow


def check_class_weight(class_weight):
    """ArgumentError unless it is None, "balanced" or a dict of numbers above 0."""
    if class_weight is None or (isinstance(class_weight, str) and class_weight == "balanced"):
        return
    if not isinstance(class_weight, dict):
        raise ArgumentError('class_weight must be None, "balanced" or a dict, '
                            f"got {shown(class_weight)}")
    for label, weight in class_weight.items():
        if not isinstance(weight, Real) or isinstance(weight, bool) or not 0 < weight < np.inf:
            raise ArgumentError("class_weight must give each class a finite number above 0, got "
                                f"{shown(weight)} for {shown_label(label)}")


def weights_in_all(weights, class_weight, classes, targets):
    """How much each sample counts (n,), its class's weight included; 1 on average.

    Parameters
    ----------
    weights : (n,), those of the samples.
    class_weight : see ``check_class_weight``; "balanced" makes all classes' sums equal.
    classes : the labels, sorted.
    targets : (n,), the samples' positions in ``classes``.

    Raises
    ------
    ArgumentError : class_weight lacks a class of y and holds another that y lacks,
        which is probably a mistake such as 1 for "1".
    """
    if class_weight is None:
        of_class = np.ones(len(classes))
    elif isinstance(class_weight, str):
        of_class = 1 / np.bincount(targets, weights)
    else:
        labels = classes.tolist()
        strange = [label for label in class_weight if label not in labels]
        if strange and not all(label in class_weight for label in labels):
            raise ArgumentError(f"class_weight holds {shown_label(strange[0])}, which does not occur in y: "
                                f"the classes are {_shown_labels(classes)}")
        of_class = np.array([class_weight.get(label, 1.0) for label in labels], np.float64)
        of_class /= of_class.max()
    total = weights * of_class[targets]
    return total / total.mean()
