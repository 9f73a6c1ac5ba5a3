"""The language model: how it learns, next to models that count; what it would write."""

import numpy as np
from pictures.canvas import QUIET, SMALL, plot

from rnnlm import Adam, LanguageModel, TimeBatches, Trainer, Workers, load_corpus, softmax


def learning():
    """Training perplexity over three epochs of stories, and that of simpler models.

    It is for chapters 8 and 10.
    """
    corpus = load_corpus("stories")
    model = LanguageModel(len(corpus.vocabulary), 64, 64, rng=np.random.default_rng(0))
    trainer, losses = Trainer(model, Adam(0.005), max_grad=0.25), []
    batches = TimeBatches(corpus.train, 20, 35)
    with Workers(1):  # on one core, whatever the others are busy with
        for _ in range(3):
            model.reset_state()
            losses += [trainer.step(xs, ts).loss for xs, ts in batches]
    means = np.array(losses).reshape(-1, 12).mean(axis=1)  # 432 updates, 12 to a point
    figure, axes = plot()
    axes.plot(3 * (np.arange(len(means)) + 0.5) / len(means), np.exp(means), "o-", ms=3.5, color="tab:blue",
              label="recurrent network, training perplexity")
    lines = {"all words equally likely": len(corpus.vocabulary), "best possible": corpus.best_possible["valid"]}
    for label, value in (lines | counted(corpus)).items():
        axes.axhline(value, color=QUIET, ls="--", lw=1.2)
        axes.text(2.98, value * 1.03, f"{label}: {value:.4g}", color=QUIET, size=SMALL, ha="right", va="bottom")
    axes.set(yscale="log", xlabel="epoch", ylabel="perplexity", xlim=(0, 3), ylim=(3.5, 520))
    axes.xaxis.get_major_locator().set_params(integer=True)
    ticks = [5, 10, 20, 50, 100, 200, 500]
    axes.set_yticks(ticks, [str(tick) for tick in ticks])
    axes.set_yticks([], minor=True)
    axes.grid(alpha=0.3, axis="y")
    axes.legend(loc="upper right", bbox_to_anchor=(1, 0.72))
    return figure


def counted(corpus):
    """Chapter 8's perplexities on the validation text, by counting words and pairs."""
    V, train, valid = len(corpus.vocabulary), corpus.train, corpus.valid.ids
    shares = np.bincount(train, minlength=V) / len(train)
    pairs = np.zeros((V, V))
    np.add.at(pairs, (train[:-1], train[1:]), 1)
    after = (pairs + 5 * shares) / (pairs.sum(axis=1, keepdims=True) + 5)
    previous = np.concatenate([[corpus.vocabulary.eos_id], valid[:-1]])
    return {"word frequencies": np.exp(-np.log(shares[valid]).mean()),
            "one word of context": np.exp(-np.log(after[previous, valid]).mean())}


def temperature():
    """The words after "she" at three temperatures: chapter 11."""
    corpus = load_corpus("stories")
    words, she = corpus.vocabulary.words, corpus.vocabulary.ids["she"]
    counts = np.bincount(corpus.train[1:][corpus.train[:-1] == she], minlength=len(words))
    seen = np.argsort(-counts, kind="stable")[: np.count_nonzero(counts)]
    figure, axes = plot(9, 4.5)
    for k, (value, color) in enumerate(((0.5, "tab:blue"), (1.0, "tab:orange"), (2.0, "tab:red"))):
        probs = softmax(np.log(counts[seen]) / value)
        axes.bar(np.arange(12) + 0.27 * (k - 1), probs[:12], 0.25, color=color,
                 label=f"temperature {value}; the other {len(seen) - 12} words together {probs[12:].sum():.2f}")
    axes.set_xticks(range(12), [words[i] for i in seen[:12]], rotation=30, ha="right")
    axes.set(ylabel='probability after "she"')
    axes.grid(alpha=0.3, axis="y")
    axes.legend(loc="upper right")
    return figure
