"""A GPU: whether it computes what the processor does, and how fast beside PyTorch.

    python benchmarks/gpu.py check
    python benchmarks/gpu.py measure
    python benchmarks/gpu.py train --corpus ptb
    python benchmarks/gpu.py all
    python benchmarks/gpu.py parts --size 2x650

"check" trains pairs of small models for 50 steps, one on each, and compares losses and
weights.  "measure" times training steps, in turns with PyTorch's (cuDNN) in the same
process, on random ids: the time does not depend on what the ids are.  PyTorch's row is
exact fp32 (its own default allows TF32 in cuDNN, which is shown as well).  "train" is
``rnnlm train --config lstm`` there, and "all" is these three, one after another.
"parts" says where a step's time goes, by waiting after each part, so that the sum is
more than a step's.
"""

import argparse
import json
import statistics
import sys
import time

import numpy as np

from rnnlm.cli.main import main as command
from rnnlm.compute.cuda import device_by_name
from rnnlm.compute.device import HOST
from rnnlm.models import LanguageModel, Regularisation
from rnnlm.training.averaging import Average
from rnnlm.training.decay import weight_decays
from rnnlm.training.optimizers import OPTIMIZERS
from rnnlm.training.trainer import Trainer

V, N, T = 10_000, 20, 35
SIZES = {"2x200": ("rnn", 2, 200), "2x650": ("rnn", 2, 650), "lstm 2x650": ("lstm", 2, 650),
         "lstm 2x200": ("lstm", 2, 200), "lstm 1x640": ("lstm", 1, 640)}
ROUNDS, STEPS, WARM_UP = 7, 40, 20
DROPOUT = Regularisation(dropout=0.3, input_dropout=0.2, word_dropout=0.1, weight_drop=0.2, activation_penalty=1e-4,
                         slowness_penalty=1e-4)
CHECKED = {  # name: options of the model, its optimizer and the Regularisation
    "tanh": ({}, "sgd", None), "relu": ({"activation": "relu"}, "momentum", None),
    "tanh with dropout": ({}, "adamw", DROPOUT), "tanh of 37": ({"hidden_size": 37, "wordvec_size": 11}, "sgd", None),
    "lstm": ({"cell": "lstm"}, "adam", None), "lstm with dropout, tied": (
        {"cell": "lstm", "tied": True, "wordvec_size": 48}, "adamw", DROPOUT),
    "lstm of 650": ({"cell": "lstm", "hidden_size": 650, "wordvec_size": 650}, "sgd", None),
    "tanh of 650": ({"hidden_size": 650, "wordvec_size": 650}, "sgd", None),
    "lstm of 33": ({"cell": "lstm", "hidden_size": 33, "wordvec_size": 30}, "rmsprop", None),
    "lstm of 1,500": ({"cell": "lstm", "hidden_size": 1500, "layers": 1}, "sgd", None),
    "gru": ({"cell": "gru"}, "adagrad", None), "gru-textbook": ({"cell": "gru-textbook"}, "sgd", None),
    "mrnn": ({"cell": "mrnn", "tied": True}, "adam", DROPOUT),
    "clusters": ({"softmax": "adaptive", "cutoffs": [100, 250]}, "adam", None),
    "clusters, tied": ({"softmax": "adaptive", "cutoffs": [100, 250], "tied": True}, "adamw", DROPOUT),
}
RATES = {"sgd": 0.05, "momentum": 0.05, "adagrad": 0.01, "rmsprop": 1e-4, "adam": 1e-3, "adamw": 1e-3}


def windows(rng, vocab_size, steps, columns=N, length=T):
    """Ids and targets of a random text with frequent and rare words."""
    ids = np.minimum(rng.zipf(1.2, (columns, steps * length + 1)) - 1, vocab_size - 1).astype(np.int32)
    return [(ids[:, k * length : (k + 1) * length], ids[:, k * length + 1 : (k + 1) * length + 1])
            for k in range(steps)]


