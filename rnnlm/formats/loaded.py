"""A model with its vocabulary: texts and words go in and come out."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import numpy as np

from rnnlm.compute import arguments
from rnnlm.errors import ArgumentError, shown
from rnnlm.formats.model_file import load_model
from rnnlm.models import LanguageModel
from rnnlm.scoring.evaluation import Evaluation, evaluate
from rnnlm.scoring.generation import probs_after
from rnnlm.scoring.pairs import PairScores, score_pairs
from rnnlm.scoring.prompts import prompt_ids
from rnnlm.scoring.rows import BASES
from rnnlm.scoring.score import score_rows
from rnnlm.scoring.writing import write_beam, write_samples, write_text
from rnnlm.scoring.written import Written
from rnnlm.text.corpus import read_text
from rnnlm.text.encoded import encode_text
from rnnlm.text.pairs_files import as_pairs, read_pairs
from rnnlm.text.spelled import spelled_file, spelled_string
from rnnlm.text.vocabulary import Vocabulary

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any


class Loaded:
    """A trained model and its vocabulary, as ``rnnlm.load`` returns them.

    A text is a ``str``, which is the text itself, or a ``pathlib.Path``, which is the
    file that holds it (UTF-8, compressed or not).  Unknown words are read as <unk>, or
    left out where the vocabulary has no <unk>.

    Attributes
    ----------
    model : the LanguageModel, for all that the library does with arrays.
    vocabulary : its Vocabulary: ``words`` by id, ``ids`` by word.
    """

    def __init__(self, model: LanguageModel, vocabulary: Vocabulary) -> None:
        self.model, self.vocabulary = model, vocabulary

    def __repr__(self) -> str:
        a, words = self.model.architecture, len(self.vocabulary)
        return f"<rnnlm model: {a['layers']} x {a['cell']} of {a['hidden_size']}, vocabulary {words:,}>"

    def evaluate(self, text: str | os.PathLike[str]) -> Evaluation:
        """Score a text (str) or file (Path): counts, sum of ln p (nats), perplexities.

        The text is one stream.  Every word and every line end is predicted once, the
        first word from the start of a text.

        Raises
        ------
        RnnlmError : a text without a token, or a file that cannot be read.
        ArgumentError : a str that is the name of a file.
        """
        return evaluate(self.model, self._encoded(text), self.vocabulary.eos_id)

    def perplexity(self, text: str | os.PathLike[str]) -> float:
        """The perplexity of a text (str) or of a file (Path): exp of the mean of -ln p.

        Raises what ``evaluate`` raises.
        """
        return self.evaluate(text).perplexity

    def score(self, text: str | os.PathLike[str], protocol: str = "stream", *, by: str = "word", top: int = 0,
              log_base: float | str = 2) -> np.ndarray:
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
        top : k, adds the fields top1, p1, ..., topk, pk: the most probable words, and
            their probabilities.
        log_base : 2, 10 or "e", of log_prob, surprisal and the entropies.

        Returns
        -------
        (n,) structured array : n is the number of words and line ends, or of lines.

        Raises
        ------
        RnnlmError : a text without a token, or a file that cannot be read.
        ArgumentError : a value that cannot be, or a str that is the name of a file.
        """
        rows = score_rows(self.model, self.vocabulary, self._parts(text), by=by, protocol=protocol, top=top,
                          base=BASES[arguments.one_of("log_base", str(log_base), BASES)])
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
        lowercase : whether all letters become small first.
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

    def generate(self, prompt: str = "", *, length: int | None = None, sentences: int | None = None,
                 temperature: float = 1.0, top_k: int | None = None, top_p: float | None = None,
                 allow_unk: bool = False, seed: int | None = None, min_length: int | None = None,
                 max_length: int | None = None, ban: Sequence[str] = (), repetition_penalty: float = 1.0) -> str:
        """A text: the prompt, and what the model writes after it.

        Parameters
        ----------
        prompt : the text to continue; "" is the start of a text.
        length : how many words (or characters) to write; None: 100 words or 500
            characters, then to the end of the line, but at most twice as many.
        sentences : in place of a length: write up to this line end.
        temperature : divides the scores: below 1 the text is safer, above 1 bolder; 0:
            always the most probable word.
        top_k : draw from the k most probable words; None: from all.
        top_p : draw from the most probable words whose probabilities together reach p,
            above 0 and at most 1.
        allow_unk : whether the model may write <unk>.
        seed : the same seed gives the same text, that of ``rnnlm generate --seed``;
            None: another text each time.
        min_length : no line ends before it has this many words (or characters).
        max_length : a line that has this many words ends.
        ban : words that are never written.
        repetition_penalty : scores of words among the last 64 are divided by it where
            they are above 0, and multiplied where they are below (Keskar et al., 2019).

        Raises
        ------
        RnnlmError : <eos> among the prompt's words, a vocabulary without words, a
            thousand line ends in a row, or no line end where sentences are counted.
        ArgumentError : a value that cannot be.
        """
        return "".join(write_text(
            self.model, self.vocabulary, prompt, rng=_generator(seed), length=length, sentences=sentences,
            temperature=temperature, top_k=top_k, top_p=top_p, allow_unk=allow_unk, min_length=min_length,
            max_length=max_length, ban=ban, repetition_penalty=repetition_penalty))

    def samples(self, prompt: str = "", count: int = 1, *, scores: bool = False, seed: int | None = None,
                **options: Any) -> list[Written]:
        """Several texts at once, each a prompt with what the model writes after it.

        The first is that of ``generate`` with this seed.  The random numbers of a text
        do not depend on how many are written.  Nor does the text, unless rounding
        decides between two words.

        Parameters
        ----------
        prompt : the text to continue; "" is the start of a text.
        count : how many texts; they are written side by side.
        scores : whether the ``log_probs`` of their words are computed.
        seed : the same seed gives the same texts; None: others each time.
        options : as for ``generate``.

        Returns
        -------
        list of Written : ``text``, ``written``, ``tokens``, ``log_probs``,
            ``log_prob``, ``perplexity``; ``stopped`` says why a text is cut short that
            shows no sign of an end.

        Raises what ``generate`` raises at once.
        """
        return list(write_samples(self.model, self.vocabulary, prompt, count, rng=_generator(seed), scores=scores,
                                  **options))

    def beam(self, prompt: str = "", width: int = 5, *, length_penalty: float = 0.0, scores: bool = False,
             min_length: int | None = None, max_length: int | None = None, ban: Sequence[str] = (),
             allow_unk: bool = False) -> list[Written]:
        """The most probable continuations of a prompt up to the line end, best first.

        Parameters
        ----------
        prompt : the text to continue; "" is the start of a text.
        width : how many are kept in each step of the search, and returned at most.
        length_penalty : continuations are ranked by ln p / size^length_penalty; the
            size counts the words and the line end.  0: by ln p, 1: by its mean.
        scores : whether the ``log_probs`` of their words are given.
        min_length, max_length, ban, allow_unk : as for ``generate``.

        Returns
        -------
        list of Written : see ``samples``.

        Raises
        ------
        RnnlmError : <eos> among the prompt's words, or a vocabulary without words.
        ArgumentError : a value that cannot be.
        """
        return write_beam(self.model, self.vocabulary, prompt, width, length_penalty=length_penalty, scores=scores,
                          min_length=min_length, max_length=max_length, ban=ban, allow_unk=allow_unk)

    def next_words(self, prompt: str = "", k: int = 10) -> list[tuple[str, float]]:
        """The k most probable next words after a prompt, each with its probability.

        The most probable word comes first; equally probable ones are in order of ids.
        The end of a line is <eos>; with characters, words are characters.

        Raises
        ------
        RnnlmError : <eos> among the prompt's words, or scores that are not finite.
        ArgumentError : k below 1.
        """
        arguments.whole("k", k)
        ids, _ = prompt_ids(prompt, self.vocabulary)
        probs = probs_after(self.model, [self.vocabulary.eos_id, *ids])
        first = np.argsort(-probs, kind="stable")[:k]
        return [(self.vocabulary.words[i], float(probs[i])) for i in first]


def _generator(seed):
    """The generator of a seed; None: another one each time."""
    return np.random.default_rng(seed if seed is None else arguments.whole("seed", seed, 0))


def load(path: str | os.PathLike[str]) -> Loaded:
    """Load a model with its vocabulary, from a model file or from the folder of a run.

    ``perplexity``, ``evaluate``, ``score``, ``states``, ``generate``, ``samples``,
    ``beam`` and ``next_words`` of the result take and give text.  RnnlmError if there
    is no model, or none that is whole.
    """
    return Loaded(*load_model(path))
