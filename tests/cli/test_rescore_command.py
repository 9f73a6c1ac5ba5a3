import gzip
import hashlib
import io
import os
import re
import signal
import sys

import numpy as np
import pytest

from rnnlm.cli import screen
from rnnlm.cli.main import main as rnnlm
from rnnlm.cli.rescore import main
from rnnlm.formats.model_file import save_model
from rnnlm.models import LanguageModel
from rnnlm.text.vocabulary import Vocabulary

WORDS = ["<eos>", "<unk>", "a", "b", "c"]
PROBS = [1 / 2, 1 / 16, 1 / 4, 1 / 8, 1 / 16]
HEADING = "utterance hypothesis rank words unknown log_prob first_pass total text".split()
KALDI = "utt-1 a b\nutt-2 a\nutt-3\nother-1 x c\nother-2 a a\n"


def a_model(words=WORDS, probs=PROBS, level="word"):
    """A model whose next word has these probabilities, whatever came before."""
    model = LanguageModel(len(words), 2, 2, rng=np.random.default_rng(0))
    params = model.named_params()
    params["affine/W"][...], params["affine/b"][...] = 0, np.log(probs)
    return model, Vocabulary(words, level)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    save_model("model.npz", *a_model())
    (tmp_path / "kaldi").write_text(KALDI)
    return tmp_path


@pytest.fixture
def call(folder, capsys):
    """A function of arguments that returns (lines of standard output, standard error).

    Files of the folder are written first: name="content".
    """

    def run(*arguments, model="model.npz", form="kaldi", code=0, lists="kaldi", **files):
        for name, content in files.items():
            (folder / name).write_text(content)
        assert main([model, lists, "--nbest-format", form, *arguments]) == code
        out, err = capsys.readouterr()
        assert code == 0 or (out == "" and len(err.splitlines()) == 1)
        return out.splitlines(), err

    return run


def table(lines):
    """The rows under the header lines, as dicts."""
    rows = [line.split("\t") for line in lines if not line.startswith("#")]
    assert rows[0] == HEADING
    return [dict(zip(HEADING, row, strict=True)) for row in rows[1:]]


def test_the_table_has_every_hypothesis_and_says_what_its_numbers_are(call, folder):
    lines, err = call()
    digest = hashlib.sha256((folder / "model.npz").read_bytes()).hexdigest()
    assert lines[:9] == [
        "# rnnlm: 0.1.0", "# model: model.npz", f"# sha256: {digest}",
        "# protocol: sentence: each hypothesis is read on its own", "# base: e",
        "# first_word: scored, after <eos> and from a state of zeros",
        "# log_prob: natural logarithm, of the words and the sentence end", "# first_pass: none",
        "# total: scale * log_prob - word_penalty * words, with scale 1 and word_penalty 0"]
    rows = table(lines)
    assert [(row["utterance"], row["hypothesis"], row["rank"], row["text"]) for row in rows] == [
        ("utt", "1", "3", "a b"), ("utt", "2", "2", "a"), ("utt", "3", "1", ""), ("other", "1", "2", "x c"),
        ("other", "2", "1", "a a")]
    np.testing.assert_allclose([float(row["log_prob"]) for row in rows],
                               np.log([1 / 64, 1 / 8, 1 / 2, 1 / 512, 1 / 32]), atol=1e-5)
    assert [row["unknown"] for row in rows] == ["0", "0", "0", "1", "0"]
    assert err == "note: 2 lists, 5 hypotheses (1 empty, 0 repeated), 7 words, 1 of them unknown (scored as <unk>)\n"


