"""What a loaded model writes: texts, the most probable lines, the next words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rnnlm.compute import arguments
from rnnlm.scoring.generation import probs_after
from rnnlm.scoring.predictor import reads_unknown
from rnnlm.scoring.prompts import prompt_ids
from rnnlm.scoring.writing import write_beam, write_samples, write_text
from rnnlm.scoring.written import Written

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rnnlm.models import LanguageModel
    from rnnlm.text.vocabulary import Vocabulary


class Writes:
    """The part of ``Loaded`` that writes, with its ``model`` and ``vocabulary``."""

    if TYPE_CHECKING:
        model: LanguageModel
        vocabulary: Vocabulary

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
                length: int | None = None, sentences: int | None = None, temperature: float = 1.0,
                top_k: int | None = None, top_p: float | None = None, allow_unk: bool = False,
                min_length: int | None = None, max_length: int | None = None, ban: Sequence[str] = (),
                repetition_penalty: float = 1.0) -> list[Written]:
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
        length, sentences, temperature, top_k, top_p, allow_unk, min_length, max_length,
            ban, repetition_penalty : as for ``generate``.

        Returns
        -------
        list of Written : ``text``, ``written``, ``tokens``, ``log_probs``,
            ``log_prob``, ``perplexity``; ``stopped`` says why a text is cut short that
            shows no sign of an end.

        Raises what ``generate`` raises at once.
        """
        return list(write_samples(
            self.model, self.vocabulary, prompt, count, rng=_generator(seed), scores=scores, length=length,
            sentences=sentences, temperature=temperature, top_k=top_k, top_p=top_p, allow_unk=allow_unk,
            min_length=min_length, max_length=max_length, ban=ban, repetition_penalty=repetition_penalty))

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
        The end of a line is <eos>; with characters or subwords, words are these.

        Raises
        ------
        RnnlmError : <eos> among the prompt's words, or scores that are not finite.
        ArgumentError : k below 1.
        """
        arguments.whole("k", k)
        ids, _ = prompt_ids(prompt, self.vocabulary, with_unknown=reads_unknown(self.model))
        probs = probs_after(self.model, [self.vocabulary.eos_id, *ids])
        first = np.argsort(-probs, kind="stable")[:k]
        return [(self.vocabulary.tokenizer.shown(self.vocabulary.words[i]), float(probs[i])) for i in first]


def _generator(seed):
    """The generator of a seed; None: another one each time."""
    return np.random.default_rng(seed if seed is None else arguments.whole("seed", seed, 0))
