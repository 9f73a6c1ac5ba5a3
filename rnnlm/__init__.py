"""rnnlm: a recurrent-network language-model trainer whose every line can be read.

Importing this package loads nothing yet: each name brings its module, and NumPy, when
it is first used.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:  # what editors and type checkers read; Python itself looks into _MODULES
    from rnnlm.classifier.classifier import ScratchSimpleRNNClassifier
    from rnnlm.classifier.initializers import HeInitializer, OrthogonalInitializer, SimpleInitializer, XavierInitializer
    from rnnlm.classifier.simple_rnn import SimpleRNN
    from rnnlm.compute.functions import log_softmax, sigmoid, softmax
    from rnnlm.compute.threads import Workers
    from rnnlm.errors import DivergenceError, RnnlmError
    from rnnlm.exchange.exporting import export_model
    from rnnlm.exchange.importing import import_model
    from rnnlm.formats.checkpoint import load_checkpoint, save_checkpoint
    from rnnlm.formats.loaded import load
    from rnnlm.formats.model_file import load_model, save_model
    from rnnlm.layers import (
        GRU,
        LSTM,
        MRNN,
        RNN,
        TextbookGRU,
        TimeActivationPenalty,
        TimeAffine,
        TimeDropout,
        TimeEmbedding,
        TimeGRU,
        TimeLSTM,
        TimeMRNN,
        TimeRNN,
        TimeSlownessPenalty,
        TimeSoftmaxWithLoss,
        TimeTextbookGRU,
        TimeWordDropout,
        WeightDrop,
    )
    from rnnlm.mixing.mix import mix
    from rnnlm.models import LanguageModel, Regularisation, Start
    from rnnlm.reports.curves import plot_perplexity
    from rnnlm.runs.observer import Observer
    from rnnlm.runs.run import train
    from rnnlm.scoring.evaluation import Evaluation, evaluate, token_log_probs
    from rnnlm.scoring.generation import generate
    from rnnlm.text.batches import TimeBatches
    from rnnlm.text.corpus import Corpus, load_corpus, read_text
    from rnnlm.text.encoded import EncodedText
    from rnnlm.text.noising import Noising
    from rnnlm.text.vocabulary import Vocabulary
    from rnnlm.training.averaging import Average
    from rnnlm.training.decay import weight_decays
    from rnnlm.training.optimizers import SGD, AdaGrad, Adam, AdamW, Momentum, RMSprop
    from rnnlm.training.schedules import Constant, Cosine, DivideOnPlateau, Linear
    from rnnlm.training.trainer import Record, Trainer

__version__ = "0.1.0"

__all__ = [
    "GRU", "LSTM", "MRNN", "RNN", "SGD", "AdaGrad", "Adam", "AdamW", "Average", "Constant", "Corpus", "Cosine",
    "DivergenceError", "DivideOnPlateau", "EncodedText", "Evaluation", "HeInitializer", "LanguageModel", "Linear",
    "Momentum", "Noising", "Observer", "OrthogonalInitializer", "RMSprop", "Record", "Regularisation", "RnnlmError",
    "ScratchSimpleRNNClassifier", "SimpleInitializer", "SimpleRNN", "Start", "TextbookGRU", "TimeActivationPenalty",
    "TimeAffine", "TimeBatches", "TimeDropout", "TimeEmbedding", "TimeGRU", "TimeLSTM", "TimeMRNN", "TimeRNN",
    "TimeSlownessPenalty", "TimeSoftmaxWithLoss", "TimeTextbookGRU", "TimeWordDropout", "Trainer", "Vocabulary",
    "WeightDrop", "Workers", "XavierInitializer", "evaluate", "export_model", "generate", "import_model", "load",
    "load_checkpoint", "load_corpus", "load_model", "log_softmax", "mix", "plot_perplexity", "read_text",
    "save_checkpoint", "save_model", "sigmoid", "softmax", "token_log_probs", "train", "weight_decays",
]

_MODULES = {  # which names come from which module
    "classifier.classifier": "ScratchSimpleRNNClassifier",
    "classifier.initializers": "HeInitializer OrthogonalInitializer SimpleInitializer XavierInitializer",
    "classifier.simple_rnn": "SimpleRNN",
    "compute.functions": "log_softmax sigmoid softmax",
    "compute.threads": "Workers",
    "errors": "DivergenceError RnnlmError",
    "exchange.exporting": "export_model",
    "exchange.importing": "import_model",
    "formats.checkpoint": "load_checkpoint save_checkpoint",
    "formats.loaded": "load",
    "formats.model_file": "load_model save_model",
    "layers":
        "GRU LSTM MRNN RNN TextbookGRU TimeActivationPenalty TimeAffine TimeDropout TimeEmbedding TimeGRU TimeLSTM "
        "TimeMRNN TimeRNN TimeSlownessPenalty TimeSoftmaxWithLoss TimeTextbookGRU TimeWordDropout WeightDrop",
    "mixing.mix": "mix",
    "models": "LanguageModel Regularisation Start",
    "reports.curves": "plot_perplexity",
    "runs.observer": "Observer",
    "runs.run": "train",
    "scoring.evaluation": "Evaluation evaluate token_log_probs",
    "scoring.generation": "generate",
    "text.batches": "TimeBatches",
    "text.corpus": "Corpus load_corpus read_text",
    "text.encoded": "EncodedText",
    "text.noising": "Noising",
    "text.vocabulary": "Vocabulary",
    "training.averaging": "Average",
    "training.decay": "weight_decays",
    "training.optimizers": "SGD AdaGrad Adam AdamW Momentum RMSprop",
    "training.schedules": "Constant Cosine DivideOnPlateau Linear",
    "training.trainer": "Record Trainer",
}
_MODULE_OF = {name: module for module, names in _MODULES.items() for name in names.split()}


def __getattr__(name):
    """A public name, or a module of the package, when it is first used."""
    from importlib import import_module

    try:
        if name in _MODULE_OF:
            return globals().setdefault(name, getattr(import_module(f"rnnlm.{_MODULE_OF[name]}"), name))
        if not name.startswith("_"):
            return import_module(f"rnnlm.{name}")
    except ModuleNotFoundError as error:
        if error.name != f"rnnlm.{name}":
            raise
    raise AttributeError(f"module 'rnnlm' has no attribute {name!r}")


def __dir__():
    return [*__all__, "__version__"]
