import numpy as np
import pytest

from rnnlm.compute.row_gradient import RowGradient
from rnnlm.models import LanguageModel, Regularisation


def test_packed_arrays_are_the_models_own_memory(rng):
    model = LanguageModel(7, 3, 4, layers=2, rng=rng)
    packing = model.packing
    assert packing.groups == ["matrices", "biases", "words", "words"]
    assert packing.params[-1] is model.params[0]
    assert isinstance(packing.grads[-1], RowGradient)
    members = {"matrices": ["rnn1/Wx", "rnn1/Wh", "rnn2/Wx", "rnn2/Wh"], "biases": ["rnn1/b", "rnn2/b", "affine/b"],
               "words": ["affine/W"]}
    grads = dict(zip(model.named_params(), model.grads, strict=True))
    for arrays, packed in ((model.named_params(), packing.params), (grads, packing.grads)):
        for group, whole in zip(packing.groups[:3], packed, strict=False):
            whole[...] = 0
            for i, name in enumerate(members[group]):
                arrays[name][...] = i + 1
            expected = np.concatenate([np.full(arrays[name].size, i + 1) for i, name in enumerate(members[group])])
            np.testing.assert_array_equal(whole, expected)
    slots = packing.by_name(packing.params)
    assert list(slots) == list(model.named_params())
    for name, param in model.named_params().items():
        assert np.shares_memory(slots[name], param) and slots[name].shape == param.shape
        np.testing.assert_array_equal(slots[name], param)


def test_packing_keeps_values_shapes_and_the_layers_view(rng):
    plain = LanguageModel(7, 3, 4, rng=np.random.default_rng(1), plain=True)
    fast = LanguageModel(7, 3, 4, rng=np.random.default_rng(1))
    for one, other in zip(plain.params, fast.params, strict=True):
        np.testing.assert_array_equal(one, other)
    assert fast.output.params[0].shape == (4, 7)
    assert fast.output.params[0].flags.f_contiguous
    assert [id(p) for layer in [*fast.layers, fast.output] for p in layer.params] == [id(p) for p in fast.params]
    assert len(plain.packing.params) == 3  # the plain embedding has a gradient like all others


def test_a_model_whose_weights_will_be_loaded_starts_at_zero():
    model = LanguageModel(7, 3, 4, regularisation=Regularisation(dropout=0.5), rng=None)
    assert not any(p.any() for p in model.params)
    model.forward(np.zeros((2, 3), int), np.ones((2, 3), int))  # it can be trained, dropout included


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_memory_begins_at_a_cache_line(dtype, rng):
    packing = LanguageModel(31, 5, 7, layers=2, rng=rng, dtype=dtype).packing
    arrays = [*packing.params, *(grad for grad in packing.grads if isinstance(grad, np.ndarray))]
    assert [array.ctypes.data % 64 for array in arrays] == [0] * len(arrays)
    assert {array.dtype for array in arrays} == {np.dtype(dtype)}
