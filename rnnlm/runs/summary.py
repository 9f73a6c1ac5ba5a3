"""summary.json: what a run knows beside its epochs, and its test score at the end.

It is written when a session begins, and again when the test text was scored.  So it is
there for a run that is not finished, and still there when the checkpoints are gone.
"""

import hashlib
import math
from dataclasses import asdict, dataclass
from pathlib import Path

from rnnlm.errors import RnnlmError, shown
from rnnlm.files.bounded import bytes_of
from rnnlm.files.strict_json import loads
from rnnlm.files.whole import reason
from rnnlm.runs.description import described

SUMMARY = "summary.json"
VERSION = 1
LARGEST_SUMMARY = 1 << 20  # bytes
LARGEST = 1 << 62  # no count is larger


@dataclass(frozen=True)
class Text:
    """A validation or test text of a run.

    Attributes
    ----------
    sha256 : of its ids (hex).
    targets, sentences : how many tokens a model predicts, and how many line ends.
    unk : how many targets are <unk>.
    bytes : those of the text in its file; None: not known.
    lost : what its tokens do not tell of it, a list; then bits per byte are a lower
        bound.
    """

    sha256: str
    targets: int
    sentences: int
    unk: int
    bytes: int | None
    lost: list[str]


@dataclass(frozen=True)
class Summary:
    """What summary.json holds.

    Attributes
    ----------
    corpus : what the corpus is called.
    corpus_sha256, vocabulary_sha256 : of all that the run reads, and of its vocabulary.
    unit : of the text, such as "word".
    vocabulary : how many entries it has.
    model : the kind of model and its sizes, in words.
    parameters : how many numbers the model learns.
    valid, test : a Text each.
    test_epoch : whose model was scored on the test text; None: none yet.
    test_loss : its nats per token; None: not known, or not finite.
    """

    corpus: str
    corpus_sha256: str
    vocabulary_sha256: str
    unit: str
    vocabulary: int
    model: str
    parameters: int
    valid: Text
    test: Text
    test_epoch: int | None = None
    test_loss: float | None = None

    @classmethod
    def of_run(cls, corpus, corpus_sha256, model):
        """From a Corpus, its fingerprint and a LanguageModel, before the test."""
        words = corpus.vocabulary
        return cls(corpus.name, corpus_sha256, words.fingerprint(), words.tokenizer.unit, len(words), described(model),
                   sum(param.size for param in model.params), _text(corpus.valid), _text(corpus.test))

    def as_json(self):
        """A dict for JSON."""
        return {"version": VERSION, **asdict(self)}


def _text(text):
    """The Text of an EncodedText."""
    return Text(hashlib.sha256(text.ids).hexdigest(), len(text.ids), text.sentences, text.unk, text.bytes,
                list(text.all_lost))


def read_summary(folder):
    """The Summary in a run folder; None if there is none, as of earlier versions.

    RnnlmError if it is not what a run writes.
    """
    path = Path(folder) / SUMMARY
    try:
        values = loads(bytes_of(path, LARGEST_SUMMARY).decode("utf-8"), "it")
        if not isinstance(values, dict) or values.get("version") != VERSION:
            raise ValueError(f"it must be a JSON object of version {VERSION}")
        return _checked(Summary, {key: value for key, value in values.items() if key != "version"})
    except ValueError as error:
        raise RnnlmError(f"{path} must be the summary of a run: {shown(str(error))}; remove it to do without it"
                         ) from error
    except FileNotFoundError:
        return None
    except OSError as error:
        raise RnnlmError(f"{path} could not be read: {reason(error)}") from error


def has_ended(summary):
    """Whether a Summary, or None, is that of a run which has scored its test text."""
    return summary is not None and summary.test_epoch is not None


def _checked(kind, values):
    """A Summary or a Text of these values; ValueError if no run can have them."""
    rules = OF_A_TEXT if kind is Text else OF_A_SUMMARY
    if not isinstance(values, dict) or values.keys() != rules.keys():
        raise ValueError(f"it must have the keys {', '.join(rules)}")
    wrong = next((key for key, rule in rules.items() if rule is not Text and not rule(values[key])), None)
    if wrong:
        raise ValueError(f"{wrong} cannot be {shown(repr(values[wrong]))}")
    return kind(**{key: _checked(Text, value) if rules[key] is Text else value for key, value in values.items()})


def _count(value):
    return type(value) is int and 0 <= value < LARGEST


def _words(value):
    return isinstance(value, str)


def _none_or(rule):
    return lambda value: value is None or rule(value)


OF_A_TEXT = {"sha256": _words, "targets": lambda value: _count(value) and value > 0, "sentences": _count,
             "unk": _count, "bytes": _none_or(lambda value: _count(value) and value > 0),
             "lost": lambda value: isinstance(value, list) and all(map(_words, value))}
OF_A_SUMMARY = {
    **dict.fromkeys(("corpus", "corpus_sha256", "vocabulary_sha256", "unit"), _words), "vocabulary": _count,
    "model": _words, "parameters": _count, "valid": Text, "test": Text, "test_epoch": _none_or(_count),
    "test_loss": _none_or(lambda value: isinstance(value, float) and 0 <= value < math.inf)}
