import re
import tomllib
from importlib import import_module

import pytest

from rnnlm.cli.arguments import Parser
from rnnlm.cli.evaluate import build_parser as evaluate_parser
from rnnlm.cli.generate import build_parser as generate_parser
from rnnlm.cli.main import COMMANDS
from rnnlm.cli.train import build_parser as train_parser
from rnnlm.compute import arguments
from rnnlm.errors import RnnlmError
from rnnlm.models.start import Start
from rnnlm.runs.checks import (
    OneOf,
    WrongValue,
    above_one,
    at_least,
    below_one,
    from_zero_to_one,
    gain,
    not_empty,
    not_negative,
    positive,
    ratio,
    size,
    up_to_one,
)
from rnnlm.runs.configuration import read_config, toml
from rnnlm.runs.option import FLAG, OF_THE_LINE, Option
from rnnlm.runs.options import TRAIN
from rnnlm.runs.table import Table

PARSERS = [import_module(f"rnnlm.cli.{name}").build_parser for name in COMMANDS]
TABLE = Table({"all": (
    Option("batch_size", at_least(1), "streams", 20), Option("lr", positive, "rate", 1.0, aliases="learning-rate"),
    Option("level", OneOf(("word", "char")), "unit", "word"), Option("output", not_empty, "folder"),
    Option("overwrite", FLAG, "replace", False), Option("config", not_empty, "file", scope=OF_THE_LINE))})


def config(tmp_path, text):
    path = tmp_path / "c.toml"
    path.write_text(text, encoding="utf-8")
    return path


def given(path):
    return TABLE.checked(read_config(path).values, path)


def test_command_line_before_file_before_defaults(tmp_path):
    file = given(config(tmp_path, 'batch-size = 7\nlr = 2\nlevel = "char"\noverwrite = true'))
    options = TABLE.resolved(file | Parser("x", "", TABLE).given(["--learning-rate", "3"]))
    assert (options.batch_size, options.lr, options.level) == (7, 3, "char")
    assert (options.output, options.overwrite) == (None, True)


@pytest.mark.parametrize(("text", "message"), [
    ("lr = " + "[" * 5000 + "]" * 5000, "c.toml must be TOML: it is nested too deeply"),
    ("batchsize = 3", "unknown option 'batchsize': did you mean batch-size?"),
    ("config = 'x'", "unknown option 'config'"),
    ("zzz = 'x'", "unknown option 'zzz'$"),
    ("batch-size = 0", "batch-size must be a whole number of at least 1, got '0'"),
    ("batch-size = 2.5", "batch-size must be a whole number of at least 1, got '2.5'"),
    ("batch-size = true", "batch-size must be a whole number of at least 1, got True"),
    ("lr = nan", "lr must be a number above 0, got 'nan'"),
    ("level = 'line'", "level must be one of word, char, got 'line'"),
    ("overwrite = 1", "overwrite must be true or false, got 1"),
    ("overwrite = 'true'",
     'overwrite must be true or false, got the string "true": write true without quotation marks'),
    ("overwrite = 'yes'", "overwrite must be true or false, got 'yes'"),
    ('output = "a\\u0000b"', r"output must not hold the character NUL, got 'a\\x00b'"),
    ("batch-size = " + "9" * 400, "batch-size must be a number of at most 128 bits, got one of 1329"),
    ("batch-size = 0x" + "f" * 5000, "batch-size must be a number of at most 128 bits, got one of 20000"),
    ("batch-size = '" + "9" * 5000 + "'", r"batch-size must be a whole number of at least 1, got '9{199}\.\.\.$"),
    ("lr = 1e-50", "lr must be a number above 0, got '1e-50', which is 0 in 32-bit numbers"),
    ("lr = [1]", r"lr must be a number above 0, got \[1\]$"),
    ("batch_size = 3\nbatch-size = 3", "batch_size and batch-size are the same option: remove one"),
    ("lr = 3\nlearning-rate = 3", "lr and learning-rate are the same option: remove one"),
    ('output = "a\\u0000b"', r"output must not hold the character NUL, got 'a\\x00b'"),
    ('level = "word\\u0000"', r"level must not hold the character NUL, got 'word\\x00'"),
    ('level = "\\u001b[2J"', r"level must be one of word, char, got '\\x1b\[2J'"),
    ('"a\\u0000" = 1', r"unknown option 'a\\x00'"),
    ("lr 1", "must be TOML"),
])
def test_what_the_file_gets_wrong_is_one_line(tmp_path, text, message):
    with pytest.raises(RnnlmError, match=message) as caught:
        given(config(tmp_path, text))
    assert "c.toml" in str(caught.value)


