"""The vocabulary of a corpus: its training text's, or a given one that may grow."""

from rnnlm.errors import RnnlmError, counted, shown
from rnnlm.text.tokenizer import LINE_END
from rnnlm.text.vocabulary import EOS, UNK, Vocabulary


class LackingWordsError(RnnlmError):
    """A training text has words that a given vocabulary cannot read."""


def counts_of(tokens):
    """How often each word of a text occurs, a dict in order of first appearance.

    The line end is counted as <eos>.
    """
    counts = {EOS if word == LINE_END else word: int(count)
              for word, count in zip(tokens.words, tokens.counts(), strict=True) if count}
    counts.setdefault(EOS, 0)  # the first max_tokens of a text may not reach a line end
    return counts


def grown(given, counts, tokenizer, min_count, max_vocab):
    """The vocabulary of a text, or a given one with the words of the text."""
    if given is None:
        return Vocabulary.from_counts(counts, tokenizer, min_count, max_vocab)
    if max_vocab is not None and max_vocab < len(given):
        raise RnnlmError(f"max_vocab must be at least {len(given):,}, because the model keeps its words, got "
                         f"{max_vocab:,}")
    return given.extended(counts, min_count, max_vocab)


def require_known(path, counts, vocabulary, extend):
    """RnnlmError if words of the training text have no id and cannot become <unk>.

    extend: whether the vocabulary took all words for which there is room.
    """
    lacking = [word for word in counts if word not in vocabulary.ids]
    if lacking and vocabulary.unk_id is None:
        remedy = "give a larger --max-vocab" if extend else "add them with --extend-vocab"
        words = counted(len(counts) - 1, vocabulary.tokenizer.unit)
        raise LackingWordsError(f"{path}: the model's vocabulary of {len(vocabulary):,} has no {UNK}, and lacks "
                                f"{len(lacking):,} of the {words} of the training text, such as "
                                f"{shown(repr(lacking[0]))}: {remedy}")
