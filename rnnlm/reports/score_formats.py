"""The formats of other tools in which scores of words can be printed, by name."""

from rnnlm.reports.ngram_formats import Kenlm, Srilm
from rnnlm.reports.reading_formats import ItemMeasures, LmZoo, NeuralComplexity
from rnnlm.reports.score_format_base import ScoreFormat
from rnnlm.reports.speech_formats import Classic, Kaldi

SCORE_FORMATS: dict[str, type[ScoreFormat]] = {
    "itemmeasures": ItemMeasures,
    "lm-zoo": LmZoo,
    "neural-complexity": NeuralComplexity,
    "srilm": Srilm,
    "kenlm": Kenlm,
    "classic": Classic,
    "kaldi": Kaldi,
}
