"""The training command: text in, perplexity falling, a model file out."""

import os

from rnnlm.cli.command import run
from rnnlm.cli.config import LEFT_BY_A_RUN, apply_values, read_config
from rnnlm.cli.effects import require_effect
from rnnlm.cli.options import given
from rnnlm.cli.progress import Screen
from rnnlm.cli.rates import require_possible_rates
from rnnlm.cli.recipes import find_config, is_recipe
from rnnlm.cli.run_options import OF_THE_COMMAND, free
from rnnlm.cli.signals import StoppedBetweenSteps, stop_on_signal
from rnnlm.cli.train_options import DERIVED, build_parser, complete, let_follow
from rnnlm.errors import RnnlmError
from rnnlm.runs.choose_folder import run_folder
from rnnlm.runs.run_folder import CONFIG
from rnnlm.runs.session import train
from rnnlm.text.corpora import known_corpora, namesake, settled


def main(argv=None, prog=None):
    """The command; returns its exit code."""
    return run(lambda options: _command(options, argv, prog), build_parser(prog), argv)


def _command(options, argv, prog):
    """Find out what is to be done and where, then do it; returns the exit code."""
    path = find_config(options.config) if options.config else None
    config = (read_config(path), path) if path else ({}, "")
    options, on_the_line = _parsed(argv, prog, config), given(build_parser(prog), argv)
    typed = "corpus" in on_the_line or ("corpus" in config[0] and not _is_ours(path))
    name, options.corpus = options.corpus, settled(options.corpus, typed)
    screen = Screen()
    if not options.resume:
        require_effect(options, on_the_line)
        if line := namesake(name, known_corpora().get(options.corpus, options.corpus)):
            screen.on_note(line)
    given_corpora = [options.corpus, name] if "corpus" in on_the_line or "corpus" in config[0] else []
    with run_folder(options, given_corpora, screen) as folder:
        header = None
        if options.resume:
            header = folder.newest_header()
            saved = _saved_options(folder, header)
            options = _parsed(argv, prog, saved, config)
            options.corpus = settled(options.corpus, typed and name != saved[0].get("corpus"))
            if header is None:
                folder.require_nothing_but_options()
                screen.on_note(f"{folder.path} holds no checkpoint yet: training starts from the beginning, "
                               f"on {options.corpus}")
            else:
                folder.before = _parsed([], prog, saved)
                _require_same(options, folder.before, folder, on_the_line)
            require_effect(options, on_the_line)
        if header is None:
            require_possible_rates(options)
        return _train(options, folder, screen, header)


def _train(options, folder, screen, header):
    """Train until the run ends or a signal comes; returns the exit code."""
    try:
        train(options, folder, screen, lambda: stop_on_signal("stopping after this step"), header)
    except StoppedBetweenSteps as stopped:
        return 128 + stopped.signum
    return 0


def _parsed(argv, prog, *sources):
    """The options: defaults, then each source (what apply_values takes), then the command line."""
    parser = build_parser(prog)
    for source in sources:
        apply_values(parser, *source)
        let_follow(parser, source[0])
    options = parser.parse_args(argv)
    complete(options)
    return options


def _is_ours(path):
    """Whether a configuration is a recipe or was left by a run: then a known name in it means the known corpus."""
    if is_recipe(path) or not os.path.isfile(path):  # a pipe has been read
        return is_recipe(path)
    with open(path, encoding="utf-8") as file:
        return file.readline().startswith(LEFT_BY_A_RUN)


def _saved_options(folder, header):
    """The options of the run in the folder, where they were found, and whether the run began with them."""
    if header is not None:
        options, where = header["run"].get("options"), f"the checkpoint in {folder.path}"
        if not isinstance(options, dict):
            raise RnnlmError(f"{where}: options must be a JSON object")
        return options, where, True
    config = folder.held.file(CONFIG)  # all that a run leaves which is killed before its first checkpoint
    return (read_config(config), str(config), False) if config.exists() else ({}, "", False)


def _require_same(options, saved, folder, on_the_line):
    """RnnlmError if an option on which the training depends is not as it was when the run began."""
    changed = {name: f"--{name.replace('_', '-')} is {getattr(options, name)}, was "
                     f"{'not given' if value is None else value}"
               for name, value in vars(saved).items()
               if name not in (*free(vars(saved)), *OF_THE_COMMAND) and getattr(options, name) != value}
    if changed:  # where an option was changed, what follows from it goes without saying
        changed = [line for name, line in changed.items() if name in on_the_line or DERIVED.get(name) not in changed]
        raise RnnlmError(f"the run in {folder.path} cannot be resumed with other options: {'; '.join(changed)}. "
                         "Leave them out, or start a new run with another --output")
