"""``python -m rnnlm`` does what the command ``rnnlm`` does."""

import sys

from rnnlm.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
