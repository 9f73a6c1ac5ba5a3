"""The course: its Python runs and prints what the pages show.

Its quotations occur in the package, its exercises can be solved, and its pictures are
made by its script.
"""

import json
import os
import re
import subprocess
import sys

import numpy as np
import pytest
from conftest import REPOSITORY

from rnnlm import TimeGRU
from rnnlm.course import check, exercises

COURSE = REPOSITORY / "docs/course"
CHAPTERS = sorted(COURSE.glob("[01][0-9]-*.md"))
PAGES = [COURSE / "README.md", *CHAPTERS, COURSE / "solutions.md"]
TRAINS = r"\btrainer\.(step|fit)\(|\boptimizer\.update\("
DIGITS = {"digits-learning.png", "digits-confusion.png"}  # made by digits.py
RUN_BLOCKS = """
import contextlib, io, json, sys
scope, printed = {"__name__": "__main__"}, []
for code in json.load(sys.stdin):
    with contextlib.redirect_stdout(io.StringIO()) as out:
        exec(compile(code, "<page>", "exec"), scope)
    printed.append(out.getvalue())
print(json.dumps(printed))
"""


def python(*args, **options):
    """Run Python with warnings as errors and one thread, so that others can run too."""
    done = subprocess.run([sys.executable, "-W", "error", *args], capture_output=True, text=True,
                          env=os.environ | {"OPENBLAS_NUM_THREADS": "1"}, **options)
    assert done.returncode == 0, done.stderr
    return done.stdout


def blocks(text):
    """The Python blocks of a page, and what stands below each as its output."""
    return re.findall(r"```python\n(.*?)```(?:\n\n```\n(.*?)```)?", text, re.S)


def read(path):
    return path.read_text(encoding="utf-8")


def each(paths):
    return pytest.mark.parametrize("path", paths, ids=lambda path: path.stem)


def tasks(path):
    """The exercises of a page: name -> the Python block under its heading."""
    return dict(re.findall(r"^### `(\w+)`\n.*?```python\n(.*?)```", read(path), re.S | re.M))


def answer(name, code):
    """The function that a block defines for an exercise."""
    scope = {"np": np}
    exec(code, scope)
    return scope[exercises()[name].split("(")[0]]


@pytest.mark.slow
@each(PAGES)
def test_the_blocks_print_what_the_page_shows(path, tmp_path):
    (tmp_path / "datasets").symlink_to(REPOSITORY / "datasets")
    code, shown = zip(*blocks(read(path)), strict=True)
    assert json.loads(python("-c", RUN_BLOCKS, cwd=tmp_path, input=json.dumps(code))) == list(shown)
    assert [entry.name for entry in tmp_path.iterdir()] == ["datasets"]  # nothing is left behind


@each(PAGES)
def test_every_fence_is_closed_and_of_a_known_kind(path):
    fences = re.findall(r"^```(.*)$", read(path), re.M)
    assert set(fences[::2]) <= {"python", "py", ""}
    assert set(fences[1::2]) == {""} and len(fences) % 2 == 0


@each(CHAPTERS)
def test_a_chapter_has_its_parts(path):
    text = read(path)
    number = int(path.stem[:2])
    assert text.startswith(f"# {number}. ")
    parts = ["**Goal:** ", "## The idea", "## The mathematics", "## The code", "## Exercises"]
    places = [text.index(f"\n{part}") for part in parts]
    assert places == sorted(places)


def test_the_contents_list_the_chapters_and_their_exercises():
    rows = re.findall(r"^\| (\d+) \| \[(.*?)\]\((.*?)\) \|.*\| (.*?) \|$", read(COURSE / "README.md"), re.M)
    assert [row[2] for row in rows] == [path.name for path in CHAPTERS]
    for (number, title, _, named), path in zip(rows, CHAPTERS, strict=True):
        assert read(path).startswith(f"# {number}. {title}\n")
        assert re.findall(r"`(\w+)`", named) == list(tasks(path))


@each(PAGES)
def test_quoted_lines_stand_in_the_file_that_was_named_last(path):
    text = read(path)
    for quotation in re.finditer(r"```py\n(.*?)```", text, re.S):
        name = re.findall(r"`(rnnlm/[\w/]+\.py)`", text[: quotation.start()])[-1]
        lines = iter(read(REPOSITORY / name).splitlines())
        for line in quotation[1].splitlines():
            assert line in lines, f"{name}: {line}"  # `in` goes on from the line before: the order is held, too


