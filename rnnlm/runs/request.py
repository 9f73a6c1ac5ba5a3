"""What is asked of a run: the options given in a file and on the line, merged once."""

from rnnlm.errors import RnnlmError
from rnnlm.runs.budget import Budget
from rnnlm.runs.combinations import require_effect, require_possible, require_possible_rates
from rnnlm.runs.configuration import CONFIG, Configuration, read_config
from rnnlm.runs.dial_rules import settled_before
from rnnlm.runs.initial_model import resolved, settled_model
from rnnlm.runs.options import TRAIN
from rnnlm.runs.recipes import find_config, is_recipe
from rnnlm.runs.resuming import changed_options, require_same_options, saved_options
from rnnlm.text.corpora import known_corpora, namesake, settled
from rnnlm.text.made_texts import standard_input_kept
from rnnlm.text.sources import STANDARD_INPUT, require_one_standard_input


class Request:
    """The options given: on the command line or as arguments, and by --config.

    Parameters
    ----------
    typed : those of the line, a dict by name, whose values are checked.

    Attributes
    ----------
    given : all that were given; what was typed overrides the file.
    stated : these, and what a file of an earlier version states besides.
    options : all options as resolved (see Table.resolved), as long as no run is
        resumed.
    budget : the Budget of --minutes, which begins here; None: without.
    """

    def __init__(self, typed):
        path = find_config(typed["config"]) if typed.get("config") else None
        file = read_config(path, may_wait=True) if path else Configuration({})
        self.typed, self.config = typed, str(typed.get("config") or "")
        self.given, self.stated = (settled_model(given | typed) for given in (file.given(path), file.stated(path)))
        for given in (self.given, self.stated):
            _leave_one(given, self.typed, "seed", "seeds")
            _leave_one(given, self.typed, "epochs", "minutes")
            _leave_one(given, self.typed, "later_epochs", "minutes")
            if "epochs" in typed and "later_epochs" not in typed:
                given.pop("later_epochs", None)  # a file's changes of its own epochs
        by_program = file.by_a_run or (path is not None and is_recipe(path))
        for given in (self.typed, self.given, self.stated):
            if isinstance(given.get("corpus"), list) and len(given["corpus"]) == 1:
                given["corpus"] = given["corpus"][0]
        self.names_a_corpus = "corpus" in self.given
        # In a file that the program wrote a known name is the known corpus's, whatever
        # else is called so here.
        self.corpus_typed = self.names_a_corpus and ("corpus" in typed or not by_program)
        # A run that resumes has in its checkpoint what it needs of the initial model.
        minutes = self.given.get("minutes")
        if minutes and self.given.get("resume"):
            raise RnnlmError("--minutes chooses the options of a new run, and --resume continues one with its own: "
                             "give only one of them")
        self.budget = Budget(minutes, self.given) if minutes else None
        self.options = TRAIN.resolved(self.given) if self.given.get("resume") else (
            resolved(settled_before(self.given) if minutes else self.given, self.typed, self.config))
        self.corpus = self.options.corpus  # as it was written
        if self.options.resume and STANDARD_INPUT in _each(self.corpus):
            raise RnnlmError("--resume reads no standard input (--corpus -), because the run kept what it read: leave "
                             "out --corpus")
        self.options.corpus = settled(self.corpus, self.corpus_typed)

    @property
    def corpora(self):
        """What a checkpoint may call the corpus that was named, the likelier first.

        [] if none was named.
        """
        return [self.options.corpus, self.corpus] if self.names_a_corpus else []

    def require_possible(self):
        """RnnlmError if no new run can have these options; returns a list of notes."""
        require_possible(self.options)
        require_effect(self.options, self.typed)
        require_possible_rates(self.options)
        pairs = zip(_each(self.corpus), _each(self.options.corpus), strict=True)
        return [line for name, corpus in pairs if (line := namesake(name, known_corpora().get(corpus, corpus)))]

    def keep_standard_input(self, observer):
        """Read standard input where it is the corpus, or one text of it, and keep it.

        Returns the path of a new file, which is of no use if there will be no run; else
        None.  RnnlmError if it cannot be read or kept.
        """
        corpora = _each(self.options.corpus)
        if STANDARD_INPUT not in corpora:
            return None
        require_one_standard_input(*corpora, remedy="give --corpus - once, or a file")
        path, is_new = standard_input_kept()
        path = str(path)
        observer.on_note(f"standard input is kept in {path}, from where the run is resumed: remove the file when you "
                         "no longer need the run")
        kept = [path if name == STANDARD_INPUT else name for name in corpora]
        self.options.corpus = kept if isinstance(self.options.corpus, list) else path
        return path if is_new else None

    def resumed(self, folder, header):
        """The options with which the run in a RunFolder continues.

        header : that of its checkpoint; None: it has none, so the run begins.
        RnnlmError if what was given cannot be had in this run.
        """
        if header is None:
            config = folder.held.file(CONFIG)  # all that a run leaves which is killed before its first checkpoint
            saved = read_config(config).given(str(config)) if config.exists() else {}
            folder.require_nothing_but_options()
            options = resolved(saved | (self.stated if saved else self.given), self.typed, self.config or str(config))
            before = saved.get("corpus")
        else:
            folder.before = saved_options(header, folder.path)
            options = changed_options(folder.before, self.given)
            before = folder.before.corpus
        options.corpus = settled(options.corpus, self.corpus_typed and self.corpus != before)
        if header is None:
            require_possible_rates(options)
        else:
            require_same_options(folder.before, changed_options(folder.before, self.stated), folder.path, self.typed)
        require_possible(options)
        require_effect(options, self.typed)
        return options


def _leave_one(given, typed, name, other):
    """Remove from ``given`` that of two options which the typed one overrides.

    RnnlmError if both were typed, or both are from the file.
    """
    if name in given and other in given:
        if (name in typed) == (other in typed):
            flags = " and ".join(TRAIN.by_name[each].flag for each in (name, other))
            raise RnnlmError(f"{flags} exclude each other: give only one of them")
        del given[other if name in typed else name]


def _each(corpus):
    """One corpus or several, a list."""
    return corpus if isinstance(corpus, list) else [corpus]
