"""``python -m rnnlm`` does what the command ``rnnlm`` does."""

import sys

from rnnlm.cli.main import main

sys.exit(main())