def test_forms_of_other_programs(call):
    assert call("--format", "classic")[0] == ["-1.806180", "-0.903090", "-0.301030", "-2.709270", "-1.505150"]
    assert call("--format", "kaldi")[0] == [
        "utt-1 1.3863 2.0794 0.6931 ", "utt-2 1.3863 0.6931 ", "utt-3 0.6931 ", "other-1 2.7726 2.7726 0.6931 ",
        "other-2 1.3863 1.3863 0.6931 "]
    assert call("--format", "kaldi", "--best")[0] == ["utt-3 0.6931 ", "other-2 1.3863 1.3863 0.6931 "]
    lists = "0 ||| a ||| D= 1 ||| -2\n0 ||| b c ||| D= 2 ||| -3\n"
    assert call("--format", "moses", form="moses", lists="moses", moses=lists)[0] == [
        "0 ||| a ||| D= 1 rnnlm= -2.079442 ||| -2", "0 ||| b c ||| D= 2 rnnlm= -5.545177 ||| -3"]


def totals(lines):
    return [float(row["total"]) for row in table(lines)]


def test_the_first_pass_is_a_cost_by_key_with_kaldi(call):
    scores = "other-2 9\nother-1 1\nutt-3 3\nutt-1 0.5\nutt-2 1\n"
    lines, _ = call("--first-pass", "scores", "--scale", "0.5", "--word-penalty", "-1", scores=scores)
    np.testing.assert_allclose(totals(lines), [
        -0.5 + 0.5 * np.log(1 / 64) + 2, -1 + 0.5 * np.log(1 / 8) + 1, -3 + 0.5 * np.log(1 / 2),
        -1 + 0.5 * np.log(1 / 512) + 2, -9 + 0.5 * np.log(1 / 32) + 2], atol=1e-5)
    assert "# first_pass: scores: by key, cost, base e" in lines
    assert "# total: first_pass + scale * log_prob - word_penalty * words, with scale 0.5 and word_penalty -1" in lines
    best = table(call("--first-pass", "scores", "--scale", "0.5", "--best")[0])
    assert [(row["hypothesis"], row["rank"]) for row in best] == [("2", "1"), ("1", "1")]


@pytest.mark.parametrize(("base", "factor"), [("10", np.log(10)), ("2", np.log(2)), ("e", 1)])
def test_the_first_pass_is_a_log_probability_in_order_with_other_forms(call, base, factor):
    options = ["--first-pass", "scores", "--first-pass-base", base, "--scale", "0"]
    lines, _ = call(*options, form="plain", lists="plain", plain="a\nb\n\nc\n", scores="-1\n-2\n-4\n\n")
    np.testing.assert_allclose(totals(lines), factor * np.array([-1, -2, -4]), atol=1e-6)
    lines, _ = call(*options, "--first-pass-sign", "cost", "--first-pass-by", "key", form="classic", lists="classic",
                    classic="u a\nu b\nv c\n", scores="v-1 4\nu-2 2\nu-1 1\n")
    np.testing.assert_allclose(totals(lines), factor * np.array([-1, -2, -4]), atol=1e-6)


def test_the_first_pass_of_moses_is_its_total_unless_a_file_is_given(call):
    lists = "0 ||| a ||| 1 ||| -2\n0 ||| b ||| 2 ||| -1\n"
    lines, _ = call("--scale", "0", form="moses", lists="moses", moses=lists)
    assert totals(lines) == [-2, -1]
    assert "# first_pass: total of the lists" in lines
    lines, _ = call("--scale", "0", "--first-pass", "scores", form="moses", lists="moses", scores="-5\n-6\n")
    assert totals(lines) == [-5, -6]


def test_what_is_strange_about_a_first_pass_is_noted(call):
    options = ["--first-pass", "scores", "--first-pass-by", "order"]
    assert "are they log-probabilities? then give" in call(*options, scores="-1\n-2\n-3\n-4\n-5\n")[1]
    assert "are they costs? then give" in call(*options, "--first-pass-sign", "log-prob", scores="1\n2\n3\n4\n5\n")[1]
    for sign in ("cost", "log-prob"):
        assert "are they" not in call(*options, "--first-pass-sign", sign, scores="1\n2\n-3\n4\n5\n")[1]
    by_key = "".join(f"{key} 1\n" for key in ("utt-1", "utt-2", "utt-3", "other-1", "other-2", "utt-4"))
    assert "note: 1 score of scores without a hypothesis" in call("--first-pass", "scores", scores=by_key)[1]


