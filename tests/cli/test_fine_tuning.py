"""--init-from, --extend-vocab and --freeze: a run that begins from a trained model."""

import gzip
import hashlib
import json
import shutil
import signal

import numpy as np
import pytest
from training_runs import header_of, metrics, options_of, without_times

import rnnlm
from rnnlm.formats.model_file import load_model, read_model_training, save_model
from rnnlm.text.corpus import read_text
from rnnlm.text.vocabulary import Vocabulary

TUNE = ["--batch-size", "4", "--time-size", "7", "--lr", "0.02", "--dropout", "0.1", "--input-dropout", "0.1",
        "--epochs", "2"]


MODEL = {}  # the model that runs begin from, made by the first test that needs it


@pytest.fixture
def base(run, tmp_path):
    """A folder with a model for others to begin from; it has no <unk>."""
    folder = tmp_path / "base"
    if not MODEL:
        assert run("--epochs", "1", output="base")[0] == 0
        MODEL["bytes"] = (folder / "model.npz").read_bytes()
        shutil.rmtree(folder)
    folder.mkdir()
    (folder / "model.npz").write_bytes(MODEL["bytes"])
    return folder


@pytest.fixture
def news(tmp_path):
    """Another corpus: ``fox`` and ``hill`` are new, ``owl`` is new and rare."""
    folder = tmp_path / "news"
    folder.mkdir()
    lines = "the fox sat on the hill .\na bird ran to the fox .\n"
    for split, text in (("train", lines * 20 + "the owl sat .\n"), ("valid", lines * 3 + "a owl ran .\n"),
                        ("test", lines * 2)):
        (folder / f"{split}.txt").write_text(text, encoding="utf-8")
    return folder


@pytest.fixture
def tune(run, base, news):
    """The training command on the new corpus, beginning from the model of ``base``."""
    return lambda *options, output="run", corpus=news: run.bare(
        "--corpus", str(corpus), "--output", output, "--init-from", "base", *TUNE, *options)


def arrays(folder):
    return load_model(folder)[0].named_params()


def test_a_run_begins_with_the_model_and_says_which(run, base, tmp_path, small_corpus):
    code, out, err = run.bare("--corpus", str(small_corpus), "--output", "run", "--init-from", "base", *TUNE,
                              "--freeze", "embedding,rnn1,affine/W")
    assert code == 0, err
    sha256 = hashlib.sha256((base / "model.npz").read_bytes()).hexdigest()
    assert f"\nbegins from {base}, SHA-256 {sha256}\n" in out
    assert read_model_training(tmp_path / "run/model.npz")["init_from"] == sha256
    assert header_of(tmp_path / "run/checkpoint.npz")["run"]["init_from"] == {"path": str(base), "sha256": sha256}
    config = (tmp_path / "run/config.toml").read_text()
    assert f"# SHA-256 of the model file it began from: {sha256}\n" in config
    assert f'init-from = "{base}"' in config
    assert "# hidden-size = 12\n" in config
    assert options_of(tmp_path / "run")["hidden_size"] == 12
    model = rnnlm.load("base")
    valid = small_corpus / "valid.txt"
    assert f"\nbefore training: validation perplexity {model.perplexity(valid):.5g}\n" in out
    assert header_of(tmp_path / "run/checkpoint.npz")["run"]["perplexity_before"] == pytest.approx(
        model.perplexity(valid))
    before, after = arrays(base), arrays(tmp_path / "run")
    assert [name for name in before if before[name].tobytes() != after[name].tobytes()] == ["affine/b"]
    assert [line["epoch"] for line in metrics(tmp_path / "run")] == [1, 2]
    words = sum(before[name].size for name in before if name != "affine/b")
    assert f"of which {words:,} are frozen (affine/W, embedding/W, rnn1/Wh, rnn1/Wx, rnn1/b)" in out


