"""A wrong argument is one line that says what is wanted, whatever is called with it."""

import numpy as np
import pytest
from junk import JUNK, require_one_line

import rnnlm
from rnnlm import (
    SGD,
    Adam,
    AdamW,
    Average,
    Constant,
    DivideOnPlateau,
    LanguageModel,
    Linear,
    Momentum,
    Noising,
    Record,
    Regularisation,
    RMSprop,
    RnnlmError,
    Start,
    TimeBatches,
    TimeDropout,
    TimeEmbedding,
    TimeLSTM,
    TimeRNN,
    Trainer,
    Vocabulary,
    WeightDrop,
    Workers,
    load_checkpoint,
    load_corpus,
    load_model,
    plot_perplexity,
    read_text,
    save_checkpoint,
    save_model,
)
from rnnlm.errors import ArgumentError
from rnnlm.models import CELLS

IDS = np.arange(60, dtype=np.int32) % 3
VOCABULARY = Vocabulary(["<eos>", "a", "b"])


def model(**options):
    return LanguageModel(**{"vocab_size": 3, "wordvec_size": 4, "hidden_size": 4,
                            "rng": np.random.default_rng(0)} | options)


def trainer(**parts):
    return Trainer(**{"model": model(), "optimizer": SGD(0.1), "batches": TimeBatches(IDS, 2, 5),
                      "schedule": Constant(0.1)} | parts)


def fit(validate=lambda: 1.0, epochs=1, **parts):
    return list(trainer(**parts).fit(validate, epochs))


A_RECORD = {"epoch": 1, "train_perplexity": 2.0, "valid_perplexity": 3.0, "lr": 0.1}
ARRAY = r"an array of float64, of shape \(2, 2\)"
KNOWN_CELLS = ", ".join(CELLS)


