"""Rows as a model's scores have them, and the pages of them."""

import numpy as np
from page_reading import Page

from rnnlm.reports.surprisal_page import Reading, surprisal_page

HOSTILE = ["</script><b>x", "</script/x", "<!--<script/",
           "<!--", "<script>", "]]>", "&amp;", '"onfocus="a', "'", "</style>", "</title>", "\u202egnp",
           "\u2066a\u2069",
           "\x1b[31m", "a\u2028b", "\u200e", "\ufeff", "\ud800", "\x85", "</main>", "`${a}`", "\\u003c"]


def rows_of(lines, bits=None, known=None, top=("the", "cat"), seed=0):
    """Rows of lines of words, as a model's scores have them."""
    words = [(number, word) for number, line in enumerate(lines, 1) for word in [*line, "<eos>"]]
    rng = np.random.default_rng(seed)
    fields = [("sentence", np.int64), ("word", object), ("known", bool), ("surprisal", float), ("entropy", float),
              ("rank", np.int64)]
    rows = np.zeros(len(words), fields + [field for k in range(1, len(top) + 1)
                                          for field in ((f"top{k}", object), (f"p{k}", float))])
    rows["sentence"], rows["word"] = [number for number, _ in words], [word for _, word in words]
    rows["known"] = True if known is None else known
    rows["surprisal"] = rng.uniform(0, 20, len(words)) if bits is None else bits
    rows["entropy"], rows["rank"] = rng.uniform(0, 10, len(words)), rng.integers(1, 70_000, len(words))
    for k, word in enumerate(top, 1):
        rows[f"top{k}"], rows[f"p{k}"] = word, rng.random(len(words)) / 2**k
    return rows


def reading(rows, name="a model"):
    return Reading(name, "ab" * 32, rows, 70_000, "LSTM of 3")


def page_of(*rows, title="a title", names=("a model", "another"), **options):
    readings = [reading(of_model, name) for of_model, name in zip(rows, names, strict=False)]
    return Page("".join(surprisal_page(readings, title, **options)))
