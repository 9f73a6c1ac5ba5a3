"""Files that a stranger might pass for a model: names and bytes (test_archive.py)."""

import io
import json
import struct
import warnings
import zipfile

import numpy as np

from rnnlm.formats.model_file import save_model
from rnnlm.models import CELLS, LanguageModel
from rnnlm.text.vocabulary import Vocabulary

WORDS = ("<eos>", "the", "cat", "sat", ".")


def good_file(folder):
    """The bytes of a small model file."""
    model = LanguageModel(len(WORDS), 3, 4, layers=2, rng=np.random.default_rng(0))
    save_model(folder / "good.npz", model, Vocabulary(WORDS))
    return (folder / "good.npz").read_bytes()


def members_of(data):
    """The members of an archive, a list of (name, bytes)."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return [(info.filename, archive.read(info)) for info in archive.infolist()]


def zipped(members, compression=zipfile.ZIP_STORED, comment=b""):
    """An archive of (name, bytes)."""
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a name that stands twice
        with zipfile.ZipFile(buffer, "w", compression) as archive:
            archive.comment = comment
            for name, content in members:
                archive.writestr(zipfile.ZipInfo(name), content, compression)
    return buffer.getvalue()


def npy(header, content=b"", version=b"\1\0"):
    """A .npy member with any header."""
    return b"\x93NUMPY" + version + struct.pack("<H", len(header)) + header + content


def described(descr, shape, content=b"", is_fortran="False"):
    """A .npy member that says of itself what it is given."""
    return npy(f"{{'descr': {descr}, 'fortran_order': {is_fortran}, 'shape': {shape}, }}\n".encode(), content)


def text_member(text):
    buffer = io.BytesIO()
    np.save(buffer, np.frombuffer(text if isinstance(text, bytes) else text.encode(), np.uint8))
    return buffer.getvalue()


def patched(data, place, offset, content):
    """The bytes with some others at an offset from the first occurrence of a mark.

    For the directory, from the last one.
    """
    at = data.index(place) + offset
    return data[:at] + content + data[at + len(content) :]


def hostile_files(folder):
    """Yield (name, bytes, what the message says)."""
    good = good_file(folder)
    members = dict(members_of(good))
    header = json.loads(members["header.npy"][128:])

    def replaced(**changes):
        names = {"b": "affine/b.npy", "W": "affine/W.npy", "header": "header.npy", "vocabulary": "vocabulary.npy"}
        return zipped((members | {names[key]: value for key, value in changes.items()}).items())

    def headed(**changes):
        return replaced(header=text_member(json.dumps(header | changes)))

    def sized(**changes):
        return headed(architecture=header["architecture"] | changes)

    yield "empty", b"", "it is empty"
    yield "text", b"once upon a time\n" * 50, "of another format"
    yield "png", b"\x89PNG\r\n\x1a\n" + bytes(500), "of another format"
    yield "pickle", b"\x80\x04\x95" + bytes(100), "of another format"
    yield "npy", described("'<f4'", "(4,)", bytes(16)), "of another format"
    yield "zip of nothing", zipped([]), "it lacks header"
    yield "zip of other things", zipped([("a.txt", b"x")]), "it lacks header"
    yield "cut", good[:-200], "of another format"
    yield "cut in front", good[200:], "it "
    yield "junk behind", good + bytes(100), "of another format"
    yield "comment", zipped(members.items(), comment=b"x" * 60000), "of another format"
    yield "compressed", zipped(members.items(), zipfile.ZIP_DEFLATED), "is compressed"
    bomb = [*members.items(), ("bomb.npy", bytes(1 << 28))]
    yield "zip bomb", zipped(bomb, zipfile.ZIP_DEFLATED), "is compressed"
    yield "zip bomb of lzma", zipped([bomb[0], ("bomb.npy", bytes(1 << 24))], zipfile.ZIP_LZMA), "is compressed"
    yield "member of 3 GB", patched(good, b"PK\1\2", 24, struct.pack("<I", 3 << 30)), "its members claim 3,221"
    yield "encrypted", patched(good, b"PK\1\2", 8, b"\1\0"), "encrypted"
    yield "bad sum", patched(good, b"affine/b.npy", 150, b"\xff"), "CRC"
    yield "twice", zipped([*members.items(), ("affine/b.npy", members["affine/b.npy"])]), "holds affine/b.npy twice"
    yield "absolute", zipped([*members.items(), ("/etc/passwd", b"x")]), "do not belong there: /etc/passwd"
    yield "nested", zipped([*members.items(), ("../../x.npy", b"x")]), "do not belong there: ../../x"
    yield "terminal escapes", zipped([*members.items(), ("\x1b[2Ja\nb.npy", b"x")]), r"there: \x1b[2Ja\nb"
    yield "long name", zipped([*members.items(), ("x" * 60000, b"x")]), "xxx..."
    yield "many members", zipped([*members.items(), *((f"{i}", b"") for i in range(60000))]), "its directory has"
    yield "a member less", zipped([item for item in members.items() if item[0] != "rnn2/Wh.npy"]), "it lacks rnn2/Wh"
    yield "4 TiB declared", replaced(b=described("'<f4'", "(1099511627776,)", bytes(20))), "affine/b must be float32"
    yield "another shape", replaced(b=described("'<f4'", "(6,)", bytes(24))), "affine/b must be float32 (5,), found"
    yield "negative shape", replaced(b=described("'<f4'", "(-5,)", bytes(20))), "affine/b"
    yield "shape of bools", replaced(b=described("'<f4'", "(True,)", bytes(20))), "affine/b"
    yield "short array", replaced(b=described("'<f4'", "(5,)", bytes(4))), "affine/b is too short for its shape"
    yield "long array", replaced(b=described("'<f4'", "(5,)", bytes(24))), "surplus bytes"
    yield "very long array", replaced(b=described("'<f4'", "(5,)", bytes(24000))), "surplus bytes"
    yield "float64", replaced(b=described("'<f8'", "(5,)", bytes(40))), "found float64"
    yield "big-endian", replaced(b=described("'>f4'", "(5,)", bytes(20))), "affine/b must be float32 (5,), found >f4"
    yield "objects", replaced(b=described("'|O'", "(5,)", b"\x80\x04N.")), "found object"
    yield "records", replaced(b=described("[('a', '<f4')]", "(5,)", bytes(20))), "affine/b must be float32"
    yield "Python 2", replaced(b=described("'<f4'", "(5L,)", bytes(20))), "affine/b"
    yield "code in a header", replaced(b=described("'<f4'", "(exit(),)", bytes(20))), "affine/b"
    yield "nested .npy header", replaced(b=described("'<f4'", "(" * 400 + ")" * 400, bytes(20))), "affine/b"
    yield "long .npy header", replaced(b=described("'<f4'", "(5,)" + " " * 60000, bytes(20))), "affine/b"
    yield ".npy version 2", replaced(b=npy(b"{}", version=b"\2\0")), "affine/b has no .npy header 1.0"
    yield "no .npy", replaced(b=b"not a numpy array"), "affine/b"
    yield "not finite", replaced(b=described("'<f4'", "(5,)", struct.pack("<2f", 1, 1e999) + bytes(12))), "not finite"
    yield "header is no JSON", replaced(header=text_member("{")), "header is not JSON"
    yield "header is no UTF-8", replaced(header=text_member(b"\xff\xfe{}")), "header is not UTF-8"
    yield "header is a list", replaced(header=text_member("[]")), "header must be a JSON object"
    yield "header is a string", replaced(header=described("'<U2'", "()", bytes(8))), "header must be bytes"
    yield "nested JSON", replaced(header=text_member('{"a":' + "[" * 30000 + "]" * 30000 + "}")), "nested too deeply"
    yield "long JSON", replaced(header=text_member(json.dumps({"a": [0] * 40000}))), "at most 65,536 can be right"
    yield "JSON with NaN", replaced(header=text_member('{"format": NaN}')), "header is not JSON: it holds NaN"
    yield "JSON with a long number", replaced(header=text_member('{"a": ' + "9" * 9000 + "}")), "header is not JSON"
    yield "another format", headed(format="a\nb"), r"format a\nb, version 1; this program reads 'rnnlm model'"
    yield "another version", headed(version=5), "version 5; this program reads 'rnnlm model', version 1 or 2 or 3"
    yield "another level", headed(level=["word"]), "level must be one of word, char, subword, got a list"
    yield "no architecture", headed(architecture=7), "architecture must be an object"
    yield "another cell", sized(cell="elman"), f"one of the cells {', '.join(CELLS)}"
    yield "a cell as a list", sized(cell=["rnn"]), f"one of the cells {', '.join(CELLS)}"
    yield "the weights of another cell", sized(cell="lstm"), "it lacks lstm1/Wh"
    yield "another activation", sized(activation=["tanh"]), "activation must be one of tanh, relu"
    yield "tied sizes that differ", sized(tied=True), "tied needs a projection"
    yield "another softmax", sized(softmax=["full"]), "softmax must be one of full, adaptive, got a list"
    yield "cutoffs of a full softmax", sized(cutoffs=[2]), "cutoffs must be left out unless softmax is 'adaptive'"
    yield "no cutoffs", sized(softmax="adaptive"), "cutoffs must be 1 to 20 rising whole numbers below the size of"
    yield "many cutoffs", sized(softmax="adaptive", cutoffs=list(range(1, 9000))), "got [1, 2, 3, 4"
    yield "cutoffs as a string", sized(softmax="adaptive", cutoffs="1,2"), "cutoffs must be a list of whole numbers"
    yield "a tokenizer in an early version", headed(tokenizer={"lowercase": True}), "version 1 has no tokenizer"
    yield "clusters in an early version", sized(softmax="adaptive", cutoffs=[2]), "version 1 has no adaptive softmax"
    adaptive = header["architecture"] | {"softmax": "adaptive", "cutoffs": [1]}
    yield "no clusters", headed(version=4, architecture=adaptive), "it lacks tail1/P, tail1/W"
    yield "huge clusters", headed(version=4, architecture=adaptive | {"vocab_size": 1 << 40}), "it lacks tail1/P"
    yield "huge model", sized(hidden_size=1 << 40), "rnn1/Wx must be float32 (3, 1099511627776)"
    sizes = {"hidden_size": 12000, "layers": 2}
    declared = LanguageModel.param_shapes("rnn", len(WORDS), 3, **sizes)
    yield "huge in all its headers", zipped([
        ("header.npy", text_member(json.dumps(header | {"architecture": header["architecture"] | sizes}))),
        ("vocabulary.npy", members["vocabulary.npy"]),
        *((f"{name}.npy", described("'<f4'", repr(shape))) for name, shape in declared.items())]), "too short"
    crowd = zipped([*members.items(), *((f"{i}", b"") for i in range(30000))])
    yield "many members behind a false end", crowd[:-22] + bytes(56) + b"PK\6\7" + bytes(16) + crowd[-22:], \
        "its end is inconsistent"
    yield "many layers", sized(layers=1 << 40), "layers must be a whole number from 1 to 500"
    yield "another vocabulary size", sized(vocab_size=6), "embedding/W must be float32 (6, 3), found float32 (5, 3)"
    yield "surplus of words", replaced(vocabulary=text_member("\n".join([*WORDS, "x"]))), "does not fit the 6 words"
    yield "a million words", replaced(vocabulary=text_member("ab\n" * 1000000)), "does not fit the 1,000,001 words"
    yield "a word twice", replaced(vocabulary=text_member("<eos>\na\na\nb\nc")), "must hold each word once"
    yield "no <eos>", replaced(vocabulary=text_member("a\nb\nc\nd\ne")), "must hold <eos>"
    yield "words in Latin-1", replaced(vocabulary=text_member(b"<eos>\n\xe4\nb\nc\nd")), "vocabulary is not UTF-8"
