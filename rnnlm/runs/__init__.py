"""A training run: what it needs, where it lives, how it continues; without a screen."""