def test_the_table_of_derivations_quotes_the_package():
    package = "".join(read(REPOSITORY / "rnnlm/layers" / name) for name in ("rnn.py", "recurrent.py"))
    table = re.search(r"\| derivation \| code \|\n\|.*?\n\n", read(COURSE / "04-backpropagation-through-time.md"), re.S)
    code = re.findall(r"\| `([^`]*)` \|$", table[0], re.M)
    assert len(code) == table[0].count("\n") - 3
    for line in code:
        assert line in package


@each(PAGES)
def test_links_lead_somewhere(path):
    for target in re.findall(r"\]\(([^)#]+)", read(path)):
        assert "://" in target or (COURSE / target).exists(), target


@each(CHAPTERS)
def test_the_exercises_of_a_chapter_are_those_the_checker_sends_there(path):
    number = int(path.stem[:2])
    title = re.match(r"# \d+\. (.*)", read(path))[1]
    assert tasks(path)
    for name in tasks(path):
        assert str(check(name, lambda *args: None)).endswith(f"Read chapter {number}, {title[0].lower()}{title[1:]}.")
        assert f'check("{name}", {exercises()[name].split("(")[0]})' in read(path)


@each(CHAPTERS)
def test_the_checker_is_imported_before_it_is_called(path):
    text = read(path)
    assert 0 < text.index("from rnnlm.course import check\n") < text.index("check(")


def test_what_trains_for_seconds_does_not_leave_blas_its_threads_and_says_how_far_it_is():
    """With BLAS's threads small products takes ten times as long when cores are busy.

    A Trainer of a LanguageModel sees to that.  A loop of one's own is inside
    ``with Workers(1)``.
    """
    training = {path.stem[:2]: [block for block in blocks(read(path)) if re.search(TRAINS, block[0])]
                for path in CHAPTERS}
    assert {number for number, found in training.items() if found} == {"10", "11"}
    for code, shown in [*training["10"], *training["11"]]:
        assert ("with Workers(1):" in code) == ("optimizer.update(" in code) and shown


def test_every_exercise_is_asked_once_and_solved():
    asked = [name for path in CHAPTERS for name in tasks(path)]
    assert asked == list(exercises()) == list(tasks(COURSE / "solutions.md"))


@pytest.mark.parametrize("name", exercises())
def test_the_solution_is_right_and_what_the_reader_begins_with_is_not(name):
    verdict = check(name, answer(name, tasks(COURSE / "solutions.md")[name]))
    assert verdict.right, str(verdict)
    (skeleton,) = [tasks(path)[name] for path in CHAPTERS if name in tasks(path)]
    assert exercises()[name].split(" ->")[0] in skeleton
    assert not check(name, answer(name, skeleton)).right


def test_the_checker_names_each_of_the_six_mistakes():
    text = read(COURSE / "04-backpropagation-through-time.md")
    section = text[text.index("## Six common mistakes") : text.index("## Exercises")]
    shown = [said for _, said in blocks(section)]
    telling = ("transposed: shape", "the sign is wrong", "a missing sum over the batch", "tanh is applied twice",
               "multiplied instead of summed over time", "an update inside the time loop")
    assert len(shown) == len(telling)
    for said, words in zip(shown, telling, strict=True):
        assert words in said


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """The folder that make_pictures.py has filled."""
    folder = tmp_path_factory.mktemp("course") / "images"
    python(COURSE / "make_pictures.py", "--output", folder)
    return folder


@pytest.mark.slow
def test_the_script_makes_the_pictures_that_the_chapters_show_and_no_other(pictures):
    shown = [name for path in CHAPTERS for name in re.findall(r"!\[.+?\]\(images/(.*?)\)", read(path))]
    assert sorted({path.name for path in pictures.iterdir()} | DIGITS) == sorted(shown)
    for path in pictures.iterdir():
        assert path.read_bytes().startswith(b"\x89PNG")
    kept = {path.name for path in (COURSE / "images").iterdir()}
    assert kept == set(shown)


@pytest.mark.slow
@pytest.mark.parametrize(("page", "name", "args"), [("05-vanishing-and-exploding.md", "norms", (1.0,)),
                                                    ("09-gates.md", "arriving", (TimeGRU, 3, 3))])
def test_pictures_measure_what_the_chapter_measures(page, name, args, monkeypatch):
    monkeypatch.syspath_prepend(COURSE)
    from pictures import gradients

    scope = {"np": np}
    exec(next(code for code, _ in blocks(read(COURSE / page)) if f"def {name}(" in code), scope)
    np.testing.assert_array_equal(scope[name](*args), getattr(gradients, name)(*args))
