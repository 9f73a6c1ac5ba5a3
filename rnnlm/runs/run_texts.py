"""The texts of a run: those that its options name, as its vocabulary reads them."""

from rnnlm.errors import RnnlmError
from rnnlm.runs.options import TRAIN
from rnnlm.runs.own_texts import address_of, how_split
from rnnlm.runs.resuming import different_text
from rnnlm.text.choose_tokenizer import LEARNED, words_tokenizer
from rnnlm.text.corpora import NoCorpusError
from rnnlm.text.corpus import load_corpus
from rnnlm.text.corpus_vocabulary import LackingWordsError


def read_texts(options, folder, observer, initial, header):
    """The Corpus of a run.

    RnnlmError if a text cannot be read, or a resumed run meets another one.

    Parameters
    ----------
    options : those of the run.
    folder : the RunFolder.
    observer : is told of files that are fetched or long.
    initial : the InitialModel; None: there is none.
    header : that of the checkpoint to resume from; None: the run begins.
    """
    try:
        return read_corpus(options, observer, initial, header and _subwords(options, folder))
    except LackingWordsError as error:
        raise error if header is None else different_text(options, folder.path) from None
    except NoCorpusError as error:
        raise error if header is None else RnnlmError(
            f"the run in {folder.shown} cannot read its text again: {error}; put it back, or pass --corpus with where "
            "it is now") from None


def _subwords(options, folder):
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
