"""What a run saves, what it does not save twice, and what it lets go of."""

import json
import os
import signal
import weakref
from contextlib import nullcontext
from types import SimpleNamespace

import numpy as np
import pytest
from training_runs import header_of

import rnnlm
from rnnlm.errors import DivergenceError
from rnnlm.runs import best_model, run_texts
from rnnlm.runs.observer import Observer
from rnnlm.runs.run_folder import RunFolder
from rnnlm.runs.saving import Saver
from rnnlm.training.trainer import Trainer

SMALL = {"hidden_size": 12, "batch_size": 4, "time_size": 7, "lr": 0.02, "output": "run"}
STEPS = 35  # of an epoch of the small corpus


class Killed(BaseException):
    """Ends a run where it is, as a kill does: nothing more is saved."""


@pytest.fixture
def train(small_corpus, run):
    """rnnlm.train on the small corpus; ``run`` is in tmp_path, the picture replaced."""
    return lambda **options: rnnlm.train(**{"corpus": small_corpus, **SMALL, **options})


def test_the_model_knows_how_often_each_word_occurs_in_the_training_text(train, small_corpus):
    vocabulary = train(epochs=1, max_tokens=30, min_count=2).model.vocabulary
    tokens = (small_corpus / "train.txt").read_text().replace("\n", " <eos> ").split()[:30]
    counts = dict(zip(vocabulary.words, vocabulary.counts.tolist(), strict=True))
    assert counts.pop("<unk>") == sum(tokens.count(word) == 1 for word in set(tokens))
    assert counts == {word: tokens.count(word) for word in set(tokens) if tokens.count(word) > 1}


def observer(**methods):
    """An Observer with these methods, which get no ``self``."""
    return type("Chosen", (Observer,), {name: staticmethod(method) for name, method in methods.items()})()


def kill(*_):
    raise Killed


def test_what_replaced_a_run_and_was_killed_at_once_keeps_nothing_of_it(train, tmp_path, monkeypatch):
    """The old run's model and metrics are not those of the new run's first step."""
    train(epochs=1, seed=1)
    with monkeypatch.context() as patch:
        patch.setattr(RunFolder, "_remove_older", kill)
        with pytest.raises(Killed):
            train(epochs=1, seed=2, overwrite=True)
    assert all((tmp_path / "run" / name).exists() for name in ("checkpoint-next.npz", "checkpoint.npz", "model.npz"))
    with pytest.raises(Killed):
        rnnlm.train(output="run", resume=True, observer=observer(on_resumed=kill))
    left = {path.name for path in (tmp_path / "run").iterdir() if path.stat().st_size}
    assert left == {"checkpoint.npz", "config.toml"}
    assert header_of(tmp_path / "run/checkpoint.npz")["run"]["options"]["seed"] == 2


def test_a_run_killed_after_a_rollback_continues_at_half_the_rate(train, monkeypatch):
    def diverging(trainer, xs, ts):
        raise DivergenceError("loss nan")

    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "step", diverging)
        with pytest.raises(Killed):
            train(epochs=1, on_divergence="rollback", observer=observer(on_rollback=kill))
    rates = []
    rnnlm.train(output="run", resume=True, observer=observer(
        on_training=lambda trainer, epochs: rates.append(trainer.schedule.lr)))
    assert rates == [SMALL["lr"] / 2]


def test_a_stop_at_a_checkpoint_does_not_save_it_again(train, tmp_path):
    """A second copy would push out the checkpoint before it."""
    with pytest.raises(KeyboardInterrupt):
        train(epochs=2, observer=observer(on_epoch=lambda record: os.kill(os.getpid(), signal.SIGINT)))
    steps = [header_of(tmp_path / "run" / f"{name}.npz")["numbers"]["iteration"]
             for name in ("checkpoint-previous", "checkpoint")]
    assert steps == [0, STEPS]


def test_the_trained_model_is_gone_before_the_best_one_is_loaded(train, monkeypatch):
    """A large vocabulary leaves no room for two models."""
    models, there = [], []
    plain = best_model.load_model

    def load_model(*arguments):
        there.extend(model() for model in models)
        return plain(*arguments)

    monkeypatch.setattr(best_model, "load_model", load_model)
    train(epochs=1, observer=observer(
        on_training=lambda trainer, epochs: models.append(weakref.ref(trainer.model))))
    assert there == [None]


def test_a_checkpoint_that_contradicts_itself_is_refused_before_a_text_is_read(train, tmp_path, monkeypatch):
    train(epochs=1)
    path = tmp_path / "run/checkpoint.npz"
    header = header_of(path)
    header["run"]["options"]["hidden_size"] += 1
    with np.load(path) as members:
        arrays = dict(members)
    np.savez(path, **arrays | {"header": np.frombuffer(json.dumps(header).encode(), np.uint8)})
    monkeypatch.setattr(run_texts, "load_corpus", kill)
    with pytest.raises(rnnlm.RnnlmError, match="contradicts itself: hidden_size"):
        rnnlm.train(output="run", resume=True)


def test_processes_that_train_apart_meet_before_anything_is_written():
    done = []
    trainer = SimpleNamespace(meet=lambda: done.append("meet"), weights_to_keep=nullcontext, model=None, iteration=3,
                              tokens=9, epoch=0, sums=SimpleNamespace(steps=3))
    folder = SimpleNamespace(save=lambda *_: done.append("save"),
                             kept=SimpleNamespace(save=lambda *_: done.append("keep")))
    saver = Saver(trainer, folder, {}, SimpleNamespace(level="word"))
    saver.save()
    saver.keep_model(9)
    assert done == ["meet", "save", "meet", "keep"]
