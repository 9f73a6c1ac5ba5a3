"""A training run as a thing of its own: what it needs, where it lives, how it continues.  It knows no screen."""
