"""--mix, --weights, --mixing, --probs and --tune: what the commands print with them."""

import io
import json
import math
import re
from types import SimpleNamespace

import numpy as np
import pytest

from rnnlm.cli.evaluate import main as evaluate
from rnnlm.cli.generate import main as generate
from rnnlm.cli.pairs import main as pairs
from rnnlm.cli.rescore import main as rescore
from rnnlm.cli.score import main as score
from rnnlm.formats.model_file import save_model
from rnnlm.formats.predictors import load_predictor
from rnnlm.models import LanguageModel
from rnnlm.scoring.following import FollowingWeights
from rnnlm.text.vocabulary import Vocabulary

WORDS = ["<eos>", "<unk>", "the", "cat", "sat"]
ARPA = """\\data\\
ngram 1=6
ngram 2=2

\\1-grams:
-0.7\t</s>
-99\t<s>\t-0.2
-1.0\t<unk>
-0.6\tthe\t-0.1
-0.7\tcat
-0.6\tsat

\\2-grams:
-0.2\t<s> the
-0.3\tthe cat

\\end\\
"""
TEXT = "the cat sat\nthe dog sat\n\ncat\n"  # 11 targets
MANY = TEXT * 20


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for seed, cell in enumerate(["rnn", "lstm"]):
        rng = np.random.default_rng(seed)
        model = LanguageModel(len(WORDS), 4, 5, cell=cell, rng=rng)
        for param in model.params:
            param += 0.5 * rng.standard_normal(param.shape).astype(np.float32)
        save_model(tmp_path / f"{cell}.npz", model, Vocabulary(WORDS))
    (tmp_path / "text.txt").write_text(TEXT)
    (tmp_path / "many.txt").write_text(MANY)
    (tmp_path / "n.arpa").write_text(ARPA)
    (tmp_path / "probs.txt").write_text("0.25\n" * 11)
    return tmp_path


def scored(model, capsys, text="text.txt", *options):
    """log_prob (base e) of each row of a model alone."""
    assert score([model, text, "--no-header", "--log-base", "e", "--columns", "log_prob", *options]) == 0
    return np.array([math.nan if line == "NA" else float(line) for line in capsys.readouterr().out.splitlines()[1:]])


def test_the_mixture_is_that_of_the_models_rows(here, capsys):
    alone = [scored(model, capsys) for model in ("rnn.npz", "lstm.npz", "n.arpa")]
    assert evaluate(["rnn.npz", "text.txt", "--mix", "lstm.npz", "--mix", "n.arpa", "--weights", "0.5,0.3,0.2",
                     "--json"]) == 0
    out, err = capsys.readouterr()
    found = json.loads(out)
    expected = np.log(np.dot([0.5, 0.3, 0.2], np.exp(alone)))
    assert found["log_prob"] == pytest.approx(expected.sum(), abs=1e-3)
    assert found["mixing"] == "linear"
    assert found["weights"] == [0.5, 0.3, 0.2]
    assert [part["model"] for part in found["parts"]] == ["rnn.npz", "lstm.npz", "n.arpa"]
    for part, own in zip(found["parts"], alone, strict=True):
        assert part["log_prob"] == pytest.approx(own.sum(), abs=1e-3)
        assert part["perplexity"] == pytest.approx(math.exp(-own.mean()), rel=1e-3)
        assert (part["targets"], part["zeros"]) == (11, 0)
    assert err == ""


@pytest.mark.parametrize("protocol", ["stream", "document", "sentence"])
@pytest.mark.parametrize("mixing", ["linear", "log-linear"])
def test_rows_of_a_mixture_of_one_model_with_itself(mixing, protocol, here, capsys):
    """It is that model, under each protocol."""
    options = ["--protocol", protocol]
    np.testing.assert_allclose(scored("rnn.npz", capsys, "text.txt", *options, "--mix", "rnn.npz", "--weights",
                                      "0.25,0.75", "--mixing", mixing),
                               scored("rnn.npz", capsys, "text.txt", *options), atol=1e-5)


def test_each_part_has_a_line_and_equal_weights_a_note(here, capsys):
    assert evaluate(["rnn.npz", "text.txt", "--mix", "lstm.npz"]) == 0
    out, err = capsys.readouterr()
    assert [line.split(",")[0] for line in out.splitlines()[-2:]] == ["  0.5000 of rnn.npz", "  0.5000 of lstm.npz"]
    assert "whose own perplexity is " in out
    assert err == ("note: the 2 models have equal weights; --weights gives others, and --tune VALID chooses "
                   "them\n")


