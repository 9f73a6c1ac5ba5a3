"""Words on a command line: values that begin with a dash, and "did you mean"."""

import argparse
import ast
import inspect
import os
import re
import subprocess
import sys
from importlib import import_module

import pytest

from rnnlm.cli import arguments
from rnnlm.cli.evaluate import build_parser as evaluate_parser
from rnnlm.cli.generate import build_parser as generate_parser
from rnnlm.cli.main import COMMANDS, main
from rnnlm.cli.score import build_parser as score_parser
from rnnlm.cli.train import build_parser as train_parser
from rnnlm.runs.options import TRAIN as TRAIN_OPTIONS

NAMES = " or ".join([", ".join(list(COMMANDS)[:-1]), list(COMMANDS)[-1]])
TRAIN, GENERATE = train_parser("rnnlm train"), generate_parser("rnnlm generate")


def wrong_usage(parser, arguments, capsys):
    """The one line that wrong usage ends with."""
    with pytest.raises(SystemExit) as caught:
        parser.parse_args(arguments)
    assert caught.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    return line


@pytest.mark.parametrize(("name", "option"), [
    ("--btt", "--time-size"), ("--seqlen", "--time-size"), ("--seq_len", "--time-size"), ("--learning_rate", "--lr"),
    ("--num-layer", "--layers"), ("--clipping", "--max-grad"), ("--embsize", "--wordvec-size"),
    ("--optim", "--optimizer"),
    ("--n-hid", "--hidden-size"), ("--hiden-size", "--hidden-size"), ("-lr", "--lr"), ("--optimiser", "--optimizer")])
def test_a_name_that_people_type_leads_to_the_option(name, option, capsys):
    assert f": did you mean {option}? (" in wrong_usage(TRAIN, [name, "3"], capsys)


@pytest.mark.parametrize("name", ["--device", "--verbose", "--top-k"])
def test_a_name_for_what_is_not_there_leads_nowhere(name, capsys):
    assert "did you mean" not in wrong_usage(TRAIN, [name, "3"], capsys)


def test_a_name_leads_only_to_an_option_that_the_command_has(capsys):
    assert "did you mean --length?" in wrong_usage(GENERATE, ["m", "--max-tokens", "3"], capsys)
    assert "did you mean" not in wrong_usage(evaluate_parser("rnnlm evaluate"), ["m", "t", "--nhid", "3"], capsys)


@pytest.mark.parametrize("parser", [TRAIN, GENERATE, evaluate_parser("rnnlm evaluate")])
def test_each_name_leads_to_one_option_and_is_none_itself(parser):
    names = [name for option in parser.table.options for name in option.meant_by.split()]
    assert len(set(names)) == len(names)
    assert not {f"--{name}" for name in names} & set(parser.names)


def test_a_key_of_a_file_leads_to_a_key():
    assert TRAIN_OPTIONS.meant("seqlen", in_a_file=True) == ": did you mean time-size?"
    assert TRAIN_OPTIONS.meant("learning_rat", in_a_file=True) == ": did you mean lr?"
    assert "config" not in TRAIN_OPTIONS.meant("recipe", in_a_file=True)


@pytest.mark.parametrize(("alias", "name"), [
    ("learning-rate", "lr"), ("num-layers", "layers"), ("bptt", "time_size"), ("seq-len", "time_size"),
    ("clip", "max_grad"), ("emb-size", "wordvec_size"), ("nhid", "hidden_size")])
def test_other_names_of_an_option_are_taken_for_it_on_the_line_and_in_a_file(alias, name):
    assert TRAIN.given([f"--{alias}", "3"]) == {name: 3}
    assert TRAIN.given([f"--{alias}=3"]) == {name: 3}
    assert TRAIN_OPTIONS.checked({alias: 3, "seed": 2}, "file") == {name: 3, "seed": 2}
    assert f"also --{alias}" in " ".join(TRAIN.format_help().split()).replace(" and --", " also --")


def test_the_beginning_of_an_option_is_not_the_option(capsys):
    assert "unrecognized arguments: --recipe lstm-small: did you mean --config?" in wrong_usage(
        TRAIN, ["--recipe", "lstm-small"], capsys)
    assert "unrecognized arguments: --hidden 3: did you mean --hidden-size?" in wrong_usage(
        TRAIN, ["--hidden", "3"], capsys)
    assert "unrecognized arguments: --pro -lrb-" in wrong_usage(GENERATE, ["m", "--pro", "-lrb-"], capsys)