def trainer_on(device, options, optimizer, regularisation, vocab_size):
    """A Trainer of a new model on a device; its first weights are always the same."""
    sizes = {"wordvec_size": 64, "hidden_size": 64, "layers": 2} | options
    model = LanguageModel(vocab_size, **sizes, regularisation=regularisation, rng=np.random.default_rng(1))
    model.move_to(device)
    rule = OPTIMIZERS[optimizer](RATES[optimizer], decays=weight_decays(model, 0.01 if regularisation else 0.0))
    return Trainer(model, rule, average=Average(decay=0.9) if regularisation else None, max_grad=1.0)


def check(device, steps=50, vocab_size=500):
    """The largest relative differences between a device and the host, row by row."""
    worst = 0.0
    for name, (options, optimizer, regularisation) in CHECKED.items():
        there, here = (trainer_on(where, options, optimizer, regularisation, vocab_size) for where in (device, HOST))
        losses = []
        for k, (xs, ts) in enumerate(windows(np.random.default_rng(2), vocab_size, steps, 7, 13)):
            pair = there.step(xs, ts), here.step(xs, ts)
            losses.append(max(abs(a - b) / abs(b) for a, b in [(pair[0].loss, pair[1].loss),
                                                               (pair[0].grad_norm, pair[1].grad_norm)]))
            for trainer in (there, here):
                if trainer.average:
                    trainer.average.update(trainer.model.packing.params, k / steps)
        weights = max(difference(device.get(a), b) for a, b in zip(there.model.params, here.model.params, strict=True))
        xs, ts = windows(np.random.default_rng(3), vocab_size, 1, 3, 9)[0]
        with there.model.fresh_state(), here.model.fresh_state():
            scores = difference(there.model.log_probs(xs, ts), here.model.log_probs(xs, ts))
        figures = " | ".join(f"{value:.1e}" for value in (losses[0], max(losses), weights, scores))
        print(f"| {name} | {optimizer} | {figures} |", flush=True)
        worst = max(worst, max(losses), scores)
    return worst


def difference(a, b):
    """How far two arrays are apart, by the length of the second."""
    return float(np.linalg.norm(a - b) / max(np.linalg.norm(b), 1e-30))


def ours(size, device):
    """A function that makes steps of this project's trainer, and waits for the last."""
    cell, layers, hidden = SIZES[size]
    options = {"cell": cell, "layers": layers, "hidden_size": hidden, "wordvec_size": hidden}
    trainer = trainer_on(device, options, "sgd", None, V)
    texts = windows(np.random.default_rng(0), V, STEPS)
    return lambda: [trainer.step(*texts[k]) for k in range(STEPS)]


def torchs(size, tf32):
    """The same by PyTorch: cuDNN, plain SGD, clipping, the state carried over."""
    import torch
    from torch_peer import Model, detached

    cell, layers, hidden = SIZES[size]
    torch.manual_seed(0)
    model, state = Model(V, hidden, layers, cell).cuda(), None
    texts = [(torch.tensor(xs.T.astype(np.int64)).cuda(), torch.tensor(ts.T.astype(np.int64)).flatten().cuda())
             for xs, ts in windows(np.random.default_rng(0), V, STEPS)]
    parameters = list(model.parameters())

    def steps():
        nonlocal state
        torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = tf32
        for xs, ts in texts:
            state = detached(state)
            loss, state = model.loss(xs, ts, state)
            model.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(parameters, 1.0)
            with torch.no_grad():
                torch._foreach_add_(parameters, [p.grad for p in parameters], alpha=-0.5)
        torch.cuda.synchronize()

    return steps


