"""CONTRIBUTING.md: what it names is there, what it promises is enough."""

import json
import os
import re
import subprocess
import sys
from importlib import import_module

import pytest
from conftest import REPOSITORY
from training_runs import SMALL, options_of

from rnnlm.cli.main import COMMANDS
from rnnlm.models import CELLS
from rnnlm.training.optimizers import OPTIMIZERS

PAGE = (REPOSITORY / "CONTRIBUTING.md").read_text(encoding="utf-8")
NAMED = set(re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", PAGE, flags=re.S)))
RECIPES = re.findall(r"^### (.*)\n((?:(?!^#).*\n?)*)", PAGE, re.M)
TRAINING = (REPOSITORY / "docs/training.md").read_text(encoding="utf-8")

ADDED = """
import sys
from rnnlm.layers import TimeLSTM
from rnnlm.models.cells import CELLS, Cell
from rnnlm.training.optimizers import OPTIMIZERS, Adam

class Slower(Adam):
    default_lr = 0.004

    def __init__(self, lr, beta1=0.8, beta2=0.95, **options):
        super().__init__(lr, beta1, beta2, **options)

class TimeMine(TimeLSTM):
    pass

OPTIMIZERS["slower"] = Slower
CELLS["mine"] = Cell(TimeMine, None, "LSTM of mine", "mine", gated=True, biases={"b": (2, 0, 0, 0)})

from training_runs import QuickPicture
from rnnlm.cli.main import main
from rnnlm.reports import curves

curves.perplexity_figure = QuickPicture
for line in sys.stdin.read().splitlines():
    assert main(line.split()) == 0, line
"""


def is_there(name):
    """Whether a path of the page, in which NAME stands for one's own, is there."""
    if "NAME" not in name:
        return (REPOSITORY / name).exists()
    return any(REPOSITORY.glob(name.replace("NAME", "*")))


def test_the_files_that_the_page_names_are_there():
    paths = {name for name in NAMED if "/" in name and " " not in name}
    assert len(paths) > 20
    assert [name for name in sorted(paths) if not is_there(name)] == []


def test_the_tests_that_the_page_names_are_there():
    defined = {name for path in (REPOSITORY / "tests").rglob("test_*.py")
               for name in re.findall(r"^def (test_\w+)", path.read_text(encoding="utf-8"), re.M)}
    named = {name for name in NAMED if re.fullmatch(r"test_\w+", name)}
    assert len(named) >= 12
    assert named <= defined


def test_each_recipe_of_the_page_has_at_most_four_files_and_a_test():
    assert [title for title, _ in RECIPES] == ["A cell", "An update rule", "An option", "A command",
                                               "A format of scores", "A target of export", "A corpus", "A recipe"]
    for title, text in RECIPES:
        steps = re.findall(r"^\d\. (?:.*)$", text, re.M)
        assert 1 < len(steps) <= 4, title
        assert "`test_" in text, title


def test_rows_that_are_added_are_all_that_a_run_needs(small_corpus, tmp_path):
    """A rule and a cell in the tables: help, training, resuming, scoring, writing."""
    where = ["--corpus", str(small_corpus), "--output", "run", *SMALL]
    del where[where.index("--lr") : where.index("--lr") + 2]
    lines = [["train", *where, "--optimizer", "slower", "--cell", "mine", "--epochs", "1"],
             ["train", "--resume", "--output", "run", "--epochs", "2"],
             ["train", "--config", "run", "--output", "again"],
             ["evaluate", "run", str(small_corpus / "test.txt"), "--json"], ["generate", "run", "--length", "3"]]
    done = subprocess.run([sys.executable, "-W", "error", "-c", ADDED], cwd=tmp_path, capture_output=True, text=True,
                          input="\n".join(map(" ".join, lines)),
                          env=os.environ | {"PYTHONPATH": str(REPOSITORY / "tests")})
    assert done.returncode == 0, done.stderr
    for run in ("run", "again"):
        options = options_of(tmp_path / run)
        assert (options["lr"], options["beta1"], options["beta2"]) == (0.004, 0.8, 0.95)  # its own, not those of Adam
        assert options["cell"] == "mine"
    assert "model: LSTM of mine of 12" in done.stdout
    (score,) = (json.loads(line) for line in done.stdout.splitlines() if line.startswith("{"))
    assert 1 < score["perplexity"] < 16


@pytest.mark.parametrize("rule", OPTIMIZERS)
def test_an_update_rule_has_its_row_on_the_page_of_training(rule):
    assert re.search(rf"^\| `{rule}`.*`.*<-.*\|$", TRAINING, re.M), (
        f"the table of update rules in docs/training.md has no row | `{rule}` | with its equation")


@pytest.mark.parametrize("cell", CELLS)
def test_a_cell_has_its_equations_on_the_page_of_training(cell):
    assert f"(`--cell {cell}`" in TRAINING or cell == "rnn", (  # whose equations are in docs/how-it-works.md
        f"docs/training.md has no section that names (`--cell {cell}`)")


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_has_its_module_its_tests_and_its_place_in_a_document(name):
    module = import_module(f"rnnlm.cli.{name}")
    assert callable(module.main), f"rnnlm/cli/{name}.py has no main(argv=None, prog=None)"
    assert module.build_parser(f"rnnlm {name}").prog == f"rnnlm {name}"
    assert is_there(f"tests/cli/test_{name}_command.py"), f"tests/cli/test_{name}_command.py is missing"
    pages = "".join((REPOSITORY / page).read_text(encoding="utf-8") for page in ("README.md", "docs/using-it.md"))
    assert f"rnnlm {name}" in pages, f"neither README.md nor docs/using-it.md shows rnnlm {name}"
