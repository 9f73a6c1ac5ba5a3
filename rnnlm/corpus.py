"""A corpus: the ids of a training, a validation and a test text, and the vocabulary of the training text.

A corpus is a folder with three texts, one text file that is split in order, or a name: a folder
under ``datasets/`` whose ``corpus.json`` says what it is and, where the texts are not beside it,
from where they are fetched.
"""

import hashlib
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from rnnlm import arguments
from rnnlm.errors import RnnlmError, counted
from rnnlm.places import SPLITS, fetch_damaged, resolve, split_files
from rnnlm.text import LEVELS, LINE_END
from rnnlm.tokens import read_tokens
from rnnlm.vocabulary import EOS, UNK, UNKNOWN, Vocabulary

SMALL = 1000  # tokens of a text below which its perplexity is mostly chance


@dataclass
class EncodedText:
    """A text as ids of one vocabulary.

    ids (n,) int32; is_oov (n,) bool: the ids that stand for a word outside the vocabulary (as <unk>).
    words, sentences, oov: counts of the text as written; where the vocabulary has no <unk>, the oov
    words are left out of ``ids``.

    kept (words + sentences,) bool: which tokens of the text as written have an id; None: all of them.
    vocabulary_fingerprint: that of the vocabulary, None where it is not known.
    """

    ids: np.ndarray
    is_oov: np.ndarray
    words: int
    sentences: int
    oov: int
    kept: np.ndarray | None = None
    vocabulary_fingerprint: str | None = None

    @classmethod
    def from_tokens(cls, tokens, vocabulary):
        """From the Tokens of a text."""
        table = _table(tokens, vocabulary)
        counts = tokens.counts()
        sentences, oov = int(counts[table == vocabulary.eos_id].sum()), int(counts[table == UNKNOWN].sum())
        ids = _ids(tokens, table, vocabulary)
        is_oov, kept = np.broadcast_to(np.False_, ids.shape), None
        if vocabulary.unk_id is not None:
            is_oov = tokens.look_up(table == UNKNOWN)
        elif oov:
            kept = tokens.look_up(table != UNKNOWN)
        return cls(ids, is_oov, tokens.size - sentences, sentences, oov, kept, vocabulary.fingerprint())

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
    """The EncodedText of a file under a fixed vocabulary. RnnlmError if it has no token or cannot be read.

    on_long(name, size): called before a long text is read, returns a progress callback.
    """
    arguments.path("path", path, "the path of a text", "read_text takes (path, vocabulary)")
    arguments.kind("vocabulary", vocabulary, Vocabulary, "a Vocabulary",
                   "load_model and load_corpus give the one to encode with")
    tokens = read_tokens(path, vocabulary.level, on_long)
    if not tokens.size:
        raise RnnlmError(f"{path} must hold at least one line of text, but it is empty")
    return EncodedText.from_tokens(tokens, vocabulary)


def load_corpus(spec, level="word", min_count=None, max_vocab=None, max_tokens=None, on_file=None, on_long=None):
    """The Corpus named by ``spec``: a known name, a folder or a file.

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
    path, about = resolve(spec)
    (train, valid, test), notes = _read_splits(path, about, level, on_file, on_long)
    if not train.size:
        raise RnnlmError(f"{path}: the training text is empty; it must hold at least one line")
    if train.words == [LINE_END]:
        raise RnnlmError(f"{path}: the training text has no words, only {counted(train.size, 'line end')}; give it "
                         "some")
    train = train.part(0, max_tokens or train.size)
    vocabulary, vocabulary_notes = _vocabulary(train, level, min_count, max_vocab)
    valid, test = (EncodedText.from_tokens(tokens, vocabulary) for tokens in (valid, test))
    for split, text in (("validation", valid), ("test", test)):
        if not text.ids.size:
            raise RnnlmError(f"{path}: the {split} text has no token the training text knows; give more text")
    train = _ids(train, _table(train, vocabulary), vocabulary)
    notes += vocabulary_notes + _text_notes(valid, test, vocabulary)
    best = about.get("best_possible", {}) if level == "word" else {}
    # The optimum is that of the text as written: it says nothing of a text with words replaced or left out.
    best = {split: best[split]["perplexity"] for split, text in (("valid", valid), ("test", test))
            if split in best and not text.oov}
    return Corpus(about.get("name", path.stem), vocabulary, train, valid, test, notes, best)


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
    """The Tokens of the three texts, and notes."""
    if not path.is_dir():
        return _split(read_tokens(path, level, on_long), path)
    sums = {entry["name"]: entry["sha256"] for entry in about.get("files", [])}
    for attempt in (1, 2):
        files = split_files(path, about, on_file)
        fetched = {name: value for name, value in sums.items() if files["train"].parent != path}
        try:
            return [read_tokens(files[split], level, on_long, fetched.get(files[split].name)) for split in SPLITS], []
        except RnnlmError:  # a file that was whole when it was fetched may be damaged: once more, then
            if attempt == 2 or not (fetched and fetch_damaged(about, files["train"].parent, on_file)):
                raise


def _vocabulary(train, level, min_count, max_vocab):
    """The vocabulary of the training text, and what to say about <unk>."""
    counts = {EOS if word == LINE_END else word: int(count)
              for word, count in zip(train.words, train.counts(), strict=True) if count}
    counts.setdefault(EOS, 0)  # the first --max-tokens of a text may not reach a line end
    if min_count is None:
        min_count = 1 if level == "char" or UNK in counts else 2
    vocabulary = Vocabulary.from_counts(counts, level, min_count, max_vocab)
    unit = "word" if level == "word" else "character"
    gone = len(counts.keys() - vocabulary.ids.keys())
    if gone:
        reason = f"seen fewer than {min_count} times" if max_vocab is None else "too rare for the vocabulary"
        return vocabulary, [f"{counted(gone, unit)} of the training text became {UNK}: {reason}"]
    if vocabulary.unk_id is None:
        return vocabulary, [f"no {UNK}: every one of the training text's {unit}s is in the vocabulary"]
    return vocabulary, [f"{UNK} is a word of the training text and stands for unknown words"]


def _text_notes(valid, test, vocabulary):
    fate = "left out" if vocabulary.unk_id is None else f"taken as {UNK}"
    unit = "word" if vocabulary.level == "word" else "character"
    notes = []
    for split, text in (("validation", valid), ("test", test)):
        if text.oov:
            notes.append(f"{text.oov:,} of the {counted(text.words, unit)} in the {split} text not in the vocabulary: "
                         f"{fate}")
        if text.ids.size < SMALL:
            notes.append(f"the {split} text has only {counted(text.ids.size, 'token')}: its perplexity says little")
    return notes


def _split(tokens, path):
    """Split one text in order, 90/5/5, at line ends where there are enough of them; three Tokens and a note."""
    size = tokens.size
    if size < 20:
        raise RnnlmError(f"{path} must hold at least 20 tokens to be split into three texts, got {size}")
    cuts = [int(share * size) for share in (0.90, 0.95)]
    at_lines = [tokens.next_line(cut) for cut in cuts]
    where = "between words, as there are few line ends,"
    if at_lines[0] < at_lines[1] < size:
        cuts, where = at_lines, "at line ends"
    train, valid, test = splits = [tokens.part(*bounds) for bounds in pairwise([0, *cuts, size])]
    note = (f"one file, split in order {where} 90/5/5: {train.size:,} tokens to train, "
            f"{valid.size:,} to validate, {test.size:,} to test")
    return splits, [note]
