"""Handwritten digits, read row by row: the recurrent layer at a task that is no language.

    python docs/course/digits.py

scikit-learn brings the data (``pip install -e '.[test]'``): 1,797 pictures of 8 rows and 8 columns.  A quarter is the
test set, drawn with random_state=0; of the rest a fifth is for validation, by which the settings were chosen: the
learning curve is of that run.  Then all but the test set is learnt anew, and the test set is scored once.
Prints the accuracies and writes digits-learning.png and digits-confusion.png into the folder ``images`` beside it.
"""

import argparse
import time
from pathlib import Path

import numpy as np

from rnnlm import ScratchSimpleRNNClassifier
from rnnlm.plotting import plot_confusion, plot_learning


def digits():
    """(X, y) of the training, the validation and the test set; X (n, 8, 8) from 0 to 1."""
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    X, y = load_digits(return_X_y=True)
    X = X.reshape(-1, 8, 8) / 16
    X, X_test, y, y_test = train_test_split(X, y, test_size=0.25, random_state=0, stratify=y)
    X_train, X_valid, y_train, y_valid = train_test_split(X, y, test_size=0.2, random_state=0, stratify=y)
    return (X_train, y_train), (X_valid, y_valid), (X_test, y_test)


def main(argv=None):
    """Train, score, draw; returns the accuracy on the test set."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=Path(__file__).with_name("images"), metavar="FOLDER")
    parser.add_argument("--quiet", action="store_true", help="no progress bar")
    options = parser.parse_args(argv)
    options.output.mkdir(parents=True, exist_ok=True)
    train, valid, test = digits()
    started = time.perf_counter()
    classifier = ScratchSimpleRNNClassifier(n_nodes=128, random_state=0, verbose=not options.quiet).fit(*train, *valid)
    curves = {"training": classifier.loss_curve_, "validation": classifier.val_loss_curve_}
    print(f"accuracy: {classifier.score(*train):.4f} training, {classifier.score(*valid):.4f} validation")
    classifier.fit(*map(np.concatenate, zip(train, valid, strict=True)))
    accuracy = classifier.score(*test)
    print(f"with the validation set learnt, too: {accuracy:.4f} test; {time.perf_counter() - started:.1f} s in all")
    labels = classifier.classes_
    counts = np.zeros((len(labels), len(labels)), int)
    np.add.at(counts, (test[1], classifier.predict(test[0])), 1)
    plot_learning(options.output / "digits-learning.png", curves, "digits, row by row")
    plot_confusion(options.output / "digits-confusion.png", counts, labels, f"test set: {accuracy:.1%} right")
    return accuracy


if __name__ == "__main__":
    main()
