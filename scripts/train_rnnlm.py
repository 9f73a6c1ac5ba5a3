"""Train a language model: python scripts/train_rnnlm.py --help."""

import sys

from rnnlm.cli.main import script

if __name__ == "__main__":
    sys.exit(script("train"))
