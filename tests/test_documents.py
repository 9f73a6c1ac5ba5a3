"""The documents: their Python prints what they say, and their links lead somewhere."""

import configparser
import csv
import json
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from conftest import REPOSITORY

from rnnlm.cli.main import COMMANDS, main
from rnnlm.formats.model_file import save_model
from rnnlm.models import LanguageModel
from rnnlm.runs.options import TRAIN
from rnnlm.runs.recipes import recipes
from rnnlm.scoring.columns import columns_by_default
from rnnlm.scoring.score import BY
from rnnlm.text.vocabulary import Vocabulary

OPTION = r"--[a-z][a-z0-9-]+"
DOCUMENTS = sorted([*REPOSITORY.glob("*.md"), *REPOSITORY.glob("docs/*.md"), *REPOSITORY.glob("datasets/**/*.md")])


def python_blocks(name):
    text = (REPOSITORY / name).read_text(encoding="utf-8")
    return re.findall(r"```python\n(.*?)```(?:\n\n```\n(.*?)```)?", text, re.S)


def anchors(text):
    """The names by which links find a document's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.*)$", re.sub(r"^```.*?^```", "", text, flags=re.S | re.M), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def run(code, folder):
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def model_folder(tmp_path):
    words = ["<eos>", "the", "fox", "."]
    model = LanguageModel(len(words), 4, 5, layers=2, rng=np.random.default_rng(0))
    (tmp_path / "runs/stories").mkdir(parents=True)
    (tmp_path / "datasets").symlink_to(REPOSITORY / "datasets")
    for folder in (tmp_path, tmp_path / "runs/stories"):
        save_model(folder / "model.npz", model, Vocabulary(words))
    return tmp_path


def test_the_tests_and_programs_that_documents_name_are_there():
    """But for the log, which names them as they were."""
    named = r"(?<![\w/])((?:tests|benchmarks|scripts)/[\w/]+\.py|test_\w+\.py)"
    for path in DOCUMENTS:
        for name in re.findall(named, path.read_text(encoding="utf-8")) if path.name != "log.md" else ():
            found = (REPOSITORY / name).exists() if "/" in name else [*(REPOSITORY / "tests").rglob(name)]
            assert found, f"{path.name} names {name}"


def test_each_finding_has_its_row():
    rows = re.findall(r"^\| `(\w+\.sh)` \|", (REPOSITORY / "findings/README.md").read_text(encoding="utf-8"), re.M)
    assert sorted(rows) == sorted(path.name for path in (REPOSITORY / "findings").glob("*.sh"))


def test_the_page_on_python_runs_from_its_top_to_its_end(tmp_path):
    blocks = python_blocks("docs/from-python.md")
    assert len(blocks) > 4
    assert run("\n".join(code for code, _ in blocks), tmp_path) == "".join(shown for _, shown in blocks)


def test_the_examples_print_what_the_page_shows(tmp_path):
    blocks = python_blocks("docs/how-it-works.md")
    assert len(blocks) == 2
    for code, shown in blocks:
        assert run(code, tmp_path) == shown


def test_the_probabilities_from_the_arrays_are_those_of_the_package(model_folder):
    (code, _), = python_blocks("docs/file-formats.md")
    printed = [float(line.split()[-1]) for line in run(code, model_folder).splitlines()]
    (model_folder / "t.txt").write_text("the fox\n")
    scored = run("from rnnlm.cli.evaluate import main; main(['.', 't.txt', '--json'])", model_folder)
    assert json.loads(scored)["log_prob"] == pytest.approx(sum(printed), rel=1e-5)


@pytest.mark.parametrize("name", recipes())
def test_recipes_and_results_agree_with_the_curves_that_the_runs_left(name):
    """What a recipe and docs/results.md say of it, and the metrics in docs/runs/."""
    paths = list((REPOSITORY / "docs/runs").rglob(f"{name}.jsonl"))
    assert len(paths) == 1, f"put the metrics.jsonl of a run with the recipe into docs/runs/{name}.jsonl"
    (path,) = paths
    records = [json.loads(line) for line in path.read_text().splitlines()]
    best = min(records, key=lambda record: record["valid_loss"])
    loss = best["valid_perplexity"] if name != "char" else best["valid_loss"] / np.log(2)
    digits = {"char": 3, "quick": 2}.get(name, 1)
    says = " ".join(recipes()[name].read_text().replace("\n# ", " ").split())
    claim = r"reaches (?:a test perplexity of )?([\d.]+) .*?\(validation ([\d.]+), seed 1\) in ([\d.]+) min"
    assert re.search(claim, says), f"the recipe must say: {claim}"
    test, valid, minutes = map(float, re.search(claim, says).groups())
    assert valid == round(loss, digits)
    assert minutes == pytest.approx(records[-1]["seconds"] / 60, rel=0.05)
    row = re.search(rf"^\| `--config {name}`.*$" if name != "char" else r"^\|.*bits per character.*$",
                    (REPOSITORY / "docs/results.md").read_text(), re.M)
    assert row, f"docs/results.md has no row that begins with | `--config {name}`"
    row = row[0]
    assert f"{loss:.{digits + 1}f}" in row
    assert f"epoch {best['epoch']} of {records[-1]['epoch']}" in row
    shown = float(re.search(r"\*\*([\d.]+)\*\*", row)[1])  # itself rounded: 108.05 may be 108.0 or 108.1
    assert test == pytest.approx(shown, abs=0.5 * 10**-digits + 1e-9)


def records():
    """The rows of docs/records.md, lists of cells."""
    text = (REPOSITORY / "docs/records.md").read_text(encoding="utf-8")
    return [[cell.strip() for cell in line.strip("|").split(" | ")]
            for line in text.splitlines() if re.match(r"\| 20\d\d-", line)]


def test_records_have_the_validation_perplexity_of_their_curve():
    rows = [row for row in records() if "curve](" in row[-1]]
    assert len(rows) > 20
    for row in rows:
        path = REPOSITORY / "docs" / re.search(r"\[curve\]\((.*?)\)", row[-1])[1]
        loss = min(json.loads(line)["valid_loss"] for line in path.read_text().splitlines())
        value = loss / np.log(2) if "`char`" in row[1] else np.exp(loss)
        assert row[2] == f"{value:.{len(row[2].split('.')[1])}f}", row


def test_records_name_headings_of_the_log():
    log = (REPOSITORY / "docs/log.md").read_text(encoding="utf-8")
    named = [anchor for row in records() for anchor in re.findall(r"\(log\.md#(.*?)\)", row[-1])]
    assert len(named) > 20
    assert set(named) <= anchors(log)


def test_the_last_record_of_a_recipe_is_what_the_recipe_reaches():
    last = {name: row[3] for row in records() for name in re.findall(r"`([a-z-]+)`", row[1])}
    assert len(last) >= 8
    for name, perplexity in last.items():
        says = recipes()[name].read_text(encoding="utf-8")
        reached = float(re.search(r"reaches (?:a test perplexity of )?([\d.]+)", says)[1])
        assert abs(float(perplexity.strip("*")) - reached) <= (0.0005 if name == "char" else 0.06), name


@pytest.mark.slow
def test_the_sweep_of_the_page_runs_and_its_python(tmp_path, monkeypatch, capsys):
    """With fewer epochs on the first tokens of the text."""
    monkeypatch.chdir(tmp_path)
    page = (REPOSITORY / "docs/using-it.md").read_text(encoding="utf-8")
    section = re.search(r"^## Comparing runs\n(.*?)^## ", page, re.S | re.M)[1]
    loop, shown = re.findall(r"```\n(.*?)```", section, re.S)[:2]
    loop = loop.replace("rnnlm", f"{sys.executable} -m rnnlm").replace("--epochs 8", "--epochs 1 --max-tokens 9000")
    done = subprocess.run(["sh", "-ec", loop], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert Path("sizes.png").read_bytes().startswith(b"\x89PNG")
    table = done.stdout[done.stdout.index("run  "):].splitlines()
    assert set(re.split(r"  +", shown.splitlines()[0])) == set(re.split(r"  +", table[0])) - {"<unk>"}
    assert sorted(line.split()[0] for line in table[1:]) == sorted(line.split()[0] for line in shown.splitlines()[1:])
    (code,) = re.findall(r"```python\n(.*?)```", section, re.S)
    assert "{'hidden_size': 50}" in run(code, tmp_path)


def test_the_readmes_python_runs(model_folder):
    (code, _), = python_blocks("README.md")
    perplexity, surprisal = run(code, model_folder).split("\n", 1)
    assert float(perplexity) > 1
    assert len(surprisal.strip("[]\n ").split()) == 5


def test_the_python_of_the_page_of_scores_prints_what_it_shows(model_folder):
    codes, shown = zip(*python_blocks("docs/scores.md"), strict=True)
    assert run("\n".join(codes), model_folder) == "".join(shown)


def test_the_python_of_the_page_of_rescoring_runs(model_folder):
    (model_folder / "lists.txt").write_text("a-1 the fox\na-2 the the\nb-1 fox .\n")
    (code, _), = python_blocks("docs/rescoring.md")
    assert [line.split()[0] for line in run(code, model_folder).splitlines()] == ["a", "b"]


def test_the_commands_of_the_page_of_scores_run(model_folder, monkeypatch, capsys):
    """Those of rnnlm score; their standard output goes where the page says."""
    monkeypatch.chdir(model_folder)
    Path("other.txt").write_text("the fox .\n")
    text = (REPOSITORY / "docs/scores.md").read_text(encoding="utf-8")
    lines = re.findall(r"^rnnlm (score runs/stories .*?)(?: > \S+)?$", text, re.M)
    assert len(lines) >= 6
    for line in lines:
        words = line.split()
        Path("stimuli.txt").write_text("the fox ran .\n")
        assert main(words) == 0, line
        out, _ = capsys.readouterr()
        assert out.startswith('{"sentence": 1' if "--no-header" in words else "# rnnlm: "), line


def test_the_commands_for_fine_tuning_run(tmp_path, monkeypatch):
    """From the model that the page has made before, on a text with other words."""
    monkeypatch.chdir(tmp_path)
    Path("my_text.txt").write_text("the fox ran .\n" * 20 + "the owl saw the fox .\n" + "the fox ran .\n" * 20)
    Path("other_text.txt").write_text("the hen saw the fox .\n" * 40)
    text = (REPOSITORY / "docs/using-it.md").read_text(encoding="utf-8")
    (first,) = re.findall(r"^python scripts/train_rnnlm.py (.* --output runs/mine-words)$", text, re.M)
    lines = re.findall(r"^rnnlm train (--init-from .*)", text, re.M)
    assert len(lines) == 3
    for line, more in ((first, "--hidden-size 5"), *((line, "") for line in lines)):
        assert main(["train", *line.split(), "--epochs", "1", "--batch-size", "2", *more.split()]) == 0, line


def make_pairs():
    """Write pairs.tsv into the current folder, with the commands of the page."""
    page = (REPOSITORY / "docs/using-it.md").read_text(encoding="utf-8")
    lines = re.findall(r"^printf .* pairs.tsv$", page, re.M)
    subprocess.run(["sh", "-ec", "\n".join(lines)], check=True)


def test_the_commands_for_minimal_pairs_run(model_folder, monkeypatch, capsys):
    monkeypatch.chdir(model_folder)
    make_pairs()
    assert main("pairs runs/stories pairs.tsv --json".split()) == 0
    items = json.loads(capsys.readouterr().out)["items"]
    assert [item["bad"] for item in items] == ["her spoons borrowed she .", "fox the lived ."]


@pytest.mark.slow
def test_the_commands_and_the_python_of_learning_curves_run(tmp_path, monkeypatch, capsys):
    """With a small model, on the first tokens of the text."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "datasets").symlink_to(REPOSITORY / "datasets")
    make_pairs()
    small = "--max-tokens 21000 --hidden-size 6 --epochs 1".split()
    page = (REPOSITORY / "docs/using-it.md").read_text(encoding="utf-8")
    section = re.search(r"^## Learning curves\n(.*?)^## ", page, re.S | re.M)[1]
    lines = re.findall(r"^rnnlm (.*)$", section, re.M)
    assert [line.split()[0] for line in lines] == ["train", "score", "pairs"]
    for line in lines:
        assert main([*line.split(), *(small if line.startswith("train") else [])]) == 0, line
        out = capsys.readouterr().out
    assert [row.split("\t")[0] for row in out.splitlines()[-6:]] == ["tokens", "1400", "2100", "5600", "10500", "20300"]
    assert all(Path(name).read_bytes().startswith(b"\x89PNG") for name in ("surprisal.png", "accuracy.png"))
    (code,) = re.findall(r"```python\n(.*?)```", section, re.S)
    printed = [line.split() for line in run(code, tmp_path).splitlines()]
    assert [tokens for tokens, _ in printed] == ["1400", "2100", "5600", "10500", "20300"]
    assert float(printed[0][1]) > float(printed[-1][1]) > 1
    (name,) = re.findall(r"rnnlm generate (\S+)`", section)
    assert main(["generate", name, "--length", "3"]) == 0
    capsys.readouterr()
    monkeypatch.undo()
    assert TRAIN.by_name["keep_at"].check(re.search(r"--keep-at (1M\S+)`", section)[1])


