#!/usr/bin/env bash
# Finding: pympi reads the time 1e-05 of a TextGrid as 5 seconds, and the time -0.5 as 0.5.
#
# A good guess: a time is read as the number that it is, as tgt does with the same file.
# What happens: the reader takes the digits and points at the end of the line and leaves out what stands before them.
#   The first interval ends at 5 s and the second begins there, after its own end. Nothing is reported.
# Version: pympi-ling 1.71, tgt 1.5.
# Output seen:
#   pympi-ling 1.71, tgt 1.5
#   tgt:   silence 0 to 1e-05, the 1e-05 to 0.5, cat 0.5 to 1
#   pympi: silence 0 to 5, the 5 to 0.5, cat 0.5 to 1
#   a tier that begins at -0.5: tgt -0.5, pympi 0.5
# Who is hurt: who puts surprisals beside the times of words. What is left of a subtraction, as 5.6e-17 for
#   0.1 + 0.2 - 0.3, is written with an exponent by Python and other languages, and becomes 17 seconds.
#   A file whose sound begins before 0 has its first times mirrored.
# What to do: read TextGrids with tgt; or round the times to six decimals before they are written.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check pympi-ling==1.71 tgt==1.5 numpy==2.4.6
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import sys
from importlib.metadata import version

import tgt
from pympi.Praat import TextGrid


def write(path, intervals):
    """A TextGrid in Praat's long form, with one tier."""
    start, end = intervals[0][0], intervals[-1][1]
    lines = ['File type = "ooTextFile"', 'Object class = "TextGrid"', "", f"xmin = {start} ", f"xmax = {end} ",
             "tiers? <exists> ", "size = 1 ", "item []: ", "    item [1]:", '        class = "IntervalTier" ',
             '        name = "words" ', f"        xmin = {start} ", f"        xmax = {end} ",
             f"        intervals: size = {len(intervals)} "]
    for number, (start, end, word) in enumerate(intervals, 1):
        lines += [f"        intervals [{number}]:", f"            xmin = {start} ", f"            xmax = {end} ",
                  f'            text = "{word}" ']
    with open(path, "w") as file:
        file.write("\n".join(lines) + "\n")


def by_tgt(path):
    tier = tgt.io.read_textgrid(path, include_empty_intervals=True).tiers[0]
    return [(interval.start_time, interval.end_time, interval.text) for interval in tier.intervals]


def by_pympi(path):
    return list(TextGrid(path).get_tier("words").get_intervals())


words = [(0, 1e-05, ""), (1e-05, 0.5, "the"), (0.5, 1.0, "cat")]
write("words.TextGrid", words)
write("before.TextGrid", [(-0.5, 0.25, "the"), (0.25, 1.0, "cat")])
print(f"pympi-ling {version('pympi-ling')}, tgt {version('tgt')}")
found = {}
for name, read in (("tgt:", by_tgt), ("pympi:", by_pympi)):
    found[name] = read("words.TextGrid"), read("before.TextGrid")[0][0]
    listed = ", ".join(f"{word or 'silence'} {start:g} to {end:g}" for start, end, word in found[name][0])
    print(f"{name:6} {listed}")
print(f"a tier that begins at -0.5: tgt {found['tgt:'][1]:g}, pympi {found['pympi:'][1]:g}")
if found["tgt:"] != (words, -0.5):
    sys.exit("changed: tgt")
if found["pympi:"] != ([(0, 5.0, ""), (5.0, 0.5, "the"), (0.5, 1.0, "cat")], 0.5):
    sys.exit("changed: pympi")
PYTHON
