"""The dial: what it chooses for a text and a time, with a clock and a speed made up."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from device_arrays import StandIn

from rnnlm.compute.device import HOST
from rnnlm.compute.threads import Workers
from rnnlm.errors import RnnlmError
from rnnlm.runs import dial_rules as rules
from rnnlm.runs.budget import Budget
from rnnlm.runs.combinations import notes_on_length
from rnnlm.runs.dial import PICTURE, Dial
from rnnlm.runs.dial_measuring import Speed, measure
from rnnlm.runs.options import TRAIN
from rnnlm.text.corpus import load_corpus

REPOSITORY = Path(__file__).resolve().parents[2]


class Clock:
    """A clock that moves when it is told to."""

    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


class Machine:
    """A machine that does so many operations a second, of which Dial knows the number.

    measured: the options of the networks that were measured; took: the seconds of each.
    others: the cores that other programs keep busy.
    """

    def __init__(self, clock, operations, others=0.0):
        self.clock, self.operations, self.others = clock, operations, others
        self.measured, self.took, self.dial = [], [], None

    def __call__(self, options, seconds):
        self.measured.append(options)
        self.took.append(seconds)
        self.clock.now += seconds + 0.1
        seconds_of_a_token = self.dial._operations(options) / self.operations
        return Speed(seconds_of_a_token, seconds_of_a_token / 3, self.others)


def text_of(corpus, tokens):
    """The corpus with so many tokens to train; Dial looks at their number only."""
    return replace(corpus, train=np.broadcast_to(corpus.train[0], tokens))


@pytest.fixture(autouse=True)
def quick_ngrams(monkeypatch):
    """No rule uses the n-gram model, which takes longer than a choice."""
    monkeypatch.setattr("rnnlm.runs.dial.ngram_perplexity", lambda corpus: 12.345)


@pytest.fixture
def corpus(small_corpus):
    return load_corpus(small_corpus)


def dial(corpus, minutes, operations=3e9, others=0.0, **given):
    """A Dial with its machine; given: the options that a user gave."""
    clock = Clock()
    given = {"minutes": minutes, **given}
    machine = Machine(clock, operations, others)
    machine.dial = Dial(TRAIN.resolved(rules.settled_before(given)), corpus, Budget(minutes, given, clock), machine)
    return machine.dial


@pytest.mark.parametrize("tokens", [30_000, 300_000, 3_000_000])
@pytest.mark.parametrize("minutes", [3, 10, 30])
def test_a_run_ends_in_its_time(corpus, tokens, minutes):
    turned = dial(text_of(corpus, tokens), minutes)
    chosen = turned.choose()
    end = (60 * minutes - turned.budget.left + turned.seconds(chosen)) / 60
    assert end < minutes
    assert end > 0.85 * minutes or chosen.hidden_size >= turned._high() - 8


def test_a_faster_machine_or_a_longer_time_gives_a_larger_network_and_more_epochs(corpus):
    text = text_of(corpus, 1_000_000)
    slow, fast, long = (dial(text, *how).choose() for how in ((10, 3e9), (10, 1e11), (300, 3e9)))
    for better in (fast, long):
        assert better.hidden_size > 1.5 * slow.hidden_size
        assert better.epochs > slow.epochs
        assert better.dropout > slow.dropout


def test_a_short_text_gets_a_smaller_network_more_epochs_and_more_dropout(corpus):
    long, short = (dial(text_of(corpus, tokens), 240, 3e10).choose() for tokens in (1_000_000, 10_000))
    assert short.hidden_size < 0.6 * long.hidden_size
    assert short.dropout > long.dropout
    assert short.batch_size < long.batch_size
    strain = [rules.parameters(o, len(corpus.vocabulary)) * o.epochs / n for o, n in ((long, 1e6), (short, 1e4))]
    assert strain[1] > strain[0]


def test_more_time_than_a_short_text_can_use_is_not_used(corpus):
    turned = dial(text_of(corpus, 10_000), 600)
    chosen = turned.choose()
    assert turned.seconds(chosen) < 60 * 60
    assert "a longer time would hardly help" in [*turned.lines(chosen)][2]


def test_a_run_with_no_time_for_one_more_epoch_does_not_say_that_time_would_not_help(corpus):
    text, sizes = text_of(corpus, 300_000), {"hidden_size": 208, "wordvec_size": 104}
    longer = dial(text, 5, **sizes)
    once = longer.seconds(longer.choose()) / longer.choose().epochs
    shorter = dial(text, 1.6 * once / 60, **sizes)
    chosen = shorter.choose()
    assert chosen.epochs == 1
    assert "would hardly help" not in [*shorter.lines(chosen)][2]


def test_what_is_given_is_kept_and_the_rest_is_chosen_around_it(corpus):
    given = {"cell": "gru", "hidden_size": 96, "dropout": 0.25, "lr": 0.003, "average": "none", "batch_size": 5,
             "schedule": "cosine"}
    turned = dial(text_of(corpus, 300_000), 5, **given)
    chosen = turned.choose()
    assert {name: getattr(chosen, name) for name in given} == given
    assert chosen.output_dropout == 0.25
    assert set(given) <= set(chosen.given)
    end = (300 - turned.budget.left + turned.seconds(chosen)) / 60
    assert 0.6 * 5 < end < 5


def test_a_given_network_that_is_slow_gets_fewer_epochs(corpus):
    chosen = [dial(text_of(corpus, 100_000), 4, hidden_size=size, wordvec_size=64).choose() for size in (100, 300)]
    assert chosen[0].epochs > 2 * chosen[1].epochs


def test_only_a_part_of_a_text_is_read_where_one_epoch_takes_too_long(corpus):
    turned = dial(text_of(corpus, 30_000_000), 1)
    chosen = turned.choose()
    assert chosen.epochs == 1
    assert chosen.max_tokens < 30_000_000
    assert "max_tokens" in chosen.given


def test_the_part_is_measured_again_and_fills_the_time(corpus):
    clock = Clock()
    given = {"minutes": 1, "max_tokens": 200_000}
    machine = Machine(clock, 3e9)
    turned = machine.dial = Dial(TRAIN.resolved(rules.settled_before(given)), text_of(corpus, 200_000),
                                 Budget(1, {"minutes"}, clock), machine, whole=30_000_000)
    chosen = turned.choose()
    assert chosen.max_tokens == 200_000
    assert 0.7 < (60 - turned.budget.left + turned.seconds(chosen)) / 60 < 1
    assert "only the first 200,000 of 30,000,000 tokens" in [*turned.lines(chosen)][2]
    machine.operations = 1e6  # now even one epoch takes too long, and it is too late for another part
    assert (turned.choose().epochs, turned.choose().hidden_size) == (1, 48)
    assert not turned.leaves_time(turned.choose())  # with more time it would read more


@pytest.mark.parametrize(("minutes", "given"), [(0.001, {}), (1, {"max_tokens": 30_000_000})])
def test_too_short_a_time_is_refused_in_a_line_that_names_one(corpus, minutes, given):
    with pytest.raises(RnnlmError, match=rf"--minutes {minutes:g} is too short: .* after about .* minutes"):
        dial(text_of(corpus, 30_000_000), minutes, **given).choose()


def test_the_second_network_is_measured_where_the_first_says_the_run_will_be(corpus):
    turned = dial(text_of(corpus, 1_000_000), 10)
    chosen = turned.choose()
    first, second = turned.speed_of.measured
    assert abs(second.hidden_size - chosen.hidden_size) <= 8 < abs(first.hidden_size - chosen.hidden_size)


def test_three_lines_say_what_was_chosen_and_why(corpus):
    turned = dial(text_of(corpus, 1_000_000), 10)
    chosen = turned.choose()
    first, second, third = turned.lines(chosen)
    assert first == (f"--minutes 10: 1,000,000 tokens to train, vocabulary {len(corpus.vocabulary)}; a Kneser-Ney "
                     "3-gram of the first 500,000 tokens has a validation perplexity of 12.35")
    assert f"lstm of {chosen.hidden_size}" in second and f"{chosen.epochs} epochs" in second
    assert "tokens a second" in third and "minutes" in third


@pytest.fixture
def two_cores(monkeypatch):
    monkeypatch.setattr("rnnlm.runs.dial.os.cpu_count", lambda: 2)


def test_where_other_programs_run_the_last_epoch_may_take_longer(corpus, two_cores):
    idle, shared = (dial(text_of(corpus, 300_000), 3, others=others) for others in (0.0, 1.2))
    of_idle, of_shared = (turned.choose() for turned in (idle, shared))
    assert idle.latest(of_idle) == idle.seconds(of_idle)
    reserve = shared.budget.left - PICTURE - shared.seconds(of_shared)
    epoch = 300_000 * shared.training * shared._operations(of_shared)
    assert reserve > 0.3 * epoch  # half of 1.2 of 2 cores
    assert of_shared.hidden_size < of_idle.hidden_size
    assert "; other programs keep 1.2 of 2 cores busy, so it may end earlier or later" in [*shared.lines(of_shared)][2]
    assert "other programs" not in [*idle.lines(of_idle)][2]


def test_where_other_programs_run_the_second_network_is_measured_longer(corpus, two_cores):
    idle, shared = (dial(text_of(corpus, 300_000), 20, others=others) for others in (0.0, 0.8))
    for turned in (idle, shared):
        turned.choose()
    assert idle.speed_of.took == [0.4, 1]
    assert shared.speed_of.took == [0.4, 3]


def test_several_seeds_are_measured_longer_and_have_a_reserve_for_all_epochs(corpus, two_cores):
    turned = dial(text_of(corpus, 300_000), 20, others=1.0, seeds=[1, 2])
    chosen = turned.choose()
    assert turned.speed_of.took == [pytest.approx(1.2), 3]
    training = chosen.epochs * 300_000 * turned.training * turned._operations(chosen)
    assert turned.latest(chosen) == pytest.approx(turned.seconds(chosen) + training / 4)
    assert turned.budget.left - PICTURE > turned.latest(chosen)


@pytest.mark.parametrize("level", ["word", "char"])
def test_ladders_rise(level):
    rungs = rules.ladder(level)
    for name in ("hidden_size", "wordvec_size", "epochs"):
        values = [getattr(rung, name) for rung in rungs]
        assert values == sorted(values)


def test_a_row_of_a_table_comes_back_as_it_is_and_others_lie_between():
    assert rules.between(rules.WORDS, "hidden_size", 512) == pytest.approx(rules.WORDS[3])
    middle = rules.between(rules.WORDS, "hidden_size", 420)
    assert rules.WORDS[2].epochs < middle.epochs < rules.WORDS[3].epochs
    assert rules.between(rules.DROPPED, "strain", 1e9) == pytest.approx(rules.DROPPED[-1])
    assert rules.between(rules.DROPPED, "strain", 1e-9) == pytest.approx(rules.DROPPED[0])


def test_a_text_of_50_kb_is_read_often_with_much_dropout_and_a_higher_rate(corpus):
    short, long = (dial(text_of(corpus, tokens), 10) for tokens in (9_000, 1_000_000))
    of_short, of_long = (turned.choose() for turned in (short, long))
    assert of_short.epochs > 20 > of_long.epochs
    assert of_short.dropout > 0.6
    assert of_short.lr == pytest.approx(2 * 0.010)
    parameters = rules.parameters(of_short, len(corpus.vocabulary))
    assert parameters <= 25 * 9_000 and parameters * of_short.epochs < 620 * 9_000  # it is rounded


@pytest.mark.parametrize("table", [rules.LENGTHS, rules.OF_CHARACTERS_BY_LENGTH, rules.DROPPED])
def test_longer_texts_are_read_less_often_and_strain_drops_more(table):
    assert [row[0] for row in table] == sorted(row[0] for row in table)
    for column in list(zip(*table, strict=True))[1:]:
        assert list(column) == sorted(column, reverse=table is not rules.DROPPED)


@pytest.mark.parametrize("table", [rules.WORDS, rules.LENGTHS, rules.DROPPED])
def test_the_page_has_the_tables_of_the_rules(table):
    page = (REPOSITORY / "docs/dial.md").read_text(encoding="utf-8").replace(",", "")
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in page.splitlines() if line.startswith("|")]
    numbers = {tuple(map(float, cells[:len(table[0])])) for cells in rows if len(cells) == len(table[0]) + 1
               and all(re.fullmatch(r"[\d.]+", cell) for cell in cells[:-1])}
    assert set(map(tuple, table)) <= numbers


def test_less_is_dropped_of_characters():
    words, characters = (rules.dropped(20, level) for level in ("word", "char"))
    for name in ("dropout", "input_dropout", "weight_drop"):
        assert 0 < characters[name] < words[name]


@pytest.mark.parametrize("steps", [0, 2, 11, 12, 21, 22, 23, 100, 5_499, 5_501, 10**6])
def test_no_average_is_chosen_that_does_nothing(steps):
    chosen = TRAIN.resolved({"average": "exponential"})
    vars(chosen).update(rules.average(chosen, steps))
    assert not [*notes_on_length(chosen, max(1, steps))]
    assert chosen.average_decay <= 0.998 or steps < 22


def test_every_choice_is_an_option_with_a_possible_value(corpus):
    for given in ({}, {"level": "char"}, {"cell": "rnn"}, {"optimizer": "sgd"}, {"average": "tail"}, {"time_size": 2}):
        chosen = dial(text_of(corpus, 100_000), 2, **given).choose()
        for name in set(chosen.given) - {"minutes"}:
            TRAIN.by_name[name].in_a_file(getattr(chosen, name), name)


def test_what_is_dropped_at_the_end_is_dropped_while_measuring(corpus, monkeypatch):
    def build(options, *more, **named):
        raise RnnlmError(f"starts at {options.dropout_start:g}")

    monkeypatch.setattr("rnnlm.runs.dial_measuring.build_trainer", build)
    options = TRAIN.resolved({"dropout": 0.5, "dropout_start": 0.1})
    with pytest.raises(RnnlmError, match="starts at 1"):
        measure(options, corpus, None, HOST, 1, None)
    assert options.dropout_start == 0.1


@pytest.mark.parametrize("device", [HOST, StandIn()], ids=["processor", "stand-in for a GPU"])
def test_measuring_takes_steps_and_scores(corpus, device, monkeypatch):
    monkeypatch.setattr("rnnlm.compute.load.machine_seconds", lambda: float("nan"))
    times = iter(range(1000))
    options = TRAIN.resolved(rules.settled_before({"minutes": 1, "hidden_size": 8, "batch_size": 2, "time_size": 7,
                                                   "random_length": False}))
    with Workers(1) as workers:
        speed = measure(options, corpus, workers, device, 3, lambda: float(next(times)))
    # The clock moves by 1 at each look: steps of 14 tokens until 3 seconds have passed.
    assert speed.training == pytest.approx(4 / (3 * 14), rel=0.5)
    assert speed.scoring == pytest.approx(1 / len(corpus.valid.ids))
    assert speed.others == 0  # not known


def test_a_short_text_of_characters_is_read_often_by_the_widest_network():
    """20 kB of the stories: 22 epochs of 296 units ended at a perplexity of 3.6."""
    sized = TRAIN.resolved({"level": "char", "cell": "lstm", "hidden_size": 296, "wordvec_size": 48})
    assert rules.most_epochs("char", 18_000, rules.parameters(sized, 29)) > 20
    assert rules.most_epochs("char", 5e6, rules.parameters(sized, 29)) == pytest.approx(
        150 * 5e6 / rules.parameters(sized, 29))
