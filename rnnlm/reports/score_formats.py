"""The formats in which scores can be printed: our own tables, and other tools'."""

from rnnlm.reports.ngram_formats import Kenlm, Srilm
from rnnlm.reports.reading_formats import ItemMeasures, LmZoo, NeuralComplexity
from rnnlm.reports.score_tables import FORMATS, Table
from rnnlm.reports.speech_formats import Classic, Kaldi

SCORE_FORMATS: dict[str, type[Table]] = {
    **FORMATS,
    "itemmeasures": ItemMeasures,
    "lm-zoo": LmZoo,
    "neural-complexity": NeuralComplexity,
    "srilm": Srilm,
    "kenlm": Kenlm,
    "classic": Classic,
    "kaldi": Kaldi,
}
