"""What every recurrent layer does, plain or fast, with weight drop and without."""

import numpy as np
import pytest
from gradient_check import check_gradient
from recurrent_layers import CELLS, KINDS, SameMask, random_arrays, states


@pytest.fixture(params=[None, 0.4], ids=["", "weight drop"])
def weight_drop(request):
    """The masks are the same in every window: then the whole contract holds."""
    return None if request.param is None else SameMask(request.param, rng=np.random.default_rng(7))


@pytest.fixture(params=KINDS, ids=str)
def make(request, weight_drop, rng):
    """A function that makes such a layer, by default of 3 inputs and 4 states."""
    cell, kind = request.param
    cls, options = CELLS[cell][kind], CELLS[cell][-1]

    def make(D=3, H=4, dtype=np.float64, **more):
        return cls(*random_arrays(cell, D, H, rng, dtype), weight_drop=weight_drop, **options, **more)

    return make


@pytest.mark.parametrize(("N", "T", "D", "H"), [(1, 1, 3, 2), (1, 6, 2, 3), (4, 1, 3, 5), (3, 5, 4, 2)])
def test_gradients_against_differences(N, T, D, H, make, rng):
    layer = make(D, H, stateful=True)
    xs, weights = rng.normal(size=(N, T, D)), rng.normal(size=(N, T, H))
    start = [rng.normal(size=(N, H)) for _ in layer.state_names]

    def loss():
        layer.set_state(*start)
        return (weights * layer.forward(xs)).sum()

    loss()
    dxs = layer.backward(weights)
    grads = [g.copy() for g in (*layer.grads, dxs, *states(layer, "d"))]
    assert all(g.any() for g in grads)
    check_gradient(loss, [*layer.params, xs, *start], grads, rng)


def test_two_half_windows_are_one_window(make, rng):
    layer = make(stateful=True)
    xs = rng.normal(size=(2, 6, 3))
    whole = layer.forward(xs).copy()
    layer.reset_state()
    halves = np.concatenate([layer.forward(part).copy() for part in (xs[:, :4], xs[:, 4:])], axis=1)
    np.testing.assert_allclose(halves, whole, rtol=1e-12)


def test_reset_is_fresh_and_a_stateless_layer_forgets(make, rng):
    xs = rng.normal(size=(2, 3, 3))
    stateful = make(stateful=True)
    first, second = stateful.forward(xs).copy(), stateful.forward(xs).copy()
    assert (first != second).any()
    stateful.reset_state()
    np.testing.assert_array_equal(stateful.forward(xs), first)
    stateless = make()
    np.testing.assert_array_equal(stateless.forward(xs).copy(), stateless.forward(xs))


def test_the_state_makes_a_round_trip(make, rng):
    layer = make(stateful=True)
    xs = rng.normal(size=(2, 3, 3))
    fresh = states(layer)
    first = layer.forward(xs).copy()
    state = states(layer)
    expected = layer.forward(xs).copy()
    layer.set_state(*state)
    np.testing.assert_array_equal(layer.forward(xs), expected)
    layer.set_state(*fresh)
    np.testing.assert_array_equal(layer.forward(xs), first)


def test_zeros_are_the_fresh_state_and_every_part_of_it_counts(make, rng):
    layer = make(stateful=True)
    xs = rng.normal(size=(2, 3, 3))
    first = layer.forward(xs).copy()
    layer.set_state(*np.zeros((len(layer.state_names), 2, 4)))
    np.testing.assert_array_equal(layer.forward(xs), first)
    for part in range(len(layer.state_names)):
        state = np.zeros((len(layer.state_names), 2, 4))
        state[part] = 0.5
        layer.set_state(*state)
        assert (layer.forward(xs) != first).any()


def test_backward_twice_is_backward_once_and_inputs_are_left_alone(make, rng):
    layer = make()
    xs, dhs = rng.normal(size=(2, 3, 3)), rng.normal(size=(2, 3, 4))
    copies = xs.copy(), dhs.copy(), [p.copy() for p in layer.params]
    hs = layer.forward(xs)
    hs_copy = hs.copy()
    kept = list(layer.grads)

    def backward():
        return layer.backward(dhs).copy(), [g.copy() for g in (*layer.grads, *states(layer, "d"))]

    first = backward()
    layer.backward(2 * dhs)
    again = backward()
    np.testing.assert_array_equal(first[0], again[0])
    for before, after in zip(first[1], again[1], strict=True):
        np.testing.assert_array_equal(before, after)
    assert all(grad is identity for grad, identity in zip(layer.grads, kept, strict=True))
    for array, copy in zip((xs, dhs, hs, *layer.params), (*copies[:2], hs_copy, *copies[2]), strict=True):
        np.testing.assert_array_equal(array, copy)


