r"""What ``--minutes`` reaches, next to recipes, the defaults and an n-gram model.

    python benchmarks/dial.py --texts ptb --minutes 3 10 30 \
        --subjects dial lstm-quick lstm-small lstm-medium lstm
    python benchmarks/dial.py --texts A B C D E F G H I J --minutes 3
    python benchmarks/dial.py --texts A B C D E --minutes 5 \
        --subjects dial defaults RECIPE...
    python benchmarks/dial.py --texts A B C D E --bytes 50000 --minutes 1 \
        --subjects dial 3-gram
    python benchmarks/dial.py --texts ptb --minutes 3 20 --first-line

The first table compares it with recipes at the same times.  The second shows when the
runs end: ten texts of 50 kB to 20 MB, of which the last column is for.  The third takes
texts that the rules were not fitted on (``dial_texts.py`` makes five), and the fourth
short ones.  The last shows what looking and measuring cost: seconds until training
begins, next to those of the same run from its config.toml, and their difference
(medians of five).  From there on, the two are one run, so the line of the first epoch
is as much later.

"dial" is ``rnnlm train --minutes M`` and nothing else.  A recipe, and "defaults", which
are the default options, keep all that they say but for the epochs: ``--config RECIPE
--minutes M`` gives them as many as end in the same time.  "3-gram" is interpolated
modified Kneser-Ney of the training text.  Every run is a process of its own, one after
the other, on an idle machine; further options of ``rnnlm train`` follow after ``--``,
such as ``-- --level char``.
"""

import argparse
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from side_by_side import FOLDER

NGRAM = "3-gram"
NOT_OF_THE_DEFAULTS = {"epochs", "minutes", "later_epochs", "seed", "seeds"}
HEAD = ("text", "minutes", "what", "validation", "test", "ended after, minutes", "off by")


def trained(text, minutes, subject, seed, more, folder):
    """A run's validation and test perplexity, and how long the command took, a dict."""
    given = ["--config", written_defaults(folder) if subject == "defaults" else subject] if subject != "dial" else []
    output = folder / "run"
    command = [sys.executable, "-m", "rnnlm", "train", *given, "--corpus", text, "--minutes", f"{minutes:g}",
               "--seed", str(seed), "--output", str(output), "--overwrite", *more]
    began = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, cwd=FOLDER.parent)
    seconds = time.perf_counter() - began
    if done.returncode:
        return {"error": (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]}
    return {**reached(output), "minutes": seconds / 60, "off": seconds / (60 * minutes) - 1,
            "said": [line for line in done.stdout.splitlines() if line.startswith(("--minutes", "chosen", "why"))]}


def reached(run):
    """The perplexities of a run by its folder, a dict; infinite where JSON has null."""
    records = [json.loads(line) for line in (run / "metrics.jsonl").read_text(encoding="utf-8").splitlines()]
    test = json.loads((run / "summary.json").read_text(encoding="utf-8"))["test_loss"]
    return {"valid": min(record["valid_perplexity"] or math.inf for record in records),
            "test": math.inf if test is None else math.exp(test)}


def until_training(options):
    """Seconds from the start of a command until it has begun its first epoch."""
    began = time.perf_counter()
    with subprocess.Popen([sys.executable, "-m", "rnnlm", "train", *options], stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, text=True, cwd=FOLDER.parent,
                          env=os.environ | {"PYTHONUNBUFFERED": "1"}) as process:
        seconds = next((time.perf_counter() - began for line in process.stdout if line.startswith("epoch ")), None)
        process.terminate()
        process.stdout.read()
    if seconds is None:
        raise SystemExit(f"rnnlm train {' '.join(options)} did not begin to train")
    return seconds


def beginnings(text, minutes, seed, more, repeats, folder):
    """How long --minutes takes until it trains, and the same run from config.toml."""
    with_minutes, with_config = [], []
    for _ in range(repeats):
        with_minutes.append(until_training(["--corpus", text, "--minutes", f"{minutes:g}", "--seed", str(seed),
                                            "--output", str(folder / "run"), "--overwrite", *more]))
        with_config.append(until_training(["--config", str(folder / "run/config.toml"), "--output",
                                           str(folder / "again"), "--overwrite"]))
    measured, repeated = map(statistics.median, (with_minutes, with_config))
    return {"with_minutes": measured, "with_config": repeated, "more": measured - repeated}


