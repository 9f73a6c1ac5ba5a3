"""An n-gram model of the text, next to which a run of ``--minutes`` is seen.

No rule uses it.  It takes a fraction of a second, and tells what counting alone gives.
"""

from rnnlm.ngrams.ngram_model import NgramModel
from rnnlm.ngrams.training import train_ngrams
from rnnlm.runs.dial_measuring import first_of
from rnnlm.scoring.evaluation import evaluate

TOKENS = 500_000  # at the beginning of the text, which are counted
ORDER = 3


def ngram_perplexity(corpus):
    """The validation perplexity of an n-gram model of (the beginning of) a corpus."""
    tables = train_ngrams(corpus.train[:TOKENS], corpus.vocabulary, ORDER).tables
    model = NgramModel(tables, corpus.vocabulary)
    return evaluate(model, first_of(corpus.valid, TOKENS), corpus.vocabulary.eos_id).perplexity


def in_words(tokens):
    """What the n-gram model of a text of so many tokens is called."""
    return f"a Kneser-Ney {ORDER}-gram" + (f" of the first {TOKENS:,} tokens" if tokens > TOKENS else "")


def note_at_end(ngram, best):
    """A line on a run that ends with a perplexity above that of the n-gram model.

    None if it does not.
    """
    if best <= ngram:
        return None
    return (f"a Kneser-Ney {ORDER}-gram predicts the validation text better: {ngram:.5g} to {best:.5g}; give more "
            f"minutes, or mix the two: rnnlm ngram CORPUS --order {ORDER} --output FILE.arpa, then rnnlm evaluate with "
            "--mix FILE.arpa")