def test_the_last_state_is_the_layers_own(make, rng):
    """Later windows do not write into a state that was taken or handed out in hs."""
    layer = make(stateful=True)
    hs = layer.forward(rng.normal(size=(2, 3, 3)))
    np.testing.assert_array_equal(layer.h, hs[:, -1])
    state = states(layer)
    copies = [array.copy() for array in state]
    for _ in range(2):
        layer.forward(rng.normal(size=(2, 3, 3)))
    for array, copy in zip(state, copies, strict=True):
        np.testing.assert_array_equal(array, copy)


def test_no_gradient_crosses_the_border_of_a_window(make, rng):
    """The second window's gradients are as if the carried state were a constant."""
    layer = make(stateful=True)
    xs, dhs = rng.normal(size=(2, 6, 3)), rng.normal(size=(2, 3, 4))
    layer.forward(xs[:, :3])
    state = [array.copy() for array in states(layer)]
    layer.forward(xs[:, 3:])
    layer.backward(dhs)
    cut = [g.copy() for g in layer.grads]
    layer.set_state(*state)
    layer.forward(xs[:, 3:])
    layer.backward(dhs)
    for once, again in zip(cut, layer.grads, strict=True):
        np.testing.assert_array_equal(once, again)


def test_a_state_of_another_batch_is_refused(make, rng):
    layer = make(stateful=True)
    layer.forward(rng.normal(size=(1, 2, 3)))
    with pytest.raises(ValueError, match=r"state must have shape \(5, 4\), got \(1, 4\): call reset_state first"):
        layer.forward(rng.normal(size=(5, 2, 3)))
    for part in range(len(layer.state_names)):
        layer.set_state(*(np.zeros((1 if i == part else 5, 4)) for i in range(len(layer.state_names))))
        with pytest.raises(ValueError, match=r"state must have shape \(5, 4\), got \(1, 4\)"):
            layer.check_state(5)


def test_a_state_with_a_part_too_many_is_refused(make):
    layer = make()
    with pytest.raises((TypeError, ValueError)):
        layer.set_state(*[None] * (len(layer.state_names) + 1))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_type_is_kept(make, rng, dtype):
    layer = make(dtype=dtype)
    hs = layer.forward(rng.normal(size=(2, 3, 3)).astype(dtype))
    dxs = layer.backward(hs)
    assert {array.dtype for array in (hs, dxs, *states(layer), *states(layer, "d"))} == {np.dtype(dtype)}


def test_a_window_of_another_size_may_follow(make, rng):
    """Buffers that are used again hold nothing of the windows before."""
    used, fresh = make(), make()
    for array, other in zip(used.params, fresh.params, strict=True):
        array[...] = other
    for N, T in ((4, 5), (2, 3), (3, 7)):
        xs, dhs = rng.normal(size=(N, T, 3)), rng.normal(size=(N, T, 4))
        used.forward(xs)
        used.backward(dhs)
    np.testing.assert_array_equal(used.forward(xs), fresh.forward(xs))
    np.testing.assert_array_equal(used.backward(dhs), fresh.backward(dhs))


def test_weights_that_do_not_fit_are_refused(make):
    layer = make()
    assert layer.hidden_size == 4
    assert [p.shape for p in layer.params] == list(type(layer).param_shapes(3, 4).values())
    for wrong in range(len(layer.params)):
        shapes = [(*p.shape[:-1], p.shape[-1] + (i == wrong)) for i, p in enumerate(layer.params)]
        with pytest.raises(ValueError, match=rf"{type(layer).__name__} takes Wx .*, Wh .* and b.*, got the shapes "):
            type(layer)(*(np.zeros(shape) for shape in shapes))


def test_what_is_no_window_is_refused_with_the_shapes(make):
    layer = make(D=3, H=4)
    name = type(layer).__name__
    with pytest.raises(ValueError, match=rf"^{name} takes an array \(N, T, D\): N rows, T steps, D = 3 numbers; "
                                         r"got the shape \(5, 3\): for a single sequence pass xs\[np.newaxis\]$"):
        layer.forward(np.ones((5, 3)))
    with pytest.raises(ValueError, match=r"D = 3 numbers; got the shape \(2, 5, 4\)$"):
        layer.forward(np.ones((2, 5, 4)))
    layer.forward(np.ones((2, 5, 3)))
    with pytest.raises(ValueError, match=rf"^{name} takes an array \(N, T, H\): .*, H = 4 numbers; got the shape "):
        layer.backward(np.ones((2, 4)))
