import numpy as np

from rnnlm.gradients import RowGradient
from rnnlm.models import LanguageModel


def test_packed_arrays_are_the_models_own_memory(rng):
    model = LanguageModel(7, 3, 4, layers=2, rng=rng)
    packed, embedding = model.packed_params
    assert embedding is model.params[0]
    assert isinstance(model.packed_grads[1], RowGradient)
    assert packed.size == sum(p.size for p in model.params[1:]) == model.packed_grads[0].size
    for params, whole in ((model.params[1:], packed), (model.grads[1:], model.packed_grads[0])):
        whole[...] = 0
        for i, array in enumerate(params):
            array[...] = i + 1
        expected = np.concatenate([np.full(array.size, i + 1) for i, array in enumerate(params)])
        np.testing.assert_array_equal(whole, expected)


def test_packing_keeps_values_shapes_and_the_layers_view(rng):
    plain = LanguageModel(7, 3, 4, rng=np.random.default_rng(1), plain=True)
    fast = LanguageModel(7, 3, 4, rng=np.random.default_rng(1))
    for one, other in zip(plain.params, fast.params, strict=True):
        np.testing.assert_array_equal(one, other)
    assert fast.output.params[0].shape == (4, 7)
    assert fast.output.params[0].flags.f_contiguous
    assert [id(p) for layer in [*fast.layers, fast.output] for p in layer.params] == [id(p) for p in fast.params]
    assert len(plain.packed_params) == 1  # the plain embedding has a gradient like all others


def test_a_model_whose_weights_will_be_loaded_starts_at_zero():
    model = LanguageModel(7, 3, 4, dropout=0.5, rng=None)
    assert not any(p.any() for p in model.params)
    model.forward(np.zeros((2, 3), int), np.ones((2, 3), int))  # it can be trained, dropout included
