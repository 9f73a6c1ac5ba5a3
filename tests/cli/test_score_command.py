"""The command that prints a table of scores."""

import bz2
import csv
import gzip
import hashlib
import io
import json
import math
import os
import signal
import subprocess
import sys
import threading

import numpy as np
import pytest
from independent_scores import expected_rows

import rnnlm
from rnnlm.cli.score import main
from rnnlm.formats.model_file import save_model
from rnnlm.models import LanguageModel
from rnnlm.text.vocabulary import Vocabulary

WORDS = ["<eos>", "<unk>", "the", "cat", "sat", "#1"]
TEXT = "the cat sat\nthe dög #1 sat\n\n<unk> cat\n"
HEAD = 6  # lines


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The current folder, with a model, m.npz, and a text, t.txt."""
    save(tmp_path / "m.npz")
    (tmp_path / "t.txt").write_text(TEXT, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def save(path, words=WORDS, level="word"):
    model = LanguageModel(len(words), 4, 5, layers=2, rng=np.random.default_rng(0))
    for param in model.params:
        param += 0.4 * np.random.default_rng(1).standard_normal(param.shape).astype(np.float32)
    save_model(path, model, Vocabulary(words, level, range(7, 7 + len(words))))


@pytest.fixture
def score(folder, capsys):
    """A function that runs the command, and returns its standard output."""
    def run(*arguments, code=0):
        assert main(["m.npz", *arguments]) == code
        out, err = capsys.readouterr()
        return err if code else out

    return run


def table(out):
    """(the head, a dict for each row) of a table with tabs."""
    lines = out.split("\n")
    head = next(i for i, line in enumerate(lines) if not line.startswith("# "))
    names = lines[head].split("\t")
    assert lines.pop() == ""
    return lines[:head], [dict(zip(names, line.split("\t"), strict=True)) for line in lines[head + 1 :]]


def number(cell):
    return math.nan if cell == "NA" else float(cell)


@pytest.mark.parametrize("protocol", ["stream", "document", "sentence"])
@pytest.mark.parametrize("base", ["e", "2", "10"])
def test_the_printed_numbers_are_those_from_the_arrays_alone(score, protocol, base):
    _, rows = table(score("t.txt", "--protocol", protocol, "--log-base", base, "--top", "2"))
    expected = expected_rows("m.npz", TEXT, protocol, {"e": math.e, "2": 2, "10": 10}[base])
    assert [row["word"] for row in rows] == "the cat sat <eos> the dög #1 sat <eos> <eos> <unk> cat <eos>".split()
    for row, wanted in zip(rows, expected, strict=True):
        for name in ("log_prob", "surprisal", "entropy", "entropy_reduction"):
            assert number(row[name]) == pytest.approx(wanted[name], abs=1e-5, nan_ok=True)
        assert (int(row["sentence"]), int(row["position"])) == (wanted["sentence"], wanted["position"])
        assert row["known"] == str(int(wanted["known"]))
        assert row["frequency"] == ("NA" if wanted["frequency"] < 0 else str(wanted["frequency"]))
        assert row["rank"] == ("NA" if wanted["p"] is None else row["rank"])
        if wanted["p"] is not None:
            assert wanted["ranks"][0] <= int(row["rank"]) <= wanted["ranks"][1]
            assert number(row["p1"]) == pytest.approx(max(wanted["p"]), rel=1e-5)
            assert WORDS.index(row["top1"]) == np.argmax(wanted["p"])


def test_the_head_says_what_must_be_known(score, folder):
    lines, _ = table(score("t.txt", "--protocol", "sentence", "--log-base", "10"))
    assert lines == [
        f"# rnnlm: {rnnlm.__version__}", "# model: m.npz",
        f"# sha256: {hashlib.sha256((folder / 'm.npz').read_bytes()).hexdigest()}",
        "# protocol: sentence: the state is forgotten at each line end", "# base: 10",
        "# first_word: scored, after <eos> and from a state of zeros"]
    os.mkdir("run")
    os.rename("m.npz", "run/model.npz")
    assert main(["run", "t.txt", "--format", "json"]) == 0


def test_a_row_for_each_sentence_and_for_the_text(score):
    _, rows = table(score("t.txt", "--by", "sentence", "--log-base", "e"))
    model = rnnlm.load("m.npz")
    assert [row["words"] for row in rows] == ["3", "4", "0", "2"]
    assert [row["unknown"] for row in rows] == ["0", "1", "0", "0"]
    assert sum(number(row["log_prob"]) for row in rows) == pytest.approx(model.evaluate(TEXT).log_prob, abs=1e-4)
    assert [row["bits_per_byte"] == "NA" for row in rows] == [False, True, False, False]
    of_bases = [table(score("t.txt", "--by", "sentence", "--log-base", base))[1] for base in ("2", "e", "10")]
    for by_base in zip(*of_bases, strict=True):  # bits are bits, whatever the base of log_prob
        assert len({(row["bits_per_byte"], row["perplexity"]) for row in by_base}) == 1
    first = of_bases[0][0]
    assert number(first["bits_per_byte"]) == pytest.approx(-number(first["log_prob"]) / len("the cat sat\n"), abs=1e-6)
    head, (row,) = table(score("t.txt", "--by", "text", "--log-base", "e"))
    assert head[-1] == "# unknown: no bits per byte (NA); --charge-unknown counts their spelling"
    assert row["bits_per_byte"] == "NA"
    head, (charged,) = table(score("t.txt", "--by", "text", "--charge-unknown"))
    assert head[-1] == "# unknown: bits per byte count their spelling" and charged["bits_per_byte"] != "NA"
    assert not any("unknown" in line for line in table(score("t.txt", "--by", "text", "--columns", "words"))[0])
    assert number(row["perplexity"]) == pytest.approx(model.perplexity(TEXT), rel=1e-5)


def test_several_texts_are_in_a_column_and_begin_afresh(score, folder):
    (folder / "a\tb\n.txt").write_text("the cat\n")
    _, rows = table(score("t.txt", "a\tb\n.txt", "t.txt"))
    assert [row["file"] for row in rows] == ["t.txt"] * 13 + ["a\\tb\\n.txt"] * 3 + ["t.txt"] * 13
    assert rows[:13] == rows[16:]
    _, rows = table(score("t.txt", "t.txt", "--by", "text"))
    assert [row["file"] for row in rows] == ["t.txt", "t.txt"]
    _, (row, *_) = table(score("t.txt", "--columns", "word,file"))
    assert row == {"word": "the", "file": "t.txt"}


@pytest.mark.parametrize("form", ["csv", "json"])
def test_other_formats_have_the_same_cells(score, form):
    arguments = ["t.txt", "--top", "1", "--spill-over", "1"]
    _, rows = table(score(*arguments))
    out = score(*arguments, "--format", form)
    if form == "csv":
        assert list(csv.DictReader(io.StringIO(out.split("\n", HEAD)[HEAD]))) == rows
        return
    head, *lines = map(json.loads, out.splitlines())
    assert (head["head"]["base"], head["head"]["model"]) == ("2", "m.npz")
    for line, row in zip(lines, rows, strict=True):
        assert line.keys() == row.keys()
        for name, cell in row.items():
            value = line[name]
            assert cell == "NA" if value is None else value == cell if isinstance(value, str) else value == float(cell)


def test_columns_are_those_that_are_named(score):
    _, rows = table(score("t.txt", "--columns", "word, length,surprisal,surprisal_2,word_1", "--spill-over", "2"))
    assert list(rows[0]) == ["word", "length", "surprisal", "surprisal_2", "word_1"]
    assert [row["surprisal_2"] for row in rows[2:4]] == [row["surprisal"] for row in rows[:2]]
    assert [row["word_1"] for row in rows[:6]] == ["NA", "the", "cat", "sat", "NA", "the"]
    assert [row["length"] for row in rows[4:9]] == ["3", "3", "2", "3", "NA"]


def noted(capsys, *arguments):
    assert main([*arguments]) == 0
    return capsys.readouterr().err


@pytest.mark.parametrize("by", ["word", "piece", "sentence", "text"])
def test_unknown_words_of_all_texts_are_counted_and_shown(folder, capsys, by):
    save(folder / "closed.npz", ["<eos>", "the", "cat", "sat"])
    (folder / "u.txt").write_text("dög the\x1b[2J\n")
    (folder / "one.txt").write_text("the dog")
    texts = ["t.txt", "u.txt", "--by", by]
    assert noted(capsys, "m.npz", *texts) == (
        "note: 3 of 11 words are not in the vocabulary and are scored as <unk>: dög, the\\x1b[2J; write the text as "
        "the training text was (case, punctuation), or leave them out of an analysis\n")
    assert noted(capsys, "closed.npz", *texts).startswith(
        "note: 5 of 11 words are not in the vocabulary and have no probability: dög, #1, <unk>, the\\x1b[2J; ")
    assert noted(capsys, "closed.npz", "one.txt", "--by", by).startswith(
        "note: 1 of 2 words is not in the vocabulary and has no probability: dog; write the text as the training text "
        "was (case, punctuation), or leave it out")


def test_of_many_unknown_words_the_first_ten_are_shown_and_of_none_nothing_is_said(folder, capsys, monkeypatch):
    monkeypatch.setattr("rnnlm.text.spelled.BLOCK", 40)  # bytes: many parts
    (folder / "t.txt").write_text("a b c d e f g h i j\n" * 20)
    assert "note: 200 of 200 words are not in" in (line := noted(capsys, "m.npz", "t.txt"))
    assert ": a, b, c, d, e, f, g, h, i, j; " in line
    (folder / "t.txt").write_text("a b c d e f g h i j k\n" * 20)
    assert ": a, b, c, d, e, f, g, h, i, j, ...; " in noted(capsys, "m.npz", "t.txt")
    (folder / "t.txt").write_text("the cat\n")
    assert noted(capsys, "m.npz", "t.txt") == ""


def test_of_a_model_of_characters_unknown_characters_are_counted(folder, capsys):
    save(folder / "c.npz", ["<eos>", *" acehst"], "char")
    assert noted(capsys, "c.npz", "t.txt").startswith(
        "note: 10 of 34 characters are not in the vocabulary and have no probability: d, ö, g, #, 1, <, u, n, k, >; ")


@pytest.mark.parametrize("form", ["tsv", "csv", "json"])
def test_without_its_head_a_table_begins_with_the_names_or_the_first_row(score, form):
    whole = score("t.txt", "--format", form)
    lines = whole.splitlines(keepends=True)
    assert score("t.txt", "--format", form, "--no-header") == "".join(lines[1 if form == "json" else HEAD :])


def test_no_more_words_are_expected_than_the_vocabulary_has(score):
    assert score("t.txt", "--top", "9") == (out := score("t.txt", "--top", "6"))
    assert out.splitlines()[HEAD].endswith("\ttop6\tp6")
    assert "there is no column 'top7'" in score("t.txt", "--top", "9", "--columns", "word,top7", code=1)
    assert score("t.txt", "--top", "9", "--format", "json", "--columns", "top6").count("\n") == 14


@pytest.mark.parametrize(("arguments", "message"), [
    (["--columns", "word,surprise"], "there is no column 'surprise': did you mean surprisal?"),
    (["--by", "text", "--columns", "word"], "there is no column 'word'"),
    (["--by", "sentence", "--top", "3"], "--top is of words: give --by word with it, not --by sentence"),
    (["--by", "text", "--spill-over", "1"], "--spill-over is of words"),
    (["--by", "text", "--states", "s.npz"], "--states is of words"),
    (["--by", "text", "--truth", "t.tsv"], "--truth is of words"),
    (["t.txt", "--truth", "t.tsv"], "--truth is of one text, got 2 texts: score each with its own"),
    (["-", "-"], "standard input (-) can be read only once"),
    (["none.txt"], "none.txt could not be read: no such file or directory"),
    (["empty.txt"], "empty.txt must hold at least one line of text, but it is empty"),
    (["bad.txt"], "bad.txt must be UTF-8: line 1"), (["eos.txt"], "eos.txt, line 1, holds the word <eos>"),
    (["cut.gz"], "cut.gz is damaged and cannot be decompressed"),
    (["--states", "none/s.npz"], "none/s.npz could not be written"), (["--states", "."], "is not a regular file"),
    (["--truth", "none.tsv"], "none.tsv could not be read")])
def test_what_cannot_be_is_one_line_and_no_table(folder, capsys, arguments, message):
    for name, data in (("empty.txt", b""), ("bad.txt", b"a\xff\n"), ("eos.txt", b"a <eos>\n"), ("t.tsv", b""),
                       ("cut.gz", gzip.compress(TEXT.encode() * 99)[:-20])):
        (folder / name).write_bytes(data)
    texts = [] if arguments[0] in ("-", "cut.gz", "empty.txt", "bad.txt", "eos.txt") else ["t.txt"]
    assert main(["m.npz", *texts, *arguments]) == 1
    out, err = capsys.readouterr()
    assert message in err
    assert (out, err.count("\n")) == ("", 1)
    assert not (folder / "s.npz").exists()


@pytest.mark.parametrize("arguments", [["--by", "words"], ["--protocol", "none"], ["--log-base", "3"],
                                       ["--format", "xml"], ["--top", "-1"], ["--spill-over", "x"], []])
def test_wrong_usage(folder, capsys, arguments):
    with pytest.raises(SystemExit) as error:
        main(["m.npz", *(["t.txt"] if arguments else []), *arguments])
    assert error.value.code == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_the_states_are_those_of_the_library(score, folder, capsys):
    for arguments in ([], ["--protocol", "sentence"]):
        assert main(["m.npz", "t.txt", "t.txt", "--states", "s.npz", *arguments]) == 0
        out, err = capsys.readouterr()
        assert err.splitlines()[-1] == "states of 26 rows, 5 numbers each (0.5 kB), are in s.npz"
        states = rnnlm.load("m.npz").states(TEXT, *arguments[1:])
        np.testing.assert_allclose(np.load("s.npz")["states"], np.concatenate([states, states]), atol=1e-5)
        assert len(table(out)[1]) == 26


def test_states_of_a_text_that_cannot_be_read_to_its_end_are_not_written(folder, monkeypatch):
    monkeypatch.setattr("rnnlm.text.spelled.BLOCK", 10)
    (folder / "t.txt").write_bytes(TEXT.encode() + b"\xff\n")
    np.savez(folder / "s.npz", states=np.zeros(3))
    before = (folder / "s.npz").read_bytes()
    assert main(["m.npz", "t.txt", "--states", "s.npz"]) == 1
    assert (folder / "s.npz").read_bytes() == before
    assert sorted(os.listdir()) == ["m.npz", "s.npz", "t.txt"]


def test_states_replace_earlier_states_and_no_other_file(score, folder):
    np.savez(folder / "two.npz", states=np.zeros(3), mine=np.ones(2))
    (folder / "link.npz").symlink_to("m.npz")
    (folder / "cut.npz").write_bytes(b"PK\3\4" + bytes(40))
    (folder / "empty").write_bytes(b"")
    for name in ("m.npz", "t.txt", "two.npz", "link.npz", "cut.npz", "empty"):
        before = (folder / name).read_bytes()
        assert f"{name} exists and is not an earlier file of states, so it is not replaced" in score(
            "t.txt", "--states", name, code=1)
        assert (folder / name).read_bytes() == before
    assert "- is not the name of a file to write" in score("t.txt", "--states", "-", code=1)
    for _ in range(2):
        score("t.txt", "--states", "s.npz")
    assert len(np.load("s.npz")["states"]) == 13


def test_the_model_beside_the_truth(score, folder, capsys):
    """Of two models, one is the truth of the other."""
    save(folder / "true.npz", [*WORDS[:5], "dög"])
    assert main(["true.npz", "t.txt", "--log-base", "e"]) == 0
    out = capsys.readouterr().out
    (folder / "true.tsv").write_text(out, encoding="utf-8")
    true = table(out)[1]
    assert main(["m.npz", "t.txt", "--truth", "true.tsv", "--log-base", "10"]) == 0
    out, err = capsys.readouterr()
    rows = table(out)[1]
    for row, other in zip(rows, true, strict=True):
        assert number(row["true_surprisal"]) == pytest.approx(number(other["surprisal"]) / math.log(10), abs=1e-5)
        for name in ("entropy", "entropy_reduction"):
            assert number(row[f"true_{name}"]) == pytest.approx(number(other[name]) / math.log(10), abs=1e-5,
                                                                nan_ok=True)
        excess = number(row["surprisal"]) - number(row["true_surprisal"])
        assert number(row["excess"]) == pytest.approx(excess, abs=1e-5)
    mean = np.mean([number(row["excess"]) for row in rows])
    line = err.splitlines()[-1]
    assert line.startswith("mean excess surprisal ")
    assert float(line.split()[3]) == pytest.approx(mean, abs=1e-5)
    assert "(base 10) over 13 words and line ends: model " in line
    assert main(["m.npz", "t.txt", "--truth", "true.tsv", "--by", "piece", "--columns", "word"]) == 0


def test_a_table_of_characters_is_the_truth_of_a_text_with_tabs(folder, capsys):
    save(folder / "c.npz", ["<eos>", *" \tacehst\\"], "char")
    (folder / "t.txt").write_text("the\tcat \\that\n")
    assert main(["c.npz", "t.txt", "--by", "piece"]) == 0
    (folder / "true.tsv").write_text(capsys.readouterr().out)
    assert main(["c.npz", "t.txt", "--by", "piece", "--truth", "true.tsv"]) == 0
    assert {row["excess"] for row in table(capsys.readouterr().out)[1]} <= {"0.000000", "-0.000000"}


def test_a_truth_that_is_longer_than_the_text_is_an_error(score, folder):
    (folder / "true.tsv").write_text(score("t.txt") + "5\t1\tthe" + "\t1" * 7 + "\n")
    assert "its line 21 has \"the\" where the text ends" in score("t.txt", "--truth", "true.tsv", code=1)


def test_the_truth_of_another_text_is_noticed(score, folder):
    (folder / "true.tsv").write_text("# base: 2\nword\tsurprisal\nthe\t1\ndog\t1\n")
    assert 'at word 2 its line 4 has "dog" where the text has "cat"' in score("t.txt", "--truth", "true.tsv", code=1)


def test_models_of_characters(folder, capsys):
    save(folder / "c.npz", ["<eos>", *" acehst"], "char")
    assert main(["c.npz", "t.txt"]) == 0
    out = capsys.readouterr().out
    assert "# pieces: a blank belongs to the word before it; entropy, rank and" in out
    words = [line.split("\t")[2] for line in out.split("\n")[HEAD + 2 : -1]]
    assert words == "the cat sat <eos> the dög #1 sat <eos> <eos> <unk> cat <eos>".split()
    assert main(["c.npz", "t.txt", "--by", "piece", "--columns", "word,known,frequency"]) == 0
    rows = table(capsys.readouterr().out)[1]
    assert "".join(row["word"] for row in rows).replace("<eos>", "\n") == TEXT.replace("<unk>", "<unk>")
    assert [row["frequency"] for row in rows[:4]] == ["14", "12", "11", "8"]


@pytest.mark.parametrize("data", [TEXT.encode(), gzip.compress(TEXT.encode(), mtime=0), bz2.compress(TEXT.encode()),
                                  b"\xef\xbb\xbf" + TEXT.replace("\n", "\r\n").encode(), TEXT.encode()[:-1]])
def test_a_text_is_the_same_in_whatever_form(score, folder, data):
    plain = score("t.txt")
    (folder / "t.txt").write_bytes(data)
    for arguments in ([], ["--unbuffered"]):
        rows = table(score("t.txt", *arguments))[1]
        for row, wanted in zip(rows, table(plain)[1], strict=True):
            assert list(row.values())[:4] == list(wanted.values())[:4]
            assert number(row["entropy_reduction"]) == pytest.approx(number(wanted["entropy_reduction"]), abs=3e-6,
                                                                     nan_ok=True)
            assert number(row["log_prob"]) == pytest.approx(number(wanted["log_prob"]), abs=3e-6)


def start(*arguments, **options):
    return subprocess.Popen([sys.executable, "-m", "rnnlm", "score", "m.npz", *arguments], stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, **options)


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX systems")
@pytest.mark.parametrize("arguments", [
    ["--protocol", "sentence", "--columns", "word,entropy_reduction"], ["--columns", "word,surprisal"]])
def test_unbuffered_rows_come_before_the_next_line(folder, arguments):
    """Then a signal ends the command while it waits for more."""
    with start("-", "--unbuffered", *arguments, stdin=subprocess.PIPE) as process:
        limit = threading.Timer(300, process.kill)  # else a row that does not come would be awaited for ever
        limit.daemon = True
        limit.start()
        for line, words in (("the cat\n", ["the", "cat", "<eos>"]), ("\n", ["<eos>"]), ("sat\n", ["sat", "<eos>"])):
            process.stdin.write(line.encode())
            process.stdin.flush()
            lines = [process.stdout.readline() for _ in range(len(words) + (HEAD + 1 if "the" in words else 0))]
            assert [line.split(b"\t")[0].decode() for line in lines[-len(words) :]] == words
        process.send_signal(signal.SIGTERM)
        assert process.wait(300) == 128 + signal.SIGTERM
        assert b"rnnlm score: stopped" in process.stderr.read()
        limit.cancel()


@pytest.mark.skipif(os.name != "posix", reason="pipes of POSIX systems")
def test_a_reader_that_leaves_ends_the_command_in_silence(folder):
    (folder / "t.txt").write_text(TEXT * 3000, encoding="utf-8")
    with start("t.txt", "--columns", "word") as process:
        process.stdout.readline()
        process.stdout.close()
        assert process.wait(300) == 1
        assert process.stderr.read() == b""


def test_a_terminal_is_shown_how_far_a_long_text_is(folder, on_terminal):
    (folder / "t.txt").write_text(TEXT * 28_000, encoding="utf-8")
    shown = on_terminal(["score", "m.npz", "t.txt", "--by", "sentence", "--protocol", "sentence"], folder, 100)
    assert "scoring t.txt: " in shown


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="wait4 tells kilobytes on Linux")
@pytest.mark.parametrize("line_end", ["\n", " "])
def test_memory_does_not_grow_with_the_text(folder, line_end):
    """Lines of five words, or one line of all of them."""
    peaks = []
    for lines in (10_000, 200_000):
        (folder / "t.txt").write_text(f"the cat sat #1 dog{line_end}" * lines)
        with open(os.devnull, "wb") as nowhere:
            process = subprocess.Popen([sys.executable, "-m", "rnnlm", "score", "m.npz", "t.txt", "--by", "sentence",
                                        "--protocol", "sentence", "--threads", "1"], stdout=nowhere)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        assert process.returncode == 0
        peaks.append(usage.ru_maxrss / 1000)
    assert peaks[1] < peaks[0] + 20, peaks  # MB; the words of the longer text alone would take 60


def test_what_a_terminal_obeys_is_escaped_there_and_nowhere_else(score, folder, monkeypatch):
    words, escaped = "a\x1b[2Jb \u202ec \u200be فا\u200cرسی", r"a\x1b[2Jb \u202ec \u200be فا" + "\u200cرسی"
    (folder / "t.txt").write_text(f"{words}\n", encoding="utf-8")
    arguments = ["t.txt", "--columns", "sentence,word"]
    assert [row["word"] for row in table(score(*arguments))[1]] == [*words.split(" "), "<eos>"]
    monkeypatch.setattr("rnnlm.cli.score.is_terminal", lambda stream: True)
    assert [row["word"] for row in table(score(*arguments))[1]] == [*escaped.split(" "), "<eos>"]


def test_the_number_of_threads_changes_nothing_that_is_printed(score):
    assert len({score("t.txt", "--threads", threads) for threads in "123"}) == 1
