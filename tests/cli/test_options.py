import argparse
import tomllib

import pytest

from rnnlm.cli.options import apply_values, at_least, below_one, from_zero_to_one, positive, read_config, toml
from rnnlm.errors import RnnlmError


@pytest.fixture
def parser():
    parser = argparse.ArgumentParser()
    parser.add_argument("--batch-size", type=at_least(1), default=20)
    parser.add_argument("--lr", type=positive, default=1.0)
    parser.add_argument("--level", choices=("word", "char"), default="word")
    parser.add_argument("--output", default=None)
    parser.add_argument("--overwrite", action="store_true")
    parser.add_argument("--config")
    return parser


def config(tmp_path, text):
    path = tmp_path / "c.toml"
    path.write_text(text, encoding="utf-8")
    return path


def apply(parser, path):
    apply_values(parser, read_config(path), path)


def test_command_line_before_file_before_defaults(parser, tmp_path):
    apply(parser, config(tmp_path, 'batch-size = 7\nlr = 2\nlevel = "char"\noverwrite = true'))
    options = parser.parse_args(["--lr", "3"])
    assert (options.batch_size, options.lr, options.level) == (7, 3, "char")
    assert (options.output, options.overwrite) == (None, True)


@pytest.mark.parametrize(("text", "message"), [
    ("batchsize = 3", "unknown option 'batchsize': did you mean batch_size?"),
    ("config = 'x'", "unknown option 'config'"),
    ("zzz = 'x'", "unknown option 'zzz'$"),
    ("batch-size = 0", "batch-size must be a whole number of at least 1, got '0'"),
    ("batch-size = 2.5", "batch-size must be a whole number of at least 1, got '2.5'"),
    ("batch-size = true", "batch-size must be one number or string, got True"),
    ("lr = nan", "lr must be a number above 0, got 'nan'"),
    ("level = 'line'", "level must be one of word, char, got 'line'"),
    ("overwrite = 1", "overwrite must be true or false, got 1"),
    ("lr = [1]", "lr must be one number or string"),
    ("lr 1", "must be TOML"),
])
def test_what_the_file_gets_wrong_is_one_line(parser, tmp_path, text, message):
    with pytest.raises(RnnlmError, match=message) as caught:
        apply(parser, config(tmp_path, text))
    assert "c.toml" in str(caught.value)


def test_a_file_that_is_not_there_is_one_line(parser, tmp_path):
    with pytest.raises(RnnlmError, match="could not be read: no such file"):
        read_config(tmp_path / "none.toml")


def test_what_is_written_as_toml_is_read_back():
    values = {"corpus": 'a "b"\\ ü\n\x7f\U0001f600', "batch_size": 3, "lr": 1e-05, "flag": False, "gone": None}
    assert tomllib.loads(toml(values)) == {"corpus": values["corpus"], "batch-size": 3, "lr": 1e-05,
                                           "flag": False}
    assert "# gone is not set" in toml(values)


@pytest.mark.parametrize(("kind", "text"), [(at_least(1), "0"), (at_least(0), "x"), (positive, "inf"), (positive, "-1"),
                                            (below_one, "1"), (below_one, "-0.1"),
                                            (from_zero_to_one, "1.1"), (from_zero_to_one, "-0.1"), (positive, "")])
def test_a_value_outside_its_range_is_refused_with_the_rule(kind, text):
    with pytest.raises(argparse.ArgumentTypeError, match=f"must be a .*got {text!r}"):
        kind(text)


def test_a_configuration_that_never_ends_is_refused(run):
    code, out, err = run("--config", "/dev/zero")
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert "/dev/zero must be a configuration of at most 1,048,576 bytes, it has more" in err