def test_unknown_words_without_unk_are_refused_until_they_are_added(tune, base, tmp_path, news):
    code, _, err = tune()
    assert code == 1
    assert err.count("\n") == 1
    assert ("the model's vocabulary of 16 has no <unk>, and lacks 3 of the 11 words of the training text, such as "
            "'fox': add them with --extend-vocab") in err
    assert not (tmp_path / "run").exists()
    code, out, err = tune("--extend-vocab")
    assert code == 0
    assert ("note: the model's vocabulary of 16 lacks 3 of the 11 different words of the training text, 21.5 % of its "
            "284 words: 2 are added, the others, 0.4 %, are read as <unk>, which is new") in err
    old, new = load_model(base)[1], load_model("run")[1]
    assert new.words == [*old.words, "<unk>", "fox", "hill"]
    text = (news / "train.txt").read_text().replace("\n", " <eos> ").split()
    both = {word: text.count(word) + (old.counts[old.ids[word]] if word in old.ids else 0) for word in new.words}
    assert new.counts.tolist() == list((both | {"<unk>": 1}).values())
    assert "vocabulary 19\n" in out


def test_with_unk_the_old_vocabulary_will_do(run, tmp_path, news, tune, base):
    run("--epochs", "1", "--min-count", "80", "--overwrite", output="base")
    before = load_model("base")[1]
    code, _, err = tune()
    assert code == 0
    assert "read as <unk>; --extend-vocab adds them" in err
    after = load_model("run")[1]
    assert after.words == before.words
    assert after.counts.sum() == before.counts.sum() + read_text(news / "train.txt", before).ids.size


@pytest.mark.parametrize(("options", "message"), [
    ("--hidden-size 13", "--hidden-size is 12 in the model {base}, got 13: leave it out, or begin a new model without "
     "--init-from"),
    ("--cell lstm", "--cell is rnn in the model {base}, got lstm"), ("--tied", "--tied is off in the model {base}, got "
     "on"), ("--level char", "--level is word in the model {base}, got char"),
    ("--lowercase", "--lowercase is off in the model {base}, got on"),
    ("--split-punctuation", "--split-punctuation is off in"),
    ("--layers 2", "--layers is 1 in"), ("--wordvec-size 8", "--wordvec-size is 12 in"), ("--projection",
     "--projection is off in"), ("--activation relu", "--activation is tanh in"),
    ("--min-count 2", "--min-count does nothing here: it works only with words or characters, and without "
     "--init-from or with --extend-vocab; leave it out"), ("--max-vocab 99", "--max-vocab does nothing here"),
    ("--output-start frequencies", "--output-start does nothing here: it works only with a new model, without "
     "--init-from"), ("--input-gain 2", "--input-gain does nothing here"),
    ("--recurrent-gain 2", "--recurrent-gain does nothing"), ("--recurrent-start identity", "--recurrent-start does n"),
    ("--slowest 0.5", "--slowest does nothing here"),
    ("--freeze embeding", "--freeze must name parts of the model (embedding, rnn1, affine) or its parameters "
     "(embedding/W, rnn1/Wx, rnn1/Wh, rnn1/b, affine/W, affine/b), got 'embeding': did you mean embedding?"),
    ("--freeze rnn1,embedding,affine", "--freeze must leave something to train, got all parts of the model"),
    ("--extend-vocab --max-vocab 9", "max_vocab must be at least 16, because the model keeps its words, got 9"),
    ("--init-from nothing", "nothing"), ("--init-from news", "holds no model.npz"),
    ("--init-from news/train.txt", "is not a whole rnnlm model file"),
    ("--init-from news/n.gz", "news/n.gz is an n-gram model, which cannot be trained further: train a network by "
     "itself and mix both, with rnnlm evaluate --mix"), ("--init-from -", "- could not be read")])
def test_what_does_not_go_with_the_model_is_one_line(tune, base, news, tmp_path, options, message):
    (news / "n.gz").write_bytes(gzip.compress(b"\\data\\\nngram 1=1\n"))
    code, _, err = tune(*options.split())
    assert code == 1
    assert err.count("\n") == 1
    assert message.format(base=base) in err
    assert not (tmp_path / "run").exists()


def test_a_recipe_that_asks_for_another_model_is_named_and_overridden(tune, tmp_path):
    """Nobody can leave out what he has not typed."""
    (tmp_path / "mine.toml").write_text("hidden-size = 13\ntied = true\nlayers = 2\nepochs = 1\n")
    typed = ["--config", "mine.toml", "--extend-vocab"]
    code, _, err = tune(*typed)
    overriding = "--hidden-size 12 --layers 1 --no-tied"
    assert code == 1
    assert err.count("\n") == 1
    assert f"got 13 from mine.toml: override it with {overriding}, or begin a new model" in err
    assert "got 14: leave it out" in tune(*typed, "--hidden-size", "14")[2]
    assert tune(*typed, *overriding.split())[0] == 0