@pytest.mark.parametrize(("call", "message"), [
    (lambda: model(rng=0), r"rng must be a numpy.random.Generator, got 0: numpy.random.default_rng\(0\) makes one"),
    (lambda: model(cell="LSTM"), f"cell must be one of {KNOWN_CELLS}, got 'LSTM': did you mean lstm\\?"),
    (lambda: model(cell=None), f"cell must be one of {KNOWN_CELLS}, got None"),
    (lambda: model(activation="sigmoid"), "activation must be one of tanh, relu, got 'sigmoid'"),
    (lambda: model(vocab_size=0), "vocab_size must be a whole number of at least 1, got 0"),
    (lambda: model(vocab_size=VOCABULARY), "vocab_size must be a whole number of at least 1, got a Vocabulary"),
    (lambda: model(hidden_size=-4), "hidden_size must be a whole number of at least 1, got -4"),
    (lambda: model(wordvec_size=4.0), "wordvec_size must be a whole number of at least 1, got 4.0"),
    (lambda: model(layers=501), "layers must be a whole number from 1 to 500, got 501"),
    (lambda: model(layers=True), "layers must be a whole number from 1 to 500, got True"),
    (lambda: model(tied="yes"), "tied must be True or False, got 'yes'"),
    (lambda: model(dtype=np.float16), "dtype must be numpy.float32 or numpy.float64, got <class 'numpy.float16'>"),
    (lambda: model(regularisation=0.5), "regularisation must be a Regularisation, got 0.5"),
    (lambda: model(start="orthogonal"), "start must be a Start, got 'orthogonal'"),
    (lambda: model(workers=2), "workers must be a Workers, got 2"),
    (lambda: model().forward([[0, 1]], [[0]]),
     r"ts must have the shape of xs, \(1, 2\), got \(1, 1\): a target for .*"),
    (lambda: model().forward([0, 1], [1, 0]),
     r"ts must be an array of ids of shape \(N, T\), .*, got an array of int64, of shape \(2,\)"),
    (lambda: model().predict([[0.0]]),
     r"xs must be an array of ids of shape \(N, T\), neither of them 0, got .*float64.*"),
    (lambda: model().predict("a b"), r"xs must be an array of ids of shape \(N, T\), neither of them 0, got 'a b'"),
    (lambda: model().set_progress(50), "progress must be a number from 0 to 1, got 50"),
    (lambda: model().set_state(None),
     "states must be a list with one value for each of the 1 recurrent layers, got None"),
    (lambda: model(layers=2).set_state([(None,)]),
     "states must hold one value for each of the 2 recurrent layers, it .*"),
    (lambda: Regularisation(dropout=1), "dropout must be a number of at least 0 and below 1, got 1"),
    (lambda: Regularisation(word_dropout="0.1"), "word_dropout must be a number of at least 0 and below 1, got '0.1'"),
    (lambda: Regularisation(slowness_penalty=1e39), "slowness_penalty must be a number of at least 0 that float32 can "
                                                    "hold, got 1e[+]39"),
    (lambda: Start("time_scales"),
     "recurrent must be one of time-scales, orthogonal, identity, normal, got .*: did you mean time-scales\\?"),
    (lambda: Start(input_gain=1e39), "input_gain must be a number that is 0 or from 1e-30 to 1e[+]30, got 1e[+]39"),
    (lambda: Start(recurrent_gain=1e-50), "recurrent_gain must be a number that is 0 or from 1e-30 to .*, got 1e-50"),
    (lambda: Start(input_gain=float("nan")), "input_gain must be a finite number that .*, got nan"),
    (lambda: Start(slowest=1.5), "slowest must be a number from 0 to 1, got 1.5"),
    (lambda: model(cell="gru", start=Start("time-scales")), "a start with time scales is for cells without gates: .*"),
    (lambda: fit(schedule=None),
     r"fit needs batches and a schedule: give them to the Trainer, as in Trainer\(model, .*"),
    (lambda: fit(batches=None),
     r"fit needs batches and a schedule: give them to the Trainer, as in Trainer\(model, .*"),
    (lambda: fit(batches=IDS), "batches must be a TimeBatches, got an array of int32, of shape .*: TimeBatches.*"),
    (lambda: fit(schedule=0.1), r"schedule must be a schedule, got 0.1: for example Constant\(0.002\)"),
    (lambda: fit(model="runs/a"), "model must be a LanguageModel, got 'runs/a'"),
    (lambda: fit(optimizer="adam"), r"optimizer must be an optimizer, got 'adam': for example Adam\(0.002\)"),
    (lambda: fit(optimizer=Adam), r"optimizer must be an optimizer, got <class '.*Adam'>: for example Adam\(0.002\)"),
    (lambda: fit(max_grad=0), "max_grad must be a number above 0, or math.inf, got 0"),
    (lambda: fit(average="tail"), "average must be an Average, got 'tail'"),
    (lambda: fit(validate=3.0), "validate must be a function that returns the validation loss in .*, got 3.0"),
    (lambda: fit(validate=lambda: None), r"what validate\(\) returns must be the validation loss in .*, got None"),
    (lambda: fit(epochs="3"), "epochs must be a whole number of at least 0, got '3'"),
    (lambda: trainer().step([[0, 1]], [[9, 0]]), "targets must be from 0 to 2, got 0 to 9"),
    (lambda: TimeBatches("stories", 2, 5), r"ids must be an array of ids of shape \(n,\), got 'stories'"),
    (lambda: TimeBatches(IDS, 0, 5), "batch_size must be a whole number of at least 1, got 0"),
    (lambda: TimeBatches(IDS, 2, 0), "time_size must be a whole number of at least 1, got 0"),
    (lambda: TimeBatches(IDS, 2, 5, rng=1),
     r"rng must be a numpy.random.Generator, got 1: .*default_rng\(1\) makes one"),
    (lambda: SGD(float("inf")), "lr must be a finite number of at least 0, got inf"),
    (lambda: SGD("0.1"), "lr must be a number of at least 0, got '0.1'"),
    (lambda: Momentum(0.1, momentum=1), "momentum must be a number of at least 0 and below 1, got 1"),
    (lambda: Adam(0.1, beta2=1.0), "beta2 must be a number of at least 0 and below 1, got 1.0"),
    (lambda: RMSprop(0.1, eps=0), "eps must be a number of at least 1e-30, got 0"),
    (lambda: AdamW(0.1, factors=[1.0]).update([IDS, IDS], [IDS, IDS]), "factors must hold one value for each of the 2 "
                                                                       "parameters, it holds 1"),
    (lambda: SGD(0.1).update(np.ones(3), np.ones(3)), r"params must be a list of arrays, got an array of .*"),
    (lambda: DivideOnPlateau(0.1, factor=0), "factor must be a number above 1, got 0"),
    (lambda: Constant(-0.1), "lr must be a number of at least 0, got -0.1"),
    (lambda: Linear(0.1, warm_up=0.5), "warm_up must be a whole number of at least 0, got 0.5"),
    (lambda: Average(decay=2), "decay must be a number from 0 to 1, got 2"),
    (lambda: Noising(IDS, 2, 0.5), "ids must be from 0 to 1, got 0 to 2"),
    (lambda: Noising(IDS[:1], 3, 0.5), "ids must hold at least 2 tokens, a word and what follows it, got 1"),
    (lambda: Workers("2"), "threads must be a whole number of at least 1, got '2'"),
    (lambda: TimeDropout(0.5, rng=None), "rng must be a numpy.random.Generator, got None: .*"),
    (lambda: WeightDrop("x", rng=np.random.default_rng(0)), "weight drop ratio must be a number of .*, got 'x'"),
    (lambda: TimeEmbedding([[1.0]]), "what TimeEmbedding is made of must be arrays, got a list"),
    (lambda: TimeRNN(3, 4, 5), "what TimeRNN is made of must be arrays, got 3"),
    (lambda: TimeLSTM(*np.ones((3, 2, 8))).backward(np.ones((1, 1, 2))), r"TimeLSTM takes Wx \(D, 4H\), .*"),
    (lambda: load_corpus(None), "spec must be a known name or the path of a corpus, got None"),
    (lambda: load_corpus("stories", level="words"),
     r"level must be one of word, char, subword, got 'words': did you mean word\?"),
    (lambda: load_corpus("stories", max_vocab=2), "max_vocab must be a whole number of at least 3, got 2"),
    (lambda: load_corpus("stories", max_tokens=-5), "max_tokens must be a whole number of at least 1, got -5"),
    (lambda: read_text("a.txt", ["<eos>"]), "vocabulary must be a Vocabulary, got a list: .*"),
    (lambda: read_text(VOCABULARY, "a.txt"),
     r"path must be the path of a text, got a Vocabulary: read_text takes \(.*"),
    (lambda: save_model(model(), "m.npz", VOCABULARY),
     r"path must be a path, got a LanguageModel: save_model takes .*"),
    (lambda: save_model("m.npz", model(), ["a"]), "vocabulary must be a Vocabulary, got a list"),
    (lambda: save_model("m.npz", model(), VOCABULARY, {"loss": np.float32(1)}),
     "what is saved with the arrays must be .*"),
    (lambda: save_model("m.npz", model(), VOCABULARY, {"loss": float("inf")}),
     "what is saved with the arrays must be .*"),
    (lambda: save_model("m.npz", model(), VOCABULARY, {"notes": "x" * 70_000}),
     ".* at most 65,536 bytes of JSON, got 70,.*"),
    (lambda: load_model(3), "path must be the path of a model file or of a run folder, got 3"),
    (lambda: load_model("m.npz", 2), "workers must be a Workers, got 2: with Workers.*"),
    (lambda: save_checkpoint("c.npz", model(), {}, []), "trainer must be a Trainer, got a LanguageModel"),
    (lambda: save_checkpoint("c.npz", trainer(), {}, [3]),
     "records must be the Records that fit yielded, one for each .*"),
    (lambda: save_checkpoint("c.npz", trainer(batches=None), {}, []), "a checkpoint needs batches and a schedule: .*"),
    (lambda: load_checkpoint("c.npz", model()), "trainer must be a Trainer, got a LanguageModel"),
    (lambda: plot_perplexity("p.png", [], "t"), "records must hold at least one epoch, got none: .*"),
    (lambda: plot_perplexity("p.png", "metrics.jsonl", "t"),
     "records must be a list of the Records .*, got 'metrics.jsonl'"),
    (lambda: plot_perplexity("p.png", [3.5, 2.5], "t"),
     "a record must be a Record or a dict with the keys epoch, lr, .*, got 3.5"),
    (lambda: plot_perplexity([A_RECORD], "p.png", "t"),
     r"path must be a path, got a list: plot_perplexity takes \(.*"),
    (lambda: plot_perplexity("p.png", [A_RECORD], None), "title must be a string, got None"),
    (lambda: plot_perplexity("p.png", [A_RECORD], "t", "4"), "best_possible must be a number of at least 1, got '4'"),
])
def test_a_wrong_argument_is_one_line_that_says_what_is_wanted(call, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(RnnlmError, match=f"^{message}$") as caught:
        call()
    assert isinstance(caught.value, ValueError)
    assert len(str(caught.value).splitlines()) == 1
    assert not list(tmp_path.iterdir())


RNG = np.random.default_rng(0)
TAKERS = {
    "Vocabulary": Vocabulary, "from_counts": Vocabulary.from_counts, "encode": VOCABULARY.encode,
    "decode": VOCABULARY.decode,
    **{name: lambda junk, name=name: model(**{name: junk}) for name in (
        "vocab_size", "wordvec_size", "hidden_size", "layers", "cell", "activation", "tied", "projection",
        "regularisation", "start", "rng", "dtype", "workers")},
    "forward": lambda junk: model().forward([[1, 2]], junk), "predict": lambda junk: model().predict(junk),
    "plain predict": lambda junk: model(plain=True).predict(junk),
    "set_state": lambda junk: model().set_state(junk), "set_progress": lambda junk: model().set_progress(junk),
    "evaluate": lambda junk: rnnlm.evaluate(model(), junk, 0), "its model": lambda junk: rnnlm.evaluate(junk, None, 0),
    "token_log_probs": lambda junk: rnnlm.token_log_probs(model(), junk, 0),
    "its eos_id": lambda junk: rnnlm.token_log_probs(model(), [1], junk),
    "generate": lambda junk: next(rnnlm.generate(model(), junk, rng=RNG)),
    "temperature": lambda junk: next(rnnlm.generate(model(), [0], rng=RNG, temperature=junk)),
    "top_k": lambda junk: next(rnnlm.generate(model(), [0], rng=RNG, top_k=junk)),
    "top_p": lambda junk: next(rnnlm.generate(model(), [0], rng=RNG, top_p=junk)),
    "forbidden": lambda junk: next(rnnlm.generate(model(), [0], rng=RNG, forbidden=junk)),
    **{f"Trainer's {name}": lambda junk, name=name: fit(**{name: junk}) for name in (
        "model", "optimizer", "batches", "schedule", "average", "max_grad", "workers", "validate")},
    "epochs": lambda junk: trainer().fit(lambda: 1.0, junk),
    "on_step": lambda junk: trainer().fit(lambda: 1.0, 1, junk),
    "a loss": lambda junk: fit(validate=lambda: junk), "step": lambda junk: trainer().step(junk, junk),
    "load_corpus": load_corpus, "level": lambda junk: load_corpus("stories", level=junk),
    "read_text": lambda junk: read_text(junk, VOCABULARY), "its vocabulary": lambda junk: read_text("x", junk),
    **{name: getattr(rnnlm, name) for name in (
        "SGD", "Momentum", "AdaGrad", "RMSprop", "Adam", "AdamW", "Constant", "Cosine", "Linear", "DivideOnPlateau",
        "Average", "Workers", "Start", "Regularisation", "TimeActivationPenalty", "TimeSlownessPenalty")},
    **{name: lambda junk, name=name: getattr(rnnlm, name)(junk, junk, junk) for name in (
        "TimeRNN", "TimeMRNN", "TimeLSTM", "TimeGRU", "TimeTextbookGRU")},
    "factors": lambda junk: Adam(0.1, factors=junk), "update": lambda junk: SGD(0.1).update(junk, junk),
    "patience": lambda junk: Constant(0.1, patience=junk), "factor": lambda junk: DivideOnPlateau(0.1, junk),
    "Noising": lambda junk: Noising(junk, 3, 0.5), "its size": lambda junk: Noising(IDS, junk, 0.5),
    "strength": lambda junk: Noising(IDS, 3, junk),
    "TimeBatches": lambda junk: TimeBatches(junk, 2, 5), "batch_size": lambda junk: TimeBatches(IDS, junk, 5),
    "time_size": lambda junk: TimeBatches(IDS, 2, junk), "its rng": lambda junk: TimeBatches(IDS, 2, 5, rng=junk),
    "noising": lambda junk: TimeBatches(IDS, 2, 5, noising=junk, rng=RNG),
    "TimeDropout": lambda junk: TimeDropout(junk, rng=RNG), "dropout's rng": lambda junk: TimeDropout(0.5, rng=junk),
    "WeightDrop": lambda junk: WeightDrop(junk, rng=RNG), "TimeEmbedding": TimeEmbedding,
    "records": lambda junk: plot_perplexity("x", junk, "t"), "a record": lambda junk: plot_perplexity("x", [junk], "t"),
    "title": lambda junk: plot_perplexity("x", [A_RECORD], junk) if junk is not JUNK["a string"] else None,
    "best_possible": lambda junk: plot_perplexity("x", [], "t", junk),
    "save_model": lambda junk: save_model("m", junk, VOCABULARY),
    "to": lambda junk: save_model(junk, model(), VOCABULARY),
    "with": lambda junk: save_model("m", model(), junk),
    "training": lambda junk: save_model("m", model(), VOCABULARY, {"x": junk}),
    "load_model": load_model, "threads": lambda junk: load_model("m", junk),
    "again": lambda junk: load_model("m", regularisation=junk),
    "save_checkpoint": lambda junk: save_checkpoint("c", junk, {}, []),
    "its records": lambda junk: save_checkpoint("c", trainer(), {}, junk),
    "its run": lambda junk: save_checkpoint("c", trainer(), junk, []),
    "load_checkpoint": lambda junk: load_checkpoint("c", junk),
}


@pytest.mark.parametrize("taker", TAKERS)
def test_whatever_is_given_it_is_taken_or_refused_in_one_line(taker, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    require_one_line(TAKERS[taker])


def test_the_messages_are_errors_of_value_too_and_ids_errors_of_index():
    assert issubclass(ArgumentError, ValueError)
    with pytest.raises(IndexError):
        model().predict([[3]])


def test_a_picture_of_what_fit_yields(tmp_path):
    losses = iter([2.0, float("inf"), float("nan")])
    records = fit(lambda: next(losses), epochs=3)
    assert all(isinstance(record, Record) for record in records)
    plot_perplexity(tmp_path / "p.png", iter(records), "three epochs")
    assert (tmp_path / "p.png").read_bytes().startswith(b"\x89PNG")
