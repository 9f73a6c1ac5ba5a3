"""A page of surprisal of a long text: its size, and how soon a browser shows it.

    python benchmarks/page_speed.py --words 100000

Makes rows of words drawn by Zipf's law from 10,000, 22 to a sentence, with numbers like
those of a model.  Writes the page, and opens it in a headless Chromium so many times,
each time in a new process.  Seconds from the start of the navigation to the first paint
of content, to the end of loading, and from the first key in the text to its card; all
are medians.  --lines long makes one sentence of all words, --lines empty none but empty
lines.  --compare makes a page of two models.
"""

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from chromium import Chromium, find_chromium

from rnnlm.reports.surprisal_page import Reading, surprisal_page

VOCABULARY = 10_000
TOP = 5
LENGTHS = {"usual": 22, "long": 10**9, "empty": 0}  # words of a sentence

CARD = """(() => {
  const started = performance.now(), word = document.querySelector("main span");
  word.focus();
  return new Promise((done) => requestAnimationFrame(() => setTimeout(
    () => done(document.getElementById("card").hidden ? -1 : (performance.now() - started) / 1000))));
})()"""
PAINT = "performance.getEntriesByName('first-contentful-paint').map((entry) => entry.startTime / 1000)[0]"
LOADED = "performance.getEntriesByType('navigation')[0].loadEventEnd / 1000"


def made_rows(count, length, rng):
    """Rows as a model's scores have them, random ones."""
    words = np.array([f"word{i:x}" for i in range(VOCABULARY)], dtype=object)
    shares = 1 / np.arange(1, VOCABULARY + 1)
    shares /= shares.sum()
    fields = [("sentence", int), ("word", object), ("known", bool), ("surprisal", float), ("entropy", float),
              ("rank", int)]
    fields += [(f"{name}{k}", kind) for k in range(1, TOP + 1) for name, kind in (("top", object), ("p", float))]
    rows = np.zeros(count, fields)
    positions = np.arange(count)
    ids = rng.choice(VOCABULARY, count, p=shares)
    rows["word"], rows["sentence"] = words[ids], positions // (length + 1) + 1
    rows["word"][(positions % (length + 1) == length) | (positions == count - 1)] = "<eos>"
    rows["known"] = (rng.random(count) > 0.05) | (rows["word"] == "<eos>")
    rows["surprisal"] = -np.log2(shares[ids]) + rng.normal(0, 1, count).clip(-2, 3)
    rows["entropy"], rows["rank"] = rng.uniform(2, 9, count), ids + 1
    for k in range(1, TOP + 1):
        rows[f"top{k}"], rows[f"p{k}"] = words[rng.choice(VOCABULARY, count, p=shares)], rng.random(count) / 2**k
    return rows


def write_page(path, count, length, compared):
    """Write the page; returns the seconds that it took."""
    rng = np.random.default_rng(0)
    first = made_rows(count, length, rng)
    readings = [Reading("made-up-model", "0" * 64, first, VOCABULARY)]
    if compared:
        other = made_rows(count, length, rng)
        for name in ("sentence", "word"):
            other[name] = first[name]
        readings.append(Reading("another-model", "1" * 64, other, VOCABULARY))
    started = time.perf_counter()
    with open(path, "wb") as file:
        for piece in surprisal_page(readings, f"{count:,} words"):
            file.write(piece.encode())
    return time.perf_counter() - started


def measure(browser_path, page, screenshot=None):
    """Seconds to the first paint, to the end of loading and to the first card."""
    with Chromium(browser_path) as browser:
        browser.open(page)
        card = browser.run(CARD)
        if screenshot:
            browser.screenshot(screenshot)
        return {"first_paint": browser.run(PAINT), "loaded": browser.run(LOADED), "card": card}


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--words", type=int, default=100_000)
    parser.add_argument("--lines", choices=LENGTHS, default="usual")
    parser.add_argument("--compare", action="store_true")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--browser", default=find_chromium(), help="path of Chromium or Chrome")
    parser.add_argument("--screenshot", help="PNG file for what the window shows")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(argv)
    if options.browser is None:
        sys.exit("no Chromium is installed: install it, or give --browser PATH")
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder) / "page.html"
        written = write_page(page, options.words, LENGTHS[options.lines], options.compare)
        times = [measure(options.browser, page, options.screenshot) for _ in range(options.repeats)]
        figures = {"megabytes": os.path.getsize(page) / 1e6, "written": written}
    figures |= {name: statistics.median(run[name] for run in times) for name in times[0]}
    if options.json:
        print(json.dumps(figures))
    else:
        print(f"{figures.pop('megabytes'):.1f} MB; " + ", ".join(f"{name} {value:.3f} s"
                                                                for name, value in figures.items()))


if __name__ == "__main__":
    main()