def test_a_resumed_run_with_other_words_is_not_told_to_add_them(tune, run, news):
    """--extend-vocab cannot be changed on resuming."""
    assert tune("--max-tokens", "40", "--extend-vocab", "--min-count", "1")[0] == 0
    for path in news.glob("*.txt"):
        path.write_text(path.read_text().replace("hill", "roof"))
    code, _, err = run.bare("--resume", "--output", "run", "--epochs", "3")
    assert code == 1
    assert "the run in run was trained on different text from" in err.replace(str(news.parent) + "/", "")
    assert "pass its original --corpus, or start a new run" in err
    assert "--extend-vocab" not in err


@pytest.mark.parametrize(("options", "message"), [
    ("--extend-vocab", "--extend-vocab does nothing here: it works only with --init-from, and a model of words or "
     "characters; leave it out"),
    ("--freeze rnn2", "got 'rnn2': did you mean rnn1?")])
def test_without_a_model(run, options, message):
    code, _, err = run(*options.split())
    assert code == 1
    assert message in err


def test_names_with_nothing_between_the_commas_are_no_names(run, capsys):
    with pytest.raises(SystemExit, match="2"):
        run("--freeze", "embedding,")
    assert "--freeze: must be names with commas between them, got 'embedding,'" in capsys.readouterr().err


def test_a_new_model_can_have_frozen_parts(run, tmp_path):
    """A random embedding that stays is an experiment like any other."""
    assert run("--epochs", "1", "--freeze", " rnn1 , embedding", output="one")[0] == 0
    assert run("--epochs", "2", "--freeze", "embedding,rnn1", output="other")[0] == 0
    one, other = arrays("one"), arrays("other")
    assert [name for name in one if one[name].tobytes() != other[name].tobytes()] == ["affine/W", "affine/b"]
    assert options_of(tmp_path / "one")["freeze"] == ["rnn1", "embedding"]


def test_what_else_a_frozen_part_freezes_is_noted(run, tune):
    assert "with tied weights, the frozen embedding is the output weights, too" in run(
        "--epochs", "1", "--tied", "--freeze", "embedding", "--overwrite", output="base")[2]
    assert "new words keep the values in embedding/W with which they start" in tune(
        "--extend-vocab", "--freeze", "embedding")[2]


def test_with_tied_weights_and_an_adaptive_softmax_rare_words_are_not_in_the_embedding(run, tune, base):
    assert run("--epochs", "1", "--softmax", "adaptive", "--cutoffs", "5,9", "--tied", "--overwrite",
               output="base")[0] == 0
    err = tune("--extend-vocab", "--freeze", "embedding,tail1")[2]
    assert "embedding/W has only the most frequent words: those in tail2/W train" in err
    assert "new words keep" not in err  # they are in the last cluster
    err = tune("--extend-vocab", "--freeze", "tail2", "--overwrite")[2]
    assert "new words keep the values in tail2/W with which they start" in err


@pytest.mark.parametrize("options", [
    "--extend-vocab --freeze embedding/W,rnn1/b --average exponential", pytest.param(
        "--extend-vocab --min-count 1 --optimizer adamw --random-start", marks=pytest.mark.slow)])
def test_it_resumes_without_the_model_bit_for_bit(run, base, news, tmp_path, options):
    options = ["--epochs", "2", "--init-from", "base", *options.split()]
    assert run(*options, output="whole", corpus=news)[0] == 0
    assert run.stopped_at(3, signal.SIGINT, *options, corpus=news)[0] == 130
    shutil.rmtree(base)
    assert run.stopped_at(11, signal.SIGINT, *options, "--resume", corpus=news)[0] == 130
    code, out, err = run.bare("--resume", "--output", "run")
    assert code == 0, err
    assert "resumed after step 14, in epoch 2" in out
    assert "begins from" in out
    assert "before training" not in out
    assert (tmp_path / "run/model.npz").read_bytes() == (tmp_path / "whole/model.npz").read_bytes()
    assert without_times(tmp_path / "run") == without_times(tmp_path / "whole")


