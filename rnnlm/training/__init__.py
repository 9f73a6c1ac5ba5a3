"""Training: it knows no model, no file and no screen."""
