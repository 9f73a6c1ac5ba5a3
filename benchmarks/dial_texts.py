r"""Five texts that the rules of ``--minutes`` were not fitted on, for ``dial.py``.

    python benchmarks/dial_texts.py FOLDER

On Debian 12: downloads packages with apt-get and a wheel with pip, and writes

english.txt  An Anarchist FAQ (package anarchism), a sentence a line
french.txt   the Debian reference in French (debian-reference-fr), a sentence a line
code.txt     C++ headers (libstdc++-12-dev) without comments, words and marks apart
music.txt    folk songs in ABC notation (Essen collection, in music21), notes apart
chars.txt    fortunes (fortunes), for ``--level char``

Each has at most 2 MB.  Their licences differ, so they are not shipped.
"""

import argparse
import re
import subprocess
import sys
import tempfile
import zipfile
from html.parser import HTMLParser
from pathlib import Path

MOST = 2_000_000  # bytes of a text
PARAGRAPHS = set("p li dt dd h1 h2 h3 h4 blockquote pre td th title".split())
NO_TEXT = {"script", "style", "head"}
SENTENCE_ENDS = re.compile(r"(?<=[.!?])\s+(?=[A-ZÀ-Ý\"'(])")
MARKS = re.compile(r"(\w+|[^\w\s])")
HEADING = re.compile(r"[A-Z]:|%")
NOTES = re.compile(r"([\^_=]*[A-Ga-gz][,']*\d*/*\d*|[|:\[\]]+)")


class Paragraphs(HTMLParser):
    """The paragraphs of a page, in ``found``."""

    def __init__(self):
        super().__init__()
        self.found, self.words, self.hidden = [], [], 0

    def handle_starttag(self, tag, attrs):
        self.hidden += tag in NO_TEXT
        if tag in PARAGRAPHS:
            self.end()

    def handle_endtag(self, tag):
        self.hidden -= tag in NO_TEXT
        if tag in PARAGRAPHS:
            self.end()

    def handle_data(self, data):
        if not self.hidden:
            self.words.append(data)

    def end(self):
        """End a paragraph."""
        text = " ".join("".join(self.words).split())
        if text:
            self.found.append(text)
        self.words = []


def sentences(page):
    """The sentences of an HTML page."""
    parser = Paragraphs()
    parser.feed(page)
    parser.close()
    parser.end()
    return [sentence for paragraph in parser.found for sentence in SENTENCE_ENDS.split(paragraph)]


def code(text):
    """The lines of a C++ file, words and marks apart, without comments."""
    text = re.sub(r"/\*.*?\*/|//[^\n]*", "", text, flags=re.DOTALL)
    return [" ".join(MARKS.findall(line)) for line in text.splitlines()]


def tune(text):
    """The lines of tunes in ABC notation, notes and bars apart.

    Of their headings, metre, length and key are kept.
    """
    lines = (line.strip() for line in text.splitlines())
    return [line if HEADING.match(line) else " ".join(NOTES.sub(r" \1 ", line).split()) for line in lines
            if not HEADING.match(line) or line[:2] in ("M:", "L:", "K:")]


def saying(text):
    """The lines of fortunes in ASCII."""
    lines = (line.rstrip().replace("\t", " ") for line in text.splitlines())
    return [line for line in lines if line != "%" and line.isascii() and line.isprintable()]


TEXTS = {  # where a text's files are, a pattern of their names, and what makes lines of one
    "english": ("anarchism", "usr/share/doc/anarchism/html/sec*.html", sentences),
    "french": ("debian-reference-fr", "usr/share/debian-reference/*.fr.html", sentences),
    "code": ("libstdc++-12-dev", "usr/include/c++/12/**/*", code),
    "music": ("music21==10.5.1", "music21/corpus/essenFolksong/*.abc", tune),
    "chars": ("fortunes", "usr/share/games/fortunes/*", saying),
}


def unpacked(source, folder):
    """A folder with the files of a Debian package or, with ``==``, of a wheel."""
    there = folder / source
    there.mkdir()
    if "==" in source:
        subprocess.run([sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", there, source], check=True)
        (wheel,) = there.glob("*.whl")
        zipfile.ZipFile(wheel).extractall(there)
    else:
        subprocess.run(["apt-get", "-q", "-o", "APT::Sandbox::User=", "download", source], cwd=there, check=True,
                       stdout=subprocess.DEVNULL)
        (package,) = there.glob("*.deb")
        subprocess.run(["dpkg-deb", "-x", package, there], check=True)
    return there


def lines_of(files, make):
    """The lines of a text, without empty ones, until it has MOST bytes."""
    size = 0
    for file in files:
        for line in filter(None, make(file.read_text(encoding="utf-8", errors="ignore"))):
            size += len(line.encode()) + 1
            if size > MOST:
                return
            yield line


def main(argv=None):
    """Write the texts, and say how long each is."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args(argv).folder
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as downloads:
        for name, (source, pattern, make) in TEXTS.items():
            there = unpacked(source, Path(downloads))
            files = sorted(path for path in there.glob(pattern) if path.is_file() and not path.is_symlink()
                           and path.suffix not in (".dat", ".u8"))
            text = "".join(f"{line}\n" for line in lines_of(files, make))
            (folder / f"{name}.txt").write_text(text, encoding="utf-8")
            print(f"{name}.txt: {len(text.encode()):,} bytes, {text.count(chr(10)):,} lines", flush=True)


if __name__ == "__main__":
    main()
