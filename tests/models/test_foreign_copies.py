"""Copies from elsewhere: from read-only memory, and from earlier versions."""

import pickle

import numpy as np

from rnnlm import SGD, Adam, Average, Constant, LanguageModel, SimpleRNN, TimeBatches, Trainer


def unwritable(thing):
    """A copy whose arrays are read-only, as joblib.Parallel gives them to workers."""
    buffers = []
    data = pickle.dumps(thing, protocol=5, buffer_callback=buffers.append)
    return pickle.loads(data, buffers=[bytes(buffer) for buffer in buffers])


def test_what_came_in_memory_to_read_only_can_be_trained(rng):
    X, dhs = rng.normal(size=(2, 3, 4)), np.ones((2, 5))
    for rule in (SGD(0.1), Adam(0.1)):
        first = SimpleRNN(5, optimizer=rule, rng=np.random.default_rng(0))
        for _ in range(2):
            first.forward(X)
            first.backward(dhs)
            first.update()
            twin = unwritable(first)
        for rnn in (first, twin):
            rnn.forward(X)
            rnn.backward(dhs)
            rnn.update()
        np.testing.assert_array_equal(twin.Wx, first.Wx)


def test_a_trainer_in_memory_to_read_only_continues(rng):
    batches = TimeBatches(rng.integers(0, 7, 200), 2, 5)
    trainer = Trainer(LanguageModel(7, 4, 4, rng=rng), Adam(0.01), batches, Constant(0.01),
                      average=Average(0.0, 0.9))
    list(trainer.fit(lambda: 1.0, 1))
    twin = unwritable(trainer)
    for one in (trainer, twin):
        list(one.fit(lambda: 1.0, 2))
    for param, other in zip(trainer.model.params, twin.model.params, strict=True):
        np.testing.assert_array_equal(np.asarray(other), np.asarray(param))
    np.testing.assert_array_equal(twin.average.values[0], trainer.average.values[0])
