#!/usr/bin/env bash
# Finding: in eyekit the go-past time of the last word of a line includes the reading of the next lines.
#
# A good guess: go-past time ends with the first fixation on a later word. Eyekit is made for passages, and it knows
#   which line a fixation is on, so the sweep to the next line ends it.
# What happens: only x is compared. A fixation on the next line counts as a regression until one falls further to the
#   right than the word, so the last word of a long line collects all of the lines that are shorter.
#   A return from the start of a line to the end of the line above is not counted by number_of_regressions_in.
#   gaze_duration, too, has another meaning than first-pass time: a word that was skipped and read later has one.
# Version: eyekit 0.7.1 (with the library cairo of the system), sideeye 1.0.0a13.
# Output seen (one fixation of 200 ms on each word, in order; sideeye reads the same fixations):
#   eyekit 0.7.1, sideeye 1.0.0a13
#   go-past times by eyekit
#     the 200  cat 200  sat 200  outside 1000
#     on 200  the 200  mat 400
#     now 200
#   go-past times by sideeye
#     the 200  cat 200  sat 200  outside 200
#     on 200  the 200  mat 200
#     now 200
#   from "on" back to "outside": number_of_regressions_in 0; from "mat" back to "on": 1
#   "cat" after "sat": gaze_duration 200 by eyekit, first_pass None by sideeye
# Who is hurt: who sets go-past times beside surprisals: the last words of lines are the slowest of all, and an effect
#   of the line break looks like one of the word. First-pass times hold those of words that the eye came back to.
# What to do: leave out the last words of lines, or compute go-past times from word numbers, as pymovements does.
#   For first-pass times drop the words whose first fixation follows one on a later word.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check eyekit==0.7.1 cairocffi==1.7.1 sideeye==1.0.0a13 \
    mypy-extensions==1.1.0
cd "$folder"
cat > show.py <<'PYTHON'
import sys
from importlib.metadata import version

import eyekit
import sideeye
from eyekit import measure
from sideeye.measures import region as measures

LINES = ["the cat sat outside", "on the mat", "now"]
DURATION = 200
block = eyekit.TextBlock(LINES, position=(100, 100), font_face="Courier New", font_size=20)
words = list(block.words())
texts = [word.text for word in words]
places = [(column, row) for row, line in enumerate(LINES) for column in range(len(line.split()))]


def read_by_eyekit(order):
    """One fixation in the middle of each word of a list of word numbers."""
    return eyekit.FixationSequence(
        [(words[n].x, words[n].y, 1000 * i, 1000 * i + DURATION) for i, n in enumerate(order)]
    )


def read_by_sideeye(order):
    regions = [
        sideeye.data.Region(sideeye.data.Point(column, row), sideeye.data.Point(column + 1, row), 1)
        for column, row in places
    ]
    item = sideeye.data.Item("1", "1", regions)
    fixations = [
        sideeye.data.Fixation(sideeye.data.Point(*places[n]), 1000 * i, 1000 * i + DURATION, i, regions[n])
        for i, n in enumerate(order)
    ]
    return sideeye.data.Trial(1, 1000 * len(order), item, fixations)


def show(name, times):
    print(f"go-past times by {name}")
    for row in range(len(LINES)):
        print("  " + "  ".join(f"{texts[n]} {times[n]}" for n, (_, line) in enumerate(places) if line == row))


print(f"eyekit {version('eyekit')}, sideeye {version('sideeye')}")
order = range(len(words))
by_eyekit = [measure.go_past_duration(word, read_by_eyekit(order)) for word in words]
trial = read_by_sideeye(order)
by_sideeye = [measures.go_past(trial, n)["value"] for n in order]
show("eyekit", by_eyekit)
show("sideeye", by_sideeye)
if by_sideeye != [DURATION] * len(words):
    sys.exit("changed: sideeye")
if by_eyekit != [DURATION * times for times in (1, 1, 1, 5, 1, 1, 2, 1)]:
    sys.exit("changed: go_past_duration")
outside, on, mat = (texts.index(text) for text in ("outside", "on", "mat"))
to_the_line_above = measure.number_of_regressions_in(words[outside], read_by_eyekit([outside, on, outside, on]))
in_one_line = measure.number_of_regressions_in(words[on], read_by_eyekit([on, mat, on, mat]))
print(
    f'from "on" back to "outside": number_of_regressions_in {to_the_line_above}; from "mat" back to "on": {in_one_line}'
)
if (to_the_line_above, in_one_line) != (0, 1):
    sys.exit("changed: number_of_regressions_in")
skipped = [0, 2, 1, 2, 3]
gaze = measure.gaze_duration(words[1], read_by_eyekit(skipped))
first_pass = measures.first_pass(read_by_sideeye(skipped), 1)["value"]
print(f'"cat" after "sat": gaze_duration {gaze} by eyekit, first_pass {first_pass} by sideeye')
if (gaze, first_pass) != (DURATION, None):
    sys.exit("changed: gaze_duration")
PYTHON
"$folder/venv/bin/python" show.py
