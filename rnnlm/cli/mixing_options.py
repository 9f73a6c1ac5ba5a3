"""The options that mix MODEL with others, and the mixture that they ask for."""

from rnnlm.cli.reading import noted_predictor
from rnnlm.cli.screen import note, scoring_bar
from rnnlm.cli.signals import computing_until_signal
from rnnlm.errors import RnnlmError, counted, listed, one_line, shown
from rnnlm.mixing.mixture import KINDS, LINEAR, Mixture
from rnnlm.mixing.outside import OutsideProbs, linear_mixture
from rnnlm.mixing.tuning import tuned_weights
from rnnlm.mixing.vocabularies import on_vocabulary
from rnnlm.mixing.weights import equal_weights, require_weights
from rnnlm.runs.checks import OneOf, WrongValue, not_empty, not_negative
from rnnlm.runs.option import Option
from rnnlm.scoring.evaluation import ids_read
from rnnlm.text.sources import called, require_text_file


def weights(text):
    """A check: numbers of at least 0 with commas between them, as a list."""
    try:
        if "_" in text or not text.isascii():
            raise WrongValue
        return [not_negative(part.strip()) for part in text.split(",")]
    except WrongValue:
        raise WrongValue("must be numbers of at least 0 with commas between them, got "
                         f"{shown(repr(text), 60)}") from None


MIXING = (
    Option("mix", not_empty, "a further model to mix with MODEL: a network of the same vocabulary or an n-gram model",
           metavar="MODEL", many=True, meant_by="blend combine ensemble interpolate with mix-with"),
    Option("weights", weights, "weights of the models that are mixed, with commas: of MODEL, then of each --mix",
           metavar="W,W,...", default_text="equal ones", meant_by="lambda lambdas mixture-weights weight"),
    Option("mixing", OneOf(KINDS), "how models are mixed: linear: the weighted mean of their probabilities; "
           "log-linear: the weighted product, normalised", LINEAR, meant_by="interpolation mixture"),
)
OF_PROBS = {"weights": ", then of --probs"}  # more of the help where there is --probs
PROBS = Option("probs", not_empty, "probabilities of another program's model to mix with MODEL: a line for each word "
               "and each line end of the text (0: unknown to that model)", metavar="FILE",
               meant_by="lm-prob lm-probs outside probabilities")
TUNE_PROBS = Option("tune_probs", not_empty, "probabilities like those of --probs, of the text of --tune, so that the "
                    "weight of --probs can be chosen", metavar="FILE", meant_by="probs-tune")


def read_others(vocabulary, options, workers):
    """Read what is mixed with MODEL into ``options.others``, before what takes long.

    RnnlmError for what cannot be mixed, and for weights that cannot be.

    Parameters
    ----------
    vocabulary : that of MODEL.
    options : of a command whose table has MIXING, and may have PROBS and TUNE_PROBS.
    workers : for further networks.
    """
    probs = getattr(options, "probs", None)
    _require_sense(options, probs, vocabulary)
    for path in filter(None, (probs, getattr(options, "tune_probs", None))):
        require_text_file(path)
    if not hasattr(options, "others"):  # with --kept it is asked for again
        options.others, options.partners = _others(vocabulary, options, workers)
    if options.weights is not None:
        options.weights = require_weights(options.weights, 1 + len(options.others) + bool(probs),
                                          adds_up=options.mixing == LINEAR).tolist()


def with_mixture(read, options, tuning):
    """A Read whose model is the mixture that the options ask for, or as it was.

    ``options.weights`` become those of the mixture.

    Parameters
    ----------
    read : Read.
    options : after ``read_others``.
    tuning : EncodedText, on which weights that are not given are chosen; None: none.
    """
    probs = getattr(options, "probs", None)
    if not options.mix and not probs:
        return read
    models = [read.model, *options.others]
    if options.weights is None:
        options.weights = _chosen(models, options, tuning, read.vocabulary.eos_id, len(models) + bool(probs))
    if probs:
        return read._replace(model=linear_mixture(models, options.weights, OutsideProbs(probs)))
    return read._replace(model=Mixture(models, options.weights, options.mixing,
                                       getattr(options, "weights_follow", None)))


def mixture_is_open(options):
    """Whether --tune has anything to choose of the mixture."""
    return options.weights is None and bool(options.mix or getattr(options, "probs", None))


def _others(vocabulary, options, workers):
    """The predictors that --mix names, and what a heading says of all partners."""
    models, named = [], []
    for path in options.mix or []:
        model, own, sha256 = noted_predictor(path, workers)
        model, said = on_vocabulary(model, own, vocabulary, path, options.model)
        if said:
            note(said)
        models.append(model)
        named.append(f"{called(path)} (SHA-256 {sha256})")
    probs = getattr(options, "probs", None)
    return models, [*named, *([f"the probabilities in {probs}"] if probs else [])]


