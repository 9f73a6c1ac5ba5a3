import re
import tomllib
from pathlib import Path

import numpy as np
import pytest
from training_runs import metrics, options_of

from rnnlm.models import CELLS
from rnnlm.runs.checks import OneOf
from rnnlm.runs.combinations import require_possible
from rnnlm.runs.configuration import read_config
from rnnlm.runs.options import TRAIN
from rnnlm.runs.recipes import recipes
from rnnlm.runs.request import Request

SMALL = ("--epochs", "1", "--hidden-size", "8", "--wordvec-size", "6")


def test_the_recipes_are_listed_with_what_they_say_about_themselves(run):
    with pytest.raises(SystemExit) as left:
        run.bare("--recipes")
    assert left.value.code == 0
    lines = run.capsys.readouterr().out.splitlines()
    assert [line for line in lines if not line.startswith(" ")] == list(recipes())
    assert {"quick", "char", "lstm", "tanh-record"} <= set(recipes())
    said = [line.strip() for line in lines if line.startswith(" ")]
    assert said == [line.removeprefix("#").strip() for path in recipes().values()
                    for line in path.read_text().splitlines() if line.startswith("#")]
    assert max(map(len, lines)) <= 120


@pytest.mark.parametrize("name", recipes())
def test_a_recipe_holds_options_and_says_what_it_reaches_in_what_time_on_what(name):
    text = recipes()[name].read_text()
    require_possible(TRAIN.resolved(read_config(recipes()[name]).given(name)))
    comment = " ".join(line.removeprefix("#").strip() for line in text.splitlines() if line.startswith("#"))
    assert re.search(r"reaches (a test perplexity of )?\d+\.\d+ .* in .*minutes? .*on .*cores?", comment), comment


@pytest.mark.parametrize("name", recipes())
def test_a_recipe_states_no_value_that_follows_from_its_others(name):
    """Such a value would stay where what it follows from is changed on the line."""
    given = read_config(recipes()[name]).given(name)
    for option in TRAIN.options:
        if option.derived and option.name in given:
            others = {other: value for other, value in given.items() if other != option.name}
            assert getattr(TRAIN.resolved(others), option.name) != given[option.name], option.name


def test_the_weight_decay_of_the_recipe_for_characters_is_that_of_its_optimizer():
    assert Request({"config": "char"}).options.weight_decay == 0.01
    assert Request({"config": "char", "optimizer": "adam"}).options.weight_decay == 0


@pytest.mark.parametrize("name", recipes())
def test_a_recipe_trains_at_a_small_size(name, run, tmp_path, small_corpus):
    code, out, _ = run.bare("--config", name, "--corpus", str(small_corpus), "--output", "run", "--batch-size", "4",
                            *SMALL)
    assert code == 0
    assert "test perplexity" in out
    config = tomllib.loads((tmp_path / "run/config.toml").read_text())
    recipe = tomllib.loads(recipes()[name].read_text())
    assert {key: config[key] for key in recipe if key not in ("corpus", "epochs", "batch-size", "hidden-size",
            "wordvec-size")}.items() <= recipe.items()


def test_a_file_comes_before_a_recipe_of_its_name(run, tmp_path):
    (tmp_path / "quick").write_text("hidden-size = 5\n")
    code, out, _ = run.bare("--config", "quick", "--corpus", str(run.corpus), "--epochs", "1", "--batch-size", "4")
    assert code == 0
    assert "RNN of 5" in out
    (tmp_path / "tanh-small").mkdir()  # a folder is no file
    assert "tied word vectors" in run.bare("--config", "tanh-small", "--corpus", str(run.corpus), "--hidden-size", "5",
                                   "--wordvec-size", "5", "--epochs", "1", "--batch-size", "4")[1]


@pytest.mark.parametrize(("name", "message"), [
    ("lstn", f"a file, a run folder or one of the recipes {', '.join(recipes())}, got lstn: did you mean lstm?"),
    ("lstn.toml", "lstn.toml could not be read: no such file or directory")])
