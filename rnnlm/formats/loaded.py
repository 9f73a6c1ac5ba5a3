"""A model with its vocabulary: texts and words go in and come out."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import numpy as np

from rnnlm.compute import arguments
from rnnlm.errors import ArgumentError, shown
from rnnlm.formats.loaded_writing import Writes
from rnnlm.formats.model_file import load_model
from rnnlm.formats.predictors import is_arpa
from rnnlm.models import LanguageModel
from rnnlm.scoring.evaluation import Evaluation, evaluate
from rnnlm.scoring.pairs import PairScores, score_pairs
from rnnlm.scoring.rows import BASES
from rnnlm.scoring.score import score_rows
from rnnlm.scoring.spelling import Spelling
from rnnlm.text.corpus import read_text
from rnnlm.text.encoded import encode_text
from rnnlm.text.pairs_files import as_pairs, read_pairs
from rnnlm.text.spelled import spelled_file, spelled_string
from rnnlm.text.vocabulary import Vocabulary

if TYPE_CHECKING:
    from collections.abc import Iterable


class Loaded(Writes):
    """A trained model and its vocabulary, as ``rnnlm.load`` returns them.

    A text is a ``str``, which is the text itself, or a ``pathlib.Path``, which is the
    file that holds it (UTF-8, compressed or not).  Unknown words are read as <unk>, or
    left out where the vocabulary has no <unk>.

    Attributes
    ----------
    model : the LanguageModel or NgramModel, for all that the library does with arrays.
    vocabulary : its Vocabulary: ``words`` by id, ``ids`` by word.
    """

    def __init__(self, model: LanguageModel, vocabulary: Vocabulary) -> None:
        self.model, self.vocabulary = model, vocabulary

    def __repr__(self) -> str:
        a, words = getattr(self.model, "architecture", None), len(self.vocabulary)
        if a is None:  # a mixture or an n-gram model, which says itself what it is
            return f"<rnnlm model: {self.model!r}>"
        return f"<rnnlm model: {a['layers']} x {a['cell']} of {a['hidden_size']}, vocabulary {words:,}>"

    def evaluate(self, text: str | os.PathLike[str], *, charge_unknown: bool = False) -> Evaluation:
        """Score a text (str) or file (Path): counts, sum of ln p (nats), perplexities.

        The text is one stream.  Every word and every line end is predicted once, the
        first word from the start of a text.

        charge_unknown: whether ``bits_per_byte`` counts how unknown words are spelled,
        see ``rnnlm.scoring.spelling``.

        Raises
        ------
        RnnlmError : a text without a token, or a file that cannot be read.
        ArgumentError : a str that is the name of a file.
        """
        return evaluate(self.model, self._encoded(text), self.vocabulary.eos_id,
                        spelling=self._spelling(charge_unknown))

    def _spelling(self, charge_unknown):
        """The Spelling to charge, None for none."""
        charged = arguments.yes_or_no("charge_unknown", charge_unknown)
        return Spelling.of_vocabulary(self.vocabulary) if charged else None

    def perplexity(self, text: str | os.PathLike[str]) -> float:
        """The perplexity of a text (str) or of a file (Path): exp of the mean of -ln p.

        Raises what ``evaluate`` raises.
        """
        return self.evaluate(text).perplexity

    def score(self, text: str | os.PathLike[str], protocol: str = "stream", *, by: str = "word", top: int = 0,
              log_base: float | str = 2, charge_unknown: bool = False) -> np.ndarray:
        """A row for each word of a text (str) or of a file (Path), in order, none lost.

        The rows are a structured array, which pandas takes as it is:
        ``pandas.DataFrame(model.score(text))``.  nan, or -1 for a whole number, is a
        number that is not known.

        Parameters
        ----------
        text : the text, or the path of its file.
        protocol : "stream": the state is carried through the text; "document": it is
            forgotten at blank lines, which are not scored; "sentence": it is forgotten
            at every line end.
        by : "word": a row has the fields sentence, position (both from 1), word, known,
            log_prob, surprisal, entropy, entropy_reduction, rank, frequency (see
            ``rnnlm.scoring.rows.word_rows``); "piece": the same for each character of a
            model of characters; "sentence": sentence, words, unknown, log_prob,
            perplexity, bits_per_byte; "text": the same for the whole text, with
            sentences, how many there are.
        top : k, adds the fields top1, p1, ..., topk, pk: the most probable words (at
            most all), and their probabilities.
        log_base : 2, 10 or "e", of log_prob, surprisal and the entropies.
        charge_unknown : whether bits_per_byte counts how unknown words are spelled; for
            sentences and texts.

        Returns
        -------
        (n,) structured array : n is the number of words and line ends, or of lines.

        Raises
        ------
        RnnlmError : a text without a token, or a file that cannot be read.
        ArgumentError : a value that cannot be, or a str that is the name of a file.
        """
        rows = score_rows(self.model, self.vocabulary, self._parts(text), by=by, protocol=protocol, top=top,
                          base=BASES[arguments.one_of("log_base", str(log_base), BASES)],
                          spelling=self._spelling(charge_unknown))
        return np.concatenate(list(rows))

    def states(self, text: str | os.PathLike[str], protocol: str = "stream") -> np.ndarray:
        """The hidden states behind the rows of ``score``: (n, H) float32.

        Row i is the state from which word i was predicted, so it knows all words before
        word i, but not word i.  The state after word i is row i + 1, unless the state
        is forgotten between them.  A word without a probability has nan.

        Parameters, errors: see ``score``.
        """
        found = []
        for _ in score_rows(self.model, self.vocabulary, self._parts(text), protocol=protocol, details=False,
                            on_states=found.append):
            pass
        return np.concatenate(found)

    def _parts(self, text):
        """The parts (Spelled) of what was given as a text."""
        if isinstance(text, os.PathLike):
            return spelled_file(text, self.vocabulary)
        return spelled_string(self._as_text(text), self.vocabulary)

    def _encoded(self, text):
        """The EncodedText of what was given as a text."""
        if isinstance(text, os.PathLike):
            return read_text(text, self.vocabulary)
        return encode_text(self._as_text(text), self.vocabulary)

    def _as_text(self, text):
        """The str itself; ArgumentError for anything else, and for a file's name."""
        if not isinstance(text, str):
            raise arguments.wrong("text", "a text (str) or the path of a file (pathlib.Path)", text)
        if "\n" not in text and "\0" not in text and os.path.isfile(text):
            raise ArgumentError(f"text must be the text itself, got the name of the file {shown(text)}: "
                                "give pathlib.Path(...) for the file, or end the text with a line end")
        return text

    def pairs(self, pairs: os.PathLike[str] | Iterable[tuple[str, str]], *, lowercase: bool = False,
              split_punctuation: bool = False, with_end: bool = True, ties: str = "wrong") -> PairScores:
        """Score minimal pairs: which sentence of each is the more probable one.

        Each sentence is read on its own and scores the sum of ln p (nats) of its words
        and its end.  ``accuracy`` of the result is the share of pairs in which the good
        one scores more; ``sentence.log_probs`` has the scores, (P, 2).

        Parameters
        ----------
        pairs : (good, bad) sentences; or the path (Path) of a file of pairs, or of a
            folder of them, as ``rnnlm pairs`` reads them.
        lowercase : whether capitals become small letters first.
        split_punctuation : whether punctuation, n't and 's become words of their own.
        with_end : whether the end of a sentence is scored.
        ties : what two equal scores count, "wrong", "right" or "half".

        Raises
        ------
        RnnlmError : a file that cannot be read, or a pair that is none.
        ArgumentError : a value that cannot be.
        """
        if isinstance(pairs, str):
            raise arguments.wrong("pairs", "a list of pairs (good, bad) or a pathlib.Path", pairs)
        found = read_pairs(pairs) if isinstance(pairs, os.PathLike) else as_pairs(pairs)
        return score_pairs(self.model, self.vocabulary, found, lowercase=lowercase, with_end=with_end, ties=ties,
                           split_punctuation=split_punctuation)


def load(path: str | os.PathLike[str]) -> Loaded:
    """Load a model with its vocabulary: of a model file, a run folder or an ARPA file.

    ``perplexity``, ``evaluate``, ``score``, ``states``, ``pairs``, ``generate``,
    ``samples``, ``beam`` and ``next_words`` of the result take and give text.
    RnnlmError if there is no model, or none that is whole.  What an ARPA file lacks is
    said in ``model.notes`` of the result.
    """
    if not is_arpa(path):
        return Loaded(*load_model(path))
    from rnnlm.formats.arpa_reading import read_arpa

    return Loaded(*read_arpa(path))
