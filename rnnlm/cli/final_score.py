"""The end of a training run: the lines with the best model's perplexities."""

import math

from rnnlm.runs.description import unknown_share


def score_lines(evaluation, best, corpus):
    """The best model's perplexities on the validation text and on the test text.

    The first is in its Record, the second in an Evaluation.
    """
    in_bits = _bits_per_character if corpus.vocabulary.tokenizer.unit == "character" else lambda nats: ""
    return (f"best validation perplexity {best.valid_perplexity:.5g}{in_bits(best.valid_loss)} after epoch "
            f"{best.epoch}{_context(best.valid_perplexity, corpus, 'valid')}",
            f"test perplexity {evaluation.perplexity:.5g}{in_bits(-evaluation.log_prob / evaluation.targets)}"
            f"{_context(evaluation.perplexity, corpus, 'test')}")


def _bits_per_character(nats):
    """What to say next to the perplexity of characters, in the unit of their field."""
    return f" ({nats / math.log(2):.4f} bits per character)"


def _context(perplexity, corpus, split):
    """What explains a text's perplexity: the lowest possible, its share of <unk>."""
    line, unknown = "", unknown_share(getattr(corpus, split), "of the targets are")
    if split in corpus.best_possible:
        optimum = corpus.best_possible[split]
        line = f", best possible {optimum:.5g} ({100 * (perplexity / optimum - 1):.1f} % above)"
    return f"{line}, {unknown}" if unknown else line
