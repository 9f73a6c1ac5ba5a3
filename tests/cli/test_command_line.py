"""Words on a command line: values that begin with a dash, and questions that lead to what was meant."""

import pytest

from rnnlm.cli.arguments import MEANT, meant, with_values_joined
from rnnlm.cli.evaluate import build_parser as evaluate_parser
from rnnlm.cli.generate import build_parser as generate_parser
from rnnlm.cli.main import main
from rnnlm.cli.train_options import build_parser as train_parser

TRAIN, GENERATE = train_parser("rnnlm train"), generate_parser("rnnlm generate")


def wrong_usage(parser, arguments, capsys):
    """The one line that wrong usage ends with."""
    with pytest.raises(SystemExit) as caught:
        parser.parse_args(arguments)
    assert caught.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    return line


@pytest.mark.parametrize(("name", "option"), [
    ("--bptt", "--time-size"), ("--seq-len", "--time-size"), ("--seq_len", "--time-size"), ("--learning-rate", "--lr"),
    ("--num-layers", "--layers"), ("--clip", "--max-grad"), ("--emb-size", "--wordvec-size"),
    ("--nhid", "--hidden-size"), ("--hiden-size", "--hidden-size"), ("-lr", "--lr"), ("--optimiser", "--optimizer")])
def test_a_name_that_people_type_leads_to_the_option(name, option, capsys):
    assert f": did you mean {option}? (" in wrong_usage(TRAIN, [name, "3"], capsys)


@pytest.mark.parametrize("name", ["--device", "--cuda", "--verbose", "--top-k"])
def test_a_name_for_what_is_not_there_leads_nowhere(name, capsys):
    assert "did you mean" not in wrong_usage(TRAIN, [name, "3"], capsys)


def test_a_name_leads_only_to_an_option_that_the_command_has(capsys):
    assert "did you mean --length?" in wrong_usage(GENERATE, ["m", "--max-tokens", "3"], capsys)
    assert "did you mean" not in wrong_usage(evaluate_parser("rnnlm evaluate"), ["m", "t", "--nhid", "3"], capsys)


def test_every_name_of_the_table_leads_to_an_option_and_is_none_itself():
    options = {option.lstrip("-") for parser in (TRAIN, GENERATE) for option in parser._option_string_actions}
    assert set(MEANT.values()) <= options
    assert set(MEANT) & {option.lstrip("-") for option in TRAIN._option_string_actions} <= {"max-tokens"}


def test_a_key_of_a_file_leads_to_a_key():
    assert meant("bptt", ["time_size", "lr"]) == ": did you mean time_size?"
    assert meant("learning_rate", ["time_size", "lr"]) == ": did you mean lr?"


def test_a_text_without_an_option_leads_to_the_corpus(tmp_path, capsys):
    path = tmp_path / "my text.txt"
    path.write_text("a b c\n")
    assert f"arguments: {path}: did you mean --corpus '{path}'? (" in wrong_usage(TRAIN, [str(path)], capsys)
    assert "did you mean" not in wrong_usage(TRAIN, [str(tmp_path / "none.txt")], capsys)


@pytest.mark.parametrize(("name", "end"), [
    ("tain", "train, evaluate or generate: did you mean train?"), ("zzz", "it must be train, evaluate or generate"),
    ("a b.txt", ": did you mean rnnlm train --corpus 'a b.txt'?")])
def test_a_command_that_is_not_there(name, end, tmp_path, monkeypatch, capsys):
    (tmp_path / "a b.txt").write_text("a\n")
    monkeypatch.chdir(tmp_path)
    assert main([name]) == 2
    assert capsys.readouterr().err.endswith(f"{end}\n")


@pytest.mark.parametrize(("arguments", "prompt"), [
    (["--prompt", "-lrb-"], "-lrb-"), (["--prompt=-lrb-"], "-lrb-"), (["--pro", "-lrb-"], "-lrb-"),
    (["--prompt", "--"], None), (["--prompt", "-"], "-"), (["--prompt", "-- he said"], "-- he said"),
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
    assert with_values_joined(["--tied", "-x"], TRAIN._option_string_actions) == ["--tied", "-x"]
    assert with_values_joined(["--", "--output", "-x"], TRAIN._option_string_actions) == ["--", "--output", "-x"]


def test_usage_is_one_line_and_all_options_are_below_it(capsys):
    for parser, usage in ((TRAIN, "rnnlm train [options]"), (GENERATE, "rnnlm generate MODEL [options]"),
                          (evaluate_parser("rnnlm evaluate"), "rnnlm evaluate MODEL TEXT [TEXT ...] [options]")):
        with pytest.raises(SystemExit):
            parser.parse_args(["--help"])
        first, empty, *rest = capsys.readouterr().out.splitlines()
        assert (first, empty) == (f"usage: {usage}", "")
        assert all(option in "\n".join(rest) for option in parser._option_string_actions)
