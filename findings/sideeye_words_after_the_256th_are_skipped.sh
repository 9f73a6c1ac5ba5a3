#!/usr/bin/env bash
# Finding: for sideeye's measures each word with a number above 256 was never looked at, unless its number comes from
#   the Region itself.
#
# A good guess: first_pass(trial, 300) is the first-pass time of region 300, as first_pass(trial, 30) is of region 30.
# What happens: numbers are compared with "is". CPython has one object for each of the numbers up to 256, and makes new
#   ones for greater numbers. So no fixation belongs to such a region: total_time is 0, skip is True, and the other
#   times are None, which is what the documentation gives for a word that was skipped.
#   calculate_all_measures, which takes the numbers from the regions, is right.
# Version: sideeye 1.0.0a13, with CPython.
# Output seen (300 words, and one fixation on each):
#   sideeye 1.0.0a13
#   number                    255    256    257    258
#   first_pass                183    184    None   None
#   go_past                   183    184    None   None
#   total_time                183    184    0      0
#   skip                      False  False  True   True
#   fixations of 300 words with a first-pass time: 257 by range(), 300 by region.number
# Who is hurt: who asks for the reading times of single words of stories (those of Natural Stories have about 1,000) and
#   sets them beside surprisals: the end of each text looks skipped, and its times 0 go into the regression.
# What to do: give trial.item.regions[number].number in the place of number, or use calculate_all_measures.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check sideeye==1.0.0a13 mypy-extensions==1.1.0
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import sys
from importlib.metadata import version

from sideeye.data import Fixation, Item, Point, Region, Trial
from sideeye.measures import region as measures

WORDS, WIDTH = 300, 5
item = Item("1", "1", [Region(Point(WIDTH * n, 0), Point(WIDTH * (n + 1), 0), WIDTH) for n in range(WORDS)])
# One fixation in the middle of each word; word n has 180 + n % 7 ms.
fixations = [
    Fixation(Point(WIDTH * n + 2, 0), 200 * n, 200 * n + 180 + n % 7, n, item.find_region(WIDTH * n + 2, 0))
    for n in range(WORDS)
]
trial = Trial(1, 200 * WORDS, item, fixations)
print("sideeye", version("sideeye"))
SHOWN = range(255, 259)
SEEN = {
    "first_pass": [183, 184, None, None],
    "go_past": [183, 184, None, None],
    "total_time": [183, 184, 0, 0],
    "skip": [False, False, True, True],
}
rows = {"number": list(SHOWN)}
for name, expected in SEEN.items():
    rows[name] = [getattr(measures, name)(trial, number)["value"] for number in SHOWN]
    if rows[name] != expected:
        sys.exit(f"changed: {name}")
for name, values in rows.items():
    print(f"{name:25}", " ".join(f"{value!s:6}" for value in values).rstrip())
by_range = [measures.first_pass(trial, number)["value"] for number in range(WORDS)]
by_region = [measures.first_pass(trial, region.number)["value"] for region in item.regions]
read = [sum(value is not None for value in values) for values in (by_range, by_region)]
print(f"fixations of {WORDS} words with a first-pass time: {read[0]} by range(), {read[1]} by region.number")
if by_region != [180 + number % 7 for number in range(WORDS)] or by_range != by_region[:257] + [None] * (WORDS - 257):
    sys.exit("changed: first_pass")
PYTHON
