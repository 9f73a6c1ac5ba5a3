"""The commands that score every kept model of a run: --kept."""

import csv
import hashlib
import io
import json
import math
import shutil

import numpy as np
import pytest
from independent_scores import expected_rows

from rnnlm.cli.pairs import main as pairs
from rnnlm.cli.score import main as score
from rnnlm.formats.kept_names import kept_name
from rnnlm.formats.model_file import save_model
from rnnlm.models import LanguageModel
from rnnlm.text.vocabulary import Vocabulary

WORDS = ["<eos>", "<unk>", "the", "cat", "sat", "#1"]
TEXT = "the cat sat\nthe dög #1 sat\n\n<unk> cat\n"
TOKENS = {100: 112, 2000: 2016, 50_000: 50_008}  # by the mark
PAIRS = [("one", "the cat sat", "cat the sat"), ("one", "the #1 sat", "the the sat"), ("two", "sat", "cat"),
         ("two", "the zebra", "the cat")]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The current folder: a run with three kept models and no other, texts, pairs."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "run/kept").mkdir(parents=True)
    for mark, tokens in TOKENS.items():
        save(tmp_path / "run/kept" / kept_name(mark), tokens)
    (tmp_path / "t.txt").write_text(TEXT, encoding="utf-8")
    (tmp_path / "u.txt").write_text("the cat\n")
    (tmp_path / "pairs.jsonl").write_text("".join(
        json.dumps({"sentence_good": good, "sentence_bad": bad, "UID": uid, "linguistics_term": f"term {uid}"}) + "\n"
        for uid, good, bad in PAIRS))
    return tmp_path


def save(path, seed, words=WORDS, level="word"):
    model, rng = LanguageModel(len(words), 4, 5, rng=np.random.default_rng(0)), np.random.default_rng(seed)
    for param in model.params:
        param += 0.6 * rng.standard_normal(param.shape).astype(np.float32)
    save_model(path, model, Vocabulary(words, level, range(7, 7 + len(words))), {"tokens": seed, "epoch": 1})


@pytest.fixture
def said(folder, capsys):
    """A function that runs a command on the run; it returns the head and the rows."""
    def run(command, *arguments):
        assert command(["run", *arguments, "--kept"]) == 0
        out = capsys.readouterr().out.splitlines()
        head = [line for line in out if line.startswith("# ")]
        return head, list(csv.DictReader(out[len(head):], delimiter="\t"))

    return run


def path_of(mark):
    return f"run/kept/{kept_name(mark)}"


def totals(mark, text):
    """(the sum of log2 p, the perplexity) of a text, from the arrays alone."""
    surprisals = [row["surprisal"] for row in expected_rows(path_of(mark), text, "stream", 2)]
    return -sum(surprisals), 2 ** (sum(surprisals) / len(surprisals))


def test_there_is_a_row_for_each_model_and_its_numbers_are_those_of_the_arrays(said, folder):
    head, rows = said(score, "t.txt")
    assert [int(row["tokens"]) for row in rows] == list(TOKENS.values())
    for mark, row in zip(TOKENS, rows, strict=True):
        log_prob, perplexity = totals(mark, TEXT)
        assert float(row["log_prob"]) == pytest.approx(log_prob, abs=1e-4)
        assert float(row["perplexity"]) == pytest.approx(perplexity, rel=1e-5)
        assert (row["sentences"], row["words"], row["unknown"], row["bits_per_byte"]) == ("4", "9", "1", "NA")
        assert row["sha256"] == hashlib.sha256((folder / path_of(mark)).read_bytes()).hexdigest()
    assert len({row["perplexity"] for row in rows}) == 3
    assert head[1:3] == ["# model: run", "# sha256: of each kept model, in its row"]
    assert head[-2] == "# tokens: training text read (words and line ends, epochs added up)"


def test_a_row_is_what_the_file_of_the_model_gives(said, capsys):
    for options in (["--by", "text"], ["--by", "sentence", "--protocol", "sentence"], ["--by", "word", "--top", "1"],
                    ["--by", "word", "--columns", "word,surprisal", "--log-base", "e"]):
        columns = options[:2] + (["--columns", "tokens,word,surprisal", *options[4:]] if "--columns" in options
                                 else options[2:])
        _, rows = said(score, "t.txt", "u.txt", *columns)
        expected = []
        for mark, tokens in TOKENS.items():
            assert score([path_of(mark), "t.txt", "u.txt", *options, "--format", "csv", "--no-header"]) == 0
            table = csv.DictReader(io.StringIO(capsys.readouterr().out))
            expected += [{"tokens": str(tokens), **row} for row in table]
        assert [{name: row[name] for name in row if name != "sha256"} for row in rows] == expected
        assert ("sha256" in rows[0]) == ("text" in options)


def test_unknown_words_are_counted_once(folder, capsys):
    score(["run", "t.txt", "--kept"])
    err = capsys.readouterr().err
    assert err.count("note: 1 of 9 words is not in the vocabulary and is scored as <unk>: dög") == 1
    assert err.count("note") == 1


