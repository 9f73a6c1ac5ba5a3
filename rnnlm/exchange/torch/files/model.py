"""A recurrent language model that was trained by rnnlm, in PyTorch.

    python model.py TEXT     the perplexity of a text

From Python, in this folder or with it on the path:

    from model import load, perplexity, save
    model = load()           an nn.Module with the weights of model.safetensors

This file needs the packages torch and safetensors.
"""

import json
import math
import sys
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import load_model
from safetensors.torch import save as as_bytes
from torch import nn

FOLDER = Path(__file__).resolve().parent
CELLS = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}
WINDOW = 1000  # steps at a time; the result does not depend on it


class LanguageModel(nn.Module):
    """p(next word | all words before): the encoder, the layers, the decoder.

    about : the metadata of model.safetensors, see ``read_about``.
    """

    def __init__(self, about):
        super().__init__()
        shape = about["architecture"]
        V, D, H = shape["vocab_size"], shape["wordvec_size"], shape["hidden_size"]
        more = {"nonlinearity": shape["activation"]} if shape["cell"] == "rnn" else {}
        self.encoder = nn.Embedding(V, D)
        self.rnn = CELLS[shape["cell"]](D, H, shape["layers"], batch_first=True, **more)
        self.projection = nn.Linear(H, D) if shape["projection"] else nn.Identity()
        self.decoder = nn.Linear(D if shape["projection"] else H, V)
        if shape["tied"]:
            self.decoder.weight = self.encoder.weight
        self.about = about

    def forward(self, ids, state=None):
        """Ids (N, T) and a state; logits (N, T, V) of the next word, and the state."""
        hs, state = self.rnn(self.encoder(ids), state)
        return self.decoder(self.projection(hs)), state


def read_about(folder=FOLDER):
    """What the file says of the model: its architecture, its level, its tokenizer."""
    with safe_open(Path(folder) / "model.safetensors", framework="pt") as file:
        return json.loads(file.metadata()["rnnlm"])


def load(folder=FOLDER):
    """The model, ready to score or to be trained further."""
    model = LanguageModel(read_about(folder))
    load_model(model, Path(folder) / "model.safetensors")
    return model.eval()


def save(model, folder):
    """Write the weights into a copy of this folder, which ``rnnlm import`` reads."""
    about = {key: value for key, value in model.about.items() if key != "sha256"}  # it is another model now
    arrays = {name: value.contiguous() for name, value in model.state_dict().items()}
    if about["architecture"]["tied"]:
        del arrays["decoder.weight"]  # the encoder's
    content = as_bytes(arrays, metadata={"format": "pt", "rnnlm": json.dumps(about)})
    (Path(folder) / "model.safetensors").write_bytes(content)


def read_vocabulary(folder=FOLDER):
    """The words by id."""
    return (Path(folder) / "vocabulary.txt").read_bytes().decode("utf-8").split("\n")[:-1]


def ids_of(text, about=None, words=None):
    """The ids of a text (n,): <eos>, then each word and an <eos> for each line end.

    Words that are not in the vocabulary are <unk>, or left out if it has none.
    """
    about, words = about or read_about(), words or read_vocabulary()
    by_word = {word: i for i, word in enumerate(words)}
    lines = text.replace("\r\n", "\n").split("\n")
    if not lines[-1]:
        lines.pop()
    ids = [by_word["<eos>"]]
    for line in lines:
        found = (by_word.get(token, by_word.get("<unk>")) for token in _tokens(line, about))
        ids += [i for i in found if i is not None]
        ids.append(by_word["<eos>"])
    return torch.tensor(ids)


def _tokens(line, about):
    if about["level"] == "char":
        return list(line)
    for blank in "\t\r\v\f":  # only ASCII blanks separate words
        line = line.replace(blank, " ")
    words = [word for word in line.split(" ") if word]
    lowercase = about.get("tokenizer", {}).get("lowercase", False)
    return [word if not lowercase or word.lower() == "<eos>" else word.lower() for word in words]


@torch.no_grad()
def perplexity(model, ids):
    """exp of the mean of -ln p of ``ids[1:]``, each given all before it."""
    total, state = 0.0, None
    for start in range(0, len(ids) - 1, WINDOW):
        targets = ids[start + 1 : start + 1 + WINDOW]
        logits, state = model(ids[start : start + len(targets)][None], state)
        total -= torch.log_softmax(logits[0], 1)[torch.arange(len(targets)), targets].double().sum().item()
    return math.exp(total / (len(ids) - 1))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python model.py TEXT")
    print(f"perplexity {perplexity(load(), ids_of(Path(sys.argv[1]).read_bytes().decode('utf-8-sig'))):.4f}")
