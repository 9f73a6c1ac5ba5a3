"""The end of a training run: the lines with the best model's perplexities."""

import math

from rnnlm.runs.description import bits_per_byte, unknown_share


def score_lines(evaluation, best, corpus):
    """The best model's perplexities on the validation text and on the test text.

    The first is in its Record, the second in an Evaluation.
    """
    return (f"best validation perplexity {best.valid_perplexity:.5g}{_in_bits(best.valid_loss, corpus, 'valid')} after "
            f"epoch {best.epoch}{_context(best.valid_perplexity, corpus, 'valid')}",
            f"test perplexity {evaluation.perplexity:.5g}"
            f"{_in_bits(-evaluation.log_prob / evaluation.targets, corpus, 'test')}"
            f"{_context(evaluation.perplexity, corpus, 'test')}")


def _in_bits(nats, corpus, split):
    """Nats a token of a text as bits a byte and, for characters, as bits of each."""
    text = getattr(corpus, split)
    bits = nats / math.log(2)
    of_bytes = bits_per_byte(bits * len(text.ids) / text.bytes if text.bytes else math.nan, text.all_lost)
    of_characters = f"{bits:.4f} bits per character" if corpus.vocabulary.tokenizer.unit == "character" else ""
    said = ", ".join(filter(None, [of_characters, of_bytes]))
    return f" ({said})" if said else ""


def _context(perplexity, corpus, split):
    """What explains a text's perplexity: the lowest possible, its share of <unk>."""
    line, unknown = "", unknown_share(getattr(corpus, split), "of the targets are")
    if split in corpus.best_possible:
        optimum = corpus.best_possible[split]
        line = f", best possible {optimum:.5g} ({100 * (perplexity / optimum - 1):.1f} % above)"
    return f"{line}, {unknown}" if unknown else line
