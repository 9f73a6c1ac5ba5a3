"""Write text with a trained model: python scripts/generate_text.py --help."""

import sys

from rnnlm.cli.main import script

if __name__ == "__main__":
    sys.exit(script("generate"))
