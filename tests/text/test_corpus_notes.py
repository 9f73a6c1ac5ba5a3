"""Texts that make perplexity look better get a note with the remedy, others do not."""

import itertools

import pytest
from conftest import REPOSITORY

from rnnlm.text.corpus import load_corpus
from rnnlm.text.documents import DOCUMENTS
from rnnlm.text.split import Split

PTB = REPOSITORY.parent / "shared/data/ptb"
LINES = (REPOSITORY / "datasets/stories/train.txt").read_text(encoding="utf-8").splitlines()[:1000]
VALID = (REPOSITORY / "datasets/stories/valid.txt").read_text(encoding="utf-8")


def notes(folder, text, valid=VALID, **options):
    """The notes on a training text, but for what any text has."""
    for split, content in (("train", text), ("valid", valid), ("test", VALID)):
        (folder / f"{split}.txt").write_bytes(content.encode())
    usual = ("no <unk>: the", "became <unk>:", "<unk> occurs in the training text, so", "not in the vocabulary")
    return [note for note in load_corpus(folder, **options).notes
            if not any(words in note for words in usual) or " % of the training" in note]


def lines(edit):
    return "".join(f"{edit(line)}\n" for line in LINES)


@pytest.mark.parametrize(("edit", "found"), [
    (lambda line: f"<s> {line} </s>", "<s> and </s>"), (lambda line: f"{line} </s>", "</s>"),
    (lambda line: f"<S> {line}", "<S>"), (lambda line: f"[CLS] {line} [SEP]", "[CLS] and [SEP]"),
    (lambda line: f"{line} <EOS>", "<EOS>"), (lambda line: f"<|endoftext|> {line}", "<|endoftext|>")])
def test_marks_around_sentences(edit, found, tmp_path):
    occur, are, them = ("occur", "are", "them") if " and " in found else ("occurs", "is", "it")
    assert notes(tmp_path, lines(edit)) == [
        f"{found} {occur} in almost every line of the training text and {are} predicted like words, which lowers the "
        f"perplexity: remove {them}, because every line end is <eos> already"]


@pytest.mark.parametrize("word", ["<UNK>", "[UNK]", "UNK", "<Unk>", "[unk]", "<oov>", "<unknown>", "(unk)"])
@pytest.mark.parametrize("beside", [False, True])
def test_other_spellings_of_unk(word, beside, tmp_path):
    text = lines(lambda line: line.replace("otter", word)) + "the <unk> ran .\n" * (3 * beside)
    (note,) = notes(tmp_path, text)
    count = text.split().count(word)
    assert note == (f"{word} occurs {count:,} times in the training text and is an ordinary word here: spell it <unk> "
                    "if it means an unknown word")


def test_blank_lines(tmp_path):
    assert notes(tmp_path, lines(lambda line: f"{line}\n \t")) == [
        "1,000 of the training text's 2,000 lines are blank, and each counts as a sentence without words: if they "
        "do not separate documents, remove them, for example with sed '/^[[:space:]]*$/d'"]


def test_blank_lines_that_are_said_to_separate_documents_get_no_note(tmp_path):
    text = lines(lambda line: f"{line}\n")
    assert notes(tmp_path, text) and not notes(tmp_path, text, apart=True)
    (tmp_path / "book.txt").write_text(text)
    for split, said in ((None, True), (Split(unit=DOCUMENTS), False)):
        found = load_corpus(tmp_path / "book.txt", split=split).notes
        assert any("lines are blank" in note for note in found) == said


def test_blank_lines_are_counted_across_blocks_and_at_the_start(tmp_path, monkeypatch):
    for size in (1, 2, 3, 7):
        monkeypatch.setattr("rnnlm.text.numbered.BLOCK", size)
        (note,) = notes(tmp_path, "\n\n" + "".join(f"{a} {b} the fox\n\n\n" for a, b in itertools.product("aou", "ei")))
        assert note.startswith("14 of the training text's 20 lines are blank")


