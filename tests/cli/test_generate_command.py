import os
import subprocess
import sys

import numpy as np
import pytest

from rnnlm.cli.generate import main
from rnnlm.formats.model_file import load_model, save_model
from rnnlm.models import LanguageModel
from rnnlm.scoring.limits import LONGEST_LINE
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
    assert note == (f"note: 5,001 words of the prompt are not in the vocabulary and are read as <unk>: {'x' * 40}... "
                    "w4999 w4998 w4997 w4996 w4995 w4994 w4993 w4992 w4991 ...\n")


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
    assert LONGEST_LINE[level] == most
    monkeypatch.setitem(LONGEST_LINE, level, most := most // 100)
    model = LanguageModel(3, 3, 3, rng=np.random.default_rng(0))
    model.output.params[1][...] = [-1000, 0, 0.5 if how == "no line end" else 100]
    save_model(tmp_path / "m.npz", model, Vocabulary(["<eos>", "a", "b"], level))
    assert main([str(tmp_path / "m.npz"), "--sentences", "2", "--seed", "1", *ENDLESS[how]]) == 1
    out, err = capsys.readouterr()
    assert len(out.replace(" ", "")) == most + 2 and out.endswith("\n")  # what was written is kept
    assert err.endswith(f": error: the model wrote more than {most:,} {unit} without a line end: give --length instead "
                        "of --sentences, or try a higher --temperature or --top-k\n") and err.count("\n") == 1


def test_only_sentences_may_not_be_long(tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(LONGEST_LINE, "word", 3)
    path = save(tmp_path / "m.npz")
    assert main([path, "--sentences", "2", "--temperature", "0"]) == 0
    assert capsys.readouterr().out == "the cat sat\n" * 2  # as long as a line may be
    monkeypatch.setitem(LONGEST_LINE, "word", 2)
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
