"""Writing: texts from a model, from the words of a prompt to an end."""

from itertools import chain

import numpy as np

from rnnlm.compute import arguments
from rnnlm.errors import ArgumentError, RnnlmError
from rnnlm.scoring.beam import beam_search
from rnnlm.scoring.constraints import RECENT, Constraints
from rnnlm.scoring.generation import generate
from rnnlm.scoring.limits import EndlessError, Limits, Progress, endless_line
from rnnlm.scoring.predictor import reads_unknown, require_states
from rnnlm.scoring.prompts import banned_ids, prompt_ids
from rnnlm.scoring.sampling import Drawing, Draws
from rnnlm.scoring.streams import Stream, write_streams
from rnnlm.scoring.written import Written
from rnnlm.text.tokenizer import LINE_END

WIDEST_BEAM = 1000
WORDS_AT_ONCE = 8  # that a thread writes of its texts before it waits for the others


class _Task:
    """A prompt and all that a text must obey, as ids."""

    def __init__(self, model, vocabulary, prompt, *, length=None, sentences=None, min_length=None, max_length=None,
                 ban=(), repetition_penalty=1.0, allow_unk=False):
        self.model, self.vocabulary = model, vocabulary
        ids, _ = prompt_ids(prompt, vocabulary, with_unknown=reads_unknown(model))
        self.ids = np.array([vocabulary.eos_id, *ids], dtype=np.int32)
        self.tokens = vocabulary.tokenizer.split(prompt)
        tail = self.tokens[::-1]
        self.before = tail.index(LINE_END) if LINE_END in tail else len(tail)  # the words that a line has already
        self.spelled = [*vocabulary.words]
        self.spelled[vocabulary.eos_id] = LINE_END
        self.limits = Limits(vocabulary.eos_id, vocabulary.tokenizer, length, sentences, min_length, max_length)
        allow_unk = arguments.yes_or_no("allow_unk", allow_unk)
        self.forbidden = [] if allow_unk or vocabulary.unk_id is None else [vocabulary.unk_id]
        if len(vocabulary) - len(self.forbidden) == 1:
            raise RnnlmError("the model's vocabulary has no word to write, only <eos>")
        self.forbidden += banned_ids(ban, vocabulary)[0]
        self.constraints = Constraints(self.limits, len(vocabulary), self.forbidden, repetition_penalty)

    def progress(self):
        """That of a text which begins behind the prompt."""
        return Progress(self.limits, self.before)

    def streams(self, rngs):
        """Yield a Stream for each of these generators, and number them."""
        for number, rng in enumerate(rngs, 1):
            yield Stream(number, rng, self.progress(), self.constraints.recent(self.ids[-RECENT:].tolist()))

    def write(self, rngs, drawing, count=1, scored=False, words=1):
        """``write_streams`` of ``count`` texts, each with one of these generators."""
        require_states(self.model, "several texts at once", "predict")
        return write_streams(self.model, self.ids, self.streams(rngs), count,
                             Draws(drawing, self.constraints, scored), words)

    def pieces(self, ids):
        """Yield the text in pieces: the prompt's tokens, then the words of ids."""
        return self.vocabulary.tokenizer.join(chain(self.tokens, map(self.spelled.__getitem__, ids)))

    def shown(self, i):
        """The token of an id as it is shown."""
        return self.vocabulary.tokenizer.shown(self.vocabulary.words[i])

    def written(self, number, ids, log_probs, stopped=""):
        """The Written of these ids."""
        pieces = list(self.pieces(ids))
        n = len(self.tokens)
        return Written(number, "".join(pieces[:n]), "".join(pieces[n:]), [*map(self.shown, ids)],
                       log_probs, stopped)


def write_text(model, vocabulary, prompt="", *, rng, temperature=1.0, top_k=None, top_p=None, **options):
    """Yield a text in pieces, one a token: the prompt, then what the model writes.

    Parameters
    ----------
    model, vocabulary : a LanguageModel and the Vocabulary of its ids.
    prompt : the text to continue; "" is the start of a text.
    rng : the numpy.random.Generator from which the words are drawn.
    temperature, top_k, top_p : see ``rnnlm.generate``.
    options : length, sentences, min_length, max_length (see Limits), ban (a list of
        words that are never written), repetition_penalty (see Constraints), and
        allow_unk: whether the model may write <unk>.

    Raises
    ------
    RnnlmError : what cannot be, at once; later a thousand line ends in a row, or no
        line end where they are counted.
    """
    task = _Task(model, vocabulary, prompt, **options)
    if task.constraints.change:
        arguments.generator("rng", rng)
        ids = _ids_of_one(task.write([rng], Drawing(temperature, top_k, top_p)))
    else:
        ids = _until(generate(model, task.ids, rng=rng, temperature=temperature, top_k=top_k, top_p=top_p,
                              forbidden=task.forbidden), task.progress())
    return task.pieces(ids)


