"""The classic toolkit's program for a text model of one class, in float64.

Written from its source.  It reads the file in the toolkit's order and knows nothing of
how the file was made.
"""

import numpy as np


class TextModel:
    """A text model of version 10 without compression and direct connections.

    head: its fields by name.  words: by index.  start: the activation of each unit.
    inputs (H, V), recurrent (H, H), outputs (V + C, H).
    """

    def __init__(self, path):
        text = path.read_text(encoding="utf-8")
        head, rest = text.split("Vocabulary:\n")
        self.head = dict(line.split(": ") for line in head.splitlines() if line)
        V, units = int(self.head["vocabulary size"]), int(self.head["hidden layer size"])
        assert int(self.head["input layer size"]) == V + units
        self.classes = int(self.head["class size"])
        assert int(self.head["output layer size"]) == V + self.classes
        lines = rest.split("\n")
        rows = [line.split("\t") for line in lines[:V]]
        assert [int(row[0]) for row in rows] == list(range(V))
        assert {int(row[3]) for row in rows} == {0}
        self.words, self.counts = [row[2] for row in rows], [int(row[1]) for row in rows]
        titles, numbers = [], []
        for line in filter(None, lines[V:]):
            if line.endswith(":"):
                titles.append(line)
                numbers.append([])
            else:
                numbers[-1].append(float(line))
        assert titles == ["Hidden layer activation:", "Weights 0->1:", "Weights 1->2:", "Direct connections:"]
        assert [*map(len, numbers)] == [units, units * (V + units), (V + self.classes) * units, 0]
        self.start = np.array(numbers[0])
        weights = np.reshape(numbers[1], (units, V + units))
        self.inputs, self.recurrent = weights[:, :V], weights[:, V:]
        self.outputs = np.reshape(numbers[2], (V + self.classes, units))

    def log_probs(self, tokens, independent=False, start=None):
        """ln p of each word of a text; the first one comes after a line end.

        independent: whether each sentence starts with 1 in all units.
        """
        V, state, last, found = len(self.words), self.start if start is None else np.full_like(self.start, start), 0, []
        for token in tokens:
            total = np.clip(self.inputs[:, last] + self.recurrent @ state, -50, 50)
            state = 1 / (1 + np.exp(-total))
            scores = self.outputs @ state
            word = self.words.index(token)
            classes = scores[V:] - np.logaddexp.reduce(scores[V:])
            found.append(classes[0] + scores[word] - np.logaddexp.reduce(scores[:V]))
            last = word
            if independent and word == 0:
                state = np.ones_like(state)
        return np.array(found)
