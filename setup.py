"""The one part of the build that setup.cfg cannot describe.

In a wheel the corpora of datasets/ are data of the package.  An entry for them in
package_dir would do, but with it editable installs become an import hook: see
docs/decisions.md.
"""

import json
import os
from glob import glob

from setuptools import setup
from setuptools.command.build_py import build_py


def shipped():
    """The files of corpora that a wheel holds.

    They are the descriptions of all corpora; of those that are not fetched also the
    texts, and the truth about them where it is known.
    """
    for about in sorted(glob("datasets/*/corpus.json")):
        yield about
        with open(about, encoding="utf-8") as file:
            fetched = "files" in json.load(file)
        if not fetched:
            for ending in (".txt", ".truth.tsv"):
                yield from sorted(glob(os.path.join(os.path.dirname(about), f"*{ending}")))


class BuildWithCorpora(build_py):
    """build_py that puts the corpora into the package."""

    def build_package_data(self):
        """Copy what setup.cfg names, then the corpora."""
        super().build_package_data()
        for path in shipped():
            target = os.path.join(self.build_lib, "rnnlm", path)
            self.mkpath(os.path.dirname(target))
            self.copy_file(path, target, preserve_mode=False)


setup(cmdclass={"build_py": BuildWithCorpora})
