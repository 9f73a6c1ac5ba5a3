"""Mixtures of predictors, and their weights.

    combined      what predictors that are made of others share
    mixture       linear and log-linear mixtures
    mapped        a predictor with another vocabulary
    vocabularies  what differs between vocabularies, and whether they can be mixed
    outside       probabilities of another program, from a file
    weights       weights: checked, and found by expectation-maximisation
    tuning        weights that make a validation text most probable
    figures       what a mixture scores, and each of its parts
    mix           ``rnnlm.mix``: loaded models as one
"""