def test_a_byte_order_mark_is_dropped(tmp_path):
    (tmp_path / "c.toml").write_bytes(b"\xef\xbb\xbflr = 2\r\n")
    assert given(tmp_path / "c.toml") == {"lr": 2}


def test_a_file_that_is_not_there_is_one_line(tmp_path):
    with pytest.raises(RnnlmError, match="could not be read: no such file"):
        read_config(tmp_path / "none.toml")


def test_what_is_written_as_toml_is_read_back():
    values = {"corpus": 'a "b"\\ ü\n\x7f\U0001f600', "batch_size": 3, "lr": 1e-05, "flag": False, "gone": None}
    assert tomllib.loads(toml(values)) == {"corpus": values["corpus"], "batch-size": 3, "lr": 1e-05,
                                           "flag": False}
    assert "# gone is not set" in toml(values)


@pytest.mark.parametrize(("kind", "text", "message"), [
    (positive, "1e-50", "above 0, got '1e-50', which is 0 in 32-bit numbers"),
    (positive, "1e39", "above 0, got '1e39', which is inf in 32-bit numbers"),
    (not_negative, "1e-50", "at least 0, got '1e-50', which is 0 in"),
    (below_one, "0.999999999", "below 1, got '0.999999999', which is 1 in"),
    (above_one, "1.000000001", "above 1, got '1.000000001', which is 1 in"),
    (up_to_one, "1e-50", "got '1e-50', which is 0 in"),
    (ratio, "7e-6", "must be 0 or at least 1e-05, because less drops nothing, got '7e-6'"),
    (at_least(1), "9" * 400, "must be at most 100,000,000,000,000, got '999"),
    (size, "9" * 20, "must be at most 1,000,000, got '99999999999999999999'")])
def test_a_number_that_the_training_cannot_compute_with_is_refused(kind, text, message):
    with pytest.raises(WrongValue, match=re.escape(message)):
        kind(text)


@pytest.mark.parametrize(("kind", "text"), [
    (positive, "1e-30"), (positive, "3e38"), (not_negative, "0"), (below_one, "0.9999999"), (above_one, "1.000001"),
    (up_to_one, "1"), (ratio, "0"), (ratio, "1e-5"), (ratio, "0.999"), (from_zero_to_one, "1"),
    (at_least(1), str(10**14)), (size, "1000000")])
def test_numbers_that_are_as_good_in_32_bits_are_taken_as_they_are(kind, text):
    assert kind(text) == float(text)


def test_every_number_of_every_command_has_such_a_type():
    """No option takes what overflows: 400 digits, or 0 or infinity in 32 bits."""
    for build in PARSERS:
        for option in build().table.options:
            if option.takes_a_value and not option.takes_any_text:
                for text in ("9" * 400, "1e39", "1e-50"):
                    with pytest.raises(WrongValue, match=r"must be "):
                        option.check(text)


@pytest.mark.parametrize("build", PARSERS, ids=COMMANDS)
def test_two_dashes_are_a_value_like_any_other(build, capsys):
    for option in build().table.options:
        if option.takes_a_value and not option.takes_any_text:
            with pytest.raises(SystemExit):
                build().parse_args([f"{option.flag}=--"])
            assert re.search("argument --[^ ]+: must be .*'--'", capsys.readouterr().err), option.name


def test_two_dashes_can_be_a_prompt_or_a_corpus():
    assert generate_parser().parse_args(["m", "--prompt=--"]).prompt == "--"
    assert train_parser().parse_args(["--corpus=--"]).corpus == ["--"]
    assert evaluate_parser().parse_args(["m", "--", "--json"]).texts == ["--json"]


