"""The classic RNNLM toolkit on a text model that rnnlm export wrote, and rnnlm itself.

    python benchmarks/exchange_toolkit.py MODEL TEXT --program PATH/rnnlm

The program is that of the toolkit, version 0.3e or 0.4b, built with its makefile.
MODEL has one layer of tanh units.  The toolkit computes exp by an approximation that
is off by 1.5 % on average, so its perplexity differs a little.  Built with the exp of
the C library instead (FAST_EXP in 0.3e, fasterexp in 0.4b), it has our perplexity.
"""

import argparse
import re
import subprocess
import tempfile
from pathlib import Path

import rnnlm


def main():
    """Print both perplexities and their relative difference."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model")
    parser.add_argument("text", type=Path)
    parser.add_argument("--program", required=True, type=Path)
    options = parser.parse_args()
    ours = rnnlm.load(options.model).perplexity(options.text)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.txt"
        rnnlm.export_model(options.model, "text", path)
        done = subprocess.run([options.program.resolve(), "-rnnlm", path, "-test", options.text], check=True,
                              capture_output=True, text=True)
    theirs = float(re.search(r"PPL net: ([\d.]+)", done.stdout)[1])
    print(f"rnnlm {ours:.6f}, the toolkit {theirs:.6f}, relative difference {abs(theirs / ours - 1):.1e}")


if __name__ == "__main__":
    main()
