"""Raw English text, from training to writing: capitals and punctuation as typed."""

import json

import numpy as np
import pytest

import rnnlm
from rnnlm.cli.generate import main as generate
from rnnlm.cli.page import main as page
from rnnlm.cli.pairs import main as pairs
from rnnlm.cli.rescore import main as rescore
from rnnlm.cli.score import main as score
from rnnlm.formats.model_file import save_model
from rnnlm.models import LanguageModel
from rnnlm.text.choose_tokenizer import words_tokenizer
from rnnlm.text.vocabulary import Vocabulary

RAW = """"I don't know," said Mr. Smith. "It's late (very late), isn't it?" He left the house; she didn't.
The dog's bone was old. "Really?" asked the U.S. doctor. No, it wasn't.
"""


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("raw")
    (folder / "raw.txt").write_text(20 * RAW)
    return rnnlm.train(folder / "raw.txt", output=folder / "run", hidden_size=8, epochs=2, batch_size=2,
                       lowercase=True, split_punctuation=True).folder


@pytest.fixture
def text(tmp_path):
    (tmp_path / "text.txt").write_text(RAW)
    return str(tmp_path / "text.txt")


def rows(capsys):
    lines = [line.split("\t") for line in capsys.readouterr().out.splitlines() if not line.startswith("#")]
    return [dict(zip(lines[0], line, strict=True)) for line in lines[1:]]


@pytest.mark.parametrize(("flags", "words"), [
    (["--lowercase", "--split-punctuation"], {"'t", "mr.", "u.s.", "bone", ",", "really"}),
    (["--split-punctuation"], {"'t", "Mr.", "U.S.", "bone", ",", "Really"}),
    (["--lowercase"], {'"i', "mr.", "u.s.", "know,\"", "wasn't."})])
def test_a_vocabulary_has_the_words_that_were_asked_for(run, text, flags, words):
    path = text.replace("text.txt", "long.txt")
    with open(path, "w") as file:
        file.write(20 * RAW)
    assert run("--epochs", "1", *flags, corpus=path)[0] == 0
    assert words <= set(rnnlm.load("run").vocabulary.words)


def test_every_word_of_the_file_has_a_row_that_sums_its_tokens(trained, text, capsys):
    assert score([str(trained), text, "--log-base", "e"]) == 0
    words = rows(capsys)
    assert [row["word"] for row in words] == [word for line in RAW.splitlines() for word in [*line.split(), "<eos>"]]
    assert score([str(trained), text, "--log-base", "e", "--by", "piece"]) == 0
    pieces = rows(capsys)
    assert [row["word"] for row in pieces[:4]] == ['"', "i", "don", "'t"]
    assert float(words[1]["log_prob"]) == pytest.approx(sum(float(row["log_prob"]) for row in pieces[2:4]), abs=2e-6)
    assert float(words[1]["entropy"]) == pytest.approx(float(pieces[2]["entropy"]), abs=2e-6)
    assert [row["frequency"] for row in words[:3]] == ["NA", "NA", "NA"]
    assert words[4]["word"] == "Mr." and int(words[4]["frequency"]) > 9  # of the token mr.


@pytest.mark.parametrize(("options", "remedy"), [
    ({"lowercase": True, "split_punctuation": True}, "leave it out"),
    ({"lowercase": True}, "write the text as the training text was (punctuation), or leave it out"),
    ({"split_punctuation": True}, "write the text as the training text was (case), or leave it out")])
def test_unknown_words_are_to_be_written_otherwise_only_where_that_helps(options, remedy, tmp_path, capsys):
    vocabulary = Vocabulary(["<eos>", "<unk>", "a"], words_tokenizer(**options))
    save_model(tmp_path / "m.npz", LanguageModel(3, 2, 2, rng=np.random.default_rng(1)), vocabulary)
    (tmp_path / "t.txt").write_text("a zebra\n")
    assert score([str(tmp_path / "m.npz"), str(tmp_path / "t.txt")]) == 0
    assert capsys.readouterr().err.endswith(f"scored as <unk>: zebra; {remedy} of an analysis\n")


def test_the_head_of_a_table_lists_what_bits_leave_out(trained, text, capsys):
    assert score([str(trained), text, "--by", "text"]) == 0
    assert "\n# lower_bound: bits per byte, without capitals and blanks\n" in capsys.readouterr().out


def test_a_page_says_what_the_better_of_two_models_does_not_read(trained, text, tmp_path):
    characters = Vocabulary(["<eos>", "<unk>", *sorted({*RAW} - {"\n"})], "char")
    save_model(tmp_path / "m.npz", LanguageModel(len(characters), 2, 2, rng=np.random.default_rng(1)), characters)
    output = tmp_path / "page.html"
    assert page([str(trained), text, "--compare", str(tmp_path / "m.npz"), "--output", str(output)]) == 0
    assert "expects the text better, but without capitals and blanks<" in output.read_text(encoding="utf-8")


def test_pairs_and_lists_of_hypotheses_are_read_in_the_same_way(trained, tmp_path, capsys):
    pair = {"sentence_good": "It's late.", "sentence_bad": "It's late , late.", "UID": "one"}
    (tmp_path / "pairs.jsonl").write_text(json.dumps(pair) + "\n")
    assert pairs([str(trained), str(tmp_path / "pairs.jsonl"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["with_unknown"] == 0
    (tmp_path / "unknown.jsonl").write_text(json.dumps(pair).replace("It's", "The zebra") + "\n")
    assert pairs([str(trained), str(tmp_path / "unknown.jsonl")]) == 0
    assert capsys.readouterr().err.endswith("such as zebra\n")  # small letters are made anyway
    assert pairs([str(trained), str(tmp_path / "pairs.jsonl"), "--split-punctuation"]) == 1
    assert "--split-punctuation must be left out: the model splits punctuation itself\n" in capsys.readouterr().err
    (tmp_path / "nbest").write_text("a-1 It's late.\na-2 It's late, house;\n")
    assert rescore([str(trained), str(tmp_path / "nbest"), "--nbest-format", "kaldi", "--format", "kaldi"]) == 0
    assert [len(line.split()) for line in capsys.readouterr().out.splitlines()] == [4, 5]  # a cost a word and the end


def test_what_is_written_looks_like_english(trained, capsys):
    assert generate([str(trained), "--prompt", 'Mr. Smith doesn\'t, "', "--length", "3"]) == 0
    assert capsys.readouterr().out.startswith('mr. smith doesn\'t, "')


def test_a_text_is_written_without_a_prompt(trained, capsys):
    assert generate([str(trained), "--length", "3"]) == 0
    assert capsys.readouterr().out.strip()


@pytest.mark.parametrize("flag", ["--lowercase", "--split-punctuation"])
def test_a_model_of_characters_takes_a_text_as_it_is(run, text, flag):
    code, _, err = run("--level", "char", flag, corpus=text)
    assert code == 1
    assert f"{flag} does nothing here: it works only with --level word; leave it out" in err