def test_the_picture_has_the_perplexity_before_training_after_resuming_too(tune, run, monkeypatch):
    import rnnlm.runs.run_folder

    drawn = []
    monkeypatch.setattr(rnnlm.runs.run_folder, "plot_perplexity", lambda *arguments: drawn.append(arguments[5]))
    assert tune("--extend-vocab")[0] == 0
    assert run.bare("--resume", "--output", "run", "--epochs", "3")[0] == 0
    assert drawn[-1] == drawn[0] > 1
    monkeypatch.setattr("rnnlm.runs.initial_model.BEFORE", "options")  # what a stranger's checkpoint has there
    assert run.bare("--resume", "--output", "run", "--epochs", "4")[0] == 0
    assert drawn[-1] is None


def test_what_a_resumed_run_may_not_change(tune, run, base, tmp_path):
    assert tune("--extend-vocab")[0] == 0
    for options, message in (("--init-from news", f"--init-from is {tmp_path / 'news'}, was {base}"),
                             ("--freeze affine", "--freeze is ['affine'], was not given"),
                             ("--no-extend-vocab", "--extend-vocab is False, was True")):
        code, _, err = run.bare("--resume", "--output", "run", *options.split())
        assert code == 1
        assert message in err
    assert run.bare("--resume", "--output", "run", "--init-from", "base", "--epochs", "3")[0] == 0
    assert run("--epochs", "1", output="new")[0] == 0
    code, _, err = run.bare("--resume", "--output", "new", "--init-from", "base")
    assert code == 1
    assert f"--init-from is {base}, was not given" in err


def test_a_checkpoint_that_says_something_else_of_its_model_is_one_line(tune, run, tmp_path):
    assert tune("--extend-vocab")[0] == 0
    path = tmp_path / "run/checkpoint.npz"
    with np.load(path) as members:
        whole = dict(members)

    def resumed(**changed):
        header = json.loads(whole["header"].tobytes())
        for key, value in changed.items():
            header["run" if key == "init_from" else "vocabulary"] |= {key: value}
        np.savez(path, **whole | {"header": np.frombuffer(json.dumps(header).encode(), np.uint8)})
        code, _, err = run.bare("--resume", "--output", "run", "--epochs", "3")
        return code == 1 and err.splitlines()[-1]

    assert "must say which model its run began from, got 7" in resumed(init_from=7)
    assert "must say which model" in resumed(init_from={"path": "x"})
    assert "level must be one of" in resumed(level="sentence")
    counts, words = whole["counts"], whole.pop("vocabulary")
    assert "it lacks vocabulary" in resumed()
    whole |= {"vocabulary": words, "counts": counts.astype(np.int32)}
    assert "counts must be int64" in resumed()
    del whole["counts"]
    assert resumed() is False  # as a run whose words have no counts


def test_a_run_does_not_replace_the_model_that_it_begins_from(run, base, news):
    before = (base / "model.npz").read_bytes()
    line = ["--corpus", str(news), "--init-from", "base", "--extend-vocab", *TUNE, "--output", "base"]
    assert "already holds a run" in run.bare(*line)[2]
    for model in ("base", "base/model.npz"):
        line[3] = model
        code, _, err = run.bare(*line, "--overwrite")
        assert code == 1
        assert "the run would replace the model" in err
        assert "choose another --output" in err
    assert (base / "model.npz").read_bytes() == before
    (base / "kept").mkdir()
    kept = shutil.copy(base / "model.npz", base / "kept/tokens-000000000100.npz")
    line[3] = "base/kept/tokens-000000000100.npz"
    assert "the run would replace the model" in run.bare(*line, "--overwrite")[2]
    assert kept.read_bytes() == before
    shutil.copy(base / "model.npz", base / "kept.npz")
    line[3] = "base/kept.npz"
    assert run.bare(*line, "--overwrite")[0] == 0


def test_the_config_repeats_the_run(tune, run, tmp_path):
    assert tune("--extend-vocab", "--freeze", "rnn1/b")[0] == 0
    assert run.bare("--config", "run/config.toml", "--output", "again")[0] == 0
    assert (tmp_path / "run/model.npz").read_bytes() == (tmp_path / "again/model.npz").read_bytes()