def test_cr_alone_as_line_end(tmp_path):
    (note,) = notes(tmp_path, "\r".join(LINES))
    assert "words and 1 line end, so the model hardly sees the end of a sentence: write one sentence a line" in note
    assert "tr '\\r' '\\n'" in note
    (note,) = notes(tmp_path, "\r".join(LINES), level="char")
    assert note == ("the training text has 999 CR characters and 1 line end: CR alone is not a line end: "
                    "convert it with tr '\\r' '\\n'")


def test_a_text_of_words_that_occur_once(tmp_path):
    text = "".join(f"w{i} x{i} y{i}\n" for i in range(300))
    first, second = notes(tmp_path, text)
    assert first == ("100 % of the training text's words became <unk>, which is easy to predict: give more text, a "
                     "lower --min-count or a higher --max-vocab, or train on characters with --level char")
    assert second == ("the vocabulary has only 2 entries, so guessing gives a perplexity of 2: check that blanks "
                      "separate the words, and give more text")


def test_a_text_without_blanks(tmp_path):
    text = lines(lambda line: line.replace(" ", ""))
    found = notes(tmp_path, text)
    assert found[0] == ("most lines of the training text hold one word (1,000 words, 1,000 lines): write one sentence "
                        "a line with blanks between words, or train on characters with --level char")
    assert " % of the training text's words became <unk>" in found[1]
    assert notes(tmp_path, text, level="char") == []


@pytest.mark.parametrize("options", [{}, {"level": "char"}, {"max_vocab": 200}, {"max_tokens": 200}])
def test_ordinary_text_gets_no_note(options, tmp_path):
    used = [note for note in notes(tmp_path, lines(str), **options) if "(--max-tokens)" not in note]
    assert used == []


def test_paragraphs_and_a_word_that_looks_like_unk_get_no_note(tmp_path):
    text = "".join("\n" * (i % 25 == 0) + f"{line}\n" for i, line in enumerate(LINES)) + "the UNK was a ship .\n"
    assert notes(tmp_path, text) == []


@pytest.mark.skipif(not PTB.exists(), reason="needs the Penn Treebank")
@pytest.mark.parametrize("options", [{}, {"level": "char"}, {"max_tokens": 1000}])
def test_the_penn_treebank_gets_no_note(options):
    usual = ("<unk> occurs in", "(--max-tokens)", "not in the vocabulary", "no <unk>:")
    for note in load_corpus(PTB, **options).notes:
        assert any(words in note for words in usual), note


@pytest.mark.parametrize("level", ["word", "char"])
@pytest.mark.parametrize("max_tokens", [None, 3000])
def test_all_lines_agree_how_long_the_texts_are(level, max_tokens, tmp_path):
    path = tmp_path / "book.txt"
    path.write_text(lines(str) + "a Ö here and ß there\n")
    corpus = load_corpus(path, level, max_tokens=max_tokens)
    whole = load_corpus(path, level).train.size
    cut = f"only the first 3,000 of the training text's {whole:,} tokens are used (--max-tokens)"
    assert (cut in corpus.notes) == bool(max_tokens)
    if level == "char":
        assert corpus.test.oov >= 2  # what is left out is not counted


def test_the_share_of_unk_counts_those_written_and_those_that_became_it(tmp_path):
    text = "a b <unk>\n" * 30
    notes(tmp_path, text, "a z <unk>\nb\n")
    corpus = load_corpus(tmp_path)
    assert (corpus.valid.unk, corpus.valid.unk_share) == (2, 2 / 6)
    (tmp_path / "train.txt").write_text("a b\n" * 30)
    corpus = load_corpus(tmp_path)  # without <unk> unknown words are left out
    assert (corpus.valid.unk, corpus.valid.unk_share) == (0, 0)


@pytest.mark.skipif(not PTB.exists(), reason="needs the Penn Treebank")
def test_the_share_of_unk_in_the_penn_treebank():
    assert load_corpus(PTB).test.unk == 4794  # of 82,430, as counted by grep
