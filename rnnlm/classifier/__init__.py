"""A classifier of sequences, which works like those of scikit-learn."""
