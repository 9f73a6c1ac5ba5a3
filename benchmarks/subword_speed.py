"""How fast a raw text becomes ids of subwords, compared with the library alone.

    python benchmarks/subword_speed.py TEXT
    python benchmarks/subword_speed.py TEXT --subjects rnnlm --copies 9 --repeats 1

"rnnlm" is what training does: the text is read, checked and encoded into ids, which go
into a file; no dictionary is there at the start.  "tokenizers" is the library on the
same lines with the same merges, on all cores, and "tiktoken", if it is installed, is
another one.  Both get the lines from memory, block by block, and only ids are made.
"known" is rnnlm with a dictionary that knows the text already.  The merges are learned
from the first part of the text, before the time is taken.  Every subject runs in a
process of its own, in turns.

With --copies the text is longer, which shows whether memory grows with it.
"""

import argparse
import json
import os
import tempfile
import time
from pathlib import Path

import numpy as np
from side_by_side import interleave, report, summary

LEARNED_FROM = 10 << 20  # characters
SUBJECTS = ("rnnlm", "known", "tokenizers", "tiktoken")


def subject(name, config):
    """(seconds, ids) of one subject."""
    from rnnlm.text.subwords.byte_level import Subwords

    subwords = Subwords(np.load(config["merges"]))
    subwords.encode("a\n", dict.fromkeys([*subwords.tokens, "\n"], 0))  # the library is loaded and built
    return {"rnnlm": _by_rnnlm, "known": _known, "tokenizers": _by_tokenizers, "tiktoken": _by_tiktoken}[name](
        subwords, config["text"])


def _by_rnnlm(subwords, text):
    from rnnlm.text.lines import encode_blocks

    index = {token: number for number, token in enumerate([*subwords.tokens, "\n"])}
    count, started = 0, time.perf_counter()
    with tempfile.TemporaryFile() as file:
        for ids in encode_blocks(text, index, subwords):
            file.write(ids)
            count += ids.size
    return time.perf_counter() - started, count


def _known(subwords, text):
    _by_rnnlm(subwords, text)
    return _by_rnnlm(subwords, text)


def _by_tokenizers(subwords, text):
    from rnnlm.text.lines import read_blocks
    from rnnlm.text.subwords.bpe_library import Encoder

    os.environ["TOKENIZERS_PARALLELISM"] = "true"
    library, seconds, count = Encoder(subwords.tokens, subwords.merges).tokenizer, 0.0, 0
    for block in read_blocks(text):
        lines = block.split("\n")
        started = time.perf_counter()
        found = library.encode_batch_fast(lines, add_special_tokens=False)
        count += sum(len(one.ids) + 1 for one in found) - (not lines[-1])
        seconds += time.perf_counter() - started
    return seconds, count


def _by_tiktoken(subwords, text):
    import tiktoken

    from rnnlm.text.lines import read_blocks
    from rnnlm.text.subwords.pieces import piece_bytes

    encoding = tiktoken.Encoding(
        "same", pat_str=r"'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+",
        mergeable_ranks={piece_bytes(token): rank for rank, token in enumerate(subwords.tokens)}, special_tokens={})
    seconds, count = 0.0, 0
    for block in read_blocks(text):
        lines = block.split("\n")
        started = time.perf_counter()
        count += sum(len(ids) + 1 for ids in encoding.encode_ordinary_batch(lines)) - (not lines[-1])
        seconds += time.perf_counter() - started
    return seconds, count


def main():
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("text", nargs="?", help="a text of some tens of megabytes or more")
    parser.add_argument("--vocab-size", type=int, default=8000)
    parser.add_argument("--subjects", nargs="+", choices=SUBJECTS, default=list(SUBJECTS))
    parser.add_argument("--copies", type=int, default=1,
                        help="how often the text comes, its lines in another order each time (default: once, as it is)")
    parser.add_argument("--repeats", type=int, default=3, help="turns (default: 3)")
    parser.add_argument("--measure", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        name, config = options.measure
        seconds, ids = subject(name, json.loads(config))
        report(seconds=seconds, ids=ids)
        return
    if options.text is None:
        parser.error("give the path of a text")
    with tempfile.TemporaryDirectory() as folder:
        config = prepare(Path(folder), options)
        results = interleave({name: [__file__, "--measure", name, json.dumps(config)] for name in options.subjects},
                             options.repeats)
    print(table(results, config["characters"]))


def prepare(folder, options):
    """Learn the merges; returns what a subject needs, and the length of the text."""
    from rnnlm.text.lines import read_blocks
    from rnnlm.text.subwords.byte_level import Subwords

    characters, learned = 0, []
    for block in read_blocks(options.text):
        if characters < LEARNED_FROM:
            learned.append(block)
        characters += len(block)
    np.save(folder / "merges.npy", Subwords.train(learned, options.vocab_size).merges)
    text = options.text if options.copies == 1 else shuffled(options.text, options.copies, folder / "copies.txt")
    return {"text": str(text), "merges": str(folder / "merges.npy"), "characters": characters * options.copies}


def shuffled(text, copies, path):
    """Write the lines of a text this often, in another order each time."""
    rng, lines = np.random.default_rng(1), Path(text).read_bytes().split(b"\n")[:-1]
    with open(path, "wb") as file:
        for _ in range(copies):
            file.writelines(b"%s\n" % lines[i] for i in rng.permutation(len(lines)).tolist())
    return path


def table(results, characters):
    """The figures as a Markdown table."""
    lines = ["| | million characters a second (slowest to fastest) | ids | peak memory |", "|---|---|---|---|"]
    for name, result in results.items():
        median, fastest, slowest = (characters / 1e6 / seconds for seconds in summary(result, "seconds"))
        lines.append(f"| {name} | {median:.1f} ({slowest:.1f} to {fastest:.1f}) | {result[0]['ids']:,} | "
                     f"{summary(result, 'peak_memory_mb')[0]:,.0f} MB |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