STRANGE = ["the", '"NA"', "#", "null", "1984", "NA", '"', "fox"]


@pytest.fixture
def strange_tables(model_folder, monkeypatch, capsys):
    """The current folder, with tables that the page of scores makes."""
    monkeypatch.chdir(model_folder)
    Path("stimuli.txt").write_text("the fox\n" + " ".join(STRANGE) + "\n")
    for name, options in (("surprisal.json", "--format json --spill-over 1 --top 1"), ("surprisal.tsv", ""),
                          *((f"seed-{seed}.json", "--format json") for seed in (1, 2, 3))):
        assert main(f"score runs/stories stimuli.txt --protocol sentence --no-header {options}".split()) == 0
        Path(name).write_text(capsys.readouterr().out)
    return model_folder


def test_the_tables_of_the_page_of_scores_keep_strange_words(strange_tables):
    rows = [json.loads(line) for line in Path("surprisal.json").read_text().splitlines()]
    assert [row["word"] for row in rows] == ["the", "fox", "<eos>", *STRANGE, "<eos>"]
    assert [row["surprisal"] is None for row in rows] == [False] * 4 + [True] * 6 + [False] * 2
    with open("surprisal.tsv", newline="") as file:  # as read.delim without quotes and comments
        table = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    assert [row["word"] for row in table] == [row["word"] for row in rows]


