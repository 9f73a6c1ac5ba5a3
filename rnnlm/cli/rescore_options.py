"""The options of the rescoring command, and which of them go together."""

import math

from rnnlm.cli.partners import MODEL, PARTNERS, TITLE, models_named
from rnnlm.errors import RnnlmError, shown
from rnnlm.runs.checks import OneOf, WrongValue, not_empty, not_negative, number
from rnnlm.runs.option import DEBUG, FLAG, THREADS, Option
from rnnlm.runs.table import Table
from rnnlm.scoring.nbest_rows import FORMS as OUTPUTS
from rnnlm.scoring.rows import BASES
from rnnlm.text.nbest_files import FORMS
from rnnlm.text.nbest_tables import BY_KEY, BY_ORDER, WAYS
from rnnlm.text.sources import require_one_standard_input

MOST_STEPS = 1000  # values of a scale or a penalty that are tried
SIGNS = {"log-prob": 1, "cost": -1}
PRINTED = "printed lists, not with --tune"
CHOOSES = "printed lists, or with --tune and --carry"
any_number = number(float, "a number", lambda value: not math.isnan(value))


def steps(text):
    """FROM:TO:STEP as a tuple of numbers."""
    try:
        first, last, step = map(any_number, text.split(":"))
    except ValueError:
        raise WrongValue(f"must be FROM:TO:STEP, three numbers, got {shown(repr(text))}") from None
    if not (step > 0 and first <= last and (last - first) / step < MOST_STEPS):
        raise WrongValue(f"must be FROM:TO:STEP, a STEP above 0 and TO at least FROM, with at most {MOST_STEPS:,} "
                         f"numbers, got {shown(repr(text))}")
    count = math.floor((last - first) / step + 1e-9) + 1
    return tuple(round(first + step * k, 10) for k in range(count))


def any_steps(text):
    """A check: FROM:TO:STEP, as it is."""
    steps(text)
    return text


def steps_from_zero(text):
    """A check: FROM:TO:STEP with numbers of at least 0, as it is."""
    if steps(text)[0] < 0:
        raise WrongValue(f"must begin with a number of at least 0, got {shown(repr(text))}")
    return text


def _with_first_pass(options):
    return options.first_pass is not None


def _with_tune(options):
    return options.tune is not None


def _without_tune(options):
    return options.tune is None


def _chooses(options):
    """Whether scale and word penalty choose anything."""
    return options.tune is None or options.carry


RESCORE = Table({"options": (
    MODEL,
    Option("nbest", not_empty, "n-best lists in UTF-8, compressed (gzip, bzip2, xz, zstd) or not; - reads standard "
           "input", metavar="NBEST", argument=True),
    Option("nbest_format", OneOf(FORMS), "form of the lists: 'UTTERANCE words', 'UTTERANCE-NUMBER words', 'ID ||| "
           "words ||| features ||| total', or lines of words with an empty line between two lists; it must be given"),
    Option("format", OneOf(OUTPUTS), "form of the output: our own table, log10 of each sentence, -ln of each word, or "
           "the lines of a moses file with one more feature", "tsv", acts=_without_tune,
           acts_with=PRINTED),
    Option("best", FLAG, "print only the best hypothesis of each list", False, acts=_without_tune,
           acts_with=PRINTED),
    Option("carry", FLAG, "start each list from the state after the best hypothesis of the list before; an empty line "
           "(two with plain) begins a new conversation, which starts afresh", False),
    Option("scale", not_negative, "number that multiplies the model's log-probability in the total", 1.0, "X",
           acts=_chooses, acts_with="first-pass scores or a word penalty, and with --tune only if --carry is given",
           meant_by="lm-scale lm-weight lmwt weight"),
    Option("word_penalty", any_number, "number that is subtracted from the total for each word; below 0 it rewards "
           "words", 0.0, "X", acts=_chooses, acts_with=CHOOSES,
           meant_by="wip word-insertion-penalty"),
    Option("trust_ids", FLAG, "take the first column for ids, whatever it looks like", False,
           acts=lambda o: o.nbest_format in ("classic", "kaldi"), acts_with="--nbest-format classic or kaldi"),
), "first pass": (
    Option("first_pass", not_empty, "file with a score of the first pass for each hypothesis", metavar="FILE",
           default_text="the total in the lists with moses, none with other forms"),
    Option("first_pass_by", OneOf(WAYS), "how scores belong to hypotheses: each line begins with the key "
           "UTTERANCE-NUMBER, or the lines have the same order", derived=lambda o: BY_KEY if o.nbest_format == "kaldi"
           else BY_ORDER, default_text="key with kaldi, otherwise order", acts=_with_first_pass,
           acts_with="--first-pass"),
    Option("first_pass_sign", OneOf(SIGNS), "whether larger scores are better (log-prob) or worse (cost)",
           derived=lambda o: "cost" if o.nbest_format == "kaldi" else "log-prob",
           default_text="cost with kaldi, otherwise log-prob", acts=_with_first_pass, acts_with="--first-pass"),
    Option("first_pass_base", OneOf(BASES), "base of the scores' logarithm", "e", acts=_with_first_pass,
           acts_with="--first-pass"),
), "tuning": (
    Option("tune", not_empty, "file of references: print the word error rate for each scale and word penalty instead "
           "of the lists, and which are best", metavar="REFERENCE", meant_by="reference references ref"),
    Option("references_by", OneOf(WAYS), "how references belong to lists: each line begins with the id of the "
           "utterance, or the lines have the same order",
           derived=lambda o: BY_KEY if o.nbest_format in ("classic", "kaldi") else BY_ORDER,
           default_text="key with classic and kaldi, otherwise order", acts=_with_tune, acts_with="--tune"),
    Option("scales", steps_from_zero, "scales to try", "0:2:0.1", "FROM:TO:STEP", acts=_with_tune, acts_with="--tune"),
    Option("penalties", any_steps, "word penalties to try", "-10:10:1", "FROM:TO:STEP", acts=_with_tune,
           acts_with="--tune"),
), TITLE: PARTNERS, "general": (THREADS, DEBUG)})


def require_possible(options):
    """RnnlmError for options that do nothing, or not together."""
    weighed = options.first_pass or options.word_penalty or options.nbest_format == "moses"
    if "scale" in options.given and options.tune is None and not weighed:
        raise RnnlmError("--scale has no effect without first-pass scores or a word penalty: give --first-pass or "
                         "--word-penalty, or leave it out")
    for option in RESCORE.options:
        if option.name in options.given and option.acts and not option.acts(options):
            raise RnnlmError(f"{option.flag} does nothing here: it works only with {option.acts_with}; leave it out")
    if options.format == "moses" and options.nbest_format != "moses":
        raise RnnlmError(f"--format moses adds to lists of --nbest-format moses, got {options.nbest_format}: choose "
                         "another --format")
    require_one_standard_input(*models_named(options), options.nbest, options.first_pass, options.tune)
