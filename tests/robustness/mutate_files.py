"""Give the commands thousands of damaged model files, checkpoints, runs and texts.

    python tests/robustness/mutate_files.py --count 5000

Each is a good file with some bytes changed, cut, doubled or exchanged; every other
archive is damaged inside its members and then given sums that fit, so that the damage
is met behind them; texts are damaged before or after they are compressed, too.  Each
must end in success or in one line of error within the time limit, and change no file.
"""

import argparse
import bz2
import contextlib
import gzip
import io
import json
import lzma
import random
import shutil
import signal
import sys
import tempfile
import warnings
import zipfile
from pathlib import Path

import numpy as np

from rnnlm.cli.compare import main as compare
from rnnlm.cli.evaluate import main as evaluate
from rnnlm.cli.generate import main as generate
from rnnlm.cli.train import main as train
from rnnlm.formats.model_file import save_model
from rnnlm.models import LanguageModel
from rnnlm.text.subwords.byte_level import Subwords
from rnnlm.text.vocabulary import Vocabulary

SECONDS = 10  # that one case may take
TEXT = "\ufeffthe fox ran .\r\nça va , naïve \U0001f98a !\n\n<unk> the\tcat\x0bsat \u2028on\u00a0it <eos>x\n" * 9
PIECES = [b"\n", b"\r", b"\0", b" ", b"\xff", b"\xef\xbb\xbf", b"<eos>", b"<unk>", b"\xed\xa0\x80", b"\xf4\x90\x80\x80",
          b"'", b"}", b"[", b"(", b"-", b"9" * 30, b"\x80", b"nan", b"1e999", b"\n" * 3000, b"x" * 70000,
          b"a b " * 3000, b"PK\1\2", b"null", b"true", b"\\u0000", b"<f8", b"|O8"]


OF_A_RUN = ("metrics.jsonl", "summary.json", "config.toml", "checkpoint.npz", "model.npz")


class Slow(BaseException):
    pass


def mutated(data, choose, others=()):
    """The bytes with one to four changes."""
    for _ in range(choose.choice((1, 1, 1, 2, 4))):
        size = len(data)
        start = choose.randint(0, size)
        stop = min(size, start + choose.choice((1, 1, 2, 4, 8, 60, size)))
        kind = choose.randrange(8)
        if kind == 0 and size:  # a bit
            place = min(start, size - 1)
            data = data[:place] + bytes([data[place] ^ 1 << choose.randrange(8)]) + data[place + 1 :]
        elif kind == 1:         # other bytes
            data = data[:start] + choose.randbytes(stop - start) + data[stop:]
        elif kind == 2:         # fewer
            data = data[:start] + data[stop:]
        elif kind == 3:         # cut
            data = data[:start]
        elif kind == 4:         # twice
            data = data[:stop] + data[start:]
        elif kind == 5:         # a piece that means something
            data = data[:start] + choose.choice(PIECES) + data[choose.choice((start, stop)) :]
        elif kind == 6:         # zeros or ones
            data = data[:start] + bytes([choose.choice((0, 255))]) * (stop - start) + data[stop:]
        elif others:            # a part of another file
            other = choose.choice(others)
            data = data[:start] + other[choose.randint(0, len(other)) :]
    return data


def mutated_archive(data, choose, others=()):
    """An archive with changes in a member and sums that fit, or with changed bytes."""
    if choose.random() < 0.4:
        return mutated(data, choose, others)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = [(info.filename, archive.read(info)) for info in archive.infolist()]
    place = choose.choice((0, 0, 1, choose.randrange(len(members))))
    name, content = members[place]
    if choose.random() < 0.1:
        name = mutated(name.encode(), choose)[:9000].decode("latin1")
    start = choose.choice((0, 128))  # the .npy header, or what follows it
    members[place] = name, content[:start] + mutated(content[start:], choose) if start else mutated(content, choose)
    buffer = io.BytesIO()
    with warnings.catch_warnings(action="ignore"), zipfile.ZipFile(buffer, "w") as archive:  # of a name given twice
        for name, content in members:
            archive.writestr(zipfile.ZipInfo(name or "x"), content)
    return buffer.getvalue()