def test_the_recipes_for_pandas_give_numbers_and_words(strange_tables):
    pytest.importorskip("pandas")
    Path("times.csv").write_text("sentence,position,item,condition,time\n1,2,a,x,250\n2,2,b,y,300\n1,2,a,x,260\n")
    text = (REPOSITORY / "docs/scores.md").read_text(encoding="utf-8")
    codes = re.findall(r"^```\n((?:import pandas|times = |tables = ).*?)^```", text, re.S | re.M)
    assert len(codes) == 3
    run("\n".join([*codes, f"""
table = pandas.read_json("surprisal.json", lines=True, dtype=False)
assert table["word"].tolist() == {["the", "fox", "<eos>", *STRANGE, "<eos>"]}
numbers = table.drop(columns=["word", "top1"])
assert all(kind.kind in "if" for kind in numbers.dtypes if kind != object), numbers.dtypes
assert table["surprisal_1"].dtype.kind == table["p1"].dtype.kind == "f"
assert table["surprisal"].isna().sum() == 6
assert data["time"].tolist() == [250, 300, 260] and data["word"].tolist() == ["fox", '"NA"', "fox"]
mean = tables[0].assign(surprisal=sum(one["surprisal"] for one in tables) / 3)
assert mean["surprisal"].round(5).equals(table["surprisal"].round(5))
"""]), strange_tables)