def test_a_recipe_that_is_not_there_is_one_line(name, message, run):
    code, _, err = run("--config", name)
    assert code == 1
    assert message in err
    assert len(err.splitlines()) == 1


def test_an_empty_name_is_not_taken_for_none(run, capsys):
    """As in --config "$FILE", where FILE is not set."""
    with pytest.raises(SystemExit):
        run("--config", "")
    assert "--config: must not be empty" in capsys.readouterr().err


def test_a_run_folder_means_its_configuration(run, tmp_path):
    run("--epochs", "1", output="quick")  # which is also the name of a recipe
    for name in ("quick", "quick/", str(tmp_path / "quick"), "quick/config.toml"):
        assert run.bare("--config", name, "--output", "again", "--overwrite")[0] == 0
        assert (tmp_path / "again/model.npz").read_bytes() == (tmp_path / "quick/model.npz").read_bytes()
    code, _, err = run("--config", str(tmp_path / "small"), output="other")
    assert code == 1
    assert f"--config must be a file, a run folder or a recipe, {tmp_path / 'small'} is a folder without" in err
    assert not (tmp_path / "other").exists()


CHANGES = [*(f"--cell {cell}" for cell in CELLS if cell != "rnn"),
           "--cell mrnn --activation relu", "--cell mrnn --slowest 0.8",
           "--activation relu", "--layers 2", "--wordvec-size 7", "--hidden-size 9", "--tied", "--projection",
           "--softmax adaptive", "--softmax adaptive --cutoffs 4", "--softmax adaptive --cutoffs 4,9 --tied",
           "--recurrent-start identity", "--recurrent-start normal", "--recurrent-start orthogonal",
           "--recurrent-gain 2", "--slowest 0.8", "--input-gain 2", "--output-start frequencies",
           "--layers 2 --output-dropout 0.4", "--dropout-mask window", "--word-dropout 0.3", "--weight-drop 0.3",
           "--dropout-start 0.5", "--activation-penalty 2", "--noising 0.3", "--slowness-penalty 2",
           "--weight-decay 0.1", "--matrix-weight-decay 0.1", "--random-start", "--time-size 12",
           "--random-length --time-size 12", "--shuffle lines", "--batch-size 5", "--seed 2",
           "--optimizer sgd --lr 1", "--optimizer momentum --lr 0.1", "--optimizer adagrad", "--optimizer rmsprop",
           "--optimizer adamw", "--optimizer momentum --lr 0.2", "--optimizer momentum --lr 0.2 --momentum 0.5",
           "--beta1 0.5", "--beta2 0.9", "--eps 0.01", "--optimizer adagrad --eps 0.01",
           "--optimizer rmsprop --eps 0.01", "--optimizer rmsprop --alpha 0.9",
           "--matrix-lr-factor 0.5", "--sync-every 5", "--schedule linear", "--schedule cosine",
           "--warm-up 9", "--average tail", "--average exponential"]


LIKE_THE_DEFAULT = {  # choices that change no run as short as those of CHANGES, and their tests
    "--schedule constant": "test_the_rate_stays_where_it_is_constant_even_when_validation_stalls"}
ELSEWHERE = {  # where the effects of the other options are tested
    "cli/test_train_command.py": "level min_count max_vocab max_tokens lr_factor patience max_grad threads epochs "
                             "output overwrite config debug corpus",
    "runs/test_assembly.py": "dropout input_dropout average_from average_decay",
    "cli/test_subword_commands.py": "vocab_size tokenizer",
    "cli/test_raw_text.py": "lowercase split_punctuation",
    "cli/test_resume.py": "resume checkpoint_minutes",
    "cli/test_keeping.py": "keep_every keep_at",
    "cli/test_leftovers.py": "discard_checkpoints",
    "cli/test_shuffle.py": "shuffle",
    "cli/test_split_options.py": "split split_by split_shares split_seed save_splits",
    "cli/test_divergence.py": "on_divergence lr",
    "cli/test_device_command.py": "device",
    "cli/test_seeds_command.py": "seeds",
    "cli/test_minutes_command.py": "minutes later_epochs",
    "cli/test_fine_tuning.py": "init_from extend_vocab freeze",
    "runs/test_recipes.py": "recipes"}