@pytest.mark.parametrize("mixing", ["linear", "log-linear"])
def test_weights_are_chosen_on_a_text_and_can_be_given_next_time(mixing, here, capsys):
    line = ["rnn.npz", "text.txt", "--mix", "n.arpa", "--mixing", mixing, "--json"]
    assert evaluate([*line, "--tune", "many.txt"]) == 0
    out, err = capsys.readouterr()
    weights = err.rsplit("--weights ", 1)[1].strip()
    assert evaluate([*line, "--weights", weights]) == 0
    again = json.loads(capsys.readouterr().out)
    assert again == json.loads(out)
    assert evaluate([*line, "--weights", "0.5,0.5"]) == 0
    assert again["log_prob"] >= json.loads(capsys.readouterr().out)["log_prob"]
    assert err.startswith("weights chosen on many.txt in ")


@pytest.mark.parametrize("mixing", ["linear", "log-linear"])
def test_one_command_chooses_all_in_order_and_prints_what_gives_it_again(mixing, here, capsys):
    """Dynamic evaluation, then caches and temperature of what learns, then weights."""
    mix = ["--mix", "n.arpa", "--mixing", mixing]
    line = ["rnn.npz", "text.txt", "--json"]
    assert evaluate([*line, "--dynamic", "sgd", "--dynamic-lr", "0.1", "--dynamic-window", "3", "--dynamic-recurrent",
                     "0.5", "--cache", "3", "--softmax-temperature", "tune", *mix, "--tune", "text.txt"]) == 0
    out, err = capsys.readouterr()
    dynamic, before, caches, weights = re.search(
        r"chosen: (.*)\ntuning on .*: perplexity (.*) before\n(?:.*\n)*chosen, perplexity .*: (.*)\n"
        r"(?:note: .*\n)*weights chosen .*: (--weights .*)\n", err).groups()
    assert evaluate([*line, *dynamic.split()]) == 0
    assert json.loads(capsys.readouterr().out)["perplexity"] == pytest.approx(float(before), rel=1e-5)
    assert "--softmax-temperature" in caches
    assert evaluate([*line, *dynamic.split(), *caches.split(), *mix, *weights.split()]) == 0
    assert json.loads(capsys.readouterr().out) == json.loads(out)


