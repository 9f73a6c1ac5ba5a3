"""Hold the last lines of a training run on the shipped corpus to the promise: within 8 % of the best possible."""

import re
import sys
from pathlib import Path

line = re.search(r"^test perplexity ([\d.]+), best possible ([\d.]+)", Path(sys.argv[1]).read_text(), re.M)
if line is None:
    sys.exit("the run printed no test perplexity beside the best possible one")
reached, best = map(float, line.groups())
print(f"test perplexity {reached} is {100 * (reached / best - 1):.1f} % above the best possible {best}")
sys.exit(0 if best <= reached * 1.005 and reached <= 1.08 * best else "it must be within 8 %, and not below the optimum")