def test_more_scores_than_hypotheses_are_an_error(folder, capsys):
    (folder / "scores").write_text("1\n" * 6)
    assert main(["model.npz", "kaldi", "--nbest-format", "kaldi", "--first-pass", "scores", "--first-pass-by",
                 "order"]) == 1
    assert "scores must have a score for each hypothesis, it has more" in capsys.readouterr().err


def test_states_are_carried_through_conversations(folder, call, rng):
    model = LanguageModel(len(WORDS), 4, 5, rng=rng)
    for param in model.params:
        param += rng.standard_normal(param.shape).astype(np.float32)
    save_model("other.npz", model, Vocabulary(WORDS))
    lists = "u a b\nu c\nv b\nv c\n\nw a b\nw c\n"
    alone, carried = (table(call(*options, model="other.npz", form="classic", lists="classic", classic=lists)[0])
                      for options in ([], ["--carry"]))
    values = [[row["log_prob"] for row in rows] for rows in (alone, carried)]
    assert (values[0][:2], values[0][4:]) == (values[1][:2], values[1][4:])
    assert values[0][2:4] != values[1][2:4]
    assert values[1][4:] == values[1][:2]


def test_tuning_prints_the_surface_and_what_is_best(call):
    lists, scores = "u a\nu b\nv a b\nv a\nw c\n", "1\n0\n0\n0\n0\n"
    options = ["--first-pass", "scores", "--first-pass-sign", "cost", "--scales", "0:2:0.5", "--penalties", "-4:4:2"]
    lines, err = call("--tune", "reference", *options, form="classic", lists="classic", classic=lists, scores=scores,
                      reference="u a\nv a b\nw c\n\n")
    assert [line for line in lines if line.startswith("#")][-3:] == [
        "# first_pass_errors: 1 of 4 words, 25.00 %", "# oracle_errors: 0 of 4 words, 0.00 %",
        "# best: --scale 1.5 --word-penalty -4: 0 of 4 words, 0.00 %"]
    rows = [line.split("\t") for line in lines if not line.startswith("#")]
    assert rows[0] == ["scale", "word_penalty", "errors", "wer_percent"]
    assert len(rows) == 1 + 5 * 5
    # "a" is better than "b" where -1 + scale ln 2 > 0, and "a b" is as good as "a" or
    # better where -scale ln 8 - penalty >= 0.
    for scale, penalty, errors, rate in rows[1:]:
        wrong = int(float(scale) * np.log(2) <= 1) + int(-float(scale) * np.log(8) - float(penalty) < 0)
        assert (int(errors), rate) == (wrong, f"{25 * wrong:.2f}")
    assert "the best scale is" not in err
    assert "the best word penalty is the last one that was tried: give a wider range with --penalties" in err
    assert err.endswith("\nnote: best: --scale 1.5 --word-penalty -4: 0 of 4 words, 0.00 %\n")
    chosen = table(call(*options[:4], "--scale", "1.5", "--word-penalty", "-4", "--best", form="classic",
                        lists="classic")[0])
    assert [row["text"] for row in chosen] == ["a", "a b", "c"]


def test_tuning_says_what_became_of_what_does_not_match(call):
    _, err = call("--tune", "reference", reference="utt a b\nutt a b\nmissing c c\nempty\n")
    assert "note: 1 list without a reference: left out\n" in err
    assert "note: 2 references without a list: all words are errors\n" in err
    assert "note: 1 empty reference: all words of a hypothesis are errors\n" in err
    assert "note: 1 repeated reference: read once\n" in err
    lines, _ = call("--tune", "reference", "--references-by", "order", reference="a\na a\n")
    assert "# oracle_errors: 0 of 3 words, 0.00 %" in lines
    assert "# first_of_list_errors: 3 of 3 words, 100.00 %" in lines
    assert not any(line.startswith("# total") for line in lines)


def test_lists_may_be_compressed_or_come_through_a_pipe(call, folder, monkeypatch):
    lines, _ = call()
    (folder / "lists.gz").write_bytes(gzip.compress(KALDI.encode()))
    assert call(lists="lists.gz")[0] == lines

    class Stream(io.TextIOWrapper):
        def isatty(self):
            return False

    monkeypatch.setattr(sys, "stdin", Stream(io.BytesIO(KALDI.encode())))
    assert call(lists="-")[0] == lines