def test_the_other_formats_with_columns_have_the_same_rows(said, capsys):
    _, rows = said(score, "t.txt")
    for form in ("csv", "json"):
        assert score(["run", "t.txt", "--kept", "--format", form, "--no-header"]) == 0
        out = capsys.readouterr().out
        found = csv.DictReader(io.StringIO(out)) if form == "csv" else map(json.loads, out.splitlines())
        assert [str(row["tokens"]) for row in found] == [row["tokens"] for row in rows]


@pytest.fixture
def curves(monkeypatch):
    """What is drawn: a list of the arguments."""
    import rnnlm.reports.learning_chart

    calls = []
    monkeypatch.setattr(rnnlm.reports.learning_chart, "save_figure", lambda path, figure: calls.append((path, figure)))
    return calls


def test_texts_are_lines_of_their_mean_surprisal(said, curves):
    said(score, "t.txt", "u.txt", "--chart", "c.png")
    ((path, figure),) = curves
    axes = figure.axes[0]
    assert path == "c.png"
    for line, name, text in zip(axes.get_lines(), ("t.txt", "u.txt"), (TEXT, "the cat\n"), strict=True):
        assert line.get_label().startswith(f"{name}: ")
        assert line.get_xdata().tolist() == list(TOKENS.values())
        assert line.get_ydata() == pytest.approx([math.log2(totals(mark, text)[1]) for mark in TOKENS], rel=1e-5)
    assert axes.get_xlabel() == "training text read (words and line ends, epochs added up)"
    assert axes.get_ylabel() == "mean surprisal (bits per word or line end)"
    said(score, "u.txt", "--chart", "c.png", "--log-base", "e", "--columns", "tokens")
    (line,) = curves[1][1].axes[0].get_lines()
    assert line.get_ydata() == pytest.approx([math.log(totals(mark, "the cat\n")[1]) for mark in TOKENS], rel=1e-5)
    assert curves[1][1].axes[0].get_ylabel() == "mean surprisal (nats per word or line end)"


def sentence_log_prob(mark, sentence):
    return sum(-row["surprisal"] for row in expected_rows(path_of(mark), f"{sentence}\n", "sentence", 2))


def right(mark):
    """Which of PAIRS a kept model gets right, from its arrays alone."""
    return [sentence_log_prob(mark, good) > sentence_log_prob(mark, bad) for _, good, bad in PAIRS]


def test_pairs_have_a_row_for_each_model(said, folder):
    head, rows = said(pairs, "pairs.jsonl")
    assert [int(row["tokens"]) for row in rows] == list(TOKENS.values())
    for mark, row in zip(TOKENS, rows, strict=True):
        found = right(mark)
        assert row["accuracy"] == f"{sum(found) / 4:.3f}"
        assert row["accuracy_known"] == f"{(sum(found[:2]) / 2 + found[2]) / 2:.3f}"  # the mean over UIDs
        assert (row["pairs"], row["with_unknown"], row["pairs_known"], row["ties"]) == ("4", "1", "3", "0")
        assert row["sha256"] == hashlib.sha256((folder / path_of(mark)).read_bytes()).hexdigest()
    assert len({row["accuracy"] for row in rows}) > 1
    assert "# sha256: of each kept model, in its row" in head
    assert head[-1] == "# tokens: training text read (words and line ends, epochs added up)"


