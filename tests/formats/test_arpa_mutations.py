"""ARPA files with faults of every kind: read, or refused in one line."""

import json
import subprocess
import sys

import numpy as np
import pytest
from arpa_texts import STYLES, ngrams

FILES, MORE_MEMORY = 500, 50  # MB over what reading the sound files takes
READ_ALL = """
import json, resource, sys
from rnnlm.errors import RnnlmError
from rnnlm.formats.arpa_reading import read_arpa
def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
read_arpa(sys.argv[1])
before, found = peak(), []
for path in sys.argv[2:]:
    message = ""
    try:
        model, vocabulary = read_arpa(path)
        model.log_probs([[vocabulary.eos_id, 0]], [[0, vocabulary.eos_id]])
        model.predict([[vocabulary.eos_id, 0]])
    except RnnlmError as error:
        message = str(error)
    found.append(message)
print(json.dumps([found, peak() - before]))
"""
JUNK = [b"\\data\\", b"\\end\\", b"\\3-grams:", b"\\1-grams:", b"ngram 4=100000000000", b"ngram 1=99999999999999999",
        b"", b"\t", b"-inf", b"1e999", b"<s>", b"</s>", b"<unk>", b"\0", b"\xff\xfe", b"# rnnlm: {}", b"x" * 70_000,
        b"-1 " + b"a " * 5000, b"\r", b"-", b"9" * 400, b"0x1p-3", b"_", b"\n" * 3000,
        b'# rnnlm: {"level": "char"}']


def mutated(content, rng):
    """A file with some faults: of bytes, parts or lines."""
    for _ in range(rng.integers(1, 4)):
        kind = rng.integers(0, 6)
        at = int(rng.integers(0, len(content)))
        junk = JUNK[rng.integers(0, len(JUNK))]
        lines = content.split(b"\n")
        i, j = rng.integers(0, len(lines), 2).tolist()
        if kind == 0:
            content = content[:at] + bytes([int(rng.integers(0, 256))]) + content[at + 1 :]
        elif kind == 1:
            content = content[:at] + junk + content[at:]
        elif kind == 2:
            content = content[:at] if rng.random() < 0.3 else content[:at] + content[at + int(rng.integers(1, 50)) :]
        elif kind == 3:
            lines[i], lines[j] = lines[j], lines[i]
            content = b"\n".join(lines)
        elif kind == 4:
            lines[i] = junk
            content = b"\n".join(lines)
        else:
            lines.insert(i, lines[j])
            content = b"\n".join(lines)
    return content


@pytest.mark.slow
def test_mutated_files_are_read_or_refused_in_one_line(tmp_path, rng, monkeypatch):
    monkeypatch.setenv("RNNLM_CACHE", str(tmp_path / "cache"))
    sound = [make(ngrams(4)).encode() for make in STYLES.values()]
    (tmp_path / "sound").write_bytes(sound[0])
    paths = [tmp_path / f"{i}.arpa" for i in range(FILES)]
    for i, path in enumerate(paths):
        path.write_bytes(mutated(sound[i % len(sound)], rng))
    done = subprocess.run([sys.executable, "-W", "error", "-c", READ_ALL, tmp_path / "sound", *paths],
                          capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    messages, memory = json.loads(done.stdout)
    assert len(messages) == FILES
    assert all(len(message.splitlines()) <= 1 and len(message) < 500 and message.isprintable() for message in messages)
    assert 0.5 < np.mean([bool(message) for message in messages]) < 1
    assert memory < MORE_MEMORY
