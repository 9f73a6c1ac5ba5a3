"""What is asked of a run: options from a file and from the line, merged once.

Also the options of a run that is to be resumed.
"""

from rnnlm.runs.combinations import require_effect, require_possible, require_possible_rates
from rnnlm.runs.configuration import CONFIG, Configuration, read_config
from rnnlm.runs.options import TRAIN
from rnnlm.runs.recipes import find_config, is_recipe
from rnnlm.runs.resuming import changed_options, require_same_options, saved_options
from rnnlm.text.corpora import known_corpora, namesake, settled


class Request:
    """The options that were given: on the command line or in a call, and by --config.

    Attributes
    ----------
    typed : those of the line or the call, a dict by name, whose values are checked.
    given : all; typed ones override those of the file.
    options : all as resolved (see Table.resolved), if no run is resumed.
    """

    def __init__(self, typed):
        path = find_config(typed["config"]) if typed.get("config") else None
        file = read_config(path) if path else Configuration({})
        self.typed, self.given = typed, file.given(path) | typed
        by_program = file.by_a_run or (path is not None and is_recipe(path))
        self.names_a_corpus = "corpus" in self.given
        # In a file that the program wrote a known name is the known corpus's, whatever
        # else is called so here.
        self.corpus_typed = self.names_a_corpus and ("corpus" in typed or not by_program)
        self.options = TRAIN.resolved(self.given)
        self.corpus = self.options.corpus  # as it was written
        self.options.corpus = settled(self.corpus, self.corpus_typed)

    @property
    def corpora(self):
        """What the named corpus may be called in a checkpoint, the likelier first.

        [] if none was named.
        """
        return [self.options.corpus, self.corpus] if self.names_a_corpus else []

    def require_possible(self):
        """RnnlmError if no new run can have these options; returns notes, a list."""
        require_possible(self.options)
        require_effect(self.options, self.typed)
        require_possible_rates(self.options)
        corpus = self.options.corpus
        return [line] if (line := namesake(self.corpus, known_corpora().get(corpus, corpus))) else []

    def resumed(self, folder, header):
        """The options with which the run in a RunFolder continues.

        If the folder has no checkpoint (header None), the run begins with them.
        RnnlmError if what was given is impossible in this run.
        """
        if header is None:
            config = folder.held.file(CONFIG)  # all that a run leaves which is killed before its first checkpoint
            saved = read_config(config).given(str(config)) if config.exists() else {}
            options = TRAIN.resolved(saved | self.given)
            before = saved.get("corpus")
        else:
            folder.before = saved_options(header, folder.path)
            options = changed_options(folder.before, self.given)
            before = folder.before.corpus
        options.corpus = settled(options.corpus, self.corpus_typed and self.corpus != before)
        if header is None:
            folder.require_nothing_but_options()
            require_possible_rates(options)
        else:
            require_same_options(folder.before, options, folder.path)
        require_possible(options)
        require_effect(options, self.typed)
        return options