def made(folder):
    """The good files: their bytes by name."""
    words = ["<eos>", "<unk>", "the", "fox", "ran", ".", "naïve"]
    letters = ["<eos>", "<unk>", *dict.fromkeys("the fox ran .")]
    for level, tokens in (("word", words), ("char", letters)):
        model = LanguageModel(len(tokens), 3, 4, layers=2, rng=np.random.default_rng(0))
        save_model(folder / level, model, Vocabulary(tokens, level))
    subwords = Subwords.train([TEXT], 300)
    vocabulary = Vocabulary.from_counts({"<eos>": 1}, subwords)
    save_model(folder / "subword", LanguageModel(len(vocabulary), 1, 2, rng=np.random.default_rng(0)), vocabulary)
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer_json(subwords)), encoding="utf-8")
    (folder / "good.txt").write_text("the fox ran .\n" * 3, encoding="utf-8")
    corpus = folder / "corpus"
    corpus.mkdir()
    for name in ("train.txt", "valid.txt", "test.txt"):
        (corpus / name).write_text("the fox ran .\n" * 20, encoding="utf-8")
    options = ["--corpus", str(corpus), "--output", str(folder / "run"), "--hidden-size", "3", "--batch-size", "2",
               "--epochs", "1", "--threads", "1"]
    assert quiet(train, options)[0] == 0
    return {name: (folder / name).read_bytes() for name in
            ("word", "char", "subword", "tokenizer.json", *(f"run/{name}" for name in OF_A_RUN))}


def tokenizer_json(subwords):
    """What the library would save of these Subwords."""
    merges = [[subwords.tokens[first], subwords.tokens[second]] for first, second in subwords.merges.tolist()]
    return {"version": "1.0", "truncation": None, "padding": None, "added_tokens": [], "normalizer": None,
            "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True},
            "post_processor": None, "decoder": {"type": "ByteLevel"},
            "model": {"type": "BPE", "dropout": None, "unk_token": None, "byte_fallback": False,
                      "vocab": {token: number for number, token in enumerate(subwords.tokens)}, "merges": merges}}