def test_a_recipe_may_say_what_the_model_says(run, base, news, tmp_path):
    recipe = tmp_path / "own.toml"
    recipe.write_text('hidden-size = 12\noutput-start = "frequencies"\nlr = 0.5\nepochs = 1\nbatch-size = 4\n')
    line = ["--config", "own.toml", "--corpus", str(news), "--init-from", "base", "--extend-vocab", "--output", "run"]
    assert run.bare(*line)[0] == 0
    recipe.write_text("hidden-size = 13\n")
    assert "--hidden-size is 12 in the model" in run.bare(*line, "--overwrite")[2]


def test_from_python(tune, base, news, tmp_path):
    assert tune("--extend-vocab", "--freeze", "affine/b")[0] == 0
    options = {"batch_size": 4, "time_size": 7, "lr": 0.02, "dropout": 0.1, "input_dropout": 0.1, "epochs": 2}
    run = rnnlm.train(corpus=news, init_from=base, extend_vocab=True, freeze=["affine/b"], output="python", **options)
    assert (tmp_path / "python/model.npz").read_bytes() == (tmp_path / "run/model.npz").read_bytes()
    assert "fox" in run.model.vocabulary.ids


def test_a_file_without_counts_begins_a_run_whose_words_have_none(run, base, tune, tmp_path):
    model, vocabulary = load_model(base)
    save_model("base/model.npz", model, Vocabulary(vocabulary.words))
    with np.load("base/model.npz") as members:
        assert json.loads(members["header"].tobytes())["version"] == 1
    assert tune("--extend-vocab")[0] == 0
    after = load_model("run")[1]
    assert after.words[:16] == vocabulary.words
    assert after.counts is None


def test_characters(run, tune, base, news, tmp_path):
    assert run("--epochs", "1", "--level", "char", "--overwrite", output="base")[0] == 0
    assert "characters of the training text, such as 'f': add them with --extend-vocab" in tune()[2]
    code, _, err = tune("--extend-vocab")
    assert code == 0, err
    assert "4 are added" in err  # f, x, l and w
    assert rnnlm.load("run").vocabulary.level == "char"


def test_the_tokenizer_is_the_models(run, tune, base, tmp_path, news):
    (news / "train.txt").write_text("The Fox sat. THE fox ran to the hill.\n" * 40)
    assert run("--epochs", "1", "--lowercase", "--split-punctuation", "--overwrite", output="base")[0] == 0
    assert tune("--extend-vocab")[0] == 0
    vocabulary = load_model("run")[1]
    assert vocabulary.words[-2:] == ["fox", "hill"]
    assert vocabulary.tokenizer == load_model("base")[1].tokenizer
    assert [options_of(tmp_path / "run")[name] for name in ("lowercase", "split_punctuation")] == [True, True]
    assert run.bare("--resume", "--output", "run", "--epochs", "3")[0] == 0


@pytest.mark.parametrize("tied", ["--tied", "--no-tied"])
def test_an_adaptive_softmax_keeps_its_cutoffs(run, tune, base, tmp_path, tied):
    assert run("--epochs", "1", "--softmax", "adaptive", "--cutoffs", "5,9", tied, "--overwrite", output="base")[0] == 0
    assert tune("--extend-vocab", "--freeze", "embedding,tail1/W", "--cutoffs", "5,9")[0] == 0
    assert "--cutoffs is 5,9 in the model" in tune("--extend-vocab", "--cutoffs", "5", output="other")[2]
    model, vocabulary = load_model("run")
    assert (model.architecture.cutoffs, model.architecture.vocab_size) == ((5, 9), 19)
    assert vocabulary.words[-2:] == ["fox", "hill"]
    before, after = arrays("base"), arrays("run")
    assert after["tail1/W"].tobytes() == before["tail1/W"].tobytes()
    assert after["tail2/P"].tobytes() != before["tail2/P"].tobytes()
    assert options_of(tmp_path / "run")["cutoffs"] == [5, 9]
    assert run.bare("--resume", "--output", "run", "--epochs", "3")[0] == 0
    assert run.bare("--config", "run/config.toml", "--output", "again", "--epochs", "1")[0] == 0


def test_a_full_softmax_stays_full(tune):
    assert "--softmax is full in the model" in tune("--extend-vocab", "--softmax", "adaptive")[2]
