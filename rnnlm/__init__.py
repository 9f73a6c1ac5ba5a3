"""rnnlm: a recurrent-network language-model trainer whose every line can be read.

Importing this package imports NumPy and nothing heavier.
"""

from rnnlm.batches import TimeBatches
from rnnlm.checkpoint import load_checkpoint, load_model, save_checkpoint, save_model
from rnnlm.corpus import Corpus, EncodedText, load_corpus, read_text
from rnnlm.errors import DivergenceError, RnnlmError
from rnnlm.evaluation import Evaluation, evaluate, token_log_probs
from rnnlm.functions import log_softmax, sigmoid, softmax
from rnnlm.generation import generate
from rnnlm.layers import RNN, TimeAffine, TimeDropout, TimeEmbedding, TimeRNN, TimeSoftmaxWithLoss
from rnnlm.models import LanguageModel
from rnnlm.optimizers import SGD, Adam, Momentum
from rnnlm.plotting import plot_perplexity
from rnnlm.schedules import DivideOnPlateau
from rnnlm.trainer import Record, Trainer
from rnnlm.vocabulary import Vocabulary
from rnnlm.workers import Workers

__version__ = "0.1.0"

__all__ = [
    "RNN", "SGD", "Adam", "Corpus", "DivergenceError", "DivideOnPlateau", "EncodedText", "Evaluation", "LanguageModel",
    "Momentum", "Record", "RnnlmError", "TimeAffine", "TimeBatches", "TimeDropout", "TimeEmbedding", "TimeRNN",
    "TimeSoftmaxWithLoss", "Trainer", "Vocabulary", "Workers", "evaluate", "generate", "load_checkpoint", "load_corpus",
    "load_model", "log_softmax", "plot_perplexity", "read_text", "save_checkpoint", "save_model", "sigmoid", "softmax",
    "token_log_probs",
]
