"""The scoring command in other tools' formats, against numbers from the arrays."""

import math
import re

import numpy as np
import pytest
from independent_scores import expected_rows

from rnnlm.cli.score import main
from rnnlm.formats.model_file import save_model
from rnnlm.models import LanguageModel
from rnnlm.models.cells import CELLS
from rnnlm.reports.score_formats import SCORE_FORMATS
from rnnlm.reports.score_tables import FORMATS
from rnnlm.scoring.readings import PROTOCOLS
from rnnlm.text.vocabulary import Vocabulary

OTHERS = sorted(set(SCORE_FORMATS) - set(FORMATS))
TEXT = "the cat sat\nthe dog sat\n\n<unk> cat"  # no line end at the end
LN2, LN10 = math.log(2), math.log(10)
# What finds the number of a row; ln p from it; how near it is; which rows have one.
EVERY, WORDS, NO_EMPTY, KNOWN = "every row", "words", "no empty line", "known words"
NUMBERS = {
    "itemmeasures": (r"\n\S+ \d+ \d+ [01] (\S+)", lambda x: -x * LN2, 5e-7, WORDS),
    "lm-zoo": (r"\n\d+\t\d+\t\S+\t(\S+)", lambda x: -x * LN2, 5e-7, EVERY),
    "neural-complexity": (r"\n\S+ \d+ \d+ \d+ (\S+)", lambda x: -x * LN2, 1e-6, WORDS),
    "srilm": (r"\[ (\S+) \]", lambda x: x * LN10, 2e-6, NO_EMPTY),
    "kenlm": (r"=\d+ \d+ (\S+)\t", lambda x: x * LN10, 1e-6, EVERY),
    "classic": (r"\n\d+\t(\S+)", math.log, 1e-6, KNOWN),
    "kaldi": (r" (\d+\.\d{4})", lambda x: -x, 5e-5, EVERY),
}


ROWS = {EVERY: lambda row: True, WORDS: lambda row: row["word"] != "<eos>", KNOWN: lambda row: row["known"],
        NO_EMPTY: lambda row: (row["word"], row["position"]) != ("<eos>", 1)}


def a_model(path, words, level="word", **options):
    rng = np.random.default_rng(0)
    model = LanguageModel(len(words), 4, 5, rng=rng, **options)
    for param in model.params:
        param += 0.5 * rng.standard_normal(param.shape).astype(np.float32)
    save_model(path, model, Vocabulary(words, level))
    return str(path)


@pytest.fixture
def score(tmp_path, capsys):
    """The command, with a model and a text: (exit code, stdout, stderr)."""
    (tmp_path / "text.txt").write_text(TEXT, encoding="utf-8")

    def run(*options, model=None, texts=("text.txt",)):
        model = model or a_model(tmp_path / "model.npz", "<eos> <unk> the cat sat".split())
        code = main([model, *(str(tmp_path / text) for text in texts), *options])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("name", OTHERS)
def test_the_numbers_are_those_of_the_arrays(score, tmp_path, name, cell):
    pattern, log_prob_of, near, which = NUMBERS[name]
    model = a_model(tmp_path / "model.npz", "<eos> <unk> the cat sat".split(), cell=cell)
    for protocol in PROTOCOLS:
        expected = [row["log_prob"] for row in expected_rows(model, TEXT, protocol, math.e)
                    if ROWS[which](row) and not math.isnan(row["log_prob"])]
        _, out, _ = score("--protocol", protocol, "--format", name, model=model)
        found = [log_prob_of(float(number)) for number in re.findall(pattern, out)]
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=near)


def test_entropies_are_those_of_the_arrays(score, tmp_path):
    model = a_model(tmp_path / "model.npz", "<eos> <unk> the cat sat".split())
    rows = expected_rows(model, TEXT, "sentence")
    words = [row for row in rows if row["word"] != "<eos>"]
    reductions = [row["entropy_reduction"] for row in words]
    before = [max(0, rows[i - 1]["entropy"] - row["entropy"]) if row["position"] > 1 else 0
              for i, row in enumerate(rows) if row["word"] != "<eos>"]
    for name, reduced in (("itemmeasures", reductions), ("neural-complexity", before)):
        _, out, _ = score("--format", name, "--protocol", "sentence", model=model)
        names, *cells = (line.split() for line in out.splitlines())
        columns = {column: list(map(float, values)) for column, *values in zip(names, *cells, strict=True)
                   if column.startswith("ent")}
        np.testing.assert_allclose(columns["entropy"], [row["entropy"] for row in words], atol=1e-5)
        np.testing.assert_allclose(columns["entred"], reduced, atol=1e-5)


