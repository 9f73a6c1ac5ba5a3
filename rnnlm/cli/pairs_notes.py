"""What the command for pairs says of them on standard error."""

import re

from rnnlm.cli.screen import note
from rnnlm.errors import counted, shown
from rnnlm.scoring.pairs import unknown_words

MOST_WORDS = 5  # unknown words that are shown
ATTACHED = re.compile(r"\w[^\w\s]")  # a mark that no blank divides from its word


def note_repeated(pairs):
    """A note on pairs that occur twice; both are counted."""
    seen = {}
    repeated = [pair for pair in pairs if seen.setdefault((pair.uid, pair.good, pair.bad), pair) is not pair]
    if repeated:
        first = repeated[0]
        note(f"note: {counted(len(repeated), 'pair')} repeated; all are counted; {first.where} repeats "
             f"{seen[first.uid, first.good, first.bad].where}")


def note_unknown(scores, vocabulary, options):
    """A note on pairs with unknown words, and on what may make the words known.

    scores : PairScores.
    """
    (which,) = scores.sentence.unknown.any(axis=1).nonzero()
    if not len(which):
        return
    texts = [text for i in which[:MOST_WORDS] for text in (scores.pairs[i].good, scores.pairs[i].bad)]
    words = unknown_words(vocabulary, texts, lowercase=options.lowercase, split_punctuation=options.split_punctuation)
    fate = "read as <unk>" if vocabulary.unk_id is not None else "with probability 0"
    flags = _remedies(scores.pairs, vocabulary, options)
    remedy = f": is the training text prepared in another way? try {flags}" if flags else ""
    note(f"note: {len(which):,} of {counted(len(scores.pairs), 'pair')} with unknown words, {fate}, such as "
         f"{' '.join(shown(word, 40) for word in words[:MOST_WORDS])}{remedy}")


def _remedies(pairs, vocabulary, options):
    """The options that change the sentences towards the vocabulary, as they are given.

    Small letters are one if it has no capital ones but the sentences do.
    """
    sentences = [sentence for pair in pairs for sentence in (pair.good, pair.bad)]
    small = all(word == word.lower() for word in vocabulary.words)
    capitals = any(sentence != sentence.lower() for sentence in sentences)
    attached = any(map(ATTACHED.search, sentences))
    lowered = options.lowercase or vocabulary.tokenizer.lowercase
    flags = ["--lowercase"] * (small and capitals and not lowered)
    flags += ["--split-punctuation"] * (attached and vocabulary.tokenizer.whole_words and not options.split_punctuation)
    return " ".join(flags)
