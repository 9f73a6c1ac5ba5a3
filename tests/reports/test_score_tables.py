"""Tables of scores as text."""

import csv
import io
import json
import math

import numpy as np
import pytest

from rnnlm.reports.score_tables import Csv, JsonLines, Tsv

HEAD = {"rnnlm": "1", "model": "a\nb\x1b[2J.npz"}
NAMES = ["sentence", "word", "known", "log_prob", "rank", "p1", "perplexity"]
WORDS = ["the", 'say "no", twice', "tab\there", "NA", None, "end\r\nof", "%s #1 {}"]


def block(words=WORDS):
    n = len(words)
    return {"sentence": np.arange(1, n + 1), "word": np.array(words, object), "known": np.arange(n) % 2 == 0,
            "log_prob": np.where(np.arange(n) == 1, math.nan, -1.23456789), "rank": np.arange(n) - 1,
            "p1": np.full(n, 1.23456789e-7), "perplexity": np.where(np.arange(n) == 2, math.inf, 12345678.9),
            "not printed": np.zeros(n)}


def printed(table, *blocks):
    return table.begin() + "".join(map(table.rows, blocks)) + table.end()


def test_cells_with_tabs_between_them():
    lines = printed(Tsv(HEAD, NAMES), block()).split("\n")
    assert lines[:3] == ["# rnnlm: 1", r"# model: a\nb\x1b[2J.npz", "\t".join(NAMES)]
    assert lines[3] == "1\tthe\t1\t-1.234568\tNA\t1.23457e-07\t1.23457e+07"
    assert lines[4] == '2\tsay "no", twice\t0\tNA\t0\t1.23457e-07\t1.23457e+07'
    assert lines[5] == "3\ttab\\there\t1\t-1.234568\t1\t1.23457e-07\tNA"
    assert [line.split("\t")[1] for line in lines[6:10]] == ["NA", "NA", r"end\r\nof", "%s #1 {}"]
    assert lines[10:] == [""]


def test_cells_with_commas_between_them():
    text = printed(Csv(HEAD, NAMES), block())
    rows = list(csv.reader(io.StringIO("\n".join(text.split("\n")[2:]), newline="")))
    assert rows[0] == NAMES
    assert [row[1] for row in rows[1:]] == ["NA" if word is None else word for word in WORDS]
    assert [row[4] for row in rows[1:]] == ["NA", "0", "1", "2", "3", "4", "5"]


def test_an_object_a_line():
    first, *lines = map(json.loads, printed(JsonLines(HEAD, NAMES), block()).splitlines())
    assert first == {"head": HEAD}
    assert [list(line) for line in lines] == [NAMES] * len(WORDS)
    assert [line["word"] for line in lines] == WORDS
    assert [line["log_prob"] for line in lines] == [-1.234568, None, *[-1.234568] * 5]
    assert [line["rank"] for line in lines] == [None, 0, 1, 2, 3, 4, 5]
    assert lines[2]["perplexity"] is None


@pytest.mark.parametrize("form", [Tsv, Csv, JsonLines])
def test_rows_in_parts_are_the_rows(form):
    parts = [block(WORDS[:3]), block(WORDS[:0]), block(WORDS[3:])]
    for part, start in zip(parts, (0, 3, 3), strict=True):
        for name in ("sentence", "known", "log_prob", "rank", "perplexity"):
            part[name] = block()[name][start : start + len(part["word"])]
    assert printed(form(HEAD, NAMES), *parts) == printed(form(HEAD, NAMES), block())
