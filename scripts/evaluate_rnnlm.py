"""Perplexity of texts for a trained model: python scripts/evaluate_rnnlm.py --help."""

import sys

from rnnlm.cli.main import script

if __name__ == "__main__":
    sys.exit(script("evaluate"))