def test_a_model_of_characters(call):
    save_model("char.npz", *a_model(["<eos>", "a", "b", " "], [1 / 2, 1 / 4, 1 / 8, 1 / 8], "char"))
    lines, err = call("--format", "kaldi", model="char.npz", form="classic", lists="classic", classic="1 ab  b\n1 zb\n")
    assert lines == ["1-1 5.5452 2.0794 0.6931 ", "1-2 2.0794 0.6931 "]
    assert "3 words, 1 of them unknown (left out, which favours" in err


@pytest.mark.parametrize(("arguments", "message"), [
    ([], "--nbest-format must be given, as the forms cannot be told apart safely: classic, kaldi, moses, plain"),
    (["--nbest-format", "lattice"], "must be one of classic, kaldi, moses, plain, got 'lattice'"),
    (["--nbest-format", "kaldi", "--scales", "1:0:1"], "a STEP above 0 and TO at least FROM"),
    (["--nbest-format", "kaldi", "--scales", "0:1"], "must be FROM:TO:STEP, three numbers, got '0:1'"),
    (["--nbest-format", "kaldi", "--scales", "0:1e6:1"], "with at most 1,000 numbers"),
    (["--nbest-format", "kaldi", "--scales", "-1:1:1"], "must begin with a number of at least 0"),
    (["--nbest-format", "kaldi", "--penalties", "0:x:1"], "must be a number, got 'x'"),
    (["--nbest-format", "kaldi", "--scale", "-1"], "must be a number of at least 0"),
    (["--nbest-format", "kaldi", "--word-penalty", "nan"], "must be a number")])
def test_wrong_usage_is_one_line_and_exit_code_2(folder, capsys, arguments, message):
    with pytest.raises(SystemExit) as end:
        main(["model.npz", "kaldi", *arguments])
    assert end.value.code == 2
    assert message in (err := capsys.readouterr().err)
    assert len(err.splitlines()) == 1


@pytest.mark.parametrize(("arguments", "message"), [
    (["--scale", "2"], "--scale has no effect without first-pass scores or a word penalty: give --first-pass or"),
    (["--tune", "x", "--scale", "2"], "--scale does nothing here: it works only with first-pass scores or a "),
    (["--first-pass-sign", "cost"], "--first-pass-sign does nothing here: it works only with --first-pass;"),
    (["--first-pass-by", "key"], "--first-pass-by does nothing here"),
    (["--first-pass-base", "10"], "--first-pass-base does nothing here"),
    (["--references-by", "key"], "--references-by does nothing here: it works only with --tune"),
    (["--scales", "0:1:1"], "--scales does nothing here"), (["--penalties", "0:1:1"], "--penalties does nothing here"),
    (["--tune", "x", "--best"], "--best does nothing here: it works only with printed lists, not with --tune; "),
    (["--tune", "x", "--format", "kaldi"], "--format does nothing here"),
    (["--tune", "x", "--word-penalty", "1"], "--word-penalty does nothing here"),
    (["--format", "moses"], "--format moses adds to lists of --nbest-format moses, got kaldi"),
    (["--first-pass", "-", "--tune", "-"], "standard input (-) can be read only once"),
    (["--tune", "none"], "none could not be read"), (["--first-pass", "none"], "none could not be read")])
def test_options_that_do_nothing_and_files_that_are_missing_are_errors(call, arguments, message):
    assert message in call(*arguments, code=1)[1]


def test_another_form_than_the_file_has_is_an_error_or_noted(call):
    assert "line 1: must be ID ||| words" in call(form="moses", code=1)[1]
    assert "--trust-ids does nothing here" in call("--trust-ids", form="moses", code=1)[1]
    assert "no list has more than one hypothesis" in call(form="classic")[1]
    assert "the first word of every line is unknown to the model: is it an id?" in call(form="plain")[1]
    assert "of the first 2 ids are words of the text" in call(form="classic", lists="plain", plain="a b\na\n\nb c\n",
                                                              code=1)[1]
    assert "is it an id?" not in call(form="plain", lists="plain")[1]
    assert call("--trust-ids", form="classic", lists="plain")[0][-1].startswith("b\t1\t1\t1\t0")


