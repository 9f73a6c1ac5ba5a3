"""Exported ONNX files in onnxruntime: the same perplexities, and how fast a word is.

    pip install onnxruntime 'numpy-rnnlm[onnx]'
    python benchmarks/exchange_onnx.py MODEL TEXT

Both forms of the file read TEXT.  The streaming form reads it as one stream, in windows
that hand the state on.  The form for whole texts reads every line on its own, in padded
batches.  Each number is compared with ours.  Then both systems read the text word by
word and give ln p of every next word, as a program that writes text does: some words
each in turn, and the median of the ratios counts.  Both have as many threads.
"""

import argparse
import importlib.util
import json
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from rnnlm import Workers, evaluate, load_model, log_softmax, read_text
from rnnlm.exchange.exported import Exported
from rnnlm.exchange.onnx import export
from rnnlm.scoring.words import sequence_scores

WINDOW, ROWS = 256, 32  # steps of the stream at a time, lines in a batch
ROUNDS, WORDS = 31, 100  # of the measurement


def missing(*names):
    """Whether a package is not installed; then one line has said it."""
    for name in names:
        if importlib.util.find_spec(name) is None:
            print(f"this needs the package {name}: pip install {name.replace('_', '-')}", file=sys.stderr)
            return True
    return False


class Streaming:
    """The streaming form, with the state that it carries."""

    def __init__(self, path, threads):
        self.session = session(path, threads)
        _, h, _ = self.session.get_inputs()
        self.zeros = np.zeros((h.shape[0], 1, h.shape[2]), np.float32)
        self.reset()

    def reset(self):
        self.h, self.c = self.zeros, self.zeros

    def read(self, ids):  # (1, L) -> (1, L, V)
        found, self.h, self.c = self.session.run(None, {"x": ids, "h0": self.h, "c0": self.c})
        return found


def session(path, threads):
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def stream_perplexity(streaming, ids, eos_id):
    """Perplexity of a text (n,), read as one stream."""
    streaming.reset()
    xs, total = np.concatenate([[eos_id], ids[:-1]]).astype(np.int64), 0.0
    for start in range(0, len(ids), WINDOW):
        ts = ids[start : start + WINDOW]
        found = streaming.read(xs[np.newaxis, start : start + WINDOW])[0]
        total += float(found[range(len(ts)), ts].sum(dtype=np.float64))
    return float(np.exp(-total / len(ids)))


def line_scores(offline, lines):
    """-ln p of each line and its end, in padded batches; what is padded is no id."""
    found = []
    for start in range(0, len(lines), ROWS):
        batch = lines[start : start + ROWS]
        lengths = np.array([*map(len, batch)])
        x = np.full((len(batch), lengths.max()), -1, np.int64)
        for row, line in zip(x, batch, strict=True):
            row[: len(line)] = line
        found.append(offline.run(None, {"x": x, "x_lens": lengths})[0])
    return np.concatenate(found)


def own_line_scores(model, ids, eos_id):
    """Ours of each line."""
    lengths = np.diff(np.flatnonzero(ids == eos_id), prepend=-1)
    log_probs = sequence_scores(model, ids, lengths, eos_id).log_probs
    return -np.add.reduceat(log_probs, np.cumsum(lengths) - lengths, dtype=np.float64)


def speeds(model, streaming, ids):
    """Seconds a word of ours and of onnxruntime, medians, and of the ratios."""
    def ours(word):
        log_softmax(model.predict_last(word)[0])

    rounds = np.empty((ROUNDS, 2))
    model.reset_state()
    streaming.reset()
    for i in range(-1, ROUNDS):  # the first is not counted
        words = ids[(i + 1) * WORDS : (i + 2) * WORDS, np.newaxis, np.newaxis]
        for which, (step, kind) in enumerate(((ours, np.int32), (streaming.read, np.int64))):
            typed = words.astype(kind)
            started = time.perf_counter()
            for word in typed:
                step(word)
            rounds[i, which] = (time.perf_counter() - started) / len(words)
    return *np.median(rounds, axis=0), float(np.median(rounds[:, 0] / rounds[:, 1]))


def compare(model, vocabulary, text, threads, folder):
    """The figures of one model, a dict."""
    import onnxruntime

    paths = {streaming: folder / f"{streaming}.onnx" for streaming in (False, True)}
    for streaming, path in paths.items():
        export(Exported(model, vocabulary), path, streaming)
    ids, eos_id = text.ids, vocabulary.eos_id
    streaming, offline = Streaming(paths[True], threads), session(paths[False], threads)
    lines = [line[:-1] for line in np.split(ids, np.flatnonzero(ids == eos_id) + 1) if len(line)]
    own, found = own_line_scores(model, ids, eos_id), line_scores(offline, lines)
    ours, theirs, ratio = speeds(model, streaming, ids)
    return {"onnxruntime": onnxruntime.__version__, "targets": len(ids),
            "stream, ours": evaluate(model, text, eos_id).perplexity,
            "stream, onnxruntime": stream_perplexity(streaming, ids, eos_id),
            "lines, ours": float(np.exp(own.sum() / len(ids))),
            "lines, onnxruntime": float(np.exp(found.sum(dtype=np.float64) / len(ids))),
            "largest difference of a line in nats": float(np.abs(own - found).max()),
            "milliseconds a word, ours": 1000 * ours, "milliseconds a word, onnxruntime": 1000 * theirs,
            "times as fast as ours": ratio, "threads": threads}


def main():
    """Measure, and print one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("model", metavar="MODEL", help="a model file or run folder")
    parser.add_argument("text", metavar="TEXT", help="a text, one sentence a line")
    parser.add_argument("--threads", type=int, default=1, help="of each of the two (default: 1)")
    arguments = parser.parse_args()
    if missing("onnx", "onnxruntime"):
        return 1
    with Workers(arguments.threads) as workers, tempfile.TemporaryDirectory() as folder:
        model, vocabulary = load_model(arguments.model, workers)
        text = read_text(arguments.text, vocabulary)
        print(json.dumps(compare(model, vocabulary, text, arguments.threads, Path(folder))))
    return 0


if __name__ == "__main__":
    sys.exit(main())
