"""The records of the options: all is read from them, and nothing says it again."""

import runpy
from dataclasses import fields
from importlib import import_module

import pytest
from conftest import REPOSITORY

from rnnlm.cli.arguments import sentence
from rnnlm.cli.main import COMMANDS
from rnnlm.errors import RnnlmError
from rnnlm.models import Architecture, Regularisation, Start
from rnnlm.runs.combinations import require_possible
from rnnlm.runs.option import OF_THE_RUN, SWITCH
from rnnlm.runs.options import TRAIN, free, of_the_run
from rnnlm.runs.rule_options import OF_THE_RULE
from rnnlm.text.corpora import known_corpora
from rnnlm.text.corpus import load_corpus
from rnnlm.training.optimizers import OPTIMIZERS

TABLES = [import_module(f"rnnlm.cli.{name}").build_parser().table for name in COMMANDS]


def test_the_page_of_options_is_the_one_that_the_records_make():
    written = runpy.run_path(str(REPOSITORY / "docs/options_page.py"))
    assert (REPOSITORY / "docs/options.md").read_text(encoding="utf-8") == written["page"](), (
        "run python docs/options_page.py")


@pytest.mark.parametrize("table", TABLES, ids=COMMANDS)
def test_each_name_is_there_once(table):
    names = [name for option in table.options for name in (option.key, *option.aliases.split())]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("table", TABLES, ids=COMMANDS)
def test_a_default_is_a_value_that_the_option_takes(table):
    for option in table.options:
        if option.default is not None and (option.default != "" or not option.takes_any_text):
            assert option.in_a_file(option.default, option.name) == option.default


@pytest.mark.parametrize("option", [option for table in TABLES for option in table.options], ids=lambda o: o.name)
def test_a_help_line_is_one_line_that_stands_alone(option):
    line = sentence(option)
    assert "\n" not in line
    assert not any(words in line.lower() for words in ("as above", "the same for", "see "))
    assert (option.acts is None) == (option.acts_with == "")
    assert not option.acts_with.startswith("with")  # it follows "works only with"
    assert (option.fixed_where is None) == (option.fixed_with == "")


def test_what_is_followed_stands_before_what_follows_it():
    names = list(TRAIN.by_name)
    for option in TRAIN.options:
        assert (option.derived is None) == (option.follows == ""), option.name
        if option.follows:
            assert names.index(option.follows) < names.index(option.name), option.name


def test_what_is_not_given_follows_from_what_is():
    options = TRAIN.resolved({"optimizer": "adamw", "hidden_size": 9, "dropout": 0.3})
    assert (options.wordvec_size, options.output_dropout, options.lr) == (9, 0.3, 0.002)
    assert (options.weight_decay, options.matrix_weight_decay, options.momentum) == (0.01, 0.01, None)
    options = TRAIN.resolved({"weight_decay": 0.2, "wordvec_size": 5, "lr": None, "optimizer": "sgd"})
    assert (options.weight_decay, options.matrix_weight_decay, options.wordvec_size) == (0.2, 0.2, 5)
    assert options.lr == 1.0
    assert options.given == ["wordvec_size", "optimizer", "weight_decay"]


@pytest.mark.parametrize("rule", OPTIMIZERS)
def test_every_constant_of_a_rule_is_an_option(rule):
    for name in OPTIMIZERS[rule].constants():
        assert name in TRAIN.by_name, f"{name} of {rule} has no row in rnnlm/runs/rule_options.py"


@pytest.mark.parametrize("kind", [Architecture, Regularisation, Start])
def test_what_a_model_is_made_from_are_options(kind):
    """Fields get their values from the options of the same names."""
    others = {"vocab_size", "per_window", "recurrent"}
    for field in fields(kind):
        assert field.name in TRAIN.by_name.keys() | others, f"{field.name} of {kind.__name__} has no option"