def test_a_text_without_an_option_leads_to_the_corpus(tmp_path, capsys):
    path = tmp_path / "my text.txt"
    path.write_text("a b c\n")
    assert f"arguments: {path}: did you mean --corpus '{path}'? (" in wrong_usage(TRAIN, [str(path)], capsys)
    assert "did you mean" not in wrong_usage(TRAIN, [str(tmp_path / "none.txt")], capsys)


@pytest.mark.parametrize(("name", "end"), [
    ("tain", f"it must be {NAMES}: did you mean train?"), ("zzz", f"it must be {NAMES}"),
    ("a b.txt", ": did you mean rnnlm train --corpus 'a b.txt'?")])
def test_a_command_that_is_not_there(name, end, tmp_path, monkeypatch, capsys):
    (tmp_path / "a b.txt").write_text("a\n")
    monkeypatch.chdir(tmp_path)
    assert main([name]) == 2
    assert capsys.readouterr().err.endswith(f"{end}\n")


@pytest.mark.parametrize(("arguments", "prompt"), [
    (["--prompt", "-lrb-"], "-lrb-"), (["--prompt=-lrb-"], "-lrb-"),
    (["--prompt", "--"], None), (["--prompt", "-"], "-"), (["--prompt", "-- he said"], "-- he said"),
    (["--prompt", "--length 3"], "--length 3"),
    (["--prompt", "--dash"], "--dash"), (["--prompt=--length"], "--length")])
def test_a_value_may_begin_with_a_dash(arguments, prompt, capsys):
    if prompt is None:
        assert "expected one argument" in wrong_usage(GENERATE, ["m", *arguments], capsys)
    else:
        options = GENERATE.parse_args(["m", *arguments, "--length", "7"])
        assert (options.prompt, options.length) == (prompt, 7)


@pytest.mark.parametrize("value", ["--length", "--len", "--lenght", "--length=3", "-h"])
def test_a_value_that_looks_like_an_option_is_one_and_the_message_says_what_to_write(value, capsys):
    line = wrong_usage(GENERATE, ["m", "--prompt", value], capsys)
    assert "argument --prompt: expected one argument; write a value that looks like an option as --prompt=VALUE" in line


def test_numbers_and_switches_are_as_before(capsys):
    assert "argument --lr: must be a number above 0, got '-1e-3'" in wrong_usage(TRAIN, ["--lr", "-1e-3"], capsys)
    assert TRAIN.parse_args(["--tied", "--output", "-x"]).output == "-x"
    assert "unrecognized arguments: -x (" in wrong_usage(TRAIN, ["--tied", "-x"], capsys)
    assert "unrecognized arguments: --output -x (" in wrong_usage(TRAIN, ["--", "--output", "-x"], capsys)
    assert "argument --tied: takes no value, got '1'" in wrong_usage(TRAIN, ["--tied=1"], capsys)
    assert TRAIN.given(["--no-tied", "--overwrite"]) == {"tied": False, "overwrite": True}
    assert "unrecognized arguments: --no-overwrite" in wrong_usage(TRAIN, ["--no-overwrite"], capsys)


@pytest.mark.parametrize("word", ["-1", "-1e-3", "-hx", "-help", "-h=3", "--help=x", "-:", "--:x"])
def test_what_looks_like_an_option_is_none_whatever_the_version_of_python_takes_it_for(word, capsys):
    for parser, line in ((TRAIN, []), (GENERATE, ["m"]), (evaluate_parser("x"), ["m", "t"])):
        assert f"error: unrecognized arguments: {word} (" in wrong_usage(parser, [*line, word], capsys).replace(
            ": did you mean", " (")


@pytest.mark.parametrize("word", ["-1", "--", "-h", "--json", ":", "--:x", "-a b", "%(prog)s"])
def test_behind_two_dashes_every_word_is_an_argument(word):
    assert evaluate_parser("x").given(["m", "--", word, word]) == {"model": "m", "texts": [word, word]}


def test_the_first_action_ends_the_command_and_a_wrong_word_before_it_is_told(capsys):
    with pytest.raises(SystemExit) as caught:
        TRAIN.parse_args(["--lr", "1", "--recipes", "--help", "--lr"])
    assert caught.value.code == 0
    assert "quick" in (out := capsys.readouterr().out) and "usage:" not in out
    assert "argument --lr: must be" in wrong_usage(TRAIN, ["--lr", "x", "--help"], capsys)


