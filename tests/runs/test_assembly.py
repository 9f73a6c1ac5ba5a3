"""What the options of the training become: read off the trainer they build."""

import numpy as np
import pytest

from rnnlm.cli.train import build_parser
from rnnlm.compute.threads import SERIAL
from rnnlm.models import LanguageModel, Regularisation, Start
from rnnlm.runs.assembly import architecture_of, build_trainer
from rnnlm.text.corpus import load_corpus


@pytest.fixture
def build(small_corpus):
    corpus = load_corpus(str(small_corpus))

    def build(*arguments, fresh=True):
        options = build_parser().parse_args(["--batch-size", "4", "--hidden-size", "6", *arguments])
        return build_trainer(options, corpus, SERIAL, fresh), corpus

    return build


def by_group(trainer, values):
    """The values that the optimizer holds for each group of parameters."""
    groups = {}
    for group, value in zip(trainer.model.packing.groups, values, strict=True):
        groups.setdefault(group, set()).update(np.ravel(value).tolist())
    return groups


@pytest.mark.parametrize("arguments", ["", "--cell lstm --layers 2", "--tied --wordvec-size 3", "--tied",
                                       "--projection", "--activation relu --wordvec-size 3"])
def test_the_architecture_is_known_before_the_model_is_built(build, arguments):
    trainer, corpus = build(*arguments.split())
    options = build_parser().parse_args(["--hidden-size", "6", *arguments.split()])
    assert architecture_of(options, len(corpus.vocabulary)) == trainer.model.architecture


@pytest.mark.parametrize("tied", ["--tied", "--no-tied"])
def test_matrices_have_rates_and_decays_of_their_own_and_biases_do_not_decay(build, tied):
    trainer, _ = build(tied, "--matrix-lr-factor", "0.25", "--weight-decay", "0.1", "--matrix-weight-decay", "0.3",
                       "--projection", "--cell", "lstm")
    assert by_group(trainer, trainer.optimizer.factors) == {"words": {1.0}, "matrices": {0.25}, "biases": {1.0}}
    assert by_group(trainer, trainer.optimizer.decays) == {"words": {0.1}, "matrices": {0.3}, "biases": {0.0}}


@pytest.mark.parametrize(("arguments", "decay"), [
    (["--optimizer", "adam"], 0.0), (["--optimizer", "adamw"], 0.01), (["--weight-decay", "0.2"], 0.2),
    (["--optimizer", "adamw", "--weight-decay", "0"], 0.0)])
def test_the_weight_decay_of_all_is_that_of_the_rule_unless_told(build, arguments, decay):
    trainer, _ = build(*arguments, "--cell", "gru")
    assert by_group(trainer, trainer.optimizer.decays) == {"words": {decay}, "matrices": {decay}, "biases": {0.0}}


@pytest.mark.parametrize("cell", ["rnn", "mrnn"])
def test_what_a_unit_of_an_rnn_keeps_of_its_state_does_not_decay(build, cell):
    trainer, _ = build("--cell", cell, "--layers", "2", "--projection", "--weight-decay", "0.5", "--lr", "0.1",
                       "--optimizer", "sgd")
    before = {name: param.copy() for name, param in trainer.model.named_params().items()}
    packing = trainer.model.packing
    trainer.optimizer.update(packing.params, [np.zeros_like(param) for param in packing.params])
    for name, param in trainer.model.named_params().items():
        kept = np.full(param.shape, 1.0 if name.endswith("/b") else 0.95)
        if name.endswith("/Wh"):
            np.fill_diagonal(kept, 1)
        np.testing.assert_allclose(param, before[name] * kept, rtol=1e-6, err_msg=name)


