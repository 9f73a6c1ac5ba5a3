"""A corpus: the ids of a training, a validation and a test text, and the vocabulary of the training text.

A corpus is a folder with three texts, one text file that is split in order, or a name: a folder
under ``datasets/`` whose ``corpus.json`` says what it is and, where the texts are not beside it,
from where they are fetched.
"""

import hashlib
from collections import defaultdict
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from rnnlm.compute import arguments
from rnnlm.errors import RnnlmError, counted
from rnnlm.text.corpora import SPLITS, corpus_name, fetch_damaged, resolve, split_files
from rnnlm.text.corpus_notes import odd_notes, text_notes, used_notes, vocabulary_note
from rnnlm.text.lines import encode_string
from rnnlm.text.numbered import Tokens
from rnnlm.text.numbered_cache import read_tokens
from rnnlm.text.sources import called
from rnnlm.text.tokenizer import LEVELS, LINE_END
from rnnlm.text.vocabulary import EOS, UNK, UNKNOWN, Vocabulary


@dataclass
class EncodedText:
    """A text as ids of one vocabulary.

    ids (n,) int32; is_oov (n,) bool: the ids that stand for a word outside the vocabulary (as <unk>).
    words, sentences, oov: counts of the text as written; where the vocabulary has no <unk>, the oov
    words are left out of ``ids``.

    kept (words + sentences,) bool: which tokens of the text as written have an id; None: all of them.
    vocabulary_fingerprint: that of the vocabulary, None where it is not known.
    unk: how many of the ids are <unk>, as written or for an oov word.
    """

    ids: np.ndarray
    is_oov: np.ndarray
    words: int
    sentences: int
    oov: int
    kept: np.ndarray | None = None
    vocabulary_fingerprint: str | None = None
    unk: int = 0

    @property
    def unk_share(self):
        """The share of the targets that are <unk>; the larger it is, the less a perplexity says."""
        return self.unk / max(1, len(self.ids))

    @classmethod
    def from_tokens(cls, tokens, vocabulary):
        """From the Tokens of a text."""
        table = _table(tokens, vocabulary)
        counts = tokens.counts()
        sentences, oov = int(counts[table == vocabulary.eos_id].sum()), int(counts[table == UNKNOWN].sum())
        ids = _ids(tokens, table, vocabulary)
        is_oov, kept, unk = np.broadcast_to(np.False_, ids.shape), None, 0
        if vocabulary.unk_id is not None:
            is_oov = tokens.look_up(table == UNKNOWN)
            unk = oov + int(counts[table == vocabulary.unk_id].sum())
        elif oov:
            kept = tokens.look_up(table != UNKNOWN)
        return cls(ids, is_oov, tokens.size - sentences, sentences, oov, kept, vocabulary.fingerprint(), unk)

    def as_written(self, values):  # (ids,) -> (words + sentences,)
        """One value for each token of the text as written, from one for each id: nan where a word was left out."""
        if self.kept is None:
            return values
        spread = np.full(len(self.kept), np.nan)
        spread[self.kept] = values
        return spread


@dataclass
class Corpus:
    """Three texts and their vocabulary.

    train (n,) int32; valid, test: EncodedText; notes: what was decided on the way, a line each;
    best_possible: the lowest perplexity any model can expect on valid and test, by split, where known.
    """

    name: str
    vocabulary: Vocabulary
    train: np.ndarray
    valid: EncodedText
    test: EncodedText
    notes: list = field(default_factory=list)
    best_possible: dict = field(default_factory=dict)

    def fingerprint(self):
        """A SHA-256 (hex) of all that a run reads: the vocabulary and the three texts as ids."""
        words = "\n".join([self.vocabulary.level, *self.vocabulary.words])
        parts = [words.encode("utf-8"), self.train, self.valid.ids, self.test.ids]
        return hashlib.sha256(b"".join(hashlib.sha256(part).digest() for part in parts)).hexdigest()


def read_text(path, vocabulary, on_long=None):
    """The EncodedText of a file, compressed or not, under a fixed vocabulary; ``-`` is standard input.

    on_long(name, size): called when a file turns out to be a long text, returns a callback for its bytes.
    RnnlmError if it has no token or cannot be read.
    """
    arguments.path("path", path, "the path of a text", "read_text takes (path, vocabulary)")
    arguments.kind("vocabulary", vocabulary, Vocabulary, "a Vocabulary",
                   "load_model and load_corpus give the one to encode with")
    tokens = read_tokens(path, vocabulary.level, on_long)
    if not tokens.size:
        raise RnnlmError(f"{called(path)} must hold at least one line of text, but it is empty")
    return EncodedText.from_tokens(tokens, vocabulary)


def encode_text(text, vocabulary):
    """The EncodedText of a string under a fixed vocabulary, as that of a file that holds it.

    A last line without a line end gets one.  RnnlmError if it has no token.
    """
    if not isinstance(text, str):
        raise arguments.wrong("text", "a string", text, "read_text takes the path of a file")
    arguments.kind("vocabulary", vocabulary, Vocabulary, "a Vocabulary")
    index = defaultdict()
    index.default_factory = index.__len__  # a new token gets the next number
    ids = encode_string(text, index, vocabulary.level)
    if not ids.size:
        raise RnnlmError("text must hold at least one line, but it is empty")
    return EncodedText.from_tokens(Tokens(list(index), ids, 0, ids.size), vocabulary)


