"""How fast an ARPA file is read and a text is scored, beside KenLM.

    python benchmarks/arpa_speed.py --corpus ptb

Without --arpa, an n-gram model of the corpus is trained and written first.  "text" is
the ARPA file itself, "cached" its arrays in the cache.  "kenlm" is the package
kenlm-ex (pip install kenlm-ex).  Each then scores the test text, which is in memory: as
ids, and as a string whose words have to be looked up.  "query" is KenLM's program, if
--query names it: its time with the text less its time with an empty one, and the latter
for reading.  Every subject runs in a process of its own, in turns.
"""

import argparse
import json
import math
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from side_by_side import interleave, report, summary

SUBJECTS = ("text", "cached", "kenlm", "query")


def subject(name, config):
    """The figures of one subject."""
    return {"kenlm": _kenlm, "query": _query}.get(name, _rnnlm)(name, config)


def _rnnlm(name, config):
    from rnnlm.formats import arpa_reading
    from rnnlm.scoring.evaluation import evaluate
    from rnnlm.text.encoded import encode_text

    text = Path(config["test"]).read_text(encoding="utf-8")
    arpa_reading.LONG = 0 if name == "cached" else math.inf
    started = time.perf_counter()
    model, vocabulary = arpa_reading.read_arpa(config["arpa"])
    read = time.perf_counter()
    encoded = encode_text(text, vocabulary)
    looked_up = time.perf_counter()
    result = evaluate(model, encoded, vocabulary.eos_id)
    scored = time.perf_counter()
    return {"seconds": read - started, "of_ids": scored - looked_up, "of_text": scored - read,
            "log10_p": result.log_prob / math.log(10)}


def _kenlm(name, config):
    import kenlm

    lines = Path(config["test"]).read_text(encoding="utf-8").split("\n")[:-1]
    started = time.perf_counter()
    model = kenlm.Model(config["arpa"])
    read = time.perf_counter()
    total = sum(map(model.score, lines))
    return {"seconds": read - started, "of_text": time.perf_counter() - read, "log10_p": total}


def _query(name, config):
    seconds = []
    for text in (os.devnull, config["test"]):
        started = time.perf_counter()
        with open(text, "rb") as file:
            subprocess.run([config["query"], "-v", "summary", config["arpa"]], stdin=file, check=True,
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        seconds.append(time.perf_counter() - started)
    return {"seconds": seconds[0], "of_text": seconds[1] - seconds[0]}


def prepare(folder, options):
    """Write what the subjects read; returns the file and the text, a dict of paths."""
    from rnnlm.formats.arpa_writing import write_arpa
    from rnnlm.ngrams.training import train_ngrams
    from rnnlm.text.corpus import load_corpus

    config = {"arpa": options.arpa, "query": options.query, "test": str(folder / "test.txt")}
    corpus = load_corpus(options.corpus)
    if not options.arpa:
        config["arpa"] = str(folder / "some.arpa")
        trained = train_ngrams(corpus.train, corpus.vocabulary, options.order)
        write_arpa(config["arpa"], trained.tables, corpus.vocabulary)
    text = " ".join(corpus.vocabulary.decode(np.asarray(corpus.test.ids))).replace(" \n ", "\n").replace(" \n", "\n")
    Path(config["test"]).write_text(text, encoding="utf-8")
    return config


def compare(results):
    """The figures of each subject, a dict by its name; times over KenLM's, if known."""
    figures = {}
    for name, result in results.items():
        row = {key: summary(result, key)[0] for key in result[0]}
        row["fastest"], row["slowest"] = summary(result, "seconds")[1:]
        figures[name] = row
    base = figures.get("kenlm")
    for row in figures.values():
        row["over_kenlm"] = row["seconds"] / base["seconds"] if base else math.nan
    return figures


def table(figures):
    """The figures as a Markdown table."""
    lines = ["| | seconds to read (fastest to slowest) | over kenlm-ex | seconds to score: text | ids | peak memory |",
             "|---|---|---|---|---|---|"]
    lines += [f"| {name} | {row['seconds']:.3f} ({row['fastest']:.3f} to {row['slowest']:.3f}) | "
              f"{row['over_kenlm']:.2f} | {row['of_text']:.3f} | {row.get('of_ids', math.nan):.3f} | "
              f"{row['peak_memory_mb']:.0f} MB |" for name, row in figures.items()]
    return "\n".join(lines)


def main():
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", default="ptb", help="a known name, a folder or a file (default: ptb)")
    parser.add_argument("--arpa", help="an ARPA file of that corpus (default: trained first)")
    parser.add_argument("--order", type=int, default=5, help="of the model that is trained (default: 5)")
    parser.add_argument("--query", help="KenLM's program of that name")
    parser.add_argument("--repeats", type=int, default=5, help="turns (default: 5)")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    parser.add_argument("--measure", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        name, config = options.measure
        report(**subject(name, json.loads(config)))
        return
    with tempfile.TemporaryDirectory() as folder:
        os.environ["RNNLM_CACHE"] = str(Path(folder) / "cache")
        config = prepare(Path(folder), options)
        print(f"{os.path.getsize(config['arpa']) / 1e6:.1f} MB", file=sys.stderr)
        _rnnlm("cached", config)  # fills the cache
        results = interleave({name: [__file__, "--measure", name, json.dumps(config)] for name in SUBJECTS
                              if name != "query" or options.query}, options.repeats)
    figures = compare(results)
    print(json.dumps(figures, indent=1) if options.json else table(figures))


if __name__ == "__main__":
    main()
