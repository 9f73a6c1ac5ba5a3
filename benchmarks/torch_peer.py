"""The same language model in PyTorch, as users write it: fp32, defaults, plain SGD.

Called by the other programs here: python torch_peer.py
train|evaluate|sentences|generate CONFIG_AS_JSON; prints one JSON line.
"""

import json
import sys
import time

import numpy as np
import torch
from side_by_side import median_seconds, report
from torch import nn

CELLS = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}


class Model(nn.Module):
    def __init__(self, vocab_size, hidden_size, layers, cell="rnn", cutoffs=(), sparse=False):
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, hidden_size, sparse=sparse)
        self.rnn = CELLS[cell](hidden_size, hidden_size, layers)
        if cutoffs:
            self.output = nn.AdaptiveLogSoftmaxWithLoss(hidden_size, vocab_size, cutoffs, head_bias=True)
        else:
            self.output = nn.Linear(hidden_size, vocab_size)

    def forward(self, xs, state):  # ids (T, N) -> (T * N, V)
        hs, state = self.rnn(self.embedding(xs), state)
        return self.output(hs.flatten(0, 1)), state

    def loss(self, xs, ts, state):  # ids (T, N), ids (T * N,) -> mean nats
        if isinstance(self.output, nn.AdaptiveLogSoftmaxWithLoss):
            hs, state = self.rnn(self.embedding(xs), state)
            return self.output(hs.flatten(0, 1), ts).loss, state
        logits, state = self(xs, state)
        return nn.functional.cross_entropy(logits.float(), ts), state


def clip(model, max_norm):
    """clip_grad_norm_, which knows no sparse gradient, for one as well."""
    grads = []
    for p in model.parameters():
        if p.grad.is_sparse:
            p.grad = p.grad.coalesce()
        grads.append(p.grad._values() if p.grad.is_sparse else p.grad)
    scale = torch.clamp(max_norm / (nn.utils.get_total_norm(grads) + 1e-6), max=1.0)
    for grad in grads:
        grad.mul_(scale)


def adams(model, lr, sparse):
    """Adam; for the embedding SparseAdam, which leaves rows without gradient alone."""
    if not sparse:
        return [torch.optim.Adam(model.parameters(), lr=lr)]
    others = [p for p in model.parameters() if p is not model.embedding.weight]
    return [torch.optim.SparseAdam([model.embedding.weight], lr=lr), torch.optim.Adam(others, lr=lr)]


def detached(state):
    """The state, of an LSTM a pair of them, as a constant."""
    if isinstance(state, tuple):
        return tuple(part.detach() for part in state)
    return None if state is None else state.detach()


def train(config, model, ids):
    """Seconds a step: forward, backward, clip, update; the state is carried over."""
    N, T = config["batch_size"], config["time_size"]
    length = (len(ids) - 1) // N
    xs, ts = (ids[start : start + N * length].view(N, length).t().contiguous() for start in (0, 1))
    sparse = config.get("sparse", False)
    adam = adams(model, config["lr"], sparse) if config["optimizer"] == "adam" else []
    state = None

    def step(k):
        nonlocal state
        start = k * T % (length - T + 1)
        state = detached(state)
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=config["bf16"]):
            loss, state = model.loss(xs[start : start + T], ts[start : start + T].flatten(), state)
        model.zero_grad()
        loss.backward()
        if sparse:
            clip(model, config["max_grad"])
        else:
            nn.utils.clip_grad_norm_(model.parameters(), config["max_grad"])
        for optimizer in adam:
            optimizer.step()
        if not adam:  # a tenth faster than torch.optim.SGD for a small model
            with torch.no_grad():
                for p in model.parameters():
                    p.add_(p.grad, alpha=-config["lr"])

    return median_seconds(step, config["steps"], config["warm_up"])


@torch.no_grad()
def evaluate(config, model, ids):
    """Seconds for the text as one stream."""
    window, state, nats, started = config["window"], None, 0.0, time.perf_counter()
    for start in range(0, len(ids) - 1, window):
        ts = ids[start + 1 : start + 1 + window]
        logits, state = model(ids[start : start + len(ts), None], state)
        nats += nn.functional.cross_entropy(logits, ts, reduction="sum").item()
    return time.perf_counter() - started


@torch.no_grad()
def sentences(config, model, ids):
    """Seconds for each sentence on its own: packed batches, sorted by length."""
    if config["threads"]:
        torch.set_num_threads(config["threads"])
    eos_id, pad, pack = config["eos_id"], nn.utils.rnn.pad_sequence, nn.utils.rnn.pack_padded_sequence
    lengths = torch.diff(torch.nonzero(ids == eos_id).flatten(), prepend=torch.tensor([-1]))
    texts = sorted(ids.split(lengths.tolist()), key=len, reverse=True)
    eos = ids.new_tensor([eos_id])

    def score(texts):
        for start in range(0, len(texts), config["batch_size"]):
            batch = texts[start : start + config["batch_size"]]
            sizes = [len(text) for text in batch]
            xs, ts = (pack(pad(part), sizes) for part in ([torch.cat([eos, text[:-1]]) for text in batch], batch))
            hs, _ = model.rnn(xs._replace(data=model.embedding(xs.data)))
            nn.functional.cross_entropy(model.output(hs.data), ts.data, reduction="none").numpy()

    score(texts[:: len(texts) // 200 + 1])
    started = time.perf_counter()
    score(texts)
    return time.perf_counter() - started


@torch.no_grad()
def generate(config, model, _):
    """Seconds for a text drawn word by word."""
    x, state, started = torch.zeros(1, 1, dtype=torch.long), None, time.perf_counter()
    for _ in range(config["words"]):
        logits, state = model(x, state)
        x = torch.multinomial(logits[0].softmax(0), 1)[None]
    return time.perf_counter() - started


def main():
    """Measure what the command line names."""
    what, config = sys.argv[1], json.loads(sys.argv[2])
    torch.manual_seed(0)
    model = Model(config["vocab_size"], config["hidden_size"], config["layers"], config.get("cell", "rnn"),
                  config.get("cutoffs", ()), config.get("sparse", False))
    ids = torch.from_numpy(np.load(config["ids"]).astype(np.int64))
    report(seconds={"train": train, "evaluate": evaluate, "sentences": sentences,
                     "generate": generate}[what](config, model, ids))


if __name__ == "__main__":
    main()