@pytest.mark.parametrize(("last", "scores", "message"), [
    ("a word\n", 31, "lists line 31: the first word must be a key"),
    ("", 29, "scores must have a score for each hypothesis, it has none for the key 'u29-1'"),
    ("", 29, "scores must have a score for each hypothesis, it has none for 'u29-1'"),
    ("", 31, "scores must have a score for each hypothesis, it has more: give the file that")])
def test_nothing_is_printed_of_lists_in_which_something_is_wrong(folder, call, monkeypatch, last, scores, message):
    monkeypatch.setattr("rnnlm.scoring.nbest.BLOCK", 1)
    by = "key" if "key" in message else "order"
    values = "".join(f"u{i}-1 -1\n" if by == "key" else "-1\n" for i in range(scores))
    (folder / "lists").write_text("".join(f"u{i}-1 a\n" for i in range(30)) + last)
    assert message in call("--first-pass", "scores", "--first-pass-by", by, lists="lists", code=1, scores=values)[1]


def test_of_standard_input_an_error_comes_after_the_rows_of_whole_lists(folder, capsys, monkeypatch):
    monkeypatch.setattr("rnnlm.scoring.nbest.BLOCK", 1)
    lists = "".join(f"u{i}-1 a\n" for i in range(30)) + "a word\n"
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(lists.encode())))
    assert main(["model.npz", "-", "--nbest-format", "kaldi"]) == 1
    out, err = capsys.readouterr()
    assert len(table(out.splitlines())) == 29
    assert "standard input line 31: the first word must be a key" in err


def test_a_signal_among_the_rows_waits_for_the_end_of_a_list(folder, capsys, monkeypatch):
    plain = screen.show

    def signalled(text):
        os.kill(os.getpid(), signal.SIGTERM)
        plain(text)

    monkeypatch.setattr("rnnlm.cli.rescore.show", signalled)
    assert main(["model.npz", "kaldi", "--nbest-format", "kaldi"]) == 128 + signal.SIGTERM
    out, err = capsys.readouterr()
    assert [row["utterance"] for row in table(out.splitlines())] == ["utt", "utt", "utt"]
    assert "stopping after these lines" in err


def test_a_model_without_finite_scores_is_an_error(call, monkeypatch):
    monkeypatch.setattr("rnnlm.scoring.nbest.sequence_scores", lambda *arguments, **options: type(
        "Scores", (), {"log_probs": np.nan}))
    assert "gives no probabilities for these sentences: its scores are not finite" in call(code=1)[1]


def test_threads_and_the_other_way_to_call_it_change_nothing(call, capsys):
    lines, _ = call("--threads", "1")
    assert rnnlm(["rescore", "model.npz", "kaldi", "--nbest-format", "kaldi", "--threads", "2"]) == 0
    assert capsys.readouterr().out.splitlines() == lines


def test_no_bar_gets_between_the_rows(folder, capsys, monkeypatch):
    monkeypatch.setattr("rnnlm.cli.rescore.is_terminal", lambda stream: stream is sys.stdout)
    monkeypatch.setattr("rnnlm.cli.rescore.scoring_bar", None)
    assert main(["model.npz", "kaldi", "--nbest-format", "kaldi"]) == 0
    assert len(table(capsys.readouterr().out.splitlines())) == 5


def test_a_terminal_is_shown_how_far_the_scoring_is(folder, on_terminal):
    (folder / "lists").write_text("".join(f"u{i}-{k} a b c a b c\n" for i in range(3000) for k in range(8)))
    shown = on_terminal(["rescore", "model.npz", "lists", "--nbest-format", "kaldi"], folder, 100)
    assert re.search(r"checking lists: +\d+%.*left.*scoring lists: +\d+%.*left", shown, re.DOTALL)
