"""Minimal pairs: which of two sentences a model finds more probable.

A sentence is read alone, from a fresh state after <eos>, and scores the sum of ln p of
its words and of its end.  By the method of one prefix only the words score in which the
sentences first differ, given the words before, which they share.

What a model reads twice may differ in its last bits from batch to batch.  So the same
ids are read once, and tie exactly.  Where two sentences are almost equally probable,
the last bits decide.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from rnnlm.compute import arguments
from rnnlm.errors import RnnlmError
from rnnlm.scoring.predictor import require_finite
from rnnlm.scoring.preferences import TIES, PairScores, Preferences
from rnnlm.scoring.words import sequence_scores
from rnnlm.text.punctuation import split_punctuation as split_words
from rnnlm.text.tokenizer import LINE_END
from rnnlm.text.vocabulary import EOS, UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rnnlm.scoring.predictor import Scores
    from rnnlm.text.pairs_files import Pair
    from rnnlm.text.vocabulary import Vocabulary

CHUNK = 1 << 16  # words from one sign of life to the next
TEXTS = 1 << 14  # of which the words are in memory at a time, as strings
ID = np.dtype(">i4")  # ids as bytes: a sequence that begins another one is the start of its bytes


def score_pairs(model: Scores, vocabulary: Vocabulary, pairs: Sequence[Pair], *, lowercase: bool = False,
                split_punctuation: bool = False, with_end: bool = True, ties: str = "wrong",
                on_words: Callable[[int, int], object] | None = None) -> PairScores:
    """The PairScores of pairs under a model.

    An unknown word is read as <unk>.  Without <unk> in the vocabulary its probability
    is 0, so that its sentence scores -inf.

    Parameters
    ----------
    model : LanguageModel or another predictor.
    vocabulary : the model's Vocabulary.
    pairs : as ``read_pairs`` gives them.
    lowercase : whether letters become small ones first.
    split_punctuation : whether punctuation becomes words of its own, see
        ``rnnlm.text.punctuation``.
    with_end : whether the end of a sentence is scored, too.
    ties : what a tie counts, "wrong", "right" or "half".
    on_words : function, called as on_words(n, total) after each n of ``total`` words;
        what it raises ends the scoring.

    Raises
    ------
    RnnlmError : a sentence without a word, or with the word <eos>; scores that are not
        numbers; or punctuation for a model without whole words.
    """
    arguments.one_of("ties", ties, tuple(TIES))
    if split_punctuation and not vocabulary.tokenizer.whole_words:
        unit = vocabulary.tokenizer.unit
        reason = "the model splits" if unit == "word" else f"a model of {unit}s reads"
        how = "itself" if unit == "word" else "as it is"
        raise RnnlmError(f"--split-punctuation must be left out: {reason} punctuation {how}")
    encoder = _Encoder(vocabulary, lowercase, split_punctuation)
    sentences, unknown = _sentences(encoder, pairs, with_end)
    begun = [i for i, pair in enumerate(pairs) if pair.prefix is not None]
    words, firsts, unknown_begun = _first_words(encoder, [pairs[i] for i in begun])
    log_probs = _log_probs(model, vocabulary, sentences + words, np.append(np.zeros(len(sentences), np.int64), firsts),
                           on_words)
    whole = _preferences(sentences, unknown, log_probs[: len(sentences)])
    some = _preferences(words, unknown_begun, log_probs[len(sentences) :])
    return PairScores(list(pairs), whole, _spread(some, begun, len(pairs)), ties)


def unknown_words(vocabulary: Vocabulary, texts: Sequence[str], *, lowercase: bool = False,
                  split_punctuation: bool = False) -> list[str]:
    """The words of sentences that are not in the vocabulary, each once, in order.

    The options are those of ``score_pairs``.
    """
    tokens = dict.fromkeys(_Encoder(vocabulary, lowercase, split_punctuation).tokens(texts))
    return [token for token in tokens if token not in vocabulary.ids and token != LINE_END]


def _preferences(keys, unknown, log_probs):
    """The Preferences of sequences that are good and bad in turns."""
    log_probs = log_probs.reshape(-1, 2)
    log_probs[np.isnan(log_probs).any(axis=1)] = np.nan  # one word cannot be preferred to none
    same = np.fromiter((good == bad for good, bad in zip(keys[::2], keys[1::2], strict=True)), bool, len(keys) // 2)
    return Preferences(log_probs, same, np.reshape(unknown, (-1, 2)))


def _spread(preferences, which, count):
    """Preferences of some of ``count`` pairs, as those of all."""
    log_probs, same, unknown = np.full((count, 2), np.nan), np.zeros(count, bool), np.zeros((count, 2), np.int64)
    log_probs[which], same[which], unknown[which] = preferences.log_probs, preferences.same_ids, preferences.unknown
    return Preferences(log_probs, same, unknown)


class _Encoder:
    """Makes keys of texts: the ids of each as bytes, UNKNOWN for a word without one."""

    def __init__(self, vocabulary, lowercase, split_punctuation):
        self.vocabulary, self.lowercase, self.split = vocabulary, lowercase, split_punctuation

    def tokens(self, texts, sentences=True):
        """The words of texts, a line end after each."""
        text = "\n".join([*texts, ""])
        tokens = self.vocabulary.tokenizer.split(text.lower() if self.lowercase else text)
        return split_words(tokens, self.vocabulary.ids, sentences) if self.split else tokens

    def keys(self, texts, pairs, sentences=True):
        """The keys of one or two texts of each pair, and how many words are unknown."""
        found, unknown, each = [], [np.zeros(0, np.int64)], len(texts) // max(len(pairs), 1)
        for first in range(0, len(texts), TEXTS):
            keys, counts = self._keys(texts[first : first + TEXTS], sentences,
                                      lambda number, first=first: pairs[(first + number) // each].where)
            found += keys
            unknown.append(counts)
        return found, np.concatenate(unknown)

    def _keys(self, texts, sentences, where):
        """The keys of some texts; where(i) says where the i-th is."""
        tokens = self.tokens(texts, sentences)
        index, unk_id = self.vocabulary.index(), self.vocabulary.unk_id
        ids = np.fromiter(map(index.__getitem__, tokens), np.int32, len(tokens))
        (ends,) = np.nonzero(ids == self.vocabulary.eos_id)
        if len(ends) > len(texts):
            number = tokens[: tokens.index(EOS)].count(LINE_END)
            raise RnnlmError(f"{where(number)} holds the word {EOS}, which is the token of every line end: remove it")
        unknown = np.diff(np.cumsum(ids == UNKNOWN)[ends], prepend=0)
        if unk_id is not None:
            ids[ids == UNKNOWN] = unk_id
        data, ends = ids.astype(ID).tobytes(), ID.itemsize * ends
        starts = np.append(0, ends[:-1] + ID.itemsize)[: len(ends)]
        return [data[start:end] for start, end in zip(starts, ends, strict=True)], unknown


def _sentences(encoder, pairs, with_end):
    """The keys of all sentences, and how many words of each are unknown."""
    keys, unknown = encoder.keys([sentence for pair in pairs for sentence in (pair.good, pair.bad)], pairs)
    if b"" in keys:
        raise RnnlmError(f"{pairs[keys.index(b'') // 2].where} has a sentence of punctuation alone, which is left out: "
                         "remove the pair")
    end = np.array([encoder.vocabulary.eos_id] if with_end else [], ID).tobytes()
    return [key + end for key in keys], unknown


def _first_words(encoder, pairs):
    """The keys of prefixes with the words that come next, where these begin, unknown.

    They are those of the good and of the bad sentence in turns.
    """
    prefixes, unknown = encoder.keys([pair.prefix for pair in pairs], pairs, sentences=False)
    blanks = ["" if not pair.prefix or not encoder.vocabulary.tokenizer.has_blanks else " " for pair in pairs]
    words, unknown_words = encoder.keys(
        [blank + word for pair, blank in zip(pairs, blanks, strict=True) for word in (pair.word_good, pair.word_bad)],
        pairs, sentences=False)
    keys = [prefixes[i // 2] + word for i, word in enumerate(words)]
    return keys, np.repeat(_lengths(prefixes), 2), unknown_words + np.repeat(unknown, 2)


def _log_probs(model, vocabulary, keys, firsts, on_words):
    """The sum of ln p of each sequence's words from one of them on; nan for no word.

    -inf if it has a word without an id.
    """
    lengths = _lengths(keys)
    totals = np.where(firsts < lengths, -np.inf, np.nan)
    none = np.array([UNKNOWN], ID).tobytes()  # the first byte of an id is smaller, so this is never part of two
    which = [i for i, key in enumerate(keys) if none not in key and firsts[i] < lengths[i]]
    read = [keys[i] for i in which]
    hosts = _hosts(read)
    starts, log_probs = _read(model, vocabulary.eos_id, sorted(set(hosts.values())), on_words)
    counts = (lengths - firsts)[which]
    begins = np.array([starts[hosts[key]] for key in read], np.int64) + firsts[which]
    positions = np.repeat(begins - np.cumsum(counts) + counts, counts) + np.arange(counts.sum())
    totals[which] = np.bincount(np.repeat(np.arange(len(which)), counts), log_probs[positions], len(which))
    return totals


def _lengths(keys):
    return np.array([len(key) for key in keys], np.int64) // ID.itemsize


def _hosts(keys):
    """For each distinct key the one that is read for it: itself, or one that it begins.

    In order, a key comes right before all that begin with it.
    """
    hosts, host = {}, b""
    for key in sorted(set(keys), reverse=True):
        host = hosts[key] = host if host.startswith(key) else key
    return hosts


def _read(model, eos_id, keys, on_words):
    """Where each of the keys begins, a dict, and ln p of all their words.

    Keys in order, so that those are read side by side of which the first words are the
    same: they cost the model less.
    """
    ids, lengths = np.frombuffer(b"".join(keys), ID).astype(np.int32), _lengths(keys)
    starts, log_probs = np.cumsum(lengths) - lengths, np.empty(len(ids))
    for first, last in pairwise(np.flatnonzero(np.diff(starts // CHUNK, prepend=-1, append=-1))):
        words = slice(starts[first], starts[last - 1] + lengths[last - 1])
        log_probs[words] = sequence_scores(model, ids[words], lengths[first:last], eos_id).log_probs
        require_finite(log_probs[words], "these pairs")
        if on_words:
            on_words(words.stop - words.start, len(ids))
    return dict(zip(keys, starts, strict=True)), log_probs
