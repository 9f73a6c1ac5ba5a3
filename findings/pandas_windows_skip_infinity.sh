#!/usr/bin/env bash
# Finding: in pandas an infinite surprisal is a missing value for expanding(), rolling() and ewm(), and for no other sum.
#
# A good guess: expanding().sum() is cumsum(), and an infinite surprisal makes every sum and mean over it infinite.
# What happens: these three replace infinity by a missing value and pass over it. expanding() wants one value only, so
#   its sums stay finite. max() leaves the word out, too, and count() does not. cumsum(), sum(), mean() and polars keep
#   infinity.
# Version: pandas 3.0.6, polars 2.1.0.
# Output seen (surprisals 1, 2, inf, 4, 5):
#   pandas 3.0.6, polars 2.1.0
#   cumsum():                         1, 3, inf, inf, inf
#   expanding().sum():                1, 3, 3, 7, 12
#   expanding().count():              1, 2, 3, 4, 5
#   expanding().max():                1, 2, 2, 4, 5
#   rolling(2, min_periods=1).mean(): 1, 1.5, 2, 4, 4.5
#   ewm(com=1).mean() of 1, inf, 1:   1, 1, 1
#   polars rolling_mean(2, min_samples=1): 1, 1.5, inf, inf, 4.5
# Who is hurt: who draws perplexity along a text, or sums surprisal over the last words for reading times. A word of
#   probability 0 disappears, and the model looks better for it.
# What to do: take cumsum() and differences of it over the finite values, and report numpy.isinf(x).sum().
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check pandas==3.0.6 polars==2.1.0
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import math
import sys

import pandas
import polars

inf = math.inf
values = [1.0, 2.0, inf, 4.0, 5.0]
column, other = pandas.Series(values), polars.Series(values)
found = {
    "cumsum():": (column.cumsum(), [1, 3, inf, inf, inf]),
    "expanding().sum():": (column.expanding().sum(), [1, 3, 3, 7, 12]),
    "expanding().count():": (column.expanding().count(), [1, 2, 3, 4, 5]),
    "expanding().max():": (column.expanding().max(), [1, 2, 2, 4, 5]),
    "rolling(2, min_periods=1).mean():": (column.rolling(2, min_periods=1).mean(), [1, 1.5, 2, 4, 4.5]),
    "ewm(com=1).mean() of 1, inf, 1:": (pandas.Series([1, inf, 1]).ewm(com=1).mean(), [1, 1, 1]),
    "polars rolling_mean(2, min_samples=1):": (other.rolling_mean(2, min_samples=1), [1, 1.5, inf, inf, 4.5]),
}
print(f"pandas {pandas.__version__}, polars {polars.__version__}")
for name, (seen, expected) in found.items():
    print(f"{name:33} {', '.join(f'{value:g}' for value in seen)}")
    if seen.to_list() != expected:
        sys.exit(f"changed: {name}")
PYTHON