def _require_sense(options, probs, vocabulary):
    """RnnlmError for options that do not go together."""
    given = [name for name in ("weights", "mixing", "tune_probs") if name in options.given]
    if given and not options.mix and not probs:
        raise RnnlmError(f"--{given[0].replace('_', '-')} is for mixtures: give --mix MODEL with it, or leave it out")
    if not probs and getattr(options, "tune_probs", None):
        raise RnnlmError("--tune-probs is for the weight of --probs: give --probs FILE with it, or leave it out")
    if getattr(options, "tune_probs", None) and (options.tune is None or "weights" in options.given):
        raise RnnlmError("--tune-probs is for the weight of --probs, which is not chosen here: give --tune VALID and "
                         "no --weights with it, or leave it out")
    if not probs:
        return
    if getattr(options, "tune", None) and options.weights is None and not options.tune_probs:
        raise RnnlmError("--tune cannot choose a weight for --probs without the probabilities of that text: give them "
                         "by --tune-probs FILE, or give --weights")
    if options.mixing != LINEAR:
        raise RnnlmError(f"--mixing {options.mixing} needs whole distributions, and --probs has the probability of one "
                         "word at a time: leave --mixing out")
    if vocabulary.tokenizer.unit != "word":
        raise RnnlmError(f"--probs has a probability for each word, and {options.model} reads "
                         f"{vocabulary.tokenizer.unit}s: give a model of words")
    if len(options.texts or []) > 1 or getattr(options, "kept", False):
        raise RnnlmError(f"--probs is of one text and one model, got {counted(len(options.texts), 'text')}"
                         f"{' and --kept' if getattr(options, 'kept', False) else ''}: score each with its own")


def _chosen(models, options, tuning, eos_id, count):
    """Weights that were not given: equal ones, or the best of the tuning text."""
    probs = getattr(options, "probs", None)
    if tuning is None:
        note(f"note: the {count} models have equal weights; --weights gives others"
             + (", and --tune VALID chooses them" if hasattr(options, "tune_probs") else ""))
        return equal_weights(count).tolist()
    outside = None
    if probs:
        outside = _of_text(OutsideProbs(options.tune_probs), tuning)
    with computing_until_signal("stopping after this window") as check, \
            scoring_bar(options.tune, len(tuning.ids), "tuning on") as move:

        def on_window(targets):
            move(targets)
            check()

        found = tuned_weights(models, ids_read(tuning, *models), eos_id, options.mixing, outside, on_window)
    chosen = _rounded(found.weights, options.mixing == LINEAR)
    note(f"weights chosen on {one_line(called(options.tune))} in {counted(found.iterations, 'step')}, to be given next "
         f"time: --weights {','.join(f'{weight:g}' for weight in chosen)}")
    return chosen


def _of_text(outside, text):
    """ln p of the tokens of a text that have an id."""
    written = outside.take(len(text.ids) if text.kept is None else len(text.kept))
    outside.finish()
    return written if text.kept is None else written[text.kept]


def _rounded(weights, add_up):
    """Weights with four decimals, as they are printed, so that they can be repeated."""
    found = [round(float(weight), 4) for weight in weights]
    if add_up:
        largest = found.index(max(found))
        found[largest] = round(found[largest] + 1 - sum(found), 4)
    return found


def mixture_in_words(options):
    """What a table's heading says of it, a dict of strings."""
    if not getattr(options, "partners", None):
        return {}
    named = ", ".join(f"{weight:.6g}" for weight in options.weights)
    return {"mixed_with": listed(options.partners), "mixing": options.mixing, "weights": named}


def parts_in_words(options, figures):
    """A line for each part of a mixture, with what it scores by itself."""
    for name, part in zip(part_names(options), figures, strict=True):
        zeros = f", without {counted(part.zeros, 'target')} of probability 0" if part.zeros else ""
        yield f"  {part.weight:.4f} of {one_line(name)}, whose own perplexity is {part.perplexity:.6g}{zeros}"
    if follow := getattr(options, "weights_follow", None):
        yield f"  at the start of a text; then the weights follow the last {counted(follow, 'word')}"


def note_ruled_out(options, figures):
    """Note targets of probability 0 under a part of a log-linear mixture."""
    for name, part in zip(part_names(options), figures, strict=True):
        if options.mixing != LINEAR and part.weight and part.zeros:
            note(f"note: {counted(part.zeros, 'target')} of probability 0 under {one_line(name)}, and so in a "
                 "log-linear mixture: --mixing linear keeps what the other models give them")


def part_names(options):
    """What the parts of the mixture are called, in the order of the weights."""
    probs = getattr(options, "probs", None)
    return [called(path) for path in (options.model, *(options.mix or []), *([probs] if probs else []))]
