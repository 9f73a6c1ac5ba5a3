#!/usr/bin/env bash
# Finding: in a table of word scores, pandas loses all rows between two quotation marks, without a word.
#
# A good guess: in a file with tabs a cell ends at a tab and a row at a line end, and a word is a word.
# What happens: a word that is the sign " opens a quoted cell, which ends at the next such word. The rows
#   between become one cell, and the number beside it is that of the last of them. The words "null", "NA" and
#   "nan" are missing values. The sum of the surprisals is wrong, and nothing is reported.
# Version: pandas 3.0.6.
# Output seen (nine words with the surprisals 1.5 to 9.5):
#   pandas 3.0.6
#   read_csv(sep="\t"): 4 rows, surprisal 22.0
#   quoting=3: 9 rows, surprisal 49.5, 1 word missing
#   quoting=3, keep_default_na=False: 9 rows, surprisal 49.5, 0 words missing
# Who is hurt: everyone who reads the scores of text with quotation marks, as LM Zoo's client did with
#   get-surprisals. An odd number of marks raises an error; an even number does not.
# What to do: give quoting=3 (csv.QUOTE_NONE) and keep_default_na=False, and compare the number of rows.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check pandas==3.0.6
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import io
import sys

import pandas

words = 'he said " null is not zero " .'.split()
text = "sentence_id\ttoken_id\ttoken\tsurprisal\n"
text += "".join(f"1\t{i}\t{word}\t{i}.5\n" for i, word in enumerate(words, 1))

print("pandas", pandas.__version__)
found = []
for name, options in (('read_csv(sep="\\t")', {}), ("quoting=3", {"quoting": 3}),
                      ("quoting=3, keep_default_na=False", {"quoting": 3, "keep_default_na": False})):
    table = pandas.read_csv(io.StringIO(text), sep="\t", **options)
    missing = int(table["token"].isna().sum())
    found.append((len(table), float(table["surprisal"].sum()), missing))
    tail = f", {missing} word{'' if missing == 1 else 's'} missing" if options else ""
    print(f"{name}: {len(table)} rows, surprisal {found[-1][1]}{tail}")
if found[0][:2] != (4, 22.0):
    sys.exit("changed: the rows between quotation marks")
if found[1] != (9, 49.5, 1) or found[2] != (9, 49.5, 0):
    sys.exit("changed: what the options do")
PYTHON