def print_beginnings(args, folder):
    """The table of --first-line, or JSON."""
    results = [{"text": text, "asked": minutes, **beginnings(text, minutes, args.seed, args.more, args.repeats, folder)}
               for text in args.texts for minutes in args.minutes]
    if args.json:
        print(json.dumps(results, indent=1))
        return
    print("| text | minutes | until training, seconds | from config.toml | more |", "|---|---|---|---|---|", sep="\n")
    for found in results:
        print(f"| {Path(found['text']).name} | {found['asked']:g} | {found['with_minutes']:.1f} | "
              f"{found['with_config']:.1f} | {found['more']:+.1f} |")


def written_defaults(folder):
    """The path of a file with the default options of a run."""
    from rnnlm.runs.configuration import toml
    from rnnlm.runs.options import TRAIN

    options = TRAIN.resolved({})
    names = [option.name for title in ("model", "training", "regularisation") for option in TRAIN.groups[title]
             if option.name not in NOT_OF_THE_DEFAULTS and (not option.acts or option.acts(options))]
    path = folder / "defaults.toml"
    path.write_text(toml({name: getattr(options, name) for name in names
                          if getattr(options, name) is not None}), encoding="utf-8")
    return str(path)


def ngram(text, more):
    """The perplexities of an n-gram model, a dict."""
    from rnnlm.ngrams.ngram_model import NgramModel
    from rnnlm.ngrams.training import train_ngrams
    from rnnlm.scoring.evaluation import evaluate
    from rnnlm.text.corpora import known_corpora
    from rnnlm.text.corpus import load_corpus

    level = more[more.index("--level") + 1] if "--level" in more else "word"
    corpus = load_corpus(known_corpora().get(text, text), level)
    model = NgramModel(train_ngrams(corpus.train, corpus.vocabulary, 3).tables, corpus.vocabulary)
    valid, test = (evaluate(model, part, corpus.vocabulary.eos_id).perplexity for part in (corpus.valid, corpus.test))
    return {"valid": valid, "test": test}


def beginning(text, size, folder):
    """The path of a file with the first lines of a text, about ``size`` bytes."""
    path = Path(tempfile.mkdtemp(dir=folder)) / Path(text).name  # two texts may have one name
    with open(text, "rb") as file:
        path.write_bytes(file.read(size) + file.readline())
    return str(path)


def row(text, minutes, subject, found):
    """A row of the table."""
    if "error" in found:
        cells = [found["error"], "", "", ""]
    else:
        ended = [f"{found['minutes']:.2f}", f"{found['off']:+.1%}"] if "minutes" in found else ["", ""]
        cells = [f"{found['valid']:.2f}", f"{found['test']:.2f}", *ended]
    return "| " + " | ".join([Path(text).name, f"{minutes:g}", subject, *cells]) + " |"


def main(argv=None):
    """Run all, and print a table as they end; or JSON at the end."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--texts", nargs="+", default=["stories"])
    parser.add_argument("--minutes", nargs="+", type=float, default=[3.0])
    parser.add_argument("--subjects", nargs="+", default=["dial"], help='"dial", "defaults", "3-gram" or recipes')
    parser.add_argument("--bytes", type=int, help="take the first bytes of each text, which is a file")
    parser.add_argument("--first-line", action="store_true", help="how long until training begins, instead")
    parser.add_argument("--repeats", type=int, default=5, help="of each run, with --first-line")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("more", nargs="*", help="options of rnnlm train, after --")
    args = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as folder:
        args.texts = [prepared(text, args.bytes, Path(folder)) for text in args.texts]
        (print_beginnings if args.first_line else print_results)(args, Path(folder))


def prepared(text, size, folder):
    """The path of a text, or of its beginning; or the name of a known corpus."""
    text = str(Path(text).resolve()) if Path(text).exists() else text
    return beginning(text, size, folder) if size else text


def print_results(args, folder):
    """What each subject reaches with each text in each time."""
    results = []
    if not args.json:
        print("| " + " | ".join(HEAD) + " |", "|---" * len(HEAD) + "|", sep="\n", flush=True)
    for text in args.texts:
        for minutes in args.minutes:
            for subject in args.subjects:
                found = ngram(text, args.more) if subject == NGRAM else (
                    trained(text, minutes, subject, args.seed, args.more, folder))
                results.append({"text": text, "asked": minutes, "subject": subject, **found})
                if not args.json:
                    print(row(text, minutes, subject, found), flush=True)
    if args.json:
        print(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
