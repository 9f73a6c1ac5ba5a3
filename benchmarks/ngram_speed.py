"""How fast n-gram models are trained and score a text, compared with KenLM.

    python benchmarks/ngram_speed.py --corpus ptb --lmplz bin/lmplz --query bin/query

"rnnlm" and "lmplz" are whole commands that make an ARPA file from the training text.
"score" scores the test text with that model in memory, "query" is KenLM's command for
it, which reads the ARPA file first.  Both programs read the same words: those outside
the vocabulary are an ordinary word, as KenLM has no <unk> in texts.  Every subject runs
in a process of its own, in turns.  Without --lmplz and --query, there are two subjects.
--memory is the limit in MB for both programs' sorting, for a text that is long.
"""

import argparse
import contextlib
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from side_by_side import interleave, peak_memory_mb, summary

UNKNOWN = "<unknown-word>"


def subject(name, config):
    """The figures of one subject, a dict."""
    if name == "score":
        return score(config)
    limit = {"rnnlm": ["--memory", config["memory"]], "lmplz": ["-S", f"{config['memory']}M", "-T", config["folder"]]}
    command = {
        "rnnlm": [sys.executable, "-m", "rnnlm", "ngram", config["corpus"], "--order", config["order"], "--output",
                  f"{config['folder']}/rnnlm.arpa", *limit["rnnlm"]],
        "lmplz": [config["lmplz"], "-o", config["order"], "--text", f"{config['folder']}/train.txt", "--arpa",
                  f"{config['folder']}/lmplz.arpa", "--discount_fallback", *limit["lmplz"]],
        "query": [config["query"], "-v", "summary", f"{config['folder']}/lmplz.arpa"]}[name]
    with contextlib.ExitStack() as files:
        text = files.enter_context(open(f"{config['folder']}/test.txt", "rb")) if name == "query" else None
        started = time.perf_counter()
        done = subprocess.run([*map(str, command)], capture_output=True, stdin=text)
        seconds = time.perf_counter() - started
    if done.returncode:
        raise SystemExit(done.stderr.decode(errors="replace"))
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / (1 << 20 if sys.platform == "darwin" else 1 << 10)
    return {"seconds": seconds, "peak_memory_mb": round(peak), **_perplexity(name, done.stdout.decode())}


def _perplexity(name, text):
    """The test text's perplexity, as query prints it."""
    return {"perplexity": float(text.split("including OOVs:")[1].split()[0])} if name == "query" else {}


def score(config):
    """Train, then score the test text, which alone is measured."""
    from rnnlm.ngrams.ngram_model import NgramModel
    from rnnlm.ngrams.training import train_ngrams
    from rnnlm.scoring.evaluation import evaluate
    from rnnlm.text.corpus import load_corpus

    corpus = load_corpus(config["corpus"])
    trained = train_ngrams(corpus.train, corpus.vocabulary, config["order"], memory=config["memory"] << 20)
    model = NgramModel(trained.tables, corpus.vocabulary)
    started = time.perf_counter()
    result = evaluate(model, corpus.test, corpus.vocabulary.eos_id)
    seconds = time.perf_counter() - started
    return {"seconds": seconds, "peak_memory_mb": round(peak_memory_mb()), "perplexity": result.perplexity}


def main():
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", default="ptb", help="a known name, a folder or a file (default: ptb)")
    parser.add_argument("--order", type=int, default=5)
    parser.add_argument("--memory", type=int, default=2048, help="MB for sorting (default: 2048)")
    parser.add_argument("--lmplz", help="path of KenLM's lmplz")
    parser.add_argument("--query", help="path of KenLM's query")
    parser.add_argument("--repeats", type=int, default=5, help="turns (default: 5)")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    parser.add_argument("--measure", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        name, config = options.measure
        print(json.dumps(subject(name, json.loads(config))))
        return
    if options.query and not options.lmplz:
        parser.error("--query scores with the model of --lmplz: give both")
    with tempfile.TemporaryDirectory() as folder:
        names = ["rnnlm", "score", *(name for name in ("lmplz", "query") if getattr(options, name))]
        config = {name: getattr(options, name) for name in ("corpus", "order", "memory", "lmplz", "query")}
        config |= {"folder": folder}
        if options.lmplz:
            write_texts(Path(folder), options.corpus)
        results = interleave({name: [__file__, "--measure", name, json.dumps(config)] for name in names},
                             options.repeats)
    figures = compare(results)
    print(json.dumps(figures, indent=1) if options.json else table(figures))


def write_texts(folder, name):
    """The training and the test text as KenLM reads them."""
    from rnnlm.text.corpus import load_corpus

    corpus = load_corpus(name)
    words = [UNKNOWN if word == "<unk>" else word for word in corpus.vocabulary.words]
    words[corpus.vocabulary.eos_id] = "\n"
    for split, ids in (("train", corpus.train), ("test", corpus.test.ids)):
        with open(folder / f"{split}.txt", "w", encoding="utf-8") as file:
            for start in range(0, len(ids), 1 << 20):
                file.write(" ".join([words[i] for i in ids[start : start + (1 << 20)].tolist()]) + " ")


def compare(results):
    """The figures of each subject, a dict by its name."""
    figures = {}
    for name, result in results.items():
        seconds, fastest, slowest = summary(result, "seconds")
        peer = {"rnnlm": "lmplz", "score": "query"}.get(name)
        figures[name] = {"seconds": seconds, "fastest": fastest, "slowest": slowest,
                         "peak_memory_mb": summary(result, "peak_memory_mb")[0],
                         "over_kenlm": seconds / summary(results[peer], "seconds")[0] if peer in results else None,
                         "perplexity": result[0].get("perplexity")}
    return figures


def table(figures):
    """The figures as a Markdown table."""
    lines = ["| | seconds (fastest to slowest) | its time over KenLM's | peak memory | test perplexity |",
             "|---|---|---|---|---|"]
    lines += [f"| {name} | {row['seconds']:.2f} ({row['fastest']:.2f} to {row['slowest']:.2f}) | "
              f"{_written(row['over_kenlm'], '.2f')} | {row['peak_memory_mb']:.0f} MB | "
              f"{_written(row['perplexity'], '.3f')} |" for name, row in figures.items()]
    return "\n".join(lines)


def _written(value, form):
    return "" if value is None else format(value, form)


if __name__ == "__main__":
    main()
