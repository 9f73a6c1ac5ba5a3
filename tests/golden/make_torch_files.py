"""Small files of PyTorch's own, and ln p that PyTorch computes with them in float64.

    pip install torch safetensors
    python tests/golden/make_torch_files.py

writes the folder torch-files next to this file.  Nothing of rnnlm is imported here.
"""

import json
from pathlib import Path

import torch
from safetensors.torch import save_file, save_model
from torch import nn

FOLDER = Path(__file__).parent / "torch-files"
WORDS = ["the", "<unk>", "cat", "<eos>", "sat", "naïve"]
IDS = [3, 0, 2, 4, 3, 0, 5, 1, 3]  # <eos>, then a text


class Network(nn.Module):
    """A network with the names of PyTorch's word_language_model example."""

    def __init__(self, kind, D, H, layers, tied=False, **more):
        super().__init__()
        self.encoder = nn.Embedding(len(WORDS), D)
        self.rnn = getattr(nn, kind)(D, H, layers, **more)
        self.decoder = nn.Linear(H, len(WORDS))
        for param in self.parameters():
            nn.init.normal_(param)
        if tied:
            self.decoder.weight = self.encoder.weight

    def log_probs(self):
        """ln p of each of the ids after the first."""
        hs, _ = self.rnn(self.encoder(torch.tensor(IDS[:-1]))[:, None])
        scores = torch.log_softmax(self.decoder(hs[:, 0]), 1)
        return scores[range(len(IDS) - 1), IDS[1:]].tolist()


def main():
    torch.manual_seed(1)
    FOLDER.mkdir(exist_ok=True)
    FOLDER.joinpath("words.txt").write_text("\n".join(WORDS) + "\n", encoding="utf-8", newline="\n")
    expected = {}
    lstm = Network("LSTM", 3, 3, 2, tied=True)
    save_model(lstm, str(FOLDER / "tied-lstm.safetensors"))  # keeps one name of the shared array
    expected["tied-lstm"] = lstm.double().log_probs()
    gru = Network("GRU", 3, 4, 2).half()  # as it was on a GPU, by DataParallel
    save_file({f"module.{name}": value for name, value in gru.state_dict().items()}, FOLDER / "half-gru.safetensors")
    expected["half-gru"] = gru.double().log_probs()
    relu = Network("RNN", 2, 4, 1, nonlinearity="relu", bias=False).bfloat16()
    save_file(relu.state_dict(), FOLDER / "relu.safetensors")
    expected["relu"] = relu.double().log_probs()
    FOLDER.joinpath("log-probs.json").write_text(json.dumps(expected, indent=1) + "\n")


if __name__ == "__main__":
    main()
