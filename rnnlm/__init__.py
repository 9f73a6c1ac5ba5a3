"""rnnlm: a recurrent-network language-model trainer whose every line can be read.

Importing this package loads nothing yet: each name brings its module, and NumPy, when it is first used.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:  # what editors and type checkers read; Python itself looks into _MODULES
    from rnnlm.averaging import Average
    from rnnlm.batches import TimeBatches
    from rnnlm.checkpoint import load_checkpoint, load_model, save_checkpoint, save_model
    from rnnlm.corpus import Corpus, EncodedText, load_corpus, read_text
    from rnnlm.errors import DivergenceError, RnnlmError
    from rnnlm.evaluation import Evaluation, evaluate, token_log_probs
    from rnnlm.functions import log_softmax, sigmoid, softmax
    from rnnlm.generation import generate
    from rnnlm.initializers import HeInitializer, OrthogonalInitializer, SimpleInitializer, XavierInitializer
    from rnnlm.layers import (
        GRU,
        LSTM,
        MRNN,
        RNN,
        SimpleRNN,
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
        TimeWordDropout,
        WeightDrop,
    )
    from rnnlm.models import LanguageModel, Regularisation, ScratchSimpleRNNClassifier, Start
    from rnnlm.noising import Noising
    from rnnlm.optimizers import SGD, AdaGrad, Adam, AdamW, Momentum, RMSprop
    from rnnlm.plotting import plot_perplexity
    from rnnlm.schedules import Constant, Cosine, DivideOnPlateau, Linear
    from rnnlm.trainer import Record, Trainer
    from rnnlm.vocabulary import Vocabulary
    from rnnlm.workers import Workers

__version__ = "0.1.0"

__all__ = [
    "GRU", "LSTM", "MRNN", "RNN", "SGD", "AdaGrad", "Adam", "AdamW", "Average", "Constant", "Corpus", "Cosine",
    "DivergenceError", "DivideOnPlateau", "EncodedText", "Evaluation", "HeInitializer", "LanguageModel", "Linear",
    "Momentum", "Noising", "OrthogonalInitializer", "RMSprop", "Record", "Regularisation", "RnnlmError",
    "ScratchSimpleRNNClassifier", "SimpleInitializer", "SimpleRNN", "Start", "TimeActivationPenalty", "TimeAffine",
    "TimeBatches", "TimeDropout", "TimeEmbedding", "TimeGRU", "TimeLSTM", "TimeMRNN", "TimeRNN",
    "TimeSlownessPenalty", "TimeSoftmaxWithLoss", "TimeWordDropout", "Trainer", "Vocabulary", "WeightDrop",
    "Workers", "XavierInitializer", "evaluate", "generate", "load_checkpoint", "load_corpus", "load_model",
    "log_softmax", "plot_perplexity", "read_text", "save_checkpoint", "save_model", "sigmoid", "softmax",
    "token_log_probs",
]

_MODULES = {  # which names come from which module
    "averaging": "Average",
    "batches": "TimeBatches",
    "checkpoint": "load_checkpoint load_model save_checkpoint save_model",
    "corpus": "Corpus EncodedText load_corpus read_text",
    "errors": "DivergenceError RnnlmError",
    "evaluation": "Evaluation evaluate token_log_probs",
    "functions": "log_softmax sigmoid softmax",
    "generation": "generate",
    "initializers": "HeInitializer OrthogonalInitializer SimpleInitializer XavierInitializer",
    "layers":
        "GRU LSTM MRNN RNN SimpleRNN TimeActivationPenalty TimeAffine TimeDropout TimeEmbedding TimeGRU TimeLSTM "
        "TimeMRNN TimeRNN TimeSlownessPenalty TimeSoftmaxWithLoss TimeWordDropout WeightDrop",
    "models": "LanguageModel Regularisation ScratchSimpleRNNClassifier Start",
    "noising": "Noising",
    "optimizers": "SGD AdaGrad Adam AdamW Momentum RMSprop",
    "plotting": "plot_perplexity",
    "schedules": "Constant Cosine DivideOnPlateau Linear",
    "trainer": "Record Trainer",
    "vocabulary": "Vocabulary",
    "workers": "Workers",
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
