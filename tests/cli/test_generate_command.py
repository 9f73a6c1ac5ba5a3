import gzip
import io
import json
import os
import re
import subprocess
import sys

import numpy as np
import pytest
from arpa_texts import kenlm_text

from rnnlm.cli.generate import main
from rnnlm.formats.model_file import load_model, save_model
from rnnlm.models import LanguageModel
from rnnlm.scoring.evaluation import token_log_probs
from rnnlm.scoring.prompts import read_prompt
from rnnlm.text.tokenizer import Words, as_tokenizer
from rnnlm.text.vocabulary import Vocabulary

WORDS = ["<eos>", "<unk>", "the", "cat", "sat"]


def save(path, words=WORDS, level="word"):
    """A model whose next word depends on the last one alone, mostly.

    eos -> the -> cat -> sat -> eos, <unk> -> cat.  With four words: word 0 -> 2 -> 3 ->
    1 -> 0.
    """
    V = len(words)
    model = LanguageModel(V, V, V, rng=np.random.default_rng(0))
    p = model.named_params()
    for name, value in {"embedding/W": 9 * np.eye(V), "rnn1/Wx": np.eye(V), "rnn1/Wh": 0, "rnn1/b": 0, "affine/b": 0,
                        "affine/W": 4 * np.eye(V)[[2, 3, 3, 4, 0] if V == 5 else [2, 0, 3, 1]]}.items():
        p[name][...] = value
    save_model(path, model, Vocabulary(words, level))
    return str(path)


@pytest.fixture
def model_path(tmp_path):
    return save(tmp_path / "model.npz")


@pytest.fixture
def write(model_path, capsys):
    def generate(*arguments):
        assert main([model_path, *arguments]) == 0
        return capsys.readouterr()

    return generate


def test_greedy_text_is_text_with_line_ends(write):
    out, err = write("--temperature", "0", "--length", "6", "--seed", "1")
    assert out == "the cat sat\nthe cat sat\n"
    assert err == ""


def test_length_counts_words_and_sentences_count_line_ends(write):
    assert write("--temperature", "0", "--sentences", "3").out == "the cat sat\n" * 3
    assert write("--temperature", "0", "--length", "4").out == "the cat sat\nthe\n"
    assert write("--temperature", "0", "--length", "2").out == "the cat\n"


@pytest.mark.parametrize(("lines", "words"), [(True, 102), (False, 200)])
def test_by_default_the_line_is_ended_after_100_words(write, model_path, lines, words):
    if not lines:  # cat -> sat -> cat, no line end ever
        model, vocabulary = load_model(model_path)
        model.output.params[0][:, 0] = -100
        save_model(model_path, model, vocabulary)
    out = write("--temperature", "0").out
    assert len(out.split()) == words and out.endswith("sat\n" if lines else "\n")


def test_the_prompt_is_printed_and_continued(write):
    assert write("--temperature", "0", "--sentences", "1", "--prompt", "the cat").out == "the cat sat\n"
    assert write("--temperature", "0", "--sentences", "1", "--prompt", "sat\nthe").out == "sat\nthe cat sat\n"


def test_unknown_words_of_the_prompt_are_handled_and_said(write):
    out, err = write("--temperature", "0", "--sentences", "1", "--prompt", "the dog dog")
    assert out == "the dog dog cat sat\n"  # <unk> -> cat
    assert "note: 1 word of the prompt is not in the vocabulary and is read as <unk>: dog\n" in err


def test_many_unknown_words_of_the_prompt_make_a_short_note(write):
    words = [f"w{i}" for i in range(5000)] + ["x" * 10_000]
    note = write("--length", "1", "--seed", "1", "--prompt", " ".join(words[::-1])).err
    assert note == (f"note: 5,001 words of the prompt are not in the vocabulary and are read as <unk>: {'x' * 40}..., "
                    "w4999, w4998, w4997, w4996, w4995, w4994, w4993, w4992, w4991, ...\n")