def test_probabilities_of_another_program(here, capsys):
    alone = scored("rnn.npz", capsys)
    expected = np.log(0.6 * np.exp(alone) + 0.4 * 0.25)
    options = ["--probs", "probs.txt", "--weights", "0.6,0.4"]
    np.testing.assert_allclose(scored("rnn.npz", capsys, "text.txt", *options), expected, atol=1e-5)
    assert evaluate(["rnn.npz", "text.txt", *options, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["log_prob"] == pytest.approx(expected.sum(), abs=1e-3)
    assert found["parts"][1]["perplexity"] == pytest.approx(4)
    assert score(["rnn.npz", "text.txt", *options]) == 0
    header = next(line for line in capsys.readouterr().out.splitlines() if not line.startswith("#"))
    assert header.split("\t") == ["sentence", "position", "word", "known", "log_prob", "surprisal", "frequency"]


def test_the_weight_of_outside_probabilities_is_chosen_by_those_of_the_tuning_text(here, capsys):
    (here / "many-probs.txt").write_text("1\n" * 220)
    assert evaluate(["rnn.npz", "text.txt", "--probs", "probs.txt", "--tune", "many.txt", "--tune-probs",
                     "many-probs.txt"]) == 0
    assert "--weights 0,1\n" in capsys.readouterr().err


@pytest.mark.parametrize(("options", "message"), [
    (["--weights", "0.5,0.5"], "--weights is for mixtures: give --mix MODEL with it"),
    (["--mixing", "log-linear"], "--mixing is for mixtures"),
    (["--mix", "lstm.npz", "--weights", "0.5,0.4"], "must add up to 1, they add up to 0.9"),
    (["--mix", "lstm.npz", "--weights", "1"], "weights must be one for each of 2 models, got 1"),
    (["--mix", "lstm.npz", "--weights", "0.2,0.3,0.5"], "weights must be one for each of 2 models, got 3"),
    (["--mix", "lstm.npz", "--weights", "0,0", "--mixing", "log-linear"], "weights must not all be 0"),
    (["--mix", "nothing.npz"], "nothing.npz"),
    (["--probs", "nothing.txt"], "nothing.txt"),
    (["--probs", "text.txt", "--weights", "0.5,0.5"], "text.txt line 1 must be a probability alone, got 'the cat sat'"),
    (["--probs", "probs.txt", "--mix", "lstm.npz", "--mixing", "log-linear"], "needs whole distributions"),
    (["--probs", "probs.txt", "--tune", "many.txt"], "give them by --tune-probs FILE, or give --weights"),
    (["--mix", "lstm.npz", "--tune-probs", "probs.txt"], "--tune-probs is for the weight of --probs"),
    (["text.txt", "--probs", "probs.txt"], "--probs is of one text and one model, got 2 texts"),
    (["--weights-follow", "5"], "--weights-follow needs --mix, --cache or --unigram-cache: give that as well"),
    (["--weights-follow", "5", "--mix", "lstm.npz", "--mixing", "log-linear"], "leave out --mixing log-linear, or"),
    (["--weights-follow", "5", "--mix", "lstm.npz", "--probs", "probs.txt"], "leave out --probs, or leave out"),
])
def test_what_cannot_be_mixed_is_refused_in_one_line(options, message, here, capsys):
    assert evaluate(["rnn.npz", "text.txt", *options]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert message in err.splitlines()[-1]


@pytest.mark.parametrize("weights", ["nan,1", "-0.5,1.5", "inf,0", "half,half", "", "0.5,,0.5", "1e999,0", "0_1,0"])
def test_weights_are_numbers(weights, here, capsys):
    with pytest.raises(SystemExit) as error:
        evaluate(["rnn.npz", "text.txt", "--mix", "lstm.npz", f"--weights={weights}"])
    assert error.value.code == 2
    assert "must be numbers of at least 0 with commas between them, got" in capsys.readouterr().err


def test_networks_of_other_words_and_ngram_models_of_some_other_words(here, capsys):
    save_model(here / "other.npz", LanguageModel(4, 3, 3, rng=np.random.default_rng(0)),
               Vocabulary(["<eos>", "<unk>", "the", "dog"]))
    assert evaluate(["rnn.npz", "text.txt", "--mix", "other.npz"], "evaluate") == 1
    assert capsys.readouterr().err == (
        "evaluate: error: networks must have the same words to be mixed: rnn.npz has 2 words (cat, sat) that "
        "other.npz lacks, and lacks 1 word (dog); train both with one vocabulary\n")
    (here / "n.arpa").write_text(ARPA.replace("sat", "dog"))
    assert evaluate(["rnn.npz", "text.txt", "--mix", "n.arpa", "--weights", "0.5,0.5"]) == 0
    assert capsys.readouterr().err == (
        "note: n.arpa and rnn.npz have different vocabularies: 1 word (sat) only in rnn.npz: an equal share of the "
        "probability of <unk>; 1 word (dog) only in n.arpa: counted as <unk>\n")


@pytest.mark.parametrize(("options", "message"), [
    (["missing"], "missing could not be read"),
    (["--mix", "missing"], "missing"),
    (["--mix", "other.npz"], "networks must have the same words"),
    (["--mix", "lstm.npz", "--weights", "1"], "weights must be one for each of 2 models, got 1"),
    (["--probs", "missing", "--weights", "0.5,0.5"], "missing could not be read"),
    (["--probs", "probs.txt", "--tune-probs", "missing"], "missing could not be read"),
    (["--probs", "probs.txt"], "give them by --tune-probs FILE"),
])
def test_what_cannot_be_scored_or_mixed_is_refused_before_anything_is_tuned(options, message, here, capsys,
                                                                            monkeypatch):
    def worked(*_):
        raise AssertionError("the model was asked")

    save_model(here / "other.npz", LanguageModel(2, 3, 3, rng=np.random.default_rng(0)), Vocabulary(["<eos>", "dog"]))
    monkeypatch.setattr("rnnlm.cli.partners.with_dynamic", worked)
    assert evaluate(["rnn.npz", "text.txt", *options, "--dynamic", "sgd", "--tune", "many.txt"]) == 1
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1 and message in err


def test_a_mixture_stands_wherever_a_model_does(here, capsys):
    (here / "pairs.tsv").write_text("the cat sat\tthe sat cat\ncat sat\tsat cat\n")
    (here / "lists.txt").write_text("a-1 the cat\na-2 cat the\n")
    mixed = ["--mix", "lstm.npz", "--mix", "n.arpa", "--weights", "0.5,0.3,0.2"]
    assert pairs(["rnn.npz", "pairs.tsv", *mixed]) == 0
    assert "mixed_with: lstm.npz (SHA-256 " in capsys.readouterr().out
    assert rescore(["rnn.npz", "lists.txt", "--nbest-format", "kaldi", "--carry", *mixed]) == 0
    assert score(["rnn.npz", "text.txt", "--top", "2", *mixed]) == 0
    assert "weights: 0.5, 0.3, 0.2" in capsys.readouterr().out
    for options in (["--seed", "1", "--length", "5"], ["--seed", "1", "--length", "5", "--samples", "3"],
                    ["--beam", "2", "--max-length", "9"]):
        assert generate(["rnn.npz", *options, *mixed]) == 0
        assert capsys.readouterr().out.strip()


def test_partners_are_read_once_for_all_kept_models(here, capsys, monkeypatch):
    """And what is said of them is said once."""
    kept = [SimpleNamespace(tokens=tokens, load_with_sha256=lambda workers: load_predictor("rnn.npz", workers))
            for tokens in (100, 200)]
    monkeypatch.setattr("rnnlm.cli.kept.kept_models", lambda folder: kept)
    (here / "n.arpa").write_text(ARPA.replace("sat", "dog"))
    read = []
    monkeypatch.setattr("rnnlm.cli.mixing_options.noted_predictor", lambda *of: read.append(of) or load_predictor(*of))
    assert score(["run", "text.txt", "--kept", "--mix", "n.arpa"]) == 0
    out, err = capsys.readouterr()
    assert [row.split("\t")[0] for row in out.splitlines()[-2:]] == ["100", "200"]
    assert len(read) == 1
    assert err.count("have equal weights") == err.count("have different vocabularies") == 1


@pytest.mark.parametrize(("options", "message"), [
    (["--probs", "probs.txt", "--top", "2"], "--top needs whole distributions"),
    (["--probs", "probs.txt", "--columns", "word,entropy"], "entropy cannot be known with --probs"),
    (["--probs", "probs.txt", "--format", "itemmeasures"], "time: choose another format"),
    (["--mix", "lstm.npz", "--states", "s.npz"], "--states are those of one network"),
    (["--probs", "-", "-"], "standard input (-) can be read only once"),
])
def test_rows_that_cannot_be_known_are_refused(options, message, here, capsys):
    assert score(["rnn.npz", *([] if options[-1] == "-" else ["text.txt"]), *options]) == 1
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(("probs", "message"), [
    ("0.5\n" * 12, "the text, which are 11, it has more: give the file of this text\n"),
    ("0.5\n" * 10, "it ends after 10 lines, and the text goes on"),
    ("0.5\n" * 10 + "-1\n", "line 11 must be a probability from 0 to 1"),
], ids=["more", "fewer", "negative"])
@pytest.mark.parametrize("command", [score, evaluate])
def test_probabilities_of_another_text_are_refused_before_the_work(command, probs, message, here, capsys, monkeypatch):
    def worked(*_, **__):
        raise AssertionError("the model was asked")

    (here / "probs.txt").write_text(probs)
    monkeypatch.setattr(LanguageModel, "log_probs", worked)
    monkeypatch.setattr(LanguageModel, "word_scores", worked)
    assert command(["rnn.npz", "text.txt", "--probs", "probs.txt"]) == 1
    out, err = capsys.readouterr()
    assert out == "" and message in err


@pytest.mark.parametrize(("count", "rows"), [(11, 11), (12, 11), (10, 0)])
def test_rows_mixed_from_a_pipe_of_another_text_are_said_to_be_wrong(count, rows, here, capsys, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"0.5\n" * count)))
    code = score(["rnn.npz", "text.txt", "--probs", "-", "--no-header", "--weights", "0.5,0.5"])
    out, err = capsys.readouterr()
    assert out.count("\n") == rows + bool(rows)
    assert code == (count != 11)
    assert ("the rows that were printed are wrong if it is of another text\n" in err) == (count == 12)


@pytest.mark.parametrize("options", [["-", "--tune", "-", "--mix", "n.arpa"], ["-", "--probs", "-"],
                                     ["text.txt", "--tune", "text.txt", "--probs", "-", "--tune-probs", "-"]])
def test_standard_input_is_read_once(options, here, capsys):
    assert evaluate(["rnn.npz", *options]) == 1
    assert "standard input (-) can be read only once" in capsys.readouterr().err


@pytest.mark.parametrize("options", [[], ["--weights", "0.5,0.5"], ["--weights", "0.5,0.5", "--tune", "text.txt"]])
def test_probabilities_to_tune_on_need_tuning(options, here, capsys):
    assert evaluate(["rnn.npz", "text.txt", "--probs", "probs.txt", "--tune-probs", "probs.txt", *options]) == 1
    err = capsys.readouterr().err
    assert err.count("\n") == 1 and ("--tune-probs is for the weight" in err or "nothing to choose" in err)


@pytest.mark.parametrize("command", [score, pairs, rescore])
def test_a_word_of_probability_0_is_named_as_the_cause(command, here, capsys):
    (here / "n.arpa").write_text(ARPA.replace("ngram 1=6", "ngram 1=5").replace("-1.0\t<unk>\n", ""))
    (here / "pairs.tsv").write_text("the dog\tdog\n")
    (here / "lists").write_text("a-1 the dog\n")
    files = {score: ["text.txt"], pairs: ["pairs.tsv"], rescore: ["lists", "--nbest-format", "kaldi"]}
    assert command(["rnn.npz", *files[command], "--mix", "n.arpa", "--mixing", "log-linear", "--weights", "1,1"]) == 1
    assert "a word has the probability 0, whose logarithm is not finite; a linear mixture" in capsys.readouterr().err


def test_a_text_that_a_log_linear_mixture_rules_out_has_a_note(here, capsys):
    (here / "n.arpa").write_text(ARPA.replace("ngram 1=6", "ngram 1=5").replace("-1.0\t<unk>\n", ""))
    line = ["rnn.npz", "text.txt", "--mix", "n.arpa", "--weights", "0.5,0.5"]
    assert evaluate([*line, "--mixing", "log-linear"]) == 0
    out, err = capsys.readouterr()
    assert "perplexity inf, " in out
    assert "of probability 0 under n.arpa, and so in a log-linear mixture: --mixing linear keeps" in err
    assert evaluate(line) == 0
    out, err = capsys.readouterr()
    assert ("perplexity inf, " in out, "log-linear" in err) == (False, False)
    assert evaluate([*line[:-1], "1,0", "--mixing", "log-linear"]) == 0
    assert "log-linear" not in capsys.readouterr().err


def test_only_evaluate_offers_to_tune(here, capsys):
    for command, said in ((evaluate, True), (score, False)):
        with pytest.raises(SystemExit):
            command(["rnn.npz", "text.txt", "--cache", "ten"])
        assert ("or 'tune', got 'ten'" in capsys.readouterr().err) == said
    assert score(["rnn.npz", "text.txt", "--cache", "tune"]) == 1
    assert "rnnlm evaluate --tune VALID prints the value to give" in capsys.readouterr().err
    (here / "lists").write_text("a-1 the cat\n")
    assert rescore(["rnn.npz", "lists", "--nbest-format", "kaldi", "--mix", "n.arpa"]) == 0
    assert "--tune" not in capsys.readouterr().err
    assert evaluate(["rnn.npz", "text.txt", "--mix", "n.arpa"]) == 0
    assert "--tune VALID" in capsys.readouterr().err


def test_weights_follow_each_text_from_its_start(here, capsys):
    alone = [scored(model, capsys, "many.txt") for model in ("rnn.npz", "n.arpa")]
    weights = FollowingWeights([0.7, 0.3], 5).take(np.array(alone))
    expected = np.log((weights * np.exp(alone)).sum(axis=0)).sum()
    assert evaluate(["rnn.npz", "many.txt", "many.txt", "--mix", "n.arpa", "--weights", "0.7,0.3", "--weights-follow",
                     "5", "--json"]) == 0
    for line in capsys.readouterr().out.splitlines():
        found = json.loads(line)
        assert found["log_prob"] == pytest.approx(expected, abs=0.02)  # of 220 rows with six digits each
        assert (found["weights"], found["weights_follow"]) == ([0.7, 0.3], "5 words")
    assert evaluate(["rnn.npz", "many.txt", "--mix", "n.arpa", "--weights", "0.7,0.3", "--weights-follow", "5"]) == 0
    assert capsys.readouterr().out.endswith("\n  at the start of a text; then the weights follow the last 5 words\n")