def test_every_option_stands_in_a_test_of_the_command():
    changed = {name.replace("-", "_") for change in CHANGES for name in re.findall(r"--([a-z0-9-]+)", change)}
    elsewhere = {name for names in ELSEWHERE.values() for name in names.split()}
    missing = TRAIN.by_name.keys() - changed - elsewhere
    assert not missing, f"give {', '.join(missing)} a value in CHANGES, or name the test of the effect in ELSEWHERE"
    assert not (changed | elsewhere) - TRAIN.by_name.keys()
    for file, names in ELSEWHERE.items():
        text = (Path(__file__).parents[1] / file).read_text(encoding="utf-8")
        for name in names.split():
            assert re.search(rf"--{name.replace('_', '-')}(?![\w-])", text), (file, name)


@pytest.mark.parametrize("option", [option for option in TRAIN.options if isinstance(option.check, OneOf)],
                         ids=lambda option: option.name)
def test_every_choice_of_an_option_stands_in_a_test_of_the_command(option):
    default = getattr(TRAIN.resolved({}), option.name) or "time-scales"  # of the recurrent start, by the cell
    elsewhere = " ".join(ELSEWHERE.values()).split()
    for choice in option.check.choices:
        given = f"{option.flag} {choice}"
        if given in LIKE_THE_DEFAULT:
            assert LIKE_THE_DEFAULT[given] in globals()
        elif choice != default and option.name not in elsewhere:
            assert any(re.search(rf"{given}(?![\w-])", change) for change in CHANGES), f"add {given} to CHANGES"


@pytest.fixture(scope="module")
def losses():
    """The validation losses of the runs so far, by their options."""
    return {}


@pytest.mark.slow
@pytest.mark.parametrize("change", CHANGES)
def test_every_option_of_the_training_changes_the_run_and_no_two_alike(change, losses, run, tmp_path):
    for options in ([""] if not losses else []) + [change]:
        output = options.strip("-") or "run"
        assert run("--epochs", "2", *options.split(), output=output)[0] == 0
        loss = metrics(tmp_path / output)[-1]["valid_loss"]
        assert loss not in losses.values(), losses
        assert loss < 2  # all learn: words drawn by chance are at ln 16 = 2.77
        losses[options] = loss


@pytest.mark.parametrize(("options", "same_as"), [
    ("--optimizer adamw --weight-decay 0", ""), ("--dropout 0.1 --output-dropout 0.1", ""),
    ("--optimizer adam --weight-decay 0.01", "--optimizer adamw"), ("--no-tied --no-random-start", "")])
def test_options_that_come_to_the_same(options, same_as, run, tmp_path):
    ends = []
    for output, change in (("one", options), ("other", same_as)):
        assert run("--epochs", "2", *change.split(), output=output)[0] == 0
        ends.append([record["valid_loss"] for record in metrics(tmp_path / output)])
    assert ends[0] == ends[1]