def quiet(command, arguments):
    """(exit code, standard output, standard error) of a command."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = command(arguments)
    return code, out.getvalue(), err.getvalue()


def snapshot(folder):
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def complaint(command, arguments, folder):
    """What is wrong with what a command did, or None."""
    before = snapshot(folder)
    signal.alarm(SECONDS)
    try:
        code, out, err = quiet(command, arguments)
    except Slow:
        return f"took more than {SECONDS} s"
    except BaseException as error:  # SystemExit too: the arguments are right
        return f"ended in {error!r}"
    finally:
        signal.alarm(0)
    lines = err.splitlines()
    errors = [line for line in lines if ": error: " in line]
    strange = [line for line in lines if line not in errors and not line.startswith(("note: ", "model, metrics and"))]
    if code not in (0, 1) or len(errors) != code or strange:
        return f"exit code {code}, standard error {err[:500]!r}"
    if ": error: unexpected " in err or not all(line.isprintable() for line in errors):
        return f"standard error {err[:500]!r}"
    if "nan" in out:
        return f"standard output {out[:200]!r}"
    if snapshot(folder) != before:
        return "files changed"
    return None


def model_case(folder, good, choose):
    """Score and generate with a damaged model; the complaint or None."""
    data = mutated_archive(good[choose.choice(("word", "char"))], choose, list(good.values()))
    (folder / "case").write_bytes(data)
    if choose.random() < 0.3:
        return complaint(generate, [str(folder / "case"), "--length", "3", "--seed", "1", "--threads", "1"], folder)
    return complaint(evaluate, [str(folder / "case"), str(folder / "good.txt"), "--threads", "1"], folder)


def subword_case(folder, good, choose):
    """Score with a damaged model of subwords, or train with a damaged tokenizer."""
    if choose.random() < 0.7:
        (folder / "case").write_bytes(mutated_archive(good["subword"], choose, list(good.values())))
        return complaint(evaluate, [str(folder / "case"), str(folder / "good.txt"), "--threads", "1"], folder)
    (folder / "case").write_bytes(mutated(good["tokenizer.json"], choose, list(good.values())))
    output = folder.parent / "out"
    shutil.rmtree(output, ignore_errors=True)
    return complaint(train, ["--corpus", str(folder / "corpus"), "--output", str(output), "--hidden-size", "2",
                             "--batch-size", "2", "--epochs", "1", "--threads", "1", "--level", "subword",
                             "--tokenizer", str(folder / "case")], folder)


def checkpoint_case(folder, good, choose):
    """Resume a finished run with a damaged checkpoint: an error, or the same run."""
    run = folder / "run"
    (run / "perplexity.png").unlink(missing_ok=True)
    (run / "checkpoint.npz").write_bytes(mutated_archive(good["run/checkpoint.npz"], choose))
    trial = folder.parent / "trial"
    shutil.copytree(folder, trial)
    try:
        problem = complaint(train, ["--output", str(trial / "run"), "--resume", "--epochs", "2", "--threads", "1"],
                            trial / "corpus")
    finally:
        shutil.rmtree(trial)
    return problem


def run_case(folder, good, choose):
    """Compare a run one of whose files is damaged, and others gone, with a good one."""
    damaged, gone = choose.choice(OF_A_RUN), choose.sample(OF_A_RUN, choose.choice((0, 0, 1, 2)))
    run = folder / "compared"
    run.mkdir(exist_ok=True)
    for name in OF_A_RUN:
        data = good[f"run/{name}"]
        change = mutated_archive if name.endswith(".npz") else mutated
        (run / name).write_bytes(change(data, choose) if name == damaged else data)
        if name in gone:
            (run / name).unlink()
    return complaint(compare, [str(run), str(folder / "run"), *choose.choice(([], ["--json"], ["--csv"]))], folder)


def text_case(folder, good, choose):
    """Score a damaged text, or train on it; the complaint or None."""
    text = TEXT.replace("<eos>x", "x").encode()
    compress = choose.choice((bytes, bytes, gzip.compress, bz2.compress, lzma.compress))
    data = mutated(compress(text if choose.random() < 0.5 else mutated(text, choose)), choose)
    if choose.random() < 0.4:
        corpus = folder.parent / "texts"
        corpus.mkdir(exist_ok=True)
        for name in ("train.txt", "valid.txt", "test.txt"):
            (corpus / name).write_bytes(data if choose.random() < 0.7 else b"the fox ran .\n" * 20)
        output = folder.parent / "out"
        shutil.rmtree(output, ignore_errors=True)
        arguments = ["--corpus", str(corpus), "--output", str(output), "--hidden-size", "2", "--batch-size", "2",
                     "--epochs", "1", "--max-tokens", "300", "--threads", "1", "--level",
                     choose.choice(("word", "char"))]
        problem = complaint(train, arguments, folder)
        if not problem and output.exists() and not (output / "model.npz").exists():
            problem = "a run folder without a run was left behind"
        return problem
    (folder / "case").write_bytes(data)
    model = str(folder / choose.choice(("word", "char")))
    return complaint(evaluate, [model, str(folder / "case"), "--threads", "1"], folder)


CASES = {"models": model_case, "subwords": subword_case, "checkpoints": checkpoint_case, "runs": run_case,
         "texts": text_case}


def torture(kind, count, where, first_seed=0, on_case=lambda: None):
    """Run ``count`` cases of a kind in an empty folder; complaints with seeds."""
    folder = where / "files"
    folder.mkdir()
    good = made(folder)
    wrong = []
    with guarded():
        for seed in range(first_seed, first_seed + count):
            problem = CASES[kind](folder, good, random.Random(seed))
            if problem:
                wrong.append(f"{kind}, seed {seed}: {problem}")
            on_case()
    return wrong


@contextlib.contextmanager
def guarded():
    """A block in which an alarm ends what takes too long."""

    def too_slow(signum, frame):
        raise Slow

    before = signal.signal(signal.SIGALRM, too_slow)
    try:
        yield
    finally:
        signal.signal(signal.SIGALRM, before)


def main():
    """Print how many cases were not answered as they should be."""
    parser = argparse.ArgumentParser(description="Damaged files for the commands.")
    parser.add_argument("--count", type=int, default=5000)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--kinds", nargs="+", choices=list(CASES), default=list(CASES))
    options = parser.parse_args()
    wrong = []
    for kind in options.kinds:
        with tempfile.TemporaryDirectory() as folder:
            found = torture(kind, options.count, Path(folder), options.first_seed)
        print(*found, sep="\n", end="\n" if found else "")
        print(f"{kind}: {options.count} damaged files, {len(found)} answered wrongly", flush=True)
        wrong += found
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
