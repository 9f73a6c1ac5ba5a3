"""Ctrl-C from the first line on: one line, exit code 130, while modules load, too."""

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from conftest import REPOSITORY

from rnnlm.formats.model_file import save_model
from rnnlm.models import LanguageModel
from rnnlm.text.vocabulary import Vocabulary

AT_IMPORT = """
import os, runpy, signal, sys

class Interrupt:
    names = []

    @classmethod
    def find_spec(cls, name, path=None, target=None):
        cls.names.append(name)
        if name == {module!r} or len(cls.names) == {module!r}:
            os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, Interrupt)
sys.argv = {argv!r}
try:
    {start}
finally:
    print(*Interrupt.names)
"""
WAYS = {
    "module": ("rnnlm", "runpy.run_module('rnnlm', run_name='__main__', alter_sys=True)"),
    "console script": ("rnnlm", "from rnnlm.cli.main import main; sys.exit(main())"),
    "script": ("generate_text.py", f"runpy.run_path({str(REPOSITORY / 'scripts/generate_text.py')!r}, "
               "run_name='__main__')"),
}


def interrupted(way, module, folder, before="", arguments=("generate", "m.npz")):
    """Start a command, with a Ctrl-C when a module, named or counted, is looked for.

    Where the process comes to its own end, it prints which modules were looked for.
    """
    name, start = WAYS[way]
    argv = [name, *arguments[name != "rnnlm":]]
    code = AT_IMPORT.format(module=module, argv=argv, start=before + start)
    return subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("module", ["numpy", "rnnlm.cli.command"])
def test_a_ctrl_c_while_modules_are_loaded_is_one_line(tmp_path, way, module):
    done = interrupted(way, module, tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", f"{WAYS[way][0]}: interrupted\n")


@pytest.mark.slow
def test_at_whatever_module(tmp_path):
    names = interrupted("module", "none", tmp_path).stdout.split()
    first = names.index("rnnlm.cli.start") + 2  # the one that is looked for next, counted from 1
    assert len(names) > first + 50
    for number in range(first, len(names) + 1, 5):
        done = interrupted("module", number, tmp_path)
        assert done.returncode == 130, names[number - 1]
        assert done.stderr in ("rnnlm: interrupted\n", "rnnlm generate: interrupted\n")


@pytest.mark.slow
def test_while_a_training_loads_what_its_help_does_not_need(tmp_path):
    arguments = ["train", "--corpus", "none"]
    names = interrupted("module", "none", tmp_path, arguments=arguments).stdout.split()
    first = names.index("rnnlm.cli.seeds_screen") + 1
    assert len(names) > first + 10
    for number in range(first, len(names) + 1, 8):
        done = interrupted("module", number, tmp_path, arguments=arguments)
        assert (done.returncode, done.stderr) == (130, "rnnlm train: interrupted\n"), names[number - 1]


def test_an_ignored_ctrl_c_stays_ignored_while_modules_are_loaded(tmp_path):
    done = interrupted("module", "numpy", tmp_path, "signal.signal(signal.SIGINT, signal.SIG_IGN); ")
    assert done.returncode == 1
    assert "m.npz" in done.stderr and "no such file" in done.stderr


def test_the_commands_own_handler_comes_back_and_then_the_callers(tmp_path):
    """Called with arguments, as by another program, it leaves the process as it was."""
    code = ("import signal, sys; from rnnlm.cli.main import main; before = signal.getsignal(signal.SIGINT); "
            "main(['generate', 'none']); print(signal.getsignal(signal.SIGINT) is before, sys.excepthook is "
            "sys.__excepthook__)")
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert done.stdout == "True True\n"


@pytest.mark.slow
@pytest.mark.parametrize("delay", np.arange(0, 0.8, 0.04).round(2))
def test_a_ctrl_c_at_any_moment(tmp_path, delay):
    """From a ready process, through loading, to the text that would never end."""
    save_model(tmp_path / "m.npz", LanguageModel(9, 9, 9, rng=np.random.default_rng(0)),
               Vocabulary(["<eos>", *"abcdefgh"]))
    code = ("import os, sys; import rnnlm.cli.main as main; start = main.start\n"
            "def ready(prog):\n    start(prog)\n    os.write(1, b'ready')\n"
            "main.start = ready\n"
            "sys.argv = ['rnnlm', 'generate', 'm.npz', '--length', '1000000000']\n"
            "sys.exit(main.main())")
    with subprocess.Popen([sys.executable, "-c", code], cwd=tmp_path, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE) as process:
        assert os.read(process.stdout.fileno(), 5) == b"ready"
        time.sleep(delay)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=300)
    assert process.returncode == 130
    *before, last = err.decode().splitlines()
    assert last in ("rnnlm: interrupted", "rnnlm generate: interrupted", "rnnlm generate: stopped")
    assert len(before) == (2 if last.endswith("stopped") else 0)