@pytest.mark.parametrize(("options", "message"), [
    ("--cell lstm --activation relu", "--activation relu is for --cell rnn or mrnn, not for lstm: leave it out, or "
     "give --activation tanh if a file sets it"),
    ("--cell gru --recurrent-start time-scales", "--recurrent-start time-scales is for --cell rnn or mrnn, not for "
     "gru: leave it out, or give --recurrent-start orthogonal if a file sets it"),
    ("--optimizer sgd --lr 15 --weight-decay 0.1", "--weight-decay times the rate must be below 1, because each step "
     "shrinks the weights by that share; got 0.1 times 15: lower the decay or --lr"),
    ("--optimizer sgd --lr 15 --matrix-weight-decay 0.5 --matrix-lr-factor 0.2", "--matrix-weight-decay times the rate "
     "must be below 1, because each step shrinks the weights by that share; got 0.5 times 3: lower"),
    ("--optimizer sgd --lr 15 --weight-decay 0.05 --time-size 20 --random-length", "got 0.05 times 30, the rate "
     "of the longest window: lower the decay or --lr"),
    ("--dropout-mask window --input-dropout 0 --output-dropout 0", "--dropout-mask does nothing here"),
    ("--dropout-mask window --time-size 1",
     "--dropout-mask does nothing here: it works only with a dropout above 0 and a "
     "--time-size above 1; leave it out"),
    ("--slowness-penalty 1 --time-size 1",
     "--slowness-penalty does nothing here: it works only with a --time-size above 1"),
    ("--weight-decay 1e-6", "--weight-decay times the rate must be 0 or at least 3e-08, because less changes no "
     "32-bit weight; got 1e-06 times 0.02: give 0 or at least 1.6e-06"),
    ("--weight-decay 1e-5 --matrix-lr-factor 0.1", "--matrix-weight-decay times the rate must be 0 or at least 3e-08"),
    ("--lr 1e-20 --matrix-lr-factor 1e-20", "--lr times --matrix-lr-factor must be a 32-bit number, got 1e-40"),
    ("--random-length --time-size 9", "--random-length needs a --time-size of at least 10, got 9"),
    ("--dropout 0 --input-dropout 0 --dropout-start 0.5",
     "--dropout-start does nothing here: it works only with a dropout"),
    ("--recurrent-start orthogonal --slowest 0.9", "--slowest does nothing here: it works only with --recurrent-s"),
    ("--cell lstm --slowest 0.9", "--slowest does nothing here"),
    ("--schedule linear --lr-factor 3",
     "--lr-factor does nothing here: it works only with --schedule plateau; leave it out"),
    ("--schedule cosine --patience 5",
     "--patience does nothing here: it works only with --schedule plateau or constant"),
    ("--average tail --patience 5", "--patience does nothing here"),
    ("--average tail --average-decay 0.9",
     "--average-decay does nothing here: it works only with --average exponential"),
    ("--momentum 0.5", "--momentum does nothing here: it works only with --optimizer momentum; leave it out"),
    ("--optimizer sgd --beta1 0.5", "--beta1 does nothing here: it works only with --optimizer adam or adamw"),
    ("--optimizer sgd --eps 0.01",
     "--eps does nothing here: it works only with --optimizer adagrad, rmsprop, adam or adamw"),
    ("--optimizer adam --alpha 0.5", "--alpha does nothing here: it works only with --optimizer rmsprop; leave it out"),
    ("--optimizer rmsprop --beta2 0.5", "--beta2 does nothing here: it works only with --optimizer adam or adamw"),
    ("--dropout 0.3 --output-dropout 0.1", "--dropout does nothing here: the only layer is the last one, whose dropout "
     "is --output-dropout, now 0.1; give that instead"),
    ("--dropout 0 --input-dropout 0 --dropout-mask step",
     "--dropout-mask does nothing here: it works only with a dropout"),
    ("--tied --wordvec-size 7 --no-projection",
     "--no-projection cannot be combined with --tied where word vectors (7) and "
     "states (12) differ in size: leave it out, or give --wordvec-size 12"),
    ("--optimizer sgd --momentum 0.9", "--momentum does nothing here"),  # the defaults, too, where they are given
    ("--schedule linear --lr-factor 2", "--lr-factor does nothing here"),
    ("--recurrent-start identity --slowest 0.95", "--slowest does nothing here"),
    ("--average-from 0.3", "--average-from does nothing here: it works only with --average tail")])
def test_options_that_do_not_go_together_are_one_line(options, message, run):
    code, _, err = run(*options.split())
    assert code == 1
    assert message in err
    assert len(err.splitlines()) == 1


