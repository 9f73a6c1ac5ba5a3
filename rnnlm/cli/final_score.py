"""The end of a training run: the best model's test perplexity, read once."""

from rnnlm.checkpoint import load_model
from rnnlm.cli.progress import bits_per_character
from rnnlm.cli.screen import say
from rnnlm.errors import RnnlmError
from rnnlm.evaluation import evaluate


def read_test(folder, corpus, workers, stop):
    """Score the test text with the best model of a RunFolder and say both perplexities."""
    best = folder.best
    if best is None:
        raise RnnlmError("no epoch gave a finite validation loss, so there is no model: lower --lr")
    model, vocabulary = load_model(folder.model, workers)
    result = evaluate(model, corpus.test, vocabulary.eos_id, on_window=stop.check)
    in_bits = bits_per_character if vocabulary.level == "char" else lambda nats: ""
    say(f"best validation perplexity {best.valid_perplexity:.5g}{in_bits(best.valid_loss)} after epoch {best.epoch}")
    line = f"test perplexity {result.perplexity:.5g}{in_bits(-result.log_prob / result.targets)}"
    if "test" in corpus.best_possible:
        optimum = corpus.best_possible["test"]
        line += f", best possible {optimum:.5g} ({100 * (result.perplexity / optimum - 1):.1f} % above)"
    say(line)
