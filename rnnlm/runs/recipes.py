"""Recipes: shipped files of options, each of which says what it reaches."""

import os
from importlib.resources import files

from rnnlm.errors import RnnlmError, did_you_mean, shown
from rnnlm.files.whole import is_denied
from rnnlm.runs.configuration import CONFIG


def recipes():
    """The shipped recipes, a dict from name to path."""
    folder = files("rnnlm") / "recipes"
    return {path.name.removesuffix(".toml"): path for path in sorted(folder.iterdir(), key=lambda path: path.name)
            if path.name.endswith(".toml")}


def find_config(name):
    """The path of the file, of a run's config.toml or of the recipe with this name.

    RnnlmError if there is none.
    """
    known = recipes()
    if os.path.isdir(name) and os.path.isfile(os.path.join(name, CONFIG)):  # a run folder
        return os.path.join(name, CONFIG)
    if name in known and not os.path.isfile(name):
        return str(known[name])
    if os.path.isdir(name):
        raise RnnlmError(f"--config must be a file, a run folder or a recipe, {shown(name)} is a folder without "
                         f"{CONFIG}: name the file")
    if not os.path.exists(name) and not name.endswith(".toml") and not is_denied(name):
        raise RnnlmError(f"--config must be a file, a run folder or one of the recipes {', '.join(known)}, "
                         f"got {shown(name)}{did_you_mean(name, known)}")
    return name


def is_recipe(path):
    """Whether a path that find_config returned is that of a recipe."""
    return path in map(str, recipes().values())


def described():
    """The recipes as text: each one's name and what it says about itself."""
    text = ""
    for name, path in recipes().items():
        lines = path.read_text(encoding="utf-8").splitlines()
        about = [line.removeprefix("#").strip() for line in lines if line.startswith("#")]
        text += "\n    ".join([name, *about]) + "\n"
    return text