def test_an_option_that_can_be_repeated_is_the_list_of_its_values(capsys):
    table = Table({"options": (Option("file", not_empty, "a file", metavar="FILE", argument=True),
                               Option("ban", at_least(1), "a number to leave out", metavar="N", many=True),
                               Option("length", at_least(1), "a length", many=True, excludes="ban"))})
    parser = Parser("test", "Test.", table)
    assert parser.parse_args(["f", "--ban", "3", "--ban=1", "--ban", "3"]).ban == [3, 1, 3]
    options = parser.parse_args(["f"])
    assert (options.ban, options.file, options.given) == (None, "f", ["file"])
    assert parser.parse_args(["--ban", "2", "f"]).line == {"file": "f", "ban": [2]}
    assert parser.parse_args(["f", "--ban", "2"]).line == {"file": "f", "ban": [2]}
    for line, message in ((["--ban", "0"], "argument --ban: must be a whole number of at least 1, got '0'"),
                          (["--ban", "1", "--length", "2"], "argument --length: not allowed with argument --ban")):
        with pytest.raises(SystemExit):
            parser.parse_args(["f", *line])
        assert message in capsys.readouterr().err
    assert "a number to leave out (may be given several times)" in parser.format_help()


def test_without_arguments_several_words_may_follow_an_option_as_of_a_pattern(capsys):
    def corpora(*line):
        return train_parser().parse_args([*line]).line["corpus"]

    assert corpora("--corpus", "a.txt", "b.txt", "-", "--seed", "3") == ["a.txt", "b.txt", "-"]
    assert corpora("--corpus=a", "b", "--corpus", "c") == ["a", "b", "c"]
    for line, message in ((["--corpus", "a", "b", "--sed", "3"], "unrecognized arguments: --sed 3"),
                          (["--seed", "3", "b"], "unrecognized arguments: b"),
                          (["--corpus", "a", ""], "argument --corpus: must not be empty")):
        with pytest.raises(SystemExit):
            train_parser().parse_args(line)
        assert message in capsys.readouterr().err


def test_an_option_that_can_be_repeated_may_be_a_list_in_a_file():
    option = TRAIN.by_name["corpus"]
    assert option.in_a_file(["a", "b"], "corpus") == ["a", "b"]
    assert option.in_a_file("a", "corpus") == "a"
    kind = "must be a string, or a list of strings"
    for value, message in (([], "corpus must not be an empty list"), ([3, ""], "must not be empty"),
                           ([["a"]], kind), ({"a": 1}, kind)):
        with pytest.raises(RnnlmError, match=message):
            option.in_a_file(value, "corpus")
    with pytest.raises(RnnlmError, match="seed must be a whole number"):
        TRAIN.by_name["seed"].in_a_file([1, 2], "seed")


def test_what_the_command_line_takes_the_library_takes_as_well():
    """Otherwise the two have different rules, and the second tells its rule late."""
    assert arguments.whole("epochs", at_least(1)("1" + 14 * "0")) == 10**14
    for text in ("1e-30", "1e30", "1"):
        Start(recurrent_gain=gain(text), input_gain=gain(text))
    for text in ("9e-31", "1.0005e30", "0"):
        with pytest.raises(WrongValue, match=r"(from 1e-30 to 1e[+]30|above 0), got"):
            gain(text)


@pytest.mark.parametrize("path", ["/a/caf\udce9", "/\udcff%41 \udc80#?", "/a%20b", "/ü"])
def test_a_path_that_is_no_unicode_becomes_a_uri_and_a_path_again(tmp_path, path):
    """Any other path stays as it is, percent signs and all."""
    read = read_config(config(tmp_path, toml({"corpus": path, "batch_size": 3})))
    assert read.values == {"corpus": path, "batch-size": 3}


@pytest.mark.parametrize("text", ["", "a\0b"])
def test_a_name_that_no_file_can_have_is_refused(text):
    with pytest.raises(WrongValue, match=r"must not be empty|must not hold the character NUL"):
        not_empty(text)


@pytest.mark.parametrize(("kind", "text"), [(at_least(1), "0"), (at_least(0), "x"), (positive, "inf"), (positive, "-1"),
                                            (below_one, "1"), (below_one, "-0.1"),
                                            (from_zero_to_one, "1.1"), (from_zero_to_one, "-0.1"), (positive, "")])
def test_a_value_outside_its_range_is_refused_with_the_rule(kind, text):
    with pytest.raises(WrongValue, match=f"must be a .*got {text!r}"):
        kind(text)


def test_a_configuration_that_never_ends_is_refused(run):
    code, out, err = run("--config", "/dev/zero")
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert "/dev/zero must be a configuration of at most 1,048,576 bytes, it has more" in err
