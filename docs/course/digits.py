"""Handwritten digits, read row by row: the recurrent layer at a task without language.

    python docs/course/digits.py

scikit-learn brings the data (``pip install -e '.[test]'``): 1,797 pictures of 8 rows
and 8 columns.  A quarter is the test set, drawn with random_state=0; of the rest a
fifth is for validation, by which the settings were chosen: the learning curve is of
that run.  Then all but the test set is learnt anew, and the test set is scored.

Prints the accuracies and writes digits-learning.png and digits-confusion.png into the
folder ``images`` next to it.  ``--seeds 8`` repeats the second part with the seeds 0 to
7, and prints the range; the pictures are of seed 0.
"""

import argparse
import time
from pathlib import Path

import numpy as np

from rnnlm import ScratchSimpleRNNClassifier
from rnnlm.reports.curves import plot_confusion, plot_learning


def digits():
    """(X, y) of training, validation and test set; X (n, 8, 8), from 0 to 1."""
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    X, y = load_digits(return_X_y=True)
    X = X.reshape(-1, 8, 8) / 16
    X, X_test, y, y_test = train_test_split(X, y, test_size=0.25, random_state=0, stratify=y)
    X_train, X_valid, y_train, y_valid = train_test_split(X, y, test_size=0.2, random_state=0, stratify=y)
    return (X_train, y_train), (X_valid, y_valid), (X_test, y_test)


def classifier(seed, **options):
    """The classifier with the settings that were chosen.

    The rate falls: at a constant one the loss jumps now and then, and rounding decides
    whether training ends on a jump.
    """
    return ScratchSimpleRNNClassifier(n_nodes=128, schedule="linear", random_state=seed, **options)


def main(argv=None):
    """Train, score, draw."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=Path(__file__).with_name("images"), metavar="FOLDER")
    parser.add_argument("--quiet", action="store_true", help="no progress bar")
    parser.add_argument("--seeds", type=int, default=1, metavar="N", help="train on all but the test set N times")
    options = parser.parse_args(argv)
    options.output.mkdir(parents=True, exist_ok=True)
    train, valid, test = digits()
    started = time.perf_counter()
    chosen = classifier(0, verbose=not options.quiet).fit(*train, *valid)
    curves = {"training": chosen.loss_curve_, "validation": chosen.val_loss_curve_}
    print(f"accuracy: {chosen.score(*train):.4f} training, {chosen.score(*valid):.4f} validation")
    both = [np.concatenate(pair) for pair in zip(train, valid, strict=True)]
    fitted = [classifier(seed, verbose=not options.quiet).fit(*both) for seed in range(options.seeds)]
    accuracies = [each.score(*test) for each in fitted]
    seconds = time.perf_counter() - started
    print(f"with the validation set learnt, too: {accuracies[0]:.4f} test; {seconds:.1f} s in all")
    if options.seeds > 1:
        print(f"over {options.seeds} seeds: {min(accuracies):.4f} to {max(accuracies):.4f}, "
              f"mean {np.mean(accuracies):.4f}")
    labels = fitted[0].classes_
    counts = np.zeros((len(labels), len(labels)), int)
    np.add.at(counts, (test[1], fitted[0].predict(test[0])), 1)
    plot_learning(options.output / "digits-learning.png", curves, "digits, row by row")
    plot_confusion(options.output / "digits-confusion.png", counts, labels, f"test set: {accuracies[0]:.1%} right")


if __name__ == "__main__":
    main()
