"""The texts of a run, read as its options say."""

from rnnlm.runs.options import TRAIN
from rnnlm.runs.own_texts import address_of, how_split
from rnnlm.text.choose_tokenizer import LEARNED, words_tokenizer
from rnnlm.text.corpus import load_corpus


def subwords_of(options, folder):
    """The Tokenizer of subwords with which a resumed run began; None if it has none."""
    kept = folder.newest_vocabulary() if options.level in LEARNED else None
    return kept and kept.tokenizer


def read_corpus(options, observer, initial, subwords):
    """The texts that the options name, read with the vocabulary of the InitialModel.

    subwords: the Tokenizer in the place of those that would be learned or read again.
    """

    def told(method):
        return lambda name, size: method(name, size) or (lambda count: None)

    of_level = {name: getattr(options, name) for name in ("min_count", "max_vocab", "vocab_size", "tokenizer")
                if TRAIN.by_name[name].acts(options) and subwords is None}
    corpus = load_corpus(address_of(options), subwords or _tokenizer(options), max_tokens=options.max_tokens,
                         **of_level, on_file=told(observer.on_fetching), on_long=told(observer.on_encoding),
                         vocabulary=initial and initial.vocabulary,
                         extend=options.extend_vocab and initial.begins,  # afterwards it is the extended one
                         **how_split(options), save_splits=options.save_splits,
                         was_learned=subwords is not None and options.tokenizer is None and initial is None)
    return initial.counted(corpus) if initial else corpus


def _tokenizer(options):
    """The Tokenizer that the options ask for."""
    return words_tokenizer(options.lowercase, options.split_punctuation) if options.level == "word" else options.level