def test_the_word_for_which_a_line_end_stands_is_refused_in_a_prompt_as_in_a_text(model_path, tmp_path, capsys):
    assert main([model_path, "--prompt", "the <eos> cat"], "rnnlm generate") == 1
    assert capsys.readouterr() == ("", "rnnlm generate: error: --prompt holds the word <eos>, which is the token of "
                                   "a line end: write a line end instead\n")
    characters = save(tmp_path / "c.npz", ["<eos>", "<unk>", "<", "e", ">"], "char")
    assert main([characters, "--prompt", "<eos>", "--length", "1", "--seed", "1"]) == 0  # five characters
    assert capsys.readouterr().out.startswith("<eo")


def test_a_prompt_may_begin_with_a_dash(write):
    """Penn Treebank's brackets do."""
    assert write("--temperature", "0", "--sentences", "1", "--prompt", "-lrb- the").out == "-lrb- the cat sat\n"
    assert write("--temperature", "0", "--sentences", "1", "--prompt", "-lrb-").out == "-lrb- cat sat\n"


def test_without_unk_they_are_left_out_of_the_context(tmp_path, capsys):
    path = save(tmp_path / "m.npz", ["<eos>", "sat", "the", "cat"])
    assert main([path, "--temperature", "0", "--length", "1", "--prompt", "zebra"]) == 0
    out, err = capsys.readouterr()
    assert out == "zebra the\n"
    assert "left out of the model's context: zebra" in err


def test_after_an_unknown_word_an_ngram_model_without_unk_starts_anew(tmp_path, capsys):
    path = tmp_path / "some.arpa"
    path.write_text(kenlm_text({("<s>",): (-99, -0.5), ("</s>",): (-2, 0), ("the",): (-1.5, -0.5), ("cat",): (-0.1, 0),
                                ("the", "the"): (-0.05, 0)}), encoding="utf-8")
    first = {}
    for prompt in ("the", "the zebra", "zebra", "zebra yak"):
        assert main([str(path), "--temperature", "0", "--length", "1", "--prompt", prompt]) == 0
        out, err = capsys.readouterr()
        first[prompt] = out.removeprefix(prompt)
    assert first["the zebra"] == first["zebra"] == first["zebra yak"] != first["the"]
    assert err.endswith("note: 2 words of the prompt are not in the vocabulary and end the model's context: zebra, "
                        "yak\n")


def test_unk_is_written_only_when_asked_for(write):
    hot = ["--temperature", "100", "--length", "300", "--seed", "1"]
    assert "<unk>" not in write(*hot).out
    assert "<unk>" in write(*hot, "--allow-unk").out


def test_top_k_and_top_p_narrow_the_choice(write):
    for narrow in (["--top-k", "1"], ["--top-p", "0.5"]):
        assert write("--sentences", "5", *narrow).out == "the cat sat\n" * 5


def test_the_seed_decides_and_a_chosen_one_is_told(write):
    first, again, other = (write("--temperature", "3", "--seed", seed).out for seed in "112")
    assert first == again != other
    out, err = write("--temperature", "3")
    assert write("--temperature", "3", "--seed", err.split()[2]).out == out


@pytest.mark.parametrize("greedy", [["--temperature", "0"], ["--top-k", "1"]])
@pytest.mark.parametrize("more", [[], ["--samples", "2"]])
def test_no_seed_is_told_where_nothing_is_drawn(write, greedy, more):
    assert write("--sentences", "1", *greedy, *more).err == ""


def test_a_model_without_words_says_so(tmp_path, capsys):
    model = LanguageModel(2, 3, 3, rng=np.random.default_rng(0))
    save_model(tmp_path / "m.npz", model, Vocabulary(["<eos>", "<unk>"]))
    assert main([str(tmp_path / "m.npz")]) == 1
    assert "has no word to write" in capsys.readouterr().err