def _until(ids, progress):
    """The drawn ids up to the end of the text."""
    for i in ids:
        yield i
        if progress.add(i):
            return


def _ids_of_one(steps):
    """The ids of a single Stream, as they are drawn."""
    for (stream,) in steps:
        yield stream.ids[-1]
    if stream.stopped:
        raise EndlessError(stream.stopped)


def write_samples(model, vocabulary, prompt="", count=1, *, rng, temperature=1.0, top_k=None, top_p=None, scores=False,
                  on_step=lambda: False, **options):
    """Yield several texts, each a Written, in order; they are written side by side.

    The first is drawn from ``rng``, as the text of ``write_text`` is, and each other
    one from a generator that is spawned from it.  So the random numbers of a text do
    not depend on how many are written beside it.  Nor does the text, up to rounding: in
    a batch the scores of another number of texts may differ in their last bits.

    Parameters
    ----------
    count : how many texts.
    scores : whether their ``log_probs`` are computed.
    on_step : function, called after every few words of the texts; if it returns true
        all of them end there.
    others : see ``write_text``.

    Raises
    ------
    RnnlmError : what cannot be, at once.  A text that shows no sign of an end is cut
        short, and its ``stopped`` says so.
    """
    arguments.whole("count", count)
    arguments.generator("rng", rng)
    task = _Task(model, vocabulary, prompt, **options)
    rngs = (rng if number == 1 else rng.spawn(1)[0] for number in range(1, count + 1))
    steps = task.write(rngs, Drawing(temperature, top_k, top_p), count,
                       arguments.yes_or_no("scores", scores), WORDS_AT_ONCE)
    return (task.written(stream.number, stream.ids, list(stream.log_probs) if scores else None, stream.stopped)
            for stream in _in_order(steps, on_step))


def _in_order(steps, on_step):
    """The Streams that have ended, in order of their numbers.

    When ``on_step`` returns true, all that were begun.
    """
    begun, due = {}, 1
    for batch in steps:
        for stream in batch:
            begun.setdefault(stream.number, stream)
        while due in begun and begun[due].ended:
            yield begun.pop(due)
            due += 1
        if on_step():
            break
    for _, stream in sorted(begun.items()):
        stream.stopped = stream.stopped or ("" if stream.ended else "it was interrupted")
        yield stream


def write_beam(model, vocabulary, prompt="", width=5, *, length_penalty=0.0, scores=False, on_step=lambda: False,
               **options):
    """The most probable continuations of a prompt up to the line end, best first.

    Parameters
    ----------
    width : how many are kept in each step, and returned at most.
    length_penalty : continuations are ranked by ln p / size^length_penalty; the size
        counts the words and the line end.
    scores : whether their ``log_probs`` are given.
    on_step : function, called after each word; if it returns true the search ends.
    options : min_length, max_length, ban and allow_unk, as in ``write_text``.

    Returns
    -------
    list of Written.  If the search met a line that does not end, the unfinished
        continuations come last, and their ``stopped`` says so.

    Raises
    ------
    RnnlmError : what cannot be.
    """
    arguments.whole("width", width, 1, WIDEST_BEAM)
    arguments.number("length_penalty", length_penalty, "from 0 to 10", lambda x: 0 <= x <= 10)
    arguments.yes_or_no("scores", scores)
    for name in ("length", "sentences", "repetition_penalty"):
        if name in options:
            raise ArgumentError(f"{name} is no argument of a beam search: leave it out")
    task = _Task(model, vocabulary, prompt, sentences=1, **options)
    require_states(model, "a beam search", "predict")
    stopped = [""]

    def stop():
        stopped[0] = "it was interrupted" if on_step() else ""
        return bool(stopped[0])

    finished, unfinished = beam_search(model, task.ids, width, task.constraints, task.progress(), length_penalty, stop)
    why = stopped[0] or str(endless_line(task.limits, "--max-length, or a wider --beam"))
    found = [(hypothesis, "") for hypothesis in finished] + [(hypothesis, why) for hypothesis in unfinished]
    return [task.written(number, ids, log_probs if scores else None, why)
            for number, ((ids, log_probs), why) in enumerate(((h.path(), why) for h, why in found), 1)]
