#!/usr/bin/env bash
# Finding: statsmodels compares a model of all words with one that lost the words with missing values, and calls noise
#   significant.
#
# A good guess: the test refuses models of different numbers of observations, as R's anova does, or takes the common rows.
# What happens: a formula leaves out each row with a missing value, and the tests use the two fits as they are.
#   Fewer rows have a higher likelihood, so compare_lr_test finds a gain. The difference in degrees of freedom counts the
#   rows, too, so compare_f_test and anova_lm spread the effect of one real predictor over all of them.
# Version: statsmodels 0.15.0, pandas 3.1.1.
# Output seen (400 words in 40 sentences; "noise" and "before" are missing for the first word of each sentence):
#   statsmodels 0.15.0, pandas 3.1.1
#   noise:  LR p = 2.6e-63 for 41 degrees of freedom, with the same rows p = 0.98 for 1
#   before: F p = 0.066 for 41 degrees of freedom, with the same rows p = 0.0011 for 1
# Who is hurt: who asks whether surprisal explains reading times beyond the other predictors. The surprisal of the word
#   before has no value at the start of a text, and unknown words may have none. p-values and gains in likelihood are
#   wrong in both directions, and nothing is reported.
# What to do: data.dropna(subset=...) with the predictors of all models first, and compare result.nobs.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check statsmodels==0.15.0 pandas==3.1.1
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import math
import sys

import numpy
import pandas
import statsmodels
import statsmodels.formula.api as formulas
from statsmodels.stats.anova import anova_lm

SENTENCES, LENGTH = 40, 10
random = numpy.random.default_rng(1)
count = SENTENCES * LENGTH
table = pandas.DataFrame({"length": random.integers(2, 10, count).astype(float), "noise": random.normal(size=count),
                          "before": random.gamma(2, 3, count)})
table["time"] = 250 + 5 * table["length"] + 1.2 * table["before"] + random.normal(0, 40, count)
first = numpy.arange(count) % LENGTH == 0
table.loc[first, ["noise", "before"]] = math.nan
rest = table.dropna()


def fit(formula, rows):
    return formulas.ols(formula, rows).fit()


def likelihood(names, rows):
    """ln p of the least squares fit, without statsmodels."""
    design = numpy.column_stack([numpy.ones(len(rows)), rows[names]])
    y = rows["time"].to_numpy()
    rest = y - design @ numpy.linalg.lstsq(design, y, rcond=None)[0]
    return -len(y) / 2 * (math.log(2 * math.pi * rest @ rest / len(y)) + 1)


print(f"statsmodels {statsmodels.__version__}, pandas {pandas.__version__}")
base, same = fit("time ~ length", table), fit("time ~ length", rest)
noise, before = fit("time ~ length + noise", table), fit("time ~ length + before", table)
wrong, right = noise.compare_lr_test(base), noise.compare_lr_test(same)
print(f"noise:  LR p = {wrong[1]:.2g} for {wrong[2]:g} degrees of freedom, with the same rows p = {right[1]:.2g}"
      f" for {right[2]:g}")
missed, found = before.compare_f_test(base), before.compare_f_test(same)
print(f"before: F p = {missed[1]:.2g} for {missed[2]:g} degrees of freedom, with the same rows p = {found[1]:.2g}"
      f" for {found[2]:g}")

if (base.nobs, noise.nobs, same.nobs) != (count, count - SENTENCES, count - SENTENCES):
    sys.exit("changed: the rows that a formula leaves out")
if wrong[2] != 1 + SENTENCES or wrong[1] > 1e-6 or missed[2] != 1 + SENTENCES or missed[1] < 0.05:
    sys.exit("changed: models of different rows")
if abs(wrong[0] - 2 * (likelihood(["length", "noise"], rest) - likelihood(["length"], table))) > 1e-6:
    sys.exit("changed: the statistic for different rows")
if abs(right[0] - 2 * (likelihood(["length", "noise"], rest) - likelihood(["length"], rest))) > 1e-6 or right[1] < 0.05:
    sys.exit("changed: the statistic for the same rows")
if abs(anova_lm(base, before)["Pr(>F)"].iloc[1] - missed[1]) > 1e-9 or found[1] > 0.01:
    sys.exit("changed: anova_lm")
PYTHON
