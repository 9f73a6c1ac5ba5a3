"""The end of a training run: the best model's test perplexity, read once."""

from rnnlm.cli.progress import bits_per_character, unknown_share
from rnnlm.cli.screen import say
from rnnlm.errors import RnnlmError
from rnnlm.formats.model_file import load_model
from rnnlm.scoring.evaluation import evaluate


def read_test(folder, corpus, workers, stop):
    """Score the test text with the best model of a RunFolder and say both perplexities."""
    best = folder.best
    if best is None:
        raise RnnlmError("no epoch gave a finite validation loss, so there is no model: lower --lr")
    model, vocabulary = load_model(folder.model, workers)
    result = evaluate(model, corpus.test, vocabulary.eos_id, on_window=stop.check)
    in_bits = bits_per_character if vocabulary.level == "char" else lambda nats: ""
    say(f"best validation perplexity {best.valid_perplexity:.5g}{in_bits(best.valid_loss)} after epoch {best.epoch}"
        f"{_context(best.valid_perplexity, corpus, 'valid')}")
    say(f"test perplexity {result.perplexity:.5g}{in_bits(-result.log_prob / result.targets)}"
        f"{_context(result.perplexity, corpus, 'test')}")


def _context(perplexity, corpus, split):
    """What to compare a text's perplexity with: the lowest possible one of this text, and its share of <unk>."""
    line, unknown = "", unknown_share(getattr(corpus, split), "of the targets are")
    if split in corpus.best_possible:
        optimum = corpus.best_possible[split]
        line = f", best possible {optimum:.5g} ({100 * (perplexity / optimum - 1):.1f} % above)"
    return f"{line}, {unknown}" if unknown else line