def load_corpus(spec, level="word", min_count=None, max_vocab=None, max_tokens=None, on_file=None, on_long=None):
    """The Corpus named by ``spec``: a folder, a file (str or Path) or a known name; what exists comes first.

    level: "word" or "char".  min_count: words of the training text seen fewer times become <unk>;
    by default 2, but 1 for characters and for a text that has <unk> already.  max_vocab: the most
    entries of the vocabulary.  max_tokens: train on the first tokens only.  on_file(name, size), on_long(name,
    size): return a progress callback for a file that is fetched, for a long one that is read.
    RnnlmError: no such corpus, a text that cannot be read, nothing to train on.
    """
    arguments.path("spec", spec, "a known name or the path of a corpus")
    arguments.one_of("level", level, LEVELS)
    for name, value, least in (("min_count", min_count, 1), ("max_vocab", max_vocab, 3), ("max_tokens", max_tokens, 1)):
        if value is not None:
            arguments.whole(name, value, least)
    path, about, notes = resolve(spec)
    (train, valid, test), where = _read_splits(path, about, level, on_file, on_long)
    if not train.size:
        raise RnnlmError(f"{path}: the training text is empty; it must hold at least one line")
    if train.words == [LINE_END]:
        raise RnnlmError(f"{path}: the training text has no words, only {counted(train.size, 'line end')}; add "
                         "some")
    size, train = train.size, train.part(0, max_tokens or train.size)
    counts = _counts(train)
    if min_count is None:
        min_count = 1 if level == "char" or UNK in counts else 2
    vocabulary = Vocabulary.from_counts(counts, level, min_count, max_vocab)
    for split, tokens in (("validation", valid), ("test", test)):
        if not tokens.size:
            raise RnnlmError(f"{path}: the {split} text is empty; it must hold at least one line")
    valid, test = (EncodedText.from_tokens(tokens, vocabulary) for tokens in (valid, test))
    for split, text in (("validation", valid), ("test", test)):
        if not text.ids.size:
            raise RnnlmError(f"{path}: the {split} text has no token of the vocabulary; give more text")
    notes += [*used_notes(where, size, train, valid, test), vocabulary_note(counts, vocabulary, min_count, max_vocab),
              *odd_notes(train, counts, vocabulary), *text_notes(valid, test, vocabulary)]
    train = _ids(train, _table(train, vocabulary), vocabulary)
    best = _best_possible(about, valid, test) if level == "word" else {}
    return Corpus(about.get("name", corpus_name(path)), vocabulary, train, valid, test, notes, best)


def _best_possible(about, valid, test):
    """The lowest perplexities that corpus.json knows, by split, of the texts as written: without words replaced."""
    best = about.get("best_possible", {})
    return {split: best[split]["perplexity"] for split, text in (("valid", valid), ("test", test))
            if split in best and not text.oov}


def _table(tokens, vocabulary):
    """The id of each distinct token of a text, UNKNOWN for those outside the vocabulary."""
    index = vocabulary.index()
    return np.array([index[word] for word in tokens.words], dtype=np.int32)


def _ids(tokens, table, vocabulary):
    """The ids of a text by its table; unknown words are <unk>, or left out where the vocabulary has none."""
    known = table != UNKNOWN
    if known.all():
        return tokens.look_up(table)
    if vocabulary.unk_id is None:
        return tokens.look_up(table, keep=known)
    return tokens.look_up(np.where(known, table, np.int32(vocabulary.unk_id)))


def _read_splits(path, about, level, on_file, on_long):
    """The Tokens of the three texts, and where one text was cut into three, if it was."""
    if not path.is_dir():
        return _split(read_tokens(path, level, on_long), path)
    sums = {entry["name"]: entry["sha256"] for entry in about.get("files", [])}
    for attempt in (1, 2):
        files = split_files(path, about, on_file)
        fetched = {name: value for name, value in sums.items() if files["train"].parent != path}
        try:
            return [read_tokens(files[split], level, on_long, fetched.get(files[split].name)) for split in SPLITS], None
        except RnnlmError:  # a file that was whole when it was fetched may be damaged: once more, then
            if attempt == 2 or not (fetched and fetch_damaged(about, files["train"].parent, on_file)):
                raise


def _counts(tokens):
    """How often each word of a text occurs, a dict in order of first appearance; <eos> for the line end."""
    counts = {EOS if word == LINE_END else word: int(count)
              for word, count in zip(tokens.words, tokens.counts(), strict=True) if count}
    counts.setdefault(EOS, 0)  # the first max_tokens of a text may not reach a line end
    return counts


def _split(tokens, path):
    """Split one text in order, 90/5/5, at line ends where there are enough of them; three Tokens, and where."""
    size = tokens.size
    if size < 20:
        raise RnnlmError(f"{path} must hold at least 20 tokens to be split into three texts, got {size}")
    cuts = [int(share * size) for share in (0.90, 0.95)]
    at_lines = [tokens.next_line(cut) for cut in cuts]
    where = "between words, because it has few line ends,"
    if at_lines[0] < at_lines[1] < size:
        cuts, where = at_lines, "at line ends"
    return [tokens.part(*bounds) for bounds in pairwise([0, *cuts, size])], where
