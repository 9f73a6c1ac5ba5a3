"""The modules beside the shipped stories, which are in no package."""

import importlib.util
import sys

import pytest
from conftest import REPOSITORY

FOLDER = REPOSITORY / "datasets" / "stories"


def _load(name):
    spec = importlib.util.spec_from_file_location(name, FOLDER / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


with pytest.MonkeyPatch.context() as patch:  # they import each other by name, and no test may do so by accident
    for name in ("grammar", "next_words", "truth", "make_stories"):
        patch.setitem(sys.modules, name, _load(name))
    grammar, next_words, truth, make_stories = (
        sys.modules[name] for name in ("grammar", "next_words", "truth", "make_stories"))
