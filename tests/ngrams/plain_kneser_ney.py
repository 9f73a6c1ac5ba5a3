"""Interpolated modified Kneser-Ney smoothing from its definition, with dicts.

It has nothing in common with the package: n-grams are tuples of words, every
probability is computed when it is asked for.
"""

from collections import Counter

START, END = "<s>", "</s>"


class KneserNey:
    """lines: lists of words; vocabulary: the words that may come, END among them."""

    def __init__(self, lines, order, vocabulary, limits=(), interpolate=True):
        self.order, self.vocabulary, self.interpolate = order, vocabulary, interpolate
        self.limits = [*limits, *[limits[-1] if limits else 0] * order]
        padded = [(START, *line, END) for line in lines]
        self.true = {n: Counter(line[i : i + n] for line in padded for i in range(len(line) - n + 1))
                     for n in range(1, order + 1)}
        del self.true[1][(START,)]
        self.adjusted = {n: self._adjusted(n) for n in self.true}
        self.discounts = {n: self._discounts(counts) for n, counts in self.adjusted.items()}

    def _adjusted(self, n):
        if n == self.order:
            return dict(self.true[n])
        before = {gram: {longer[0] for longer in self.true[n + 1] if longer[1:] == gram} for gram in self.true[n]}
        return {gram: self.true[n][gram] if gram[0] == START else len(before[gram]) for gram in self.true[n]}

    def _discounts(self, counts):
        n = [0] + [sum(count == k for count in counts.values()) for k in (1, 2, 3, 4)]
        if all(n[1:]):
            y = n[1] / (n[1] + 2 * n[2])
            found = [k - (k + 1) * y * n[k + 1] / n[k] for k in (1, 2, 3)]
            if min(found) > 0:
                return found
        return [0.5, 1.0, 1.5]

    def prob(self, word, context):
        """p(word | context), a tuple of words that may begin with START."""
        context = context[max(0, len(context) - self.order + 1) :]
        n = len(context) + 1
        below = self._base(word) if n == 1 else self.prob(word, context[1:])
        counts = {gram: count for gram, count in self.adjusted[n].items() if gram[:-1] == context}
        total = sum(counts.values())
        if not total:
            return below
        own, rest = 0.0, 0.0
        for gram, count in counts.items():
            pruned = n > 1 and self.true[n][gram] <= self.limits[n - 1]
            taken = count if pruned else self.discounts[n][min(count, 3) - 1]
            rest += taken
            if gram[-1] == word:
                own = count - taken
        return own / total + rest / total * below

    def _base(self, word):
        if self.interpolate:
            return 1 / len(self.vocabulary)
        unseen = [one for one in self.vocabulary if not self.true[1][(one,)]]
        return 1 / len(unseen) if word in unseen else 0.0