def test_argparse_is_used_through_its_public_parts_alone():
    tree = ast.parse(inspect.getsource(arguments))
    used = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    assert {"ArgumentParser", "BooleanOptionalAction", "parse_known_intermixed_args"} <= used
    ours = {name for kind in (arguments.Parser, arguments._Instead) for name in vars(kind)}
    theirs = {*dir(argparse.ArgumentParser()), *dir(argparse.Action([], "")), *dir(argparse)}
    assert not {name for name in (used | ours) & theirs if name.startswith("_") and not name.startswith("__")}


@pytest.mark.parametrize("columns", [20, 42, 60, 100])
def test_the_help_is_as_wide_as_the_terminal_and_breaks_no_name(columns, monkeypatch):
    monkeypatch.setenv("COLUMNS", str(columns))
    for build in (train_parser, generate_parser, evaluate_parser):
        parser = build("rnnlm x")
        text = parser.format_help()
        assert all(name in text for name in parser.names)
        widest = max(len(line) for line in text.splitlines()[1:] if not line.startswith("  --") and " " in line.strip())
        assert min(columns, 90) - 20 < widest <= max(columns, 42) - 2


def test_the_help_has_no_colours_and_the_process_says_no_word_more():
    """Python 3.14 colours the help of argparse by itself."""
    process = subprocess.run([sys.executable, "-W", "error", "-m", "rnnlm", "train", "--help"], capture_output=True,
                             text=True, env=os.environ | {"FORCE_COLOR": "1", "COLUMNS": "80"})
    assert (process.returncode, process.stderr) == (0, "")
    assert "\x1b" not in process.stdout and process.stdout.startswith("usage: rnnlm train [options]\n\nTrain")


def test_usage_is_one_line_and_all_options_are_below_it(capsys):
    for parser, usage in ((TRAIN, "rnnlm train [options]"), (GENERATE, "rnnlm generate MODEL [options]"),
                          (evaluate_parser("rnnlm evaluate"), "rnnlm evaluate MODEL [TEXT ...] [options]")):
        with pytest.raises(SystemExit):
            parser.parse_args(["--help"])
        first, empty, *rest = capsys.readouterr().out.splitlines()
        assert (first, empty) == (f"usage: {usage}", "")
        assert all(option in "\n".join(rest) for option in parser.names)


@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_of_a_command_names_its_own_options_alone(command):
    """But for those of a command that it names, as in: rnnlm train --keep-every."""
    table = import_module(f"rnnlm.cli.{command}").build_parser().table
    flags = {name for option in table.options
             for name in (option.flag, f"--no-{option.key}", *(f"--{alias}" for alias in option.aliases.split()))}
    for option in table.options:
        for words in (option.help, option.default_in_words, option.acts_with):
            own = re.sub(r"rnnlm [a-z]+[^;,.)]*", "", words)
            assert set(re.findall(r"--[a-z][a-z-]*[a-z]", own)) <= flags, option.flag


def test_what_is_given_is_what_stands_on_the_line():
    assert TRAIN.given(["--lr", "0.1", "--seed=7", "--lr", "0.2"]) == {"lr": 0.2, "seed": 7}
    assert GENERATE.given(["m", "--top-k", "3"]) == {"model": "m", "top_k": 3}
    assert evaluate_parser("x").given(["m", "t", "--json", "u"]) == {"model": "m", "texts": ["t", "u"], "json": True}


@pytest.mark.parametrize(("parser", "line", "message"), [
    (score_parser("x"), ["m"], "the following arguments are required: TEXT"),
    (GENERATE, ["m", "n"], "unrecognized arguments: n"),
    (GENERATE, ["m", "--sentences", "3", "--length", "9"], "argument --length: not allowed with argument --sentences"),
    (TRAIN, ["--cell", "gr"], "argument --cell: must be one of rnn, mrnn, lstm, gru"),
    (TRAIN, ["--cell", "gr"], ", got 'gr': did you mean gru?"),
    (TRAIN, ["--lr"], "argument --lr: expected one argument ("),
    (TRAIN, ["--lr", "--tied"], "argument --lr: expected one argument (")])
def test_wrong_usage(parser, line, message, capsys):
    assert message in wrong_usage(parser, line, capsys)
