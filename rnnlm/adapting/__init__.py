"""Predictors that adapt to what they read, and how they are tuned.

Around another predictor:

    around               what they share
    temperature          a softmax temperature
    remembering          a memory of the last words
    attention            how much each of these resembles the present one
    cache                the cache over hidden states
    unigram_cache        the cache of frequencies
    caches               all of them, as numbers
    tuning               these numbers, chosen on validation text
    tuning_probs         that text, read once

Dynamic evaluation:

    methods              the equations and their numbers
    moves                steps of the weights, and their way back
    copies               the copy of a model that learns
    learner              one reading of a text
    dynamic              the predictor
    gradient_statistics  mean squares of the gradients over the training text
    tuning_dynamic       rates, chosen on validation text
"""