def measure(device, sizes):
    """Print tokens per second of every subject, in turns."""
    for size in sizes:
        subjects = {device.name: ours(size, device)}
        try:
            subjects |= {"PyTorch fp32": torchs(size, False), "PyTorch TF32": torchs(size, True)}
        except ImportError:
            print("PyTorch is not installed: its rows are left out", file=sys.stderr)
        seconds = {name: [] for name in subjects}
        for turn in range(ROUNDS + 1):
            for name, steps in subjects.items():
                started = time.perf_counter()
                steps()
                if turn:
                    seconds[name].append((time.perf_counter() - started) / STEPS)
        peer = statistics.median(seconds.get("PyTorch fp32", [float("nan")]))
        for name, values in seconds.items():
            median = statistics.median(values)
            speed, lowest, highest = (f"{N * T / one:,.0f}" for one in (median, max(values), min(values)))
            print(f"| {size} | {name} | {speed} ({lowest} to {highest}) | {1000 * median:.2f} | {peer / median:.2f} |",
                  flush=True)


def train(device, corpus, output):
    """Train by the recipe ``lstm``, whole; returns the command's exit code."""
    return command(["train", "--corpus", corpus, "--config", "lstm", "--device", device.name, "--output", output,
                    "--overwrite"])


def parts(device, size):
    """Print the milliseconds of each part of a step: the layers, then the rest."""
    cell, layers, hidden = SIZES[size]
    options = {"cell": cell, "layers": layers, "hidden_size": hidden, "wordvec_size": hidden}
    trainer, spent = trainer_on(device, options, "sgd", None, V), {}

    def timed(owner, method, name):
        whole = getattr(owner, method)

        def call(*args, **options):
            device.wait()
            started = time.perf_counter()
            result = whole(*args, **options)
            called = time.perf_counter()
            device.wait()
            spent.setdefault(name, []).append((called - started, time.perf_counter() - started))
            return result

        setattr(owner, method, call)

    model = trainer.model
    for i, layer in enumerate(model.layers):
        if layer.params:
            for method in ("forward", "backward"):
                timed(layer, method, f"{i} {type(layer).__name__}.{method}")
    for method in ("forward", "backward_states", "backward_weights"):
        timed(model.output, method, f"{type(model.output).__name__}.{method}")
    timed(trainer.optimizer, "update", "update")
    timed(trainer, "step", "step")
    for xs, ts in windows(np.random.default_rng(0), V, WARM_UP + STEPS):
        trainer.step(xs, ts)
    for name, times in spent.items():
        called, done = (1000 * statistics.median(column) for column in zip(*times[WARM_UP:], strict=True))
        print(f"| {name} | {called:.3f} | {done:.3f} |")


def main(argv=None):
    """Do what the command line says."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=["check", "measure", "train", "all", "parts"])
    parser.add_argument("--device", default="cuda", help="cuda or cuda-tf32 (default cuda); cpu tries the script")
    parser.add_argument("--size", choices=SIZES, nargs="+", default=["2x200", "2x650", "lstm 2x650"])
    parser.add_argument("--corpus", default="ptb", help="what to train on: a known name, a folder or a file")
    parser.add_argument("--output", default="runs/gpu", help="the run folder, which is replaced (default: runs/gpu)")
    options = parser.parse_args(argv)
    device, code = device_by_name(options.device), 0
    if options.what in ("check", "all"):
        print("| model | rule | first loss | losses, norms | weights | scores |\n|---|---|---|---|---|---|")
        worst = check(device)
        print(json.dumps({"worst": worst}))
        code = int(not worst < 1e-4)
    if options.what in ("measure", "all"):
        print("| size | program | tokens/s (lowest to highest) | ms a step | over PyTorch fp32 |\n" + 5 * "|---" + "|")
        measure(device, options.size)
    if options.what in ("train", "all"):
        code = train(device, options.corpus, options.output) or code
    if options.what == "parts":
        print("| part | ms until the call returns | ms until it is done |\n|---|---|---|")
        for size in options.size:
            parts(device, size)
    return code


if __name__ == "__main__":
    sys.exit(main())