def test_a_model_that_writes_line_ends_alone_is_stopped(tmp_path, capsys):
    model = LanguageModel(3, 3, 3, rng=np.random.default_rng(0))
    model.output.params[1][0] = 100
    save_model(tmp_path / "m.npz", model, Vocabulary(["<eos>", "a", "b"]))
    assert main([str(tmp_path / "m.npz"), "--temperature", "0"]) == 1
    assert "1000 line ends in a row: try a higher --temperature" in capsys.readouterr().err


ENDLESS = {"one word": ["--temperature", "0"], "one word for every seed": ["--top-k", "1"],
           "no line end": ["--temperature", "5"]}


@pytest.mark.parametrize("how", ENDLESS)
@pytest.mark.parametrize(("level", "most", "unit"), [("word", 10_000, "words"), ("char", 50_000, "characters")])
def test_a_sentence_that_never_ends_is_ended(tmp_path, capsys, monkeypatch, how, level, most, unit):
    tokenizer = as_tokenizer(level)
    assert tokenizer.longest_line == most
    monkeypatch.setattr(type(tokenizer), "longest_line", most := most // 100)
    model = LanguageModel(3, 3, 3, rng=np.random.default_rng(0))
    model.output.params[1][...] = [-1000, 0, 0.5 if how == "no line end" else 100]
    save_model(tmp_path / "m.npz", model, Vocabulary(["<eos>", "a", "b"], level))
    assert main([str(tmp_path / "m.npz"), "--sentences", "2", "--seed", "1", *ENDLESS[how]]) == 1
    out, err = capsys.readouterr()
    assert len(out.replace(" ", "")) == most + 2 and out.endswith("\n")  # what was written is kept
    assert err.endswith(f": error: the model wrote more than {most:,} {unit} without a line end: give --length instead "
                        "of --sentences, or try a higher --temperature or --top-k\n") and err.count("\n") == 1


def test_only_sentences_may_not_be_long(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(Words, "longest_line", 3)
    path = save(tmp_path / "m.npz")
    assert main([path, "--sentences", "2", "--temperature", "0"]) == 0
    assert capsys.readouterr().out == "the cat sat\n" * 2  # as long as a line may be
    monkeypatch.setattr(Words, "longest_line", 2)
    assert main([path, "--length", "9", "--temperature", "0"]) == 0
    assert capsys.readouterr().out == "the cat sat\n" * 3


def test_a_prompt_is_read_after_eos(model_path, capsys):
    from rnnlm.scoring.evaluation import token_log_probs

    model, vocabulary = load_model(model_path)
    ids = np.array([2, 3], dtype=np.int32)
    expected = [int(token_log_probs(model, np.append(ids, i).astype(np.int32), 0)[-1] * -1e6) for i in range(5)]
    main([model_path, "--prompt", "the cat", "--temperature", "0", "--length", "1", "--allow-unk"])
    assert capsys.readouterr().out.split()[2] == vocabulary.words[int(np.argmin(expected))]


def test_characters_come_without_gaps(tmp_path, capsys):
    path = save(tmp_path / "m.npz", ["<eos>", " ", "a", "b", "c"], level="char")
    assert main([path, "--temperature", "0", "--length", "6", "--prompt", "b"]) == 0
    assert capsys.readouterr().out == "bc\nabc\nab\n"


def test_each_word_is_handed_on_before_the_next_is_drawn(model_path, monkeypatch):
    import rnnlm.scoring.writing

    events = []

    class Screen:
        def write(self, text):
            events.append(text)

        def flush(self):
            events.append("shown")

    def generate(*arguments, **options):
        for i in (2, 3, 0):
            events.append("drawn")
            yield i

    monkeypatch.setattr(rnnlm.scoring.writing, "generate", generate)
    monkeypatch.setattr(sys, "stdout", Screen())
    main([model_path, "--sentences", "1"])
    assert events[:9] == ["drawn", "the", "shown", "drawn", " cat", "shown", "drawn", "\n", "shown"]


def test_words_appear_as_they_are_produced(model_path):
    """The first words arrive while the (endless) text is being written.

    Then the reader leaves.
    """
    command = [sys.executable, "-m", "rnnlm", "generate", model_path, "--length", "1000000000"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert os.read(process.stdout.fileno(), 20)
        assert process.poll() is None
        process.stdout.close()
        assert b"Traceback" not in process.stderr.read()
    assert process.returncode == 1


@pytest.mark.parametrize("arguments", [["--temperature", "-1"], ["--top-p", "0"], ["--top-k", "0"],
                                       ["--length", "3", "--sentences", "2"]])
def test_wrong_usage_exits_2(model_path, arguments):
    with pytest.raises(SystemExit) as caught:
        main([model_path, *arguments])
    assert caught.value.code == 2


def test_a_missing_model_is_one_line(tmp_path, capsys):
    assert main([str(tmp_path / "none.npz")]) == 1
    assert "no such file" in capsys.readouterr().err


def test_the_number_of_threads_is_an_option(model_path, capsys):
    written = set()
    for threads in ("1", "2"):
        assert main([model_path, "--seed", "1", "--threads", threads]) == 0
        written.add(capsys.readouterr().out)
    assert len(written) == 1
    with pytest.raises(SystemExit):
        main([model_path, "--threads", "0"])
    assert "--threads: must be a whole number of at least 1, got '0'" in capsys.readouterr().err


HEADER = re.compile(r"# (?P<kind>sample|beam) (?P<number>\d+): (?P<lines>\d+) lines?, (?P<words>[\d,]+) words? written"
                    r"(?:, ln p (?P<ln_p>-?[\d.]+), perplexity (?P<perplexity>[\d.e+]+))?(?P<cut>, cut short)?\n")


def split(out):
    """The texts of a printed page as a script reads them: (header, text) of each."""
    lines, texts = out.splitlines(keepends=True), []
    if lines and lines[0].startswith("# ln p: natural logarithm"):
        lines.pop(0)
    while lines:
        header = HEADER.fullmatch(lines.pop(0))
        n = int(header["lines"])
        texts.append((header, "".join(lines[:n])))
        lines = lines[n:]
    return texts


def test_samples_are_the_texts_one_after_another(write):
    hot = ["--temperature", "3", "--seed", "4", "--sentences", "3", "--min-length", "1"]
    alone = write(*hot).out
    texts = split(write(*hot, "--samples", "5").out)
    assert [int(header["number"]) for header, _ in texts] == [1, 2, 3, 4, 5]
    assert {header["kind"] for header, _ in texts} == {"sample"}
    assert texts[0][1] == alone and len({text for _, text in texts}) == 5
    for header, text in texts:
        assert text.count("\n") == 3 and int(header["words"]) == len(text.split())
        assert header["ln_p"] is None
    assert split(write(*hot, "--samples", "2").out)[1][1] == texts[1][1]
    assert split(write(*hot, "--samples", "1").out)[0][1] == alone


def test_a_text_that_looks_like_a_header_is_split_all_the_same(tmp_path, capsys):
    path = save(tmp_path / "m.npz", ["<eos>", "1:", "#", "sample"])  # # sample 1: <eos>
    assert main([path, "--temperature", "0", "--sentences", "2", "--samples", "2"]) == 0
    out = capsys.readouterr().out
    assert out.count("# sample 1:\n") == 4
    assert [text for _, text in split(out)] == ["# sample 1:\n" * 2] * 2


def test_scores_are_those_of_the_model_itself(write, model_path):
    model, vocabulary = load_model(model_path)
    for way in (["--samples", "3", "--temperature", "4", "--top-k", "3", "--length", "6"], ["--beam", "3"],
                ["--repetition-penalty", "9", "--sentences", "2"]):
        way += ["--prompt", "the dog", "--scores", *(() if "--beam" in way else ("--seed", "1"))]
        out = write(*way).out
        assert out.startswith("# ln p: natural logarithm of the model's own probability of what was written, line "
                              "ends included, whatever the temperature and the other options\n# ")
        objects = [json.loads(line) for line in write(*way, "--json").out.splitlines()]
        assert len(objects) == len(split(out)) > 0
        for (header, text), values in zip(split(out), objects, strict=True):
            assert text.rstrip("\n") == (values["prompt"] + values["written"]).rstrip("\n")
            ids = [2, 1, *(vocabulary.ids[token] for token in values["tokens"])]
            expected = token_log_probs(model, np.array(ids, np.int32), 0)[2:]
            np.testing.assert_allclose(values["log_probs"], expected, atol=1e-5)
            assert values["log_prob"] == pytest.approx(expected.sum(), abs=1e-4) == pytest.approx(
                float(header["ln_p"]), abs=1e-3)
            assert values["targets"] == len(expected)
            assert values["perplexity"] == pytest.approx(np.exp(-expected.mean())) == pytest.approx(
                float(header["perplexity"]), rel=1e-4)
            assert values["words"] == int(header["words"]) == len([t for t in values["tokens"] if t != "<eos>"])
            assert values["complete"] is True


def test_json_is_an_object_a_text(write):
    out, err = write("--json", "--temperature", "0", "--sentences", "1", "--prompt", "the", "--seed", "1")
    assert json.loads(out) == {"number": 1, "prompt": "the", "written": " cat sat\n", "words": 2, "complete": True}
    assert (out.count("\n"), err) == (1, "")


def test_a_seed_that_was_chosen_is_told_with_samples_too(write):
    out, err = write("--samples", "2", "--temperature", "3")
    assert write("--samples", "2", "--temperature", "3", "--seed", err.split()[2]).out == out


def test_lines_have_at_least_and_at_most_so_many_words(write):
    assert write("--temperature", "0", "--sentences", "2", "--max-length", "2").out == "the cat\nthe cat\n"
    lines = write("--sentences", "9", "--min-length", "5", "--max-length", "6", "--seed", "1").out.splitlines()
    assert {len(line.split()) for line in lines} == {5, 6}
    assert write("--sentences", "1", "--max-length", "3", "--prompt", "cat the cat sat").out == "cat the cat sat\n"
    exact = write("--sentences", "1", "--min-length", "4", "--max-length", "4", "--prompt", "sat the").out
    assert len(exact.split()) == 4


def test_banned_words_are_never_written(write):
    for ban in (["--ban", "cat", "--ban", "sat"], ["--ban", " cat\tsat "]):
        out, err = write("--temperature", "9", "--length", "200", "--seed", "1", *ban)
        assert set(out.split()) == {"the"}
        assert err == ""
        assert {text for _, text in split(write("--beam", "2", "--max-length", "2", *ban).out)} == {"\n", "the\n"}


@pytest.mark.parametrize("ban", ["", " \t"])
def test_a_ban_without_a_word_is_refused(model_path, capsys, ban):
    assert main([model_path, "--ban", "cat", "--ban", ban]) == 1
    out, err = capsys.readouterr()
    assert f"--ban must hold words, got {ban!r}: leave it out" in err and (out, err.count("\n")) == ("", 1)


def test_a_banned_word_that_the_vocabulary_lacks_is_noted(write):
    out, err = write("--temperature", "0", "--sentences", "1", "--ban", "zebra", "--ban", "a\x1bb")
    assert out == "the cat sat\n"
    assert "note: 2 words of --ban cannot be written in any case, as the vocabulary lacks them: zebra, a\\x1bb\n" in err


def test_of_characters_each_one_is_banned(tmp_path, capsys):
    path = save(tmp_path / "m.npz", ["<eos>", " ", "a", "b", "c"], level="char")
    assert main([path, "--temperature", "9", "--length", "100", "--ban", "a b", "--seed", "1"]) == 0
    assert set(capsys.readouterr().out) == {"c", "\n"}


def test_repeated_words_are_less_probable_with_a_penalty(write):
    plain, none, high = (write("--length", "300", "--seed", "1", *more).out for more in (
        [], ["--repetition-penalty", "1"], ["--repetition-penalty", "100"]))  # scores of 4 become 0.04
    assert none == plain
    assert plain.count("the cat sat\n") > 80 > 20 > high.count("the cat sat\n")


def test_a_prompt_comes_from_a_file_or_from_standard_input(write, tmp_path, monkeypatch):
    expected = "sat\nthe cat sat\n"
    for name, text in (("a", "sat\nthe cat\n"), ("b", "\ufeffsat\r\nthe cat"), ("c.gz", "sat\nthe cat")):
        data = text.encode()
        (tmp_path / name).write_bytes(gzip.compress(data) if name.endswith("gz") else data)
        greedy = ["--temperature", "0", "--sentences", "1", "--seed", "1"]
        assert write("--prompt-file", str(tmp_path / name), *greedy) == (expected, "")
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO((tmp_path / name).read_bytes())))
        assert write("--prompt-file", "-", *greedy) == (expected, "")
    (tmp_path / "d").write_text("sat\n\n")  # an empty line: the text goes on in a new one
    assert write("--prompt-file", str(tmp_path / "d"), "--temperature", "0", "--sentences", "1").out == (
        "sat\nthe cat sat\n")
    (tmp_path / "e").write_text("")
    assert write("--prompt-file", str(tmp_path / "e"), "--temperature", "0", "--sentences", "1").out == "the cat sat\n"
    (tmp_path / "f").write_text("the dog")
    assert "1 word of the prompt is not in the vocabulary" in write("--prompt-file", str(tmp_path / "f")).err


@pytest.mark.parametrize(("content", "message"), [
    (b"x " * 500_001, "a prompt must have at most 1,000,000 characters, FILE has more: give its end alone"),
    (b"the \xff", "FILE must be UTF-8: line 1 (byte offset 4) holds the byte 0xff; "),
    (b"the <eos>", "--prompt-file holds the word <eos>, which is the token of a line end: write a line end instead"),
    (None, "FILE could not be read: no such file")])
def test_a_prompt_that_cannot_be_read_is_one_line(model_path, tmp_path, capsys, content, message):
    path = tmp_path / "prompt"
    if content is not None:
        path.write_bytes(content)
    assert main([model_path, "--prompt-file", str(path)], "rnnlm generate") == 1
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1
    assert f"error: {message.replace('FILE', str(path))}" in err


def test_a_prompt_of_the_largest_size_is_read(model_path, tmp_path, capsys):
    (tmp_path / "prompt").write_text("the " * 249_999 + "sat")
    assert len(read_prompt(tmp_path / "prompt")) == 999_999
    (tmp_path / "prompt").write_text("the " * 249_999 + "cats\n")
    assert len(read_prompt(tmp_path / "prompt")) == 1_000_000


def test_a_beam_is_the_most_probable_lines_best_first(write):
    out, err = write("--beam", "3", "--prompt", "the", "--scores", "--max-length", "4")
    texts = split(out)
    assert texts[0][1] == "the cat sat\n" and err == ""
    assert [header["kind"] for header, _ in texts] == ["beam"] * 3
    ln_p = [float(header["ln_p"]) for header, _ in texts]
    assert ln_p == sorted(ln_p, reverse=True)
    assert split(write("--beam", "1").out)[0][1] == "the cat sat\n"
    ranked = [header["perplexity"] for header, _ in split(write(
        "--beam", "3", "--scores", "--length-penalty", "1", "--max-length", "4").out)]
    assert [float(x) for x in ranked] == sorted(map(float, ranked))


@pytest.mark.parametrize(("arguments", "message"), [
    *((["--beam", "2", flag, "1"], f"--beam writes the most probable lines, so {flag} has no effect: leave out one of "
       "them") for flag in ("--length", "--sentences", "--samples", "--temperature", "--top-k", "--top-p",
                            "--repetition-penalty", "--seed")),
    (["--length-penalty", "1"], "--length-penalty ranks what beam search finds: give --beam, too"),
    (["--min-length", "5", "--max-length", "4"], "--min-length must be at most --max-length, which is 4, got 5"),
    (["--min-length", "5", "--length", "4"], "--min-length must be at most --length, which is 4, got 5"),
    (["--ban", "the cat sat"], "--ban must leave a word to write, got all 3 of the vocabulary"),
    (["--ban", "a\nb"], "--ban must hold words, got a line end: a minimum of words in a line is another option"),
    (["--ban", "<eos>"], "--ban must hold words, got a line end: a minimum of words in a line is another option")])
def test_options_that_make_no_sense_together_are_one_line(model_path, capsys, arguments, message):
    assert main([model_path, *arguments], "rnnlm generate") == 1
    assert capsys.readouterr() == ("", f"rnnlm generate: error: {message}\n")


@pytest.mark.parametrize("arguments", [["--samples", "0"], ["--beam", "0"], ["--beam", "1001"], ["--min-length", "0"],
                                       ["--repetition-penalty", "0.5"], ["--length-penalty", "11"],
                                       ["--prompt", "a", "--prompt-file", "b"]])
def test_wrong_values_of_the_new_options_exit_2(model_path, arguments):
    with pytest.raises(SystemExit) as caught:
        main([model_path, *arguments])
    assert caught.value.code == 2


@pytest.mark.parametrize("way", [["--samples", "3", "--temperature", "0", "--sentences", "1"], ["--beam", "3"],
                                 ["--scores", "--sentences", "1"], ["--json", "--sentences", "1"]])
def test_a_text_that_never_ends_is_shown_as_far_as_it_goes(tmp_path, capsys, monkeypatch, way):
    monkeypatch.setattr(Words, "longest_line", 20)
    model = LanguageModel(3, 3, 3, rng=np.random.default_rng(0))
    model.output.params[1][...] = [-1000, 0, 9]
    save_model(tmp_path / "m.npz", model, Vocabulary(["<eos>", "a", "b"]))
    seed = () if "--beam" in way else ("--seed", "1")
    assert main([str(tmp_path / "m.npz"), *way, *seed], "rnnlm generate") == 1
    out, err = capsys.readouterr()
    first = 2 if "--beam" in way else 1  # in a beam, the empty line comes first
    assert err.startswith(f"rnnlm generate: error: text {first}: the model wrote more than 20 words without a line "
                          "end: give ") and err.count("\n") == 1
    if "--json" in way:
        assert json.loads(out)["complete"] is False and json.loads(out)["words"] == 21
    else:
        assert len(split(out)) == (1 if "--scores" in way else 2 + first)
        for header, text in split(out)[first - 1 :]:
            assert header["cut"] and len(text.split()) == 21


def test_a_signal_ends_all_texts_and_what_there_is_of_them_is_shown(model_path):
    command = [sys.executable, "-c", "import os, signal, sys\nfrom rnnlm.cli import generate\n"
               "from rnnlm.scoring import streams\nstep, count = streams.Batch._step, 0\n"
               "def signalled(batch):\n global count\n count += 1\n step(batch)\n"
               " if count == 5: os.kill(os.getpid(), signal.SIGTERM)\n"
               "streams.Batch._step = signalled\nsys.exit(generate.main(sys.argv[1:], 'rnnlm generate'))",
               model_path, "--samples", "3", "--length", "1000000", "--seed", "1", "--min-length", "7"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 128 + 15
    texts = split(done.stdout)
    assert len(texts) == 3 and all(header["cut"] and 7 <= len(text.split()) <= 8 for header, text in texts)
    assert done.stderr.endswith("rnnlm generate: stopped\n") and "Traceback" not in done.stderr


def test_texts_of_a_model_cannot_move_the_cursor_of_a_terminal(tmp_path, capsys, monkeypatch):
    path = save(tmp_path / "m.npz", ["<eos>", "<unk>", "the", "\x1b[2J", "sat"])
    monkeypatch.setattr("rnnlm.cli.generate.is_terminal", lambda stream: True)
    assert main([path, "--temperature", "0", "--samples", "2", "--sentences", "1"]) == 0
    out = capsys.readouterr().out
    assert "\x1b" not in out and out.count("the \\x1b[2J sat\n") == 2
