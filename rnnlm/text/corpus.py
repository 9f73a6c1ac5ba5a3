"""A corpus: the ids of a training, a validation and a test text, and their vocabulary.

A corpus is a folder with three texts, one text that is split, or a name.  One text may
be a file, several files, or a folder of files.  A name means a folder under
``datasets/``.  Its ``corpus.json`` says what the corpus is and, where the texts are not
in the folder, from where they are fetched.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from rnnlm.compute import arguments
from rnnlm.errors import ArgumentError, RnnlmError, counted
from rnnlm.text.corpora import SPLITS
from rnnlm.text.corpus_notes import lacking_note, odd_notes, text_notes, used_notes, vocabulary_note
from rnnlm.text.corpus_vocabulary import counts_of, grown, require_known
from rnnlm.text.documents import DOCUMENTS
from rnnlm.text.encoded import EncodedText, id_table, ids_of
from rnnlm.text.made_texts import standard_input_kept
from rnnlm.text.numbered_cache import read_tokens
from rnnlm.text.saved_splits import require_free
from rnnlm.text.sources import STANDARD_INPUT, called, require_one_standard_input
from rnnlm.text.split import Split
from rnnlm.text.subwords.learning import Source, tokenizer_source
from rnnlm.text.three_texts import find, read_three, save
from rnnlm.text.tokenizer import LINE_END, WORDS, Tokenizer
from rnnlm.text.vocabulary import UNK, Vocabulary

TRAINING_SHARE = 0.9  # of one text that is split

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Sequence

    # Called as f(name, size in bytes), returns a function that is called as g(new
    # bytes).
    Progress = Callable[[str, int], Callable[[int], object] | None] | None


@dataclass
class Corpus:
    """Three texts and their vocabulary.

    Attributes
    ----------
    name : what the corpus is called.
    vocabulary : Vocabulary of the training text.
    train : (n,) int32, the ids of the training text.
    valid, test : EncodedText, the validation and the test text.
    notes : list of str, what was decided while the texts were read, a line each.
    best_possible : dict, the lowest perplexity that any model can expect on "valid" and
        "test", where it is known.
    """

    name: str
    vocabulary: Vocabulary
    train: np.ndarray
    valid: EncodedText
    test: EncodedText
    notes: list[str] = field(default_factory=list)
    best_possible: dict[str, float] = field(default_factory=dict)

    def fingerprint(self) -> str:
        """A SHA-256 (hex) of all that a run reads: the vocabulary and three texts."""
        return fingerprint_of(self.vocabulary, self.train, self.valid.ids, self.test.ids)


def fingerprint_of(vocabulary: Vocabulary, *texts: np.ndarray) -> str:
    """A SHA-256 (hex) of a vocabulary and of the ids of three texts."""
    words = "\n".join([vocabulary.tokenizer.fingerprint(), *vocabulary.words])
    parts = [words.encode("utf-8"), *texts]
    return hashlib.sha256(b"".join(hashlib.sha256(part).digest() for part in parts)).hexdigest()


def read_text(path: str | os.PathLike[str], vocabulary: Vocabulary, on_long: Progress = None) -> EncodedText:
    """Read a text as ids of a given vocabulary.

    Parameters
    ----------
    path : of a file, compressed or not; ``-`` is standard input.
    vocabulary : Vocabulary to encode with.
    on_long : function (name, size), called for a long text; see ``load_corpus``.

    Raises
    ------
    RnnlmError : the text has no token, or cannot be read.
    """
    arguments.path("path", path, "the path of a text", "read_text takes (path, vocabulary)")
    arguments.kind("vocabulary", vocabulary, Vocabulary, "a Vocabulary",
                   "load_model and load_corpus give the one to encode with")
    tokens = read_tokens(path, vocabulary.tokenizer, on_long)
    if not tokens.size:
        raise RnnlmError(f"{called(path)} must hold at least one line of text, but it is empty")
    return EncodedText.from_tokens(tokens, vocabulary)


def load_corpus(spec: str | os.PathLike[str] | Sequence[str | os.PathLike[str]], level: str | Tokenizer = "word",
                min_count: int | None = None, max_vocab: int | None = None, max_tokens: int | None = None,
                on_file: Progress = None, on_long: Progress = None, vocabulary: Vocabulary | None = None,
                extend: bool = False, *, split: Split | None = None, apart: bool = False,
                save_splits: str | os.PathLike[str] | None = None, vocab_size: int | None = None,
                tokenizer: str | os.PathLike[str] | None = None, was_learned: bool = False) -> Corpus:
    """Read a corpus from a folder, from files, or by its known name.

    Parameters
    ----------
    spec : path of a folder or a text file, or a known name; paths override names.  Or a
        list of files and folders, which make one text; "-" is standard input.
    level : "word", "char", "subword" or a Tokenizer.
    min_count : words seen fewer times in the training text become <unk>.
        None: 2, but 1 for characters and for a text that has <unk> already.
    max_vocab : the most entries of the vocabulary; None: no limit.
    max_tokens : use only the first tokens of the training text; None: all.
    on_file : function (name, size), called for each file that is fetched; returns a
        progress callback, which is called with each number of new bytes, or None.
    on_long : function (name, size), called for a long text; returns such a callback.
    vocabulary : the Vocabulary to read the texts with, which decides the level, too;
        None: that of the training text.
    extend : whether the words of the training text that it lacks are added to it, by
        min_count and max_vocab.
    split : a Split, how one text becomes three; None: in order, 90/5/5.
    apart : whether a blank line comes between two files where there is none.
    save_splits : folder to write the three texts to; None: nowhere.
    vocab_size : of subwords, which are learned from the training text; None: 8000.
    tokenizer : path of a file with subwords, in place of learning them.
    was_learned : whether a Tokenizer given as level was learned from this corpus.

    Raises
    ------
    RnnlmError : no such corpus, a text that cannot be read, or nothing to train on; a
        training word that the given vocabulary cannot read.
    """
    specs = _specs(spec)
    if vocabulary is not None:
        arguments.kind("vocabulary", vocabulary, Vocabulary, "a Vocabulary")
        level = vocabulary.tokenizer
    for name, value, least in (("min_count", min_count, 1), ("max_vocab", max_vocab, 3), ("max_tokens", max_tokens, 1)):
        if value is not None:
            arguments.whole(name, value, least)
    source = tokenizer_source(level, vocab_size, tokenizer, min_count, max_vocab, was_learned)
    if save_splits is not None:
        require_free(save_splits)  # before a long text is read
    found = find(specs)
    three = read_three(found, source, split, apart, on_file, on_long)
    path, tokenizer, notes = found.path, source.tokenizer, found.notes + source.notes
    train, valid, test = three.tokens
    _require_words(path, train)
    size, train = train.size, train.part(0, max_tokens or train.size)
    counts = counts_of(train)
    if min_count is None:
        min_count = 1 if UNK in counts else tokenizer.usual_min_count
    given, grows = vocabulary, vocabulary is None or extend
    if grows:
        vocabulary = grown(given, counts, tokenizer, min_count, max_vocab)
    require_known(path, counts, vocabulary, extend)
    valid, test = _encoded(path, vocabulary, validation=valid, test=test)
    about_words = (vocabulary_note(counts, vocabulary, min_count, max_vocab) if given is None
                   else lacking_note(counts, vocabulary, given))
    notes += [*used_notes(three.how, size, train), about_words,
              *odd_notes(train, counts, vocabulary, grows, apart or (split or Split()).unit == DOCUMENTS),
              *text_notes(valid, test, vocabulary)]
    train = ids_of(train, id_table(train, vocabulary), vocabulary)
    if save_splits is not None:
        notes.append(save(save_splits, three))
    best = _best_possible(found.about, valid, test) if tokenizer == WORDS else {}
    return Corpus(found.name, vocabulary, train, valid, test, notes, best)


def texts_again(spec: str | os.PathLike[str] | Sequence[str | os.PathLike[str]], vocabulary: Vocabulary,
                max_tokens: int | None = None, was_learned: bool = False, **options: Any) -> dict[str, EncodedText]:
    """The three texts of a corpus, read with the vocabulary that a model has.

    They are those of ``load_corpus`` with these arguments, a dict by split; see
    ``fingerprint_of``.  was_learned: whether subwords were learned from this corpus.
    """
    source = Source(vocabulary.tokenizer, was_learned=was_learned)
    train, *others = read_three(find(_specs(spec)), source, **options).tokens
    tokens = [train.part(0, max_tokens or train.size), *others]
    return {name: EncodedText.from_tokens(text, vocabulary) for name, text in zip(SPLITS, tokens, strict=True)}


def _specs(spec):
    """What was given as a corpus, a list of paths and names."""
    specs = [*spec] if isinstance(spec, list | tuple) else [spec]
    if not specs:
        raise ArgumentError("spec must name a corpus, got an empty list")
    for one in specs:
        arguments.path("spec", one, "a known name or the path of a corpus")
    require_one_standard_input(*specs)
    return [standard_input_kept()[0] if one == STANDARD_INPUT else one for one in specs]


def _require_words(path, train):
    """RnnlmError unless the training text has words."""
    if not train.size:
        raise RnnlmError(f"{path}: the training text is empty; it must hold at least one line")
    if train.words == [LINE_END]:
        raise RnnlmError(f"{path}: the training text has no words, only {counted(train.size, 'line end')}; add "
                         "some")


def _encoded(path, vocabulary, **splits):
    """The EncodedTexts of Tokens; RnnlmError unless each has a known word."""
    for split, tokens in splits.items():
        if not tokens.size:
            raise RnnlmError(f"{path}: the {split} text is empty; it must hold at least one line")
    texts = {split: EncodedText.from_tokens(tokens, vocabulary) for split, tokens in splits.items()}
    for split, text in texts.items():
        if not text.ids.size:
            raise RnnlmError(f"{path}: the {split} text has no token of the vocabulary; give more text")
    return texts.values()


def _best_possible(about, valid, test):
    """The lowest perplexities that corpus.json knows, by split.

    They are of the texts as written, so texts in which words were replaced have none.
    """
    best = about.get("best_possible", {})
    return {split: best[split]["perplexity"] for split, text in (("valid", valid), ("test", test))
            if split in best and not text.oov}
