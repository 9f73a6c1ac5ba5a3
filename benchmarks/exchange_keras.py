"""The tables of docs/exchange.md for Keras: our arrays in its layers give our scores.

    pip install keras torch
    KERAS_BACKEND=torch python benchmarks/exchange_keras.py

Models of every cell that Keras has, two layers each, random weights.
"""

import keras
import numpy as np

from rnnlm.models import LanguageModel

V, D, H, N, T = 11, 5, 7, 3, 6
LAYERS = {
    "tanh": lambda: keras.layers.SimpleRNN(H, return_sequences=True),
    "relu": lambda: keras.layers.SimpleRNN(H, activation="relu", return_sequences=True),
    "lstm": lambda: keras.layers.LSTM(H, return_sequences=True),
    "gru": lambda: keras.layers.GRU(H, return_sequences=True),
    "gru-textbook": lambda: keras.layers.GRU(H, return_sequences=True, reset_after=False),
}


def keras_weights(kind, arrays):
    """kernel, recurrent_kernel and bias of Keras's layer, from our arrays by name."""
    found = [arrays["Wx"], arrays["Wh"], arrays["b"]]
    if kind == "lstm":  # f, g, i, o -> i, f, g, o
        return [np.concatenate([np.split(array, 4, axis=-1)[i] for i in (2, 0, 1, 3)], axis=-1) for array in found]
    if kind == "gru":  # the second row is added to the product with the state
        return [*found[:2], np.stack([arrays["b"], np.append(np.zeros(2 * H), arrays["bh"])])]
    if kind == "gru-textbook":  # z means the opposite, and 1 - sigmoid(a) is sigmoid(-a)
        return [array * np.repeat([-1, 1, 1], H) for array in found]
    return found


def difference(kind, rng):
    """The largest difference of a score, and the largest score."""
    cell, activation = ("rnn", kind) if kind in ("tanh", "relu") else (kind, "tanh")
    model = LanguageModel(V, D, H, 2, cell=cell, activation=activation, rng=rng)
    for param in model.params:
        param[...] = 0.5 * rng.standard_normal(param.shape)
    model.set_training(False)
    params = model.named_params()
    other = keras.Sequential([keras.layers.Input((T,), dtype="int32"), keras.layers.Embedding(V, D), LAYERS[kind](),
                              LAYERS[kind](), keras.layers.Dense(V)])
    other.layers[0].set_weights([params["embedding/W"]])
    for number in (1, 2):
        start = f"{model.architecture.layer_name(number)}/"
        arrays = {name.removeprefix(start): param for name, param in params.items() if name.startswith(start)}
        other.layers[number].set_weights(keras_weights(kind, arrays))
    other.layers[3].set_weights([params["affine/W"], params["affine/b"]])
    ids = rng.integers(0, V, (N, T))
    ours = model.predict(ids)
    return np.abs(ours - other.predict(ids, verbose=0)).max(), np.abs(ours).max()


def main():
    """Print a line for each cell."""
    rng = np.random.default_rng(0)
    print(f"Keras {keras.__version__}")
    for kind in LAYERS:
        off, largest = difference(kind, rng)
        print(f"{kind}: scores up to {largest:.1f} differ by at most {off:.1e}")


if __name__ == "__main__":
    main()
