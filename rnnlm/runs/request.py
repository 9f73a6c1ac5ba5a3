"""What is asked of a run: the options given, in a file and beside it, merged once; and those of a run to be resumed."""

from rnnlm.runs.choose_folder import run_folder
from rnnlm.runs.combinations import require_effect, require_possible, require_possible_rates
from rnnlm.runs.configuration import CONFIG, Configuration, read_config
from rnnlm.runs.options import TRAIN
from rnnlm.runs.recipes import find_config, is_recipe
from rnnlm.runs.resuming import changed_options, require_same_options, saved_options
from rnnlm.text.corpora import known_corpora, namesake, settled


class Request:
    """The options that were given: ``typed`` (on the command line, or as arguments), and those of --config.

    typed: a dict by name, whose values are checked.  ``given``: all, what was typed overrides the file; ``options``:
    resolved (see Table.resolved), as far as no run is resumed.
    """

    def __init__(self, typed):
        path = find_config(typed["config"]) if typed.get("config") else None
        file = read_config(path) if path else Configuration({})
        self.typed, self.given = typed, file.given(path) | typed
        by_program = file.by_a_run or (path is not None and is_recipe(path))
        self.names_a_corpus = "corpus" in self.given
        # In a file that the program wrote a known name is the known corpus's, whatever else is called so here.
        self.corpus_typed = self.names_a_corpus and ("corpus" in typed or not by_program)
        self.options = TRAIN.resolved(self.given)
        self.corpus = self.options.corpus  # as it was written
        self.options.corpus = settled(self.corpus, self.corpus_typed)

    def folder(self, observer):
        """A block with the run's RunFolder (see rnnlm.runs.choose_folder).

        RnnlmError if no new run can have the options.
        """
        if not self.options.resume:
            require_possible(self.options)
            require_effect(self.options, self.typed)
            if line := namesake(self.corpus, known_corpora().get(self.options.corpus, self.options.corpus)):
                observer.on_note(line)
        named = [self.options.corpus, self.corpus] if self.names_a_corpus else []
        return run_folder(self.options, named, observer)

    def settled_in(self, folder, observer):
        """The options with which the run in this RunFolder begins or continues, and the header of its checkpoint.

        The header is None where the run begins.  RnnlmError if what was given cannot be had in this run.
        """
        header, options = None, self.options
        if self.options.resume:
            header = folder.newest_header()
            options = self._begun(folder, observer) if header is None else self._continued(folder, header)
            require_possible(options)
            require_effect(options, self.typed)
        if header is None:
            require_possible_rates(options)
        return options, header

    def _begun(self, folder, observer):
        """Of a run that was killed before its first checkpoint: all that it left is its config.toml, if that."""
        config = folder.held.file(CONFIG)
        saved = read_config(config).given(str(config)) if config.exists() else {}
        options = self._with_corpus(TRAIN.resolved(saved | self.given), saved.get("corpus"))
        folder.require_nothing_but_options()
        observer.on_note(f"{folder.path} holds no checkpoint yet: training starts from the beginning, on "
                         f"{options.corpus}")
        return options

    def _continued(self, folder, header):
        """Of a run with a checkpoint: its own options, and of those given what may change."""
        saved = folder.before = saved_options(header, folder.path)
        options = self._with_corpus(changed_options(saved, self.given), saved.corpus)
        require_same_options(saved, options, folder.path)
        return options

    def _with_corpus(self, options, before):
        """The options with the corpus's lasting name; before: the one in the run's files."""
        options.corpus = settled(options.corpus, self.corpus_typed and self.corpus != before)
        return options
