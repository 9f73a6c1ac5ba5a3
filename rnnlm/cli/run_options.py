"""The options of a run: which belong to it, which may change when it resumes, and their copy, config.toml.

The truth is what the checkpoint holds; config.toml is for people to read, and for --config.
"""

from rnnlm.cli.config import LEFT_BY_A_RUN, VERSION, by_name, read_config, toml
from rnnlm.errors import RnnlmError, quoted, shown
from rnnlm.training.schedules import SCHEDULES

OF_THE_COMMAND = ("config", "overwrite", "resume", "debug", "output")  # options that are not the run's
# What may be another when a run goes on: no step of the training depends on it (the corpus has its fingerprint;
# for epochs see ``free``).
FREE = ("corpus", "epochs", "patience", "threads", "checkpoint_minutes", "on_divergence")
MOST_NAMED = 5  # options that a note names


def free(options):
    """The options, of a run with these (a dict), that may be others when it goes on."""
    schedule = SCHEDULES.get(str(options.get("schedule")))
    ends_with_the_epochs = (options.get("average") == "tail" or (schedule and schedule.needs_epochs)
                            or options.get("dropout_start", 1.0) != 1)
    return [name for name in FREE if not (name == "epochs" and ends_with_the_epochs)]


def of_the_run(options):
    """The options that belong to the run, a dict; the command's own are left out."""
    return {name: value for name, value in vars(options).items() if name not in OF_THE_COMMAND}


def same_run(saved, run):
    """Whether what a checkpoint keeps of its run is the same in all on which the training depends.

    An option that one of them does not have is newer than the other, and at its default.
    """
    options = saved.get("options")
    if not isinstance(options, dict) or saved.get("corpus") != run["corpus"]:
        return False
    common = (options.keys() & run["options"].keys()) - set(free(options))
    return all(options[name] == run["options"][name] for name in common)


def config_text(path, options):
    """The content of config.toml in the run folder ``path``."""
    return f"{LEFT_BY_A_RUN}: {str(path)!r}\n{VERSION}\n" + toml(of_the_run(options))


def what_differs(config, truth, options):
    """A line on where a config.toml (a File) says something else than the checkpoint, and how to ask for it; or "".

    truth: the checkpoint's options; options: those that the run resumes with, by the command line.
    """
    try:
        said = by_name(read_config(config), config)
    except RnnlmError as error:
        return f"{error}; the checkpoint's options are used, and the file is rewritten"
    true, now = of_the_run(truth), vars(options)
    edits = {name: value for name, (_, value) in said.items()
             if name not in true or (value != true[name] and value != now[name])}
    if not edits:
        return ""
    named = [f"{shown(name.replace('_', '-'))} = {_value(value)} ({_was(name, true)})"
             for name, value in list(edits.items())[:MOST_NAMED]]
    differing = ", ".join(named + ["..."] * (len(edits) > len(named)))
    return (f"{config} says {differing}; the checkpoint's options are used, and the file is corrected"
            f"{_remedy(config, edits, true)}")


def _was(name, true):
    if name not in true:
        return "no such option"
    return "checkpoint: not given" if true[name] is None else f"checkpoint: {shown(repr(true[name]))}"


def _remedy(config, edits, true):
    """How to have the edited options, in this run where they may change in it, otherwise in a new one."""
    may_change = free(true)
    here = [_flag(name, value) for name, value in edits.items() if name in may_change]
    anew = [_flag(name, value) for name, value in edits.items() if name in true and name not in may_change]
    text = f"; to change it in this run, add {' '.join(here[:MOST_NAMED])}" if here else ""
    if anew:
        text += (f"; for a new run: rnnlm train --config {quoted(config)} "
                 f"{' '.join(anew[:MOST_NAMED])}")
    return text


def _flag(name, value):
    option = name.replace("_", "-")
    if isinstance(value, bool):
        return f"--{option}" if value else f"--no-{option}"
    return f"--{option} {shown(quoted(value)) if isinstance(value, str) else _value(value)}"


def _value(value):
    """A value of a TOML file in a line; Python refuses to write whole numbers of many digits, but in base 16."""
    return shown(hex(value) if isinstance(value, int) and value.bit_length() > 128 else repr(value))
