"""Models in the real PyTorch: what we export there, and what was trained there here.

    pip install torch 'numpy-rnnlm[torch]'
    python benchmarks/exchange_torch.py TEXT --models MODEL MODEL
    python benchmarks/exchange_torch.py TEXT --train CORPUS --seconds 60

--models: each model is exported; the exported Python file scores TEXT as one stream,
and so do we.  The folder is then imported, and its arrays are compared with the first.

--train: for each cell, a network of the layout of PyTorch's word_language_model example
is trained by PyTorch on CORPUS (a folder) for some time, saved as safetensors and
imported with its words.  Both score TEXT.
"""

import argparse
import importlib.util
import json
import math
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from rnnlm import evaluate, load_model, read_text
from rnnlm.exchange.exported import Exported
from rnnlm.exchange.torch import export, read

MOST = 1e-4  # relative difference of two perplexities
CELLS = {"lstm": "LSTM", "gru": "GRU", "tanh": "RNN", "relu": "RNN"}
BATCH, STEPS, WIDTH = 32, 35, 200


def of_models(paths, text):
    """A row for each model: both perplexities."""
    for path in paths:
        model, vocabulary = load_model(path)
        with tempfile.TemporaryDirectory() as folder:
            export(Exported(model, vocabulary), Path(folder, "export"))
            program = module_of(Path(folder, "export", "model.py"))
            ids = program.ids_of(Path(text).read_bytes().decode("utf-8"))
            theirs = program.perplexity(program.load(), ids)
            again, _ = read(Path(folder, "export"))
        same = all(np.array_equal(ours, back) for ours, back in zip(model.params, again.params, strict=True))
        yield row(path, perplexity(model, vocabulary, text), theirs, arrays_return=same)


def module_of(path):
    """A Python file as a module."""
    spec = importlib.util.spec_from_file_location("exported_model", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def perplexity(model, vocabulary, text):
    return evaluate(model, read_text(text, vocabulary), vocabulary.eos_id).perplexity


def row(name, ours, theirs, **more):
    return {"model": name, "rnnlm": ours, "torch": theirs, "relative": abs(theirs / ours - 1), **more}


def of_training(corpus, text, cells, seconds):
    """A row for each cell: both perplexities of a network that PyTorch trains."""
    from safetensors.torch import save_file

    words = words_of(corpus)
    ids, test = ([numbered(path, words) for path in (train_file(corpus), Path(text))])
    for cell in cells:
        tied = cell == "lstm"
        network = train(cell, tied, len(words), ids, seconds)
        with tempfile.TemporaryDirectory() as folder:
            weights, listed = Path(folder, "theirs.safetensors"), Path(folder, "words.txt")
            save_file({name: value.clone().contiguous() for name, value in network.state_dict().items()}, weights)
            listed.write_text("".join(f"{word}\n" for word in words), encoding="utf-8", newline="\n")
            model, vocabulary = read(weights, listed, activation="relu" if cell == "relu" else None)
        theirs = score(network, test, words["<eos>"])
        yield row(f"{cell}{', tied' if tied else ''}", perplexity(model, vocabulary, text), theirs,
                  tied_found=model.architecture.tied is tied, parameters=sum(p.size for p in model.params))


def train_file(corpus):
    return next(path for path in (Path(corpus, "train.txt"), Path(corpus, "ptb.train.txt")) if path.exists())


def words_of(corpus):
    """Ids by word, by first appearance, as PyTorch's example numbers them."""
    words = {}
    for line in train_file(corpus).read_text(encoding="utf-8").splitlines():
        for word in [*line.split(), "<eos>"]:
            words.setdefault(word, len(words))
    return words


def numbered(path, words):
    import torch

    lines = path.read_text(encoding="utf-8").splitlines()
    return torch.tensor([words.get(word, words.get("<unk>")) for line in lines for word in [*line.split(), "<eos>"]])


def network_of(cell, tied, V):
    """A network with the names of PyTorch's example."""
    from torch import nn

    class Network(nn.Module):
        def __init__(self):
            super().__init__()
            more = {"nonlinearity": cell} if CELLS[cell] == "RNN" else {}
            self.encoder = nn.Embedding(V, WIDTH)
            self.rnn = getattr(nn, CELLS[cell])(WIDTH, WIDTH, 2, **more)
            self.decoder = nn.Linear(WIDTH, V)
            nn.init.uniform_(self.encoder.weight, -0.1, 0.1)
            if tied:
                self.decoder.weight = self.encoder.weight

        def forward(self, ids, state=None):  # (T, N)
            hs, state = self.rnn(self.encoder(ids), state)
            return self.decoder(hs), state

    return Network()


def train(cell, tied, V, ids, seconds):
    """A network after some seconds of truncated BPTT with Adam."""
    import torch

    torch.manual_seed(1)
    network = network_of(cell, tied, V)
    optimizer = torch.optim.Adam(network.parameters(), lr=2e-3)
    streams = ids[: len(ids) // BATCH * BATCH].view(BATCH, -1).T
    state, start, end = None, 0, time.monotonic() + seconds
    while time.monotonic() < end:
        if start + STEPS >= len(streams):
            state, start = None, 0
        logits, state = network(streams[start : start + STEPS], state)
        state = tuple(part.detach() for part in state) if isinstance(state, tuple) else state.detach()
        loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), streams[start + 1 : start + STEPS + 1].flatten())
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 0.25)
        optimizer.step()
        start += STEPS
    return network


def score(network, ids, eos_id):
    """The perplexity of ids as one stream, <eos> before the first."""
    import torch

    xs, total, state = torch.cat([torch.tensor([eos_id]), ids[:-1]]), 0.0, None
    with torch.no_grad():
        for start in range(0, len(ids), 1000):
            ts = ids[start : start + 1000]
            logits, state = network(xs[start : start + 1000, None], state)
            total -= torch.log_softmax(logits[:, 0], 1)[range(len(ts)), ts].double().sum().item()
    return math.exp(total / len(ids))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("text")
    parser.add_argument("--models", nargs="+", default=[], metavar="MODEL")
    parser.add_argument("--train", metavar="CORPUS", help="train networks in PyTorch on this folder's training text")
    parser.add_argument("--cells", nargs="+", choices=CELLS, default=[*CELLS])
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    for name in ("torch", "safetensors"):
        if importlib.util.find_spec(name) is None:
            sys.exit(f"this needs the package {name}: pip install {name}")
    import torch

    torch.set_num_threads(options.threads)
    rows = [of_models(options.models, options.text)]
    if options.train:
        rows.append(of_training(options.train, options.text, options.cells, options.seconds))
    far = 0
    for found in (found for part in rows for found in part):
        print(json.dumps(found), flush=True)
        far += found["relative"] > MOST or not found.get("arrays_return", True) or not found.get("tied_found", True)
    return int(far > 0)


if __name__ == "__main__":
    sys.exit(main())
