"""Train a language model: python scripts/train_rnnlm.py --help."""

import sys

from rnnlm.cli.train import main

if __name__ == "__main__":
    sys.exit(main())