def test_a_number_that_would_be_0_in_32_bits_is_refused(run, tmp_path):
    with pytest.raises(SystemExit):
        run("--eps", "1e-46")
    assert "argument --eps: must be a number of at least 1e-30, got '1e-46'" in run.capsys.readouterr().err
    (tmp_path / "c.toml").write_text("lr = 1e-50\n")
    code, _, err = run.bare("--corpus", str(run.corpus), "--config", "c.toml", "--output", "run")
    assert code == 1
    assert "c.toml: lr must be a number above 0, got '1e-50', which is 0 in 32-bit numbers" in err
    assert not (tmp_path / "run").exists()


def test_what_a_weight_decay_needs_to_change_a_weight_is_what_is_asked_for(run):
    """A weight of 32 bits, times 1 less the least that is taken: it becomes smaller."""
    assert run("--epochs", "1", "--weight-decay", "1.51e-6")[0] == 0
    weight = np.ones(1, np.float32)
    weight *= 1.0 - 1.51e-6 * 0.02
    assert weight[0] < 1
    assert run("--epochs", "1", "--weight-decay", "0", output="none")[0] == 0


@pytest.mark.slow
@pytest.mark.parametrize(("decay", "noted"), [("0.99", False), ("0.998", True), ("0.999", False)])
def test_an_average_whose_decay_counts_only_after_the_run_is_noted(decay, noted, run):
    """0.998 counts after 4,991 steps, 0.99 after 991; 0.999, the default, may not."""
    _, _, err = run("--epochs", "40", "--max-tokens", "300", "--average", "exponential", "--average-decay", decay)
    line = "decay 0.998 does nothing here: it takes effect after 4,991 steps, and the run has about 440 steps"
    assert (line in err) == noted


def test_an_option_may_have_its_effect_by_what_a_file_or_the_run_says(run, tmp_path):
    (tmp_path / "my.toml").write_text('average = "exponential"\naverage-from = 0.3\n')
    assert run("--epochs", "1", "--config", "my.toml", "--average-decay", "0.9")[0] == 0
    assert "does nothing here" in run("--config", "my.toml", "--average-from", "0.4", output="other")[2]


@pytest.mark.parametrize(("before", "change", "expected"), [
    ("", "--optimizer sgd", {"lr": 1.0}), ("", "--optimizer adagrad", {"eps": 1e-10, "lr": 0.05}),
    ("--eps 0.01", "--optimizer adagrad", {"eps": 0.01}),
    ("", "--optimizer adamw", {"weight_decay": 0.01, "matrix_weight_decay": 0.01}),
    ("", "--dropout 0.2", {"output_dropout": 0.2}), ("", "--hidden-size 9", {"wordvec_size": 9}),
    ("", "--weight-decay 0.1", {"matrix_weight_decay": 0.1}),
    ("--layers 2 --lr 0.003 --wordvec-size 5 --matrix-weight-decay 0.3 --output-dropout 0.3",
     "--optimizer sgd --hidden-size 9 --weight-decay 0.1 --dropout 0.2",
     {"lr": 0.003, "wordvec_size": 5, "matrix_weight_decay": 0.3, "output_dropout": 0.3})])
def test_what_follows_from_an_option_follows_where_a_runs_options_are_changed(before, change, expected, run, tmp_path):
    assert run.bare("--corpus", str(run.corpus), "--hidden-size", "8", "--epochs", "1", "--batch-size", "4",
                    "--output", "one", *before.split())[0] == 0
    assert run.bare("--config", "one/config.toml", "--output", "two", *change.split())[0] == 0
    assert expected.items() <= options_of(tmp_path / "two").items()


@pytest.mark.parametrize(("schedule", "code"), [("constant", 0), ("linear", 1)])
def test_the_schedule_of_a_run_decides_what_has_an_effect_when_it_goes_on(schedule, code, run):
    assert run("--epochs", "1", "--schedule", schedule)[0] == 0
    resumed, _, err = run.bare("--resume", "--output", "run", "--patience", "9")
    assert resumed == code
    assert ("--patience does nothing here" in err) == (code == 1)