def test_the_totals_are_those_of_the_rows(score, tmp_path):
    model = a_model(tmp_path / "model.npz", "<eos> <unk> the cat sat".split())
    rows = expected_rows(model, TEXT, "sentence", 10)
    total = sum(row["log_prob"] for row in rows)
    unknown = sum(row["log_prob"] for row in rows if not row["known"])
    unk = sum(row["log_prob"] for row in rows if row["word"] == "<unk>")
    empty = sum(row["log_prob"] for row in rows if (row["word"], row["position"]) == ("<eos>", 1))
    for name, found, log_prob, words in [
            ("srilm", r"(?s).* ppl= (\S+)", total - empty, 11), ("srilm", r"(?s).* ppl1= (\S+)", total - empty, 8),
            ("kenlm", r"(?s).*including OOVs:\t(\S+)", total, 12),
            ("kenlm", r"(?s).*excluding OOVs:\t(\S+)", total - unknown - unk, 10),
            ("classic", r"(?s).*PPL net: (\S+)", total - unknown, 11)]:
        perplexity = re.match(found, score("--format", name, "--protocol", "sentence", model=model)[1])[1]
        assert float(perplexity) == pytest.approx(10 ** (-log_prob / words), rel=1e-5)
    assert "text.txt: 3 sentences, 8 words, 0 OOVs\n" in score("--format", "srilm", model=model)[1]
    assert score("--format", "kenlm", model=model)[1].endswith("\nOOVs:\t2\nTokens:\t12\n")


@pytest.mark.parametrize("name", OTHERS)
def test_the_state_is_forgotten_as_the_tool_forgets_it_unless_told_otherwise(score, name):
    protocols = {protocol: score("--format", name, "--protocol", protocol)[1] for protocol in ("sentence", "stream")}
    assert protocols["sentence"] != protocols["stream"]
    usual = "stream" if name in ("itemmeasures", "classic", "kaldi") else "sentence"
    assert score("--format", name)[1] == protocols[usual]


@pytest.mark.parametrize("name", OTHERS)
def test_what_is_left_out_is_said(score, name):
    _, out, err = score("--format", name)
    assert f"note: --format {name} leaves out {SCORE_FORMATS[name].leaves_out}; --format tsv has them\n" in err
    assert "leaves out" not in out + score()[2]


def test_names_of_text_and_model(score, tmp_path):
    text, model = tmp_path / "text.txt", tmp_path / "model.npz"
    assert f"\nfile {text}: 3 sentences" in score("--format", "srilm")[1]
    assert score("--format", "classic")[1].startswith(f"debug mode: 2\ntest file: {text}\nrnnlm file: {model}\nIndex")


@pytest.mark.parametrize("options, texts, message", [
    (["--format", "srilm"], ["text.txt"] * 2, "--format srilm is of one text, got 2 texts: score each by itself"),
    (["--format", "kenlm", "--log-base", "2"], ["text.txt"], "--format kenlm has --log-base 10, got 2"),
    (["--format", "kaldi", "--by", "sentence"], ["text.txt"], "--format kaldi has --by word, got sentence"),
    (["--format", "lm-zoo", "--columns", "word"], ["text.txt"], "--format lm-zoo has a layout of its own"),
    (["--format", "kenlm", "--no-header"], ["text.txt"], "has a layout of its own: leave --no-header out"),
])
def test_what_does_not_go_with_a_format(score, options, texts, message):
    code, out, err = score(*options, texts=texts)
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert message in err


def test_a_model_of_characters(score, tmp_path):
    model = a_model(tmp_path / "chars.npz", ["<eos>", *" theacsdog"], "char")
    code, out, err = score("--format", "kenlm", model=model)
    assert (code, out) == (1, "")
    assert "kenlm has the ids of words, and the model does not read whole words: choose another format" in err
    assert score("--format", "srilm", model=model)[0] == 0
