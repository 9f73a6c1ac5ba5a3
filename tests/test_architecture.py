"""The structure: which file may import which, what loads, what the public names are."""

import ast
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

import rnnlm

PACKAGE = Path(rnnlm.__file__).parent
FILES = sorted(PACKAGE.rglob("*.py"))
FLOORS = {  # a file imports from lower floors only, and from its own wing
    0: ["__init__", "__main__"],  # the roof, which hands names on: it may import from all
    1: ["errors"],
    2: ["files", "compute"],
    3: ["text", "layers", "training"],
    4: ["models", "scoring", "ngrams"],
    5: ["formats", "classifier", "reports", "mixing", "adapting"],
    6: ["course", "runs", "exchange"],
    7: ["cli"],
}
FLOOR = {wing: floor for floor, wings in FLOORS.items() for wing in wings}
ROOF = 0


def wing(path):
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


def module(path):
    parts = ("rnnlm", *path.relative_to(PACKAGE).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def parsed(path):
    return ast.parse(path.read_text(encoding="utf-8"))


MODULES = {module(path) for path in FILES}


def imported(path):
    """Absolute names a file imports, anywhere in it."""
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            assert all(alias.name != "*" for alias in node.names), f"{path}: star import"
            yield node.module


def own_imports(path):
    """The modules of the package that a file imports, anywhere in it."""
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in MODULES)
        elif isinstance(node, ast.ImportFrom) and node.module.split(".")[0] == "rnnlm":
            for alias in node.names:
                name = f"{node.module}.{alias.name}"
                yield name if name in MODULES else node.module


def test_the_root_holds_three_files_and_the_wings():
    assert {path.name for path in PACKAGE.glob("*.py")} == {"__init__.py", "__main__.py", "errors.py"}
    assert {wing(path) for path in FILES} == set(FLOOR)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_run_downwards(path):
    floor = FLOOR[wing(path)]
    for name in own_imports(path) if floor != ROOF else ():
        if name == "rnnlm":
            assert wing(path) == "cli", f"{path.name} imports from the roof"  # the version
        else:
            other = name.split(".")[1]
            assert other == wing(path) or FLOOR[other] < floor, f"{path.name} imports {name}"


def test_no_circle_of_imports():
    graph = {module(path): set(own_imports(path)) - {"rnnlm"} for path in FILES if FLOOR[wing(path)] != ROOF}
    done = set()
    while ready := {name for name, others in graph.items() if name not in done and others <= done | {name}}:
        done |= ready
    assert not graph.keys() - done


def test_layers_see_arrays_only():
    for path in (PACKAGE / "layers").rglob("*.py"):
        own = {name.split(".")[1] for name in own_imports(path)}
        assert own <= {"layers", "compute", "errors"}, path.name


def test_the_trainer_knows_no_file_and_no_screen():
    for path in (PACKAGE / "training").glob("*.py"):
        others = {name.split(".")[0] for name in imported(path)}
        assert others <= {"rnnlm", "numpy", "math", "time", "dataclasses", "contextlib", "functools", "numbers",
                          "inspect", "copy", "typing", "collections", "__future__"}, path.name
        assert {name.split(".")[1] for name in own_imports(path)} <= {"training", "compute", "errors"}, path.name


def test_a_run_knows_no_screen():
    for path in (PACKAGE / "runs").glob("*.py"):
        tree = parsed(path)
        loaded = {name.split(".")[0] for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)
                  for name in ([node.module] if isinstance(node, ast.ImportFrom) else [a.name for a in node.names])}
        assert not loaded & {"tqdm", "matplotlib", "argparse", "sys", "logging", "warnings"}, path.name
        called = {node.func.id for node in ast.walk(tree) if isinstance(node, ast.Call)
                  and isinstance(node.func, ast.Name)}
        assert not called & {"print", "input"}, path.name


