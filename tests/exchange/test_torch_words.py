"""The words of models that were trained elsewhere."""

import gzip

import pytest

from rnnlm.errors import ArgumentError, RnnlmError
from rnnlm.exchange.torch import words as module
from rnnlm.exchange.torch.words import read_words


@pytest.fixture
def listed(tmp_path):
    """A function from the content of a file of words to its path."""
    def write(content):
        path = tmp_path / "words.txt"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


@pytest.mark.parametrize("content", [
    "the\n<unk>\n<eos>\ncat\n", "the\n<unk>\n<eos>\ncat", "the\r\n<unk>\r\n<eos>\r\ncat\r\n",
    "\ufeff the \n<unk>\t\n<eos>\ncat\n\n\n", "cat 3\n<unk> 1\n<eos>\t2\nthe 0\n"])
def test_a_word_a_line_or_a_word_and_its_id(listed, content):
    found = read_words(listed(content), 4)
    assert found.words == ["the", "<unk>", "<eos>", "cat"]
    assert (found.eos_id, found.unk_id, found.level) == (2, 1, "word")


def test_a_compressed_list(listed):
    path = listed(gzip.compress(b"the\n<eos>\n"))
    assert read_words(path.rename(path.with_suffix(".gz")), 2).words == ["the", "<eos>"]


def test_only_ascii_blanks_separate_a_word_from_its_id(listed):
    assert read_words(listed("a\u00a0b\n<eos>\n"), 2).words == ["a\u00a0b", "<eos>"]


@pytest.mark.parametrize("content, words", [
    ("</s>\n<UNK>\na\n", ["<eos>", "<unk>", "a"]),
    ("<sos/eos>\n<oov>\na\n", ["<eos>", "<unk>", "a"]),
    ("<eos>\n</s>\na\n", ["<eos>", "</s>", "a"]),  # ours is there: no other one is taken for it
    ("a\n<eos>\n", ["a", "<eos>"]),
])
def test_usual_names_of_the_special_words(listed, content, words):
    assert read_words(listed(content), len(words)).words == words


def test_the_special_words_can_be_given(listed):
    path = listed("STOP\n</s>\n<EOS>\nRARE\n<unk>x\n")
    found = read_words(path, 5, eos="STOP", unk="RARE")
    assert found.words == ["<eos>", "</s>", "<EOS>", "<unk>", "<unk>x"]


@pytest.mark.parametrize("content, more, message", [
    ("a\nb\n", {}, "must have a word that ends a sentence, such as <eos>: say with --eos which one does"),
    ("</s>\n<EOS>\n", {}, "has </s> and <EOS>: say with --eos which one ends a sentence"),
    ("<eos>\n<UNK>\n<oov>\n", {}, "has <UNK> and <oov>: say with --unk which one stands for unknown words"),
    ("<eos>\na\n", {"eos": "b"}, "--eos must be a word of"),
    ("<eos>\na\n", {"unk": "b"}, "--unk must be a word of"),
    ("<eos>\na\n", {"eos": "a"}, "has <eos>, too, so --eos cannot be a"),
    ("<eos>\na\na\n", {}, "must have each word once, it has a twice"),
    ("<eos>\na b c\n", {}, "line 2 has 3 words"),
    ("<eos>\n\na\n", {}, "line 2 has 0 words"),
    ("<eos> 0\na\n", {}, "a word and its id in each: line 2 has a"),
    ("<eos> 0\na -1\n", {}, "line 2 has a -1"),
    ("<eos> 0\na \u0661\n", {}, "line 2 has a"),
    ("<eos> 0\na 2\n", {}, "must give each of the ids 0 to 1 to one word"),
    ("<eos> 0\na 0\n", {}, "must give each of the ids 0 to 1 to one word"),
    ("<eos> 0\na 99999999999999999999\n", {}, "line 2 has a 9999"),
])
def test_what_is_no_list_of_words_is_one_line(listed, content, more, message):
    size = content.count("\n")
    with pytest.raises(ArgumentError) as caught:
        read_words(listed(content), size, **more)
    assert message in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize("size", [1, 3])
def test_the_words_must_be_as_many_as_the_model_has(listed, size):
    with pytest.raises(ArgumentError, match=f"must have a word for each of the model's {size} ids, it has 2"):
        read_words(listed("<eos>\na\n"), size)


def test_a_list_is_not_read_far_beyond_its_size(listed, monkeypatch):
    monkeypatch.setattr(module, "MOST_EMPTY", 0)
    monkeypatch.setattr(module, "read_blocks", lambda path: iter(["<eos>\na\n", "b\nc\n", "never\n"]))
    with pytest.raises(ArgumentError, match="it has 4"):
        read_words(listed(""), 3)


def test_a_line_without_an_end_is_refused(listed, monkeypatch):
    monkeypatch.setattr(module, "LONGEST_LINE", 10)
    monkeypatch.setattr(module, "read_blocks", lambda path: iter(["a" * 11, "\n"]))
    with pytest.raises(ArgumentError, match="a line of more than 10 characters"):
        read_words(listed(""), 3)


@pytest.mark.parametrize("content, message", [(b"\xff\n", "must be UTF-8"), (b"a\0\n", "holds a NUL")])
def test_bytes_that_are_no_text_are_refused(listed, content, message):
    with pytest.raises(RnnlmError, match=message):
        read_words(listed(content), 1)


def test_texts_in_the_order_of_pytorchs_example(tmp_path):
    """The example numbers words by first appearance, in training, validation and test.

    It splits as Python does, so a no-break space separates words, too.
    """
    (tmp_path / "train.txt").write_text("b a b\n\nc\u00a0d\n", encoding="utf-8")
    (tmp_path / "valid.txt").write_text("a e", encoding="utf-8")
    (tmp_path / "test.txt").write_text("f <unk>\n", encoding="utf-8")
    assert read_words(tmp_path, 8).words == ["b", "a", "<eos>", "c", "d", "e", "f", "<unk>"]
    with pytest.raises(ArgumentError, match="each of the model's 4 ids, it has 5"):
        read_words(tmp_path, 4)
    (tmp_path / "test.txt").unlink()
    with pytest.raises(RnnlmError, match=r"test\.txt could not be read"):
        read_words(tmp_path, 8)
