"""How fast sentences are scored, each on its own, compared with PyTorch.

    python benchmarks/sentence_scores.py --corpus ptb

The test text is read as sentences that know nothing of each other, in batches; with the
entropy, the rank and the five most probable words as well; and as one stream.  PyTorch
packs the sentences, sorted by length.  "limit" is what cannot be avoided without
sharing: the products for each word, and one pass of exp over the scores.  All with
random weights: the work is the same.  Every subject runs in a process of its own, in
turns, and does some of the work once before it is measured.
"""

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from side_by_side import FOLDER, interleave, report, summary

SUBJECTS = ("limit", "sentences", "sentences, details and top 5", "stream", "torch")
WARM_UP = 200  # sentences
ROWS, BLOCK = 2048, 1250  # of the limit's products: the scores of so many words for so many tokens


def subject(name, config):
    """Seconds of one subject of this project."""
    from rnnlm.compute.cores import available_cores
    from rnnlm.compute.threads import Workers
    from rnnlm.models import LanguageModel
    from rnnlm.scoring.evaluation import token_log_probs
    from rnnlm.scoring.words import sequence_scores

    V, H, eos_id = config["vocab_size"], config["hidden_size"], config["eos_id"]
    ids, workers = np.load(config["ids"]), Workers(config["threads"] or available_cores())
    lengths = np.diff(np.flatnonzero(ids == eos_id), prepend=-1)
    if name == "limit":
        work = limit(V, H, config["layers"], workers)
    else:
        model = LanguageModel(V, H, H, config["layers"], rng=np.random.default_rng(0), workers=workers)
        details = (True, 5) if "details" in name else ()
        work = {"stream": lambda ids, lengths: token_log_probs(model, ids, eos_id)}.get(
            name, lambda ids, lengths: sequence_scores(model, ids, lengths, eos_id, *details))
    with workers:
        work(ids[: lengths[:WARM_UP].sum()], lengths[:WARM_UP])
        started = time.perf_counter()
        work(ids, lengths)
        return time.perf_counter() - started


def limit(V, H, layers, workers):
    """A function that does the products of that many words, and exp."""
    from rnnlm.compute.threads import slices

    rng = np.random.default_rng(0)
    W, Wx, hs = (rng.uniform(-0.1, 0.1, shape).astype(np.float32) for shape in ((V, H), (H, H), (ROWS, H)))

    def output(words):
        scores = workers.scratch("scores", (ROWS, words.stop - words.start), np.float32)
        np.matmul(hs, W[words].T, out=scores)
        np.exp(scores, out=scores)

    def recurrent(part):
        np.matmul(hs[part], Wx, out=workers.scratch("terms", hs[part].shape, np.float32))

    def work(ids, _):
        for _ in range(round(len(ids) / ROWS)):
            for _ in range(2 * layers):
                workers.each(recurrent, slices(ROWS, -(-ROWS // workers.threads)))
            workers.each(output, slices(V, min(BLOCK, -(-V // workers.threads))))

    return work


def main():
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", default="ptb", help="a known name, a folder or a file (default: ptb)")
    parser.add_argument("--hidden-size", type=int, default=200)
    parser.add_argument("--layers", type=int, default=2)
    parser.add_argument("--subjects", nargs="+", choices=SUBJECTS, default=SUBJECTS)
    parser.add_argument("--torch-batches", type=int, nargs="+", default=(16, 32, 64), metavar="N",
                        help="sentences in PyTorch's batches; the fastest is compared (default: 16 32 64)")
    parser.add_argument("--repeats", type=int, default=7, help="turns (default: 7)")
    parser.add_argument("--threads", type=int, help="threads of rnnlm and PyTorch (default: the cores there are)")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    parser.add_argument("--measure", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        name, config = options.measure
        report(seconds=subject(name, json.loads(config)))
        return
    with tempfile.TemporaryDirectory() as folder:
        count, commands = prepare(Path(folder), options)
        results = interleave(commands, options.repeats)
    figures = {name: dict(zip(("seconds", "fastest", "slowest"), summary(result, "seconds"), strict=True))
               for name, result in results.items()}
    print(json.dumps(figures, indent=1) if options.json else table(figures, count))


def prepare(folder, options):
    """Write the ids of the text; returns how many, and the commands of the subjects."""
    from rnnlm.text.corpus import load_corpus

    corpus = load_corpus(options.corpus)
    ids, eos_id = corpus.test.ids, corpus.vocabulary.eos_id
    print(f"{np.count_nonzero(ids == eos_id):,} sentences, {ids.size:,} words with <eos>", file=sys.stderr)
    np.save(folder / "test.npy", ids)
    config = {"vocab_size": len(corpus.vocabulary), "hidden_size": options.hidden_size, "layers": options.layers,
              "threads": options.threads, "ids": str(folder / "test.npy"), "eos_id": eos_id}
    commands = {name: [__file__, "--measure", name, json.dumps(config)] for name in options.subjects if name != "torch"}
    if "torch" in options.subjects:
        commands |= {f"torch, {N} sentences": [FOLDER / "torch_peer.py", "sentences",
                                               json.dumps(config | {"batch_size": N})] for N in options.torch_batches}
    return ids.size, commands


def table(figures, count):
    """The figures as a Markdown table; count: how many words each subject scored."""
    torch = [row["seconds"] for name, row in figures.items() if name.startswith("torch")]
    others = {name: figures[name]["seconds"] for name in ("stream", "sentences") if name in figures}
    others = ({"torch": min(torch)} if torch else {}) | others
    titles = ["", "seconds (fastest to slowest)", "words/s", *(f"of the time of {name}" for name in others),
              "limit's share"]
    rows = [titles, ["---"] * len(titles)]
    for name, row in figures.items():
        limit = f"{figures['limit']['seconds'] / row['seconds']:.2f}" if "limit" in figures else ""
        rows.append([name, f"{row['seconds']:.2f} ({row['fastest']:.2f} to {row['slowest']:.2f})",
                     f"{count / row['seconds']:,.0f}",
                     *(f"{row['seconds'] / seconds:.2f}" for seconds in others.values()), limit])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


if __name__ == "__main__":
    main()
