"""Predictors that adapt to what they read, and how they are tuned."""