@pytest.mark.parametrize(("arguments", "expected"), [
    ("--optimizer momentum --momentum 0.3", {"momentum": 0.3}), ("--optimizer momentum", {"momentum": 0.9}),
    ("--optimizer adagrad", {"eps": 1e-10}), ("--optimizer adagrad --eps 0.1", {"eps": 0.1}),
    ("--optimizer rmsprop", {"eps": 1e-8, "alpha": 0.99}),
    ("--optimizer rmsprop --eps 0.1 --alpha 0.9", {"eps": 0.1, "alpha": 0.9}),
    ("--optimizer adam", {"beta1": 0.9, "beta2": 0.999, "eps": 1e-8}),
    ("--optimizer adamw --beta1 0.1 --beta2 0.2 --eps 0.3", {"beta1": 0.1, "beta2": 0.2, "eps": 0.3})])
def test_the_numbers_in_the_update_rule(build, arguments, expected):
    trainer, _ = build(*arguments.split())
    assert expected.items() <= vars(trainer.optimizer).items()


def test_output_biases_start_at_the_logarithms_of_the_frequencies(build):
    trainer, corpus = build("--output-start", "frequencies")
    bias, counts = trainer.model.named_params()["affine/b"], np.bincount(corpus.train, minlength=len(corpus.vocabulary))
    assert np.exp(bias).sum() == pytest.approx(1, rel=1e-5)
    np.testing.assert_allclose(np.exp(bias - bias[-1]), (counts + 1) / (counts[-1] + 1), rtol=1e-5)
    assert not build()[0].model.named_params()["affine/b"].any()
    assert not build("--output-start", "frequencies", fresh=False)[0].model.named_params()["affine/b"].any()


def test_first_weights_are_those_of_the_options_and_the_seed(build):
    trainer, corpus = build(*"--recurrent-gain 2 --slowest 0.8 --input-gain 3 --seed 5".split())
    start = Start("time-scales", recurrent_gain=2, slowest=0.8, input_gain=3)
    expected = LanguageModel(len(corpus.vocabulary), 6, 6, start=start, rng=np.random.default_rng(5)).named_params()
    for name, param in trainer.model.named_params().items():
        np.testing.assert_array_equal(param, expected[name], err_msg=name)


def test_what_is_on_without_options(build):
    trainer, _ = build()
    assert trainer.model.regularisation == Regularisation(dropout=0.5, output_dropout=0.5, input_dropout=0.1)
    batches = trainer.batches
    assert not any((batches.random_start, batches.random_length, batches.noising, trainer.average))
    assert (type(trainer.schedule).__name__, trainer.schedule.warm_up, trainer.max_grad) == ("DivideOnPlateau", 0, 0.25)
    assert by_group(trainer, trainer.optimizer.factors) == {"words": {1.0}, "matrices": {1.0}, "biases": {1.0}}


def test_windows_start_and_vary_as_asked(build):
    batches = build("--random-start", "--time-size", "12")[0].batches
    assert (batches.random_start, batches.random_length, batches.time_size) == (True, False, 12)
    batches = build("--random-length")[0].batches
    assert (batches.random_start, batches.random_length, batches.time_size) == (False, True, 35)


def test_regularisation_and_schedule(build):
    trainer, _ = build(*("--dropout 0.1 --output-dropout 0.2 --input-dropout 0.3 --word-dropout 0.4 --weight-drop 0.6 "
                         "--dropout-mask window --dropout-start 0.25 --activation-penalty 2 --slowness-penalty 3 "
                         "--schedule cosine --warm-up 7 --lr 0.5 --max-grad 3 "
                         "--average tail --average-from 0.4").split())
    r = trainer.model.regularisation
    assert (r.dropout, r.output_dropout, r.input_dropout, r.word_dropout, r.weight_drop) == (0.1, 0.2, 0.3, 0.4, 0.6)
    assert (r.dropout_start, r.per_window, r.activation_penalty, r.slowness_penalty) == (0.25, True, 2, 3)
    assert (type(trainer.schedule).__name__, trainer.schedule.warm_up, trainer.schedule.lr) == ("Cosine", 7, 0.5)
    assert (trainer.max_grad, trainer.average.start, trainer.average.decay) == (3, 0.4, 1.0)
    assert build("--max-grad", "0")[0].max_grad == np.inf
    assert build("--average", "exponential", "--average-decay", "0.7")[0].average.decay == 0.7
    assert build("--lr-factor", "3")[0].schedule.factor == 3
