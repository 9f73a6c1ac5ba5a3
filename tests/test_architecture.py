"""The structure: which file may import which, what a bare import loads, what the public names are."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import rnnlm

PACKAGE = Path(rnnlm.__file__).parent
FILES = sorted(PACKAGE.rglob("*.py"))
LEVELS = {
    0: ["errors", "arguments", "functions", "initializers", "schedules", "files", "folders", "sources", "text",
        "vocabulary", "workers", "archive", "noising", "forms", "strict_json"],
    1: ["download", "places", "id_files", "numbered", "tokens", "corpus_notes", "corpus", "batches", "layers",
        "gradients", "optimizers", "shares", "averaging", "parts"],
    2: ["models"],
    3: ["trainer", "evaluation", "generation", "checkpoint", "plotting"],
    4: ["cli", "course", "__main__", "__init__"],
}
LEVEL = {room: level for level, rooms in LEVELS.items() for room in rooms}


def room(path):
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


def imported(path):
    """Absolute names a file imports, anywhere in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            assert all(alias.name != "*" for alias in node.names), f"{path}: star import"
            yield node.module


def test_every_file_has_a_level():
    assert {room(path) for path in FILES} == set(LEVEL)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_run_downwards(path):
    for name in imported(path):
        if name.startswith("rnnlm."):
            assert LEVEL[name.split(".")[1]] <= LEVEL[room(path)], f"{path.name} imports {name}"


def test_layers_see_arrays_only():
    for path in (PACKAGE / "layers").rglob("*.py"):
        own = {name.split(".")[1] for name in imported(path) if name.startswith("rnnlm.")}
        assert own <= {"layers", "functions", "initializers", "gradients", "workers", "errors", "arguments"}, path.name


def test_the_trainer_knows_no_file_and_no_screen():
    for name in ("trainer", "gradients", "optimizers", "shares", "averaging", "schedules"):
        others = {module.split(".")[0] for module in imported(PACKAGE / f"{name}.py")}
        assert others <= {"rnnlm", "math", "time", "dataclasses", "contextlib", "numbers", "numpy"}, name
        assert "rnnlm.files" not in set(imported(PACKAGE / f"{name}.py"))


def loaded_by(statement, beside="numpy"):
    """Top-level modules that a statement loads in a fresh interpreter, beside NumPy's own."""
    code = f"import {beside}, sys; before = set(sys.modules); {statement}; print(*set(sys.modules) - before)"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    return {name.split(".")[0] for name in out.split()}


def test_importing_the_package_loads_nothing_heavy():
    assert not loaded_by("from rnnlm import *") & {"matplotlib", "tqdm", "argparse", "ssl", "hypothesis"}


def test_the_training_command_starts_without_matplotlib():
    assert "matplotlib" not in loaded_by("import rnnlm.cli.train")


def test_public_names_are_complete_and_documented():
    assert {name for name in dir(rnnlm) if not name.startswith("_")} == set(rnnlm.__all__)
    for name in rnnlm.__all__:
        assert getattr(rnnlm, name).__doc__, name
    everything = {}
    exec("from rnnlm import *", everything)
    assert everything.keys() - {"__builtins__"} == set(rnnlm.__all__)


def test_type_checkers_are_told_of_the_same_names():
    tree = ast.parse((PACKAGE / "__init__.py").read_text(encoding="utf-8"))
    told = {alias.name: node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)
            for alias in node.names if node.module.startswith("rnnlm.")}
    assert told == {name: f"rnnlm.{module}" for name, module in rnnlm._MODULE_OF.items()}
    assert told.keys() == set(rnnlm.__all__)


def test_importing_the_package_changes_nothing_in_the_process():
    assert loaded_by("import rnnlm", beside="sys") <= {"rnnlm"}
    code = ("import signal, sys; state = lambda: (list(map(signal.getsignal, signal.valid_signals())), sys.stdin, "
            "sys.stdout, sys.stderr); before = state(); from rnnlm import *; import rnnlm.cli.main; "
            "import rnnlm.cli.train; print(state() == before)")
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "True\n"


def test_a_module_is_an_attribute_and_an_unknown_name_is_none():
    assert rnnlm.tokens.__name__ == "rnnlm.tokens"
    with pytest.raises(AttributeError, match="module 'rnnlm' has no attribute 'Nothing'"):
        rnnlm.Nothing  # noqa: B018
    with pytest.raises(ImportError):
        from rnnlm import Nothing  # noqa: F401


def test_nothing_global_is_random_and_nothing_is_pickled():
    for path in FILES:
        text = path.read_text(encoding="utf-8")
        assert "np.random.seed" not in text
        assert "allow_pickle=True" not in text
        assert "import pickle" not in text


def test_every_module_says_what_it_is():
    for path in FILES:
        assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))), path


def test_datasets_is_no_package():
    assert not list((PACKAGE.parent / "datasets").rglob("__init__.py"))
