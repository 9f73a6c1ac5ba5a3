"""How fast n-best lists are rescored, compared with scoring the same sentences.

    python benchmarks/nbest_speed.py --corpus ptb

Each list is a sentence of the test text and variations of it, in which one word in ten
is exchanged or left out.  "rescore" is the whole command: it loads the model, reads the
file, scores and prints every hypothesis.  "carry" is the same with --carry.
"sentences" scores the same sentences, which are in memory as ids already, each on its
own and side by side.  The weights are random: the work is the same.  Every subject runs
in a process of its own, in turns.
"""

import argparse
import contextlib
import json
import os
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from side_by_side import interleave, report, summary

CHANGED = 0.1  # share of the words


def subject(name, config):
    """Seconds of one subject."""
    started = time.perf_counter()
    if name == "sentences":
        started = _score_sentences(config)
    else:
        from rnnlm.cli.rescore import main

        arguments = [config["model"], config["lists"], "--nbest-format", "kaldi"]
        options = [*(["--carry"] if name == "carry" else []),
                   *(["--threads", str(config["threads"])] if config["threads"] else [])]
        with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere):
            if main([*arguments, *options]):
                raise SystemExit(1)
    return time.perf_counter() - started


def _score_sentences(config):
    """Score all sentences; returns when it began, with all in memory."""
    from rnnlm.compute.cores import available_cores
    from rnnlm.compute.threads import Workers
    from rnnlm.formats.model_file import load_model
    from rnnlm.scoring.words import sequence_scores

    with Workers(config["threads"] or available_cores()) as workers:
        model, vocabulary = load_model(config["model"], workers)
        with np.load(config["ids"]) as arrays:
            ids, lengths = arrays["ids"], arrays["lengths"]
        started = time.perf_counter()
        sequence_scores(model, ids, lengths, vocabulary.eos_id)
    return started


def write_lists(folder, corpus, utterances, hypotheses, rng):
    """Write the lists and their ids; returns how many words they have."""
    ids, eos = np.asarray(corpus.test.ids), corpus.vocabulary.eos_id
    sentences = [part[part != eos] for part in np.split(ids, np.flatnonzero(ids == eos) + 1)]
    sentences = [sentence for sentence in sentences if sentence.size]
    parts = []
    with open(folder / "lists", "w", encoding="utf-8") as file:
        for i in range(utterances):
            for k in range(hypotheses):
                words = varied(sentences[i % len(sentences)], eos, len(corpus.vocabulary), rng if k else None)
                file.write(f"utt{i}-{k + 1} {' '.join(corpus.vocabulary.decode(words))}\n")
                parts.append(np.append(words, eos))
    np.savez(folder / "ids.npz", ids=np.concatenate(parts), lengths=[part.size for part in parts])
    return sum(part.size - 1 for part in parts)


def varied(words, eos, size, rng):
    """The ids with some of them exchanged or left out; without ``rng`` as they are."""
    if rng is None:
        return words
    others = rng.integers(0, size, words.size)
    changed = np.where((rng.random(words.size) < CHANGED) & (others != eos), others, words)
    return changed[rng.random(words.size) >= CHANGED / 2]


def main():
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", default="ptb", help="a known name, a folder or a file (default: ptb)")
    parser.add_argument("--utterances", type=int, default=1000)
    parser.add_argument("--hypotheses", type=int, default=100, help="of each utterance (default: 100)")
    parser.add_argument("--hidden-size", type=int, default=200)
    parser.add_argument("--layers", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=3, help="turns (default: 3)")
    parser.add_argument("--threads", type=int, help="threads to compute with (default: the cores there are)")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    parser.add_argument("--measure", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        name, config = options.measure
        report(seconds=subject(name, json.loads(config)))
        return
    with tempfile.TemporaryDirectory() as folder:
        words, config = prepare(Path(folder), options)
        print(f"{options.utterances:,} x {options.hypotheses:,} hypotheses, {words:,} words", file=sys.stderr)
        results = interleave({name: [__file__, "--measure", name, json.dumps(config)]
                              for name in ("sentences", "rescore", "carry")}, options.repeats)
    figures = compare(results, words)
    print(json.dumps(figures, indent=1) if options.json else table(figures))


def prepare(folder, options):
    """Write model and lists; returns the number of words, and what a subject needs."""
    from rnnlm.formats.model_file import save_model
    from rnnlm.models import LanguageModel
    from rnnlm.text.corpus import load_corpus

    corpus, rng = load_corpus(options.corpus), np.random.default_rng(0)
    V, H = len(corpus.vocabulary), options.hidden_size
    save_model(folder / "model.npz", LanguageModel(V, H, H, options.layers, rng=rng), corpus.vocabulary)
    words = write_lists(folder, corpus, options.utterances, options.hypotheses, rng)
    return words, {"model": str(folder / "model.npz"), "lists": str(folder / "lists"),
                   "ids": str(folder / "ids.npz"), "threads": options.threads}


def compare(results, words):
    """The figures of each subject, a dict by its name."""
    figures = {}
    for name, result in results.items():
        seconds, fastest, slowest = summary(result, "seconds")
        figures[name] = {"seconds": seconds, "fastest": fastest, "slowest": slowest,
                         "words_per_second": words / seconds, "peak_memory_mb": summary(result, "peak_memory_mb")[0],
                         "over_sentences": seconds / summary(results["sentences"], "seconds")[0]}
    return figures


def table(figures):
    """The figures as a Markdown table."""
    lines = ["| | seconds (fastest to slowest) | words/s | its time over that of sentences | peak memory |",
             "|---|---|---|---|---|"]
    lines += [f"| {name} | {row['seconds']:.2f} ({row['fastest']:.2f} to {row['slowest']:.2f}) | "
              f"{row['words_per_second']:,.0f} | {row['over_sentences']:.2f} | {row['peak_memory_mb']:.0f} MB |"
              for name, row in figures.items()]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
