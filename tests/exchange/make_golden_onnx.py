"""Write the small ONNX files of tests/golden anew."""

from pathlib import Path

import numpy as np

from rnnlm.exchange.exported import Exported
from rnnlm.exchange.onnx import export
from rnnlm.models import LanguageModel
from rnnlm.text.vocabulary import Vocabulary


def write(folder):
    """offline.onnx, a tied GRU, and streaming.onnx, an LSTM with a projection."""
    vocabulary = Vocabulary(["the", "cat", "<eos>", "<unk>"])
    models = {"offline": {"cell": "gru", "tied": True}, "streaming": {"cell": "lstm", "projection": True}}
    for name, options in models.items():
        model = LanguageModel(4, 2, 3, rng=None, **options)
        for number, array in enumerate(model.params):
            array[...] = (np.arange(array.size).reshape(array.shape) - number) / 8
        export(Exported(model, vocabulary, "0" * 64, {}), folder / f"{name}.onnx", streaming=name == "streaming")


if __name__ == "__main__":
    write(Path(__file__).parent.parent / "golden")
