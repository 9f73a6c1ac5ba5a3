"""Check the last lines of a training run on the shipped corpus.

The test perplexity must be within 8 % of the best possible one.
"""

import re
import sys
from pathlib import Path

line = re.search(r"^test perplexity ([\d.]+) \([^)]*\), best possible ([\d.]+)", Path(sys.argv[1]).read_text(), re.M)
if line is None:
    sys.exit("the run printed no test perplexity next to the best possible one")
reached, best = map(float, line.groups())
print(f"test perplexity {reached} is {100 * (reached / best - 1):.1f} % above the best possible {best}")
if reached < 0.995 * best:
    sys.exit("it is below the optimum: something is wrong with the numbers")
if reached > 1.08 * best:
    sys.exit("it must be within 8 %")
