"""n-gram models where a model file is expected: they are named, and what opens them."""

import gzip

import pytest
from arpa_texts import kenlm_text, ngrams, srilm_text

import rnnlm
from rnnlm.cli.evaluate import main as evaluate
from rnnlm.errors import DamagedError
from rnnlm.formats.arpa_reading import read_arpa
from rnnlm.formats.other_ngrams import BINARY, as_ngrams


@pytest.mark.parametrize("as_file", [str.encode, lambda text: gzip.compress(text.encode())])
def test_an_arpa_file_is_named_with_what_opens_it(as_file, tmp_path):
    path = tmp_path / "some.arpa"
    path.write_bytes(as_file(kenlm_text(ngrams())))
    with pytest.raises(DamagedError, match=r"some\.arpa is an ARPA file, an n-gram model: open it with rnnlm\.load;"):
        rnnlm.load_model(path)
    assert len(rnnlm.load(path).vocabulary) == 10


@pytest.mark.parametrize("mark", BINARY)
def test_a_binary_ngram_model_is_named_with_what_to_do(mark, tmp_path, capsys):
    path, (tool, remedy) = tmp_path / "some.bin", BINARY[mark]
    path.write_bytes(mark + bytes(range(256)) * 8)
    for open_it in (rnnlm.load, rnnlm.load_model):
        with pytest.raises(DamagedError) as raised:
            open_it(path)
        assert str(raised.value) == f"{path} is an n-gram model in {tool}'s binary form: {remedy}"
    (tmp_path / "text").write_text("a b\n", encoding="utf-8")
    assert evaluate([str(path), str(tmp_path / "text")]) == 1
    assert f"an n-gram model in {tool}'s binary form" in capsys.readouterr().err


def test_other_files_keep_their_message(tmp_path):
    path = tmp_path / "some.bin"
    for content in (b"", b"SRILM", bytes(1000)):
        path.write_bytes(content)
        assert as_ngrams(path) is None
        with pytest.raises(DamagedError, match="is not a whole rnnlm model file"):
            rnnlm.load_model(path)
    assert as_ngrams(tmp_path) is as_ngrams(tmp_path / "none") is None


def test_classes_after_the_end_are_named(tmp_path):
    path = tmp_path / "some.arpa"
    path.write_text(srilm_text(ngrams()) + "\nANIMAL 0.75 cat\nANIMAL 0.25 sea horse\n", encoding="utf-8")
    with pytest.raises(DamagedError, match=r"comes after \\end\\: ANIMAL 0.75 cat; if these are SRILM's classes of "
                                           r"words, .* ngram -expand-classes N -write-lm NEW.arpa$"):
        read_arpa(path)
    path.write_text(srilm_text(ngrams()) + "more text\n", encoding="utf-8")
    with pytest.raises(DamagedError, match=r"comes after \\end\\: more text$"):
        read_arpa(path)
