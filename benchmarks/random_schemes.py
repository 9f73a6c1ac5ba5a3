"""Results under another scheme of random numbers are within the spread of seeds.

    python benchmarks/random_schemes.py --seeds 1 2 3 4 5 -- --hidden-size 199
    python benchmarks/random_schemes.py --seeds 1 2 3 -- --noising 0.1

Trains a run for each seed and scheme, by default on the stories, and scores its best
model on the test text.  Options behind -- are those of ``rnnlm train``.  Where 4
divides all sizes and nothing is noised, both schemes give the same run, bit for bit.
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from rnnlm.compute.draws import SCHEMES

TRAIN = """
import sys
from rnnlm.compute import draws
draws.SCHEME = int(sys.argv[1])
from rnnlm.cli.main import main
sys.exit(main(["train", *sys.argv[2:]]))
"""


def test_perplexity(scheme, seed, options):
    """The test perplexity that a run ends with."""
    with tempfile.TemporaryDirectory() as folder:
        output = ["--output", str(Path(folder) / "run"), "--seed", str(seed)]
        done = subprocess.run([sys.executable, "-c", TRAIN, str(scheme), *options, *output], stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, text=True, check=True)
    line = next(line for line in done.stdout.splitlines() if line.startswith("test perplexity "))
    return float(line.split()[2].rstrip(","))


def main(argv=None):
    """Print a row for each seed, the means, and how far they are apart."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3, 4, 5], metavar="S")
    parser.add_argument("options", nargs="*", help="of rnnlm train, behind --")
    arguments = parser.parse_args(argv)
    print("| seed |" + "".join(f" scheme {scheme} |" for scheme in SCHEMES))
    print("|---|" + "---|" * len(SCHEMES))
    found = {scheme: [] for scheme in SCHEMES}
    for seed in arguments.seeds:
        for scheme, perplexities in found.items():
            perplexities.append(test_perplexity(scheme, seed, arguments.options))
        print(f"| {seed} |" + "".join(f" {perplexities[-1]:.2f} |" for perplexities in found.values()), flush=True)
    means = [statistics.mean(perplexities) for perplexities in found.values()]
    print("| mean |" + "".join(f" {mean:.2f} |" for mean in means))
    if len(arguments.seeds) > 1:
        spreads = [statistics.stdev(perplexities) for perplexities in found.values()]
        print("| standard deviation |" + "".join(f" {spread:.2f} |" for spread in spreads))
        error = (sum(spread**2 for spread in spreads) / len(arguments.seeds)) ** 0.5
        print(f"\ndifference of the means {means[1] - means[0]:+.2f}, its standard error {error:.2f}")


if __name__ == "__main__":
    main()