@pytest.mark.parametrize("change", ["--hidden-size 9", "--optimizer sgd"])
def test_a_file_that_says_one_thing_alone_means_it(change, run, tmp_path):
    (tmp_path / "my.toml").write_text("wordvec-size = 200\nlr = 0.002\nweight-decay = 0\n")  # the defaults
    assert run.bare("--corpus", str(run.corpus), "--epochs", "1", "--batch-size", "4", "--config", "my.toml",
                    "--output", "run", *change.split())[0] == 0
    options = options_of(tmp_path / "run")
    assert (options["wordvec_size"], options["lr"], options["weight_decay"]) == (200, 0.002, 0)


def test_what_follows_from_a_changed_option_goes_without_saying(run):
    assert run("--epochs", "1")[0] == 0
    err = run.bare("--resume", "--output", "run", "--dropout", "0.2", "--weight-decay", "0.5")[2]
    assert "--dropout is 0.2, was" in err
    assert "--weight-decay is 0.5, was 0" in err
    assert "--output-dropout" not in err
    assert "--matrix-weight-decay" not in err


def test_nothing_is_done_for_an_option_without_effect(run, tmp_path):
    code, _, err = run.bare("--corpus", str(run.corpus), "--average-from", "0.2")
    assert (code, len(err.splitlines())) == (1, 1)
    assert not (tmp_path / "runs").exists()


def test_a_warm_up_that_is_more_than_a_fifth_of_the_run_is_noted(run):
    assert "rises over the first 300 of about" in run("--epochs", "1", "--warm-up", "300")[2]
    assert "rises over" not in run("--epochs", "8", "--warm-up", "2", output="other")[2]


@pytest.mark.parametrize("options", ["--schedule linear", "--schedule cosine", "--average tail",
                                     "--dropout-start 0.5"])
def test_the_epochs_are_no_free_option_where_the_training_depends_on_them(options, run):
    assert run("--epochs", "1", *options.split())[0] == 0
    code, _, err = run("--resume", "--epochs", "2", *options.split())
    assert code == 1
    assert ("cannot be resumed with other options: --epochs is 2, was 1 (it is fixed with a linear or cosine schedule, "
            "a tail average, a --dropout-start or --later-epochs). Leave them out" in err)
    assert "note: training is already complete\n" in run("--resume")[2]


@pytest.mark.parametrize(("schedule", "constant"), [("constant", True), ("plateau", False)])
def test_the_rate_stays_where_it_is_constant_even_when_validation_stalls(schedule, constant, run, tmp_path):
    assert run("--epochs", "6", "--lr", "0.3", "--schedule", schedule)[0] == 0
    rates = [record["lr"] for record in metrics(tmp_path / "run")]
    assert rates[0] == 0.3
    assert (set(rates) == {0.3}) == constant


def test_a_tail_average_is_not_cut_off_by_an_early_stop(run, tmp_path):
    options = ["--epochs", "12", "--lr", "0.3", "--schedule", "constant"]
    assert run(*options, "--patience", "1")[0] == 0
    assert len(metrics(tmp_path / "run")) < 12
    assert run(*options, "--average", "tail", output="tail")[0] == 0
    assert len(metrics(tmp_path / "tail")) == 12


@pytest.mark.parametrize("options", ["--average exponential --average-decay 0.9", "--average tail --average-from 0.2"])
def test_the_saved_model_is_the_average_that_was_validated(options, run, tmp_path):
    from rnnlm import evaluate, load_model, read_text

    assert run("--epochs", "2", *options.split())[0] == 0
    model, vocabulary = load_model(tmp_path / "run")
    text = read_text(run.corpus / "valid.txt", vocabulary)
    best = min(record["valid_perplexity"] for record in metrics(tmp_path / "run"))
    assert evaluate(model, text, vocabulary.eos_id).perplexity == pytest.approx(best, rel=1e-5)