def printed_by(code):
    """The words that a new Python prints, a list for each line."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return [line.split() for line in done.stdout.splitlines()]


def top_names(modules):
    return {name.split(".")[0] for name in modules}


LOOK = "import {}, sys; before = set(sys.modules)"
NEW = "print(*set(sys.modules) - before)"  # what was loaded since then


def test_importing_the_package_loads_nothing_heavy():
    (new,) = printed_by(f"{LOOK.format('numpy')}; from rnnlm import *; {NEW}")
    assert not top_names(new) & {"matplotlib", "tqdm", "argparse", "ssl", "hypothesis"}


@pytest.fixture(scope="module")
def loaded_by_commands():
    """Modules beside NumPy's at the start of ``rnnlm train``, and of evaluate, too."""
    return printed_by(f"{LOOK.format('numpy')}; import rnnlm.cli.train; {NEW}; import rnnlm.cli.evaluate; {NEW}")


def test_a_commands_help_draws_nothing_at_random(loaded_by_commands):
    """NumPy's random part is a tenth of what is loaded at the start."""
    assert "rnnlm.cli.evaluate" in loaded_by_commands[1]
    assert "numpy.random" not in loaded_by_commands[1]


def test_the_help_of_training_loads_nothing_that_scores_or_reads_files(loaded_by_commands):
    found = [name for name in loaded_by_commands[0] if name.startswith("rnnlm.")]
    assert "rnnlm.runs.options" in found
    assert sorted(name for name in found if name.split(".")[1] in ("scoring", "reports", "formats")) == [
        "rnnlm.formats", "rnnlm.formats.kept_names"]


def test_the_training_command_starts_without_matplotlib(loaded_by_commands):
    assert "matplotlib" not in top_names(loaded_by_commands[0])


def test_public_names_are_complete_and_documented():
    assert {name for name in dir(rnnlm) if not name.startswith("_")} == set(rnnlm.__all__)
    for name in rnnlm.__all__:
        assert getattr(rnnlm, name).__doc__, name
    everything = {}
    exec("from rnnlm import *", everything)
    assert everything.keys() - {"__builtins__"} == set(rnnlm.__all__)


def test_type_checkers_are_told_of_the_same_names():
    tree = parsed(PACKAGE / "__init__.py")
    told = {alias.name: node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)
            for alias in node.names if node.module.startswith("rnnlm.")}
    assert told == {name: f"rnnlm.{module}" for name, module in rnnlm._MODULE_OF.items()}
    assert told.keys() == set(rnnlm.__all__)


def test_importing_the_package_changes_nothing_in_the_process():
    look = LOOK.format("_signal")  # it is there already; signal would load more
    new, (same,) = printed_by(
        f"{look}; state = lambda: (list(map(_signal.getsignal, _signal.valid_signals())), sys.stdin, sys.stdout, "
        f"sys.stderr); first = state(); import rnnlm; {NEW}; from rnnlm import *; import rnnlm.cli.main; "
        "import rnnlm.cli.train; print(state() == first)")
    assert top_names(new) == {"rnnlm"}
    assert same == "True"


def test_a_module_is_an_attribute_and_an_unknown_name_is_none():
    assert rnnlm.text.numbered_cache.__name__ == "rnnlm.text.numbered_cache"
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
        assert ast.get_docstring(parsed(path)), path


def test_only_the_tokenizer_knows_which_level_a_text_has():
    for path in FILES:
        text = path.read_text(encoding="utf-8")
        if path.name != "curves.py" and path.parent.name != "runs":  # they are told one
            assert not re.search(r"\.level *[!=]=|\blevel *[!=]= [\"']|\w\.level\]", text), path


def test_datasets_is_no_package():
    assert not list((PACKAGE.parent / "datasets").rglob("__init__.py"))


def test_the_scoring_wing_says_what_each_of_its_files_is():
    named = re.findall(r"^    (\w+) {2,}\S", (PACKAGE / "scoring/__init__.py").read_text(encoding="utf-8"), re.M)
    assert sorted(named) == sorted(path.stem for path in (PACKAGE / "scoring").glob("*.py") if path.stem != "__init__")


@pytest.mark.parametrize(("library", "path"), [("cupy", "compute/cuda.py"), ("mpi4py", "compute/processes.py")])
def test_one_file_names_a_library_of_other_machines(library, path):
    naming = [str(file.relative_to(PACKAGE)) for file in FILES if library in set(map(_top, imported(file)))]
    assert naming == [path]


def _top(name):
    return name.split(".")[0]