def test_the_help_of_the_min_count_says_what_reading_a_corpus_does(tmp_path):
    usual, others = TRAIN.by_name["min_count"].default_in_words.split("; ")
    for split in ("train", "valid", "test"):
        (tmp_path / f"{split}.txt").write_text("a\nb b\nc c c\nd d d d\n")
    known = load_corpus(tmp_path).vocabulary.words
    assert [word in known for word in "abcd"] == [count >= int(usual) for count in (1, 2, 3, 4)]
    assert others == "1 for characters and for a text that already contains <unk>"
    assert "a" in load_corpus(tmp_path, level="char").vocabulary.words


def test_the_help_gives_known_corpora_as_examples():
    examples = TRAIN.by_name["corpus"].help.partition("such as ")[2].partition(",")[0].split(" or ")
    assert set(examples) <= set(known_corpora())


def test_the_help_of_the_weight_decay_names_the_rules_that_have_one():
    said = TRAIN.by_name["weight_decay"].default_in_words
    assert said == "0; 0.01 for adamw"
    assert all((rule in said.split()) == bool(kind.weight_decay) for rule, kind in OPTIMIZERS.items())


def test_the_help_names_rules_with_the_same_default_together():
    assert TRAIN.by_name["lr"].default_in_words.endswith("0.001 for rmsprop; 0.002 for adam and adamw")
    assert TRAIN.by_name["eps"].default_in_words == "1e-10 for adagrad; 1e-08 for rmsprop, adam and adamw"
    assert TRAIN.by_name["eps"].help.endswith(", with --optimizer adagrad, rmsprop, adam or adamw")
    assert TRAIN.by_name["alpha"].help.endswith(", with --optimizer rmsprop")
    assert TRAIN.by_name["beta2"].help.endswith(", with --optimizer adam or adamw")


@pytest.mark.parametrize("rule", OPTIMIZERS)
def test_the_numbers_of_each_rule_are_its_own(rule):
    options = TRAIN.resolved({"optimizer": rule})
    assert options.lr == OPTIMIZERS[rule].default_lr
    names = {name for constants in OF_THE_RULE.values() for name in constants}
    assert {name: getattr(options, name) for name in names if getattr(options, name) is not None} == OF_THE_RULE[rule]


def test_a_rule_without_a_rate_of_its_own_asks_for_one(monkeypatch):
    class Bare(OPTIMIZERS["sgd"]):
        default_lr = None

    monkeypatch.setitem(OPTIMIZERS, "bare", Bare)
    monkeypatch.setitem(OF_THE_RULE, "bare", Bare.constants())
    with pytest.raises(RnnlmError, match="--optimizer bare has no learning rate of its own: give --lr"):
        require_possible(TRAIN.resolved({"optimizer": "bare"}))
    require_possible(TRAIN.resolved({"optimizer": "bare", "lr": 0.1}))


def test_the_help_of_resume_names_the_options_that_may_change():
    assert free({}) == ["corpus", "tokenizer", "epochs", "patience", "threads", "device", "checkpoint_minutes",
                        "keep_every", "keep_at", "discard_checkpoints", "on_divergence"]
    named = TRAIN.by_name["resume"].help.split("; these may change: ")[1]
    assert named.split(", ") == [TRAIN.by_name[name].flag for name in free({})]


@pytest.mark.parametrize("options", [{"average": "tail"}, {"schedule": "linear"}, {"schedule": "cosine"},
                                     {"dropout_start": 0.0}])
def test_the_epochs_may_not_change_where_the_training_depends_on_them(options):
    assert "epochs" not in free(options)
    assert "patience" in free(options)


def test_what_a_checkpoint_keeps_is_what_belongs_to_the_run():
    kept = of_the_run(TRAIN.resolved({"seed": 4, "output": "x", "debug": True}))
    assert kept["given"] == ["corpus", "seed"]
    assert not {"output", "resume", "overwrite", "config", "recipes", "debug"} & kept["options"].keys()
    assert len(kept["options"]) == sum(option.scope == OF_THE_RUN for option in TRAIN.options)
    assert all(isinstance(kept["options"][option.name], bool) for option in TRAIN.options if option.check == SWITCH)
