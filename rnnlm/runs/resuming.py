"""Is it the same run?  What differs between a run as it began and as it is to continue.

``differences`` is the one answer.  Options may differ where no step of the training
depends on them, texts and model may not, and machine, versions and threads are worth a
note.
"""

from dataclasses import dataclass

from rnnlm.errors import RnnlmError, quoted, shown
from rnnlm.formats.checkpoint import versions
from rnnlm.runs.assembly import architecture_of
from rnnlm.runs.configuration import given_in_earlier, read_config
from rnnlm.runs.option import value_shown
from rnnlm.runs.options import TRAIN, free, of_the_run
from rnnlm.text.corpora import named

OPTIONS, TEXTS, MODEL, SURROUNDINGS = "options", "corpus", "architecture", "surroundings"
MOST_NAMED = 5  # options that a note names


@dataclass(frozen=True)
class Difference:
    """One thing in which two runs differ.

    Attributes
    ----------
    what : OPTIONS, TEXTS, MODEL or SURROUNDINGS.
    name : the name of an option, or a key of the others; "" for the texts.
    was, now : the two values.
    allowed : whether it is the same run all the same.
    """

    what: str
    name: str
    was: object
    now: object
    allowed: bool


def differences(before, now):
    """The Differences between two runs.

    Each run is a dict that holds some of OPTIONS, TEXTS, MODEL and SURROUNDINGS; only
    what both hold is compared.  An option that one of them lacks is newer than that
    run, which had its default.
    """
    found = []
    for what in (OPTIONS, MODEL, SURROUNDINGS):
        old, new = before.get(what), now.get(what)
        if not isinstance(old, dict) or new is None:  # what a stranger's header holds may be no dict
            continue
        names = [name for name in new if name in old or what != OPTIONS]
        names += [name for name in old if name not in new and what == MODEL]
        may_change = free(old) if what == OPTIONS else names if what == SURROUNDINGS else ()
        found += [Difference(what, name, old.get(name), new.get(name), name in may_change) for name in names
                  if old.get(name) != new.get(name)]
    if TEXTS in before and TEXTS in now and before[TEXTS] != now[TEXTS]:
        found.append(Difference(TEXTS, "", before[TEXTS], now[TEXTS], False))
    return found


def as_it_was(header):
    """The run of a checkpoint's header, for ``differences``."""
    run = header["run"]
    return {OPTIONS: run.get("options"), TEXTS: run.get("corpus"), MODEL: header["architecture"],
            SURROUNDINGS: {"threads": run.get("threads"), **header["made_by"]}}


def same_run(header, run):
    """Whether a header is of the run, a dict: options, corpus."""
    before = as_it_was(header)
    now = {OPTIONS: run["options"], TEXTS: run["corpus"]}
    return isinstance(before[OPTIONS], dict) and all(difference.allowed for difference in differences(before, now))


def saved_options(header, folder):
    """The resolved options of a checkpoint's header.  RnnlmError if they cannot be."""
    run, where = header["run"], f"the checkpoint in {folder}"
    if not isinstance(run.get("options"), dict):
        raise RnnlmError(f"{where}: options must be a JSON object")
    values = TRAIN.checked(run["options"], where, began=True)
    options = TRAIN.resolved(values)
    if "given" not in run:  # of an earlier version
        options.given = [name for name in options.given if name in given_in_earlier(values)]
        return options
    if not isinstance(run["given"], list) or not all(isinstance(name, str) for name in run["given"]):
        raise RnnlmError(f"{where}: given must be a list of names of options")
    options.given = [name for name in options.given if name in run["given"]]
    return options


def changed_options(saved, given):
    """The options with which a run continues: the saved ones and those given."""
    options = TRAIN.resolved({name: getattr(saved, name) for name in TRAIN.by_name} | given)
    options.given = [name for name in TRAIN.by_name if name in saved.given or name in given]
    return options


