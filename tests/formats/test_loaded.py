"""A loaded model: texts and words go in and come out, as with the commands."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
from arpa_texts import ngrams, srilm_text

import rnnlm
from rnnlm.cli.evaluate import main as evaluate
from rnnlm.cli.generate import main as generate
from rnnlm.formats.model_file import save_model
from rnnlm.models import LanguageModel
from rnnlm.text.vocabulary import Vocabulary

WORDS = ["<eos>", "the", "cat", "<unk>", "sat"]
TEXT = "the cat sat\nthe dog\r\n\n the cat"


@pytest.fixture(params=["word", "char"])
def path(request, tmp_path):
    words = WORDS if request.param == "word" else ["<eos>", *" acehst"]
    model = LanguageModel(len(words), 4, 5, layers=2, rng=np.random.default_rng(3))
    model.output.params[1][...] = np.linspace(1, 0, len(words))  # no two words are equally probable
    save_model(tmp_path / "model.npz", model, Vocabulary(words, request.param))
    return tmp_path / "model.npz"


def test_a_string_is_scored_as_a_file_that_holds_it(path, capsys):
    model = rnnlm.load(path)
    file = path.with_name("text.txt")
    for text in (TEXT, TEXT + "\n", "\ufeff" + TEXT):
        file.write_text(text, newline="")
        assert model.evaluate(text) == model.evaluate(file)
        assert evaluate([str(path), str(file), "--json"]) == 0
        shown = json.loads(capsys.readouterr().out)
        scores = model.evaluate(text)
        assert (scores.sentences, scores.words, scores.oov) == (shown["sentences"], shown["words"], shown["oov"])
        assert model.perplexity(text) == scores.perplexity == pytest.approx(shown["perplexity"], rel=1e-9)


@pytest.mark.parametrize("text", ["", "\ufeff"])
def test_a_text_without_a_token_is_refused_as_a_file_is(path, text):
    model = rnnlm.load(path)
    path.with_name("empty.txt").write_text(text)
    for given in (text, path.with_name("empty.txt")):
        with pytest.raises(rnnlm.RnnlmError, match="must hold at least one line"):
            model.perplexity(given)


def test_the_name_of_a_file_is_not_scored_as_a_text_by_mistake(path, monkeypatch):
    monkeypatch.chdir(path.parent)
    Path("text.txt").write_text(TEXT)
    model = rnnlm.load(path)
    with pytest.raises(rnnlm.RnnlmError, match=r"got the name of the file text\.txt: give pathlib\.Path"):
        model.perplexity("text.txt")
    assert model.evaluate("text.txt\n").sentences == 1
    assert model.evaluate("other.txt").sentences == 1


@pytest.mark.parametrize(("text", "message"), [
    (None, "text must be a text"), (b"the cat", "text must be a text"), (["the"], "text must be a text"),
    ("a\0b", "NUL, its character 2"), (Path("none.txt"), r"none\.txt could not be read"), (Path("."), "must be|is a")])
def test_what_is_no_text_is_refused_in_a_line(path, text, message):
    with pytest.raises(rnnlm.RnnlmError, match=message) as error:
        rnnlm.load(path).perplexity(text)
    assert "\n" not in str(error.value)


def test_the_word_eos_is_no_word_of_a_text(path):
    model = rnnlm.load(path)
    if model.vocabulary.level == "word":
        for method in (model.perplexity, model.generate, model.next_words):
            with pytest.raises(rnnlm.RnnlmError, match="holds the word <eos>"):
                method("the <eos>")


@pytest.mark.parametrize("options", [{}, {"prompt": "the cat", "length": 7, "temperature": 0.7},
                                     {"sentences": 2, "top_k": 3}, {"prompt": "zebra\n", "top_p": 0.8, "length": 3}])
def test_generate_writes_what_the_command_writes(path, options, capsys):
    arguments = [word for name, value in options.items() for word in (f"--{name.replace('_', '-')}", str(value))]
    assert generate([str(path), "--seed", "5", *arguments]) == 0
    text = rnnlm.load(path).generate(**options, seed=5)
    assert capsys.readouterr().out == (text if text.endswith("\n") else text + "\n")
    assert text.startswith(options.get("prompt", ""))


def test_without_a_seed_each_text_is_another(path):
    model = rnnlm.load(path)
    assert model.generate(length=60) != model.generate(length=60)


@pytest.mark.parametrize("options", [{}, {"prompt": "the cat", "length": 7, "temperature": 0.7},
                                     {"sentences": 2, "min_length": 3, "max_length": 5, "ban": ["cat"]},
                                     {"repetition_penalty": 1.5, "length": 20}])
def test_several_texts_are_those_of_the_command(path, options, capsys):
    arguments = [word for name, value in options.items()
                 for word in (f"--{name.replace('_', '-')}", value[0] if name == "ban" else str(value))]
    assert generate([str(path), "--seed", "5", "--samples", "3", "--scores", "--json", *arguments]) == 0
    shown = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    texts = rnnlm.load(path).samples(count=3, seed=5, scores=True, **options)
    assert [(text.number, text.prompt, text.written, text.words, text.log_probs) for text in texts] == [
        (values["number"], values["prompt"], values["written"], values["words"], values["log_probs"])
        for values in shown]
    assert texts[0].text == rnnlm.load(path).generate(seed=5, **options)
    assert texts[0].perplexity == pytest.approx(math.exp(-np.mean(texts[0].log_probs)))
    (alone,) = rnnlm.load(path).samples(seed=5, **options)
    assert alone.log_probs is alone.log_prob is alone.perplexity is None and alone.text == texts[0].text


def test_an_option_that_samples_lacks_is_named_with_the_function_that_was_called(path):
    with pytest.raises(TypeError, match=r"samples\(\) got an unexpected keyword argument 'bogus'"):
        rnnlm.load(path).samples(bogus=1)


def test_a_beam_is_that_of_the_command(path, capsys):
    assert generate([str(path), "--beam", "4", "--prompt", "the", "--scores", "--json", "--max-length", "6",
                     "--length-penalty", "0.5", "--ban", "a"]) == 0
    shown = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    texts = rnnlm.load(path).beam("the", 4, scores=True, max_length=6, length_penalty=0.5, ban=["a"])
    assert [(text.written, text.tokens, text.log_probs) for text in texts] == [
        (values["written"], values["tokens"], values["log_probs"]) for values in shown]
    assert len(texts) == 4 and texts[0].text.startswith("the")


@pytest.mark.parametrize(("options", "message"), [
    ({"length": 0}, "length must be"), ({"sentences": 1.5}, "sentences must be"), ({"seed": -1}, "seed must be"),
    ({"length": 2, "sentences": 2}, "length and sentences exclude each other"),
    ({"prompt": 3}, "prompt must be a string"),
    ({"temperature": -1}, "temperature must be"), ({"top_k": 0}, "top_k must be"), ({"top_p": 2}, "top_p must be")])
def test_what_cannot_be_generated_is_refused_in_a_line(path, options, message):
    with pytest.raises(rnnlm.RnnlmError, match=message):
        rnnlm.load(path).generate(**options)


def test_the_next_words_are_those_of_the_scores(path):
    model = rnnlm.load(path)
    everything = model.next_words("the cat", k=100)
    assert {word for word, _ in everything} == set(model.vocabulary.words)
    assert math.fsum(p for _, p in everything) == pytest.approx(1)
    assert [p for _, p in everything] == sorted((p for _, p in everything), reverse=True)
    assert model.next_words("the cat", 2) == everything[:2]
    for word, p in everything:  # ln p of a continued text is that of the text and of the word
        if model.vocabulary.level == "word" and word in ("sat", "the"):
            with_word, without = (model.evaluate(f"the cat{rest}\n").log_prob for rest in (f" {word}", ""))
            ends = dict(model.next_words(f"the cat {word}", 100))["<eos>"]
            before = dict(everything)["<eos>"]
            assert with_word - math.log(ends) == pytest.approx(without - math.log(before) + math.log(p), abs=1e-5)
    with pytest.raises(rnnlm.RnnlmError, match="k must be"):
        model.next_words("the", 0)


def test_nothing_is_left_behind_in_the_model(path):
    """Reading, scoring and writing begin from a fresh state, whatever came before."""
    model = rnnlm.load(path)
    first = model.perplexity(TEXT), model.next_words("the"), model.generate("the", seed=1)
    assert (model.perplexity(TEXT), model.next_words("the"), model.generate("the", seed=1)) == first


def test_a_model_is_loaded_from_its_file_and_from_its_folder(path):
    assert rnnlm.load(path.parent).next_words() == rnnlm.load(str(path)).next_words()
    assert repr(rnnlm.load(path)).startswith("<rnnlm model: 2 x rnn of 5, vocabulary ")
    with pytest.raises(rnnlm.RnnlmError, match=r"holds no model\.npz"):
        (path.parent / "empty").mkdir()
        rnnlm.load(path.parent / "empty")


@pytest.mark.parametrize("value", ["no", 1, None])
def test_allow_unk_is_yes_or_no(path, value):
    with pytest.raises(rnnlm.RnnlmError, match=r"^allow_unk must be True or False, got "):
        rnnlm.load(path).generate(allow_unk=value)
    assert rnnlm.load(path).generate(allow_unk=np.bool_(True), length=1)


@pytest.mark.parametrize(("name", "message"), [
    ("", r"^path must not be empty: give the path of a model file or of a run folder$"),
    ("a\0b", r"^path must not hold the character NUL, got 'a\\x00b': give the path of a model file or "),
    (Path("a\0b"), r"^path must not hold the character NUL, got ")])
def test_a_path_that_no_file_can_have_is_refused(name, message):
    with pytest.raises(rnnlm.RnnlmError, match=message):
        rnnlm.load(name)


def test_an_arpa_file_is_loaded_as_an_ngram_model(tmp_path, capsys):
    file, text = tmp_path / "some.arpa", tmp_path / "text.txt"
    file.write_text(srilm_text(ngrams(unknown=False)), encoding="utf-8")
    text.write_text("the cat sat\nthe mat\n", encoding="utf-8")
    model = rnnlm.load(file)
    assert repr(model) == "<rnnlm model: <n-gram model of order 3, vocabulary 9>>"
    assert model.model.notes == ["no <unk> among the words: unknown words have no probability"]
    assert evaluate([str(file), str(text), "--json"]) == 0
    assert model.perplexity(text) == pytest.approx(json.loads(capsys.readouterr().out)["perplexity"], rel=1e-9)
    rows = model.score(text, top=2)
    assert rows["log_prob"].sum() == pytest.approx(model.evaluate(text).log_prob / math.log(2))
    assert math.fsum(p for _, p in model.next_words("the", 100)) == pytest.approx(1, abs=1e-3)
    good, bad = (model.evaluate(f"{line}\n").log_prob for line in ("the cat", "cat the"))
    assert model.pairs([("the cat", "cat the")]).accuracy == float(good > bad)
    assert model.generate("the", length=3, seed=1).startswith("the ")
    assert model.samples("the", 2, length=3, seed=1)[0].text == model.generate("the", length=3, seed=1)
    assert model.beam("the", 2, max_length=4)[0].text.startswith("the")
    with pytest.raises(rnnlm.RnnlmError, match=r"^an n-gram model has no hidden states: give a network$"):
        model.states(text)
    file.write_text(file.read_text(encoding="utf-8")[:-6], encoding="utf-8")
    with pytest.raises(rnnlm.RnnlmError, match=r"is no ARPA file that can be read: line \d+ must be"):
        rnnlm.load(file)
