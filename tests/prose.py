"""Measures the prose of the documents: the length of sentences, and their lines.

    python tests/prose.py           a row for each document
    python tests/prose.py --long    and the sentences over 30 words themselves

A row has the number of sentences, their median words, and the share over 30 words.

Prose is what is neither code nor table, heading or picture. A code span counts as one
word, a link as its text, and a run-in heading ("**Weights.**") not at all.
"""

import re
import statistics
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
FOLDERS = ("", "docs", "docs/course", "datasets", "datasets/*", "findings", "benchmarks")
MOST_WORDS = 30
END = r"[.!?][)\"'”*]*"
BREAK = re.compile(r"(?<=[.!?])([)\"'”*]*)\s+(?=[\"“*(\[]*[A-ZÀ-Ý0-9§±])")
ABBREVIATION = re.compile(r"(?:\bet al|\be\.g|\bi\.e|\bcf|\bvs|\b[A-Z])\.$")
ITEM = re.compile(r"^\s*(?:[-*+]|\d+\.)\s+")
LEAD = re.compile(r"^\*\*(?:\S+\s+){0,5}\S+(?:[.:?!]\*\*|\*\*[.:])\s+")  # "**Weights.** They start ..."
SKIPPED = re.compile(r"^\s*(?:#|\||!\[|<|\[[^\]]+\]:|-{3,}$)")


def documents(root=REPOSITORY):
    """The paths of all documents below root."""
    return sorted(path for folder in FOLDERS for path in (root / folder if "*" not in folder else root).glob(
        f"{folder}/*.md" if "*" in folder else "*.md"))


def paragraphs(text):
    """A document's prose: paragraphs and list items, lists of (line number, line)."""
    found, fenced, code = [[]], False, False
    for number, line in enumerate(text.splitlines(), 1):
        fence = line.lstrip().startswith("```")
        fenced ^= fence
        code = (line.startswith("    ") and (code or not found[-1])) or (code and not line.strip())
        if fence or fenced or code or not line.strip() or SKIPPED.match(line):
            found.append([])
            continue
        if ITEM.match(line):
            found.append([])
        found[-1].append((number, ITEM.sub("", line).strip()))
    return [paragraph for paragraph in found if paragraph]


def plain(line):
    """A line without run-in heading; a code span is a word, a link is its text."""
    line = re.sub(r"(`+).+?\1", "Code", line)
    line = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", line)
    return LEAD.sub("", line)


def sentences(line):
    """The sentences of a line or a paragraph."""
    parts, start = [], 0
    line = plain(line)
    for gap in BREAK.finditer(line):
        if not ABBREVIATION.search(line[: gap.start()]):
            parts.append(line[start : gap.end()].strip())
            start = gap.end()
    return [part for part in [*parts, line[start:].strip()] if words(part)]


def words(sentence):
    """How many words a sentence has: signs alone, such as = and ·, are none."""
    return sum(bool(re.search(r"\w", word)) for word in sentence.split())


def sentences_of(text):
    """All sentences of a document, whatever its line breaks."""
    return [sentence for paragraph in paragraphs(text)
            for sentence in sentences(" ".join(line for _, line in paragraph))]


def crowded(text):
    """The lines (number, line) that hold more than one sentence, or end within one."""
    lines = []
    for paragraph in paragraphs(text):
        for position, (number, line) in enumerate(paragraph):
            whole = position == len(paragraph) - 1 or re.search(rf"(?:{END}|:)$", line)
            if len(sentences(line)) > 1 or not whole:
                lines.append((number, line))
    return lines


def measure(text):
    """A document's sentences: how many, median words, how many exceed MOST_WORDS."""
    counts = [words(sentence) for sentence in sentences_of(text)]
    return len(counts), statistics.median(counts or [0]), sum(count > MOST_WORDS for count in counts)


def main(arguments):
    """Print a row for each document and one for all."""
    root = Path(next((a for a in arguments if not a.startswith("-")), REPOSITORY)).resolve()
    texts = {str(path.relative_to(root)): path.read_text(encoding="utf-8") for path in documents(root)}
    print(f"{'document':44} sentences  median  over {MOST_WORDS}  share  crowded lines")
    for name, text in {**texts, "all": "\n\n".join(texts.values())}.items():
        count, median, long = measure(text)
        print(f"{name:44} {count:9} {median:7g} {long:8} {long / max(count, 1):6.1%} {len(crowded(text)):8}")
    if "--long" in arguments:
        for name, text in texts.items():
            for sentence in sentences_of(text):
                if words(sentence) > MOST_WORDS:
                    print(f"{name}: ({words(sentence)}) {sentence}")


if __name__ == "__main__":
    main(sys.argv[1:])
