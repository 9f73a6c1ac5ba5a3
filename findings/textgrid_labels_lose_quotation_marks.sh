#!/usr/bin/env bash
# Finding: praat-textgrids and gridio read a quotation mark of a TextGrid as silence, and tgt cuts a label at " = ".
#
# A good guess: a label is read as Praat reads it. A TextGrid doubles the quotation marks inside of a label, as in
#   text = """" for the word ", and that is the one rule of its strings.
# What happens: praat-textgrids and gridio remove all marks at the ends of a label, and leave those inside doubled.
#   They do not double them on writing either, so Praat refuses their files. praat-textgrids and tgt take what stands
#   between the first two " = " of a line: praat-textgrids loses what follows, and tgt the letter before, too.
#   Nothing is reported.
# Version: praat-textgrids 1.4.0, gridio 1.0.5, tgt 1.5; praat-parselmouth 0.4.6, which is Praat itself.
# Output seen:
#   praat-textgrids 1.4.0, gridio 1.0.5, tgt 1.5, praat-parselmouth 0.4.6
#   Praat             | praat-textgrids   | gridio            | tgt
#   "                 |                   |                   | "
#   "no"              | no                | no                | "no"
#   the "old" cat     | the ""old"" cat   | the ""old"" cat   | the "old" cat
#   price = 5         | price             | price = 5         | pric
#   cat               | cat               | cat               | cat
#   Praat reads the word " as it was written by: Praat True, praat-textgrids False, gridio False, tgt True
# Who is hurt: who puts surprisals beside the times of words. " is one of the most frequent words of WikiText, and an
#   empty label is a pause, so the words after it stand beside the surprisals of their neighbours.
#   Tiers of sentences and characters keep their number of rows and lose text.
# What to do: read and write labels with textgrid, praatio or parselmouth, and compare the number of words.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check praat-textgrids==1.4.0 gridio==1.0.5 tgt==1.5 \
    praat-parselmouth==0.4.6 numpy==2.4.6
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import sys
from importlib.metadata import version

import gridio
import parselmouth
import textgrids
import tgt
from parselmouth.praat import call

LABELS = ['"', '"no"', 'the "old" cat', "price = 5", "cat"]
READ = {
    "Praat": LABELS,
    "praat-textgrids": ["", "no", 'the ""old"" cat', "price", "cat"],
    "gridio": ["", "no", 'the ""old"" cat', "price = 5", "cat"],
    "tgt": ['"', '"no"', 'the "old" cat', "pric", "cat"],
}


def write_by_praat(path, labels):
    grid = call("Create TextGrid", 0, len(labels), "words", "")
    for number, label in enumerate(labels, 1):
        if number < len(labels):
            call(grid, "Insert boundary", 1, number)
        call(grid, "Set interval text", 1, number, label)
    call(grid, "Save as text file", path)


def write_by_praat_textgrids(path, labels):
    grid = textgrids.TextGrid()
    tier = grid["words"] = textgrids.Tier(point_tier=False)
    for start, label in enumerate(labels):
        tier.append(textgrids.Interval(text=label, xmin=start, xmax=start + 1))
    grid.xmin, grid.xmax = 0, len(labels)
    grid.write(path)


def write_by_gridio(path, labels):
    intervals = [(float(start), start + 1.0, label) for start, label in enumerate(labels)]
    gridio.data_to_textgrid((0.0, float(len(labels)), [("words", True, intervals)]), path)


def write_by_tgt(path, labels):
    tier = tgt.IntervalTier(0, len(labels), "words")
    for start, label in enumerate(labels):
        tier.add_interval(tgt.Interval(start, start + 1, label))
    grid = tgt.TextGrid()
    grid.add_tier(tier)
    tgt.write_to_file(grid, path, format="long")


def by_praat(path):
    grid = parselmouth.read(path)
    return [call(grid, "Get label of interval", 1, i + 1) for i in range(call(grid, "Get number of intervals", 1))]


READERS = {
    "Praat": by_praat,
    "praat-textgrids": lambda path: [str(interval.text) for interval in textgrids.TextGrid(path)["words"]],
    "gridio": lambda path: [label for _, _, label in gridio.textgrid_to_data(path)[2][0][2]],
    "tgt": lambda path: [
        interval.text for interval in tgt.io.read_textgrid(path, include_empty_intervals=True).tiers[0]
    ],
}
WRITERS = {
    "Praat": write_by_praat,
    "praat-textgrids": write_by_praat_textgrids,
    "gridio": write_by_gridio,
    "tgt": write_by_tgt,
}

print(", ".join(f"{name} {version(name)}" for name in ("praat-textgrids", "gridio", "tgt", "praat-parselmouth")))
write_by_praat("words.TextGrid", LABELS)
found = {name: read("words.TextGrid") for name, read in READERS.items()}
for row in (list(found), *zip(*found.values())):
    print(" | ".join(f"{cell:17}" for cell in row).rstrip())
for name, labels in READ.items():
    if found[name] != labels:
        sys.exit(f"changed: {name} reads {found[name]}")
good = {}
for name, write in WRITERS.items():
    write(f"{name}.TextGrid", ["the", '"', "cat"])
    try:
        good[name] = by_praat(f"{name}.TextGrid") == ["the", '"', "cat"]
    except parselmouth.PraatError:
        good[name] = False
print('Praat reads the word " as it was written by:', ", ".join(f"{name} {is_good}" for name, is_good in good.items()))
if good != {"Praat": True, "praat-textgrids": False, "gridio": False, "tgt": True}:
    sys.exit("changed: writing")
PYTHON