def require_same_options(saved, options, folder, typed):
    """RnnlmError if an option on which the training depends is not as it was.

    typed: the names of those that a person gave for this run; the others are from the
    file of --config.
    """
    changed = [difference for difference in differences(of_the_run(saved), of_the_run(options))
               if not difference.allowed]
    if not changed:
        return
    said = [f"{TRAIN.by_name[difference.name].flag} is {difference.now}"
            f"{'' if difference.name in typed else ' in the --config'}, was "
            f"{'not given' if difference.was is None else difference.was}{_fixed(TRAIN.by_name[difference.name])}"
            for difference in changed]
    ours = [difference.name in typed for difference in changed]
    what = "them" if all(ours) else "them and --config" if any(ours) else "--config"
    raise RnnlmError(f"the run in {folder} cannot be resumed with other options: {'; '.join(said)}. Leave {what} out, "
                     "or start a new run with another --output")


def _fixed(option):
    """Why an option is not free that often is, in brackets."""
    return f" (it is fixed with {option.fixed_with})" if option.fixed_with else ""


def require_architecture(header, options, vocab_size, folder):
    """RnnlmError if the options ask for another model than the checkpoint declares."""
    now = {MODEL: dict(architecture_of(options, vocab_size))}
    differing = [f"{difference.name} is {shown(difference.was)} in its model and {difference.now} in its options"
                 for difference in differences(as_it_was(header), now)]
    if differing:
        raise RnnlmError(f"the checkpoint in {folder} contradicts itself: {', '.join(differing)}; start a new "
                         "run with another --output")


def require_same_texts(header, run, options, folder):
    """RnnlmError if the run in the folder read other texts.

    Returns a line to note if the last bits of its end may differ, otherwise "".
    """
    now = {TEXTS: run["corpus"], SURROUNDINGS: {"threads": run["threads"], **versions()}}
    found = differences(as_it_was(header), now)
    if any(difference.what == TEXTS for difference in found):
        raise different_text(options, folder)
    changed = [f"{difference.name} {shown(difference.was)} before, {difference.now} now" for difference in found]
    return (f"{', '.join(changed)}: the result will be close to that of an uninterrupted run, but not bit for bit the "
            "same" if changed else "")


def different_text(options, folder):
    """The RnnlmError where a run is to continue on other texts than it began with."""
    return RnnlmError(f"the run in {folder} was trained on different text from {named(options.corpus)}: pass its "
                      "original --corpus, or start a new run with another --output")


def what_differs(config, truth, options):
    """A line on where a config.toml says something else than the checkpoint; or "".

    Parameters
    ----------
    config : the File.
    truth : the checkpoint's options.
    options : those with which the run continues.
    """
    try:
        said = {name: value for name, (_, value) in TRAIN.by_option(read_config(config).values, config).items()}
    except RnnlmError as error:
        return f"{error}; the checkpoint's options are used, and the file is rewritten"
    true, now = of_the_run(truth)[OPTIONS], of_the_run(options)[OPTIONS]
    edits = [difference for difference in differences({OPTIONS: true}, {OPTIONS: said})
             if difference.now != now[difference.name]]
    unknown = [(name, value) for name, value in said.items() if name not in true]
    named = [f"{shown(name.replace('_', '-'))} = {value_shown(value)} (no such option)" for name, value in unknown]
    named += [f"{TRAIN.by_name[edit.name].key} = {value_shown(edit.now)} (checkpoint: "
              f"{'not given' if edit.was is None else shown(repr(edit.was))})" for edit in edits]
    if not named:
        return ""
    differing = ", ".join(named[:MOST_NAMED] + ["..."] * (len(named) > MOST_NAMED))
    return (f"{config} says {differing}; the checkpoint's options are used, and the file is corrected"
            f"{_remedy(config, edits)}")


def _remedy(config, edits):
    """How to have the edited options: in this run where it may be, or in a new one."""
    here = [TRAIN.by_name[edit.name].as_typed(edit.now) for edit in edits if edit.allowed][:MOST_NAMED]
    anew = [TRAIN.by_name[edit.name].as_typed(edit.now) for edit in edits if not edit.allowed][:MOST_NAMED]
    text = f"; to change it in this run, add {' '.join(here)}" if here else ""
    return text + (f"; for a new run: rnnlm train --config {quoted(config)} {' '.join(anew)}" if anew else "")
