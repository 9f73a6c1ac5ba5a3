"""A model as it is used: loaded with its vocabulary, so that texts and words go in and come out."""

import os

import numpy as np

from rnnlm.compute import arguments
from rnnlm.errors import ArgumentError, shown
from rnnlm.formats.model_file import load_model
from rnnlm.scoring.evaluation import evaluate
from rnnlm.scoring.generation import probs_after
from rnnlm.scoring.writing import prompt_ids, write_text
from rnnlm.text.corpus import encode_text, read_text


class Loaded:
    """A trained model and its vocabulary, as ``rnnlm.load`` returns them.

    A text is a ``str``, which is the text itself, or a ``pathlib.Path``, which is the file
    that holds it (UTF-8, compressed or not).  Unknown words are read as <unk>, or left out
    where the vocabulary has no <unk>.

    Attributes
    ----------
    model : LanguageModel
        For all that the library does with arrays.
    vocabulary : Vocabulary
        ``vocabulary.words[i]`` is the word of id i, ``vocabulary.ids[word]`` the id of a word.
    """

    def __init__(self, model, vocabulary):
        self.model, self.vocabulary = model, vocabulary

    def __repr__(self):
        a, words = self.model.architecture, len(self.vocabulary)
        return f"<rnnlm model: {a['layers']} x {a['cell']} of {a['hidden_size']}, vocabulary {words:,}>"

    def evaluate(self, text):
        """The Evaluation of a text (str) or of a file (Path): counts, sum of ln p, perplexities.

        The text is one stream; every word and every line end is predicted once, the first word
        from the start of a text.

        Raises
        ------
        RnnlmError
            A text without a token, or a file that cannot be read.
        ArgumentError
            A str that is the name of a file.
        """
        return evaluate(self.model, self._encoded(text), self.vocabulary.eos_id)

    def perplexity(self, text):
        """The perplexity of a text (str) or of a file (Path): exp of the mean of -ln p, a float.

        Raises what ``evaluate`` raises.
        """
        return self.evaluate(text).perplexity

    def _encoded(self, text):
        """The EncodedText of what was given as a text."""
        if isinstance(text, os.PathLike):
            return read_text(text, self.vocabulary)
        if not isinstance(text, str):
            raise arguments.wrong("text", "a text (str) or the path of a file (pathlib.Path)", text)
        if "\n" not in text and "\0" not in text and os.path.isfile(text):
            raise ArgumentError(f"text must be a text, got the name of the file {shown(text)}: "
                                "give pathlib.Path(...) for the file, or end the text with a line end")
        return encode_text(text, self.vocabulary)

    def generate(self, prompt="", *, length=None, sentences=None, temperature=1.0, top_k=None, top_p=None,
                 allow_unk=False, seed=None):
        """A text (str): the prompt, and what the model writes after it.

        Parameters
        ----------
        prompt : str
            The text to continue; "" is the start of a text.
        length : int, optional
            How many words (or characters) to write.  By default 100 words or 500 characters,
            then to the end of the line, but at most twice as many.
        sentences : int, optional
            In place of a length: write up to this line end.
        temperature : float
            Divides the scores: below 1 the text is safer, above 1 bolder; 0: always the most
            probable word.
        top_k, top_p : int, float, optional
            Draw from the k most probable words, or from the most probable words whose
            probabilities together reach p (above 0, at most 1).
        allow_unk : bool
            Whether the model may write <unk>.
        seed : int, optional
            The same seed gives the same text, as with ``rnnlm generate``; None: another one
            each time.

        Raises
        ------
        RnnlmError
            <eos> among the prompt's words, a vocabulary without words, or a thousand line ends
            in a row.
        ArgumentError
            A value that cannot be.
        """
        if seed is not None:
            arguments.whole("seed", seed, 0)
        return "".join(write_text(
            self.model, self.vocabulary, prompt, rng=np.random.default_rng(seed), length=length, sentences=sentences,
            temperature=temperature, top_k=top_k, top_p=top_p, allow_unk=allow_unk))

    def next_words(self, prompt="", k=10):
        """The k most probable next words after a prompt (str): a list of (word, probability).

        The most probable word comes first, equally probable ones in order of ids.  The end of
        a line is <eos>; with characters, words are characters.

        Raises
        ------
        RnnlmError
            <eos> among the prompt's words, or a model whose scores are not finite.
        ArgumentError
            k below 1.
        """
        arguments.whole("k", k)
        ids, _ = prompt_ids(prompt, self.vocabulary)
        probs = probs_after(self.model, [self.vocabulary.eos_id, *ids])
        first = np.argsort(-probs, kind="stable")[:k]
        return [(self.vocabulary.words[i], float(probs[i])) for i in first]


def load(path):
    """The model of a model file or a run folder, with its vocabulary.

    Parameters
    ----------
    path : str or path
        A model file, or the folder of a run, whose best model it is.

    Returns
    -------
    Loaded
        ``perplexity``, ``evaluate``, ``generate`` and ``next_words`` take and give text.

    Raises
    ------
    RnnlmError
        If there is no model, or none that is whole.
    """
    return Loaded(*load_model(path))
