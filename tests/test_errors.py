"""What messages are made of."""

import os
import shutil
import subprocess

import pytest

from rnnlm.errors import counted, did_you_mean, listed, nearest, quoted, size_shown


@pytest.mark.parametrize(("arguments", "text"), [
    ((0, "word"), "0 words"), ((1, "word"), "1 word"), ((2, "word"), "2 words"), ((1000, "token"), "1,000 tokens"),
    ((1, "entry", "entries"), "1 entry"), ((1_000_000, "entry", "entries"), "1,000,000 entries")])
def test_a_number_has_its_noun(arguments, text):
    assert counted(*arguments) == text


def test_names_are_listed_with_one_and():
    assert [listed("abc"[:length]) for length in (1, 2, 3)] == ["a", "a and b", "a, b and c"]


@pytest.mark.parametrize(("size", "text"), [(0, "0.0 kB"), (726_100, "726.1 kB"), (2_500_000, "2.5 MB"),
                                            (12_345_600_000, "12,345.6 MB")])
def test_a_size_has_a_unit_in_which_it_is_seen(size, text):
    assert size_shown(size) == text


@pytest.mark.parametrize(("path", "text"), [
    ("runs/mine", "runs/mine"), ("my run", "'my run'"), ("-x", "./-x"), ("-my run", "'./-my run'"),
    ("a\nb", r"$'a\nb'"), ("a\xa0b\u2028", r"$'a\xc2\xa0b\xe2\x80\xa8'"), ("caf\udce9", r"$'caf\xe9'"),
    ("it's\x1b[2J\\", r"$'it\'s\x1b[2J\\'"), ("ü", "'ü'"), ("$(reboot)", "'$(reboot)'")])
def test_a_path_can_be_pasted_into_a_shell(path, text):
    assert quoted(path) == text
    assert text.isprintable()
    if shutil.which("bash"):
        printed = subprocess.run(["bash", "-c", f"printf %s {text}"], capture_output=True, check=True).stdout
        assert printed == os.fsencode(path if not path.startswith("-") else f"./{path}")


def test_what_is_near_is_named():
    assert nearest("tain", ["train", "generate"]) == "train"
    assert nearest("zzz", ["train", "generate"]) is None
    assert did_you_mean("tain", ["train"]) == ": did you mean train?"
    assert did_you_mean("zzz", ["train"]) == ""