def test_pairs_in_json_have_every_number_of_every_model(folder, capsys):
    assert pairs(["run", "pairs.jsonl", "--kept", "--json", "--ties", "half", "--without-end"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert [model["tokens"] for model in printed["kept"]] == list(TOKENS.values())
    for mark, model in zip(TOKENS, printed["kept"], strict=True):
        assert pairs([path_of(mark), "pairs.jsonl", "--json", "--ties", "half", "--without-end"]) == 0
        alone = json.loads(capsys.readouterr().out)
        assert model.pop("sha256") == alone["about"]["sha256"]
        assert model.pop("tokens") == TOKENS[mark]
        assert model == {name: alone[name] for name in model}
        assert set(alone) - set(model) == {"about", "published", "training_tokens", "items"}
    assert printed["about"]["ties"] == "half"


def test_a_terminal_gets_aligned_columns_without_digests(folder, capsys, monkeypatch):
    monkeypatch.setattr("rnnlm.cli.pairs.is_terminal", lambda stream: True)
    assert pairs(["run", "pairs.jsonl", "--kept"]) == 0
    table = [line for line in capsys.readouterr().out.splitlines() if not line.startswith("#")]
    assert len({len(line) for line in table}) == 1
    assert "sha256" not in table[0]
    assert len(table) == 4


def test_phenomena_are_lines_with_their_mean(said, curves):
    said(pairs, "pairs.jsonl", "--chart", "c.png")
    ((path, figure),) = curves
    lines = {line.get_label().split(":")[0]: line.get_ydata() for line in figure.axes[0].get_lines()}
    found = [right(mark) for mark in TOKENS]
    assert path == "c.png"
    assert list(lines.pop("mean")) == [sum(each) / 4 for each in found]
    assert list(lines.pop("term one")) == [sum(each[:2]) / 2 for each in found]
    assert list(lines.pop("term two")) == [sum(each[2:]) / 2 for each in found]
    assert list(lines) == ["chance"]
    assert figure.axes[0].get_title() == "minimal pairs, run"
    said(pairs, "pairs.jsonl", "--chart", "c.png", "--lowercase")
    assert curves[1][1].axes[0].get_title() == "minimal pairs, run, lowercase"
    assert figure.axes[0].get_ylabel() == "share of pairs in which the good sentence is more probable"


def test_a_model_of_characters_says_so_on_its_axis(folder, curves, capsys):
    shutil.rmtree("run/kept")
    (folder / "run/kept").mkdir()
    save(folder / path_of(7), 9, ["<eos>", *"the ca"], "char")
    assert score(["run", "u.txt", "--kept", "--chart", "c.png"]) == 0
    axes = curves[0][1].axes[0]
    assert axes.get_xlabel() == "training text read (characters and line ends, epochs added up)"
    assert axes.get_ylabel() == "mean surprisal (bits per character or line end)"


def test_a_chart_is_a_png_file(folder):
    for command, text in ((score, "t.txt"), (pairs, "pairs.jsonl")):
        assert command(["run", text, "--kept", "--chart", "c.png"]) == 0  # the second replaces the first
        assert (folder / "c.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("command", [score, pairs])
@pytest.mark.parametrize(("harm", "message"), [
    ("cut", "its end is missing, or it is of another format; move it out of the folder to use the others"),
    ("flipped", "tokens-000000050000.npz is not a whole rnnlm model file: Bad CRC-32 for file 'rnn1/Wh.npy'; move it "
                "out of the folder to use the others"),
    ("untold", "must say after how many tokens the model was kept, got None: move it out of the folder to"),
    ("none", "run holds no kept models: train with --keep-every or --keep-at to keep some")])
def test_models_that_are_damaged_or_not_there_are_one_line(folder, capsys, command, harm, message):
    path = folder / path_of(2000)
    if harm == "cut":
        path.write_bytes(path.read_bytes()[:900])
    elif harm == "flipped":
        path = folder / path_of(50_000)
        save_model(path, LanguageModel(len(WORDS), 4, 200, rng=np.random.default_rng(0)), Vocabulary(WORDS),
                   {"tokens": 50_008})
        data = bytearray(path.read_bytes())
        data[data.index(b"rnn1/Wh.npy") + 100_000] ^= 1  # far behind what is read first
        path.write_bytes(data)
    elif harm == "untold":
        model = LanguageModel(len(WORDS), 4, 5, rng=np.random.default_rng(0))
        save_model(path, model, Vocabulary(WORDS))
    else:
        shutil.rmtree("run/kept")
    assert command(["run", "t.txt" if command is score else "pairs.jsonl", "--kept", "--chart", "c.png"]) == 1
    out, err = capsys.readouterr()
    assert message in err
    assert err.count("\n") == 1
    assert (out == "") == (harm != "flipped" or command is pairs)  # rows of the models before it are printed
    assert not (folder / "c.png").exists()


@pytest.mark.parametrize(("command", "arguments", "message"), [
    (score, ["run", "-", "--kept"], "standard input (-) can be read only once, and --kept reads the text for each"),
    (pairs, ["run", "-", "--kept"], "standard input (-) can be read only once, and --kept reads the text for each"),
    (score, ["run/kept/tokens-000000000100.npz", "t.txt", "--kept"], "tokens-000000000100.npz is none: give the run f"),
    (score, ["run", "t.txt", "--kept", "--by", "word", "--states", "s.npz"], "--states is of one model: leave it out"),
    (score, ["run", "t.txt", "--kept", "--by", "word", "--truth", "t.tsv"], "--truth is of one model: leave it out"),
    (score, ["run", "t.txt", "--kept", "--states", "s.npz"], "--states is of words"),
    (score, ["run", "t.txt", "--kept", "--format", "hale-csv"], "must be one of"),
    (score, ["run", "t.txt", "--kept", "--format", "srilm"], "has a layout of its own: leave --kept out"),
    (score, ["run", "t.txt", "--chart", "c.png"], "--chart draws learning curves of whole texts: give it with --kept"),
    (score, ["run", "t.txt", "--kept", "--by", "word", "--chart", "c.png"], "--chart draws learning curves of whole"),
    (score, ["run", "t.txt", "--kept", "--chart", "t.txt"], "t.txt exists and is not a PNG picture"),
    (score, ["run", "none.txt", "--kept"], "none.txt could not be read"),
    (pairs, ["run", "none.tsv", "--kept"], "none.tsv could not be read"),
    (score, ["run/kept/tokens-000000000100.npz", "t.txt", "--columns", "tokens"], "there is no column 'tokens'")])
def test_what_cannot_be_is_one_line(folder, capsys, command, arguments, message):
    try:
        assert command(arguments) == 1
    except SystemExit as left:
        assert left.code == 2
    out, err = capsys.readouterr()
    assert message in err
    assert (out, err.count("\n")) == ("", 1)
    assert not (folder / "s.npz").exists()
