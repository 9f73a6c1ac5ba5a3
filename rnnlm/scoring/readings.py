"""How a text is read to be scored: what the model remembers, and where it forgets.

    stream     the state is carried from the start of the text to its end
    document   it is forgotten at each line without words, which is not read
    sentence   it is forgotten at each line end

A text is read in parts of bounded memory.  What is forgotten ends a sequence.  The
sequences that lie within a part are read side by side; the one that goes on in the next
part is read on from its state there.  A predictor that adapts reads all sequences in
order, and keeps what it has adapted to.
"""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

import numpy as np

from rnnlm.compute.word_scores import WordScores
from rnnlm.scoring.predictor import adapts, reads_unknown, require_finite
from rnnlm.scoring.words import sequence_scores, stream_scores
from rnnlm.text.vocabulary import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from rnnlm.scoring.predictor import Scores
    from rnnlm.text.spelled import Spelled
    from rnnlm.text.vocabulary import Vocabulary

PROTOCOLS = ("stream", "document", "sentence")


def piece_scores(model: Scores, vocabulary: Vocabulary, parts: Iterable[Spelled], protocol: str = "stream",
                 details: bool = False, top: int = 0,
                 with_states: bool = False) -> Iterator[tuple[Spelled, WordScores]]:
    """Yield each part of a text with the WordScores of its pieces as written.

    A piece that is not scored has nan for numbers and -1 for ranks and ids: one that a
    vocabulary without <unk> lacks, and a line without words under ``document``.  They
    are left out of the model's context; but a model that ``reads_unknown`` knows of the
    former.  Until the generator is closed, the model's state is that of this text; then
    it is what it was before.

    Parameters
    ----------
    model : LanguageModel or another predictor.
    vocabulary : Vocabulary of its ids.
    parts : of a text, in order.
    protocol : one of PROTOCOLS.
    details, top, with_states : see ``LanguageModel.word_scores``.

    Raises
    ------
    RnnlmError : the model gives scores that are not finite.
    """
    cutting = _Cutting(vocabulary, protocol, reads_unknown(model))
    wanted = {"details": details, "top": top, "with_states": with_states}
    with (_InOrder if adapts(model) else _Sequences)(model, vocabulary.eos_id, wanted) as sequences:
        for part in parts:
            ids, is_read, ends = cutting.of(part)
            scores = sequences.scores(ids, ends)
            require_finite(scores.log_probs[ids != UNKNOWN])
            scores = scores.spread(is_read)
            if hasattr(model, "in_order"):  # only here is it known which token of the text each score is of
                scores.log_probs = model.in_order(scores.log_probs)
            yield part, scores
    if hasattr(model, "in_order"):
        model.end_of_text()


class _Cutting:
    """Which pieces of a text are read, and where what was read is forgotten."""

    def __init__(self, vocabulary, protocol, with_unknown):
        self.vocabulary, self.protocol, self.with_unknown = vocabulary, protocol, with_unknown
        self.at_line_start = True  # the next piece

    def of(self, part):
        """(ids that are read, which pieces they are, where sequences end in them).

        Of shapes (r,), (n,) of bools, (k,).
        """
        ids, unk_id = part.ids, self.vocabulary.unk_id
        is_unknown, cuts = ids == UNKNOWN, np.empty(0, np.int64)
        is_read = ~is_unknown if unk_id is None and not self.with_unknown else np.ones(len(ids), bool)
        if self.protocol == "document":
            is_blank, cuts = self._blank_lines(part)
            is_read &= ~is_blank
        elif self.protocol == "sentence":
            cuts = part.line_ends
        if ids.size:
            self.at_line_start = ids[-1] == self.vocabulary.eos_id
        if unk_id is not None and is_unknown.any():
            ids = np.where(is_unknown, np.int32(unk_id), ids)
        return ids[is_read], is_read, np.cumsum(is_read)[cuts]

    def _blank_lines(self, part):
        """(which pieces are those of lines without words, where these lines end).

        Of shapes (n,) of bools, (k,).  Such a line is one word, its end, to which its
        blanks belong.
        """
        starts = part.starts[np.searchsorted(part.starts, part.line_ends, "right") - 1]
        opens = np.concatenate([[self.at_line_start], np.isin(np.arange(len(part.ids)), part.line_ends)])
        starts, ends = starts[opens[starts]], part.line_ends[opens[starts]]
        steps = np.zeros(len(part.ids) + 1, np.int64)
        steps[starts] += 1
        steps[ends + 1] -= 1
        return np.cumsum(steps[:-1]) > 0, ends


class _Sequences:
    """Reads sequences that know nothing of each other, part after part.

    As a block: at its end the model's state is what it was before.
    """

    def __init__(self, model, eos_id, wanted):
        self.model, self.eos_id, self.wanted = model, eos_id, wanted
        self.state, self.last = ExitStack(), None  # of the sequence that goes on in the next part, if there is one

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._end()

    def _end(self):
        self.state.close()
        self.last = None

    def scores(self, ids, ends):
        """The WordScores of a part's ids; sequences end at these offsets."""
        found, start = [], 0
        if self.last is not None and ends.size:
            found += self._read_on(ids[: ends[0]])
            self._end()
            start, ends = ends[0], ends[1:]
        if ends.size and ends[-1] > start:
            found.append(sequence_scores(self.model, ids[start : ends[-1]], np.diff(ends, prepend=start), self.eos_id,
                                         **self.wanted))
        found += self._read_on(ids[ends[-1] if ends.size else start :])
        return WordScores.joined(found) if found else self._of_nothing()

    def _read_on(self, ids):
        """A list of WordScores of the ids that the open sequence has next."""
        if not ids.size:
            return []
        if self.last is None:
            self.state.enter_context(self.model.fresh_state())
            self.last = self.eos_id
        last, self.last = self.last, ids[-1]
        return [scores for _, scores in stream_scores(self.model, ids, last, **self.wanted)]

    def _of_nothing(self):
        scores = WordScores.empty(self.wanted["details"], self.wanted["top"])
        if self.wanted["with_states"]:
            with self.model.fresh_state():
                scores.states = self.model.states(np.array([[self.eos_id]]))[0, :0].copy()
        return scores


class _InOrder(_Sequences):
    """Reads the sequences one after another with a predictor that adapts."""

    def scores(self, ids, ends):
        """The WordScores of a part's ids; sequences end at these offsets."""
        found, start = [], 0
        for end in ends.tolist():
            found += self._read_on(ids[start:end])
            if self.last is not None:
                self.model.forget()
                self.last = self.eos_id
            start = end
        found += self._read_on(ids[start:])
        return WordScores.joined(found) if found else self._of_nothing()
