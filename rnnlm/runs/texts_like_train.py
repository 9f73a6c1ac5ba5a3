"""The options on texts of a command that trains something else, as those of a run.

They mean the same there, so that both models read the same ids.
"""

from dataclasses import replace

from rnnlm.formats.predictors import load_predictor
from rnnlm.runs.checks import not_empty
from rnnlm.runs.option import Option
from rnnlm.runs.options import TRAIN
from rnnlm.text.choose_tokenizer import LEARNED, words_tokenizer
from rnnlm.text.corpus import load_corpus
from rnnlm.text.documents import DOCUMENTS
from rnnlm.text.sources import require_one_standard_input
from rnnlm.text.split import Split

OWN = "without --vocabulary-of"


def _own(o):
    """Whether the vocabulary is made from the text."""
    return o.vocabulary_of is None


def _of_words(o):
    return _own(o) and o.level == "word"


def _same(name, acts=None, acts_with="", **changes):
    """An option of the training command."""
    return replace(TRAIN.by_name[name], acts=acts, acts_with=acts_with, **changes)


CORPUS = _same("corpus", argument=True, metavar="CORPUS", default=None)
TEXTS = (
    *map(_same, ("split", "split_by", "split_shares")),
    _same("split_seed", TRAIN.by_name["split_seed"].acts, TRAIN.by_name["split_seed"].acts_with,
          help="seed of a random split"),
    _same("save_splits"),
    Option("vocabulary_of", not_empty, "read the text with the vocabulary and the tokenizer of a trained model, so "
           "that both can be mixed", metavar="MODEL", meant_by="vocab vocabulary vocabulary-from"),
    _same("level", lambda o: _own(o) or o.level == "word", f"a new vocabulary, {OWN}"),
    _same("vocab_size", lambda o: _own(o) and o.level in LEARNED and o.tokenizer is None,
          "--level subword, without --tokenizer and --vocabulary-of"),
    _same("tokenizer", lambda o: _own(o) and o.level in LEARNED, f"--level subword, {OWN}"),
    _same("lowercase", lambda o: not o.lowercase or _of_words(o), f"--level word, {OWN}"),
    _same("split_punctuation", lambda o: not o.split_punctuation or _of_words(o), f"--level word, {OWN}"),
    *(_same(name, lambda o: _own(o) and o.level not in LEARNED, f"words or characters, {OWN}")
      for name in ("max_vocab", "min_count")),
    _same("max_tokens"),
)


def corpus_of(options, **watching):
    """The Corpus that these options name.

    watching: ``on_file`` and ``on_long``, see ``load_corpus``.
    """
    corpora = options.corpus if isinstance(options.corpus, list) else [options.corpus]
    require_one_standard_input(options.vocabulary_of, *corpora)
    vocabulary = None if options.vocabulary_of is None else load_predictor(options.vocabulary_of)[1]
    by_name = {option.name: option for option in TEXTS}
    of_level = {name: getattr(options, name) for name in ("min_count", "max_vocab", "vocab_size", "tokenizer")
                if by_name[name].acts(options)}
    level = words_tokenizer(options.lowercase, options.split_punctuation) if options.level == "word" else options.level
    split = Split(options.split, options.split_by, options.split_shares, options.split_seed)
    return load_corpus(options.corpus, level, **of_level, max_tokens=options.max_tokens, vocabulary=vocabulary,
                       split=split, apart=options.split_by == DOCUMENTS, save_splits=options.save_splits, **watching)
