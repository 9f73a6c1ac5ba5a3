"""Mixtures of predictors, and their weights."""
