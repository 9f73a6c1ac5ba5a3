import numpy as np
import pytest
from gradient_check import check_gradient

from rnnlm.models import LanguageModel


def test_loss_and_gradients_agree_with_an_independent_implementation(golden, rng):
    case = golden["language_model"]
    V, D, H = case["sizes"]
    model = LanguageModel(V, D, H, layers=2, rng=rng, dtype=np.float64)
    for name, param in model.named_params().items():
        param[...] = case["params"][name]
    xs, ts, T = np.array(case["xs"]), np.array(case["ts"]), case["T"]
    model.predict(xs[:, :T])
    assert model.forward(xs[:, T:], ts[:, T:]) == pytest.approx(case["loss"], rel=1e-12)
    model.backward()
    grads = dict(zip(model.named_params(), model.grads, strict=True))
    for name, expected in case["grads"].items():
        np.testing.assert_allclose(grads[name], expected, rtol=1e-10, atol=1e-14, err_msg=name)


@pytest.mark.parametrize("layers", [1, 3])
@pytest.mark.parametrize(("N", "T"), [(1, 1), (2, 4)])
def test_gradients_of_the_whole_model_against_differences(layers, N, T, rng):
    model = LanguageModel(6, 3, 4, layers=layers, rng=rng, dtype=np.float64)
    xs, ts = rng.integers(0, 6, (2, N, T))

    def loss():
        model.reset_state()
        return model.forward(xs, ts)

    loss()
    model.backward()
    check_gradient(loss, model.params, model.grads, rng)


def test_names_cover_every_parameter_once(rng):
    model = LanguageModel(6, 3, 4, layers=2, rng=rng)
    named = model.named_params()
    assert list(named) == ["embedding/W", "rnn1/Wx", "rnn1/Wh", "rnn1/b", "rnn2/Wx", "rnn2/Wh", "rnn2/b",
                           "affine/W", "affine/b"]
    assert [id(p) for p in named.values()] == [id(p) for p in model.params]
    assert {p.dtype for p in model.params} == {np.dtype(np.float32)}


def test_a_fresh_state_is_fresh_and_leaves_no_trace(rng):
    model = LanguageModel(6, 3, 4, layers=2, dropout=0.5, rng=rng)
    xs = rng.integers(0, 6, (2, 5))
    model.predict(xs)
    state = model.get_state()
    with model.fresh_state():
        inside = model.predict(xs[:1]).copy()
        again = model.predict(xs[:1])
        assert (inside != again).any()  # the state is carried inside the block
    with model.fresh_state():
        np.testing.assert_array_equal(model.predict(xs[:1]), inside)  # from zeros, and without dropout
    for (before,), (after,) in zip(state, model.get_state(), strict=True):
        np.testing.assert_array_equal(before, after)
    assert all(drop.train for drop in model.dropouts)


@pytest.mark.parametrize(("plain", "kind"), [(True, "Time"), (False, "Fast")])
def test_layers_stand_where_the_page_says(plain, kind, rng):
    model = LanguageModel(6, 3, 4, layers=2, dropout=0.5, input_dropout=0.1, rng=rng, plain=plain)
    kinds = [type(layer).__name__ + str(getattr(layer, "ratio", "")) for layer in [*model.layers, model.output]]
    assert kinds == [f"{kind}Embedding", "TimeDropout0.1", f"{kind}RNN", "TimeDropout0.5", f"{kind}RNN",
                     "TimeDropout0.5", f"{kind}Output"]


def test_masks_come_from_the_seed():
    masks = []
    for seed in (1, 2):
        model = LanguageModel(6, 3, 4, dropout=0.5, rng=np.random.default_rng(seed))
        masks.append(model.dropouts[1].forward(np.ones((5, 5, 5), np.float32)))
    assert (masks[0] != masks[1]).any()


def test_one_seed_gives_the_same_model_and_the_same_dropout():
    xs = np.arange(10).reshape(2, 5) % 6
    first, again = (LanguageModel(6, 3, 4, dropout=0.5, rng=np.random.default_rng(3)) for _ in range(2))
    for _ in range(2):
        np.testing.assert_array_equal(first.predict(xs), again.predict(xs))
