"""Scores of words from the arrays of a model file alone: float64, one word at a time.

Written from docs/file-formats.md and the equations in docs/, with nothing of the
package.
"""

import json
import math
import re

import numpy as np


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def rnn(function, x, states, Wx, Wh, b):
    return (function(x @ Wx + states[0] @ Wh + b),)


def mrnn(function, x, states, Wx, Wh, b):
    a, m = np.split(x @ Wx + b, 2)
    return (function(a + (1 + m) * (states[0] @ Wh)),)


def lstm(_, x, states, Wx, Wh, b):
    f, g, i, o = np.split(x @ Wx + states[0] @ Wh + b, 4)
    c = sigmoid(f) * states[1] + sigmoid(i) * np.tanh(g)
    return sigmoid(o) * np.tanh(c), c


def gru(_, x, states, Wx, Wh, b, bh):
    (h,), H = states, len(bh)
    z, r = np.split(sigmoid((x @ Wx + b)[: 2 * H] + h @ Wh[:, : 2 * H]), 2)
    n = np.tanh((x @ Wx + b)[2 * H :] + r * (h @ Wh[:, 2 * H :] + bh))
    return ((1 - z) * n + z * h,)


def textbook_gru(_, x, states, Wx, Wh, b):
    (h,), H = states, len(b) // 3
    z, r = np.split(sigmoid((x @ Wx + b)[: 2 * H] + h @ Wh[:, : 2 * H]), 2)
    proposal = np.tanh((x @ Wx + b)[2 * H :] + (r * h) @ Wh[:, 2 * H :])
    return ((1 - z) * h + z * proposal,)


STEPS = {"rnn": rnn, "mrnn": mrnn, "lstm": lstm, "gru": gru, "gru-textbook": textbook_gru}
FUNCTIONS = {"tanh": np.tanh, "relu": lambda x: np.maximum(x, 0)}


class Model:
    """A model file.  ``log_probs`` is what it says of the word after those read."""

    def __init__(self, path):
        with np.load(path) as f:
            self.words = f["vocabulary"].tobytes().decode().split("\n")
            header = json.loads(f["header"].tobytes())
            self.counts = f["counts"] if "counts" in f.files else None
            self.params = {name: f[name].astype(np.float64) for name in f.files if "/" in name}
        self.level, a = header["level"], header["architecture"]
        self.cell, self.function = a["cell"], FUNCTIONS[a.get("activation", "tanh")]
        if header["version"] == 1 and self.cell == "gru":
            self.cell = "gru-textbook"
        self.layers, self.H, self.tied = a["layers"], a["hidden_size"], a.get("tied", False)
        self.cutoffs = a.get("cutoffs", [])
        self.forget()

    def forget(self):
        self.states = [[np.zeros(self.H)] * (2 if self.cell == "lstm" else 1) for _ in range(self.layers)]
        self.read(self.words.index("<eos>"))

    def read(self, word):
        p = self.params
        x = self.vector(word)
        for k in range(self.layers):
            part = f"{self.cell.removesuffix('-textbook')}{k + 1}/"
            weights = [p[part + name] for name in ("Wx", "Wh", "b", "bh") if part + name in p]
            self.states[k] = STEPS[self.cell](self.function, x, self.states[k], *weights)
            x = self.states[k][0]
        if "projection/W" in p:
            x = x @ p["projection/W"] + p["projection/b"]
        self.hidden = x
        scores = x @ (p["embedding/W"].T if self.tied else p["affine/W"]) + p["affine/b"]
        self.log_probs = log_softmax(scores)
        if self.cutoffs:  # the last scores are those of the clusters, in which the other words are
            frequent, clusters = np.split(self.log_probs, self.cutoffs[:1])
            tails = [p_cluster + log_softmax(x @ p[f"tail{i}/P"] @ p[f"tail{i}/W"])
                     for i, p_cluster in enumerate(clusters, 1)]
            self.log_probs = np.concatenate([frequent, *tails])

    def vector(self, word):
        p = self.params
        if not self.tied or word < ([*self.cutoffs, len(self.words)])[0]:
            return p["embedding/W"][word]
        i = sum(word >= cutoff for cutoff in self.cutoffs)
        return p[f"tail{i}/P"] @ p[f"tail{i}/W"][:, word - self.cutoffs[i - 1]]


def log_softmax(scores):
    return scores - scores.max() - math.log(np.exp(scores - scores.max()).sum())


def lines_of(text):
    text = text.removeprefix("\ufeff").replace("\r\n", "\n")
    return text.removesuffix("\n").split("\n")


def words_of(line, level):
    """[(word, its pieces), ...] of a line, the line end included."""
    if level == "word":
        words = [(word, [word]) for word in re.findall(r"[^ \t\r\v\f]+", line)]
        return [*words, ("<eos>", ["<eos>"])]
    found = re.findall(r"[ \t]*[^ \t]+[ \t]*", line)
    blanks = "" if found else line
    return [*((word.strip(" \t"), list(word)) for word in found), ("<eos>", [*blanks, "<eos>"])]


def expected_rows(path, text, protocol="stream", base=2.0, pieces=False):
    """A dict for each word (or piece) of a text; nan, or -1, is missing."""
    model, rows = Model(path), []
    for number, line in enumerate(lines_of(text), 1):
        ends_document = protocol == "document" and not line.strip(" \t")
        words = words_of(line, model.level)
        if pieces:
            words = [(piece, [piece]) for _, its in words for piece in its]
        for position, (word, its) in enumerate(words, 1):
            rows.append({"sentence": number, "position": position, "word": word}
                        | _scored(model, its, base, skip=ends_document))
            if model.level == "char" and not pieces:
                rows[-1]["frequency"] = -1
        if protocol == "sentence" or ends_document:
            model.forget()
            rows[-1]["forgotten"] = True
    for row, following in zip(rows, [*rows[1:], {"entropy": math.nan}], strict=True):
        row["entropy_reduction"] = math.nan if row.pop("forgotten", False) else row["entropy"] - following["entropy"]
    return rows


def _scored(model, pieces, base, skip):
    """What a model says of a word's pieces, which it reads."""
    total, first, known = 0.0, None, True
    for piece in pieces:
        known = known and piece in model.words
        word = piece if piece in model.words else "<unk>"
        if skip or word not in model.words:
            total, first = math.nan, first or _nothing()
            continue
        i = model.words.index(word)
        first = first or _details(model, i, base)
        total += model.log_probs[i] / math.log(base)
        model.read(i)
    has_count = model.counts is not None and known and len(pieces) == 1
    return {**first, "known": known, "log_prob": total, "surprisal": -total,
            "frequency": model.counts[model.words.index(pieces[0])] if has_count else -1}


def _nothing():
    return {"entropy": math.nan, "ranks": (-1, -1), "p": None, "hidden": None}


def _details(model, i, base):
    p = np.exp(model.log_probs)
    lower, upper = (1 + int((model.log_probs > model.log_probs[i] + gap).sum()) for gap in (1e-5, -1e-5))
    return {"entropy": -(p * model.log_probs).sum() / math.log(base), "ranks": (lower, upper), "p": p,
            "hidden": model.hidden}