def test_the_page_of_scores_names_every_column():
    text = (REPOSITORY / "docs/scores.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`(\w+)`", "".join(re.findall(r"^\| .* \|$", text, re.M))))
    for by in BY:
        assert set(columns_by_default(by, files=True, kept=True)) <= named | {"sentences"}


def test_the_table_of_extras_has_them_all():
    metadata = configparser.ConfigParser()
    metadata.read(REPOSITORY / "setup.cfg", encoding="utf-8")
    page = (REPOSITORY / "docs/using-it.md").read_text(encoding="utf-8")
    (rows,) = re.findall(r"^\| extra \|.*?\n\|.*?\n(.*?)\n\n", page, re.S | re.M)
    named = [name for row in rows.splitlines() for name in re.findall(r"`([^`]+)`", row.split("|")[1])]
    assert sorted(named) == sorted(metadata["options.extras_require"])


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(path):
    text = path.read_text(encoding="utf-8")
    for target, anchor in re.findall(r"\]\(([^)#]*)#?([^)]*)\)", text):
        if "://" not in target:
            assert (path.parent / target).exists(), target
            there = (path.parent / target).read_text(encoding="utf-8") if target and anchor else text
            assert not anchor or anchor in anchors(there), f"{target}#{anchor}"


def test_the_pages_name_no_option_that_is_not_there():
    known = {name for command in COMMANDS
             for name in import_module(f"rnnlm.cli.{command}").build_parser().names}
    names = ("docs/training.md", "docs/how-it-works.md", "docs/using-it.md", "docs/scores.md", "docs/rescoring.md",
             "docs/from-python.md", "README.md")
    pages = "".join((REPOSITORY / name).read_text(encoding="utf-8") for name in names)
    assert set(re.findall(OPTION, pages)) <= known


def test_every_option_in_the_table_of_those_to_know_has_the_default_it_says():
    table = re.search(r"\| option \|.*?\n\n", (REPOSITORY / "docs/using-it.md").read_text(encoding="utf-8"), re.S)[0]
    for row in table.strip().splitlines()[2:]:
        options, defaults = row.split("|")[1:3]
        for option, default in zip(re.findall(r"--([a-z-]+)", options), defaults.split(","), strict=False):
            value = TRAIN.by_key[option].default
            if value is not None and value is not False:
                assert str(value).removesuffix(".0") == default.strip(), option
