"""The pictures of the course: drawings of the network, and what the chapters measure.

    python docs/course/make_pictures.py

Writes them into the folder ``images`` next to it (``--output`` elsewhere), in a few
seconds.  The same seeds as in the chapters, so the same numbers.
"""

import argparse
from pathlib import Path

from pictures import drawings, gradients, language_model

PICTURES = {"unrolled": drawings.unrolled, "backward": drawings.backward, "truncation": drawings.truncation,
            "batch": drawings.batch, "gradient-norms": gradients.gradient_norms, "lstm": drawings.lstm,
            "gated-norms": gradients.gated_norms, "learning": language_model.learning,
            "temperature": language_model.temperature}


def main(argv=None):
    """Draw all the pictures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=Path(__file__).with_name("images"), metavar="FOLDER")
    folder = parser.parse_args(argv).output
    folder.mkdir(parents=True, exist_ok=True)
    for name, picture in PICTURES.items():
        picture().savefig(folder / f"{name}.png")


if __name__ == "__main__":
    main()
